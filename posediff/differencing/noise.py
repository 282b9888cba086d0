"""What the keypoints' jitter does to whatever is measured: bodies measured again with jitter added."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from posediff.compare.body import Body
from posediff.compare.prepare import smoothing_weights
from posediff.compare.settings import Settings
from posediff.motion.smooth import smooth

#: Performances that take longer than this, against the other, are not only slower.
SLOWEST = 3.0


def sharpened_pair(
    pair: tuple[Body, Body], settings: Settings
) -> tuple[tuple[Body, np.ndarray], tuple[Body, np.ndarray]]:
    """Both performances sharpened, so that pace alone makes no difference; see :func:`sharpened`."""
    a, b = (body.seconds for body in pair)
    return sharpened(pair[0], settings, max(a / b, 1.0)), sharpened(pair[1], settings, max(b / a, 1.0))


def sharpened(body: Body, settings: Settings, slower: float = 1.0) -> tuple[Body, np.ndarray]:
    """The body with what smoothing has taken from fast movement given back, and the weights that this makes.

    Smoothing flattens what is fast, and so makes the same movement done faster a smaller one. First the slower of two
    performances is smoothed until both have lost alike: the loss of a parabola's window grows with the fourth power of
    its width over the movement's time, so that widths add up in fourth powers. Then what smoothing has taken is given
    back: it is about what the same smoothing once more would take ("twicing", Tukey 1977); weights w become
    2 w - w * w.

    Args:
        body: one performance.
        settings: that it was prepared with.
        slower: how many times as long as the other performance it takes, at least 1.

    Returns:
        The body, its noise as it is then, and the (2 half + 1,) weights, which add up to 1.
    """
    fps = body.sequence.fps
    weights = smoothing_weights(settings, fps)
    if len(weights) == 1:
        return body, weights
    windows = [settings.smoothing]
    further = replace(settings, smoothing=settings.smoothing * (min(slower, SLOWEST) ** 4 - 1) ** 0.25)
    more = smoothing_weights(further, fps)
    keypoints, path = body.sequence, body.path
    if len(more) > 1:
        windows.append(further.smoothing)
        keypoints, path = smooth(keypoints, method="savgol", window=further.smoothing), _averaged(path, more)
    again, path_again = keypoints, path
    for window in windows:
        again = smooth(again, method="savgol", window=window)
        path_again = _averaged(path_again, smoothing_weights(replace(settings, smoothing=window), fps))
    both = np.convolve(weights, more)
    twice = 2 * np.pad(both, len(both) // 2) - np.convolve(both, both)
    sequence = body.sequence.replace(keypoints=(2 * keypoints.keypoints - again.keypoints).astype(np.float32))
    noise = body.noise * np.linalg.norm(twice) / np.linalg.norm(weights)
    return replace(body, sequence=sequence, path=2 * path - path_again, noise=noise), twice


def _averaged(track: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(T, D) weighted means over time, the ends held."""
    half = len(weights) // 2
    return _weighted(np.pad(track, ((half, half), (0, 0)), mode="edge"), weights)


def _weighted(track: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(T - 2 half, ...) weighted means over time, where the whole window is known."""
    return np.asarray(np.lib.stride_tricks.sliding_window_view(track, len(weights), axis=0) @ weights)


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
    jitter = _weighted(white, weights / np.linalg.norm(weights)) * body.noise[:, None]
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
