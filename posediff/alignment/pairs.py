"""Costs of two sequences in numpy: as matrices, and what their derivatives are in the sequences."""

from __future__ import annotations

import numpy as np

from posediff.alignment import solvers
from posediff.alignment.solvers import Problem, Solution


def filled(x: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Sequences whose padding repeats their first frame: what stands there, NaN included, must not count."""
    if (lengths == x.shape[1]).all():
        return x
    full = x.copy()
    for item, length in zip(full, lengths.tolist(), strict=True):
        item[length:] = item[0]
    return full


def matrix(x: np.ndarray, y: np.ndarray, cost: str) -> np.ndarray:
    """(B, N, M) costs of (B, N, F) and (B, M, F) sequences by matrix products, never forming N x M x F.

    Args:
        x, y: float32 or float64.
        cost: "squared_euclidean" or "one_minus_dot".
    """
    if cost == "one_minus_dot":
        return 1.0 - x @ y.transpose(0, 2, 1)
    # Only differences count: near their common centre, far fewer digits cancel in the square.
    centre = (x.mean(axis=1, keepdims=True) + y.mean(axis=1, keepdims=True)) / 2
    x, y = x - centre, y - centre
    costs = x @ y.transpose(0, 2, 1)
    costs *= -2.0
    costs += np.einsum("bif,bif->bi", x, x)[:, :, None]
    costs += np.einsum("bjf,bjf->bj", y, y)[:, None]
    return np.maximum(costs, 0.0, out=costs)


def pull_back(weights: np.ndarray, x: np.ndarray, y: np.ndarray, cost: str) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives by x and y of the sum of all costs, each times its weight.

    The cost is of second degree in both together, so with directions in place of x and y this is also how those
    derivatives move.

    Args:
        weights: (B, N, M).
        x, y: (B, N, F) and (B, M, F).
        cost: as for :func:`matrix`.
    """
    along_x, along_y = weights @ y, weights.transpose(0, 2, 1) @ x
    if cost == "one_minus_dot":
        return -along_x, -along_y
    return 2.0 * (weights.sum(axis=2)[:, :, None] * x - along_x), 2.0 * (weights.sum(axis=1)[:, :, None] * y - along_y)


def push_forward(x: np.ndarray, y: np.ndarray, move_x: np.ndarray, move_y: np.ndarray, cost: str) -> np.ndarray:
    """(B, N, M) change of the costs where x and y move; arguments as for :func:`matrix`."""
    if cost == "one_minus_dot":
        return -(move_x @ y.transpose(0, 2, 1) + x @ move_y.transpose(0, 2, 1))
    own_x, own_y = np.einsum("bif,bif->bi", x, move_x), np.einsum("bjf,bjf->bj", y, move_y)
    cross = x @ move_y.transpose(0, 2, 1) + move_x @ y.transpose(0, 2, 1)
    return np.asarray(2.0 * (own_x[:, :, None] + own_y[:, None] - cross))


def curvature(
    problem: Problem,
    x: np.ndarray,
    y: np.ndarray,
    cost: str,
    moves: tuple[np.ndarray | None, np.ndarray | None],
    move_gamma: np.ndarray | None,
    move_penalty: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The Hessian of soft-DTW in x, y, gamma and penalty, times a direction.

    Args:
        problem: the settings; its costs are not looked at.
        x, y: (B, N, F) and (B, M, F) float64, finite.
        cost: as for :func:`matrix`.
        moves: how x and y move, in their shapes; None for not at all.
        move_gamma, move_penalty: (B,), the same for gamma and the penalty.

    Returns:
        The product by x, y, gamma and penalty.
    """
    move_x, move_y = (np.zeros_like(s) if move is None else move for s, move in zip((x, y), moves, strict=True))
    problem = problem._replace(costs=matrix(x, y, cost))
    direction = Solution(np.empty(0), push_forward(x, y, move_x, move_y, cost), steps=move_penalty)
    bent, by_gamma = solvers.curvature(problem, direction, move_gamma)
    expected = solvers.solve(problem).expected
    through_costs, itself = pull_back(bent.expected, x, y, cost), pull_back(expected, move_x, move_y, cost)
    return through_costs[0] + itself[0], through_costs[1] + itself[1], by_gamma, bent.steps
