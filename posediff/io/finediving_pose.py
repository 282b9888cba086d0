"""FineDiving-Pose and MPII: a list of ``{image, joints, joints_vis, center, scale}``, 16 MPII joints.

A joint whose ``joints_vis`` is 0 is missing: its coordinates are a filler. ``center`` and ``scale`` (in units of
200 px) are a square box. There is no fps, score or id. The frame is the last number in the image's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.io.checks import Fault
from posediff.io.content import Content
from posediff.io.documents import column, dumped, objects
from posediff.io.native import shortest
from posediff.io.people import Detections, boxed, by_score, frame_numbers, sequences
from posediff.io.registry import Format
from posediff.sequence import PoseSequence
from posediff.skeletons import MPII16

#: Pixels in one unit of ``scale``.
SCALE = 200.0


def sniff(content: Content) -> bool:
    """Whether it is a list of images with joints."""
    document = content.document
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, dict) and {"image", "joints"} <= set(first)


def read(content: Content, skeleton: str | None = None) -> list[PoseSequence]:
    """The people of the list: one, or as many as an image is listed for."""
    items = objects(content.document, "")
    for number, item in enumerate(items):
        if not isinstance(item.get("image"), str):
            raise Fault(f"[{number}].image is missing")
    joints = column(items, "joints", "", len(MPII16.joints), 2)
    if all("joints_vis" in item for item in items):
        seen = column(items, "joints_vis", "", len(MPII16.joints))
    else:
        seen = np.ones(joints.shape[:2])
    keypoints, _ = by_score(np.concatenate([joints, seen[..., None]], axis=2))
    numbers = frame_numbers([item["image"] for item in items])
    return sequences(Detections(np.array(numbers, np.int64), keypoints, boxes=_boxes(items)), MPII16, frames=numbers)


def render(people: Sequence[PoseSequence], path: Path) -> dict[Path, bytes]:
    """The list of one person's frames; images are named by their frame numbers."""
    (person,) = people
    boxes = boxed(person)
    centers = shortest(((boxes[:, :2] + boxes[:, 2:]) / 2).astype(np.float32)).tolist()
    scales = shortest(((boxes[:, 2:] - boxes[:, :2]).max(axis=1) / SCALE).astype(np.float32)).tolist()
    joints = shortest(np.nan_to_num(person.keypoints)).tolist()
    seen = person.present.astype(int).tolist()
    items = [
        {
            "image": f"{number:08d}.jpg",
            "joints": joints[index],
            "joints_vis": seen[index],
            "center": centers[index],
            "scale": scales[index],
        }
        for index, number in enumerate(person.frames.tolist())
    ]
    return {path: dumped(items)}


def _boxes(items: Sequence[dict[str, Any]]) -> np.ndarray | None:
    if not all(item.get("center") is not None and item.get("scale") is not None for item in items):
        return None
    centers = column(items, "center", "", 2)
    half = column(items, "scale", "")[:, None] * SCALE / 2
    return np.concatenate([centers - half, centers + half], axis=1)


def _squared(person: PoseSequence) -> list[str]:
    if person.boxes is None or np.ptp(person.boxes[:, 2:] - person.boxes[:, :2], axis=1).max(initial=0) < 1e-3:
        return []
    return ["finediving-pose holds no box but a square one: its center and longer side are kept"]


FORMATS = {
    "finediving-pose": Format(
        name="finediving-pose",
        title="FineDiving-Pose or MPII list",
        kind=("json",),
        sniff=sniff,
        read=read,
        render=render,
        holds=frozenset({"frames", "boxes"}),
        skeletons=("mpii16",),
        also_loses=_squared,
    )
}
