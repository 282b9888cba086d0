"""LabelMe: a folder with one JSON an image, for correcting annotations by hand.

A keypoint is a ``point`` whose ``label`` is the joint's name and whose ``group_id`` is the person; a ``rectangle``
labelled ``person`` is a box. A keypoint that is missing has no point. Status is a flag of the point, ``verified`` or
``interpolated``, to be ticked in LabelMe, or such a word in its description; a point with neither is measured. LabelMe
keeps what it does not know, so ``score`` stays with the point, and the skeleton and fps in ``posediff``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.io.checks import Fault, array, get, typed
from posediff.io.content import Content
from posediff.io.documents import dumped, objects
from posediff.io.joints import named
from posediff.io.native import shortest, skeleton_from
from posediff.io.people import Detections, frame_numbers, sequences
from posediff.io.registry import Format
from posediff.sequence import PoseSequence, Status
from posediff.skeletons import CATALOGUE, Skeleton, canonical

_BOX = "person"


def sniff(content: Content) -> bool:
    """Whether the first JSON has ``shapes``."""
    if not content.frames:
        return False
    first = content.frames[0]
    document = first.document if first.kind == "json" else None
    return isinstance(document, dict) and isinstance(document.get("shapes"), list)


def read(content: Content, skeleton: str | None = None) -> list[PoseSequence]:
    """Every person of the images."""
    numbers = frame_numbers([frame.path.name for frame in content.frames])
    if len(set(numbers)) < len(numbers):
        raise Fault(f"two files are frame {next(n for n in numbers if numbers.count(n) > 1)}")
    documents = [frame.document for frame in content.frames]
    if not documents:
        return []
    points: dict[tuple[int, int], dict[str, dict[str, Any]]] = {}
    boxes: dict[tuple[int, int], list[float]] = {}
    for number, frame, document in zip(numbers, content.frames, documents, strict=True):
        for index, shape in enumerate(objects(get(document, "shapes", list), "shapes")):
            place = f"{frame.path.name}: shapes[{index}]"
            kind, label = get(shape, "shape_type", str, place, default="polygon"), get(shape, "label", str, place)
            key = (number, get(shape, "group_id", int, place, default=0))
            if kind == "point":
                joints = points.setdefault(key, {})
                if canonical(label) in joints:
                    raise Fault(f"{place} is {label} of person {key[1]} for the second time")
                joints[canonical(label)] = shape
            elif kind == "rectangle" and label == _BOX:
                corners = array(get(shape, "points", list, place), f"{place}.points", 2, 2)
                boxes[key] = [*corners.min(axis=0), *corners.max(axis=0)]
                points.setdefault(key, {})
    body, fps = _remembered(documents[0])
    body = body or _skeleton({joint for joints in points.values() for joint in joints}, skeleton)
    size = tuple(documents[0].get(key) for key in ("imageWidth", "imageHeight"))
    return sequences(
        _detections(points, boxes, body),
        body,
        frames=numbers,
        fps=fps,
        image_size=size if all(type(side) is int and side > 0 for side in size) else None,
    )


def render(people: Sequence[PoseSequence], path: Path) -> dict[Path, bytes]:
    """One file a frame, named like the image ``00000012.jpg`` that belongs beside it."""
    shapes: dict[int, list[dict[str, Any]]] = {}
    for person in people:
        values, scores = shortest(person.keypoints).tolist(), shortest(person.scores).tolist()
        for index, number in enumerate(person.frames.tolist()):
            found = shapes.setdefault(number, [])
            for joint in np.flatnonzero(person.present[index]):
                status = person.status[index, joint]
                found.append(
                    _shape(person.skeleton.joints[joint], [values[index][joint]], person.person, "point")
                    | {
                        "flags": {
                            "verified": bool(status == Status.VERIFIED),
                            "interpolated": bool(status == Status.INTERPOLATED),
                        },
                        "score": scores[index][joint],
                    }
                )
            if person.boxes is not None and np.isfinite(person.boxes[index]).all():
                corners = shortest(person.boxes[index]).reshape(2, 2).tolist()
                found.append(_shape(_BOX, corners, person.person, "rectangle"))
    first = people[0]
    width, height = first.image_size or (None, None)
    fps = None if first.source.get("fps_assumed") else first.fps
    return {
        path / f"{number:08d}.json": dumped(
            {
                "version": "5.0.1",
                "flags": {},
                "shapes": shapes[number],
                "imagePath": f"{number:08d}.jpg",
                "imageData": None,
                "imageHeight": height,
                "imageWidth": width,
                "posediff": {"skeleton": first.skeleton.as_dict(), "fps": fps},
            }
        )
        for number in sorted(shapes)
    }


def _shape(label: str, points: list[list[float]], person: int, kind: str) -> dict[str, Any]:
    return {
        "label": label,
        "points": points,
        "group_id": int(person),
        "description": "",
        "shape_type": kind,
        "flags": {},
        "mask": None,
    }


def _detections(
    points: dict[tuple[int, int], dict[str, dict[str, Any]]], boxes: dict[tuple[int, int], list[float]], body: Skeleton
) -> Detections:
    shape = (len(points), len(body.joints))
    keypoints = np.full((*shape, 2), np.nan)
    scores, status = np.zeros(shape), np.zeros(shape, np.uint8)
    for row, joints in enumerate(points.values()):
        for joint, point in joints.items():
            if joint not in body.joints:
                raise Fault(f"the label {joint!r} is no joint of {body.name}: {', '.join(body.joints)}")
            column = body.index(joint)
            keypoints[row, column] = array(point.get("points"), f"points of {joint}", 1, 2)[0]
            scores[row, column] = typed(point.get("score", 1.0), float, f"score of {joint}")
            status[row, column] = _status(point)
    return Detections(
        np.array([frame for frame, _ in points], np.int64),
        keypoints,
        scores,
        np.array([boxes.get(key, [np.nan] * 4) for key in points]) if boxes else None,
        status,
        np.array([person for _, person in points], np.int64),
    )


def _status(point: dict[str, Any]) -> Status:
    flags = point.get("flags")
    words = {key for key, on in flags.items() if on is True} if isinstance(flags, dict) else set()
    words |= {str(point.get("description") or "").strip().lower()}
    if "verified" in words:
        return Status.VERIFIED
    return Status.INTERPOLATED if "interpolated" in words else Status.MEASURED


def _remembered(document: Any) -> tuple[Skeleton | None, float | None]:
    """Skeleton and fps that a file written by posediff still knows."""
    kept = get(document, "posediff", dict, default={})
    skeleton = get(kept, "skeleton", dict, "posediff", default=None)
    if skeleton is None:
        return None, None
    return skeleton_from(skeleton), get(kept, "fps", float, "posediff", default=None)


def _skeleton(labels: set[str], skeleton: str | None) -> Skeleton:
    """The skeleton named, else the smallest of the catalogue that has all the labels, else the labels themselves."""
    if skeleton is not None:
        return CATALOGUE[skeleton]
    fitting = [one for one in CATALOGUE.values() if labels <= set(one.joints)]
    return min(fitting, key=lambda one: len(one.joints)) if fitting else named(sorted(labels))


FORMATS = {
    "labelme": Format(
        name="labelme",
        title="a folder of LabelMe JSON",
        kind=("folder", "json"),
        sniff=sniff,
        read=read,
        render=render,
        holds=frozenset({"fps", "scores", "status", "boxes", "frames", "image_size", "people", "person", "joints"}),
    )
}
