"""Key points that follow one another in a fixed order: the most likely frames, and the probability of every frame.

The transcript of an action is its key points in order. Every key point has a log-likelihood at every frame; the frames
of the key points increase strictly. Kukleva et al., Unsupervised learning of action classes with continuous temporal
embedding, CVPR 2019, decode a transcript in the same way (Viterbi).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posediff.errors import BadData, BadSetting


def decode(scores: np.ndarray, gaps: Sequence[int] | None = None) -> np.ndarray:
    """The frames of largest total score whose order is that of the key points (Viterbi), in O(K T).

    Of several such sequences, that whose last key point is earliest, then its last but one, and so on.

    Args:
        scores: (K, T) log-likelihoods, ``-inf`` where a key point cannot be.
        gaps: (K - 1) least numbers of frames from each key point to the next, by default 1.

    Returns:
        (K,) int64 frames.

    Raises:
        BadData: if there are too few frames, or none where the key points can be in their order.
        BadSetting: if there are not K - 1 gaps of 1 or more.
    """
    steps = _checked(scores, gaps)
    total = scores[0]
    kept = []
    for row, step in zip(scores[1:], steps, strict=True):
        before = np.maximum.accumulate(total)
        # the earliest frame of each running maximum
        place = np.maximum.accumulate(np.where(np.r_[True, total[1:] > before[:-1]], np.arange(len(total)), 0))
        kept.append(place)
        total = row + _later(before, step)
    frames = np.empty(len(scores), np.int64)
    frames[-1] = np.argmax(total)
    if total[frames[-1]] == -np.inf:
        raise _impossible(len(scores))
    for k in range(len(scores) - 1, 0, -1):
        frames[k - 1] = kept[k - 1][frames[k] - steps[k - 1]]
    return frames


def posteriors(scores: np.ndarray, gaps: Sequence[int] | None = None) -> np.ndarray:
    """The probability of every key point to be at every frame, given the order (forward-backward), in O(K T).

    Args:
        scores: (K, T) log-likelihoods, ``-inf`` where a key point cannot be.
        gaps: (K - 1) least numbers of frames from each key point to the next, by default 1.

    Returns:
        (K, T) float64; every row sums to 1.

    Raises:
        BadData: if there are too few frames, or none where the key points can be in their order.
        BadSetting: if there are not K - 1 gaps of 1 or more.
    """
    steps = _checked(scores, gaps)
    before = np.zeros_like(scores, dtype=np.float64)
    after = np.zeros_like(before)
    for k in range(1, len(scores)):
        before[k] = _later(np.logaddexp.accumulate(before[k - 1] + scores[k - 1]), steps[k - 1])
    for k in range(len(scores) - 1, 0, -1):
        after[k - 1] = _later(np.logaddexp.accumulate((after[k] + scores[k])[::-1]), steps[k - 1])[::-1]
    total = before + scores + after
    highest = total.max(axis=1, keepdims=True)
    if not np.isfinite(highest).all():
        raise _impossible(len(scores))
    shares = np.exp(total - highest)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _later(values: np.ndarray, step: int) -> np.ndarray:
    """The values moved by some frames; nothing is possible before them."""
    moved = np.full(len(values), -np.inf)
    moved[step:] = values[:-step]
    return moved


def _checked(scores: np.ndarray, gaps: Sequence[int] | None) -> list[int]:
    """The gaps, where they and the scores can be used."""
    if scores.ndim != 2 or not scores.size:
        raise BadData(f"scores have the shape {scores.shape}", "give (key points, frames), at least one of each")
    count, frames = scores.shape
    steps = [1] * (count - 1) if gaps is None else [int(gap) for gap in gaps]
    if len(steps) != count - 1 or min(steps, default=1) < 1:
        raise BadSetting(f"gaps are {steps} for {count} key points", f"give {count - 1} whole numbers of 1 or more")
    if frames < sum(steps) + 1:
        raise BadData(
            f"{count} key points in order need {sum(steps) + 1} frames or more, and there are {frames}",
            "choose a longer performance, or fewer key points",
        )
    if np.isnan(scores).any() or np.isposinf(scores).any():
        raise BadData("a score is not a number, or infinite", "give log-likelihoods below infinity")
    return steps


def _impossible(count: int) -> BadData:
    return BadData(f"no frames are possible for {count} key points in order", "give each a frame with a finite score")
