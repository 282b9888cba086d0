"""Where a cue is met in a track: extrema and crossings with their uncertainty, and the log-likelihood they make."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

#: A track's range: from this to that percentile, so that a slip of a keypoint does not stretch it.
RANGE = (5.0, 95.0)
#: Noise that is added again adds less than it did first: its size grows by a factor of 1.41 only.
AGAIN = 2.4
#: Ups and downs smaller than so many standard deviations of the noise are none.
NOISY = 6.0
#: The same as a share of the range: a smaller bump is a part of the extremum that it is on.
BUMP = 0.03
#: How far below a peak, in standard deviations of the noise and as a share of the range, the curve is fitted.
CAP = 8.0
CAP_SHARE = 0.03
#: A curve follows a track where what is left is no more than so many standard deviations of the noise, and that share
#: of what the track covers; else it is fitted to that share of the frames.
LOOSE, FAITHFUL, SHRINK = 1.3, 0.001, 0.75
#: Frames that a curve needs.
FEWEST = 5
#: Least share of the noise's variance in the degrees 3 and 4 that counts as uncertain: what noise hides may be there.
HIDDEN = 0.25
#: Pieces of noise by which the curve is varied, either way.
DRAWS = 12
#: Places to a frame at which a curve is looked at.
FINE = 20
#: Difference of two peaks, as a share of the range, that says little about which of them is meant.
ALIKE = 0.03
#: Least standard deviation of a position, in frames: half a frame either way, and what no curve or line follows.
FINEST = 0.3
#: Probability that none of the places found is the one meant.
NOWHERE = 0.02
#: Differences of the score from which on a place is left out.
HOPELESS = 15.0


@dataclass(frozen=True)
class Event:
    """A place where a cue is met.

    Attributes:
        position: fractional frame index.
        spread: its standard deviation, in frames.
        score: logarithm of how well it meets the cue; only differences between places count.
    """

    position: float
    spread: float
    score: float


def noise_size(noise: np.ndarray) -> float:
    """Standard deviation of (T,) noise, deaf to leaps of an angle past 180 degrees."""
    return float(np.median(np.abs(noise)) / 0.6745)


def span(track: np.ndarray, noise: np.ndarray) -> tuple[float, float]:
    """The ends of a track's range, less what noise adds to them where the track rests: by adding as much again."""
    measured = np.percentile(track, RANGE)
    noisier = np.percentile([track + noise, track - noise], RANGE, axis=1).mean(axis=1)
    low, high = measured - AGAIN * (noisier - measured)
    return (float(low), float(high)) if low < high else (float(measured[0]), float(measured[1]))


def peaks(track: np.ndarray, noise: np.ndarray, half: int) -> list[Event]:
    """The places where a track is highest, each at the peak of a curve fitted to the frames near its height.

    How near follows from the noise, so that a flat top is fitted over its whole width and a spike is not smoothed away.

    Args:
        track: (T,) values.
        noise: (T,) a draw of the noise that is in the track, with its correlation over time.
        half: least number of frames on either side that the curve is fitted to.
    """
    size = noise_size(noise)
    low, high = span(track, noise)
    width = max(high - low, track.max() - high)
    if width <= NOISY * size or width <= 0:
        return []
    least = max(NOISY * size, BUMP * width)
    cap = max(CAP * size, CAP_SHARE * width)
    found = [_vertex(track, noise, top, cap, half) for top in _tops(track.tolist(), least)]
    best = max(height for _, _, height in found)
    unsure = 2 * size**2 + (ALIKE * width) ** 2
    events = [Event(at, spread, -0.5 * (best - height) ** 2 / unsure) for at, spread, height in found]
    return [event for event in events if event.score > -HOPELESS]


def _tops(track: list[float], least: float) -> list[int]:
    """The highest frame between every two falls by at least so much that have a rise of as much between them."""
    tops = []
    top, low, rising = 0, track[0], True
    for frame, value in enumerate(track):
        if rising:
            if value > track[top]:
                top = frame
            if value <= track[top] - least:
                tops.append(top)
                low, rising = value, False
        elif value >= low + least:
            top, rising = frame, True
        low = min(low, value)
    return [*tops, top] if rising else tops


def _vertex(track: np.ndarray, noise: np.ndarray, top: int, cap: float, half: int) -> tuple[float, float, float]:
    """Position, spread and height of the peak of a curve through the frames around a top, at most ``cap`` below it.

    The curve is a parabola, and as much of a polynomial of degree 4 as noise cannot explain (James & Stein 1961); where
    not even that follows the track, fewer frames are taken. Position and spread are those of the peaks of the curve
    with pieces of the noise added, so that a flat top is as uncertain as it is wide.
    """
    below = track < track[top] - cap
    before = top - 1 - int(np.max(np.flatnonzero(below[:top]), initial=-1))
    after = int(np.min(np.flatnonzero(below[top:]), initial=len(track) - top)) - 1
    allowed = LOOSE * noise_size(noise) + FAITHFUL * float(np.ptp(track))
    while True:
        first, last = max(top - max(before, half), 0), min(top + max(after, half), len(track) - 1)
        values = track[first : last + 1]
        if len(values) < FEWEST:
            return float(top), 1.0, float(track[top])
        bases, powers = _polynomials(len(values))
        sizes = values @ bases
        misfit = float(np.sqrt(np.mean((values - bases @ sizes) ** 2)))
        if misfit <= allowed or max(before, after) <= half:
            break
        before, after = int(SHRINK * before), int(SHRINK * after)
    draws = _windows(noise, len(values)) @ bases
    unsure = np.mean(draws**2, axis=0)
    kept = np.clip(1 - unsure / np.maximum(sizes**2, 1e-300), 0, 1)
    kept[:3] = 1.0
    draws *= np.sqrt(np.maximum(kept, HIDDEN))
    fine = np.linspace(-1, 1, FINE * (len(values) - 1) + 1)
    varied = kept * sizes + np.concatenate([0 * draws[:1], draws, -draws])
    curves = varied @ (np.vander(fine, 5, increasing=True) @ powers).T
    at = fine[np.argmax(curves, axis=1)]
    reach = (len(values) - 1) / 2
    spread = float(np.hypot(reach * at.std(), FINEST))
    return first + reach * (1 + float(at.mean())), spread, float(curves[0].max())


def _windows(noise: np.ndarray, count: int) -> np.ndarray:
    """(N, count) pieces of the noise, of its usual size."""
    starts = np.linspace(0, max(len(noise) - count, 0), DRAWS).astype(int)
    pieces = np.resize(noise, max(len(noise), count))[starts[:, None] + np.arange(count)]
    most = 4 * noise_size(noise)
    return np.clip(pieces, -most, most)


@lru_cache(maxsize=512)
def _polynomials(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Polynomials of degrees 0 to 4, orthonormal on N places from -1 to 1: their (N, 5) values, (5, 5) coefficients."""
    bases, factors = np.linalg.qr(np.vander(np.linspace(-1, 1, count), 5, increasing=True))
    return bases, np.linalg.inv(factors)


def crossings(track: np.ndarray, noise: np.ndarray, share: float) -> list[Event]:
    """The places where a track rises through a share of its range, each on a line fitted to the frames around.

    To and fro within the noise counts as one crossing. One that leads further from the threshold, and comes from
    further away, counts more.

    Args:
        track: (T,) values.
        noise: (T,) a draw of the noise that is in the track, with its correlation over time.
        share: 0 to 1.
    """
    size = noise_size(noise)
    low, high = span(track, noise)
    if high - low <= NOISY * size or high <= low:
        return []
    level = low + share * (high - low)
    over = track - level
    room = max(min(share, 1 - share), 0.02) * (high - low)
    margin = min(2 * size, room / 2)
    sides = np.where(over > margin, 1, np.where(over < -margin, -1, 0))
    sure = np.flatnonzero(sides)
    turns = np.flatnonzero(np.diff(sides[sure]))
    edges = np.r_[-1, turns, len(sure) - 1]
    events = []
    for number, turn in enumerate(turns):
        start, end = int(sure[turn]), int(sure[turn + 1])
        if sides[end] < 0:
            continue
        before = over[sure[edges[number] + 1] : end]
        after = over[end : sure[edges[number + 2]] + 1]
        depth = min(-before.min() / max(level - low, room), 1.0), min(after.max() / max(high - level, room), 1.0)
        position, spread = _crossing(over, noise, start, end)
        events.append(Event(position, spread, 2 * float(np.log(depth).sum())))
    return events


def _crossing(over: np.ndarray, noise: np.ndarray, start: int, end: int) -> tuple[float, float]:
    """Position and spread of the zero on the way up between two frames, below and above."""
    values = over[start : end + 1]
    times = np.arange(end - start + 1.0)
    if len(values) > 3:
        slope, level = np.polyfit(times, values, 1)
    else:
        slope, level = values[-1] - values[0], values[0]
        slope /= end - start
    if slope <= 0:
        return (start + end) / 2, max((end - start) / np.sqrt(12), FINEST)
    at = float(np.clip(-level / slope, 0, end - start))
    wrong = _filtered_size(noise, np.full(len(values), 1 / len(values))) / slope
    return start + at, float(np.hypot(min(wrong, (end - start) / 2), FINEST))


def _filtered_size(noise: np.ndarray, weights: np.ndarray) -> float:
    """Standard deviation of a weighted sum over a window of the noise."""
    if len(weights) > len(noise) // 2:
        return noise_size(noise) * float(np.linalg.norm(weights))
    return noise_size(np.convolve(noise, weights, mode="valid"))


def density(positions: np.ndarray, spreads: np.ndarray, count: int) -> np.ndarray:
    """(N, T) probability of every frame for (N,) places and their spreads: logistic, so that there are tails."""
    edges = np.arange(count + 1) - 0.5
    edges[0], edges[-1] = -np.inf, np.inf
    below = np.tanh((edges - np.asarray(positions)[:, None]) * (np.pi / np.sqrt(12) / np.asarray(spreads))[:, None])
    return np.maximum(np.diff(below, axis=1) / 2, 1e-300)


def mixture(events: list[Event], count: int) -> np.ndarray:
    """Probabilities of events and frames: (E + 1, T) that sum to 1, the last row for none of the events."""
    if not events:
        return np.full((1, count), 1 / count)
    positions, spreads, scores = np.array([(event.position, event.spread, event.score) for event in events]).T
    weights = np.exp(scores - scores.max())
    weights *= (1 - NOWHERE) / weights.sum()
    rows = weights[:, None] * density(positions, spreads, count)
    return np.concatenate([rows, np.full((1, count), NOWHERE / count)])
