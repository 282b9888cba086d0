"""Hard dynamic time warping: soft-DTW with gamma 0."""

from __future__ import annotations

import numpy as np

from posediff.alignment.checks import check_sequence, check_settings, fitting
from posediff.alignment.costs import squared_euclidean
from posediff.alignment.kernels import diagonal
from posediff.alignment.soft_dtw import soft_dtw
from posediff.alignment.window import Window


def dtw(x: np.ndarray, y: np.ndarray, *, band: float | None = None, penalty: float = 0.0) -> float:
    """Least sum of squared Euclidean costs over monotone alignments (Sakoe & Chiba 1978).

    Arguments and errors as for :func:`posediff.alignment.soft_dtw`.
    """
    return soft_dtw(x, y, gamma=0.0, band=band, penalty=penalty)


def dtw_path(
    x: np.ndarray, y: np.ndarray, *, window: Window | None = None, penalty: float = 0.0
) -> tuple[np.ndarray, float]:
    """The best monotone alignment and its cost.

    Args:
        x: (N, F) float.
        y: (M, F) float.
        window: the cells to use; None for all.
        penalty: cost of a step that is not diagonal.

    Returns:
        (L, 2) int64 pairs (i, j) from (0, 0) to (N - 1, M - 1), and the sum of their costs and penalties.

    Raises:
        BadData: for empty or non-finite sequences or different F.
        BadSetting: for a negative penalty or a window of another size.
    """
    x, y = check_sequence(x, "x"), check_sequence(y, "y", like=x)
    check_settings(0.0, penalty)
    window = fitting(window, len(x), len(y))
    value, steps = diagonal.forward(squared_euclidean(x, y), window, 0.0, penalty)
    firsts, _ = window.diagonals()
    i, j = len(x) - 1, len(y) - 1
    path = [(i, j)]
    while i or j:
        step = int(steps[i + j, :, i - firsts[i + j]].argmax())
        i, j = i - (step != 2), j - (step != 1)
        path.append((i, j))
    return np.array(path[::-1], np.int64), value
