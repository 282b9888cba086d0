"""Soft-DTW, its divergence and the expected alignment (Cuturi & Blondel 2017; Blondel, Mensch & Vert 2021)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.alignment.checks import check_sequence, check_settings, check_weights, fitting
from posediff.alignment.costs import diagonal_slice, squared_euclidean, weighted_mean
from posediff.alignment.kernels import diagonal
from posediff.alignment.kernels.diagonal import DiagonalCosts
from posediff.alignment.window import Window


@dataclass(frozen=True, eq=False)
class SoftAlignment:
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


def soft_dtw(
    x: np.ndarray, y: np.ndarray, *, gamma: float = 1.0, band: float | None = None, penalty: float = 0.0
) -> float:
    """Soft-DTW value of two sequences under squared Euclidean cost.

    Args:
        x: (N, F) float.
        y: (M, F) float.
        gamma: softness, in units of the cost; 0 gives hard DTW.
        band: half-width of a slope-corrected Sakoe-Chiba band in frames of y; None for no band.
        penalty: cost of a step that is not diagonal.

    Raises:
        BadData: for empty or non-finite sequences or different F; names the first bad frame.
        BadSetting: for a negative gamma, band or penalty.
    """
    x, y = check_sequence(x, "x"), check_sequence(y, "y", like=x)
    check_settings(gamma, penalty)
    window = Window.full(len(x), len(y)) if band is None else Window.sakoe_chiba(len(x), len(y), band)
    return diagonal.forward(squared_euclidean(x, y), window, gamma, penalty)[0]


def soft_dtw_divergence(
    x: np.ndarray, y: np.ndarray, *, gamma: float = 1.0, band: float | None = None, penalty: float = 0.0
) -> float:
    """``s(x, y) - (s(x, x) + s(y, y)) / 2``: zero for x = y, unlike soft-DTW itself (Blondel et al. 2021, eq. 8).

    Arguments and errors as for :func:`soft_dtw`.
    """
    pairs = ((x, y), (x, x), (y, y))
    cross, own_x, own_y = (soft_dtw(a, b, gamma=gamma, band=band, penalty=penalty) for a, b in pairs)
    return cross - (own_x + own_y) / 2


def soft_alignment(
    x: np.ndarray,
    y: np.ndarray,
    *,
    weights: tuple[np.ndarray, np.ndarray] | None = None,
    gamma: float = 1.0,
    window: Window | None = None,
    penalty: float = 0.0,
    matrix: bool = True,
) -> SoftAlignment:
    """Expected alignment of two sequences under squared Euclidean cost.

    Args:
        x: (N, F) float.
        y: (M, F) float.
        weights: (N, F) and (M, F) confidences, 0 or more; a cell's cost is then the mean over features, each weighted
            by the product of its two confidences, and 1 where no feature is known on both sides. Values of weight 0
            may be anything finite. None for the plain sum over features.
        gamma: softness, in units of the cost; 0 gives the hard path.
        window: the cells to use; None for all.
        penalty: cost of a step that is not diagonal.
        matrix: also give the (N, M) matrix. Without it, memory grows with N + M times the window's width only.

    Raises:
        BadData: as for :func:`soft_dtw`, and for weights that are negative, not finite, or of another shape.
        BadSetting: for a negative gamma or penalty, or a window of another size.
    """
    x, y = check_sequence(x, "x"), check_sequence(y, "y", like=x)
    window = fitting(window, len(x), len(y))
    if weights is None:
        costs = squared_euclidean(x, y)
    else:
        costs = weighted_mean(x, y, check_weights(weights[0], x), check_weights(weights[1], y))
    return align_costs(costs, window, gamma=gamma, penalty=penalty, matrix=matrix)


def align_costs(
    costs: DiagonalCosts, window: Window, *, gamma: float = 1.0, penalty: float = 0.0, matrix: bool = True
) -> SoftAlignment:
    """Expected alignment under any costs, handed out by anti-diagonals (see :mod:`posediff.alignment.costs`).

    Args:
        costs: gives the costs of a run of cells on an anti-diagonal.
        window: the cells to use.
        gamma, penalty, matrix: as for :func:`soft_alignment`.

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
    return SoftAlignment(value, mass, lead, spread, expected)


def _with_neighbours(values: np.ndarray) -> np.ndarray:
    padded = np.pad(values, 1)
    return np.asarray(padded[1:-1] + 0.5 * (padded[:-2] + padded[2:]))
