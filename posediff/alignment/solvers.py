"""Batches of cost matrices in numpy: the kernel that each one needs, and second derivatives."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np

from posediff.alignment.bands import Band, BandWidened, ranges
from posediff.alignment.problem import check_skips
from posediff.errors import BadData


class Problem(NamedTuple):
    """A batch of cost matrices and how to align them.

    Attributes:
        costs: (B, N, M) float32 or float64, infinite where a match is forbidden.
        rows, columns: (B,) int64, true lengths.
        gamma: (B,) float64, softness, above 0; None for hard DTW.
        penalty: (B,) float64, cost of a step that is not diagonal; None for 0.
        skip_x, skip_y: (B, N) and (B, M) float64, costs of skipping a frame; None where that is forbidden.
        band: the cells to use; None for all.
        open_begin, open_end: whether frames of y before the first and behind the last match are free.
    """

    costs: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    gamma: np.ndarray | None
    penalty: np.ndarray | None = None
    skip_x: np.ndarray | None = None
    skip_y: np.ndarray | None = None
    band: Band | None = None
    open_begin: bool = False
    open_end: bool = False

    @property
    def penalties(self) -> np.ndarray:
        """(B,) the penalty."""
        return np.zeros(len(self.costs)) if self.penalty is None else self.penalty


class Solution(NamedTuple):
    """Values and their first derivatives; without a gradient None but for the value, without skips those of skipping.

    Attributes:
        value: (B,) float64.
        expected: (B, N, M), the derivative by the costs.
        skipped_x, skipped_y: (B, N) and (B, M) float64, the derivatives by the costs of skipping.
        steps: (B,) float64, the derivative by the penalty.
    """

    value: np.ndarray
    expected: Any = None
    skipped_x: Any = None
    skipped_y: Any = None
    steps: Any = None


def solve(problem: Problem, *, gradient: bool = True, threads: int | None = None) -> Solution:
    """Soft-DTW, or for gamma None hard DTW, of a batch.

    Raises:
        BadData: for a cost that is NaN, and where no alignment exists.
        BadSetting: for a negative cost of skipping.
    """
    costs, rows, columns, gamma, penalty, skip_x, skip_y, band, open_begin, open_end = problem
    skipping = skip_x is not None or skip_y is not None
    if gamma is not None and not skipping and len(costs):
        from posediff.alignment import engine

        how: dict[str, Any] = {"band": band, "open_begin": open_begin, "open_end": open_end, "gradient": gradient}
        fast = engine.solve(costs, rows, columns, gamma, penalty, **how, threads=threads)
        return Solution(fast.value, fast.expected, steps=fast.steps)
    from posediff.alignment.kernels import hard, states

    _check(problem)
    cells = ranges(band, rows, columns, costs.shape[1])
    warn_if_widened(band, cells.widened)
    where = (costs, cells.first, cells.end, rows, columns)
    ways = {"skip_x": skip_x, "skip_y": skip_y, "open_begin": open_begin, "open_end": open_end, "gradient": gradient}
    how = {"penalty": problem.penalties, **ways}
    made = hard.solve(*where, **how) if gamma is None else states.solve(*where, gamma, **how)
    check_found(made.value)
    expected = None if made.expected is None else made.expected.astype(costs.dtype, copy=False)
    skipped_x, skipped_y = (made.skipped_x, made.skipped_y) if skipping else (None, None)
    return Solution(made.value, expected, skipped_x, skipped_y, made.steps)


def path(problem: Problem) -> tuple[np.ndarray, float]:
    """The best path (L, 2) through a batch of one item, and its cost; errors as for :func:`solve`."""
    from posediff.alignment.kernels import hard

    _check(problem)
    costs, rows, columns, _, _, skip_x, skip_y, band, open_begin, open_end = problem
    cells = ranges(band, rows, columns, costs.shape[1])
    warn_if_widened(band, cells.widened)
    side_x, side_y = (None if skip is None else skip[0] for skip in (skip_x, skip_y))
    where = (costs[0], cells.first[0], cells.end[0])
    made = hard.path(*where, float(problem.penalties[0]), side_x, side_y, open_begin, open_end)
    check_found(np.array([made.value]))
    return made.pairs, made.value


def slope(problem: Problem, solution: Solution) -> np.ndarray:
    """(B,) float64 derivative of the values by gamma: they are homogeneous in it and all costs together."""
    if problem.gamma is None:
        return np.zeros(len(problem.costs))
    return (solution.value - _spent(problem, solution)) / problem.gamma


def curvature(problem: Problem, direction: Solution, direction_gamma: np.ndarray | None) -> tuple[Solution, np.ndarray]:
    """The Hessian of the values times a direction, by costs, costs of skipping, penalty and gamma.

    Args:
        problem: what was solved.
        direction: in its fields how costs, skips and penalty move; None for not at all. The value is not looked at.
        direction_gamma: (B,) float64, the same for gamma.

    Returns:
        The product in the same fields, float64, and (B,) by gamma.
    """
    costs, rows, columns, gamma = problem[:4]
    if gamma is None:  # piecewise linear
        by_costs, by_x, by_y = (
            None if field is None else np.zeros(field.shape) for field in (costs, problem.skip_x, problem.skip_y)
        )
        return Solution(np.zeros(len(costs)), by_costs, by_x, by_y, np.zeros(len(costs))), np.zeros(len(costs))
    from posediff.alignment.kernels import states

    # To move gamma by a share is to move all costs by its negative, up to a factor of the value, which is homogeneous.
    share = None if direction_gamma is None else direction_gamma / gamma
    moves: Any = [
        _less(move, share, given)
        for move, given in (
            (direction.expected, costs),
            (direction.steps, problem.penalties),
            (direction.skipped_x, problem.skip_x),
            (direction.skipped_y, problem.skip_y),
        )
    ]
    cells = ranges(problem.band, rows, columns, costs.shape[1])
    ways = (problem.skip_x, problem.skip_y, problem.open_begin, problem.open_end)
    bent = states.curvature(costs, cells.first, cells.end, rows, columns, gamma, problem.penalties, *ways, *moves)
    product = Solution(np.zeros(len(costs)), bent.costs, bent.skip_x, bent.skip_y, bent.penalty)
    return product, -_spent(problem, product) / gamma


def _less(move: np.ndarray | None, share: np.ndarray | None, given: np.ndarray | None) -> np.ndarray | None:
    """``move - share * given``, and 0 where ``given`` is infinite: nothing there has an effect."""
    if given is None or (move is None and share is None):
        return np.zeros(given.shape) if given is not None and given.ndim == 3 else None
    known = np.isfinite(given)
    moved = np.zeros(given.shape) if move is None else np.where(known, move, 0.0)
    if share is not None:
        moved -= share.reshape(-1, *[1] * (given.ndim - 1)) * np.where(known, given, 0.0)
    return moved


def _spent(problem: Problem, solution: Solution) -> np.ndarray:
    """(B,) costs, penalties and skips, weighted by a solution's fields."""
    total = solution.steps * problem.penalties
    for weights, given in (
        (solution.expected, problem.costs),
        (solution.skipped_x, problem.skip_x),
        (solution.skipped_y, problem.skip_y),
    ):
        if weights is not None and given is not None:
            paid = np.where(weights != 0, given, 0)
            total = total + np.einsum(
                "bi,bi->b", weights.reshape(len(total), -1), paid.reshape(len(total), -1), dtype=np.float64
            )
    return np.asarray(total)


def warn_if_widened(band: Band | None, widened: bool) -> None:
    """Say that a band has been widened."""
    if widened:
        warnings.warn(f"{band} leaves no path from corner to corner and was widened", BandWidened, stacklevel=2)


def _check(problem: Problem) -> None:
    check_skips(problem.skip_x, problem.rows, "x")
    check_skips(problem.skip_y, problem.columns, "y")
    check_costs(problem.costs, problem.rows, problem.columns)


def check_costs(costs: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> None:
    """Refuse a cost within the true lengths that is NaN or minus infinity."""
    bad = ~(costs > -np.inf)
    if not bad.any():
        return
    for k in range(len(costs)):
        inside = np.argwhere(bad[k, : rows[k], : columns[k]])
        if len(inside):
            i, j = inside[0]
            raise BadData(
                f"the cost of item {k} in row {i} and column {j} is {costs[k, i, j]}",
                "fill or leave out missing values first; forbid cells with plus infinity",
            )


def check_found(values: np.ndarray) -> None:
    """Refuse an item that forbidden cells leave without an alignment, which has the value infinity."""
    found = values < np.inf
    if not found.all():
        raise BadData(
            f"item {int(found.argmin())} has no alignment of finite cost",
            "forbid fewer cells, or allow skipping frames",
        )
