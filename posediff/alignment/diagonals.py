"""Alignment of costs that are handed out by anti-diagonals, in numpy alone and in memory for the window only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.alignment.checks import check_settings
from posediff.alignment.costs import diagonal_slice
from posediff.alignment.kernels import diagonal
from posediff.alignment.kernels.diagonal import DiagonalCosts
from posediff.alignment.window import Window


@dataclass(frozen=True, eq=False)
class DiagonalAlignment:
    """The distribution over alignments that soft-DTW defines, summarised along anti-diagonals i + j = d.

    Attributes:
        value: soft-DTW value.
        mass: (N + M - 1,) probability that a path touches the anti-diagonal (a diagonal step jumps over one).
        lead: (N + M - 1,) expected j - i there, NaN where the mass is 0.
        spread: (N + M - 1,) standard deviation of j - i there.
        expected: (N, M) expected alignment, or None where it was not asked for.
    """

    value: float
    mass: np.ndarray
    lead: np.ndarray
    spread: np.ndarray
    expected: np.ndarray | None

    def curve(self) -> tuple[np.ndarray, np.ndarray]:
        """Expected j - i and its standard deviation at the times u = (i + j) / 2 = 0, 1/2, 1, ...

        Symmetric: exchanging the two sequences changes the sign of the lead and nothing else.

        Returns:
            Two (N + M - 1,) arrays.
        """
        weight, lead, square = self.mass, np.nan_to_num(self.lead), np.nan_to_num(self.spread**2 + self.lead**2)
        total = _with_neighbours(weight)
        mean = _with_neighbours(weight * lead) / total
        variance = _with_neighbours(weight * square) / total - mean**2
        return mean, np.sqrt(np.maximum(variance, 0.0))


def align_costs(
    costs: DiagonalCosts, window: Window, *, gamma: float = 1.0, penalty: float = 0.0, matrix: bool = True
) -> DiagonalAlignment:
    """Expected alignment under any costs, handed out by anti-diagonals (see :mod:`posediff.alignment.costs`).

    Args:
        costs: gives the costs of a run of cells on an anti-diagonal.
        window: the cells to use.
        gamma: softness, in units of the cost; 0 gives the hard path.
        penalty: cost of a step that is not diagonal.
        matrix: also give the (N, M) matrix. Without it, memory grows with N + M times the window's width only.

    Raises:
        BadSetting: for a negative gamma or penalty.
    """
    check_settings(gamma, penalty)
    value, steps = diagonal.forward(costs, window, gamma, penalty)
    count = window.rows + window.columns - 1
    mass, lead, spread = np.zeros(count), np.full(count, np.nan), np.zeros(count)
    expected = np.zeros((window.rows, window.columns)) if matrix else None
    flat = None if expected is None else expected.reshape(-1)

    def visit(d: int, first: int, end: int, run: np.ndarray) -> None:
        total = run.sum()
        if total > 0:
            leads = d - 2.0 * np.arange(first, end)
            mass[d] = total
            lead[d] = mean = run @ leads / total
            spread[d] = np.sqrt(run @ (leads - mean) ** 2 / total)
        if flat is not None:
            flat[diagonal_slice(d, first, end, window.columns)] = run

    diagonal.backward(steps, window, visit)
    return DiagonalAlignment(value, mass, lead, spread, expected)


def hard_path(costs: DiagonalCosts, window: Window, penalty: float) -> tuple[np.ndarray, float]:
    """The best path and its cost.

    Args:
        costs, window, penalty: as for :func:`align_costs`.

    Returns:
        (L, 2) int64 pairs (i, j) from (0, 0) to (N - 1, M - 1), and the sum of their costs and penalties.
    """
    value, steps = diagonal.forward(costs, window, 0.0, penalty)
    firsts, _ = window.diagonals()
    i, j = window.rows - 1, window.columns - 1
    path = [(i, j)]
    while i or j:
        step = int(steps[i + j, :, i - firsts[i + j]].argmax())
        i, j = i - (step != 2), j - (step != 1)
        path.append((i, j))
    return np.array(path[::-1], np.int64), value


def _with_neighbours(values: np.ndarray) -> np.ndarray:
    padded = np.pad(values, 1)
    return np.asarray(padded[1:-1] + 0.5 * (padded[:-2] + padded[2:]))
