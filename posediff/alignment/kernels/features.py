"""Costs of two sequences as one matrix product, and what follows from the expected alignment, compiled.

Two more features a frame, ``x' = (x, |x|^2, 1)`` and ``y' = (-2 y, 1, |y|^2)``, turn the squared Euclidean distance
into the product x' y'. Frames are taken relative to the middle of both sequences: the fewer digits the squares have in
common, the more of their difference is left.
"""

from __future__ import annotations

import numpy as np

from posediff.alignment.kernels.compilation import compiled, summing


@compiled
def extend(
    x: np.ndarray,
    y: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    squared: bool,
    wide_x: np.ndarray,
    wide_y: np.ndarray,
) -> bool:
    """Write x' and y'; zero on padding.

    Args:
        x, y: (B, N, D) and (B, M, D).
        rows, columns: (B,) true lengths.
        squared: whether the cost is the squared distance, or else 1 - x y.
        wide_x, wide_y: (B, N, D + 2) and (B, M, D + 2), to be written.

    Returns:
        Whether all values are finite and can be squared.
    """
    size = x.shape[2]
    middle = np.zeros(size, x.dtype)
    for b in range(len(x)):
        if squared:
            sums = np.zeros(size)
            for i in range(rows[b]):
                for d in range(size):
                    sums[d] += x[b, i, d]
            others = np.zeros(size)
            for j in range(columns[b]):
                for d in range(size):
                    others[d] += y[b, j, d]
            middle[:] = 0.5 * (sums / rows[b] + others / columns[b])
        total = _extend_one(x[b], rows[b], middle, squared, 1.0, wide_x[b], 0)
        total += _extend_one(y[b], columns[b], middle, squared, -2.0 if squared else -1.0, wide_y[b], 1)
        if not np.isfinite(total):
            return False
    return True


@summing
def _extend_one(
    x: np.ndarray,
    length: int,
    middle: np.ndarray,
    squared: bool,
    factor: float,
    wide: np.ndarray,
    side: int,
) -> float:
    """One side of one item; gives its sum of squares, which is finite where everything is."""
    size = x.shape[1]
    kind = x.dtype.type
    factor, total = kind(factor), 0.0
    for i in range(length):
        norm = kind(0)
        for d in range(size):
            value = x[i, d] - middle[d]
            norm += value * value
            wide[i, d] = value * factor
        total += norm
        wide[i, size + side] = norm if squared else kind(side)
        wide[i, size + 1 - side] = 1.0
    wide[length:] = 0.0
    return total


@summing
def pull_back(
    wide: np.ndarray,
    carried: np.ndarray,
    sums: np.ndarray,
    squared: bool,
    side: int,
    gradient: np.ndarray,
    costs: np.ndarray,
) -> None:
    """Gradient of one side from the products, and its share in the expected cost of every item.

    Args:
        wide: (B, N, D + 2) from :func:`extend`.
        carried: (B, N, D) the expected alignment times the other side, without the two features more.
        sums: (B, N) the expected alignment's sums by frame of this side.
        squared, side: as there; the side is 0 for x.
        gradient: (B, N, D), to be written.
        costs: (B,), to be added to; the products themselves count with x.
    """
    size = gradient.shape[2]
    kind = wide.dtype.type
    turn = kind(1.0) if side == 0 else kind(-2.0 if squared else -1.0)
    for b in range(len(wide)):
        total = 0.0
        for i in range(wide.shape[1]):
            pull = kind(2.0) * sums[b, i] / turn if squared else kind(0)
            dot = sums[b, i] * wide[b, i, size + side]
            for d in range(size):
                gradient[b, i, d] = carried[b, i, d] * turn + wide[b, i, d] * pull
            if side == 0:
                for d in range(size):
                    dot += wide[b, i, d] * carried[b, i, d]
            total += dot
        costs[b] += total
