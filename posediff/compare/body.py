"""One performance made comparable, and what is read off it: joints, limbs and measures over time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from posediff.motion.angles import angle_noise, joint_angles
from posediff.motion.resample import sample_track
from posediff.sequence import PoseSequence
from posediff.skeletons import Skeleton

#: The joints that stand for the body, each counted once, so that a face with eleven keypoints does not outweigh a leg.
BODY_PARTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
HEADS = ("head_top", "head", "nose")
#: The lines whose directions are compared; unlike positions they do not depend on how long a person's limbs are.
LIMBS = (
    *((f"{side}_{a}", f"{side}_{b}") for side in ("left", "right")
      for a, b in (("shoulder", "elbow"), ("elbow", "wrist"), ("hip", "knee"), ("knee", "ankle"))),
    ("pelvis", "thorax"), ("thorax", "head"),
)  # fmt: skip
#: Parts of the body whose positions are reported as differences of their own; angles speak for the others.
REPORTED_POSITIONS = ("wrist", "elbow", "ankle", "knee", *HEADS)
AXES = ("side", "height", "forward")


@dataclass(frozen=True, eq=False)
class Tracks:
    """Vectors that are followed through time.

    Attributes:
        values: (T, K, D) float64, never missing.
        weights: (T, K) float64 confidences in [0, 1].
        noise: (K,) float64 size of the error that keypoint noise causes.
    """

    values: np.ndarray
    weights: np.ndarray
    noise: np.ndarray

    def at(self, positions: np.ndarray) -> Tracks:
        """The tracks sampled at (U,) fractional frame indices."""
        return Tracks(
            sample_track(self.values, positions, curved=True), sample_track(self.weights, positions), self.noise
        )


@dataclass(frozen=True, eq=False)
class Body:
    """One performance, gaps filled, smoothed, root-centred, in torso lengths.

    Attributes:
        sequence: the normalised sequence, root at the origin of every frame.
        path: (T, D) path of the root since the start, in torso lengths; zero in images, where cameras pan.
        noise: (J,) standard deviation of a coordinate after smoothing, in torso lengths.
        path_scale: by what the path was multiplied, so that long travel does not outweigh the rest.
    """

    sequence: PoseSequence
    path: np.ndarray
    noise: np.ndarray
    path_scale: float = 1.0

    def __len__(self) -> int:
        return len(self.sequence)

    @property
    def seconds(self) -> float:
        """How long the performance lasts."""
        return len(self) / self.sequence.fps

    @cached_property
    def weights(self) -> np.ndarray:
        """(T, J) float64 confidence of every keypoint, 0 where it is missing."""
        return np.where(self.sequence.present, self.sequence.scores, 0.0).astype(np.float64)

    @cached_property
    def positions(self) -> np.ndarray:
        """(T, J, D) float64, positions relative to the root, missing ones held or interpolated in time."""
        return filled(self.sequence.keypoints.astype(np.float64))

    @cached_property
    def shape(self) -> Tracks:
        """The body's parts relative to the root, in torso lengths."""
        chosen = _parts_of(self.sequence.skeleton)
        values = self.positions[:, chosen]
        return Tracks(values, self.weights[:, chosen], self.noise[chosen] * np.sqrt(values.shape[2]))

    @cached_property
    def joints(self) -> Tracks:
        """The body's parts in the room, in torso lengths; in images, where the camera may pan, relative to the root."""
        return replace(self.shape, values=self.shape.values + self.path[:, None])

    @cached_property
    def limbs(self) -> Tracks:
        """Directions of the limbs as unit vectors, so that small differences are angles in radians."""
        skeleton = self.sequence.skeleton
        found = [pair for pair in LIMBS if all(skeleton.parts(end) for end in pair)] or list(skeleton.bones)
        ends = [[[skeleton.index(part) for part in skeleton.parts(end)] for end in pair] for pair in found]
        where = self.positions
        lines = np.stack([where[:, b].mean(axis=1) - where[:, a].mean(axis=1) for a, b in ends], axis=1)
        length = np.linalg.norm(lines, axis=2, keepdims=True)
        known = np.stack([self.weights[:, a + b].min(axis=1) for a, b in ends], axis=1) * (length[..., 0] > 1e-6)
        spread = np.array([np.hypot(self.noise[a].mean(), self.noise[b].mean()) for a, b in ends])
        typical = np.maximum(np.median(length[..., 0], axis=0), 1e-6)
        noise = spread / typical * np.sqrt(lines.shape[2] - 1)
        return Tracks(lines / np.maximum(length, 1e-6), known, noise)

    @cached_property
    def measures(self) -> tuple[tuple[str, ...], tuple[str, ...], np.ndarray, np.ndarray]:
        """Names, units, (T, K) values and (T, K) noise of all angles and reported positions."""
        sequence = self.sequence
        names, angles = joint_angles(sequence)
        values, noise = [angles], [angle_noise(sequence, self.noise)]
        labels, units = list(names), ["deg"] * len(names)
        up = 1.0 if sequence.dimensions == 3 else -1.0  # image rows are numbered downwards
        for joint in _reported(sequence):
            index = sequence.skeleton.index(joint)
            axes = AXES if sequence.dimensions == 3 else AXES[:2]
            labels += [f"{joint}_{axis}" for axis in axes]
            units += ["torso"] * len(axes)
            values.append(sequence.keypoints[:, index] * np.array([1.0, up, 1.0])[: len(axes)])
            noise.append(np.full((len(sequence), len(axes)), self.noise[index]))
        return tuple(labels), tuple(units), np.concatenate(values, axis=1), np.concatenate(noise, axis=1)

    def turned(self, rotation: np.ndarray) -> Body:
        """The body rotated by a (D, D) matrix."""
        keypoints = (self.sequence.keypoints.astype(np.float64) @ rotation.T).astype(np.float32)
        return replace(self, sequence=self.sequence.replace(keypoints=keypoints), path=self.path @ rotation.T)


def filled(values: np.ndarray) -> np.ndarray:
    """(T, J, D) with gaps interpolated and ends held; a joint never seen is put at the origin."""
    if np.isfinite(values).all():
        return values
    values = values.copy()
    times = np.arange(len(values))
    for joint in range(values.shape[1]):
        known = np.isfinite(values[:, joint]).all(axis=1)
        if not known.any():
            values[:, joint] = 0.0
        elif not known.all():
            for axis in range(values.shape[2]):
                values[:, joint, axis] = np.interp(times, times[known], values[known, joint, axis])
    return values


def _parts_of(skeleton: Skeleton) -> list[int]:
    """Indices of the body's parts; of all joints where a skeleton is no body."""
    names = [f"{side}_{part}" for part in BODY_PARTS for side in ("left", "right")]
    head = next((head for head in HEADS if head in skeleton.joints), None)
    names += [head] if head else []
    found = [skeleton.index(name) for name in names if name in skeleton.joints]
    return found if len(found) >= 6 else list(range(len(skeleton.joints)))


def _reported(sequence: PoseSequence) -> list[str]:
    seen = np.asarray(sequence.present.any(axis=0))
    names = [joint for joint, there in zip(sequence.skeleton.joints, seen.tolist(), strict=True) if there]
    plain = {joint: joint.removeprefix("left_").removeprefix("right_") for joint in names}
    head = next((part for part in HEADS if part in plain.values()), None)
    skip = set(HEADS) - {head}
    return [joint for joint in names if plain[joint] in REPORTED_POSITIONS and plain[joint] not in skip]
