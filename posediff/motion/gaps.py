"""Gaps in keypoint tracks: absent frames made explicit, short gaps filled."""

from __future__ import annotations

import numpy as np

from posediff.errors import BadData, BadSetting
from posediff.sequence import PoseSequence, Status

METHODS = ("linear", "pchip", "hermite")

#: Confidence of a filled keypoint, relative to the less confident of the two that it lies between.
FILLED_CONFIDENCE = 0.5

#: Most frames that a sequence may be made to have.
LONGEST = 10_000_000


def fill_gaps(sequence: PoseSequence, *, max_gap: float = 0.4, method: str = "linear") -> PoseSequence:
    """Fill short gaps of every joint from its own past and future.

    Linear filling is eq. 27 of HP-MCoRe (Qi et al. 2025), whose printed form exchanges the two
    weights; here ``p_k = (p_i (j - k) + p_j (k - i)) / (j - i)`` for a gap between frames i < k < j.
    Nothing is extrapolated: a joint that is missing at an end stays missing there. Frame numbers count, not rows: a gap
    is as long as its frames are apart, and rows are filled but not added (:func:`contiguous` adds them).

    Args:
        sequence: keypoints of shape (T, J, D), NaN where missing.
        max_gap: longest gap to fill, in seconds; a longer one stays missing.
        method: ``"linear"``, ``"pchip"`` for a shape-preserving cubic (Fritsch & Carlson 1980), or ``"hermite"`` for a
            cubic whose slopes are those of the parabolas through three neighbours, which does not cut a turn's corners.

    Returns:
        The sequence with filled keypoints marked ``Status.INTERPOLATED``, each with half the confidence of the less
        confident of its two neighbours. Keypoints that were there are returned bit for bit.

    Raises:
        BadSetting: if ``method`` is unknown or ``max_gap`` is negative.
    """
    if method not in METHODS:
        raise BadSetting(f"unknown gap method {method!r}", hint=f"choose one of: {', '.join(METHODS)}")
    if not max_gap >= 0:
        raise BadSetting(f"max_gap is {max_gap} s", hint="give a duration of 0 s or more")
    step = f"fill_gaps(max_gap={max_gap:g}, method={method})"
    if not len(sequence) or sequence.present.all():
        return sequence.replace(step=step)

    before, after = neighbours(sequence.present)
    frames = sequence.frames
    gap = frames[after] - frames[before] - 1
    filled = ~sequence.present & (before >= 0) & (after >= 0) & (gap <= max_gap * sequence.fps + 1e-9)
    row, joint = np.nonzero(filled)
    left, right = before[row, joint], after[row, joint]

    keypoints, scores, status = sequence.keypoints.copy(), sequence.scores.copy(), sequence.status.copy()
    if method != "linear":
        curve = pchip if method == "pchip" else hermite
        for column in np.flatnonzero(filled.any(axis=0)):
            at = filled[:, column]
            keypoints[at, column] = curve(frames, keypoints[:, column], frames[at])
    else:
        part = ((frames[row] - frames[left]) / (frames[right] - frames[left]))[:, None]
        keypoints[row, joint] = keypoints[left, joint] * (1 - part) + keypoints[right, joint] * part
    scores[row, joint] = FILLED_CONFIDENCE * np.minimum(scores[left, joint], scores[right, joint])
    status[row, joint] = Status.INTERPOLATED
    return sequence.replace(keypoints=keypoints, scores=scores, status=status, step=step)


def contiguous(sequence: PoseSequence) -> PoseSequence:
    """Give every frame number between the first and the last a row; the added ones are missing.

    Returns:
        The sequence with ``T = frames[-1] - frames[0] + 1``; itself where that holds already.

    Raises:
        BadData: if that makes more than 10 million frames.
    """
    frames = sequence.frames
    if not len(frames) or frames[-1] - frames[0] + 1 == len(frames):
        return sequence
    count = int(frames[-1]) - int(frames[0]) + 1
    if count > LONGEST:
        raise BadData(
            f"frame numbers run from {frames[0]} to {frames[-1]} but only {len(frames)} frames are given",
            "check the frame numbers, or cut the part that is meant",
        )
    rows = frames - frames[0]
    return sequence.replace(
        keypoints=_spread(sequence.keypoints, rows, count, np.nan),
        scores=_spread(sequence.scores, rows, count, 0),
        status=_spread(sequence.status, rows, count, Status.MISSING),
        boxes=None if sequence.boxes is None else _spread(sequence.boxes, rows, count, np.nan),
        frames=np.arange(frames[0], frames[-1] + 1),
        step="contiguous()",
    )


def neighbours(present: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nearest known rows around every row.

    Args:
        present: (T, ...) bool.

    Returns:
        Two (T, ...) int arrays: the last known row up to here and the first one from here on, -1 where there is none.
        Both are the row itself where it is present.
    """
    count = len(present)
    rows = np.arange(count).reshape(-1, *[1] * (present.ndim - 1))
    before = np.maximum.accumulate(np.where(present, rows, -1), axis=0)
    after = np.minimum.accumulate(np.where(present, rows, count)[::-1], axis=0)[::-1]
    return before, np.where(after == count, -1, after)


def pchip(frames: np.ndarray, track: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Shape-preserving cubic through the known rows of a (T, D) track, at frame numbers ``at`` (M,); (M, D)."""
    from scipy.interpolate import PchipInterpolator

    known = np.isfinite(track).all(axis=-1)
    return np.asarray(PchipInterpolator(frames[known], track[known].astype(float))(at))


def hermite(frames: np.ndarray, track: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Cubic through the known rows of a (T, D) track, with the slopes of local parabolas, at frame numbers (M,)."""
    known = np.isfinite(track).all(axis=-1)
    x, y = frames[known].astype(float), track[known].astype(float)
    slopes = np.gradient(y, x, axis=0)
    left = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    width = (x[left + 1] - x[left])[:, None]
    part = (at - x[left])[:, None] / width
    chord = y[left + 1] - y[left]
    bend = (1 - part) * (width * slopes[left] - chord) - part * (width * slopes[left + 1] - chord)
    return np.asarray(y[left] + part * chord + part * (1 - part) * bend)


def _spread(values: np.ndarray, rows: np.ndarray, count: int, absent: float) -> np.ndarray:
    spread = np.full((count, *values.shape[1:]), absent, values.dtype)
    spread[rows] = values
    return spread
