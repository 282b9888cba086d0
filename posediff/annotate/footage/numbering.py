"""Frame numbers from time stamps: a regular grid on which every frame of a video has a place of its own."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posediff.sequence import ASSUMED_FPS

#: Rates that cameras record and editors write.
USUAL = (12, 15, 24000 / 1001, 24, 25, 30000 / 1001, 30, 48, 50, 60000 / 1001, 60, 90, 100, 120000 / 1001, 120, 240)
#: Furthest that a frame may lie from its place on a grid, in frame intervals.
TOLERANCE = 0.25
#: How much worse than the best grid, in frame intervals, one may be to be preferred: that of a rate that the container
#: claims, since time stamps are rounded, and that of a usual rate.
CLAIMED_SLACK, USUAL_SLACK = 0.05, 0.005
#: No grid that is finer than this many frames a second is tried, save for videos that are nearly so fast.
FINEST = 1000.0


def number_frames(times: np.ndarray, rates: Sequence[float] = ()) -> tuple[float, np.ndarray]:
    """The frame rate, and the frame numbers that keep the times of a video as they are.

    A file of keypoints holds frame numbers and one rate. Where frames come at a constant rate they are numbered 0, 1, 2
    and so on; where some were dropped, their numbers are left out. Where the rate varies, the grid is two or more times
    as fine as the frames' usual distance, as fine as it takes for all numbers to differ. So ``number / fps`` is the
    time of every frame to within half a grid step, which is at most a quarter of the usual distance between frames.

    Args:
        times: (T,) seconds since the first frame, increasing.
        rates: frames a second that the container claims, the most trusted first.

    Returns:
        Frames a second of the grid, and (T,) int64 frame numbers, 0 first and strictly increasing. Frames that are less
        than a millisecond apart have numbers that follow one another.
    """
    claimed = [rate for rate in rates if rate and np.isfinite(rate) and 1e-3 <= rate <= 100_000]
    if len(times) < 2:
        return (claimed[0] if claimed else ASSUMED_FPS), np.zeros(len(times), np.int64)
    usual = 1 / max(float(np.median(np.diff(times))), 1e-5)
    fitted = (len(times) - 1) / max(float(times[-1] - times[0]), 1e-5)
    slacks = [*((rate, CLAIMED_SLACK) for rate in claimed), *((rate, USUAL_SLACK) for rate in USUAL)]
    near = [(rate, slack) for rate, slack in (*slacks, (fitted, 0.0), (usual, 0.0)) if abs(rate / usual - 1) < 0.1]
    multiple = 1
    while multiple * usual <= max(FINEST, 8 * usual):
        grid = _best_grid(times, [(rate * multiple, slack) for rate, slack in near], TOLERANCE * multiple)
        if grid is not None:
            return grid, np.rint(times * grid).astype(np.int64)
        multiple += 1
    grid = max(FINEST, 8 * usual)
    numbers = np.rint(times * grid).astype(np.int64)
    order = np.arange(len(times))
    return grid, np.maximum.accumulate(numbers - order) + order


def _best_grid(times: np.ndarray, rates: Sequence[tuple[float, float]], tolerance: float) -> float | None:
    """The first rate, of those that come each with its slack, on whose grid the frames lie as well as on any."""
    found: list[tuple[float, float, float]] = []
    for rate, slack in rates:
        places = times * rate
        numbers = np.rint(places)
        error = float(np.abs(places - numbers).max())
        if (np.diff(numbers) > 0).all() and error <= tolerance:
            found.append((error, rate, slack))
    best = min(found, default=(0.0,))[0]
    return next((rate for error, rate, slack in found if error <= best + slack), None)
