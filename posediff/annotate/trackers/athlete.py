"""Following one athlete among others, over all frames at once.

The nearest neighbour of HP-MCoRe (Qi et al. 2025, eq. 25) takes in every frame the box whose corners are nearest to the
last one's: one frame without the athlete's box, and it follows a spectator. Here distances are measured from where the
box should be by now, in units of how uncertain that is; the camera's shift is taken out first; the boxes of spectators
are accounted for; and nothing is decided before the end: many paths, with and without each box, are kept and the
likeliest one wins (multiple hypothesis tracking, Reid 1979, for one target).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posediff.annotate.boxes import Track, iou
from posediff.annotate.trackers.chains import WIDTHS, Scene
from posediff.annotate.trackers.choice import choose, surest
from posediff.annotate.trackers.kalman import RATE, Noise, corners, measured, smooth
from posediff.annotate.trackers.paths import best_path
from posediff.annotate.trackers.people import track_people
from posediff.errors import BadData, BadSetting

#: Longest time, in seconds, between two boxes of the athlete that is filled in.
LONGEST_BRIDGE = 1.0

#: Longest time, in seconds, after which the athlete is found again; the track ends when it takes longer.
LONGEST_LOSS = 2.0

#: Seconds that the box is predicted for where no other box of the athlete is near enough.
LONGEST_PREDICTION = 0.4

#: Noise that the boxes of the result may be smoothed for: from exact to jittered boxes, from slow to fast motion.
SMOOTHING = tuple(
    Noise(place, size, push, swell)
    for place, size in ((0.005, 0.01), (0.02, 0.04), (0.04, 0.08), (0.07, 0.14))
    for push, swell in ((0.01, 0.02), (0.03, 0.05), (0.08, 0.12), (0.2, 0.3))
)

#: Standard deviation of a box that a person gave, relative to that of a detected one.
GIVEN = 0.3

#: Overlap from which a detected box is the one that a person gave.
SAME = 0.5


def track_athlete(
    detections: Sequence[np.ndarray],
    *,
    frames: np.ndarray,
    start: np.ndarray | None = None,
    start_index: int = 0,
    motion: np.ndarray | None = None,
    image_size: tuple[int, int],
    fps: float = RATE,
) -> Track:
    """The athlete's box in every frame.

    Args:
        detections: of every frame (N, 5) boxes of whoever was found, in pixels, with confidence.
        frames: (T,) their frame numbers, increasing.
        start: (4,) the athlete's box in one frame, or (2,) a point in it; None takes the largest person.
        start_index: index, not number, of that frame.
        motion: (T, 2) by how many pixels the background moved since the frame before; None where it is not known.
        image_size: width and height of the pictures in pixels.
        fps: frame numbers a second.

    Returns:
        Track 0, forwards and backwards from the start as far as the athlete is found, the boxes smoothed as much as
        they jitter. Confidence is that of the detected box, 1 for a start that no detected box confirms, and 0 where
        the box is filled in: in gaps of up to ``LONGEST_BRIDGE``, and for up to ``LONGEST_PREDICTION`` next to a box in
        longer gaps and at the ends. Other frames are left out. The track ends at a gap longer than ``LONGEST_LOSS``.

    Raises:
        BadData: if the arrays do not fit together, or nobody was found and no box was given.
        BadSetting: if the start is no box or point within the video, or nobody is at the point.
    """
    frames, shifts = np.asarray(frames, np.int64), _shifts(motion, len(detections))
    found = _checked(detections, frames)
    times = (frames - frames[0]) * RATE / fps
    pan = np.cumsum(shifts, axis=0)
    start_index, start = _start(found, frames, start, start_index, pan, image_size, fps)
    found[start_index], given = _with_start(found[start_index], start)
    values = [_moved(measured(boxes), -pan[index]) for index, boxes in enumerate(found)]
    volume = image_size[0] * image_size[1] * WIDTHS**2

    taken = np.full(len(frames), -1)
    for order in (np.arange(start_index, len(frames)), np.arange(start_index, -1, -1)):
        scene = Scene(
            [values[index] for index in order],
            [found[index][:, 4] for index in order],
            np.abs(times[order] - times[start_index]),
            _drift(pan[order], np.abs(np.diff(times[order]))),
            volume,
        )
        taken[order] = best_path(scene, LONGEST_LOSS)

    rows = _kept(taken >= 0, times)
    path, confidence = np.full((len(frames), 4), np.nan), np.zeros(len(frames))
    for index in np.flatnonzero(taken >= 0):
        path[index], confidence[index] = values[index][taken[index]], found[index][taken[index], 4]
    spread = np.where((np.arange(len(frames)) == start_index) & given, GIVEN, 1.0)
    whole = slice(rows[0], rows[-1] + 1)
    path[whole] = smooth(path[whole], np.diff(times[whole]), spread[whole], SMOOTHING)
    boxes = np.column_stack([corners(_moved(path, pan)), confidence])
    return Track(0, frames[rows], boxes[rows].astype(np.float32))


def _checked(detections: Sequence[np.ndarray], frames: np.ndarray) -> list[np.ndarray]:
    """(N, 5) float64 boxes of every frame, those without area or number left out."""
    if not len(frames) or len(frames) != len(detections) or (np.diff(frames) <= 0).any():
        raise BadData(
            f"{len(frames)} frame numbers for the boxes of {len(detections)} frames", "give increasing frame numbers"
        )
    boxes = [np.asarray(one, np.float64).reshape(-1, 5) for one in detections]
    return [one[np.isfinite(one).all(axis=1) & (one[:, 2:4] - one[:, :2] >= 1).all(axis=1)] for one in boxes]


def _shifts(motion: np.ndarray | None, count: int) -> np.ndarray:
    if motion is None:
        return np.zeros((count, 2))
    shifts = np.asarray(motion, np.float64)
    if shifts.shape != (count, 2) or not np.isfinite(shifts).all():
        raise BadData(f"a camera motion of shape {shifts.shape} for {count} frames", "give x and y of every frame")
    return shifts


def _start(
    found: list[np.ndarray],
    frames: np.ndarray,
    start: np.ndarray | None,
    index: int,
    pan: np.ndarray,
    image_size: tuple[int, int],
    fps: float,
) -> tuple[int, np.ndarray]:
    """Index of the frame and (4,) box that the track starts with."""
    if start is None:
        people = track_people(found, frames, image_size=image_size, fps=fps, motion=np.diff(pan, axis=0, prepend=0))
        row, box = surest(choose(people, "largest", image_size=image_size, fps=fps))
        return int(np.searchsorted(frames, row)), box
    start = np.asarray(start, np.float64)
    if not 0 <= index < len(frames):
        raise BadSetting(f"the athlete's start is in frame {index} of {len(frames)}", "name a frame of the video")
    if start.shape == (2,) and np.isfinite(start).all():
        return _clicked(found, frames, start, index, pan, fps)
    if start.shape != (4,) or not np.isfinite(start).all() or not (start[2:] - start[:2] >= 1).all():
        raise BadSetting(f"the athlete's start is {start.tolist()}", "give x0, y0, x1, y1 or a point x, y in pixels")
    return index, start


def _clicked(
    found: list[np.ndarray], frames: np.ndarray, point: np.ndarray, index: int, pan: np.ndarray, fps: float
) -> tuple[int, np.ndarray]:
    """The box around a point: that in whose middle it lies most, in the nearest frame that has one."""
    away = np.abs(frames - frames[index])
    for near in np.argsort(away, kind="stable"):
        if away[near] > LONGEST_BRIDGE * fps:
            break
        boxes, place = found[near], point + pan[near] - pan[index]
        sides = boxes[:, 2:4] - boxes[:, :2]
        off = np.abs((place - boxes[:, :2]) / sides - 0.5).max(axis=1, initial=0)
        if len(boxes) and off.min() <= 0.5:
            return int(near), boxes[off.argmin(), :4]
    x, y = point
    raise BadSetting(f"nobody was found at {x:g},{y:g} in frame {frames[index]}", "give the athlete's box instead")


def _with_start(boxes: np.ndarray, start: np.ndarray) -> tuple[np.ndarray, bool]:
    """A frame's boxes with the start first, and whether it is another one than the detected."""
    overlap = iou(start[None], boxes)[0]
    if not len(boxes) or overlap.max() < SAME:
        return np.concatenate([[[*start, 1.0]], boxes]), True
    same = int(overlap.argmax())
    first = [*start, boxes[same, 4]]
    return np.concatenate([[first], np.delete(boxes, same, axis=0)]), bool(overlap[same] < 1 - 1e-6)


def _drift(pan: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """(T, 2) velocity, where the background stands still, of what stands still in the picture."""
    if not len(steps):
        return np.zeros((1, 2))
    velocity = -np.diff(pan, axis=0) / steps[:, None]
    return np.concatenate([velocity, velocity[-1:]])


def _moved(values: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Centres and log sizes with the centres shifted."""
    values = values.copy()
    values[..., :2] += shift
    return values


def _kept(seen: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Rows that get a box: in short gaps, and near enough to a seen one elsewhere."""
    known = times[seen]
    after = np.searchsorted(known, times)
    since = times - known[np.maximum(after - 1, 0)]
    until = known[np.minimum(after, len(known) - 1)] - times
    inside = (after > 0) & (after < len(known)) & (since + until <= LONGEST_BRIDGE * RATE + 1e-9)
    return np.flatnonzero(
        seen | inside | (np.minimum(np.abs(since), np.abs(until)) <= LONGEST_PREDICTION * RATE + 1e-9)
    )
