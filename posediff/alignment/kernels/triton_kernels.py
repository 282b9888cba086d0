# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls, allow-untyped-decorators
"""The kernels of soft-DTW in Triton; ``triton.py`` says how they work together.

Arguments that they share: ``lines`` (direction, B, strips, wide) are the words of the strips' last rows, ``forward``
(B, strips, chunks, 6, LANES) and ``backward`` (B, strips, runs, 6, LANES) the saved states, ``status`` (B,) is set
where costs are out of range. Strides are in units of ``UNIT`` floats.
"""

from __future__ import annotations

import triton  # type: ignore[import-not-found,import-untyped,unused-ignore]
import triton.language as tl  # type: ignore[import-not-found,import-untyped,unused-ignore]

from posediff.alignment.kernels.triton_cells import (
    CHUNK,
    LANES,
    UNSET,
    advance,
    bounded,
    columns_of,
    extent,
    extra,
    give,
    limits,
    normalised,
    pack,
    save,
    saved,
    settled,
    strip_of,
    tiles_at,
    unpack,
    words_before,
)

#: How many chunks of steps a program of the gradient walks back.
RUN = tl.constexpr(4)
#: The largest cost of a cell in bits (cost log2(e) / gamma), of all negative costs of a path together, and of a path.
CELL_BITS, GAIN_BITS, PATH_BITS = tl.constexpr(2.0**22), tl.constexpr(2.0**26), tl.constexpr(2.0**30 - 2.0**28)


@triton.jit
def prices_of(gamma, penalty, b):
    """Bits of a unit of cost, the step penalty, and its bits with a minus."""
    scale = (tl.full((), 1.4426950408889634, tl.float64) / tl.load(gamma + b).to(tl.float64)).to(tl.float32)
    if penalty is None:
        price = scale * 0
    else:
        price = tl.load(penalty + b).to(tl.float32)
    return scale, price, -scale.to(tl.float64) * price.to(tl.float64)


@triton.jit
def sweep(
    pointer, stride, first, end, penalty, lines, states, status, size, strip, strips, prices, width, wide,
    OPEN_BEGIN: tl.constexpr, OPEN_END: tl.constexpr, KEEP: tl.constexpr, BACK: tl.constexpr, UNIT: tl.constexpr,
):  # fmt: skip
    """Alpha of one strip, or with ``BACK`` beta, from the row above it to its last row."""
    row, own, shared, chunks, bottom = strip_of(strip, size, first, end, OPEN_END)
    lane = tl.arange(0, LANES)
    if BACK:
        enter, leave, outermost, turn = bottom, 0, strip == strips - 1, -1
        step = chunks[1] * CHUNK - 1
        above = limits((strip + 1) * 2 * LANES, size, first, end, OPEN_END)
    else:
        enter, leave, outermost, turn = 0, bottom, strip == 0, 1
        step = chunks[0] * CHUNK
        above = limits(strip * 2 * LANES - 1, size, first, end, OPEN_END)
    line, target = lines + (strip - turn) * wide, lines + strip * wide
    extras = (
        None if penalty is None else (extra(row, size, prices[1], OPEN_END), extra(row + 1, size, prices[1], OPEN_END))
    )
    pointer += row.to(tl.int64) * stride * UNIT
    pointers = pointer, pointer + stride * UNIT
    # Costs are asked for two steps ahead, words of the row above a chunk ahead; if these are not there then, again.
    ready = tiles_at(pointers, step, row, size, width, UNIT)
    coming = tiles_at(pointers, step + turn, row, size, width, UNIT)
    place = tl.arange(0, 4 * CHUNK) - 4 * (1 + enter)
    begin = step // CHUNK * CHUNK
    words = words_before(line, 4 * begin + place, above, outermost, size, prices[2], OPEN_BEGIN, BACK)
    state = saved(states, lane < 0)
    lowest, highest = tl.zeros((LANES, 4), tl.float32), tl.zeros((LANES, 4), tl.float32)
    for index in range(chunks[1] - chunks[0]):
        chunk = chunks[1] - 1 - index if BACK else chunks[0] + index
        begin = chunk * CHUNK
        # The loop carries a scalar: Triton before 3.9 cannot compile one that is decided by a tensor which it carries.
        least = tl.min((words >> 32).to(tl.int32))
        while least == UNSET:
            words = words_before(line, 4 * begin + place, above, outermost, size, prices[2], OPEN_BEGIN, BACK)
            least = tl.min((words >> 32).to(tl.int32))
        entering = normalised(unpack(words))
        following = 4 * (begin + turn * CHUNK) + place
        words = words_before(line, following, above, outermost, size, prices[2], OPEN_BEGIN, BACK)
        if KEEP:
            if not BACK:
                save(states + chunk * (6 * LANES), state)
            elif (chunk + 1) % RUN == 0:
                save(states + chunk // RUN * (6 * LANES), state)
        for part in range(CHUNK // 4):
            for quarter in range(4):
                offset = CHUNK - 1 - 4 * part - quarter if BACK else 4 * part + quarter
                step = begin + offset
                tiles = bounded(ready, step, own, shared, extras)
                ready = coming
                coming = tiles_at(pointers, step + 2 * turn, row, size, width, UNIT)
                if not BACK:
                    lowest = tl.minimum(lowest, tl.minimum(tiles[0], tiles[1]))
                    highest = tl.maximum(highest, tl.where(tiles[0] < float("inf"), tiles[0], 0.0))
                    highest = tl.maximum(highest, tl.where(tiles[1] < float("inf"), tiles[1], 0.0))
                near, far = columns_of(tiles[1 if BACK else 0], BACK), columns_of(tiles[0 if BACK else 1], BACK)
                state, cells, _ = advance(state, entering, 4 * offset, near, far, prices[0], enter, BACK)
                column = 4 * (step - 1 - lane)
                leaves = (lane == leave) & (column >= 0) & (column < wide)
                for k in tl.static_range(4):
                    # Greater than what is there, so that the maximum writes it; unlike an exchange, nothing returns.
                    word = pack(cells[1][3 - k if BACK else k])
                    tl.atomic_max(target + column + k, word, mask=leaves, sem="relaxed")
            state = settled(state)
    if not BACK:
        gain = -tl.min(lowest) * prices[0] * (size[0] + size[1])
        if (tl.max(highest) * prices[0] >= CELL_BITS) | (gain >= GAIN_BITS):
            tl.store(status, 1)


@triton.jit(do_not_specialize=["stride", "item", "batch", "height", "width", "strips", "chunks", "wide"])
def sweeps(
    costs, stride, item, first, end, rows, columns, gamma, penalty, lines, forward, backward, status, ticket,
    batch, height, width, strips, chunks, wide,
    OPEN_BEGIN: tl.constexpr, OPEN_END: tl.constexpr, KEEP: tl.constexpr, UNIT: tl.constexpr,
):  # fmt: skip
    """Sweeps of all items in both directions; a ticket's strip waits for strips of smaller tickets alone."""
    ways: tl.constexpr = 2 if KEEP else 1
    drawn = tl.atomic_add(ticket, 1, sem="relaxed")
    order, b, back = drawn // (ways * batch), drawn // ways % batch, drawn % ways
    size = extent(rows, columns, b, OPEN_END)
    own = (size[0] + size[2] + 2 * LANES - 1) // (2 * LANES)
    if first is not None:
        first += b * height
        end += b * height
    if order < own:
        prices = prices_of(gamma, penalty, b)
        costs += b.to(tl.int64) * item * UNIT
        lines += (back * batch + b).to(tl.int64) * strips * wide
        if back == 1:
            strip = own - 1 - order
            states = backward + (b * strips + strip).to(tl.int64) * ((chunks + RUN - 1) // RUN) * (6 * LANES)
            sweep(
                costs, stride, first, end, penalty, lines, states, status + b, size, strip, own, prices, width, wide,
                OPEN_BEGIN, OPEN_END, KEEP, True, UNIT,
            )  # fmt: skip
        else:
            states = forward + (b * strips + order).to(tl.int64) * chunks * (6 * LANES)
            sweep(
                costs, stride, first, end, penalty, lines, states, status + b, size, order, own, prices, width, wide,
                OPEN_BEGIN, OPEN_END, KEEP, False, UNIT,
            )  # fmt: skip


@triton.jit
def exit_of(lines, b, size, strips, wide):
    """Alpha of the exit cell, which is Z."""
    line = b * strips + (size[0] + size[2] - 1) // (2 * LANES)
    return normalised(unpack(tl.load(lines + line.to(tl.int64) * wide + size[1] - 1 + size[2])))


@triton.jit(do_not_specialize=["strips", "wide"])
def values(
    value, rows, columns, gamma, penalty, lines, status, strips, wide, OPEN_BEGIN: tl.constexpr, OPEN_END: tl.constexpr
):
    """-gamma ln Z without what ends and penalties have added."""
    b = tl.program_id(0)
    size = extent(rows, columns, b, OPEN_END)
    z = exit_of(lines, b, size, strips, wide)
    scale, price, ratio = prices_of(gamma, penalty, b)
    bits = tl.log2(z[0]).to(tl.float64) + z[1].to(tl.float64)
    ends: tl.constexpr = (1 if OPEN_BEGIN else 0) + (1 if OPEN_END else 0)
    counted = ends * tl.log2(1.0 + tl.exp2(ratio.to(tl.float32))).to(tl.float64)
    penalties = (size[0] + size[1] + (1 if OPEN_END else 0)) * price.to(tl.float64)
    result = (counted - bits) / scale.to(tl.float64) - penalties
    beyond = (tl.load(status + b) != 0) | ((z[0] > 0) & (bits < -PATH_BITS))
    result = tl.where(z[0] == 0, float("inf"), result)
    tl.store(value + b, tl.where(beyond, -float("inf"), result))


@triton.jit
def share(word, total, z):
    """The value alpha beta / Z of a cell; ``total`` is beta without the cell's own weight."""
    alpha = unpack(word)
    exponent = tl.minimum(tl.maximum(alpha[1] - z[1] + total[1], -127), 127) + 127
    return alpha[0] * z[0] * total[0] * (exponent << 23).to(tl.float32, bitcast=True)


@triton.jit
def shares(kept, sums, z):
    """The expected alignment in four columns; ``sums`` come in the order of a sweep back."""
    return (
        share(tl.load(kept), sums[3], z),
        share(tl.load(kept + LANES), sums[2], z),
        share(tl.load(kept + 2 * LANES), sums[1], z),
        share(tl.load(kept + 3 * LANES), sums[0], z),
    )


@triton.jit(do_not_specialize=["stride", "item", "height", "width", "strips", "chunks", "wide", "tasks"])
def gradients(
    costs, stride, item, out, out_stride, out_item, first, end, rows, columns, gamma, penalty, lines, forward, backward,
    scratch, batch, height, width, strips, chunks, wide, tasks,
    OPEN_BEGIN: tl.constexpr, OPEN_END: tl.constexpr, UNIT: tl.constexpr, OUT_UNIT: tl.constexpr,
):  # fmt: skip
    """The expected alignment, a run of chunks of one strip at a time; nothing waits for anything."""
    lane = tl.arange(0, LANES)
    zero = tl.zeros((LANES,), tl.float32)
    runs = (chunks + RUN - 1) // RUN
    place = tl.arange(0, 4 * CHUNK) - 4
    scratch += tl.program_id(0).to(tl.int64) * (CHUNK * 8 * LANES) + lane
    for task in range(tl.program_id(0), tasks, tl.num_programs(0)):
        run, strip, b = task % runs, task // runs % strips, task // (runs * strips)
        size = extent(rows, columns, b, OPEN_END)
        if first is None:
            band, band_end = None, None
        else:
            band, band_end = first + b * height, end + b * height
        row, own, shared, active, bottom = strip_of(strip, size, band, band_end, OPEN_END)
        scale, price, ratio = prices_of(gamma, penalty, b)
        extras = None if penalty is None else (extra(row, size, price, OPEN_END), extra(row + 1, size, price, OPEN_END))
        final = (size[0] + size[2] - 1) // (2 * LANES)
        above = limits(strip * 2 * LANES - 1, size, band, band_end, OPEN_END)
        below = limits((strip + 1) * 2 * LANES, size, band, band_end, OPEN_END)
        line = lines + (b * strips + strip - 1).to(tl.int64) * wide
        back_line = lines + ((batch + b) * strips + strip + 1).to(tl.int64) * wide
        z = exit_of(lines, b, size, strips, wide)
        inverse = tl.where(z[0] == 0, 0.0, 1.0 / z[0])  # nothing is expected in rows that lead to the exit
        z0, z1 = (tl.where(row < size[0], inverse, 0.0), z[1]), (tl.where(row + 1 < size[0], inverse, 0.0), z[1])
        pointer = costs + b.to(tl.int64) * item * UNIT + row.to(tl.int64) * stride * UNIT
        pointers = pointer, pointer + stride * UNIT
        upper = out + b.to(tl.int64) * out_item * OUT_UNIT + row.to(tl.int64) * out_stride * OUT_UNIT
        lower = upper + out_stride * OUT_UNIT
        states = forward + (b * strips + strip).to(tl.int64) * chunks * (6 * LANES)
        # Where the run holds beta's first step, no state has been saved, and none is needed.
        later = backward + ((b * strips + strip).to(tl.int64) * runs + run) * (6 * LANES)
        later = saved(later, lane * 0 + active[1] > (run + 1) * RUN)
        for index in range(RUN):
            chunk = (run + 1) * RUN - 1 - index
            begin = chunk * CHUNK
            if (chunk >= active[0]) & (chunk < active[1]):
                state = saved(states + chunk * (6 * LANES), lane >= 0)
                words = words_before(line, 4 * begin + place, above, strip == 0, size, ratio, OPEN_BEGIN, False)
                entering = normalised(unpack(words))
                ready = tiles_at(pointers, begin, row, size, width, UNIT)
                coming = tiles_at(pointers, begin + 1, row, size, width, UNIT)
                for part in range(CHUNK // 4):
                    for quarter in range(4):
                        offset = 4 * part + quarter
                        tiles = bounded(ready, begin + offset, own, shared, extras)
                        ready = coming
                        coming = tiles_at(pointers, begin + offset + 2, row, size, width, UNIT)
                        near, far = columns_of(tiles[0], False), columns_of(tiles[1], False)
                        state, cells, _ = advance(state, entering, 4 * offset, near, far, scale, 0, False)
                        for k in tl.static_range(4):
                            tl.store(scratch + (8 * offset + k) * LANES, pack(cells[0][k]))
                            tl.store(scratch + (8 * offset + 4 + k) * LANES, pack(cells[1][k]))
                    state = settled(state)
                tl.debug_barrier()
                below_words = 4 * (begin - bottom) + place
                words = words_before(back_line, below_words, below, strip == final, size, ratio, OPEN_BEGIN, True)
                entering = normalised(unpack(words))
                ready = tiles_at(pointers, begin + CHUNK - 1, row, size, width, UNIT)
                coming = tiles_at(pointers, begin + CHUNK - 2, row, size, width, UNIT)
                for part in range(CHUNK // 4):
                    for quarter in range(4):
                        offset = CHUNK - 1 - 4 * part - quarter
                        step = begin + offset
                        tiles = bounded(ready, step, own, shared, extras)
                        ready = coming
                        coming = tiles_at(pointers, step - 2, row, size, width, UNIT)
                        near, far = columns_of(tiles[1], True), columns_of(tiles[0], True)
                        later, _, sums = advance(later, entering, 4 * offset, near, far, scale, bottom, True)
                        kept = scratch + 8 * offset * LANES
                        give(upper, step, row, height, width, shares(kept, sums[1], z0), OUT_UNIT)
                        give(lower, step, row + 1, height, width, shares(kept + 4 * LANES, sums[0], z1), OUT_UNIT)
                    later = settled(later)
                tl.debug_barrier()
            else:
                for step in range(begin, begin + CHUNK):
                    give(upper, step, row, height, width, (zero, zero, zero, zero), OUT_UNIT)
                    give(lower, step, row + 1, height, width, (zero, zero, zero, zero), OUT_UNIT)
