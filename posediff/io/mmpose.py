"""Results of MMPose's Inferencer and demo scripts.

``{"meta_info": {...}, "instance_info": [{"frame_id": 1, "instances": [...]}]}``, or ``instance_info`` alone, or the
instances of one image alone. An instance is ``{"keypoints": [[x, y], ...], "keypoint_scores": [...],
"bbox": [[x0, y0, x1, y1]], "bbox_score": 0.9}``; the box is nested twice. There is no fps and, unless an instance
holds ``track_id``, no id. A keypoint with score 0 is missing. Keypoints in 3D are in metres with z up.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.io.axes import y_up, z_up
from posediff.io.checks import Fault, array, get, typed
from posediff.io.content import Content
from posediff.io.documents import column, dumped, objects, whole, zeroed
from posediff.io.joints import counted, named
from posediff.io.native import boxes_as_list
from posediff.io.people import Detections, by_score, sequences
from posediff.io.registry import Format
from posediff.sequence import PoseSequence
from posediff.skeletons import Skeleton

_USUAL = ("coco17", "halpe26", "mpii16")


def sniff(content: Content) -> bool:
    """Whether there is ``instance_info``, a list of frames with instances, or a list of instances."""
    document = content.document
    if isinstance(document, dict):
        return "instance_info" in document
    first = document[0] if isinstance(document, list) and document else None
    return isinstance(first, dict) and ("instances" in first or "keypoint_scores" in first)


def read(content: Content, skeleton: str | None = None) -> list[PoseSequence]:
    """Every person of the results; ids are ``track_id`` where all instances have one."""
    document = content.document
    meta = get(document, "meta_info", dict, default={}) if isinstance(document, dict) else {}
    frames = document.get("instance_info") if isinstance(document, dict) else document
    if isinstance(frames, list) and frames and isinstance(frames[0], dict) and "keypoint_scores" in frames[0]:
        frames = [{"frame_id": 0, "instances": frames}]
    frames = objects(frames, "instance_info")
    numbers = [get(frame, "frame_id", int, f"instance_info[{i}]", default=i) for i, frame in enumerate(frames)]
    if len(set(numbers)) < len(numbers):
        raise Fault(f"frame_id {next(n for n in numbers if numbers.count(n) > 1)} occurs twice")
    instances: list[dict[str, Any]] = []
    belongs: list[int] = []
    for index, (number, frame) in enumerate(zip(numbers, frames, strict=True)):
        found = objects(frame.get("instances"), f"instance_info[{index}].instances")
        instances += found
        belongs += [number] * len(found)
    if not instances:
        return []

    points = column(instances, "keypoints", "instances", None, None)
    dimensions = points.shape[2]
    if dimensions not in (2, 3):
        raise Fault(f"instances:keypoints have {dimensions} coordinates, expected 2 or 3")
    if all("keypoint_scores" in instance for instance in instances):
        scores = column(instances, "keypoint_scores", "instances", points.shape[1])
    else:
        scores = np.isfinite(points).all(axis=2).astype(np.float64)
    if dimensions == 3:
        points = y_up(points)
    keypoints, scores = by_score(np.concatenate([points, scores[..., None]], axis=2), dimensions)
    ids = whole(instances, "track_id")
    return sequences(
        Detections(np.array(belongs, np.int64), keypoints, scores, _boxes(instances), people=ids),
        _skeleton(meta, points.shape[1], skeleton),
        frames=numbers,
        units="m" if dimensions == 3 else "px",
    )


def render(people: Sequence[PoseSequence], path: Path) -> dict[Path, bytes]:
    """The results as the Inferencer writes them; several people get a ``track_id`` each."""
    frames: dict[int, list[dict[str, Any]]] = {}
    for person in people:
        values = zeroed(person)
        points = values[..., :-1] if person.dimensions == 2 else z_up(values[..., :-1])
        boxes = boxes_as_list(person.boxes) if person.boxes is not None else [None] * len(person)
        for index, number in enumerate(person.frames.tolist()):
            instance: dict[str, Any] = {
                "keypoints": points[index].tolist(),
                "keypoint_scores": values[index, :, -1].tolist(),
            }
            if boxes[index] is not None:
                instance |= {"bbox": [boxes[index]], "bbox_score": 1.0}
            if len(people) > 1 or person.person:
                instance["track_id"] = int(person.person)
            frames.setdefault(number, []).append(instance)
    skeleton = people[0].skeleton
    meta = {
        "dataset_name": skeleton.name,
        "num_keypoints": len(skeleton.joints),
        "keypoint_id2name": {str(index): joint for index, joint in enumerate(skeleton.joints)},
        "keypoint_name2id": {joint: index for index, joint in enumerate(skeleton.joints)},
        "skeleton_links": [[skeleton.index(one), skeleton.index(other)] for one, other in skeleton.bones],
    }
    info = [{"frame_id": number, "instances": frames[number]} for number in sorted(frames)]
    return {path: dumped({"meta_info": meta, "instance_info": info})}


def _boxes(instances: Sequence[dict[str, Any]]) -> np.ndarray | None:
    boxes = [instance.get("bbox") for instance in instances]
    if all(box is None for box in boxes):
        return None
    flat = [box[0] if isinstance(box, list) and len(box) == 1 else box for box in boxes]
    return array(flat, "instances:bbox", len(flat), 4)


def _skeleton(meta: dict[str, Any], count: int, skeleton: str | None) -> Skeleton:
    names = get(meta, "keypoint_id2name", dict, "meta_info", default=None)
    if names is None:
        return counted(count, skeleton, _USUAL)
    if set(names) != {str(index) for index in range(count)}:
        raise Fault(f"meta_info.keypoint_id2name names {len(names)} joints, the keypoints are of {count}")
    joints = [typed(names[str(index)], str, f"meta_info.keypoint_id2name.{index}") for index in range(count)]
    links = get(meta, "skeleton_links", list, "meta_info", default=[])
    ends = array(links, "meta_info.skeleton_links", len(links), 2)
    if len(ends) and not ((ends >= 0) & (ends < count)).all():
        raise Fault(f"meta_info.skeleton_links has ends outside 0 to {count - 1}")
    bones = [(joints[int(one)], joints[int(other)]) for one, other in ends]
    return named(joints, skeleton, bones, get(meta, "dataset_name", str, "meta_info", default="custom"))


FORMATS = {
    "mmpose": Format(
        name="mmpose",
        title="MMPose Inferencer and demo results",
        kind=("json",),
        sniff=sniff,
        read=read,
        render=render,
        holds=frozenset({"scores", "boxes", "frames", "3d", "people", "person", "joints"}),
        units="m",
    )
}
