"""Soft-DTW written as its definition, cell by cell: the truth that faster kernels are tested against."""

from __future__ import annotations

import numpy as np


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
    rows, columns = costs.shape
    value = np.full((rows + 1, columns + 1), np.inf)
    value[0, 0] = 0.0
    share = np.zeros((rows + 1, columns + 1, 3))
    for i in range(1, rows + 1):
        for j in range(1, columns + 1):
            before = np.array([value[i - 1, j - 1], value[i - 1, j] + penalty, value[i, j - 1] + penalty])
            least = before.min()
            if not np.isfinite(least):
                continue
            if gamma > 0:
                weights = np.exp((least - before) / gamma)
                value[i, j] = costs[i - 1, j - 1] + least - gamma * np.log(weights.sum())
                share[i, j] = weights / weights.sum()
            else:
                value[i, j] = costs[i - 1, j - 1] + least
                share[i, j, before.argmin()] = 1.0
    expected = np.zeros((rows + 1, columns + 1))
    expected[rows, columns] = 1.0
    for i in range(rows, 0, -1):
        for j in range(columns, 0, -1):
            diagonal, down, right = expected[i, j] * share[i, j]
            expected[i - 1, j - 1] += diagonal
            expected[i - 1, j] += down
            expected[i, j - 1] += right
    return float(value[rows, columns]), expected[1:, 1:]
