"""Velocity, acceleration and smoothness of keypoints."""

from __future__ import annotations

import numpy as np

from posediff.sequence import PoseSequence


def velocity(sequence: PoseSequence) -> np.ndarray:
    """Velocity of every joint, from the time between frames, which may differ.

    Second-order central differences; one-sided at the ends and next to a missing keypoint.

    Returns:
        (T, J, D) float64 in units a second; NaN where the keypoint or both its neighbours are missing.
    """
    before, after, gap_before, gap_after = _slopes(sequence)
    central = (gap_before * after + gap_after * before) / (gap_before + gap_after)
    one_sided = np.where(np.isfinite(before), before, after)
    return np.where(np.isfinite(central), central, one_sided)


def acceleration(sequence: PoseSequence) -> np.ndarray:
    """Acceleration of every joint, from the time between frames, which may differ.

    The second difference of three frames; at the ends and next to a missing keypoint that of the neighbouring frame.

    Returns:
        (T, J, D) float64 in units a second squared; NaN where no three frames in a row show the joint.
    """
    before, after, gap_before, gap_after = _slopes(sequence)
    inner = result = 2 * (after - before) / (gap_before + gap_after)
    beyond = np.full_like(inner[:1], np.nan)
    for neighbour in (np.concatenate([inner[1:], beyond]), np.concatenate([beyond, inner[:-1]])):
        result = np.where(sequence.present[..., None] & ~np.isfinite(result), neighbour, result)
    return result


def speed(sequence: PoseSequence) -> np.ndarray:
    """Speed of every joint.

    Returns:
        (T, J) float64 in units a second, NaN where :func:`velocity` is.
    """
    return np.asarray(np.linalg.norm(velocity(sequence), axis=-1))


def smoothness(sequence: PoseSequence) -> np.ndarray:
    """Log dimensionless jerk of every joint, over its longest run of frames without a gap.

    Returns:
        (J,) float64, larger (nearer to 0) is smoother; see :func:`log_dimensionless_jerk`.
    """
    tracks = sequence.keypoints.astype(float)
    breaks = np.flatnonzero(np.diff(sequence.frames) > 1) + 1
    if not len(breaks) and sequence.present.all():
        return _log_dimensionless_jerk(tracks)
    result = np.full(tracks.shape[1], np.nan)
    for joint in range(tracks.shape[1]):
        pieces = np.split(tracks[:, joint], breaks)
        run = max((longest_run(piece) for piece in pieces), key=len)
        result[joint] = log_dimensionless_jerk(run)
    return result


def log_dimensionless_jerk(track: np.ndarray) -> float:
    """Smoothness of a movement: its jerk, made independent of duration and amplitude, as a negative logarithm.

    ``-ln(T^3 / v_peak^2 * integral of |d2v/dt2|^2 dt)``, v the velocity and T the duration (LDLJ: Balasubramanian,
    Melendez-Calderon, Roby-Brami & Burdet 2015, "On the analysis of movement smoothness"). The frame rate cancels.
    A minimum-jerk reach has -ln(204.8) = -5.32; more jerk makes it more negative. Measurement noise counts as jerk:
    smooth first.

    Args:
        track: (T, D) positions in any unit at equal intervals; the longest run without NaN counts.

    Returns:
        The logarithm; NaN for less than 5 samples or no movement, infinity for no jerk at all.
    """
    run = longest_run(np.asarray(track, float))
    return float(_log_dimensionless_jerk(run[:, None])[0])


def longest_run(track: np.ndarray) -> np.ndarray:
    """The longest piece of a (T, D) track without NaN, the first of several."""
    known = np.isfinite(track).all(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], known, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        return track[:0]
    best = np.argmax(ends - starts)
    return track[starts[best] : ends[best]]


def _slopes(sequence: PoseSequence) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Slope to the frame before and to the one after, NaN where there is none, and the times that they span."""
    keypoints = sequence.keypoints.astype(float)
    if not len(keypoints):
        return keypoints, keypoints, keypoints, keypoints
    gaps = (np.diff(sequence.frames) / sequence.fps)[:, None, None]
    slopes = np.diff(keypoints, axis=0) / gaps
    beyond = np.full((1, *keypoints.shape[1:]), np.nan)
    nothing = np.ones((1, 1, 1))
    return (
        np.concatenate([beyond, slopes]),
        np.concatenate([slopes, beyond]),
        np.concatenate([nothing, gaps]),
        np.concatenate([gaps, nothing]),
    )


def _log_dimensionless_jerk(tracks: np.ndarray) -> np.ndarray:
    """(J,) for complete (T, J, D) tracks, time in samples; at either end jerk is held for the sample it misses."""
    count, joints = tracks.shape[:2]
    if count < 5:
        return np.full(joints, np.nan)
    peak = np.linalg.norm(np.diff(tracks, axis=0), axis=-1).max(axis=0)
    jerk = np.square(np.diff(tracks, n=3, axis=0)).sum(axis=-1)
    integral = jerk.sum(axis=0) + jerk[0] + jerk[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        result = -np.log((count - 1) ** 3 * integral / peak**2)
    return np.where(peak > 0, result, np.nan)
