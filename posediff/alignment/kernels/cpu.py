"""Soft-DTW by partition functions, compiled for vector units.

With weights ``w = 2^(-cost log2(e) / gamma)``, the sum over all alignments that end in a cell is

    Z[i,j] = w[i,j] (Z[i-1,j-1] + Z[i-1,j] + Z[i,j-1]),    value = -gamma ln Z[N-1,M-1],

one power a cell where the softmin of the value itself needs three powers and a logarithm (Cuturi & Blondel 2017).
The sums leave every float's range, so each is held as a mantissa and a whole exponent. The expected alignment is
``E = Z Y / Z[N-1,M-1]`` with the backward sum ``Y[i,j] = (wY)[i+1,j+1] + (wY)[i+1,j] + (wY)[i,j+1]``: products only,
where the usual backward recursion takes exponentials of differences of large values and loses its digits in float32.

:func:`forward` runs Z through a sheet (see :mod:`~posediff.alignment.kernels.tiles`) and may keep what it needs to find
Z again: its row above each strip and its lanes at each chunk of steps. :func:`backward` then walks the strips from the
last to the first, a chunk at a time: Z again, then Y and E, all in the nearest caches. Both take their neighbouring row
as a :class:`Carry`, so that a matrix can be cut into sheets: for two cores, or for costs that are made when needed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posediff.alignment.kernels.compilation import compiled, inlined
from posediff.alignment.kernels.simd import (
    choose,
    exp2_parts,
    exponent_of,
    lane_is,
    lanes_of,
    largest,
    less,
    load,
    positive,
    push_down,
    push_up,
    scale,
    smallest,
    splat,
    store,
    store_lane,
)
from posediff.alignment.kernels.tiles import CHUNK, Sheet, give, pitch_of, strip_of, take

#: What became of a matrix.
FINE, NOT_A_NUMBER, NO_PATH, OUT_OF_RANGE = range(4)


class Scaling(NamedTuple):
    """How costs become exponents of 2.

    Attributes:
        factor: log2(e) / gamma, in the costs' type.
        offset: exponent that every cell has besides, in the costs' type; not above 0.
        none: (1,) the exponent of nothing, int32 beside float32 and int64 beside float64.
    """

    factor: float
    offset: float
    none: np.ndarray


class Carry(NamedTuple):
    """One row of sums: column j at ``lanes + j``, with room on both sides."""

    mantissa: np.ndarray
    exponent: np.ndarray


class Kept(NamedTuple):
    """What brings a forward pass back: rows above strips, and lanes where chunks of steps begin."""

    row_m: np.ndarray
    row_e: np.ndarray
    lane_m: np.ndarray
    lane_e: np.ndarray


@compiled
def memory_for(costs, none):
    """Working memory of a pass: a chunk's costs, then weights; their exponents; its rows; when lanes open and close."""
    lanes = lanes_of(costs)
    rows = (lanes // 2) * pitch_of(costs)
    cells = CHUNK * (lanes // 2) * lanes
    skew, power, scratch = np.empty(cells, costs.dtype), np.empty(cells, none.dtype), np.empty(rows, costs.dtype)
    return skew, power, scratch, np.empty(lanes, none.dtype), np.empty(lanes, none.dtype)


@compiled
def ceiling_of(costs):
    """The exponent that a cell's weight can have at most, in size: larger ones have no fraction left."""
    return 1 << 22 if costs.itemsize == 4 else 1 << 51


@compiled
def entry(costs, columns, none, opened, bits):
    """The row above the first: one way into the first cell or, opened, into every cell of the first row.

    A cell is entered from the diagonal and from above. Opened, the two together are 1 where the values fall by
    ``bits`` from column to column as the costs of a path do that begins there (see :func:`penalised`).
    """
    lanes = lanes_of(costs)
    carry = Carry(np.zeros(columns + 3 * lanes, costs.dtype), np.full(columns + 3 * lanes, none[0]))
    if not opened:
        carry.mantissa[lanes - 1] = 1.0
        carry.exponent[lanes - 1] = 0
        return carry
    for j in range(-1, columns):
        power = -(j + 1) * bits - np.log2(1.0 + 2.0**-bits)
        carry.mantissa[lanes + j] = 2.0 ** (power - np.floor(power))
        carry.exponent[lanes + j] = int(np.floor(power))
    return carry


@compiled
def turned(carry, columns, lanes):
    """The same row, read from the other end."""
    other = Carry(np.zeros_like(carry.mantissa), np.full_like(carry.exponent, carry.exponent.min()))
    for j in range(-1, columns + 1):
        other.mantissa[lanes + j] = carry.mantissa[lanes + columns - 1 - j]
        other.exponent[lanes + j] = carry.exponent[lanes + columns - 1 - j]
    return other


@inlined
def add_up(own_m, own_e, side_m, side_e, diagonal_m, diagonal_e):
    """The sum of three, as a mantissa and an exponent; the order matters for speed: the one that is ready last ends."""
    top = largest(largest(own_e, diagonal_e), side_e)
    total = scale(diagonal_m, diagonal_e, top) + scale(side_m, side_e, top)
    return total + scale(own_m, own_e, top), top


@inlined
def renew(mantissa, exponent, none):
    """Move what mantissas have gained or lost into the exponents."""
    shift, some = exponent_of(mantissa), positive(mantissa)
    plain = choose(some, scale(mantissa, none - none, shift), mantissa)
    return plain, choose(some, largest(exponent + shift, none), none)


@compiled
def weigh(skew, power, steps, costs, scaling, lowest):
    """Turn a chunk's costs into mantissas and exponents of weights; gives the lowest cost that was met in each lane.

    A cost beyond the largest exponent becomes a weight of 0; what cannot be told from it is found out afterwards.
    """
    lanes = lanes_of(costs)
    limit = splat(costs, (ceiling_of(costs) + scaling.offset) / scaling.factor)
    factor, offset, zero = splat(costs, -scaling.factor), splat(costs, scaling.offset), splat(costs, 0.0)
    for q in range(steps):
        cost = load(skew, q * lanes)
        lowest = smallest(cost, lowest)
        weight, exponent = exp2_parts(smallest(limit, cost), factor, offset)
        store(skew, q * lanes, choose(less(cost, limit), weight, zero))
        store(power, q * lanes, exponent)
    return lowest


@inlined
def climb(state, carry, start, blocks, skew, power, nothing, last):
    """Run the sums through a chunk whose weights are known; the last lane's become the carry."""
    mantissa, exponent, diagonal_m, diagonal_e = state
    lanes = lanes_of(skew)
    half = lanes // 2
    for block in range(blocks):
        for q in range(block * half, (block + 1) * half):
            above_m = push_up(mantissa, carry.mantissa, start + q)
            above_e = push_up(exponent, carry.exponent, start + q)
            total, top = add_up(mantissa, exponent, above_m, above_e, diagonal_m, diagonal_e)
            diagonal_m, diagonal_e = above_m, above_e
            mantissa, exponent = total * load(skew, q * lanes), top + load(power, q * lanes)
            store_lane(carry.mantissa, start + q - last, mantissa, last)
            store_lane(carry.exponent, start + q - last, exponent, last)
        mantissa, exponent = renew(mantissa, exponent, nothing)
        diagonal_m, diagonal_e = renew(diagonal_m, diagonal_e, nothing)  # a path along the diagonal is seen only here
    return mantissa, exponent, diagonal_m, diagonal_e


@compiled
def forward(sheet, scaling, carry, keep):
    """Run the sums through a sheet.

    Args:
        sheet, scaling: see there.
        carry: the row above the sheet; becomes its last row.
        keep: whether to keep what brings the pass back.

    Returns:
        The lowest cost, and what was kept.
    """
    costs, none = sheet.costs, scaling.none
    lanes = lanes_of(costs)
    half = lanes // 2
    pitch = carry.mantissa.size
    strips = (sheet.stop - sheet.top + lanes - 1) // lanes
    chunks = ((sheet.columns + lanes) // half + CHUNK) // CHUNK if keep else 0
    row_m = np.empty(strips * pitch if keep else 0, costs.dtype)
    row_e = np.empty(strips * pitch if keep else 0, none.dtype)
    lane_m = np.empty(strips * chunks * 2 * lanes, costs.dtype)
    lane_e = np.empty(strips * chunks * 2 * lanes, none.dtype)
    # Locals rather than a named tuple: numba frees arrays of a tuple that is made and used in one function too early.
    skew, power, scratch, opens, closes = memory_for(costs, none)
    zero, nothing = splat(costs, 0.0), splat(none, none[0])
    is_first = lane_is(costs, 0)
    lowest = splat(costs, np.inf)
    for number in range(strips):
        strip = strip_of(sheet, sheet.top + number * lanes, opens, closes)
        if keep:
            row_m[number * pitch : (number + 1) * pitch] = carry.mantissa
            row_e[number * pitch : (number + 1) * pitch] = carry.exponent
        before = lanes + strip.begin - 1
        mantissa, exponent = zero, nothing
        diagonal_m = choose(is_first, splat(costs, carry.mantissa[before]), zero)
        diagonal_e = choose(is_first, splat(none, carry.exponent[before]), nothing)
        for chunk in range(0, strip.blocks, CHUNK):
            blocks = min(CHUNK, strip.blocks - chunk)
            step = strip.begin + chunk * half
            if keep:
                at = (number * chunks + chunk // CHUNK) * 2 * lanes
                store(lane_m, at, mantissa)
                store(lane_e, at, exponent)
                store(lane_m, at + lanes, diagonal_m)
                store(lane_e, at + lanes, diagonal_e)
            take(sheet, strip, step, blocks, opens, closes, skew, scratch)
            lowest = weigh(skew, power, blocks * half, costs, scaling, lowest)
            lane = (mantissa, exponent, diagonal_m, diagonal_e)
            if strip.last == lanes - 1:  # a lane that is known beforehand is read faster
                lane = climb(lane, carry, lanes + step, blocks, skew, power, nothing, lanes - 1)
            else:
                lane = climb(lane, carry, lanes + step, blocks, skew, power, nothing, strip.last)
            mantissa, exponent, diagonal_m, diagonal_e = lane
        # What has not been written over belongs to rows above.
        written = lanes + strip.begin - strip.last
        for j in range(lanes - 1, written):
            carry.mantissa[j], carry.exponent[j] = 0.0, none[0]
        for j in range(written + strip.blocks * half, lanes + sheet.columns + 1):
            carry.mantissa[j], carry.exponent[j] = 0.0, none[0]
    store(scratch, 0, lowest)
    return scratch[:lanes].min(), Kept(row_m, row_e, lane_m, lane_e)


@compiled
def backward(sheet, scaling, carry, kept, z_m, z_e, out, row_sums, column_sums):
    """Write the expected alignment of a sheet, and its sums.

    Args:
        sheet, scaling: as for :func:`forward`, which has kept ``kept``.
        carry: the weighted backward sums of the row below the sheet; becomes those of its first row.
        z_m, z_e: the sum over all alignments.
        out: where to write, laid out as the costs; may be the costs themselves.
        row_sums: (N,), to be written for the sheet's rows.
        column_sums: (M,), to be added to.
    """
    costs, none = sheet.costs, scaling.none
    lanes = lanes_of(costs)
    half = lanes // 2
    pitch = carry.mantissa.size
    strips = (sheet.stop - sheet.top + lanes - 1) // lanes
    chunks = ((sheet.columns + lanes) // half + CHUNK) // CHUNK
    written = Sheet(
        out,
        sheet.origin,
        sheet.stride,
        sheet.sign,
        sheet.first,
        sheet.end,
        sheet.rows,
        sheet.columns,
        sheet.top,
        sheet.stop,
    )
    skew, power, scratch, opens, closes = memory_for(costs, none)
    sums_m, sums_e = np.empty_like(skew), np.empty_like(power)
    zero, nothing = splat(costs, 0.0), splat(none, none[0])
    inverse, level, lowest = splat(costs, 1.0 / z_m), splat(none, z_e), splat(costs, 0.0)
    for number in range(strips - 1, -1, -1):
        shares = zero
        strip = strip_of(sheet, sheet.top + number * lanes, opens, closes)
        is_last = lane_is(costs, strip.last)
        behind = lanes + strip.begin + strip.blocks * half - strip.last
        mantissa, exponent = zero, nothing
        diagonal_m = choose(is_last, splat(costs, carry.mantissa[behind]), zero)
        diagonal_e = choose(is_last, splat(none, carry.exponent[behind]), nothing)
        for j in range(behind, lanes + sheet.columns + 1):
            carry.mantissa[j], carry.exponent[j] = 0.0, none[0]
        for chunk in range((strip.blocks - 1) // CHUNK * CHUNK, -1, -CHUNK):
            blocks = min(CHUNK, strip.blocks - chunk)
            step = strip.begin + chunk * half
            take(sheet, strip, step, blocks, opens, closes, skew, scratch)
            weigh(skew, power, blocks * half, costs, scaling, lowest)
            at = (number * chunks + chunk // CHUNK) * 2 * lanes
            sum_m, sum_e = load(kept.lane_m, at), load(kept.lane_e, at)
            corner_m, corner_e = load(kept.lane_m, at + lanes), load(kept.lane_e, at + lanes)
            for block in range(blocks):
                for q in range(block * half, (block + 1) * half):
                    now = number * pitch + lanes + step + q
                    above_m, above_e = push_up(sum_m, kept.row_m, now), push_up(sum_e, kept.row_e, now)
                    total, top = add_up(sum_m, sum_e, above_m, above_e, corner_m, corner_e)
                    corner_m, corner_e = above_m, above_e
                    sum_m, sum_e = total * load(skew, q * lanes), top + load(power, q * lanes)
                    store(sums_m, q * lanes, sum_m)
                    store(sums_e, q * lanes, sum_e)
                sum_m, sum_e = renew(sum_m, sum_e, nothing)
                corner_m, corner_e = renew(corner_m, corner_e, nothing)
            for block in range(blocks - 1, -1, -1):
                for q in range((block + 1) * half - 1, block * half - 1, -1):
                    now = lanes + step + q
                    below_m = push_down(mantissa, carry.mantissa, now - strip.last)
                    below_e = push_down(exponent, carry.exponent, now - strip.last)
                    if strip.last < lanes - 1:  # the row below enters at the last lane in use
                        below_m = choose(is_last, splat(costs, carry.mantissa[now - strip.last]), below_m)
                        below_e = choose(is_last, splat(none, carry.exponent[now - strip.last]), below_e)
                    total, top = add_up(mantissa, exponent, below_m, below_e, diagonal_m, diagonal_e)
                    diagonal_m, diagonal_e = below_m, below_e
                    mantissa, exponent = total * load(skew, q * lanes), top + load(power, q * lanes)
                    share = total * (load(sums_m, q * lanes) * inverse)
                    share = scale(share, load(sums_e, q * lanes) + top, level)
                    shares = shares + share
                    store(skew, q * lanes, share)
                    store_lane(carry.mantissa, now, mantissa, 0)
                    store_lane(carry.exponent, now, exponent, 0)
                mantissa, exponent = renew(mantissa, exponent, nothing)
                diagonal_m, diagonal_e = renew(diagonal_m, diagonal_e, nothing)
            give(written, strip, step, blocks, opens, closes, skew, scratch, column_sums)
        for j in range(lanes - 1, lanes + strip.begin):
            carry.mantissa[j], carry.exponent[j] = 0.0, none[0]
        store(scratch, 0, shares)
        for lane in range(strip.last + 1):
            row = sheet.top + number * lanes + lane
            row_sums[row if sheet.sign > 0 else sheet.rows - 1 - row] = scratch[lane]
