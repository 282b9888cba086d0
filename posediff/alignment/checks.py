"""What an alignment can work with."""

from __future__ import annotations

import numpy as np

from posediff.errors import BadData, BadSetting

#: Values up to which sums of squares stay finite in float64.
LARGEST = 1e140


def check_sequence(x: np.ndarray, name: str, like: np.ndarray | None = None) -> np.ndarray:
    """A sequence as (N, F) float64, or an error that says what is wrong with it and where."""
    x = np.asarray(x, np.float64)
    if x.ndim != 2 or not x.size:
        raise BadData(
            f"{name} has shape {x.shape}, expected (frames, features), at least one of each", "check its axes"
        )
    if like is not None and x.shape[1] != like.shape[1]:
        raise BadData(f"{name} has {x.shape[1]} features, the other {like.shape[1]}", "describe both alike")
    bad = ~np.isfinite(x).all(axis=1)
    if bad.any():
        raise BadData(f"{name} is not finite in frame {int(bad.argmax())}", "fill or leave out missing values first")
    if np.abs(x).max() > LARGEST:
        raise BadData(f"{name} reaches {np.abs(x).max():.3g}, more than can be squared", "choose a larger unit")
    return x


def check_settings(gamma: float, penalty: float) -> None:
    """Refuse a softness or a step penalty that defines no alignment."""
    for name, value, meaning in (("gamma", gamma, "hard DTW"), ("the step penalty", penalty, "no penalty")):
        if not 0 <= value < np.inf:
            raise BadSetting(f"{name} is {value}", f"give 0 or more; 0 is {meaning}")
