"""Numbers read off a track between two moments, which need not be frames.

None of them jumps when a moment moves by a little: means are integrals over the time between (trapezoid rule), the
ends are interpolated, and extremes are refined between the frames by a parabola through three of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from posediff.compare.smoothness import Jerk, frame_response, jerk
from posediff.motion.resample import EXACT, sample_track

#: Fewest moments that jerk is told from.
FEWEST = 7
#: Seconds over which jerk is estimated, as the score's smoothness does.
JERK_WINDOW = 0.5


def at(track: np.ndarray, moment: float) -> float:
    """A track (T,) without gaps at a fractional frame index, on the cubic of :func:`sample_track`, for one moment."""
    frame = round(moment)
    if abs(moment - frame) < EXACT:
        return float(track[frame])
    low = int(moment)
    part, before, after = moment - low, float(track[low]), float(track[low + 1])
    chord = after - before
    leaving = (after - float(track[low - 1])) / 2 if low else chord
    arriving = (float(track[low + 2]) - before) / 2 if low + 2 < len(track) else chord
    bend = (1 - part) * (leaving - chord) - part * (arriving - chord)
    return before + part * chord + part * (1 - part) * bend


def between(track: np.ndarray, first: float, last: float) -> tuple[np.ndarray, np.ndarray]:
    """The moments from ``first`` to ``last``, the whole frames between and both ends, and a track's values there."""
    frames = np.arange(np.floor(first) + 1, np.ceil(last))
    moments = np.concatenate([[first], frames, [last] if last > first else []])
    values = track[moments.astype(int)].astype(float)
    values[0], values[-1] = at(track, first), at(track, last)
    return moments, values


def weights(moments: np.ndarray) -> np.ndarray:
    """Share of every moment in the time between the first and the last one, by the trapezoid rule."""
    if len(moments) == 1:
        return np.ones(1)
    gaps = np.diff(moments)
    return (np.append(gaps, 0.0) + np.append(0.0, gaps)) / (2 * (moments[-1] - moments[0]))


def mean(track: np.ndarray, first: float, last: float) -> float:
    """Mean over time."""
    moments, values = between(track, first, last)
    return float(weights(moments) @ values)


def sd(track: np.ndarray, first: float, last: float) -> float:
    """Standard deviation over time."""
    moments, values = between(track, first, last)
    share = weights(moments)
    return float(np.sqrt(share @ (values - share @ values) ** 2))


def median(track: np.ndarray, first: float, last: float) -> float:
    """The value that the track is above for half of the time."""
    moments, values = between(track, first, last)
    order = np.argsort(values)
    share = weights(moments)[order]
    return float(np.interp(0.5, np.cumsum(share) - share / 2, values[order]))


def highest(track: np.ndarray, first: float, last: float) -> tuple[float, float]:
    """The largest value and its moment."""
    moments, values = between(track, first, last)
    best = int(np.argmax(values))
    moment, value = float(moments[best]), float(values[best])
    frame = int(moment)
    if moment != frame or not 0 < frame < len(track) - 1:
        return value, moment
    before, now, after = (float(one) for one in track[frame - 1 : frame + 2])
    bend = before - 2 * now + after
    if not (bend < 0 and max(before, after) <= now):
        return value, moment  # the track goes on rising beyond an end
    offset = (before - after) / (2 * bend)
    if not first <= frame + offset <= last:
        return value, moment
    return now - (before - after) * offset / 4, frame + offset


def maximum(track: np.ndarray, first: float, last: float) -> float:
    """The largest value."""
    return highest(track, first, last)[0]


def minimum(track: np.ndarray, first: float, last: float) -> float:
    """The least value."""
    return -highest(-track, first, last)[0]


def extent(track: np.ndarray, first: float, last: float) -> float:
    """How far the largest value is above the least one."""
    return maximum(track, first, last) - minimum(track, first, last)


def time_of_max(track: np.ndarray, first: float, last: float) -> float:
    """The moment of the largest value, a frame index."""
    return highest(track, first, last)[1]


def time_of_min(track: np.ndarray, first: float, last: float) -> float:
    """The moment of the least value, a frame index."""
    return highest(-track, first, last)[1]


def jerkiness(line: np.ndarray, noise: float, first: float, last: float, fps: float, smoothing: np.ndarray) -> float:
    """Log dimensionless jerk of a movement, larger where it is jerkier; what keypoint noise adds to it is taken off.

    Args:
        line: (T, D) a joint's positions relative to another.
        noise: standard deviation of a coordinate of ``line``, after smoothing.
        first, last: fractional frame indices.
        fps: frames a second.
        smoothing: the weights of the smoothing, which spread the noise of a frame over others.

    Returns:
        The negative of Balasubramanian et al. 2015's; NaN where nothing moves or there are too few frames.
    """
    count = int(np.ceil(last - first)) + 1
    if count < FEWEST:
        return np.nan
    moments = np.linspace(first, last, count)
    half = max(round(JERK_WINDOW / 2 * fps), 2)
    raw = np.array([noise / np.linalg.norm(smoothing)])
    response = frame_response(smoothing, (count - 1) / (last - first))
    found: Jerk = jerk(sample_track(line, moments, curved=True)[:, None], raw, half, response)
    return float(-found.log_dimensionless(slice(None))[0])


#: Statistics that keep the unit of their track.
OF_VALUES: dict[str, Callable[[np.ndarray, float, float], float]] = {
    "mean": mean,
    "min": minimum,
    "max": maximum,
    "range": extent,
    "sd": sd,
    "median": median,
}
#: Statistics that give a moment.
OF_MOMENTS: dict[str, Callable[[np.ndarray, float, float], float]] = {
    "time_of_max": time_of_max,
    "time_of_min": time_of_min,
}
