"""Strips of rows of a cost matrix, skewed so that the lanes of a vector lie on an anti-diagonal.

A strip has as many rows as a vector has lanes; at step t, lane l is at column t - l, so that no lane waits for another.
The matrix lies row by row in memory: tiles of half as many rows and steps are transposed on the way in and out.

A *sheet* is the part of a matrix that one pass works on. With ``sign`` -1 it is read from its last cell to its first,
which turns the backward recursion of soft-DTW into the forward one.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posediff.alignment.kernels.compilation import compiled
from posediff.alignment.kernels.simd import (
    choose,
    lanes_of,
    less,
    load,
    splat,
    store,
)
from posediff.alignment.kernels.transpose import gather, scatter

#: Tiles that are brought in at once: long runs of a row, little enough to stay in the nearest cache.
CHUNK = 4


class Sheet(NamedTuple):
    """Rows ``top`` to ``stop`` of one matrix of a batch, in the sheet's own direction.

    Attributes:
        costs: all matrices as one array.
        origin: where the sheet's first cell (row ``top``, column 0) lies.
        stride: columns of the padded matrix.
        sign: 1, or -1 for a sheet that is read backwards.
        first, end: the range of columns of every row, in the direction of the matrix.
        rows, columns: of the matrix without padding.
        top, stop: rows of the sheet.
    """

    costs: np.ndarray
    origin: int
    stride: int
    sign: int
    first: np.ndarray
    end: np.ndarray
    rows: int
    columns: int
    top: int
    stop: int


class Strip(NamedTuple):
    """As many rows as there are lanes.

    Attributes:
        corner: where the strip's first cell lies.
        last: the last lane in use.
        begin, stop: steps at which the first lane enters and the last one leaves its range.
        inner, outer: all lanes are in their ranges from step ``inner`` to step ``outer``.
        blocks: tiles from ``begin`` to ``stop``.
    """

    corner: int
    last: int
    begin: int
    stop: int
    inner: int
    outer: int
    blocks: int


@compiled
def strip_of(sheet, row, opens, closes):
    """The strip from a row on; writes at which steps each lane opens and closes."""
    lanes = lanes_of(sheet.costs)
    last = min(lanes, sheet.stop - row) - 1
    opens[:] = 0
    closes[:] = 0
    for lane in range(last + 1):
        k = row + lane if sheet.sign > 0 else sheet.rows - 1 - row - lane
        low, high = sheet.first[k], sheet.end[k]
        if sheet.sign < 0:
            low, high = sheet.columns - high, sheet.columns - low
        opens[lane] = low + lane
        closes[lane] = high + lane
    begin, stop = opens[0], closes[last]  # ranges never move backwards
    inner, outer = opens[last], closes[0] if last == lanes - 1 else 0
    half = lanes // 2
    corner = sheet.origin + sheet.sign * (row - sheet.top) * sheet.stride
    return Strip(corner, last, begin, stop, inner, outer, (stop - begin + half - 1) // half)


@compiled
def pitch_of(costs):
    """How far apart rows lie in the scratch of a chunk: no power of two, so that they do not meet in the cache."""
    return (CHUNK + 1) * (lanes_of(costs) // 2)


@compiled
def run_of(sheet, strip, group, step, blocks):
    """Where in memory the run of a chunk begins in the first row of half of the lanes, and how far apart runs are."""
    half = lanes_of(sheet.costs) // 2
    across = sheet.sign * (sheet.stride - 1)
    start = strip.corner + group * half * across + sheet.sign * step
    return start if sheet.sign > 0 else start - (blocks * half - 1), across


@compiled
def take(sheet, strip, step, blocks, opens, closes, skew, scratch):
    """Bring in a chunk of tiles: row q of ``skew`` holds the lanes' costs q steps later, infinite out of range.

    Each row's run is read at once and transposed in the scratch: rows of a matrix whose width is a power of two share
    few places of the cache, where a tile read column by column would throw out its own lines.
    """
    costs = sheet.costs
    lanes = lanes_of(costs)
    half = lanes // 2
    pitch, length = pitch_of(costs), blocks * half
    for group in range(2):
        start, across = run_of(sheet, strip, group, step, blocks)
        for r in range(half):
            source, target = start + r * across, r * pitch
            if source >= 0 and source + CHUNK * half <= costs.size:
                for k in range(CHUNK // 2):
                    store(scratch, target + k * lanes, load(costs, source + k * lanes))
            else:  # the run begins before the first matrix or ends behind the last
                for k in range(length):
                    inside = 0 <= source + k < costs.size
                    scratch[target + k] = costs[source + k] if inside else np.inf
        for block in range(blocks):
            if sheet.sign > 0:
                gather(scratch, block * half, pitch, skew, block * half * lanes + group * half, lanes)
            else:
                last = ((block + 1) * half - 1) * lanes + group * half
                gather(scratch, (blocks - 1 - block) * half, pitch, skew, last, -lanes)
    if step < strip.inner or step + length > strip.outer:
        opening, closing, outside = load(opens, 0), load(closes, 0), splat(costs, np.inf)
        for q in range(length):
            now = splat(opens, step + q)
            value = choose(less(now, closing), load(skew, q * lanes), outside)
            store(skew, q * lanes, choose(less(now, opening), outside, value))


@compiled
def give(sheet, strip, step, blocks, opens, closes, skew, scratch, sums):
    """Write a chunk of tiles back, to the cells in range only, and add them to the sums of the columns."""
    costs = sheet.costs
    lanes = lanes_of(costs)
    half = lanes // 2
    pitch, length = pitch_of(costs), blocks * half
    for group in range(2):
        start, across = run_of(sheet, strip, group, step, blocks)
        for block in range(blocks):
            if sheet.sign > 0:
                scatter(skew, block * half * lanes + group * half, lanes, scratch, block * half, pitch)
            else:
                last = ((block + 1) * half - 1) * lanes + group * half
                scatter(skew, last, -lanes, scratch, (blocks - 1 - block) * half, pitch)
        for r in range(half):
            target, source = start + r * across, r * pitch
            lane = group * half + r
            low = min(max(opens[lane] - step, 0), length)
            high = max(min(closes[lane] - step, length), low)
            if sheet.sign < 0:
                low, high = length - high, length - low
            column = step - lane if sheet.sign > 0 else sheet.columns - step - length + lane
            k = low
            while k + lanes <= high:
                run = load(scratch, source + k)
                store(costs, target + k, run)
                store(sums, column + k, load(sums, column + k) + run)
                k += lanes
            while k < high:
                costs[target + k] = scratch[source + k]
                sums[column + k] += scratch[source + k]
                k += 1
