"""Soft-DTW of batches in float64, compiled and cell by cell: every feature, and second derivatives.

Values are kept as costs, so that nothing overflows, and transition probabilities ("shares") are stored on the way, so
that no digits cancel. Beside the matrices that it returns, :func:`solve` takes 24 bytes a cell of the largest item
(of its cells within ``first`` and ``end``), with skips 96 of all its cells; :func:`curvature` takes twice that.
Nothing is checked here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from posediff.alignment.kernels import skips
from posediff.alignment.kernels.compilation import compiled
from posediff.alignment.kernels.softmin import softmin, three, turn


class Solution(NamedTuple):
    """Values of a batch and their derivatives; the latter None where they were not asked for.

    Attributes:
        value: (B,) soft-DTW; infinite where no alignment exists, and the rest is zero there.
        expected: (B, N, M) probability that two frames are matched: the derivative by the costs; exactly zero
            outside of lengths and columns.
        skipped_x: (B, N) probability that a frame is skipped: the derivative by the costs of skipping.
        skipped_y: (B, M).
        steps: (B,) expected number of steps that are not diagonal: the derivative by the penalty.
    """

    value: np.ndarray
    expected: np.ndarray | None
    skipped_x: np.ndarray | None
    skipped_y: np.ndarray | None
    steps: np.ndarray | None


class Curvature(NamedTuple):
    """The value's Hessian times a direction: (B, N, M), (B,), (B, N) and (B, M)."""

    costs: np.ndarray
    penalty: np.ndarray
    skip_x: np.ndarray
    skip_y: np.ndarray


def solve(
    costs: np.ndarray,
    first: np.ndarray,
    end: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    gamma: np.ndarray,
    penalty: np.ndarray,
    skip_x: np.ndarray | None = None,
    skip_y: np.ndarray | None = None,
    open_begin: bool = False,
    open_end: bool = False,
    gradient: bool = True,
) -> Solution:
    """Soft-DTW of a batch of cost matrices, in the model of :func:`posediff.alignment.kernels.reference.align`.

    Args:
        costs: (B, N, M) float, infinite where a match is forbidden.
        first, end: (B, N) int, the columns of every row in which frames may be matched.
        rows, columns: (B,) int, true lengths.
        gamma: (B,) float, softness, above 0.
        penalty: (B,) float, cost of a step that is not diagonal.
        skip_x, skip_y: (B, N) and (B, M) float, costs of skipping a frame, infinite where forbidden; None for nowhere.
        open_begin, open_end: whether frames of y before the first and behind the last match are free.
        gradient: also give the derivatives.
    """
    problem = (costs, first, end, rows, columns, gamma, penalty, skip_x, skip_y, open_begin, open_end)
    value, expected, skipped_x, skipped_y, steps = _run(problem, gradient)
    return Solution(value, expected, skipped_x, skipped_y, steps) if gradient else Solution(value, *[None] * 4)


def curvature(
    costs: np.ndarray,
    first: np.ndarray,
    end: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    gamma: np.ndarray,
    penalty: np.ndarray,
    skip_x: np.ndarray | None,
    skip_y: np.ndarray | None,
    open_begin: bool,
    open_end: bool,
    direction: np.ndarray,
    direction_penalty: np.ndarray | None = None,
    direction_skip_x: np.ndarray | None = None,
    direction_skip_y: np.ndarray | None = None,
) -> Curvature:
    """Derivative, along a direction, of the derivatives that :func:`solve` gives.

    Args:
        costs, first, end, rows, columns, gamma, penalty, skip_x, skip_y, open_begin, open_end: as for :func:`solve`.
        direction: (B, N, M) float, how the costs move; finite, and without effect where a match is forbidden.
        direction_penalty: (B,) float, the same for the penalty; None for not at all.
        direction_skip_x, direction_skip_y: (B, N) and (B, M) float, the same for the costs of skipping.
    """
    problem = (costs, first, end, rows, columns, gamma, penalty, skip_x, skip_y, open_begin, open_end)
    count, length_x, length_y = costs.shape
    shapes = ((count, length_x, length_y), (count,), (count, length_x), (count, length_y))
    given = (direction, direction_penalty, direction_skip_x, direction_skip_y)
    moves = [np.zeros(shape) if move is None else _doubles(move) for shape, move in zip(shapes, given, strict=True)]
    _, expected, skipped_x, skipped_y, steps = _run(problem, True, moves)
    return Curvature(expected, steps, skipped_x, skipped_y)


def inside(
    shape: tuple[int, ...], rows: np.ndarray, columns: np.ndarray, first: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Lengths and columns as int64, cut to what a batch of this shape has: compiled code would read beyond it."""
    rows, columns = (
        np.clip(np.asarray(rows, np.int64), 0, shape[1]),
        np.clip(np.asarray(columns, np.int64), 0, shape[2]),
    )
    first = np.clip(np.asarray(first, np.int64), 0, columns[:, None])
    return rows, columns, first, np.clip(np.asarray(end, np.int64), first, columns[:, None])


def _run(problem: tuple, gradient: bool, moves: list[np.ndarray] | None = None) -> tuple[Any, ...]:
    """Bring all arrays into one layout, for which a kernel is compiled once, and run the one that is needed."""
    costs, first, end, rows, columns, gamma, penalty, skip_x, skip_y, open_begin, open_end = problem
    count, length_x, length_y = costs.shape
    rows, columns, first, end = inside(costs.shape, rows, columns, first, end)
    if moves is None:
        moves = [np.zeros((0, 0, 0)), np.zeros(0), np.zeros((0, 0)), np.zeros((0, 0))]
    value = np.empty(count)
    expected = np.zeros((count, length_x, length_y) if gradient else (0, 0, 0))
    skipped_x, skipped_y, steps = np.zeros((count, length_x)), np.zeros((count, length_y)), np.zeros(count)
    common = (_doubles(costs), first, end, rows, columns, _doubles(gamma), _doubles(penalty))
    ways = (bool(open_begin), bool(open_end))
    if skip_x is None and skip_y is None:
        _each(*common, *ways, moves[0], moves[1], value, expected, steps)
    else:
        skip_x = np.full((count, length_x), np.inf) if skip_x is None else _doubles(skip_x)
        skip_y = np.full((count, length_y), np.inf) if skip_y is None else _doubles(skip_y)
        filled = (value, expected, skipped_x, skipped_y, steps)
        skips.each(*common, skip_x, skip_y, *ways, moves[0], moves[1], moves[2], moves[3], *filled)
    return value, expected, skipped_x, skipped_y, steps


def _doubles(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(values, np.float64)


@compiled
def _each(
    costs: np.ndarray,
    first: np.ndarray,
    end: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    gamma: np.ndarray,
    penalty: np.ndarray,
    open_begin: bool,
    open_end: bool,
    direction: np.ndarray,
    direction_penalty: np.ndarray,
    value: np.ndarray,
    expected: np.ndarray,
    steps: np.ndarray,
) -> None:
    """Every item without skips: values, and where there is room for it the expected alignment or its derivative."""
    gradient, turning = len(expected) > 0, len(direction) > 0
    offsets = np.zeros((len(costs), costs.shape[1] + 1), np.int64)
    cells = 0
    for b in range(len(costs)):
        offsets[b, 1 : rows[b] + 1] = np.cumsum(end[b, : rows[b]] - first[b, : rows[b]])
        cells = max(cells, offsets[b, rows[b]])
    shares = np.empty((cells if gradient else 0, 3))
    drift = np.empty((cells if turning else 0, 3))
    for b in range(len(costs)):
        n, m = rows[b], columns[b]
        ends = np.zeros(m + 1)
        end_drift = np.zeros(m + 1)
        value[b] = _forward(
            costs[b, :n, :m], first[b], end[b], offsets[b], gamma[b], penalty[b], open_begin, open_end, shares, ends
        )
        if value[b] == np.inf or not gradient:
            continue
        if turning:
            moves, move = direction[b, :n, :m], direction_penalty[b]
            _tangent(shares, ends, moves, first[b], end[b], offsets[b], gamma[b], move, drift, end_drift)
        steps[b] = _backward(shares, ends, drift, end_drift, first[b], end[b], offsets[b], expected[b, :n, :m])


@compiled
def _forward(
    costs: np.ndarray,
    first: np.ndarray,
    end: np.ndarray,
    offsets: np.ndarray,
    gamma: float,
    penalty: float,
    open_begin: bool,
    open_end: bool,
    shares: np.ndarray,
    ends: np.ndarray,
) -> float:
    """Value of one matrix; fills the shares of the three steps into a cell and of the columns where paths end."""
    rows, columns = costs.shape
    store = len(shares) > 0
    # By column, shifted by one for what stands before the first; infinite outside of a row's columns.
    above, now = np.full(columns + 1, np.inf), np.full(columns + 1, np.inf)
    above[0] = np.inf if open_begin else 0.0
    for i in range(rows):
        opening = open_begin and i == 0
        left = np.inf
        for j in range(first[i], end[i]):
            corner = 0.0 if opening else above[j]
            least, p, q, r = three(corner, above[j + 1] + penalty, left + penalty, gamma)
            left = costs[i, j] + least
            if not left < np.inf:
                left, p, q, r = np.inf, 0.0, 0.0, 0.0
            now[j + 1] = left
            if store:
                share = shares[offsets[i] + j - first[i]]
                share[0], share[1], share[2] = p, q, r
        # The next row is written here, and perhaps into other columns.
        above[0] = np.inf
        above[first[i - 1] + 1 : end[i - 1] + 1] = np.inf
        above, now = now, above
    ends[:] = np.inf
    if rows > 0 and open_end:
        ends[:columns] = above[1:]
    elif rows > 0 and columns > 0:
        ends[columns - 1] = above[columns]
    return softmin(ends, gamma)


@compiled
def _tangent(
    shares: np.ndarray,
    ends: np.ndarray,
    direction: np.ndarray,
    first: np.ndarray,
    end: np.ndarray,
    offsets: np.ndarray,
    gamma: float,
    direction_penalty: float,
    drift: np.ndarray,
    end_drift: np.ndarray,
) -> None:
    """Derivative of all shares along a direction."""
    rows, columns = direction.shape
    above, now = np.zeros(columns + 1), np.zeros(columns + 1)
    for i in range(rows):
        left = 0.0
        for j in range(first[i], end[i]):
            share, d = shares[offsets[i] + j - first[i]], drift[offsets[i] + j - first[i]]
            a, b, c = above[j], above[j + 1] + direction_penalty, left + direction_penalty
            mean = share[0] * a + share[1] * b + share[2] * c
            d[0] = share[0] * (mean - a) / gamma
            d[1] = share[1] * (mean - b) / gamma
            d[2] = share[2] * (mean - c) / gamma
            reached = share[0] + share[1] + share[2] > 0
            left = mean + direction[i, j] if reached else 0.0
            now[j + 1] = left
        above, now = now, above
    end_drift[:columns] = above[1:]
    turn(ends, end_drift, gamma)


@compiled
def _backward(
    shares: np.ndarray,
    ends: np.ndarray,
    drift: np.ndarray,
    end_drift: np.ndarray,
    first: np.ndarray,
    end: np.ndarray,
    offsets: np.ndarray,
    expected: np.ndarray,
) -> float:
    """Fills the expected alignment, or with a drift its derivative; returns the same of the number of steps."""
    rows, columns = expected.shape
    turning = len(drift) > 0
    # Probabilities and, where they are asked for, their derivatives: of row i, and as far as known of the row above.
    now, above = np.zeros(columns + 1), np.zeros(columns + 1)
    dnow, dabove = np.zeros(columns + 1), np.zeros(columns + 1)
    now[1:] = ends[:columns]
    dnow[1:] = end_drift[:columns]
    steps = 0.0
    for i in range(rows - 1, -1, -1):
        for j in range(end[i] - 1, first[i] - 1, -1):
            share = shares[offsets[i] + j - first[i]]
            e = now[j + 1]
            above[j] += share[0] * e
            above[j + 1] += share[1] * e
            now[j] += share[2] * e
            if not turning:
                expected[i, j] = e
                steps += (share[1] + share[2]) * e
                continue
            d = drift[offsets[i] + j - first[i]]
            de = dnow[j + 1]
            dabove[j] += share[0] * de + d[0] * e
            dabove[j + 1] += share[1] * de + d[1] * e
            dnow[j] += share[2] * de + d[2] * e
            expected[i, j] = de
            steps += (share[1] + share[2]) * de + (d[1] + d[2]) * e
        now[first[i] : end[i] + 1] = 0.0
        dnow[first[i] : end[i] + 1] = 0.0
        now, above = above, now
        dnow, dabove = dabove, dnow
    return steps
