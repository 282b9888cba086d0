"""LabelMe: a folder with one JSON an image, for correcting annotations by hand.

A keypoint is a ``point`` whose ``label`` is the joint's name and whose ``group_id`` is the person; a ``rectangle``
labelled ``person`` is a box. A keypoint that is missing has no point. Status is a flag of the point, ``verified`` or
``interpolated``, to be ticked in LabelMe, or such a word in its description; a point with neither is measured. The flag
``verified`` of the image stands for all its points, and for what is missing. LabelMe keeps what it does not know, so
``score`` stays with the point, and in ``posediff`` the skeleton, fps, and what was written, to tell what was edited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

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

#: In the provenance: a list of the frames that :func:`approved` returns.
VERIFIED_FRAMES = "verified_frames"

_BOX = "person"
_KEPT = "posediff"
_FLAGS = {"verified": Status.VERIFIED, "interpolated": Status.INTERPOLATED}


class Point(NamedTuple):
    """A keypoint of an image."""

    x: float
    y: float
    score: float
    status: Status


class Written(NamedTuple):
    """What posediff wrote for one person of an image: [x, y] of every joint, and x0, y0, x1, y1 of the box or None."""

    points: dict[str, list[float]]
    box: list[float] | None


@dataclass(frozen=True)
class Image:
    """What one file holds.

    Attributes:
        number: of the frame.
        name: of the file.
        points: the keypoints of every person, by joint.
        boxes: x0, y0, x1, y1 of every person that has a box.
        verified: whether the image as a whole is flagged so.
        written: what posediff wrote for every person; empty for a file from elsewhere.
    """

    number: int
    name: str
    points: dict[int, dict[str, Point]]
    boxes: dict[int, list[float]]
    verified: bool
    written: dict[int, Written]


def sniff(content: Content) -> bool:
    """Whether the first JSON has ``shapes``."""
    if not content.frames:
        return False
    first = content.frames[0]
    document = first.document if first.kind == "json" else None
    return isinstance(document, dict) and isinstance(document.get("shapes"), list)


def read(content: Content, skeleton: str | None = None) -> list[PoseSequence]:
    """Every person of the images."""
    found = images(content)
    if not found:
        return []
    labels = {joint for image in found for joints in image.points.values() for joint in joints}
    body, fps = remembered(content)
    body = body or _skeleton(labels, skeleton)
    document = content.frames[0].document
    size = tuple(document.get(key) for key in ("imageWidth", "imageHeight"))
    verified = sorted(image.number for image in found if image.verified)
    return sequences(
        _detections(found, body),
        body,
        frames=[image.number for image in found],
        fps=fps,
        source={VERIFIED_FRAMES: verified} if verified else None,
        image_size=size if all(type(side) is int and side > 0 for side in size) else None,
    )


def images(content: Content) -> list[Image]:
    """What the files of a folder hold, in the order of their names.

    Raises:
        Fault: naming the file that cannot be understood.
    """
    numbers = frame_numbers([frame.path.name for frame in content.frames])
    if len(set(numbers)) < len(numbers):
        raise Fault(f"two files are frame {next(n for n in numbers if numbers.count(n) > 1)}")
    return [_image(number, frame) for number, frame in zip(numbers, content.frames, strict=True)]


def remembered(content: Content) -> tuple[Skeleton | None, float | None]:
    """Skeleton and fps that files written by posediff still know; None where they do not."""
    kept = get(content.frames[0].document, _KEPT, dict, default={})
    skeleton = get(kept, "skeleton", dict, _KEPT, default=None)
    if skeleton is None:
        return None, None
    return skeleton_from(skeleton), get(kept, "fps", float, _KEPT, default=None)


def approved(person: PoseSequence) -> set[int]:
    """Frames that somebody has approved as a whole, so that what is missing in them stays missing."""
    frames = person.source.get(VERIFIED_FRAMES)
    return {frame for frame in frames if type(frame) is int} if isinstance(frames, (list, tuple)) else set()


def checked(label: str, image: Image, body: Skeleton) -> int:
    """The joint of a skeleton that a label names.

    Raises:
        Fault: if it names none.
    """
    if label not in body.joints:
        raise Fault(f"{image.name}: the label {label!r} is no joint of {body.name}: {', '.join(body.joints)}")
    return body.index(label)


def render(people: Sequence[PoseSequence], path: Path) -> dict[Path, bytes]:
    """One file a frame, named like the image ``00000012.jpg`` that belongs beside it."""
    shapes: dict[int, list[dict[str, Any]]] = {}
    written: dict[int, dict[str, dict[str, Any]]] = {}
    vouched: set[int] = set()
    for person in people:
        values, scores = shortest(person.keypoints).tolist(), shortest(person.scores).tolist()
        vouched |= approved(person)
        for index, number in enumerate(person.frames.tolist()):
            found = shapes.setdefault(number, [])
            kept: dict[str, Any] = {"points": {}, "box": None}
            for joint in np.flatnonzero(person.present[index]):
                label, place = person.skeleton.joints[joint], values[index][joint]
                found.append(
                    _shape(label, [place], person.person, "point")
                    | {"flags": {k: bool(person.status[index, joint] == v) for k, v in _FLAGS.items()}}
                    | {"score": scores[index][joint]}
                )
                kept["points"][label] = place
            if person.boxes is not None and np.isfinite(person.boxes[index]).all():
                corners = shortest(person.boxes[index])
                found.append(_shape(_BOX, corners.reshape(2, 2).tolist(), person.person, "rectangle"))
                kept["box"] = corners.tolist()
            written.setdefault(number, {})[str(int(person.person))] = kept
    first = people[0]
    width, height = first.image_size or (None, None)
    fps = None if first.source.get("fps_assumed") else first.fps
    return {
        path / f"{number:08d}.json": dumped(
            {
                "version": "5.0.1",
                "flags": {"verified": number in vouched},
                "shapes": shapes[number],
                "imagePath": f"{number:08d}.jpg",
                "imageData": None,
                "imageHeight": height,
                "imageWidth": width,
                _KEPT: {"skeleton": first.skeleton.as_dict(), "fps": fps, "written": written[number]},
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


def _image(number: int, frame: Content) -> Image:
    """What one file holds."""
    name, document = frame.path.name, frame.document
    try:
        written = _written(document)
        flags = get(document, "flags", dict, default={})
        image = Image(number, name, {}, {}, flags.get("verified") is True, written)
        for index, shape in enumerate(objects(get(document, "shapes", list), "shapes")):
            place = f"shapes[{index}]"
            kind, label = get(shape, "shape_type", str, place, default="polygon"), get(shape, "label", str, place)
            if kind == "point":
                person, joint = _person(shape, place, written), canonical(label)
                joints = image.points.setdefault(person, {})
                if joint in joints:
                    raise Fault(f"{place} is {label} of person {person} for the second time")
                joints[joint] = _point(shape, label)
            elif kind == "rectangle" and label == _BOX:
                corners = array(get(shape, "points", list, place), f"{place}.points", 2, 2)
                image.boxes[_person(shape, place, written)] = [*corners.min(axis=0), *corners.max(axis=0)]
    except Fault as fault:
        raise Fault(f"{name}: {fault}") from None
    return image


def _point(shape: dict[str, Any], label: str) -> Point:
    x, y = array(shape.get("points"), f"points of {label}", 1, 2)[0]
    return Point(x, y, typed(shape.get("score", 1.0), float, f"score of {label}"), _status(shape))


def _person(shape: dict[str, Any], place: str, written: dict[int, Written]) -> int:
    """The person of a shape; without ``group_id`` it is the only one that there is, by default 0."""
    person = get(shape, "group_id", int, place, default=None)
    if person is not None:
        return int(person)
    if len(written) > 1:
        known = ", ".join(map(str, sorted(written)))
        raise Fault(f"{place} ({shape['label']}) has no group_id, expected the id of a person: {known}")
    return next(iter(written), 0)


def _written(document: Any) -> dict[int, Written]:
    """What posediff wrote for every person, before it was edited; empty for a file from elsewhere."""
    kept = get(get(document, _KEPT, dict, default={}), "written", dict, _KEPT, default={})
    people = {}
    for name, person in kept.items():
        place = f"{_KEPT}.written.{name}"
        points, box = get(person, "points", dict, place), get(person, "box", list, place, default=None)
        places = {joint: array(xy, f"{place}.points.{joint}", 2).tolist() for joint, xy in points.items()}
        try:
            people[int(name)] = Written(places, None if box is None else array(box, f"{place}.box", 4).tolist())
        except ValueError:
            raise Fault(f"{place} is no person's id, expected a whole number") from None
    return people


def _detections(found: list[Image], body: Skeleton) -> Detections:
    keys = [(image, person) for image in found for person in dict.fromkeys([*image.points, *image.boxes])]
    shape = (len(keys), len(body.joints))
    keypoints = np.full((*shape, 2), np.nan)
    scores, status = np.zeros(shape), np.zeros(shape, np.uint8)
    for row, (image, person) in enumerate(keys):
        for joint, point in image.points.get(person, {}).items():
            column = checked(joint, image, body)
            keypoints[row, column] = point.x, point.y
            scores[row, column] = point.score
            status[row, column] = Status.VERIFIED if image.verified else point.status
    boxes = [image.boxes.get(person, [np.nan] * 4) for image, person in keys]
    return Detections(
        np.array([image.number for image, _ in keys], np.int64),
        keypoints,
        scores,
        np.array(boxes) if any(image.boxes for image in found) else None,
        status,
        np.array([person for _, person in keys], np.int64),
    )


def _status(point: dict[str, Any]) -> Status:
    flags = point.get("flags")
    words = {key for key, on in flags.items() if on is True} if isinstance(flags, dict) else set()
    words |= {str(point.get("description") or "").strip().lower()}
    return next((status for word, status in _FLAGS.items() if word in words), Status.MEASURED)


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
