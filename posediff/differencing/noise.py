"""What the keypoints' jitter does to whatever is measured: bodies measured again with jitter added."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from posediff.compare.body import Body


def jittered(body: Body, weights: np.ndarray, rng: np.random.Generator) -> Body:
    """The body with as much jitter added as its keypoints have left after smoothing.

    Jitter that was white before smoothing is not white after it: neighbouring frames err together, and a mean over time
    gains less. So white noise is drawn and smoothed by the same weights.

    Args:
        body: one performance.
        weights: (2 half + 1,) of the smoothing, which add up to 1.
        rng: for the draw.
    """
    shape = body.sequence.keypoints.shape
    half = len(weights) // 2
    white = rng.standard_normal((shape[0] + 2 * half, *shape[1:]))
    windows = np.lib.stride_tricks.sliding_window_view(white, 2 * half + 1, axis=0)
    jitter = windows @ (weights / np.linalg.norm(weights)) * body.noise[:, None]
    keypoints = (body.sequence.keypoints + jitter).astype(np.float32)
    return replace(body, sequence=body.sequence.replace(keypoints=keypoints))


def spread(draws: np.ndarray) -> np.ndarray:
    """Half of the middle 68 %: the standard deviation of what is normal, deaf to a few draws that went astray.

    Args:
        draws: (N, ...) float64, NaN where a draw could not be measured.

    Returns:
        (...) float64, NaN where fewer than half of the draws could be measured.
    """
    if not draws.size:
        return np.full(draws.shape[1:], np.nan)
    known = np.isfinite(draws).sum(axis=0)
    with np.errstate(all="ignore"):
        low, high = np.nanpercentile(np.where(known, draws, 0.0), [15.865, 84.135], axis=0)
    return np.where(2 * known >= len(draws), (high - low) / 2, np.nan)
