"""Features brought to other lengths and grids by matrices.

Matrices in place of torch's interpolation and adaptive pooling, whose gradients on GPUs depend on the order of atomic
additions: training is to give the same numbers every time.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch


def stretch(features: torch.Tensor, times: np.ndarray, wanted: np.ndarray) -> torch.Tensor:
    """Interpolate features linearly in time; before the first and after the last they stay what they are there.

    Args:
        features: (..., L, N), L steps in time.
        times: (L,) when they are, in any order; of those at one time the mean is taken.
        wanted: (M,) when they are wanted.

    Returns:
        (..., M, N).
    """
    weights = torch.from_numpy(_linear(tuple(times.tolist()), tuple(wanted.tolist())))
    return weights.to(features) @ features


def shrink(maps: torch.Tensor, side: int) -> torch.Tensor:
    """The means of maps over ``side`` x ``side`` cells of equal size, exact where a border lies inside a pixel.

    Args:
        maps: (..., h, w).
        side: number of cells along a side.

    Returns:
        (..., side, side).
    """
    rows, columns = (torch.from_numpy(_means(length, side)).to(maps) for length in maps.shape[-2:])
    return rows @ maps @ columns.T


@lru_cache(maxsize=64)
def _linear(times: tuple[float, ...], wanted: tuple[float, ...]) -> np.ndarray:
    """(M, L) weights of the features at some times in those at others."""
    moments, at = np.unique(times, return_inverse=True)
    share = (np.arange(len(moments))[:, None] == at) / np.bincount(at)[:, None]
    between = np.stack([np.interp(wanted, moments, one) for one in np.eye(len(moments))], axis=1)
    return between @ share


@lru_cache(maxsize=64)
def _means(length: int, cells: int) -> np.ndarray:
    """(cells, length) shares of the pixels of a line in each of its equal parts."""
    borders = np.linspace(0, length, cells + 1)[:, None]
    pixels = np.arange(length)
    overlap = np.minimum(borders[1:], pixels + 1) - np.maximum(borders[:-1], pixels)
    return np.maximum(overlap, 0) * cells / length
