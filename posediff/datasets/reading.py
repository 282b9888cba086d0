"""Reading the skeletons of many clips: every file once, all faults in one error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import TypeVar

import numpy as np

from posediff.datasets.clips import Clip
from posediff.errors import BadData, listed
from posediff.io import read
from posediff.io.registry import split_range, the_person
from posediff.sequence import PoseSequence, people_named

Result = TypeVar("Result")
People = Callable[[Path], list[PoseSequence]]


def each_sequence(
    clips: Sequence[Clip], step: Callable[[Clip, PoseSequence], Result], known: Mapping[str, PoseSequence]
) -> list[Result]:
    """What a step makes of the skeletons of every clip, in the order of the clips.

    Args:
        clips: whose skeletons are read.
        step: takes a clip and its sequence; only what it returns is kept.
        known: sequences that are in memory, by clip key.

    Raises:
        BadData: if clips cannot be read or the step refuses them; it counts them and gives the first reasons.
    """
    people: People = lru_cache(maxsize=1)(read)

    def one(clip: Clip) -> Result:
        return step(clip, known[clip.key] if clip.key in known else _person(clip, people))

    # One file may hold hundreds of clips: those of a file follow one another, and it is read once.
    order = sorted(range(len(clips)), key=lambda position: str(split_range(clips[position].poses)[0]))
    return each_clip(clips, one, order)


def each_clip(
    clips: Sequence[Clip], step: Callable[[Clip], Result], order: Sequence[int] | None = None
) -> list[Result]:
    """What a step makes of every clip.

    Args:
        clips: any number.
        step: raises BadData for a clip that cannot be used.
        order: positions in the order in which they are taken; by default as they come.

    Raises:
        BadData: if there are such clips; it counts them and gives the first reasons.
    """
    results: dict[int, Result] = {}
    faults: dict[int, BadData] = {}
    for position in range(len(clips)) if order is None else order:
        try:
            results[position] = step(clips[position])
        except BadData as error:
            faults[position] = error
    if faults:
        reasons = listed((f"{clips[position].key!r}: {faults[position]}" for position in sorted(faults)), "; ")
        raise BadData(f"{len(faults)} of {len(clips)} clips cannot be used: {reasons}", faults[min(faults)].hint)
    return [results[position] for position in range(len(clips))]


def _person(clip: Clip, people: People) -> PoseSequence:
    if not clip.poses:
        raise BadData("it has no skeleton file", "posediff annotate makes one; or leave the clip, or all poses, out")
    path, start, end = split_range(clip.poses)
    found = _named(people, path)
    if (start, end) != (None, None):
        low, high = -inf if start is None else start, inf if end is None else end
        inside = [one for one in found if ((one.frames >= low) & (one.frames < high)).any()]
        found = [one.between(start, end) for one in inside or found[:1]]  # where nobody is inside, this says so
    if clip.person is None and len(found) > 1:
        raise BadData(
            f"{clip.poses}: holds several people: {people_named(found)}",
            "say who in the column person of the table, or keep one person in the file",
        )
    return _spanning(the_person(found, clip.person, clip.poses), start, end)


def _named(people: People, path: Path) -> list[PoseSequence]:
    """Everybody in a file; where it names no skeleton, the hint is for those who read many files."""
    try:
        return people(path)
    except BadData as error:
        if "--skeleton" not in error.hint:
            raise
        choices = error.hint.partition("; ")[2]
        convert = (
            f"convert it first: posediff convert {path} {path.with_suffix('.native.json')} --to native --skeleton NAME"
        )
        raise BadData(str(error), f"{convert}; {choices}") from None


def _spanning(sequence: PoseSequence, start: int | None, end: int | None) -> PoseSequence:
    """The sequence lasting from ``start`` to ``end`` even where nobody is seen there, since the clip does."""
    ends = [number for number in (start, None if end is None else end - 1) if number is not None]
    frames = np.union1d(sequence.frames, np.array(ends, np.int64))
    if len(frames) == len(sequence):
        return sequence
    rows = np.searchsorted(frames, sequence.frames)
    keypoints = np.full((len(frames), *sequence.keypoints.shape[1:]), np.nan, np.float32)
    scores, status = (np.zeros(keypoints.shape[:2], array.dtype) for array in (sequence.scores, sequence.status))
    keypoints[rows], scores[rows], status[rows] = sequence.keypoints, sequence.scores, sequence.status
    return sequence.replace(keypoints=keypoints, scores=scores, status=status, boxes=None, frames=frames)
