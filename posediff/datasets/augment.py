"""Augmentation of batches: a pure function of a batch and one number a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from posediff.datasets.poses import interpolated
from posediff.datasets.transitions import recut
from posediff.errors import BadSetting


@dataclass(frozen=True)
class AugmentSettings:
    """How far clips are changed in training; 0 leaves a change out.

    Attributes:
        flip: probability that a clip is mirrored, its left and right joints exchanged, and its pictures likewise. The
            mirror stands at x = 0: leave it out for coordinates that count from the corner of the image.
        rotate: largest angle in degrees, either way: of poses in the plane of the image, in 3D about the vertical.
            Pictures are not turned.
        scale: largest change of the size of poses, as a fraction.
        noise: standard deviation of every coordinate, in torso lengths, or the units of poses that are not scaled.
        drop: probability that a joint is missing for a while, of random start and length.
        crop: largest fraction of the clip that is cut off at either end, of pictures and poses; every labelled stage
            keeps a frame of its own.
        view: how far the square that is cut out of a wide picture moves from the middle, as a fraction of the way to
            the edge. Poses move along where they count from the middle of the picture (``centre`` is ``none``); those
            that count from the body's root do not.

    Raises:
        BadSetting: naming every setting that cannot be used.
    """

    flip: float = 0.5
    rotate: float = 0.0
    scale: float = 0.0
    noise: float = 0.0
    drop: float = 0.0
    crop: float = 0.0
    view: float = 0.0

    def __post_init__(self) -> None:
        most = {"flip": 1.0, "rotate": 180.0, "scale": 0.9, "noise": np.inf, "drop": 1.0, "crop": 0.45, "view": 1.0}
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        faults = [
            f"{name} is {value}, expected 0 to {most[name]:g}"
            for name, value in values.items()
            if not 0 <= value <= most[name]
        ]
        if faults:
            raise BadSetting(f"AugmentSettings: {'; '.join(faults)}", "correct them")


class Changes(NamedTuple):
    """What happens to each of B clips of T moments.

    Attributes:
        flip: (B,) bool, whether it is mirrored.
        angle: (B,) radians that its poses are turned by.
        factor: (B,) that its poses are multiplied with.
        moments: (B, T) places in 0 to T - 1 that its T moments are taken from.
        shift: (B,) from -1, the left edge of its pictures, to 1, the right one.
        hidden: (B, T, J) bool, keypoints that go missing, or None.
        noise: (B, T, J, D) float32 that is added, or None.
    """

    flip: np.ndarray
    angle: np.ndarray
    factor: np.ndarray
    moments: np.ndarray
    shift: np.ndarray
    hidden: np.ndarray | None
    noise: np.ndarray | None


def drawn(
    settings: AugmentSettings, draws: np.ndarray, transitions: np.ndarray, shape: tuple[int, int, int]
) -> Changes:
    """What happens to each clip of a batch, by its own number and nothing else.

    Args:
        settings: how far it goes. Changing one of them leaves what the others do as it is.
        draws: (B,) whole numbers, the seeds.
        transitions: (B, N) first frame of every stage but the first, -1 where unknown.
        shape: T, J and D of the poses.
    """
    frames, joints, _ = shape
    generators = [np.random.Generator(np.random.Philox(key=int(draw) % 2**64)) for draw in draws]
    uniform = np.array([one.random(6 + 3 * joints) for one in generators]).reshape(len(draws), -1)
    chance, angle, factor, shift, first, last = uniform[:, :6].T
    noise = None
    if settings.noise:
        normal = [one.standard_normal(shape, np.float32) for one in generators]
        noise = np.float32(settings.noise) * np.stack(normal)
    return Changes(
        flip=chance < settings.flip,
        angle=np.radians(settings.rotate) * (2 * angle - 1),
        factor=1 + settings.scale * (2 * factor - 1),
        moments=_moments(settings.crop * first, settings.crop * last, transitions, frames),
        shift=settings.view * (2 * shift - 1),
        hidden=_spans(uniform[:, 6:].reshape(-1, joints, 3), settings.drop, frames) if settings.drop else None,
        noise=noise,
    )


def augmented(
    batch: dict[str, np.ndarray], changes: Changes, mirror_order: Sequence[int], room: np.ndarray
) -> dict[str, np.ndarray]:
    """A batch with the changes; nothing of the one that is given is changed.

    Args:
        batch: as :meth:`posediff.datasets.samples.Samples.load` gives it, as arrays. Its ``frames`` are taken at the
            changed moments and cut out where the shift says already: here they are only mirrored.
        changes: to each clip.
        mirror_order: for every joint, the index of the one that it becomes in a mirror.
        room: (B,) how far poses move to the left for a shift of 1.
    """
    result = {**batch, "transitions": recut(batch["transitions"], changes.moments)}
    if "frames" in batch:
        result["frames"] = np.where(
            changes.flip[:, None, None, None, None], batch["frames"][..., ::-1], batch["frames"]
        )
    if "poses" not in batch:
        return result
    poses, confidence = batch["poses"], batch["confidence"]
    if (changes.moments != np.arange(poses.shape[1])).any():
        poses, confidence = interpolated(poses, confidence, changes.moments)
    left = (changes.shift * room).astype(np.float32)
    if left.any():
        poses = poses - left[:, None, None, None] * _first_axis(poses.shape[-1])
    poses, confidence = flipped(poses, confidence, changes.flip, mirror_order)
    poses = turned(poses, changes.angle) * changes.factor.astype(np.float32)[:, None, None, None]
    if changes.noise is not None:
        poses = poses + changes.noise
    if changes.hidden is not None:
        confidence = np.where(changes.hidden, np.float32(0), confidence)
    return {**result, "poses": poses * (confidence > 0)[..., None], "confidence": confidence}


def flipped(
    poses: np.ndarray, confidence: np.ndarray, chosen: np.ndarray, mirror_order: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Some clips as a mirror shows them: x is reflected at 0 and left and right joints change places.

    Args:
        poses: (B, T, J, D).
        confidence: (B, T, J).
        chosen: (B,) bool.
        mirror_order: for every joint, the index of the one that it becomes.
    """
    order = list(mirror_order)
    poses, confidence = poses.copy(), confidence.copy()
    poses[chosen] = poses[chosen][:, :, order] * (1 - 2 * _first_axis(poses.shape[-1]))
    confidence[chosen] = confidence[chosen][:, :, order]
    return poses, confidence


def turned(poses: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Clips turned about the origin, counter-clockwise in the plane of the image, or in 3D about the y axis.

    Args:
        poses: (B, T, J, 2 or 3).
        angles: (B,) radians; in 3D from z to x.
    """
    if not angles.any():
        return poses
    cosine, sine = (part.astype(np.float32)[:, None, None] for part in (np.cos(angles), np.sin(angles)))
    one, other = (0, 1) if poses.shape[-1] == 2 else (2, 0)
    result = poses.copy()
    result[..., one] = cosine * poses[..., one] - sine * poses[..., other]
    result[..., other] = sine * poses[..., one] + cosine * poses[..., other]
    return result


def _moments(first: np.ndarray, last: np.ndarray, transitions: np.ndarray, frames: int) -> np.ndarray:
    """(B, T) places that are left when fractions (B,) are cut off, short of the frames next to a transition."""
    known = transitions >= 0
    earliest = np.where(known, transitions, frames).min(axis=1, initial=frames) - 1
    latest = np.where(known, transitions, 0).max(axis=1, initial=0)
    start = np.minimum(first * (frames - 1), earliest)
    end = np.maximum((1 - last) * (frames - 1), latest)
    # Divided last: whole numbers come out as such where nothing is cut off.
    return np.asarray(start[:, None] + (end - start)[:, None] * np.arange(frames) / (frames - 1))


def _spans(uniform: np.ndarray, probability: float, frames: int) -> np.ndarray:
    """(B, T, J) bool from (B, J, 3): whether a joint goes missing, and two ends of the time in which it does."""
    low, high = np.sort(uniform[..., 1:], axis=-1).transpose(2, 0, 1)[:, :, None] * frames
    time = np.arange(frames)[None, :, None]
    return np.asarray((uniform[:, None, :, 0] < probability) & (time >= np.floor(low)) & (time <= high))


def _first_axis(dimensions: int) -> np.ndarray:
    """(D,) 1 for x and 0 for the others."""
    return np.eye(1, dimensions, dtype=np.float32)[0]
