"""Costs of pairs of frames, handed out by anti-diagonals: as one matrix where it fits, else computed run by run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from posediff.alignment.kernels.diagonal import DiagonalCosts

#: Cells up to which the whole matrix is held (float64, 32 MB).
MATRIX_CELLS = 4_000_000


def squared_euclidean(x: np.ndarray, y: np.ndarray) -> DiagonalCosts:
    """Sum over features of the squared difference of (N, F) and (M, F) sequences."""
    if len(x) * len(y) <= MATRIX_CELLS:
        # Only differences count: near their common centre, far fewer digits cancel in the square.
        centre = (x.mean(axis=0) + y.mean(axis=0)) / 2
        x, y = x - centre, y - centre
        costs = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1) - 2.0 * (x @ y.T)
        return from_matrix(np.maximum(costs, 0.0))

    def run(first: int, end: int, columns: np.ndarray) -> np.ndarray:
        difference = x[first:end] - y[columns]
        return np.asarray(np.einsum("if,if->i", difference, difference))

    return _by_run(run)


def robust_mean(x: np.ndarray, y: np.ndarray, weights_x: np.ndarray, weights_y: np.ndarray) -> DiagonalCosts:
    """Mean over parts of a pseudo-Huber cost: one part that goes astray does not drag the others out of time.

    ``sqrt(1 + d^2) - 1`` of the Euclidean distance d (Charbonnier et al. 1997): half of its square where it is small,
    its size where it is large.

    Args:
        x: (N, P, D) vectors of P parts, scaled so that 1 is a small distance.
        y: (M, P, D).
        weights_x, weights_y: (N, P) and (M, P); a part counts by the product of its two weights. Where no part has
            weight on both sides the cost is 1.
    """
    if len(x) * len(y) <= MATRIX_CELLS:
        return from_matrix(robust_matrix(x, y, weights_x, weights_y))

    def run(first: int, end: int, columns: np.ndarray) -> np.ndarray:
        weight = weights_x[first:end] * weights_y[columns]
        square = ((x[first:end] - y[columns]) ** 2).sum(axis=2)
        return _mean((weight * (np.sqrt(square + 1.0) - 1.0)).sum(axis=1), weight.sum(axis=1))

    return _by_run(run)


def robust_matrix(x: np.ndarray, y: np.ndarray, weights_x: np.ndarray, weights_y: np.ndarray) -> np.ndarray:
    """The (N, M) float64 costs of :func:`robust_mean`, part by part, never forming N x M x P."""
    total = np.zeros((len(x), len(y)))
    for part in range(x.shape[1]):
        a, b = x[:, part], y[:, part]
        square = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2.0 * (a @ b.T)
        weight = weights_x[:, part, None] * weights_y[:, part]
        total += weight * (np.sqrt(np.maximum(square, 0.0) + 1.0) - 1.0)
    return _mean(total, weights_x @ weights_y.T)


def from_matrix(costs: np.ndarray) -> DiagonalCosts:
    """Runs of an (N, M) cost matrix."""
    flat, columns = np.ascontiguousarray(costs).reshape(-1), costs.shape[1]
    return lambda d, first, end: flat[diagonal_slice(d, first, end, columns)]


def diagonal_slice(d: int, first: int, end: int, columns: int) -> slice:
    """Where the cells (i, d - i), i from ``first`` to ``end``, lie in a flattened N x ``columns`` matrix."""
    step = max(columns - 1, 1)
    start = first * columns + d - first
    return slice(start, start + (end - first) * step, step)


def _by_run(run: Callable[[int, int, np.ndarray], np.ndarray]) -> DiagonalCosts:
    return lambda d, first, end: run(first, end, d - np.arange(first, end))


def _mean(total: np.ndarray, weight: np.ndarray) -> np.ndarray:
    return np.divide(total, weight, out=np.ones_like(total), where=weight > 1e-12)
