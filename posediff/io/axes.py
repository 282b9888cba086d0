"""Axes: posediff's y is up, other formats' z is."""

from __future__ import annotations

import numpy as np


def y_up(points: np.ndarray) -> np.ndarray:
    """(..., 3) points with z up, turned about x so that y is up."""
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack([x, z, -y], axis=-1)


def z_up(points: np.ndarray) -> np.ndarray:
    """(..., 3) points with y up, turned about x so that z is up."""
    x, y, z = np.moveaxis(points, -1, 0)
    return np.stack([x, -z, y], axis=-1)
