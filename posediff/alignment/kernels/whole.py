"""Soft-DTW of whole matrices, compiled: what lies between two cores' passes and at both ends of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posediff.alignment.kernels.compilation import compiled
from posediff.alignment.kernels.cpu import (
    FINE,
    NO_PATH,
    NOT_A_NUMBER,
    OUT_OF_RANGE,
    Carry,
    Kept,
    Scaling,
    backward,
    ceiling_of,
    entry,
    forward,
    turned,
)
from posediff.alignment.kernels.simd import lanes_of
from posediff.alignment.kernels.tiles import Sheet


class Batch(NamedTuple):
    """Matrices of a padded batch.

    Attributes:
        costs: all of them as one array.
        height, width: of the padded matrices.
        first, end: (B, N) the range of columns of every row.
        rows, columns: (B,) true lengths.
        factor: (B,) log2(e) / gamma.
        bits: (B,) exponent of a step that is not diagonal, 0 or more.
        open_begin, open_end: whether an alignment may begin, and end, at any column.
        none: see :class:`~posediff.alignment.kernels.cpu.Scaling`.
    """

    costs: np.ndarray
    height: int
    width: int
    first: np.ndarray
    end: np.ndarray
    rows: np.ndarray
    columns: np.ndarray
    factor: np.ndarray
    bits: np.ndarray
    open_begin: bool
    open_end: bool
    none: np.ndarray


class Results(NamedTuple):
    """What is found for each matrix.

    Attributes:
        logarithm: (B,) log2 of the sum over all alignments.
        state: (B,) one of ``FINE``, ``NOT_A_NUMBER``, ``NO_PATH``, ``OUT_OF_RANGE``.
        row_sums: (B, N) sums of the expected alignment by row.
        column_sums: (2, B, M) the same by column, of the passes from either end.
        begin, end: (B,) columns at which an alignment is expected to begin and to end.
    """

    logarithm: np.ndarray
    state: np.ndarray
    row_sums: np.ndarray
    column_sums: np.ndarray
    begin: np.ndarray
    end: np.ndarray


@compiled
def sheet_of(batch: Batch, item: int, sign: int, top: int, stop: int) -> Sheet:
    """Rows of one matrix, read forwards or backwards."""
    rows, columns, width = batch.rows[item], batch.columns[item], batch.width
    origin = item * batch.height * width
    origin += top * width if sign > 0 else (rows - 1 - top) * width + columns - 1
    return Sheet(batch.costs, origin, width, sign, batch.first[item], batch.end[item], rows, columns, top, stop)


@compiled
def scaling_of(batch: Batch, item: int) -> Scaling:
    """A penalty on steps that are not diagonal becomes a cost of all cells.

    A path of L cells from corner to corner has 2 L - N - M such steps: with twice the penalty on every cell it costs
    N + M penalties too much, whichever way it goes.
    """
    kind = batch.costs.dtype.type
    return Scaling(kind(batch.factor[item]), kind(-2.0 * batch.bits[item]), batch.none)


@compiled
def entry_of(batch: Batch, item: int, sign: int) -> Carry:
    """The row before the first one of a matrix that is read forwards or backwards."""
    opened = batch.open_begin if sign > 0 else batch.open_end
    return entry(batch.costs, batch.columns[item], batch.none, opened, batch.bits[item])


@compiled
def meet(above: Carry, below: Carry, columns: int, lanes: int) -> tuple[float, int]:
    """The sum over all alignments through two neighbouring rows, one from each end, as a mantissa and an exponent."""
    top = np.int64(-(1 << 62))
    for j in range(-1, columns):
        for k in range(lanes + columns - 2 - j, lanes + columns - j):
            if above.mantissa[lanes + j] > 0 and below.mantissa[k] > 0:
                top = max(top, np.int64(above.exponent[lanes + j]) + np.int64(below.exponent[k]))
    total = 0.0
    for j in range(-1, columns):
        for k in range(lanes + columns - 2 - j, lanes + columns - j):
            product = np.float64(above.mantissa[lanes + j]) * np.float64(below.mantissa[k])
            if product != 0.0:
                gap = np.int64(above.exponent[lanes + j]) + np.int64(below.exponent[k]) - top
                total += product * 2.0 ** max(gap, -1000) if product > 0 else product  # type: ignore
    return total, top  # type: ignore


@compiled
def judge(batch: Batch, item: int, z_m: float, z_e: int, lowest: float) -> int:
    """Whether a result can be trusted.

    A cost of too large an exponent counts as infinite, which may go unnoticed. So may a path around forbidden cells:
    a sum of 0 keeps an exponent, one ceiling below the cells before it, until it is renewed some 32 steps later, and
    sums beside it that have fallen further by then are lost.
    """
    if not z_m >= 0.0:
        return NOT_A_NUMBER
    ceiling = ceiling_of(batch.costs)
    steps = batch.rows[item] + batch.columns[item]
    if z_m > 0.0 and lowest * batch.factor[item] > -1.0 and z_e > 4 * steps - ceiling:
        return FINE
    reach, forbidden = -lowest if lowest < 0.0 else 0.0, False
    for i in range(batch.rows[item]):
        start = (item * batch.height + i) * batch.width
        for cost in batch.costs[start + batch.first[item, i] : start + batch.end[item, i]]:
            if np.isfinite(cost):
                reach = max(reach, cost)
            else:
                forbidden = True
    reach = reach * batch.factor[item] + 2.0 * batch.bits[item]
    if reach >= (ceiling // 64 if forbidden else ceiling) or reach * steps >= -0.5 * batch.none[0]:
        return OUT_OF_RANGE
    return FINE if z_m > 0.0 else NO_PATH


@compiled
def clear(out: np.ndarray, start: int, width: int, first: np.ndarray, end: np.ndarray) -> None:
    """Make zero what is out of the ranges of some rows."""
    for i in range(len(first)):
        row = out[start + i * width : start + (i + 1) * width]
        low, high = min(max(first[i], 0), width), min(max(end[i], 0), width)
        row[:low] = 0.0
        row[high:] = 0.0


@compiled
def clear_item(batch: Batch, item: int, out: np.ndarray) -> None:
    """Make zero what is out of range in one matrix; rows of padding have the range from the end to the end."""
    base = item * batch.height
    clear(out, base * batch.width, batch.width, batch.first[item], batch.end[item])
    out[(base + batch.rows[item]) * batch.width : (base + batch.height) * batch.width] = 0.0


@compiled
def mean_column(row: Carry, entries: Carry, columns: int, lanes: int) -> float:
    """Where alignments are expected to pass between two rows of which the first has no steps along it."""
    top = np.int64(-(1 << 62))
    for j in range(columns):
        if row.mantissa[lanes + j] > 0:
            level = max(np.int64(entries.exponent[lanes + j - 1]), np.int64(entries.exponent[lanes + j]))
            top = max(top, np.int64(row.exponent[lanes + j]) + level)
    total = weighted = 0.0
    for j in range(columns):
        for k in range(lanes + j - 1, lanes + j + 1):
            gap = np.int64(row.exponent[lanes + j]) + np.int64(entries.exponent[k]) - top
            share = np.float64(row.mantissa[lanes + j]) * np.float64(entries.mantissa[k]) * 2.0 ** max(gap, -1000)  # type: ignore
            total += share
            weighted += share * j
    return weighted / total


@compiled
def settle(batch: Batch, item: int, above: Carry, below: Carry, lowest: float, results: Results) -> tuple[float, int]:
    """Note the value, and give the sum over all alignments, from the carries of both ends that have met."""
    columns, lanes = batch.columns[item], lanes_of(batch.costs)
    z_m, z_e = meet(above, below, columns, lanes)
    results.state[item] = judge(batch, item, z_m, z_e, lowest)
    results.begin[item], results.end[item] = 0.0, columns - 1.0
    if results.state[item] == FINE:
        results.logarithm[item] = np.log2(z_m) + z_e
    return z_m, z_e


@compiled
def write(
    batch: Batch,
    item: int,
    sheet: Sheet,
    carry: Carry,
    kept: Kept,
    z_m: float,
    z_e: int,
    out: np.ndarray,
    results: Results,
) -> None:
    """The expected alignment of a sheet that begins at one end, from the carry of the other (in its direction)."""
    row = turned(carry, batch.columns[item], lanes_of(batch.costs))
    sums = results.row_sums[item], results.column_sums[(1 - sheet.sign) // 2, item]
    backward(sheet, scaling_of(batch, item), row, kept, z_m, z_e, out, sums[0], sums[1])
    note_column(batch, item, sheet.sign, row, results)


@compiled
def note_column(batch: Batch, item: int, sign: int, row: Carry, results: Results) -> None:
    """Note where alignments begin (sign 1) or end, from the weighted sums of the row at that end."""
    columns = batch.columns[item]
    if sign > 0 and batch.open_begin:
        results.begin[item] = mean_column(row, entry_of(batch, item, 1), columns, lanes_of(batch.costs))
    if sign < 0 and batch.open_end:
        mean = mean_column(row, entry_of(batch, item, -1), columns, lanes_of(batch.costs))
        results.end[item] = columns - 1 - mean


@compiled
def align(batch: Batch, low: int, high: int, out: np.ndarray, gradient: bool, results: Results) -> None:
    """Items ``low`` to ``high``, one after the other on one core."""
    for item in range(low, high):
        sheet = sheet_of(batch, item, 1, 0, batch.rows[item])
        carry, end = entry_of(batch, item, 1), entry_of(batch, item, -1)
        lowest, kept = forward(sheet, scaling_of(batch, item), carry, gradient)
        z_m, z_e = settle(batch, item, carry, end, lowest, results)
        if gradient and results.state[item] == FINE:
            note_column(batch, item, -1, turned(carry, batch.columns[item], lanes_of(batch.costs)), results)
            write(batch, item, sheet, end, kept, z_m, z_e, out, results)
            clear_item(batch, item, out)


@compiled
def from_one_end(batch: Batch, item: int, sign: int, stop: int, gradient: bool) -> tuple[Sheet, Carry, float, Kept]:
    """The pass from one end of an item up to a row, in the pass's own direction."""
    sheet = sheet_of(batch, item, sign, 0, stop)
    carry = entry_of(batch, item, sign)
    lowest, kept = forward(sheet, scaling_of(batch, item), carry, gradient)
    return sheet, carry, lowest, kept


@compiled
def copy_of(carry: Carry) -> Carry:
    """A carry of its own."""
    return Carry(carry.mantissa.copy(), carry.exponent.copy())


@compiled
def write_block(
    sheet: Sheet,
    scaling: Scaling,
    above: Carry,
    row: Carry,
    z_m: float,
    z_e: int,
    out: np.ndarray,
    left: int,
    row_sums: np.ndarray,
    column_sums: np.ndarray,
) -> None:
    """The expected alignment of a block in its own memory; ``row`` moves on to the block's first row.

    Args:
        sheet, scaling: of the block.
        above: the row of sums above it, in its direction.
        row: the weighted sums of the row below it.
        z_m, z_e: the sum over all alignments.
        out: the block's memory.
        left: the column at which its memory begins.
        row_sums, column_sums: as for :func:`~posediff.alignment.kernels.cpu.backward`.
    """
    _, kept = forward(sheet, scaling, above, True)
    backward(sheet, scaling, row, kept, z_m, z_e, out, row_sums, column_sums)
    low, high = sheet.top, sheet.stop
    if sheet.sign < 0:
        low, high = sheet.rows - high, sheet.rows - low
    clear(out, 0, sheet.stride, sheet.first[low:high] - left, sheet.end[low:high] - left)
