"""Frames of one person that are in two clips: what is tested on must not have been trained on."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import NamedTuple

from posediff.datasets.clips import Clip
from posediff.io.registry import split_range


class Place(NamedTuple):
    """Which frames of whom a clip shows.

    Attributes:
        file: the skeleton file, as one spelling for all that lead to it.
        start, end: numbers of the first frame and of the one after the last.
        person: id, or None where the clip does not say.
    """

    file: str
    start: float
    end: float
    person: int | None


def place_of(clip: Clip) -> Place:
    """Where a clip's skeletons are."""
    path, start, end = split_range(clip.poses)
    try:
        file = str(path.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, or no path at all
        file = str(path)
    return Place(file, -inf if start is None else start, inf if end is None else end, clip.person)


def shared(train: Sequence[Clip], test: Sequence[Clip]) -> list[tuple[Clip, Clip]]:
    """Pairs of a training clip and a test clip that show the same frames of the same person.

    Where a clip does not say who, it may be anybody in the file.
    """
    places: dict[str, list[tuple[Clip, Place]]] = {}
    for clip in train:
        if clip.poses:
            place = place_of(clip)
            places.setdefault(place.file, []).append((clip, place))
    pairs = []
    for clip in test:
        here = place_of(clip)
        pairs += [(other, clip) for other, there in places.get(here.file, []) if _overlap(there, here)]
    return pairs


def _overlap(one: Place, other: Place) -> bool:
    same = one.person == other.person or None in (one.person, other.person)
    return same and max(one.start, other.start) < min(one.end, other.end)
