"""Resampling by time."""

from __future__ import annotations

import math

import numpy as np

from posediff.errors import BadData, BadSetting
from posediff.motion.gaps import LONGEST
from posediff.sequence import PoseSequence, Stage, Status

#: A position this near to a frame is that frame: what rounding leaves of a fraction of whole numbers.
EXACT = 1e-6


def resample(sequence: PoseSequence, *, fps: float | None = None, frames: int | None = None) -> PoseSequence:
    """Sample a sequence at another frame rate, or at a given number of frames.

    Between two frames the keypoints follow the cubic Hermite curve with central differences as tangents (Catmull & Rom
    1974), one-sided next to a gap, so that uniform motion is kept exactly and nothing is made up: a keypoint is missing
    where either neighbouring frame lacks it. A sample that falls on a frame is that frame, bit for bit. There is no
    low-pass filter: smooth before going to a rate below twice the movement's highest frequency.

    Args:
        sequence: T frames at its own fps; frame numbers that are absent count as missing.
        fps: the new rate. Frames are renumbered so that ``frame / fps`` is the same time as before.
        frames: instead, the number of frames from the first to the last one; the rate follows from it.

    Returns:
        The sequence at the new rate; itself where nothing changes. Keypoints between two measured ones are measured,
        others interpolated. Stages start and end at the first sample at or after their old bounds; one that holds
        no sample is dropped.

    Raises:
        BadSetting: if not exactly one of ``fps`` and ``frames`` is given, or it makes no sequence.
        BadData: if ``frames`` is given for a sequence of less than two frames.
    """
    if (fps is None) == (frames is None):
        raise BadSetting(f"resample was given fps={fps} and frames={frames}", "give one of the two")
    if fps is not None:
        return _at_rate(sequence, float(fps))
    return _at_count(sequence, int(frames or 0))


def _at_rate(sequence: PoseSequence, fps: float) -> PoseSequence:
    if not (math.isfinite(fps) and fps > 0):
        raise BadSetting(f"fps is {fps}", "give a positive number of frames a second")
    if fps == sequence.fps:
        return sequence
    if not len(sequence):
        return sequence.replace(fps=fps, step=f"resample(fps={fps:g})")
    ratio = fps / sequence.fps
    first = math.ceil(sequence.frames[0] * ratio - EXACT)
    last = math.floor(sequence.frames[-1] * ratio + EXACT)
    if last < first:  # shorter than one frame of the new rate
        first = last = round(sequence.frames[0] * ratio)
    numbers = _numbers(first, last - first + 1)
    return _sampled(sequence, numbers, numbers / ratio, fps, f"resample(fps={fps:g})")


def _at_count(sequence: PoseSequence, count: int) -> PoseSequence:
    if count < 2:
        raise BadSetting(f"frames is {count}", "give a number of frames of 2 or more")
    if len(sequence) < 2:
        raise BadData(f"a sequence of {len(sequence)} frame(s) cannot be resampled to {count}", "give 2 frames or more")
    start, span = sequence.frames[0], sequence.frames[-1] - sequence.frames[0]
    if count == len(sequence) == span + 1:
        return sequence
    ratio = (count - 1) / span
    numbers = _numbers(round(start * ratio), count)
    positions = start + (numbers - numbers[0]) / ratio
    return _sampled(sequence, numbers, positions, float(sequence.fps * ratio), f"resample(frames={count})")


def _numbers(first: int, count: int) -> np.ndarray:
    if count > LONGEST:
        raise BadSetting(f"resampling makes {count} frames, more than {LONGEST}", "choose a lower rate")
    return np.arange(first, first + count)


def _sampled(sequence: PoseSequence, numbers: np.ndarray, positions: np.ndarray, fps: float, step: str) -> PoseSequence:
    """The sequence at fractional frame numbers ``positions``, there called ``numbers``."""
    frames = sequence.frames
    positions = np.clip(positions, frames[0], frames[-1])
    nearest = np.rint(positions)
    positions = np.where(np.abs(positions - nearest) < EXACT, nearest, positions)
    low = np.floor(positions)
    part = positions - low
    rows = [_rows(frames, low + offset) for offset in (-1, 0, 1, 2)]

    keypoints = _hermite([_take(sequence.keypoints, row) for row in rows], part[:, None, None].astype(np.float32))
    before, after = rows[1:3]
    scores = _linear(_take(sequence.scores, before), _take(sequence.scores, after), part[:, None])
    boxes = sequence.boxes
    if boxes is not None:
        boxes = _linear(_take(boxes, before), _take(boxes, after), part[:, None])
    left, right = (_take(sequence.status, row, Status.MISSING) for row in (before, after))
    sure = [(side == Status.MEASURED) | (side == Status.VERIFIED) for side in (left, right)]
    status = np.where(sure[0] & sure[1], Status.MEASURED, Status.INTERPOLATED)
    status = np.where(part[:, None] == 0, left, status)

    scale = (numbers[-1] - numbers[0]) / (positions[-1] - positions[0]) if len(numbers) > 1 else fps / sequence.fps
    return sequence.replace(
        keypoints=keypoints,
        scores=np.clip(scores, 0, 1),
        status=status,
        boxes=boxes,
        frames=numbers,
        fps=fps,
        stages=_renumbered(sequence.stages, scale, numbers[0] - positions[0] * scale),
        step=step,
    )


def sample_track(values: np.ndarray, positions: np.ndarray, *, curved: bool = False) -> np.ndarray:
    """Sample an array at fractional indices of its first axis.

    Args:
        values: (T, ...) numbers, NaN where missing.
        positions: (M,) fractional indices.
        curved: along the cubic of :func:`resample`, which does not cut corners, instead of linearly.

    Returns:
        (M, ...) float64; NaN where either neighbour is missing and outside 0 to T - 1. A whole index gives its own
        value, whatever its neighbours are.
    """
    positions = np.asarray(positions, float)
    nearest = np.rint(positions)
    positions = np.where(np.abs(positions - nearest) < EXACT, nearest, positions)
    low = np.floor(positions)
    index = np.arange(len(values))
    values = np.asarray(values, float)
    part = (positions - low).reshape(-1, *[1] * (values.ndim - 1))
    if curved:
        return _hermite([_take(values, _rows(index, low + offset)) for offset in (-1, 0, 1, 2)], part)
    return _linear(_take(values, _rows(index, low)), _take(values, _rows(index, low + 1)), part)


def _rows(frames: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Row of every wanted frame number, -1 where there is none."""
    if not len(frames):
        return np.full(wanted.shape, -1)
    rows = np.minimum(np.searchsorted(frames, wanted), len(frames) - 1)
    return np.where(frames[rows] == wanted, rows, -1)


def _take(values: np.ndarray, rows: np.ndarray, absent: float = np.nan) -> np.ndarray:
    """Rows of an array, ``absent`` where the row is -1."""
    if not len(values):
        return np.full((len(rows), *values.shape[1:]), absent)
    taken = np.asarray(values[rows])
    if (rows < 0).any():
        taken[rows < 0] = absent
    return taken


def _linear(before: np.ndarray, after: np.ndarray, part: np.ndarray) -> np.ndarray:
    return np.where(part == 0, before, before * (1 - part) + after * part)


def _hermite(points: list[np.ndarray], part: np.ndarray) -> np.ndarray:
    """Cubic between the inner two of four points; without an outer point the tangent there is the chord."""
    earlier, before, after, later = points
    chord = after - before
    leaving = np.where(np.isfinite(earlier), (after - earlier) / 2, chord)
    arriving = np.where(np.isfinite(later), (later - before) / 2, chord)
    bend = part * (1 - part) * ((1 - part) * (leaving - chord) - part * (arriving - chord))
    return np.where(part == 0, before, before + part * chord + bend)


def _renumbered(stages: tuple[Stage, ...], scale: float, offset: float) -> tuple[Stage, ...]:
    def moved(frame: int) -> int:
        return math.ceil(frame * scale + offset - EXACT)

    return tuple(
        Stage(stage.name, moved(stage.start), moved(stage.end))
        for stage in stages
        if moved(stage.end) > moved(stage.start)
    )
