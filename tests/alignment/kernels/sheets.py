"""Batches of random matrices and sheets of them, for the tests of the compiled kernels."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from posediff.alignment.kernels.cpu import Carry
from posediff.alignment.kernels.tiles import Sheet
from tests.alignment.paths import SEEDS

KINDS = st.sampled_from([np.float32, np.float64])
SIGNS = st.sampled_from([1, -1])
__all__ = ["KINDS", "SEEDS", "SIGNS", "fenced", "lanes", "meeting", "nothing", "ranges", "sheet", "softened"]


def lanes(kind: type) -> int:
    """The lanes of a vector."""
    return 128 // np.dtype(kind).itemsize


def nothing(kind: type) -> np.ndarray:
    """The exponent of a sum of 0."""
    return np.array([-(1 << 29)], np.int32) if kind == np.float32 else np.array([-(1 << 60)])


def ranges(rng: np.random.Generator, rows: int, columns: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """A random band of at least one column a row that has a path, as (height,) first and end."""
    first = np.sort(rng.integers(0, columns, rows))
    first = np.maximum(first - rng.integers(0, columns), 0)
    first[0] = 0
    # A row may go on where the one before it has ended, one column further at most.
    end = np.maximum.accumulate(np.minimum(first + rng.integers(1, columns + 1, rows), columns))
    end = np.maximum(end, np.append(first[1:], 0))
    end[-1] = columns
    rest = np.full(height - rows, columns)
    return np.append(first, rest).astype(np.int64), np.append(end, rest).astype(np.int64)


def softened(costs: np.ndarray, gamma: float) -> np.ndarray:
    """(N, M) soft-DTW of the part of a cost matrix that ends in each cell, by the recursion as it is written."""
    sums = np.full((costs.shape[0] + 1, costs.shape[1] + 1), -np.inf)  # R = -gamma sums
    sums[0, 0] = 0.0
    for i, j in np.ndindex(costs.shape):
        before = np.logaddexp(np.logaddexp(sums[i, j], sums[i, j + 1]), sums[i + 1, j])
        sums[i + 1, j + 1] = before - costs[i, j] / gamma
    return -gamma * sums[1:, 1:]


def fenced(costs: np.ndarray, band: tuple[np.ndarray, np.ndarray] | None) -> np.ndarray:
    """Costs as float64, infinite out of the band."""
    if band is None:
        return costs.astype(np.float64)
    columns = np.arange(costs.shape[1])
    inside = (columns >= band[0][: len(costs), None]) & (columns < band[1][: len(costs), None])
    return np.where(inside, costs, np.inf).astype(np.float64)


def meeting(above: Carry, below: Carry, columns: int, kind: type) -> tuple[float, int]:
    """The sum over all ways from one row down to the next, which is read from its other end, in two parts."""
    first, second = slice(lanes(kind) - 1, lanes(kind) + columns), slice(lanes(kind) - 1, lanes(kind) + columns + 1)
    m, e = above.mantissa[first].astype(float), above.exponent[first].astype(int)
    other = below.mantissa[second][::-1].astype(float), below.exponent[second][::-1].astype(int)
    # Down, which in the other row is the same column, and diagonally.
    products = np.stack([m * other[0][:-1], m * other[0][1:]])
    exponents = np.stack([e + other[1][:-1], e + other[1][1:]])
    top = exponents[products > 0].max()
    return float((products * np.exp2(np.maximum(exponents - top, -2000.0))).sum()), int(top)


def sheet(
    costs: np.ndarray,
    sign: int,
    top: int,
    stop: int,
    *,
    item: int = 0,
    rows: int | None = None,
    columns: int | None = None,
    band: tuple[np.ndarray, np.ndarray] | None = None,
) -> Sheet:
    """Rows ``top`` to ``stop`` of one matrix of a (B, N, M) batch, counted from its end where ``sign`` is -1."""
    height, width = costs.shape[1:]
    rows, columns = rows or height, columns or width
    first, end = (np.zeros(height, np.int64), np.full(height, columns)) if band is None else band
    row = top if sign > 0 else rows - 1 - top
    origin = (item * height + row) * width + (0 if sign > 0 else columns - 1)
    return Sheet(costs.reshape(-1), origin, width, sign, first, end, rows, columns, top, stop)
