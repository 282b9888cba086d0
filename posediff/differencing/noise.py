"""What the keypoints' jitter does to whatever is measured: bodies measured again with jitter added."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from posediff.compare.body import Body
from posediff.compare.prepare import smoothing_weights
from posediff.compare.settings import Settings
from posediff.motion.smooth import smooth


def sharpened(body: Body, settings: Settings) -> tuple[Body, np.ndarray]:
    """The body with what smoothing has taken from fast movement given back, and the weights that this makes.

    Smoothing flattens what is fast, and so makes the same movement done faster a smaller one. What it takes is about
    what smoothing once more would take, which is added ("twicing", Tukey 1977): weights w become 2 w - w * w.

    Args:
        body: one performance.
        settings: that it was prepared with.

    Returns:
        The body, its noise as it is then, and the (2 half + 1,) weights, which add up to 1.
    """
    weights = smoothing_weights(settings, body.sequence.fps)
    if len(weights) == 1:
        return body, weights
    again = smooth(body.sequence, method="savgol", window=settings.smoothing)
    keypoints = (2 * body.sequence.keypoints - again.keypoints).astype(np.float32)
    twice = 2 * np.pad(weights, len(weights) // 2) - np.convolve(weights, weights)
    noise = body.noise * np.linalg.norm(twice) / np.linalg.norm(weights)
    half = len(weights) // 2
    held = np.pad(body.path, ((half, half), (0, 0)), mode="edge")
    path = 2 * body.path - np.lib.stride_tricks.sliding_window_view(held, len(weights), axis=0) @ weights
    return replace(body, sequence=body.sequence.replace(keypoints=keypoints), path=path, noise=noise), twice


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
