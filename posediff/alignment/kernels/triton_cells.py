# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls, allow-untyped-decorators
"""Cells, tiles and strips of soft-DTW's lattice: the device functions that the kernels of ``triton.py`` share.

A *pair* is a number as a float32 mantissa and an int32 exponent; a *word* is a pair in 64 bits. A lane owns two rows
and handles a *tile* of 2 x 4 cells a step; lane l is at block t - l - 1 of four columns in step t. ``BACK`` means from
the end of the lattice to its begin: then everything is in the opposite order, and "above" is the row below.
"""

from __future__ import annotations

import triton  # type: ignore[import-not-found,import-untyped,unused-ignore]
import triton.language as tl  # type: ignore[import-not-found,import-untyped,unused-ignore]

#: Lanes of a program: a warp. Each has two rows, so that a strip has twice as many.
LANES = tl.constexpr(32)
#: Steps between two saved states of alpha, a multiple of 4.
CHUNK = tl.constexpr(8)

#: Adding 1.5 * 2^23 rounds a float32 to an integer and leaves it in the low bits.
MAGIC, MAGIC_BITS = tl.constexpr(12582912.0), tl.constexpr(0x4B400000)
#: The float whose bits are MAGIC_BITS - 2^30: it gives a forbidden cell's weight the exponent -2^30.
LEAST = tl.constexpr(1.5 * 2.0**-105)
#: No exponent is lower, and the cells out of reach have it, with mantissa 0: they never outdo another cell's exponent.
FLOOR = tl.constexpr(-(2**30) + 2**27)
#: The word of a cell out of reach; the exponent, and the word, of a cell that has not been computed yet.
EMPTY, UNSET, UNSET_WORD = tl.constexpr((-(2**30) + 2**27) << 32), tl.constexpr(-(2**31)), tl.constexpr(-(2**63))


@triton.jit
def pack(pair):
    """A pair as a word."""
    return (pair[1].to(tl.int64) << 32) | pair[0].to(tl.uint32, bitcast=True).to(tl.int64)


@triton.jit
def unpack(word):
    """A word as a pair."""
    return word.to(tl.int32).to(tl.float32, bitcast=True), (word >> 32).to(tl.int32)


@triton.jit
def normalised(pair):
    """The same number with a mantissa from 1 to 2."""
    field = pair[0].to(tl.int32, bitcast=True) >> 23
    return pair[0] * ((254 - field) << 23).to(tl.float32, bitcast=True), tl.maximum(pair[1] + field - 127, FLOOR)


@triton.jit
def weight(cost, scale):
    """2^(-cost scale) with a mantissa near 1; 0 with exponent -2^30 for an infinite cost, NaN for NaN."""
    rounded = tl.maximum(tl.fma(cost, -scale, MAGIC), LEAST, propagate_nan=tl.PropagateNan.ALL)
    return tl.exp2(tl.fma(cost, -scale, -(rounded - MAGIC))), rounded.to(tl.int32, bitcast=True) - MAGIC_BITS


@triton.jit
def power(exponent, low, shift):
    """2^(exponent - low - 127) by its bits, and 0 from ``low`` down; ``shift`` is -low at an exponent's place."""
    return ((tl.maximum(exponent, low) << 23) + shift).to(tl.float32, bitcast=True)


@triton.jit
def cell(diagonal, up, left, cost, scale):
    """The sum of the three cells before a cell, and this sum times the cell's weight."""
    exponent = tl.maximum(tl.maximum(diagonal[1], up[1]), left[1])
    low = exponent - 127
    shift = -(low << 23)
    total = diagonal[0] * power(diagonal[1], low, shift)
    total = tl.fma(up[0], power(up[1], low, shift), total)
    total = tl.fma(left[0], power(left[1], low, shift), total)
    own = weight(cost, scale)
    return (total, exponent), (total * own[0], tl.maximum(exponent + own[1], FLOOR))


@triton.jit
def four(corner, above, left, costs, scale):
    """Four cells of a row in the order of the sweep: their sums before and after weighting."""
    sum0, cell0 = cell(corner, above[0], left, costs[0], scale)
    sum1, cell1 = cell(above[0], above[1], cell0, costs[1], scale)
    sum2, cell2 = cell(above[1], above[2], cell1, costs[2], scale)
    sum3, cell3 = cell(above[2], above[3], cell2, costs[3], scale)
    return (sum0, sum1, sum2, sum3), (cell0, cell1, cell2, cell3)


@triton.jit
def shifted(pair, entering, column, source, enters):
    """The neighbouring lane's pair; on the lane where the strip is entered, that of the entering row."""
    at = tl.zeros_like(source) + column
    mantissa = tl.where(enters, tl.gather(entering[0], at, 0), tl.gather(pair[0], source, 0))
    return mantissa, tl.where(enters, tl.gather(entering[1], at, 0), tl.gather(pair[1], source, 0))


@triton.jit
def advance(state, entering, column, near, far, scale, enter, BACK: tl.constexpr):
    """One step of all lanes: the state after it, the cells of the near and the far row, and their unweighted sums.

    ``state``: the last cells of the lane's two rows, the other three of its far row, and the cell diagonally before the
    next tile. ``near`` and ``far``: the costs of the two rows. ``entering``: the row above the lane ``enter``.
    """
    lane = tl.arange(0, LANES)
    source, enters = (lane + (1 if BACK else LANES - 1)) % LANES, lane == enter
    above0 = shifted(state[2], entering, column + (3 if BACK else 0), source, enters)
    above1 = shifted(state[3], entering, column + (2 if BACK else 1), source, enters)
    above2 = shifted(state[4], entering, column + (1 if BACK else 2), source, enters)
    above3 = shifted(state[1], entering, column + (0 if BACK else 3), source, enters)
    near_sums, near_cells = four(state[5], (above0, above1, above2, above3), state[0], near, scale)
    far_sums, far_cells = four(state[0], near_cells, state[1], far, scale)
    state = near_cells[3], far_cells[3], far_cells[0], far_cells[1], far_cells[2], above3
    return state, (near_cells, far_cells), (near_sums, far_sums)


@triton.jit
def settled(state):
    """The state with normalised mantissas. A step lets them grow by 2^11 at most: every fourth step is often enough."""
    left, corner = (normalised(state[0]), normalised(state[1])), normalised(state[5])
    return left[0], left[1], normalised(state[2]), normalised(state[3]), normalised(state[4]), corner


@triton.jit
def save(pointer, state):
    """Write a state."""
    for k in tl.static_range(6):
        tl.store(pointer + k * LANES + tl.arange(0, LANES), pack(state[k]))


@triton.jit
def saved(pointer, there):
    """A saved state; cells out of reach where it is not there."""
    at = pointer + tl.arange(0, LANES)
    left = unpack(tl.load(at, mask=there, other=EMPTY)), unpack(tl.load(at + LANES, mask=there, other=EMPTY))
    far0 = unpack(tl.load(at + 2 * LANES, mask=there, other=EMPTY))
    far1 = unpack(tl.load(at + 3 * LANES, mask=there, other=EMPTY))
    far2 = unpack(tl.load(at + 4 * LANES, mask=there, other=EMPTY))
    return left[0], left[1], far0, far1, far2, unpack(tl.load(at + 5 * LANES, mask=there, other=EMPTY))


@triton.jit
def extent(rows, columns, b, OPEN_END: tl.constexpr):
    """Rows and columns of item b, and the number of rows below them that lead to its exit."""
    n, m = tl.load(rows + b).to(tl.int32), tl.load(columns + b).to(tl.int32)
    return n, m, (2 - n % 2 if OPEN_END else n % 2)


@triton.jit
def limits(row, size, first, end, OPEN_END: tl.constexpr):
    """First and end of the columns of a row, or of each of many, that may be used."""
    n, m, exits = size[0], size[1], size[2]
    inside, leads = (row >= 0) & (row < n), (row >= n) & (row < n + exits)
    if first is None:
        low, high, start = row * 0, tl.where(inside, m, 0), 0
    else:
        low = tl.maximum(tl.load(first + row, mask=inside, other=0), 0)
        high = tl.minimum(tl.load(end + row, mask=inside, other=0), m)
        start = tl.maximum(tl.load(first + n - 1), 0)
    low = tl.where(leads, m + row - n, low)
    if OPEN_END:
        low = tl.where(row == n, start, low)
    return low, tl.where(leads, m + row - n + 1, high)


@triton.jit
def strip_of(strip, size, first, end, OPEN_END: tl.constexpr):
    """Of a strip: its rows (the upper one of each lane), their limits, the columns that all rows share, the chunks of
    steps with work in them, and the lane with the last row.
    """
    lane = tl.arange(0, LANES)
    row = 2 * (strip * LANES + lane)
    upper, lower = limits(row, size, first, end, OPEN_END), limits(row + 1, size, first, end, OPEN_END)
    shared = tl.max(tl.maximum(upper[0], lower[0])), tl.min(tl.minimum(upper[1], lower[1]))
    # A row also needs the block with the column before its first, for the diagonal, and on the way back the block with
    # the column behind its last.
    start = tl.minimum(
        tl.where(upper[0] < upper[1], lane + (upper[0] + 3) // 4, 2**24),
        tl.where(lower[0] < lower[1], lane + (lower[0] + 3) // 4, 2**24),
    )
    stop = tl.maximum(
        tl.where(upper[0] < upper[1], lane + upper[1] // 4 + 2, 0),
        tl.where(lower[0] < lower[1], lane + lower[1] // 4 + 2, 0),
    )
    chunks = tl.min(start) // CHUNK, (tl.max(stop) + CHUNK - 1) // CHUNK
    return row, (upper, lower), shared, chunks, tl.minimum(LANES - 1, (size[0] + size[2] - 1) // 2 - strip * LANES)


@triton.jit
def fetch(pointer, step, row, size, width, UNIT: tl.constexpr):
    """The costs of a row's four columns in this step; 0 outside of the matrix."""
    start = 4 * (step - 1 - tl.arange(0, LANES))
    column = start[:, None] + tl.arange(0, 4)[None, :]
    if UNIT == 4:  # masked by whole blocks, so that one load brings four columns
        mask = ((row < size[0]) & (start >= 0) & (start < width))[:, None]
    else:
        mask = (row < size[0])[:, None] & (column >= 0) & (column < width)
    return tl.load(pointer[:, None] + column, mask=mask, other=0.0)


@triton.jit
def tiles_at(pointers, step, row, size, width, UNIT: tl.constexpr):
    """The costs of both rows."""
    return fetch(pointers[0], step, row, size, width, UNIT), fetch(pointers[1], step, row + 1, size, width, UNIT)


@triton.jit
def give(pointer, step, row, height, width, parts, UNIT: tl.constexpr):
    """Write four columns of each lane's row."""
    start = 4 * (step - 1 - tl.arange(0, LANES))
    column = start[:, None] + tl.arange(0, 4)[None, :]
    if UNIT == 4:
        mask = ((row < height) & (start >= 0) & (start < width))[:, None]
    else:
        mask = (row < height)[:, None] & (column >= 0) & (column < width)
    tile = tl.join(tl.join(parts[0], parts[2]), tl.join(parts[1], parts[3]))
    tl.store(pointer[:, None] + column, tl.reshape(tile, (LANES, 4)), mask=mask)


@triton.jit
def extra(row, size, price, OPEN_END: tl.constexpr):
    """What a step penalty adds to a row's costs; the first row below an open end gets weight 2^(-price scale)."""
    return tl.where(row < size[0], 2 * price, tl.where(row == size[0], price if OPEN_END else 0.0, 0.0))


@triton.jit
def bounded(tiles, step, own, shared, extras):
    """The costs of both rows, infinite outside of their limits."""
    upper, lower = tiles[0], tiles[1]
    if extras is not None:
        upper += extras[0][:, None]
        lower += extras[1][:, None]
    if (4 * (step - LANES) < shared[0]) | (4 * step > shared[1]):
        column = 4 * (step - 1 - tl.arange(0, LANES))[:, None] + tl.arange(0, 4)[None, :]
        upper = tl.where((column >= own[0][0][:, None]) & (column < own[0][1][:, None]), upper, float("inf"))
        lower = tl.where((column >= own[1][0][:, None]) & (column < own[1][1][:, None]), lower, float("inf"))
    return upper, lower


@triton.jit
def columns_of(tile, BACK: tl.constexpr):
    """The four columns of a tile in the order of the sweep."""
    even, odd = tl.split(tl.reshape(tile, (LANES, 2, 2)))
    column0, column2 = tl.split(even)
    column1, column3 = tl.split(odd)
    if BACK:
        return column3, column2, column1, column0
    else:
        return column0, column1, column2, column3


@triton.jit
def entry(column, size, ratio, OPEN_BEGIN: tl.constexpr, BACK: tl.constexpr):
    """Words of the row above the first, where a path begins; on the way back, of the row below the exit."""
    bits = tl.zeros_like(column).to(tl.float64)
    if BACK:
        there = column == size[1] + size[2]
    elif OPEN_BEGIN:
        there = column >= -1
        bits = (column + 1).to(tl.float64) * ratio
    else:
        there = column == -1
    whole = tl.floor(bits)
    mantissa = tl.where(there, tl.exp2((bits - whole).to(tl.float32)), 0.0)
    return pack((mantissa, tl.where(there, tl.maximum(whole, -(2.0**29)).to(tl.int32), FLOOR)))


@triton.jit
def words_before(line, column, own, outermost, size, ratio, OPEN_BEGIN: tl.constexpr, BACK: tl.constexpr):
    """Words of the row above a strip as far as they have been computed; empty in columns that it does not use."""
    if outermost:
        words = entry(column, size, ratio, OPEN_BEGIN, BACK)
    else:
        inside = (column >= own[0]) & (column < own[1])
        words = tl.load(line + column, mask=inside, other=EMPTY, volatile=True)
    return words
