"""The stages of a movement: those that the files name, or segments cut where the motion changes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.compare.align import Timeline, features, smoothed
from posediff.compare.body import Body
from posediff.compare.settings import Settings
from posediff.sequence import Stage


@dataclass(frozen=True)
class Span:
    """A part of the common time: moments ``start`` to ``end`` (exclusive)."""

    name: str
    start: int
    end: int


def spans(line: Timeline, settings: Settings) -> tuple[Span, ...]:
    """Cut the common time into named parts that cover it.

    Stages that either file names are used; where both name the same ones, the cuts lie midway between the two. What
    lies outside of all stages is kept as ``before ...`` and ``after ...``.
    """
    stages = _stages(line)
    return stages or _change_points(line, settings)


def frame_range(line: Timeline, side: int, start: int, end: int) -> tuple[int, int]:
    """Frame numbers (first, end) in one performance of the moments ``start`` to ``end``, end exclusive.

    Args:
        line: the common time.
        side: 0 for the reference, 1 for the query.
        start, end: moments, end exclusive.
    """
    positions = (line.reference, line.query)[side]
    numbers = line.pair[side].sequence.frames
    last = len(line)
    first = int(np.rint(positions[start])) if start else 0
    final = int(np.rint(positions[end])) if end < last else len(numbers)
    final = max(final, min(first + 1, len(numbers)))
    return int(numbers[first]), int(numbers[final - 1]) + 1


def _stages(line: Timeline) -> tuple[Span, ...]:
    given = [body.sequence.stages for body in line.pair]
    names = [tuple(stage.name for stage in stages) for stages in given]
    if not any(given):
        return ()
    sides = [0, 1] if names[0] == names[1] else [0 if given[0] else 1]
    chosen = [_moments(line, side, given[side]) for side in sides]
    cuts = np.rint(np.mean(chosen, axis=0)).astype(int)
    found: list[Span] = []
    reached = 0
    for name, (start, end) in zip(names[sides[0]], cuts.tolist(), strict=True):
        start = max(start, reached)
        if end <= start:
            continue
        if start > reached:
            found.append(Span(f"before {name}" if not found else f"after {found[-1].name}", reached, start))
        found.append(Span(name, start, end))
        reached = end
    if found and reached < len(line):
        found.append(Span(f"after {found[-1].name}", reached, len(line)))
    return tuple(found)


def _moments(line: Timeline, side: int, stages: tuple[Stage, ...]) -> np.ndarray:
    """(stages, 2) moments of the stages' ends, given in one performance's frame numbers."""
    positions = (line.reference, line.query)[side]
    first = line.pair[side].sequence.frames[0]
    ends = np.array([(stage.start, stage.end) for stage in stages], float) - first
    moments = np.searchsorted(positions, ends - 0.5)
    # The last moment belongs to the last frame: a stage that ends with the sequence ends with the common time.
    return np.where(ends >= len(line.pair[side]), len(line), moments)


def _change_points(line: Timeline, settings: Settings) -> tuple[Span, ...]:
    """At most ``settings.segments`` parts of about equal length, cut where the body is slowest nearby."""
    count = len(line)
    parts = max(min(settings.segments, count // 2), 1)
    width = count / parts
    reference, query = line.pair
    energy = _energy(reference, line.reference, settings) + _energy(query, line.query, settings)
    cuts = [0]
    for number in range(1, parts):
        low = max(int(np.ceil((number - 0.4) * width)), cuts[-1] + 1)
        high = max(int((number + 0.4) * width) + 1, low + 1)
        nearby = np.arange(low, min(high, count))
        # A shallow minimum should not pull a cut far from its even place: distance costs up to the median energy.
        distance = np.abs(nearby - number * width) / (0.4 * width)
        cuts.append(int(nearby[np.argmin(energy[nearby] + 0.5 * distance**2 * np.median(energy))]))
    cuts.append(count)
    return tuple(Span(f"segment {k + 1}", a, b) for k, (a, b) in enumerate(zip(cuts[:-1], cuts[1:], strict=True)))


def _energy(body: Body, at: np.ndarray, settings: Settings) -> np.ndarray:
    """(U,) mean squared speed over all joints, smoothed over three moments; arbitrary unit."""
    if len(at) < 2:
        return np.zeros(len(at))
    values, weights = features(body, at, settings)
    squared = ((np.gradient(values, axis=0) ** 2).sum(axis=2) * weights).mean(axis=1)
    return smoothed(squared)
