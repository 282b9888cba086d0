"""FineDiving-Pose and MPII: a list of ``{image, joints, joints_vis, center, scale}``, 16 MPII joints.

A joint whose ``joints_vis`` is 0 is missing: its coordinates are a filler. ``center`` and ``scale`` (in units of
200 px) are a square box; where there is none, they are -1. posediff writes the box itself too, as ``bbox``: x0, y0, x1,
y1. There is no fps, score or id. The frame is the last number in the image's name.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.errors import BadSetting
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
    return {path: dumped(listed(person))}


def listed(person: PoseSequence, image: str = "{:08d}.jpg") -> list[dict[str, Any]]:
    """One person's frames as the items of such a list.

    Args:
        person: of the skeleton ``mpii16``.
        image: how images are named: a frame number is put in its braces, as in ``"dive_07/{:05d}.jpg"``.

    Raises:
        BadSetting: if ``image`` has no place for a number.
    """
    boxes, own = boxed(person), np.zeros(len(person), bool)
    if person.boxes is not None:
        own = np.isfinite(person.boxes).all(axis=1)
    some = own | person.present.any(axis=1)
    middles, sizes = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).max(axis=1) / SCALE
    centers = shortest(np.where(some[:, None], middles, -1).astype(np.float32)).tolist()
    scales = shortest(np.where(some, sizes, -1).astype(np.float32)).tolist()
    corners, joints = shortest(boxes.astype(np.float32)).tolist(), shortest(np.nan_to_num(person.keypoints)).tolist()
    seen = person.present.astype(int).tolist()
    return [
        {
            "image": name,
            "joints": joints[index],
            "joints_vis": seen[index],
            "center": centers[index],
            "scale": scales[index],
            **({"bbox": corners[index]} if own[index] else {}),
        }
        for index, name in enumerate(_names(image, person.frames.tolist()))
    ]


def _names(pattern: str, numbers: list[int]) -> list[str]:
    try:
        names = [pattern.format(number) for number in numbers]
    except (ValueError, LookupError, AttributeError):
        names = []
    if len(set(names)) < len(numbers):
        raise BadSetting(f"image is {pattern!r}", "give the images' names with {:05d} in place of the frame number")
    return names


def _boxes(items: Sequence[dict[str, Any]]) -> np.ndarray | None:
    boxes = np.full((len(items), 4), np.nan)
    square = [n for n, item in enumerate(items) if item.get("center") is not None and item.get("scale") is not None]
    if square:
        chosen = [items[number] for number in square]
        centers, half = column(chosen, "center", "", 2), column(chosen, "scale", "")[:, None] * SCALE / 2
        boxes[square] = np.where(half >= 0, np.concatenate([centers - half, centers + half], axis=1), np.nan)
    exact = [number for number, item in enumerate(items) if item.get("bbox") is not None]
    if exact:
        boxes[exact] = column([items[number] for number in exact], "bbox", "", 4)
    return boxes if np.isfinite(boxes).any() else None


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
    )
}
