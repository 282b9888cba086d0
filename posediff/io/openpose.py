"""OpenPose: a folder with one JSON a frame, or one such file.

``{"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d": [x, y, c, ...]}]}`` with 25 (BODY_25) or 18
(COCO) joints; (0, 0, 0) is a missing keypoint. The frame is the last number in the file's name; the person is
``person_id``, where all have one of 0 or more. ``pose_keypoints_3d`` is not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.io.checks import Fault
from posediff.io.content import Content
from posediff.io.documents import dumped, objects, triplets, whole, zeroed
from posediff.io.joints import counted
from posediff.io.people import Detections, by_score, frame_numbers, sequences
from posediff.io.registry import Format
from posediff.sequence import PoseSequence

_USUAL = ("body25", "openpose18")


def sniff(content: Content) -> bool:
    """Whether the first JSON has ``people``, and each of them ``pose_keypoints_2d``."""
    if not content.frames:
        return False
    first = content.frames[0]
    document = first.document if first.kind == "json" else None
    people = document.get("people") if isinstance(document, dict) else None
    return isinstance(people, list) and all(isinstance(one, dict) and "pose_keypoints_2d" in one for one in people)


def read(content: Content, skeleton: str | None = None) -> list[PoseSequence]:
    """Every person of the frames."""
    numbers = frame_numbers([frame.path.stem.removesuffix("_keypoints") for frame in content.frames])
    if len(set(numbers)) < len(numbers):
        raise Fault(f"two files are frame {next(n for n in numbers if numbers.count(n) > 1)}")
    items: list[dict[str, Any]] = []
    belongs: list[int] = []
    for number, frame in zip(numbers, content.frames, strict=True):
        document = frame.document
        people = objects(document.get("people") if isinstance(document, dict) else None, f"{frame.path.name}: people")
        items += people
        belongs += [number] * len(people)
    if not items:
        return []
    keypoints, scores = by_score(triplets(items, "pose_keypoints_2d", "people"))
    detections = Detections(np.array(belongs, np.int64), keypoints, scores, people=whole(items, "person_id"))
    return sequences(detections, counted(keypoints.shape[1], skeleton, _USUAL), frames=numbers)


def render(people: Sequence[PoseSequence], path: Path) -> dict[Path, bytes]:
    """One file a frame, ``keypoints_000000000012_keypoints.json``."""
    frames: dict[int, list[dict[str, Any]]] = {}
    for person in people:
        values = zeroed(person)
        for index, number in enumerate(person.frames.tolist()):
            frames.setdefault(number, []).append(
                {
                    "person_id": [int(person.person)],
                    "pose_keypoints_2d": values[index].ravel().tolist(),
                    "face_keypoints_2d": [],
                    "hand_left_keypoints_2d": [],
                    "hand_right_keypoints_2d": [],
                    "pose_keypoints_3d": [],
                    "face_keypoints_3d": [],
                    "hand_left_keypoints_3d": [],
                    "hand_right_keypoints_3d": [],
                }
            )
    return {
        path / f"keypoints_{number:012d}_keypoints.json": dumped({"version": 1.3, "people": found})
        for number, found in frames.items()
    }


FORMATS = {
    "openpose": Format(
        name="openpose",
        title="a folder of OpenPose JSON",
        kind=("folder", "json"),
        sniff=sniff,
        read=read,
        render=render,
        holds=frozenset({"scores", "frames", "people", "person"}),
        skeletons=_USUAL,
    )
}
