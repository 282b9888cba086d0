"""Soft-DTW of sequences whose cost matrix is too large to hold: costs are made in blocks of rows, twice.

Two fronts run towards each other, one on each core: block by block from either end to the middle, keeping one row of
sums a block. Then each goes on over the blocks where the other has been, from the middle outwards: the kept row brings
the block's sums back, which with its own give the expected alignment, which is multiplied with the sequences at once.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np

from posediff.alignment.bands import Band, ranges
from posediff.alignment.engine import Carried, Matmul, outcome, prepare, together, too_small
from posediff.alignment.solvers import warn_if_widened

#: Rows of a block.
ROWS = 128

Sides = tuple[np.ndarray, np.ndarray]


class Block(NamedTuple):
    """Rows of a cost matrix while it exists.

    Attributes:
        low, high: its rows.
        left, right: its columns, all that its rows may use.
        sheet: the block as the kernels take it, in its front's direction.
        costs: (high - low, right - left).
    """

    low: int
    high: int
    left: int
    right: int
    sheet: Any
    costs: np.ndarray


def solve(
    wide_x: np.ndarray,
    wide_y: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    gamma: np.ndarray,
    penalty: np.ndarray | None,
    *,
    band: Band | None,
    open_begin: bool,
    open_end: bool,
    gradient: bool,
    matmul: Matmul,
    threads: int,
) -> Carried:
    """Soft-DTW of features whose products are the costs.

    Args:
        wide_x, wide_y: (B, N, D) and (B, M, D).
        rows, columns, gamma, penalty, band, open_begin, open_end, gradient, matmul, threads: as for
            :func:`posediff.alignment.engine.solve_pair`.
    """
    cells = ranges(band, rows, columns, wide_x.shape[1])
    warn_if_widened(band, cells.widened)
    none = np.empty((len(wide_x), 0, 0), wide_x.dtype)
    longest = wide_y.shape[1]
    batch, results = prepare(none, cells, rows, columns, gamma, penalty, open_begin, open_end, longest)
    shapes = [(*side.shape[:2], side.shape[2] - 2) for side in (wide_x, wide_y)]
    carried = [np.zeros(shape, wide_x.dtype) for shape in shapes] if gradient else None
    for item in range(len(wide_x)):
        fronts = _Fronts(batch, item, wide_x[item], wide_y[item], matmul, threads)
        if fronts.run(results, None if carried is None else (carried[0][item], carried[1][item])):
            continue
        if wide_x.dtype == np.float64:
            raise too_small(gamma[item], item)
        sides = (wide_x.astype(np.float64), wide_y.astype(np.float64))
        how: dict[str, Any] = {"band": band, "open_begin": open_begin, "open_end": open_end, "gradient": gradient}
        value, steps, *rest = solve(*sides, rows, columns, gamma, penalty, **how, matmul=matmul, threads=threads)
        return Carried(value, steps, *(None if part is None else part.astype(wide_x.dtype) for part in rest))
    found = outcome(batch, results)
    return Carried(found[0]) if carried is None else Carried(*found, *carried)


class _Fronts:
    """One pair of sequences, from both ends."""

    def __init__(self, batch: Any, item: int, x: np.ndarray, y: np.ndarray, matmul: Matmul, threads: int) -> None:
        from posediff.alignment.kernels import whole

        self.whole, self.batch, self.item, self.matmul, self.threads = whole, batch, item, matmul, threads
        self.rows, self.columns = int(batch.rows[item]), int(batch.columns[item])
        self.x, self.y = x[: self.rows], y[: self.columns]
        self.scaling = whole.scaling_of(batch, item)
        middle = self.rows // 2
        # Per front, first the one from the beginning: its blocks as rows in its own direction.
        self.tasks = [
            (sign, [(top, min(top + ROWS, count)) for top in range(0, count, ROWS)])
            for sign, count in ((1, middle), (-1, self.rows - middle))
            if count
        ]

    def run(self, results: Any, back: Sides | None) -> bool:
        """Note the results, add to the products; whether the numbers' range has been enough."""
        from posediff.alignment.kernels.simd import BYTES

        whole, batch, item = self.whole, self.batch, self.item
        carries = [whole.entry_of(batch, item, sign) for sign in (1, -1)]
        above: list[list[Any]] = [[] for _ in self.tasks]
        lowest = 0.0
        for blocks in self._rounds(forwards=True):
            passes = []
            for k, block in blocks:
                carry = carries[(1 - block.sheet.sign) // 2]
                above[k].append(whole.copy_of(carry))
                passes.append(partial(whole.forward, block.sheet, self.scaling, carry, False))
            lowest = min(lowest, *(low for low, _ in together(passes, self.threads)))
        total = whole.settle(batch, item, *carries, lowest, results)
        if not self._in_range(*total):
            return False
        if back is None:
            return True
        lanes = BYTES // batch.costs.itemsize
        rows = [whole.turned(carry, self.columns, lanes) for carry in carries[::-1]]
        for blocks in self._rounds(forwards=False):
            passes = []
            for k, block in blocks:
                way = (1 - block.sheet.sign) // 2
                sums = results.row_sums[item], results.column_sums[way, item]
                given = (block.sheet, self.scaling, above[k].pop(), rows[way], *total)
                passes.append(partial(whole.write_block, *given, block.costs.reshape(-1), block.left, *sums))
            together(passes, self.threads)
            for _, block in blocks:
                self._carry_back(block, back)
        for sign, row in zip((1, -1), rows, strict=True):
            whole.note_column(batch, item, sign, row, results)
        return True

    def _rounds(self, forwards: bool) -> Any:
        """Blocks of the two fronts that can be worked on at the same time."""
        count = max(len(parts) for _, parts in self.tasks)
        for number in range(count) if forwards else range(count - 1, -1, -1):
            yield [
                (k, self._block(sign, *parts[number]))
                for k, (sign, parts) in enumerate(self.tasks)
                if number < len(parts)
            ]

    def _block(self, sign: int, top: int, stop: int) -> Block:
        """The costs of some rows, counted in a front's direction."""
        from posediff.alignment.kernels.tiles import Sheet

        low, high = (top, stop) if sign > 0 else (self.rows - stop, self.rows - top)
        first, end = self.batch.first[self.item], self.batch.end[self.item]
        left, right = int(first[low]), int(end[high - 1])
        costs = np.empty((1, high - low, right - left), self.x.dtype)
        self.matmul(self.x[None, low:high], self.y[None, left:right].transpose(0, 2, 1), costs)
        width = right - left
        origin = -left if sign > 0 else (high - low - 1) * width + self.columns - 1 - left
        sheet = Sheet(costs.reshape(-1), origin, width, sign, first, end, self.rows, self.columns, top, stop)
        return Block(low, high, left, right, sheet, costs[0])

    def _carry_back(self, block: Block, back: Sides) -> None:
        """Add the products of a block's expected alignment, which has taken the place of its costs."""
        expected = block.costs[None]
        width = self.x.shape[1] - 2
        part_x = np.empty((1, block.high - block.low, width), self.x.dtype)
        self.matmul(expected, self.y[None, block.left : block.right, :width], part_x)
        back[0][block.low : block.high] = part_x[0]
        part_y = np.empty((1, block.right - block.left, width), self.x.dtype)
        self.matmul(expected.transpose(0, 2, 1), self.x[None, block.low : block.high, :width], part_y)
        back[1][block.left : block.right] += part_y[0]

    def _in_range(self, z_m: float, z_e: int) -> bool:
        """Whether no cost was too large for its exponent, going by the largest that the features allow."""
        from posediff.alignment.kernels.cpu import ceiling_of

        sizes = [np.sqrt((side.astype(np.float64) ** 2).sum(axis=1).max()) for side in (self.x, self.y)]
        reach = sizes[0] * sizes[1] * self.batch.factor[self.item] + 2.0 * self.batch.bits[self.item]
        ceiling, steps = ceiling_of(self.batch.costs), self.rows + self.columns
        within = reach < ceiling and reach * steps < -0.5 * self.batch.none[0]
        return bool(z_m > 0 and (within or z_e > 4 * steps - ceiling))
