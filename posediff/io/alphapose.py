"""AlphaPose results: a list of people, ``{"image_id": "12.jpg", "keypoints": [x, y, score, ...], "box": [x, y, w, h],
"score": 2.9, "idx": 1}``.

17 joints are COCO's, 26 Halpe's; of Halpe's 136 the first 26 are kept. A score of 0 is a missing keypoint. The person
is ``idx``, where all have one: a number, or a list that starts with one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.io.checks import Fault
from posediff.io.content import Content
from posediff.io.documents import column, dumped, objects, triplets, whole, zeroed
from posediff.io.joints import counted
from posediff.io.native import shortest
from posediff.io.people import Detections, boxed, by_score, frame_numbers, sequences, xywh_to_xyxy, xyxy_to_xywh
from posediff.io.registry import Format
from posediff.sequence import PoseSequence

_USUAL = ("coco17", "halpe26")
_HALPE136 = 136


def sniff(content: Content) -> bool:
    """Whether it is a list of people with an image and a box, or an ``idx``."""
    document = content.document
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, dict) and {"image_id", "keypoints"} <= set(first) and bool({"box", "idx"} & set(first))


def read(content: Content, skeleton: str | None = None) -> list[PoseSequence]:
    """Every person of the list."""
    items = objects(content.document, "")
    for number, item in enumerate(items):
        if type(item.get("image_id")) not in (int, str):
            raise Fault(f"[{number}].image_id is missing")
    values = triplets(items, "keypoints", "")
    steps = []
    if values.shape[1] == _HALPE136:
        values = values[:, :26]
        steps = ["keep(body of halpe136)"]
    keypoints, scores = by_score(values)
    boxes = xywh_to_xyxy(column(items, "box", "", 4)) if all(item.get("box") for item in items) else None
    numbers = frame_numbers([item["image_id"] for item in items])
    return sequences(
        Detections(np.array(numbers, np.int64), keypoints, scores, boxes, people=whole(items, "idx")),
        counted(keypoints.shape[1], skeleton, _USUAL),
        source={"steps": steps},
    )


def render(people: Sequence[PoseSequence], path: Path) -> dict[Path, bytes]:
    """The list, frame by frame; images are named by their frame numbers."""
    items: list[tuple[int, dict[str, Any]]] = []
    for person in people:
        values = zeroed(person)
        boxes = shortest(xyxy_to_xywh(boxed(person)).astype(np.float32))
        for index, number in enumerate(person.frames.tolist()):
            item = {
                "image_id": f"{number}.jpg",
                "category_id": 1,
                "keypoints": values[index].ravel().tolist(),
                "score": float(values[index, :, 2].mean()),
                "box": boxes[index].tolist(),
                "idx": int(person.person),
            }
            items.append((number, item))
    items.sort(key=lambda pair: pair[0])
    return {path: dumped([item for _, item in items])}


FORMATS = {
    "alphapose": Format(
        name="alphapose",
        title="AlphaPose results",
        kind=("json",),
        sniff=sniff,
        read=read,
        render=render,
        holds=frozenset({"scores", "boxes", "frames", "people", "person"}),
        skeletons=_USUAL,
    )
}
