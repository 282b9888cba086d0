"""Soft-DTW of batches in numpy: the compiled kernels, both cores, and sequences too long for a cost matrix."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from posediff.alignment.bands import Band, Ranges, ranges
from posediff.alignment.solvers import check_costs, check_found, warn_if_widened
from posediff.errors import BadData, BadSetting

LOG2_E = float(np.log2(np.e))
#: Cells below which one matrix is not worth a second core.
SHARED_CELLS = 30_000
#: Cells from which a band is worth making costs in blocks, which leave out what lies outside.
LARGE_CELLS = 1_000_000

Matmul = Callable[[np.ndarray, np.ndarray, np.ndarray], Any]


class Solution(NamedTuple):
    """Soft-DTW of a batch of cost matrices.

    Attributes:
        value: (B,) float64.
        expected: (B, N, M) expected alignments, zero out of the lengths and the band; None without a gradient.
        steps: (B,) float64 expected numbers of steps that are not diagonal; None without a gradient.
        row_sums, column_sums: (B, N) and (B, M) sums of the expected alignments; None without a gradient.
    """

    value: np.ndarray
    expected: np.ndarray | None = None
    steps: np.ndarray | None = None
    row_sums: np.ndarray | None = None
    column_sums: np.ndarray | None = None


class PairSolution(NamedTuple):
    """Soft-DTW of a batch of pairs of sequences; without a gradient None but for the value.

    Attributes:
        value: (B,) float64.
        grad_x, grad_y: (B, N, D) and (B, M, D) derivatives, exactly zero on padding.
        steps: (B,) float64 expected numbers of steps that are not diagonal.
        cost: (B,) float64 expected costs without penalties.
    """

    value: np.ndarray
    grad_x: np.ndarray | None = None
    grad_y: np.ndarray | None = None
    steps: np.ndarray | None = None
    cost: np.ndarray | None = None


def solve(
    costs: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    gamma: np.ndarray,
    penalty: np.ndarray | None = None,
    *,
    band: Band | None = None,
    open_begin: bool = False,
    open_end: bool = False,
    gradient: bool = True,
    threads: int | None = None,
    out: np.ndarray | None = None,
) -> Solution:
    """Soft-DTW of cost matrices.

    Args:
        costs: (B, N, M) float32 or float64; infinite where a cell is forbidden.
        rows, columns: (B,) int64, true lengths.
        gamma: (B,) float64 above 0.
        penalty: (B,) float64, 0 or more, cost of a step that is not diagonal.
        band: the cells to use; None for all.
        open_begin, open_end: whether an alignment may begin, and end, at any column.
        gradient: whether to find the expected alignment.
        threads: cores to use; by default all that this process may use.
        out: where to write the expected alignments, C-contiguous and as the costs; may be the costs themselves.

    Raises:
        BadData: for a cost that is NaN, and where no alignment exists; says where.
        BadSetting: for a gamma so small that float64 cannot tell the costs apart.
    """
    from posediff.alignment.kernels import cpu, whole

    costs = np.require(costs, requirements=["C", "W"])
    cells = ranges(band, rows, columns, costs.shape[1])
    warn_if_widened(band, cells.widened)
    batch, results = prepare(costs, cells, rows, columns, gamma, penalty, open_begin, open_end, costs.shape[2])
    if out is None and gradient:
        out = np.empty_like(costs)
    flat = batch.costs if out is None else out.reshape(-1)
    threads = threads or cores()
    if threads > 1 and len(costs) < threads and min(rows) * min(columns) >= SHARED_CELLS:
        for item in range(len(costs)):
            _from_both_ends(batch, item, flat, gradient, results)
    else:
        pieces = parts(rows, columns, threads)
        together([partial(whole.align, batch, *piece, flat, gradient, results) for piece in pieces], threads)
    value, steps, *sums = outcome(batch, results)
    for item in np.flatnonzero(results.state).tolist():
        if results.state[item] == cpu.NOT_A_NUMBER:
            check_costs(costs, rows, columns)
        if results.state[item] == cpu.NO_PATH:
            value[item] = np.inf
            check_found(value)
        if costs.dtype == np.float64:
            raise too_small(gamma[item], item)
        one, picked = slice(item, item + 1), None if penalty is None else penalty[item : item + 1]
        wide = costs[one].astype(np.float64)
        try:
            again = solve(
                wide, rows[one], columns[one], gamma[one], picked, band=band, open_begin=open_begin, open_end=open_end,
                gradient=gradient, threads=threads, out=wide if gradient else None,
            )  # fmt: skip
        except BadSetting:  # it counts from this item on
            raise too_small(gamma[item], item) from None
        except BadData:
            value[item] = np.inf
            check_found(value)
            raise
        found: list[Any] = [again.value, again.expected, again.steps, again.row_sums, again.column_sums]
        for mine, other in zip((value, out, steps, *sums), found, strict=True):
            if other is not None and mine is not None:
                mine[item] = other[0]
    return Solution(value, out, steps, *sums) if gradient else Solution(value)


def prepare(
    costs: np.ndarray, cells: Ranges, rows: np.ndarray, columns: np.ndarray, gamma: np.ndarray,
    penalty: np.ndarray | None, open_begin: bool, open_end: bool, longest: int,
) -> tuple[Any, Any]:  # fmt: skip
    """A batch as the kernels take it, and the arrays for what they find; ``longest`` is M."""
    from posediff.alignment.kernels import whole

    factor = LOG2_E / gamma
    # Rounded as the kernels will: the share of it that all cells have is taken off again, however long the path.
    bits = np.zeros(len(costs)) if penalty is None else (penalty * factor).astype(costs.dtype).astype(np.float64)
    none = np.array([-(1 << 29)], np.int32) if costs.dtype == np.float32 else np.array([-(1 << 60)])
    height, width = costs.shape[1:]
    batch = whole.Batch(
        costs.reshape(-1), height, width, cells.first, cells.end, rows, columns,
        factor, bits, bool(open_begin), bool(open_end), none,
    )  # fmt: skip
    logarithm, begin, end = np.zeros((3, len(costs)))
    sums = np.zeros(cells.first.shape, costs.dtype), np.zeros((2, len(costs), longest), costs.dtype)
    return batch, whole.Results(logarithm, np.zeros(len(costs), np.int64), *sums, begin, end)


def outcome(batch: Any, results: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Values, expected numbers of steps that are not diagonal, and sums by row and by column."""
    value = -(results.logarithm + batch.bits * (batch.rows + batch.columns)) / batch.factor
    mass = results.row_sums.sum(axis=1, dtype=np.float64)
    steps = 2.0 * mass - batch.rows - (results.end - results.begin + 1.0)
    return value, steps, results.row_sums, results.column_sums.sum(axis=0)


def too_small(gamma: float, item: int) -> BadSetting:
    """What to raise where even float64 cannot hold the sums."""
    return BadSetting(
        f"gamma is {gamma:g}, so small that the costs of item {item} leave the range of float64",
        "give a larger gamma, or 0 for hard DTW",
    )


def solve_pair(
    x: np.ndarray,
    y: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    gamma: np.ndarray,
    penalty: np.ndarray | None = None,
    *,
    cost: str = "squared_euclidean",
    band: Band | None = None,
    open_begin: bool = False,
    open_end: bool = False,
    gradient: bool = True,
    checkpoint: bool = False,
    matmul: Matmul = np.matmul,
    threads: int | None = None,
) -> PairSolution:
    """Soft-DTW of pairs of sequences, and its derivatives by them; never forms N x M x D.

    Args:
        x, y: (B, N, D) and (B, M, D), both float32 or both float64.
        rows, columns, gamma, penalty, band, open_begin, open_end, gradient, threads: as for :func:`solve`.
        cost: ``"squared_euclidean"``, or ``"one_minus_dot"``: 1 - x y.
        checkpoint: whether to make costs block by block, twice, instead of holding the cost matrix.
        matmul: batched product of two arrays into a third.

    Raises:
        BadData: for a value that is not finite, and where no alignment exists; says where.
        BadSetting: as for :func:`solve`.
    """
    from posediff.alignment.kernels import features

    squared = cost == "squared_euclidean"
    x, y = (np.require(side, requirements=["C", "W"]) for side in (x, y))  # or each layout is compiled for anew
    wide_x, wide_y = (np.empty((*side.shape[:2], side.shape[2] + 2), side.dtype) for side in (x, y))
    if not features.extend(x, y, rows, columns, squared, wide_x, wide_y):
        from posediff.alignment.arrays import check_finite

        check_finite(x, rows, "x", False)
        check_finite(y, columns, "y", False)
    how: dict[str, Any] = {"band": band, "open_begin": open_begin, "open_end": open_end, "gradient": gradient}
    if checkpoint or (band is not None and x.shape[1] * y.shape[1] >= LARGE_CELLS):
        from posediff.alignment import blocks

        ways = {**how, "matmul": matmul, "threads": threads or cores()}
        made = blocks.solve(wide_x, wide_y, rows, columns, gamma, penalty, **ways)
    else:
        made = _solve_at_once(wide_x, wide_y, rows, columns, gamma, penalty, matmul, {**how, "threads": threads})
    if made.carried_x is None:
        return PairSolution(made.value)
    grad_x, grad_y, total = np.empty_like(x), np.empty_like(y), np.zeros(len(x))
    features.pull_back(wide_x, made.carried_x, made.row_sums, squared, 0, grad_x, total)
    features.pull_back(wide_y, made.carried_y, made.column_sums, squared, 1, grad_y, total)
    return PairSolution(made.value, grad_x, grad_y, made.steps, total)


class Carried(NamedTuple):
    """What the gradient of a pair is made of; without a gradient None but for the value.

    Attributes:
        value, steps, row_sums, column_sums: as in :class:`Solution`.
        carried_x: (B, N, D) the expected alignment times y', without its two features more.
        carried_y: (B, M, D) the same turned round times x'.
    """

    value: np.ndarray
    steps: Any = None
    row_sums: Any = None
    column_sums: Any = None
    carried_x: Any = None
    carried_y: Any = None


def _solve_at_once(
    wide_x: np.ndarray, wide_y: np.ndarray, rows: np.ndarray, columns: np.ndarray, gamma: np.ndarray,
    penalty: np.ndarray | None, matmul: Matmul, how: dict[str, Any],
) -> Carried:  # fmt: skip
    """All costs in one matrix an item, where the expected alignments take their place."""
    count, height, size = wide_x.shape
    costs = np.empty((count, height, wide_y.shape[1]), wide_x.dtype)
    matmul(wide_x, wide_y.transpose(0, 2, 1), costs)
    made = solve(costs, rows, columns, gamma, penalty, **how, out=costs if how["gradient"] else None)
    if made.expected is None:
        return Carried(made.value)
    # Without the two features more: products of such odd widths take far longer.
    sides = [np.empty((count, side.shape[1], size - 2), side.dtype) for side in (wide_x, wide_y)]
    matmul(made.expected, wide_y[:, :, : size - 2], sides[0])
    matmul(made.expected.transpose(0, 2, 1), wide_x[:, :, : size - 2], sides[1])
    return Carried(made.value, made.steps, made.row_sums, made.column_sums, *sides)


def _from_both_ends(batch: Any, item: int, out: np.ndarray, gradient: bool, results: Any) -> None:
    """One matrix on two cores: a pass from each end to the middle; then each goes on where the other has been."""
    from posediff.alignment.kernels import cpu, whole

    rows = int(batch.rows[item])
    middle = rows // 2
    halves = ((1, middle), (-1, rows - middle))
    passes = together([partial(whole.from_one_end, batch, item, *half, gradient) for half in halves])
    (_, above, low, _), (_, below, lower, _) = passes
    total = whole.settle(batch, item, above, below, min(low, lower), results)
    if gradient and results.state[item] == cpu.FINE:
        ways = zip(passes, (below, above), strict=True)
        together([
            partial(whole.write, batch, item, sheet, carry, kept, *total, out, results)
            for (sheet, _, _, kept), carry in ways
        ])  # fmt: skip
        whole.clear_item(batch, item, out)


def parts(rows: np.ndarray, columns: np.ndarray, count: int) -> list[tuple[int, int]]:
    """Runs of items of about the same number of cells."""
    if count == 1 or len(rows) < 2:
        return [(0, len(rows))]
    ends = np.cumsum(rows * columns)
    cuts = np.searchsorted(ends, ends[-1] * np.arange(1, count) / count, "left") + 1
    bounds = np.unique([0, *np.minimum(cuts, len(rows)), len(rows)]).tolist()
    return list(zip(bounds[:-1], bounds[1:], strict=True))


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_pools: list[ThreadPoolExecutor] = []
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)  # a fork has none of its parent's threads


def together(tasks: Sequence[Callable[[], Any]], threads: int | None = None) -> list[Any]:
    """Run compiled functions at the same time, the first of them on this thread; on one thread, one after the other."""
    if len(tasks) == 1 or threads == 1:
        return [task() for task in tasks]
    if not _pools:
        _pools.append(ThreadPoolExecutor(cores(), "posediff"))
    others = [_pools[0].submit(task) for task in tasks[1:]]
    return [tasks[0](), *(other.result() for other in others)]
