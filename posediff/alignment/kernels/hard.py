"""Hard DTW, compiled and cell by cell: values in one row of memory, paths in one byte a cell.

The model is that of :func:`posediff.alignment.kernels.reference.align` at gamma 0, its ties included: a match comes
from the diagonal, then from an open begin, then from a step along x, then along y; a way through a match is taken
before one through skipped frames, skipped frames of y before those of x, and the first of several ends.
Sums are in float64. Nothing is checked here.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posediff.alignment.kernels.compilation import compiled
from posediff.alignment.kernels.states import Solution, inside

# A cell's byte: where its match comes from, and which of the two is better in each pair of states (see kernels.skips).
DIAGONAL, BEGIN, ALONG_X, ALONG_Y = range(4)
X_IN_MX, Y_IN_MY, B_IN_XB, XB_IN_ANY = 4, 8, 16, 32
# The pairs of states, in which a path is looked up backwards.
MX, MY, XB, ANY = range(4)


class Path(NamedTuple):
    """The best alignment.

    Attributes:
        value: its cost; infinite where no alignment exists, and the rest is empty then.
        pairs: (L, 2) int64, the frames (i, j) that are matched, in order.
        skipped_x: (N,) bool.
        skipped_y: (M,) bool; frames before an open begin and behind an open end are free, not skipped.
    """

    value: float
    pairs: np.ndarray
    skipped_x: np.ndarray
    skipped_y: np.ndarray


def solve(
    costs: np.ndarray,
    first: np.ndarray,
    end: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    penalty: np.ndarray,
    skip_x: np.ndarray | None = None,
    skip_y: np.ndarray | None = None,
    open_begin: bool = False,
    open_end: bool = False,
    gradient: bool = False,
) -> Solution:
    """Hard DTW of a batch of cost matrices.

    Args:
        costs: (B, N, M) float32 or float64, infinite where a match is forbidden.
        first, end: (B, N) int, the columns of every row in which frames may be matched.
        rows, columns: (B,) int, true lengths.
        penalty: (B,) float, cost of a step that is not diagonal.
        skip_x, skip_y: (B, N) and (B, M) float, costs of skipping a frame, infinite where forbidden; None for nowhere.
        open_begin, open_end: whether frames of y before the first and behind the last match are free.
        gradient: also give the derivatives, those of one of the best alignments: 1 on it (of costs' dtype), else 0.
    """
    count, length_x, length_y = costs.shape
    rows, columns, first, end = inside(costs.shape, rows, columns, first, end)
    skipping = skip_x is not None or skip_y is not None
    value, steps = np.empty(count), np.zeros(count)
    expected = np.zeros((count, length_x, length_y) if gradient else (0, 0, 0), costs.dtype)
    skipped_x, skipped_y = np.zeros((count, length_x), np.bool_), np.zeros((count, length_y), np.bool_)
    _each(
        *(np.ascontiguousarray(costs), first, end, rows, columns, np.ascontiguousarray(penalty, np.float64), skipping),
        *(_skips(skip_x, (count, length_x)), _skips(skip_y, (count, length_y)), bool(open_begin), bool(open_end)),
        *(value, expected, skipped_x, skipped_y, steps),
    )
    if not gradient:
        return Solution(value, None, None, None, None)
    return Solution(value, expected, skipped_x.astype(np.float64), skipped_y.astype(np.float64), steps)


def path(
    costs: np.ndarray,
    first: np.ndarray,
    end: np.ndarray,
    penalty: float = 0.0,
    skip_x: np.ndarray | None = None,
    skip_y: np.ndarray | None = None,
    open_begin: bool = False,
    open_end: bool = False,
) -> Path:
    """The best alignment of one (N, M) cost matrix; arguments as for :func:`solve`, without the batch."""
    rows, columns = costs.shape
    size = np.array([rows]), np.array([columns])
    _, _, (first,), (end,) = inside((1, rows, columns), *size, np.asarray(first)[None], np.asarray(end)[None])
    skipping = skip_x is not None or skip_y is not None
    skip_x, skip_y = _skips(skip_x, (rows,)), _skips(skip_y, (columns,))
    pairs = np.empty((rows + columns, 2), np.int64)
    skipped_x, skipped_y = np.zeros(rows, np.bool_), np.zeros(columns, np.bool_)
    codes = np.empty((rows + 1, columns + 1), np.uint8)
    value, length, _ = _path(
        *(np.ascontiguousarray(costs), first, end, float(penalty), skipping, skip_x, skip_y),
        *(bool(open_begin), bool(open_end), codes, pairs, skipped_x, skipped_y),
    )
    return Path(value, pairs[:length][::-1].copy(), skipped_x, skipped_y)


def _skips(costs: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray:
    return np.full(shape, np.inf) if costs is None else np.ascontiguousarray(costs, np.float64)


@compiled
def _each(
    costs: np.ndarray,
    first: np.ndarray,
    end: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    penalty: np.ndarray,
    skipping: bool,
    skip_x: np.ndarray,
    skip_y: np.ndarray,
    open_begin: bool,
    open_end: bool,
    value: np.ndarray,
    expected: np.ndarray,
    skipped_x: np.ndarray,
    skipped_y: np.ndarray,
    steps: np.ndarray,
) -> None:
    """Every item of a batch: values, and where ``expected`` has items the best alignments."""
    cells = 0
    for b in range(len(expected)):
        cells = max(cells, (rows[b] + 1) * (columns[b] + 1))
    memory = np.empty(cells, np.uint8)
    pairs = np.empty((costs.shape[1] + costs.shape[2], 2), np.int64)
    for b in range(len(costs)):
        n, m = rows[b], columns[b]
        height = n + 1 if len(expected) > 0 else 0
        codes = memory[: height * (m + 1)].reshape((height, m + 1))
        value[b], length, steps[b] = _path(
            costs[b, :n, :m],
            first[b],
            end[b],
            penalty[b],
            skipping,
            skip_x[b, :n],
            skip_y[b, :m],
            open_begin,
            open_end,
            codes,
            pairs,
            skipped_x[b],
            skipped_y[b],
        )
        for k in range(length):
            expected[b, pairs[k, 0], pairs[k, 1]] = 1.0


@compiled
def _path(
    costs: np.ndarray,
    first: np.ndarray,
    end: np.ndarray,
    penalty: float,
    skipping: bool,
    skip_x: np.ndarray,
    skip_y: np.ndarray,
    open_begin: bool,
    open_end: bool,
    codes: np.ndarray,
    pairs: np.ndarray,
    skipped_x: np.ndarray,
    skipped_y: np.ndarray,
) -> tuple[float, int, int]:
    """Value, number of matches and of steps that are not diagonal; without rows of ``codes`` only the value."""
    rows, columns = costs.shape
    # The last row's values by column, shifted by one: in MX, and in all states.
    last_mx, last = np.full(columns + 1, np.inf), np.full(columns + 1, np.inf)
    if skipping:
        _with_skips(costs, first, end, penalty, skip_x, skip_y, open_begin, codes, last_mx, last)
    else:
        _without_skips(costs, first, end, penalty, open_begin, codes, last)
        last_mx[:] = last
    j = int(last_mx.argmin()) if open_end else columns
    value = float(last_mx[j] if open_end else last[j])
    nothing = float(skip_x.sum()) if open_begin else np.inf
    length = steps = 0
    if nothing < value:
        value = nothing
        skipped_x[:rows] = len(codes) > 0
    elif value < np.inf and len(codes) > 0:
        length, steps = _backtrack(codes, j, MX if open_end else ANY, pairs, skipped_x, skipped_y)
    return value, length, steps


@compiled
def _without_skips(
    costs: np.ndarray,
    first: np.ndarray,
    end: np.ndarray,
    penalty: float,
    open_begin: bool,
    codes: np.ndarray,
    last: np.ndarray,
) -> None:
    """Values of the last row, by the three steps of the classical recursion within the columns of each row."""
    rows, columns = costs.shape
    store = len(codes) > 0
    above, now = np.full(columns + 1, np.inf), np.full(columns + 1, np.inf)
    above[0] = np.inf if open_begin else 0.0
    if store:
        codes[0, 0] = 0
    for i in range(rows):
        opening = open_begin and i == 0
        left = np.inf
        for j in range(first[i], end[i]):
            best, code = (0.0, BEGIN) if opening else (above[j], DIAGONAL)
            if above[j + 1] + penalty < best:
                best, code = above[j + 1] + penalty, ALONG_X
            if left + penalty < best:
                best, code = left + penalty, ALONG_Y
            left = costs[i, j] + best
            now[j + 1] = left
            if store:
                codes[i + 1, j + 1] = code
        # The next row is written here, and perhaps into other columns.
        above[0] = np.inf
        above[first[i - 1] + 1 : end[i - 1] + 1] = np.inf
        above, now = now, above
    last[:] = above


@compiled
def _with_skips(
    costs: np.ndarray,
    first: np.ndarray,
    end: np.ndarray,
    penalty: float,
    skip_x: np.ndarray,
    skip_y: np.ndarray,
    open_begin: bool,
    codes: np.ndarray,
    above_mx: np.ndarray,
    above_any: np.ndarray,
) -> None:
    """The same in four states; the last two arguments, infinite at first, are filled with the last row's values."""
    rows, columns = costs.shape
    leading = 0.0
    for i in range(rows + 1):
        my = xb = np.inf
        corner = np.inf
        for j in range(columns + 1):
            m = x = y = b = np.inf
            code = 0
            if i > 0:
                x = above_mx[j] + skip_x[i - 1]
            if j > 0:
                y, b = my + skip_y[j - 1], xb + skip_y[j - 1]
            if i == 0:
                if j == 0 and not open_begin:
                    m = 0.0
            elif first[i - 1] < j <= end[i - 1]:
                m = corner
                if open_begin and leading < m:
                    m, code = leading, BEGIN
                if above_mx[j] + penalty < m:
                    m, code = above_mx[j] + penalty, ALONG_X
                if my + penalty < m:
                    m, code = my + penalty, ALONG_Y
                m += costs[i - 1, j - 1]
            code += (x < m) * X_IN_MX + (y < m) * Y_IN_MY + (b < x) * B_IN_XB
            above_mx[j], my, xb = min(m, x), min(m, y), min(x, b)
            code += (xb < my) * XB_IN_ANY
            corner = above_any[j]
            above_any[j] = min(my, xb)
            if len(codes) > 0:
                codes[i, j] = code
        if i > 0:
            leading += skip_x[i - 1]


@compiled
def _backtrack(
    codes: np.ndarray, j: int, state: int, pairs: np.ndarray, skipped_x: np.ndarray, skipped_y: np.ndarray
) -> tuple[int, int]:
    """Walk from the last row's cell to the begin; fills pairs, last first, and skips; numbers of pairs and steps."""
    i = len(codes) - 1
    length = steps = 0
    while True:
        code = codes[i, j]
        if state == ANY:
            state = XB if code & XB_IN_ANY else MY
        if (state == MX and code & X_IN_MX) or (state == XB and not code & B_IN_XB):
            i -= 1
            skipped_x[i], state = True, MX
        elif (state == MY and code & Y_IN_MY) or state == XB:
            j -= 1
            skipped_y[j] = True
        elif i == 0 or j == 0:
            break
        else:
            pairs[length, 0], pairs[length, 1] = i - 1, j - 1
            length += 1
            source = code & 3
            if source == BEGIN:
                skipped_x[: i - 1] = True
                break
            steps += source >= ALONG_X
            state = (ANY, ANY, MX, MY)[source]
            i -= source != ALONG_Y
            j -= source != ALONG_X
    return length, steps
