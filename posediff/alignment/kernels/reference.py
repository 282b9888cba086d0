"""Alignment written as its definition, state by state: the truth that faster kernels are tested against."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

#: What an alignment does at frame i of x and j of y: it matches them (M), or since its last match it has skipped frames
#: of x only (X), of y only (Y), first of x and then of y (B); or it has skipped frames of x before an open begin (L).
State = tuple[str, int, int]
END: State = ("end", 0, 0)


class Alignment(NamedTuple):
    """The distribution over alignments; where gamma is 0, the best one.

    Attributes:
        value: soft-DTW value.
        expected: (N, M) probability that two frames are matched: the derivative of the value by the costs.
        skipped_x: (N,) probability that a frame of x is skipped: the derivative by its cost of skipping.
        skipped_y: (M,) the same for y; frames before an open begin and behind an open end are free, not skipped.
        steps: expected number of steps that are not diagonal: the derivative by the penalty.
    """

    value: float
    expected: np.ndarray
    skipped_x: np.ndarray
    skipped_y: np.ndarray
    steps: float


def soft_dtw(costs: np.ndarray, gamma: float, penalty: float = 0.0) -> tuple[float, np.ndarray]:
    """Soft-DTW value and expected alignment of a cost matrix.

    ``R[i,j] = D[i,j] + softmin(R[i-1,j-1], R[i-1,j] + p, R[i,j-1] + p)`` with
    ``softmin(a) = -gamma log sum exp(-a / gamma)`` (Cuturi & Blondel 2017); the expected alignment is the derivative of
    the value by the costs, from transition probabilities stored on the way, which loses no digits at small gamma.

    Args:
        costs: (N, M) float64; infinite where a cell is forbidden.
        gamma: softness, above 0; or 0 for hard DTW (ties go to the diagonal, then to the step along x).
        penalty: cost of a step that is not diagonal.

    Returns:
        The value, and the (N, M) expected alignment.
    """
    value, expected, *_ = align(costs, gamma, penalty)
    return value, expected


def align(
    costs: np.ndarray,
    gamma: float,
    penalty: float = 0.0,
    skip_x: np.ndarray | None = None,
    skip_y: np.ndarray | None = None,
    *,
    open_begin: bool = False,
    open_end: bool = False,
) -> Alignment:
    """Soft-DTW in which frames may be skipped at a cost and y may begin and end anywhere.

    An alignment is a chain of matches (i, j), each at or behind the one before it in both sequences; every frame that
    it leaves out is skipped. Every chain is one way through the states, the empty one included: skipped frames of x
    come before skipped frames of y.

    Args:
        costs: (N, M) float64; infinite where a match is forbidden.
        gamma: softness, above 0; or 0 for the best alignment alone (ties go to the diagonal or an open begin, then to
            the step along x, then along y; and from the last match on before a skipped frame, y before x).
        penalty: cost of a step from one match to the next that is not diagonal, however many frames it skips.
        skip_x: (N,) cost of skipping a frame, infinite where that is forbidden; None to forbid it everywhere.
        skip_y: (M,) the same for y.
        open_begin: frames of y before the first match are free.
        open_end: frames of y behind the last match are free.

    Returns:
        The distribution; value infinite and the rest zero where no alignment exists.
    """
    skip_x = np.full(costs.shape[0], np.inf) if skip_x is None else skip_x
    skip_y = np.full(costs.shape[1], np.inf) if skip_y is None else skip_y
    start: State = ("L" if open_begin else "M", -1, -1)
    value = {start: 0.0}
    shares: dict[State, list[tuple[State, bool, float]]] = {}
    for state, cost, ways in _states(costs, skip_x, skip_y, open_end):
        # A cost is infinite where its state must not be entered, and what was not entered has no value.
        known = [(source, step, value[source] + penalty * step) for source, step in ways if source in value]
        if known and cost < np.inf:
            least, odds = _softmin([way[2] for way in known], gamma)
            value[state] = cost + least
            shares[state] = [(*way[:2], share) for way, share in zip(known, odds, strict=True)]

    mass: dict[State, float] = defaultdict(float, {END: 1.0})
    expected, skipped_x, skipped_y, steps = np.zeros(costs.shape), np.zeros(len(skip_x)), np.zeros(len(skip_y)), 0.0
    for state in reversed(shares if END in shares else {}):
        kind, i, j = state
        if kind == "M":
            expected[i, j] = mass[state]
        elif kind in ("X", "L"):
            skipped_x[i] += mass[state]
        elif kind in ("Y", "B"):
            skipped_y[j] += mass[state]
        for source, step, share in shares[state]:
            mass[source] += mass[state] * share
            steps += mass[state] * share * step
    return Alignment(value.get(END, np.inf), expected, skipped_x, skipped_y, steps)


def _states(
    costs: np.ndarray, skip_x: np.ndarray, skip_y: np.ndarray, open_end: bool
) -> Iterator[tuple[State, float, list[tuple[State, bool]]]]:
    """Every state behind those it may be entered from: its cost, and these with whether the step pays the penalty.

    Row -1 and column -1 stand before the first frames. No cell is left of or above the start, which is no match, so
    only the diagonal and skips lead on from it.
    """
    rows, columns = costs.shape
    for i in range(-1, rows):
        for j in range(-1, columns):
            if i >= 0 and j >= 0:
                diagonal = [((kind, i - 1, j - 1), False) for kind in "MYXB"]
                begin = (("L", i - 1, -1), False)
                along_x = [((kind, i - 1, j), True) for kind in "MX"]
                along_y = [((kind, i, j - 1), True) for kind in "MY"]
                yield ("M", i, j), costs[i, j], [*diagonal, begin, *along_x, *along_y]
            if i >= 0:
                yield ("X", i, j), skip_x[i], [((kind, i - 1, j), False) for kind in "MX"]
            if j >= 0:
                yield ("Y", i, j), skip_y[j], [((kind, i, j - 1), False) for kind in "MY"]
                yield ("B", i, j), skip_y[j], [((kind, i, j - 1), False) for kind in "XB"]
        if i >= 0:
            yield ("L", i, -1), skip_x[i], [(("L", i - 1, -1), False)]
    if open_end:
        # Skipped frames of y would be paid here although they are free.
        last = [(kind, rows - 1, j) for j in range(-1, columns) for kind in "MX"]
    else:
        last = [(kind, rows - 1, columns - 1) for kind in "MYXB"]
    yield END, 0.0, [(source, False) for source in [*last, ("L", rows - 1, -1)]]


def _softmin(values: list[float], gamma: float) -> tuple[float, list[float]]:
    """Soft minimum of finite values and the share of each in it; at gamma 0 the first of the least ones has all."""
    least = min(values)
    if gamma == 0:
        return least, [float(k == values.index(least)) for k in range(len(values))]
    weights = [math.exp((least - value) / gamma) for value in values]
    total = math.fsum(weights)
    return least - gamma * math.log(total), [weight / total for weight in weights]
