"""From detections, frame by frame, to people over time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from posediff.errors import BadData
from posediff.io.checks import LARGEST_INTEGER, Fault
from posediff.sequence import ASSUMED_FPS, PoseSequence
from posediff.skeletons import Skeleton

#: A detection continues a person whose centre is at most this many body sizes away ...
GATE = 1.0
#: ... and who was last seen at most this many frames ago.
PATIENCE = 25

_EXTENSION = re.compile(r"\.[A-Za-z]\w{0,4}$")
_NUMBER = re.compile(r"(\d{1,15})(?=\D*$)")


@dataclass(frozen=True)
class Detections:
    """N detections of one person in one frame each, in any order.

    Attributes:
        frames: (N,) int64 frame numbers.
        keypoints: (N, J, D), NaN where missing.
        scores: (N, J), or None.
        boxes: (N, 4) x0 y0 x1 y1, NaN where there is none, or None.
        status: (N, J), or None.
        people: (N,) ids, or None where the format has none.
    """

    frames: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray | None = None
    boxes: np.ndarray | None = None
    status: np.ndarray | None = None
    people: np.ndarray | None = None

    def select(self, keep: np.ndarray) -> Detections:
        """The detections that a mask or an index keeps."""
        names = ("frames", "keypoints", "scores", "boxes", "status", "people")
        values = {name: getattr(self, name) for name in names}
        return replace(self, **{name: value[keep] for name, value in values.items() if value is not None})


def sequences(
    detections: Detections,
    skeleton: Skeleton,
    *,
    frames: Sequence[int] = (),
    fps: float | None = None,
    units: str = "px",
    source: Mapping[str, Any] | None = None,
    image_size: tuple[int, int] | None = None,
) -> list[PoseSequence]:
    """Every person's sequence.

    Where the format has no ids: with at most one detection a frame it is one person; else each detection continues the
    nearest person within :data:`GATE` body sizes (:func:`link`), and ``source["linked"]`` says so. A single person has
    all frames of the file, several have those from their first to their last; where they are not detected they are
    missing.

    Args:
        detections: all of them.
        skeleton: names of their joints.
        frames: the numbers of all frames of the file, also of those without people.
        fps: frames a second, None where the format does not say.
        units: of the keypoints.
        source: provenance.
        image_size: width and height.

    Raises:
        Fault: if an id occurs twice in a frame, or scores are negative.
    """
    if not len(detections.frames):
        return []
    source = {**(source or {}), **({} if fps else {"fps_assumed": True})}
    detections, notes = _clipped(detections)
    every = np.unique([*frames, *detections.frames]).astype(np.int64)
    crowded = len(np.unique(detections.frames)) < len(detections.frames)
    if detections.people is None and crowded:
        detections = detections.select(np.isfinite(detections.keypoints).all(axis=2).any(axis=1))
        detections = replace(detections, people=link(detections))
        notes = [*notes, "link(nearest centre)"]
        source["linked"] = True
    if notes:
        source["steps"] = [*source.get("steps", ()), *notes]

    people = detections.people if detections.people is not None else np.zeros(len(detections.frames), np.int64)
    alone = len(np.unique(people)) == 1
    found = []
    for person in np.unique(people):
        own = detections.select(people == person)
        own = own.select(np.argsort(own.frames, kind="stable"))
        twice = own.frames[1:][np.diff(own.frames) == 0]
        if len(twice):
            raise Fault(f"person {person} is twice in frame {twice[0]}")
        own = _spread(own, every if alone else every[(every >= own.frames[0]) & (every <= own.frames[-1])])
        boxed = own.boxes is not None and not np.isnan(own.boxes).all()
        found.append(
            PoseSequence(
                own.keypoints,
                skeleton,
                fps=fps or ASSUMED_FPS,
                boxes=own.boxes if boxed else None,
                frames=own.frames,
                units=units,
                image_size=image_size,
                person=int(person),
                source=source,
                **given(scores=own.scores, status=own.status),
            )
        )
    return found


def given(**values: Any) -> dict[str, Any]:
    """The values that are not None, for a call whose defaults stand for the others."""
    return {name: value for name, value in values.items() if value is not None}


def link(detections: Detections) -> np.ndarray:
    """Number the people by greedy nearest centres.

    Frame by frame, the pairs of a detection and a person seen before are taken by growing distance of their centres
    (mean of the keypoints), as long as that is at most :data:`GATE` body sizes (larger side of the keypoints' extent)
    and the person was seen within :data:`PATIENCE` frames. What is left over is a new person.

    Returns:
        (N,) int64 ids, 0 for the person seen first.
    """
    centres = np.nanmean(detections.keypoints, axis=1)
    sizes = np.nanmax(np.nanmax(detections.keypoints, axis=1) - np.nanmin(detections.keypoints, axis=1), axis=1)
    ids = np.zeros(len(detections.frames), np.int64)
    last: list[int] = []  # the latest detection of every person
    for frame in np.unique(detections.frames):
        now = np.flatnonzero(detections.frames == frame)
        alive = [person for person, seen in enumerate(last) if frame - detections.frames[seen] <= PATIENCE]
        seen = np.array([last[person] for person in alive], np.int64)
        distance = np.linalg.norm(centres[now][:, None] - centres[seen][None], axis=2)
        near = distance <= GATE * np.maximum(sizes[now][:, None], sizes[seen][None])
        rows, columns = np.nonzero(near)
        taken: dict[int, int] = {}
        for pair in np.argsort(distance[rows, columns], kind="stable"):
            row, person = int(rows[pair]), alive[columns[pair]]
            if row not in taken and person not in taken.values():
                taken[row] = person
        for row, detection in enumerate(now):
            if row not in taken:
                last.append(-1)
                taken[row] = len(last) - 1
            ids[detection] = taken[row]
            last[taken[row]] = int(detection)
    return ids


def frame_numbers(names: Sequence[str | int]) -> list[int]:
    """Frame numbers from the names of images: the last number in each name, else their order.

    The same name is the same frame.

    Raises:
        BadData: if the names are those of several videos.
    """
    if all(type(name) is int and abs(name) <= LARGEST_INTEGER for name in names):
        return [int(name) for name in names]
    texts = [str(name).replace("\\", "/") for name in names]
    stems = [_EXTENSION.sub("", text) for text in texts]
    numbers = [_NUMBER.search(stem) for stem in stems]
    if all(numbers):
        prefixes = {stem[: number.start()] for stem, number in zip(stems, numbers, strict=True) if number}
        if len(prefixes) > 1:
            few = ", ".join(sorted(repr(prefix) for prefix in prefixes)[:3])
            raise BadData(f"its images are of {len(prefixes)} videos, named {few}", "split it, one file a video")
        return [int(number[1]) for number in numbers if number]
    order = {name: index for index, name in enumerate(dict.fromkeys(texts))}
    return [order[text] for text in texts]


def ids_of(names: Sequence[str]) -> list[int]:
    """Ids of people from their names: the last number in each, else their order."""
    numbers = [_NUMBER.search(name) for name in names]
    found = [int(number[1]) for number in numbers if number]
    return found if len(set(found)) == len(names) else list(range(len(names)))


def by_score(values: np.ndarray, dimensions: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """(N, J, D + 1) coordinates and score, taken apart; where the score is 0 or null the keypoint is missing."""
    scores = np.nan_to_num(values[..., dimensions], nan=0.0)
    keypoints = np.where(scores[..., None] > 0, values[..., :dimensions], np.nan)
    return keypoints, scores


def xywh_to_xyxy(boxes: np.ndarray) -> np.ndarray:
    """(N, 4) x, y, width, height as x0, y0, x1, y1."""
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def xyxy_to_xywh(boxes: np.ndarray) -> np.ndarray:
    """(N, 4) x0, y0, x1, y1 as x, y, width, height."""
    return np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)


def extent(keypoints: np.ndarray) -> np.ndarray:
    """(N, 4) x0 y0 x1 y1 around (N, J, D) keypoints, 0 where all are missing."""
    known = np.isfinite(keypoints[..., :2])
    low = np.where(known, keypoints[..., :2], np.inf).min(axis=1)
    high = np.where(known, keypoints[..., :2], -np.inf).max(axis=1)
    return np.nan_to_num(np.concatenate([low, high], axis=1), posinf=0.0, neginf=0.0)


def boxed(person: PoseSequence) -> np.ndarray:
    """(T, 4) boxes of a person, for a format that must have one: around the keypoints where there is none."""
    around = extent(person.keypoints)
    return around if person.boxes is None else np.where(np.isfinite(person.boxes), person.boxes, around)


def _clipped(detections: Detections) -> tuple[Detections, list[str]]:
    """Scores above 1, which some estimators give, as 1."""
    scores = detections.scores
    if scores is None:
        return detections, []
    if np.nanmin(scores, initial=0) < 0 or np.isinf(scores).any():
        raise Fault(f"scores lie between {np.nanmin(scores):g} and {np.nanmax(scores):g}, expected 0 to 1")
    if np.nanmax(scores, initial=0) <= 1:
        return detections, []
    return replace(detections, scores=np.minimum(scores, 1)), [f"clip(scores, from {np.nanmax(scores):.3g} to 1)"]


def _spread(own: Detections, frames: np.ndarray) -> Detections:
    """One person's detections on all the frames, missing where there is none."""
    rows = np.searchsorted(frames, own.frames)

    def spread(values: np.ndarray | None, fill: float) -> np.ndarray | None:
        if values is None:
            return None
        full = np.full((len(frames), *values.shape[1:]), fill, values.dtype)
        full[rows] = values
        return full

    keypoints = spread(own.keypoints, np.nan)
    return Detections(
        frames,
        own.keypoints if keypoints is None else keypoints,
        scores=spread(own.scores, 0),
        boxes=spread(own.boxes, np.nan),
        status=spread(own.status, 0),
    )
