"""Smoothing that keeps time where it is and survives missing keypoints, and how noisy keypoints are."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from posediff.errors import BadSetting
from posediff.motion.gaps import contiguous
from posediff.sequence import PoseSequence, Status

METHODS = ("savgol", "butterworth")
HIGHEST_ORDER = 6

#: Least weight of a keypoint that is there, where confidence weighs: it keeps the fit well conditioned.
LEAST_WEIGHT = 0.01

#: Numbers that one block of frames may take in memory.
BLOCK = 4_000_000

#: Median of the absolute value of a standard normal variable.
NORMAL_MEDIAN = 0.6744897501960817

#: Least number of differences that a noise level is estimated from.
FEWEST = 8


def smooth(
    sequence: PoseSequence,
    *,
    method: Literal["savgol", "butterworth"] = "savgol",
    cutoff: float = 6.0,
    window: float | None = None,
    order: int = 2,
    confidence: bool = False,
) -> PoseSequence:
    """Remove what is faster than a movement, without delay; a missing keypoint stays missing, status and scores stay.

    ``savgol`` (Savitzky & Golay 1964) fits a polynomial to the keypoints in a window around each frame, by least
    squares over those that are there. Near the first and the last frame the window stays whole and the
    polynomial is read off its middle. Where no more than ``order`` keypoints are in the window, the keypoint is left.

    ``butterworth`` filters every run of frames without a gap forwards and backwards, continued at both ends by
    point reflection; runs too short for that (9 frames or less at order 2) are left.

    Args:
        sequence: T frames; absent frame numbers count as missing.
        method: ``"savgol"`` or ``"butterworth"``.
        cutoff: frequency in Hz at which the amplitude falls to 0.71 (-3 dB), by both passes together. At half the frame
            rate or more nothing is removed.
        window: width of the Savitzky-Golay window in seconds, instead of the one that follows from the cutoff.
        order: of the polynomial, or of the filter that is applied twice.
        confidence: weigh the keypoints of a Savitzky-Golay window by their scores.

    Raises:
        BadSetting: naming the setting that cannot be used.
    """
    _check(method, cutoff, window, order, confidence)
    step = f"smooth(method={method}, cutoff={cutoff:g}, window={window}, order={order}, confidence={confidence})"
    if not len(sequence) or (window is None and cutoff >= sequence.fps / 2):
        return sequence.replace(step=step)
    whole = contiguous(sequence)
    tracks = whole.keypoints.astype(float)
    if method == "butterworth":
        smoothed = butterworth(tracks, cutoff, sequence.fps, order)
    else:
        width = savgol_window(cutoff, order) if window is None else window
        weights = np.where(whole.present, np.maximum(whole.scores, LEAST_WEIGHT), 0.0) if confidence else None
        smoothed = savgol(tracks, half_width(width, sequence.fps), order, weights)
    return sequence.replace(keypoints=smoothed[sequence.frames - sequence.frames[0]], step=step)


def _check(method: str, cutoff: float, window: float | None, order: int, confidence: bool) -> None:
    if method not in METHODS:
        raise BadSetting(f"unknown smoothing method {method!r}", f"choose one of: {', '.join(METHODS)}")
    if not cutoff > 0:
        raise BadSetting(f"cutoff is {cutoff} Hz", "give a frequency above 0, for example 6")
    if window is not None and not (window >= 0 and math.isfinite(window)):
        raise BadSetting(f"window is {window} s", "give a duration of 0 s or more")
    if order not in range(1, HIGHEST_ORDER + 1):
        raise BadSetting(f"order is {order}", f"give a whole number from 1 to {HIGHEST_ORDER}")
    if method == "butterworth" and (window is not None or confidence):
        raise BadSetting("butterworth has no window and no weights", "use method='savgol' with them")


def savgol_window(cutoff: float, order: int) -> float:
    """Width in seconds of the Savitzky-Golay window whose gain at ``cutoff`` is 0.71.

    ``(0.44 + 0.31 n) / cutoff``, n the order or the even number below it: the limit of long windows, computed from the
    filter's frequency response, and within 12 % for windows of 5 frames.
    """
    return (0.44 + 0.31 * (order - order % 2)) / cutoff


def half_width(window: float, fps: float) -> int:
    """Frames on either side of the middle of a window of some seconds."""
    return max(0, round((window * fps - 1) / 2))


def savgol(tracks: np.ndarray, half: int, order: int, weights: np.ndarray | None = None) -> np.ndarray:
    """Local polynomial least squares along time.

    Args:
        tracks: (T, J, D) float64, NaN where missing.
        half: the window is ``2 half + 1`` frames.
        order: of the polynomial.
        weights: (T, J), 0 where missing; by default 1 where present.

    Returns:
        (T, J, D) float64, NaN where missing.
    """
    count, joints, size = tracks.shape
    half = min(half, (count - 1) // 2)
    if 2 * half <= order:
        return tracks.copy()
    width = 2 * half + 1
    present = np.isfinite(tracks).all(axis=2)
    weights = present.astype(float) if weights is None else weights
    weight_windows = sliding_window_view(weights, width, axis=0)
    value_windows = sliding_window_view(np.where(present[..., None], tracks, 0.0), width, axis=0)
    plain = projection(np.ones((1, width)), np.zeros(1), order)[0]

    smoothed = tracks.copy()
    block = max(1, BLOCK // (joints * size * width))
    for start in range(0, count, block):
        frames = np.arange(start, min(start + block, count))
        middle = np.clip(frames, half, count - 1 - half)
        weight = weight_windows[middle - half]
        special = present[frames] & ~((weight == 1).all(axis=2) & (middle == frames)[:, None])
        rows = np.broadcast_to(plain, weight.shape).copy()
        rows[special] = projection(weight[special], (frames - middle)[np.nonzero(special)[0]], order)
        fitted = np.einsum("tjdw,tjw->tjd", value_windows[middle - half], rows)
        smoothed[frames] = np.where(present[frames][..., None], fitted, np.nan)
    return smoothed


def projection(weights: np.ndarray, at: np.ndarray, order: int) -> np.ndarray:
    """Coefficients that turn the values in a window into the fitted polynomial's value at one place of it.

    With the basis B of powers, ``b(at)^T (B^T W B)^-1 B^T W``.

    Args:
        weights: (N, 2 half + 1), 0 for a value that does not count.
        at: (N,) whole offsets from the middle of the window.
        order: of the polynomial.

    Returns:
        (N, 2 half + 1) float64; where no more than ``order`` values count, 1 at the place itself.
    """
    half = weights.shape[1] // 2
    powers = np.arange(order + 1)
    basis = (np.arange(-half, half + 1) / half)[:, None] ** powers
    rows = (np.arange(-half, half + 1) == at[:, None]).astype(float)
    enough = np.count_nonzero(weights, axis=1) > order
    if enough.any():
        weight = weights[enough]
        products = (basis[:, :, None] * basis[:, None, :]).reshape(len(basis), -1)
        normal = (weight @ products).reshape(-1, order + 1, order + 1)
        place = (at[enough, None] / half) ** powers
        rows[enough] = weight * (np.linalg.solve(normal, place[..., None])[..., 0] @ basis.T)
    return rows


def butterworth(tracks: np.ndarray, cutoff: float, fps: float, order: int) -> np.ndarray:
    """Zero-phase low-pass of every run of frames without NaN.

    Each pass has its cutoff raised so that both together have -3 dB at ``cutoff`` (Winter 2009; here exact, with
    the frequency warping of the bilinear transform).

    Args:
        tracks: (T, J, D) float64, NaN where missing.
        cutoff: Hz, below ``fps / 2``.
        fps: frames a second.
        order: of one pass.

    Returns:
        (T, J, D) float64.
    """
    from scipy.signal import butter, sosfiltfilt

    raised = math.atan(math.tan(math.pi * cutoff / fps) / (math.sqrt(2) - 1) ** (0.5 / order)) * fps / math.pi
    sections = butter(order, raised, fs=fps, output="sos")
    reflected = 3 * (order + 1)
    smoothed = tracks.copy()
    present = np.isfinite(tracks).all(axis=2)
    for joint in range(tracks.shape[1]):
        edges = np.flatnonzero(np.diff(np.r_[False, present[:, joint], False].astype(np.int8)))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            if end - start > reflected:
                run = tracks[start:end, joint]
                smoothed[start:end, joint] = sosfiltfilt(sections, run, axis=0, padlen=reflected)
    return smoothed


def noise_level(sequence: PoseSequence, *, order: int = 5) -> np.ndarray:
    """Standard deviation of the noise in each coordinate of every joint, estimated from the keypoints themselves.

    Differences of a high order over neighbouring frames cancel a smooth movement and leave noise, whose deviation they
    multiply by ``sqrt(C(2k, k))``; the median of their absolute values is robust against outliers. White noise is
    recovered without bias; noise that changes slowly from frame to frame is underestimated. A sinusoidal movement of
    amplitude A and f Hz alone gives about ``A (2 sin(pi f / fps))^5 / 15.9``: 0.002 A for 2 Hz at 25 fps.

    Args:
        sequence: T frames, before smoothing; only measured and verified keypoints count.
        order: of the differences, 3 or more.

    Returns:
        (J,) float64 in the sequence's units. A joint with too few keypoints in a row is given differences of a lower
        order, down to 3, or else the median of the other joints; NaN if there are none.

    Raises:
        BadSetting: if the order is below 3.
    """
    if order < 3:
        raise BadSetting(f"order is {order}", "give 3 or more")
    whole = contiguous(sequence)
    known = (whole.status == Status.MEASURED) | (whole.status == Status.VERIFIED)
    tracks = np.where(known[..., None], whole.keypoints, np.nan).astype(float)
    level = np.full(tracks.shape[1], np.nan)
    for degree in range(order, 2, -1):
        differences = np.abs(np.diff(tracks, n=degree, axis=0))
        scale = NORMAL_MEDIAN * math.sqrt(math.comb(2 * degree, degree))
        for joint in np.flatnonzero(np.isnan(level)):
            values = differences[:, joint]
            values = values[np.isfinite(values)]
            if len(values) >= FEWEST:
                level[joint] = np.median(values) / scale
        if not np.isnan(level).any():
            break
    judged = level[np.isfinite(level)]
    return np.where(np.isnan(level), np.median(judged) if len(judged) else np.nan, level)
