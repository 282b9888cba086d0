"""Skeletons as arrays of one shape: a fixed number of moments, around an origin, in torso lengths, y upwards."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np

from posediff.errors import BadData
from posediff.motion.normalize import root_track, torso_length
from posediff.motion.resample import EXACT
from posediff.sequence import PoseSequence
from posediff.skeletons import Skeleton

Centre = Literal["root", "start", "none"]
Scale = Literal["torso", "none"]

#: Frames that are further apart than this many usual steps have something missing between them.
HOLE = 1.5


class Posed(NamedTuple):
    """A clip as a network takes it.

    Attributes:
        points: (T, J, D) float32 coordinates, y upwards, 0 where missing.
        confidence: (T, J) float32 in [0, 1], 0 where missing.
        unit: length that is 1 in ``points``, in the units of the clip.
    """

    points: np.ndarray
    confidence: np.ndarray
    unit: float


def posed(
    sequence: PoseSequence,
    skeleton: Skeleton,
    *,
    frames: int,
    centre: Centre = "root",
    scale: Scale = "torso",
    unit: float = 1.0,
) -> Posed:
    """A clip on one skeleton, centred, scaled, y upwards, at evenly spread moments.

    Args:
        sequence: the clip.
        skeleton: its joints are those of the result; what cannot be made from the clip's joints is missing.
        frames: T, how many moments.
        centre: what becomes the origin, see :func:`origin`.
        scale: ``torso`` measures in torso lengths, as :func:`posediff.motion.normalize.torso_length` has them, ``none``
            in ``unit``.
        unit: a length in the units of the clip.

    Raises:
        BadData: if fewer than two frames show a keypoint of the skeleton with a confidence above 0, or none what the
            clip is to be centred or scaled by.
    """
    sequence = sequence.convert(skeleton, allow_missing=True)
    seen = int((sequence.present & (sequence.scores > 0)).any(axis=1).sum())
    if seen < 2:
        raise BadData(
            f"{'only one' if seen else 'no'} frame shows a keypoint",
            "leave the clip out, or detect its keypoints again",
        )
    unit = torso_length(sequence) if scale == "torso" else unit
    points = (sequence.keypoints - origin(sequence, centre)) / unit
    if sequence.dimensions == 2:
        points[..., 1] *= -1
    return Posed(*resampled(sequence.replace(keypoints=points), frames), unit)


def origin(sequence: PoseSequence, centre: Centre) -> np.ndarray:
    """The place that becomes the origin.

    Args:
        sequence: T frames in D dimensions.
        centre: ``root`` follows the body's root, so that only the posture is left; ``start`` is the mean root of the
            first tenth of the frames, so that the way of the body is kept; ``none`` is the origin of the coordinates,
            in images whose size is known their middle.

    Returns:
        (T or 1, 1, D) float64.

    Raises:
        BadData: if no frame shows the root.
    """
    if centre == "root":
        return root_track(sequence)[:, None]
    if centre == "start":
        return root_track(sequence)[: math.ceil(len(sequence) / 10)].mean(axis=0)[None, None]
    if sequence.dimensions == 2 and sequence.image_size and sequence.units == "px":
        return (np.array(sequence.image_size, float)[None, None] - 1) / 2
    return np.zeros((1, 1, sequence.dimensions))


def resampled(sequence: PoseSequence, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """A clip at moments that are evenly spread from its first frame to its last, linear in between.

    Frame numbers count, not rows: a hole in the numbering is a time in which everything is missing. Where only every
    n-th frame is numbered, that is the usual step and no hole.

    Args:
        sequence: the clip.
        frames: T, how many moments.

    Returns:
        (T, J, D) float32 coordinates and (T, J) float32 confidence, both 0 where the frame, or either of the two that a
        moment lies between, lacks the keypoint. A keypoint with a confidence of 0 counts as missing.
    """
    numbers = sequence.frames.astype(float)
    moments = _snapped(np.linspace(numbers[0], numbers[-1], frames))
    low = np.clip(np.searchsorted(numbers, moments, side="right") - 1, 0, max(len(numbers) - 2, 0))
    steps = np.diff(numbers) if len(numbers) > 1 else np.ones(1)
    part = (moments - numbers[low]) / steps[low]
    known = np.nan_to_num(sequence.keypoints)
    points, confidence = interpolated(known[None], sequence.scores[None], (low + part)[None])
    hole = (steps[low] > HOLE * np.median(steps)) & (part > 0) & (part < 1)
    points[0, hole], confidence[0, hole] = 0, 0
    return points[0], confidence[0]


def interpolated(points: np.ndarray, confidence: np.ndarray, moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Poses at moments between the frames of a batch of clips.

    Args:
        points: (B, T, J, D) coordinates.
        confidence: (B, T, J), 0 where missing.
        moments: (B, M) places in 0 to T - 1.

    Returns:
        (B, M, J, D) and (B, M, J) float32, both 0 where either of the two frames that a moment lies between lacks the
        keypoint. Only the frame itself counts where a moment falls on it.
    """
    moments = _snapped(moments)
    rows, low = np.arange(len(points))[:, None], np.floor(moments).astype(np.int64)
    high = np.minimum(low + 1, points.shape[1] - 1)
    part = (moments - low).astype(np.float32)[..., None]
    before, after = confidence[rows, low], confidence[rows, high]
    known = (before > 0) & ((after > 0) | (part == 0))
    sure = np.where(known, before + (after - before) * part, 0).astype(np.float32)
    places = points[rows, low]
    places = places + (points[rows, high] - places) * part[..., None]
    return np.where(known[..., None], places, 0).astype(np.float32), sure


def _snapped(moments: np.ndarray) -> np.ndarray:
    """Moments without what rounding leaves of whole numbers."""
    nearest = np.rint(moments)
    return np.where(np.abs(moments - nearest) < EXACT, nearest, moments)
