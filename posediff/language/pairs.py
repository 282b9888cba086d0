"""What is told together: the same difference on both sides of the body is one sentence for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import hypot

from posediff.compare.comparison import Difference

OPPOSITE = {"left": "right", "right": "left"}
#: Least share of the frames of either that two differences have in common to be told together.
SHARED = 2 / 3
#: Largest ratio of their magnitudes.
ALIKE = 1.5


@dataclass(frozen=True)
class Told:
    """What one sentence tells: a difference, or that on both sides of the body.

    Attributes:
        rank: place in the comparison's list, from 1; of two, the better one.
        whole: what is told; for two, a difference of the measure ``both_...`` that stands for them.
        sides: the difference itself, or those of the left and of the right side.
    """

    rank: int
    whole: Difference
    sides: tuple[Difference, ...]


def grouped(differences: Sequence[Difference]) -> tuple[Told, ...]:
    """The differences in their order, each joined by its equal on the other side of the body, if there is one.

    Args:
        differences: ranked, as a comparison holds them.
    """
    told: list[Told] = []
    joined: set[int] = set()
    for place, first in enumerate(differences):
        if place in joined:
            continue
        later = (at for at in range(place + 1, len(differences)) if at not in joined)
        twin = next((at for at in later if same_on_both_sides(first, differences[at])), None)
        if twin is None:
            told.append(Told(place + 1, first, (first,)))
        else:
            joined.add(twin)
            left, right = sorted((first, differences[twin]), key=lambda one: one.measure)
            told.append(Told(place + 1, _together(first, differences[twin]), (left, right)))
    return tuple(told)


def same_on_both_sides(one: Difference, other: Difference) -> bool:
    """Whether two differences are of one measure, left and right, alike in direction and size and at the same time."""
    side, _, part = one.measure.partition("_")
    if other.measure != f"{OPPOSITE.get(side)}_{part}" or one.more_in != other.more_in:
        return False
    alike = max(one.magnitude, other.magnitude) <= ALIKE * min(one.magnitude, other.magnitude)
    return alike and _shared(one.query_frames, other.query_frames) >= SHARED


def _shared(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Intersection over union of two frame ranges."""
    first, end = _union(one, other)
    return max(min(one[1], other[1]) - max(one[0], other[0]), 0) / max(end - first, 1)


def _union(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return min(one[0], other[0]), max(one[1], other[1])


def _together(first: Difference, second: Difference) -> Difference:
    """A difference that stands for two: their mean, the frames of either, the lesser confidence."""
    return replace(
        first,
        measure=f"both_{first.measure.partition('_')[2]}",
        joints=(*first.joints, *second.joints),
        reference_frames=_union(first.reference_frames, second.reference_frames),
        query_frames=_union(first.query_frames, second.query_frames),
        values=tuple((a + b) / 2 for a, b in zip(first.values, second.values, strict=True)),  # type: ignore[arg-type]
        magnitude=(first.magnitude + second.magnitude) / 2,
        noise=hypot(first.noise, second.noise) / 2,
        confidence=min(first.confidence, second.confidence),
    )
