"""COCO keypoints: annotations (with images and categories) or results (a list).

``keypoints`` is flat x, y, v. In annotations v is 0 (not labelled: missing), 1 (hidden) or 2 (visible), in results a
score. There is no fps. The frame is the image's ``frame_id``, else the last number in its ``file_name``, else its id;
the person is ``track_id``, where all annotations have one. Boxes are x, y, width, height. COCO has no place for scores
and status in annotations; posediff adds ``keypoint_scores`` and ``keypoint_status``, one number a joint.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.io.checks import Fault, get, integers, typed
from posediff.io.content import Content
from posediff.io.documents import column, dumped, objects, triplets, whole
from posediff.io.joints import counted, named
from posediff.io.native import shortest
from posediff.io.people import Detections, boxed, by_score, frame_numbers, sequences, xywh_to_xyxy, xyxy_to_xywh
from posediff.io.registry import Format
from posediff.sequence import PoseSequence, Status
from posediff.skeletons import Skeleton

_USUAL = ("coco17", "halpe26", "mpii16")


def sniff(content: Content) -> bool:
    """Whether there are annotations, or a list of results with a category; AlphaPose's list has a ``box``."""
    document = content.document
    if isinstance(document, dict):
        return "annotations" in document
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, dict) and {"image_id", "keypoints"} <= set(first) and "box" not in first


def read(content: Content, skeleton: str | None = None) -> list[PoseSequence]:
    """Every person of the annotations or results that has keypoints."""
    document = content.document
    labelled = isinstance(document, dict)
    place = "annotations" if labelled else ""
    images = objects(get(document, "images", list, default=[]), "images") if labelled else []
    items = objects(document["annotations"] if labelled else document, place)
    items = [item for item in items if item.get("keypoints")]
    if not items:
        return []
    for number, item in enumerate(items):
        if type(item.get("image_id")) not in (int, str):
            raise Fault(f"{place}[{number}].image_id is missing")
    frames, every = _frames(items, images)
    keypoints, scores = by_score(triplets(items, "keypoints", place))
    if scores.max() > 1:
        if not np.isin(scores, (0, 1, 2)).all():
            raise Fault(f"{place}:keypoints have visibility {scores.max():g}, expected 0, 1, 2 or a score up to 1")
        scores = np.minimum(scores, 1)
    joints = keypoints.shape[1]
    stated, status = _added(items, "keypoint_scores", place, joints), _added(items, "keypoint_status", place, joints)
    if status is not None and not np.isin(status, [*Status]).all():
        raise Fault(f"{place}:keypoint_status holds {status.max():g}, expected 0 to {max(Status):d}")
    boxes = None
    if all(item.get("bbox") for item in items):
        boxes = xywh_to_xyxy(column(items, "bbox", place, 4))
    return sequences(
        Detections(frames, keypoints, scores if stated is None else stated, boxes, status, whole(items, "track_id")),
        _skeleton(document, joints, skeleton, items),
        frames=every,
        image_size=_image_size(images),
    )


def render(people: Sequence[PoseSequence], path: Path) -> dict[Path, bytes]:
    """Annotations with ``track_id``; images are named by their frame numbers."""
    size = people[0].image_size or (0, 0)
    numbers = np.unique(np.concatenate([person.frames for person in people])).tolist()
    images = [
        {"id": n, "frame_id": n, "file_name": f"{n:08d}.jpg", "width": int(size[0]), "height": int(size[1])}
        for n in numbers
    ]
    annotations: list[dict[str, Any]] = []
    for person in people:
        seen = np.where(person.present, 2, 0)[..., None]
        values = shortest(np.concatenate([np.nan_to_num(person.keypoints), seen], axis=2, dtype=np.float32))
        boxes = shortest(xyxy_to_xywh(boxed(person)).astype(np.float32))
        scores, status = shortest(person.scores).tolist(), person.status.tolist()
        there = person.present.any(axis=1)
        if person.boxes is not None:
            there = there | np.isfinite(person.boxes).all(axis=1)
        for index, number in enumerate(person.frames.tolist()):
            if not there[index]:
                continue  # an image without the person has no annotation of it
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": number,
                    "category_id": 1,
                    "track_id": int(person.person),
                    "keypoints": [_as_visibility(v, i) for i, v in enumerate(values[index].ravel().tolist())],
                    "num_keypoints": int(person.present[index].sum()),
                    "bbox": boxes[index].tolist(),
                    "area": float(boxes[index, 2] * boxes[index, 3]),
                    "iscrowd": 0,
                    "keypoint_scores": scores[index],
                    "keypoint_status": status[index],
                }
            )
    skeleton = people[0].skeleton
    category = {
        "id": 1,
        "name": "person",
        "supercategory": "person",
        "keypoints": list(skeleton.joints),
        "skeleton": [[skeleton.index(one) + 1, skeleton.index(other) + 1] for one, other in skeleton.bones],
    }
    return {path: dumped({"images": images, "annotations": annotations, "categories": [category]})}


def _added(items: Sequence[dict[str, Any]], key: str, place: str, joints: int) -> np.ndarray | None:
    """(N, J) numbers that posediff adds to all annotations, or None."""
    return column(items, key, place, joints) if all(item.get(key) is not None for item in items) else None


def _as_visibility(value: float, position: int) -> float | int:
    return int(value) if position % 3 == 2 else value


def _frames(items: Sequence[dict[str, Any]], images: Sequence[dict[str, Any]]) -> tuple[np.ndarray, list[int]]:
    """Frame number of every item, and the numbers of all images."""
    ids = [image.get("id") for image in images]
    if not images:
        numbers = frame_numbers([item["image_id"] for item in items])
        return np.array(numbers, np.int64), numbers
    stated = whole(images, "frame_id")
    if stated is not None and len(set(stated.tolist())) == len(images):
        numbers = stated.tolist()
    elif all(isinstance(image.get("file_name"), str) for image in images):
        numbers = frame_numbers([image["file_name"] for image in images])
    else:
        numbers = integers(ids, "images:id", len(ids)).tolist()
    try:
        of = dict(zip(ids, numbers, strict=True))
        return np.array([of[item["image_id"]] for item in items], np.int64), numbers
    except (KeyError, TypeError) as error:
        raise Fault(f"image_id {error} is not among the images") from None


def _image_size(images: Sequence[dict[str, Any]]) -> tuple[int, int] | None:
    """The size that all the images have."""
    width, height = (whole(images, side) for side in ("width", "height"))
    if width is None or height is None or not (np.ptp(width) == np.ptp(height) == 0 < min(width[0], height[0])):
        return None
    return int(width[0]), int(height[0])


def _skeleton(document: Any, count: int, skeleton: str | None, items: Sequence[dict[str, Any]]) -> Skeleton:
    stated = get(document, "categories", list, default=[]) if isinstance(document, dict) else []
    categories = objects(stated, "categories")
    used = {str(item.get("category_id")) for item in items}
    for number, category in enumerate(categories):
        names = get(category, "keypoints", list, f"categories[{number}]", default=[])
        if str(category.get("id")) in used and len(names) == count:
            place = f"categories[{number}]"
            joints = [typed(name, str, f"{place}.keypoints[{i}]") for i, name in enumerate(names)]
            links = get(category, "skeleton", list, place, default=[])
            ends = integers(links, f"{place}.skeleton", len(links), 2)
            if len(ends) and not ((ends >= 1) & (ends <= count)).all():
                raise Fault(f"{place}.skeleton has ends outside 1 to {count}")
            bones = [(joints[one - 1], joints[other - 1]) for one, other in ends]
            return named(joints, skeleton, bones, get(category, "name", str, place, default="custom"))
    return counted(count, skeleton, _USUAL)


FORMATS = {
    "coco": Format(
        name="coco",
        title="COCO keypoints (annotations or results)",
        kind=("json",),
        sniff=sniff,
        read=read,
        render=render,
        holds=frozenset({"scores", "status", "boxes", "frames", "image_size", "people", "person", "joints"}),
    )
}
