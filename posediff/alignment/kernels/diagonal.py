"""Soft-DTW by anti-diagonals in numpy: one vector operation for all cells that do not depend on one another."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from posediff.alignment.window import Window

#: Costs of the cells (i, d - i) for rows ``first`` to ``end`` of anti-diagonal d.
DiagonalCosts = Callable[[int, int, int], np.ndarray]


def forward(costs: DiagonalCosts, window: Window, gamma: float, penalty: float) -> tuple[float, np.ndarray]:
    """Soft-DTW value and the probability of each of the three steps into every cell.

    Args:
        costs: gives the costs of a run of cells on an anti-diagonal.
        window: the cells that may be used.
        gamma: softness, or 0 for hard DTW.
        penalty: cost of a step that is not diagonal.

    Returns:
        The value, and (N + M - 1, 3, W) float32 step probabilities (diagonal, along x, along y), W the widest run;
        a run is stored from its first row on.
    """
    firsts, ends = window.diagonals()
    steps = np.zeros((len(firsts), 3, int((ends - firsts).max())), np.float32)
    # Values of the last two anti-diagonals by row, shifted by one so that row -1 exists. A run's ends move by at most
    # one row a diagonal, so one infinite cell before and two behind keep what lies outside the window out of reach.
    before, last, now = (np.full(window.rows + 3, np.inf) for _ in range(3))
    before[0] = 0.0  # the empty alignment, from which only the first cell is reached
    least = np.zeros(1)
    for d, (first, end) in enumerate(zip(firsts.tolist(), ends.tolist(), strict=True)):
        candidates = np.stack([before[first:end], last[first:end] + penalty, last[first + 1 : end + 1] + penalty])
        least = candidates.min(axis=0)
        share = steps[d, :, : end - first]
        run = costs(d, first, end)
        if gamma > 0:
            weights = np.exp((least - candidates) / gamma)
            total = weights.sum(axis=0)
            np.divide(weights, total, out=share, casting="same_kind")
            run = run + least - gamma * np.log(total)
        else:
            np.put_along_axis(share, candidates.argmin(axis=0)[None], 1.0, axis=0)
            run = run + least
        now[first] = np.inf
        now[first + 1 : end + 1] = run
        now[end + 1 : end + 3] = np.inf
        if d == 0:
            before[0] = np.inf
        before, last, now = last, now, before
    return float(last[window.rows]), steps


def backward(steps: np.ndarray, window: Window, visit: Callable[[int, int, int, np.ndarray], None]) -> None:
    """Walk the expected alignment from the last anti-diagonal to the first.

    Args:
        steps: from :func:`forward`.
        window: the same as there.
        visit: called with d, first row, end row (exclusive) and the (end - first,) expectations of the cells.
    """
    firsts, ends = window.diagonals()
    now, following, second = (np.zeros(window.rows + 3) for _ in range(3))
    now[window.rows] = 1.0
    for d in range(len(firsts) - 1, -1, -1):
        first, end = int(firsts[d]), int(ends[d])
        run = now[first + 1 : end + 1]
        visit(d, first, end, run)
        flow = steps[d, :, : end - first] * run
        second[first:end] += flow[0]
        following[first:end] += flow[1]
        following[first + 1 : end + 1] += flow[2]
        # What flowed to rows outside the window of the next diagonal is exactly zero; clear the buffer for reuse.
        now[first : end + 2] = 0.0
        now, following, second = following, second, now
