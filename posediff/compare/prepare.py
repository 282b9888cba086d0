"""From two files' skeletons to two bodies that can be compared: one skeleton, size, origin and heading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from posediff.compare.settings import Settings
from posediff.errors import BadData
from posediff.motion.angles import angle_noise, joint_angles
from posediff.motion.gaps import contiguous, fill_gaps
from posediff.motion.normalize import root_track, rotation_between, torso_length
from posediff.motion.resample import sample_track
from posediff.motion.smooth import half_width, noise_level, smooth
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
#: A free rotation is taken where it leaves less than this share of the distances that turning about the vertical leaves.
UPRIGHT = 0.5
#: Rounds of reweighting in the fit of a rotation.
ROTATION_STEPS = 6
#: Frame numbers to a given frame from which on a sequence is no movement, and filling it up would take all memory.
SPARSEST = 100
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
        return Tracks(sample_track(self.values, positions, curved=True), sample_track(self.weights, positions), self.noise)


@dataclass(frozen=True, eq=False)
class Body:
    """One performance, gaps filled, smoothed, root-centred, in torso lengths.

    Attributes:
        sequence: the normalised sequence, root at the origin of every frame.
        path: (T, D) path of the root since the start, in torso lengths; zero in images, where cameras pan.
        noise: (J,) standard deviation of a coordinate after smoothing, in torso lengths.
    """

    sequence: PoseSequence
    path: np.ndarray
    noise: np.ndarray

    def __len__(self) -> int:
        return len(self.sequence)

    @cached_property
    def weights(self) -> np.ndarray:
        """(T, J) float64 confidence of every keypoint, 0 where it is missing."""
        return np.where(self.sequence.present, self.sequence.scores, 0.0).astype(np.float64)

    @cached_property
    def positions(self) -> np.ndarray:
        """(T, J, D) float64, positions relative to the root, missing ones held or interpolated in time."""
        return _filled(self.sequence.keypoints.astype(np.float64))

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


def prepare(sequence: PoseSequence, settings: Settings) -> Body:
    """One performance made comparable, as far as that does not depend on the other one.

    Raises:
        BadData: if it has no frames, no keypoints, or nothing to measure its size by.
    """
    try:
        return _prepared(sequence, settings)
    except BadData as fault:
        raise BadData(f"{_named(sequence, 'the sequence')}: {fault}", fault.hint) from None


def _prepared(sequence: PoseSequence, settings: Settings) -> Body:
    if not len(sequence):
        raise BadData("it has no frames", "choose a file, a person or a frame range that has some")
    # A keypoint without any confidence is a place holder, whatever its coordinates say.
    sequence = sequence.replace(keypoints=np.where(sequence.scores[..., None] > 0, sequence.keypoints, np.nan))
    if not sequence.present.any():
        raise BadData(
            "every joint is missing, or has confidence 0, in every frame", "check that a person was detected"
        )
    if sequence.frames[-1] - sequence.frames[0] >= SPARSEST * len(sequence):
        raise BadData(
            f"only {len(sequence)} frames, numbered {sequence.frames[0]} to {sequence.frames[-1]}, are given",
            "check the frame numbers, or cut the part that is meant",
        )
    sequence = fill_gaps(contiguous(sequence), max_gap=settings.max_gap)
    noise = noise_level(sequence)
    if settings.smoothing > 0:
        sequence = smooth(sequence, method="savgol", window=settings.smoothing)
        noise = noise * remaining_noise(half_width(settings.smoothing, sequence.fps))
    scale = torso_length(sequence)
    root = _filled(root_track(sequence).astype(np.float64)[:, None])[:, 0]
    keypoints = ((sequence.keypoints - root[:, None]) / scale).astype(np.float32)
    path = (root - root[0]) / scale if sequence.dimensions == 3 else np.zeros_like(root)
    step = f"normalise(root-centred, torso length {scale:.4g} {sequence.units} = 1)"
    centred = sequence.replace(keypoints=keypoints, units="normalized", boxes=None, image_size=None, step=step)
    return Body(centred, path, np.minimum(np.nan_to_num(noise) / scale, 1.0))


def remaining_noise(half: int) -> float:
    """Share of white noise that a parabola fitted to ``2 half + 1`` frames leaves in the middle one."""
    if half < 2:
        return 1.0
    frames = np.arange(-half, half + 1.0)
    return float(np.sqrt(np.linalg.pinv(np.vander(frames, 3))[2] @ np.linalg.pinv(np.vander(frames, 3))[2]))


def match(reference: PoseSequence, query: PoseSequence, settings: Settings) -> tuple[PoseSequence, PoseSequence, list[str]]:
    """The two sequences on one skeleton and in one number of dimensions and notes.

    Raises:
        BadData: if the skeletons have no joints in common, or 3D is asked for and one has none.
    """
    notes = []
    dimensions = min(reference.dimensions, query.dimensions)
    if settings.view == "3d" and dimensions == 2:
        raise BadData("a 3D comparison was asked for, but not both files are 3D", "leave out --view 3d")
    if settings.view == "2d":
        dimensions = 2
    if reference.dimensions != query.dimensions:
        raise BadData(
            f"{_named(reference, 'the reference')} is {reference.dimensions}D and "
            f"{_named(query, 'the query')} {query.dimensions}D",
            "compare files of the same kind, made from the same camera view",
        )
    if dimensions == 2:
        if reference.dimensions == 3:
            reference, query = _flat(reference), _flat(query)
        notes.append("2D: both are taken to be filmed from the same direction by a level camera; turns towards or away "
                     "from the camera look like bending.")  # fmt: skip
    if reference.skeleton.joints != query.skeleton.joints:
        before = query.skeleton.name
        query = query.convert(reference.skeleton, allow_missing=True)
        notes.append(f"The query's skeleton {before} was converted to {reference.skeleton.name}.")
    for side, sequence in (("reference", reference), ("query", query)):
        seen = sequence.present.any(axis=0)
        unseen = [joint for joint, there in zip(sequence.skeleton.joints, seen, strict=True) if not there]
        if unseen:
            notes.append(f"The {side} never shows {', '.join(unseen)}: nothing that depends on them is compared.")
        if sequence.source.get("fps_assumed"):
            notes.append(f"The {side} names no frame rate; {sequence.fps:g} frames a second are assumed.")
    return reference, query, notes


def rotation_to(reference: Body, query: Body, at: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The rotation of the query that fits its joints best to the reference's.

    Both files' vertical is trusted, and the query is only turned about it, unless a free rotation leaves less than half
    of the differences: then a camera was tilted, not the performer.

    Args:
        reference, query: bodies on one skeleton.
        at: frame positions (fractional indices) in the reference and in the query that belong together.

    Returns:
        (D, D) float64; the identity in images, which are not turned.
    """
    if reference.sequence.dimensions == 2:
        return np.eye(2)
    one, other = reference.shape.at(at[0]), query.shape.at(at[1])
    weights = one.weights * other.weights
    upright, free = (_robust_rotation(other.values, one.values, weights, vertical=vertical) for vertical in (True, False))
    return free[0] if free[1] < UPRIGHT * upright[1] else upright[0]


def _robust_rotation(a: np.ndarray, b: np.ndarray, weights: np.ndarray, *, vertical: bool) -> tuple[np.ndarray, float]:
    """Rotation of least summed distance, and that sum, by reweighted least squares: a fault does not tilt the body."""
    factor = np.ones_like(weights)
    for _ in range(ROTATION_STEPS):
        rotation = rotation_between(a, b, weights * factor, vertical=vertical)
        distance = np.sqrt(((a @ rotation.T - b) ** 2).sum(axis=-1))
        factor = 1.0 / np.maximum(distance, 0.01)
    return rotation, float((weights * distance).sum())


def common_heading(reference: Body, query: Body, rotation: np.ndarray) -> tuple[Body, Body]:
    """Both bodies turned to one heading, so that in 3D the camera's place does not matter.

    The vertical is the reference's; both are turned about it until their hips lie along the first axis.

    Args:
        reference, query: bodies on one skeleton.
        rotation: of the query, from :func:`rotation_to`.
    """
    if reference.sequence.dimensions == 2:
        return reference, query
    query = query.turned(rotation)
    frame = _body_frame(reference, query)
    return reference.turned(frame), query.turned(frame)


def _body_frame(reference: Body, query: Body) -> np.ndarray:
    """Rotation about the vertical that puts the mean line of the hips (or shoulders) along x."""
    for left, right in (("left_hip", "right_hip"), ("left_shoulder", "right_shoulder")):
        line = _mean_line(reference.sequence, left, right) + _mean_line(query.sequence, left, right)
        length = float(np.hypot(line[0], line[2]))
        if length > 1e-6:
            cos, sin = line[0] / length, line[2] / length
            return np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
    return np.eye(3)


def _mean_line(sequence: PoseSequence, left: str, right: str) -> np.ndarray:
    """(D,) mean vector from one joint to the other; 0 where no frame shows both."""
    if not (sequence.skeleton.parts(left) and sequence.skeleton.parts(right)):
        return np.zeros(sequence.dimensions)
    line = (sequence.joint(left) - sequence.joint(right)).astype(np.float64)
    known = np.isfinite(line).all(axis=1)
    return line[known].sum(axis=0) / max(known.sum(), 1)


def _parts_of(skeleton: Skeleton) -> list[int]:
    """Indices of the body's parts; of all joints where a skeleton is no body."""
    names = [f"{side}_{part}" for part in BODY_PARTS for side in ("left", "right")]
    head = next((head for head in HEADS if head in skeleton.joints), None)
    names += [head] if head else []
    found = [skeleton.index(name) for name in names if name in skeleton.joints]
    return found if len(found) >= 6 else list(range(len(skeleton.joints)))


def _reported(sequence: PoseSequence) -> list[str]:
    seen = sequence.present.any(axis=0)
    names = [joint for joint, there in zip(sequence.skeleton.joints, seen, strict=True) if there]
    plain = {joint: joint.removeprefix("left_").removeprefix("right_") for joint in names}
    head = next((part for part in HEADS if part in plain.values()), None)
    skip = set(HEADS) - {head}
    return [joint for joint in names if plain[joint] in REPORTED_POSITIONS and plain[joint] not in skip]


def _named(sequence: PoseSequence, otherwise: str) -> str:
    return str(sequence.source.get("path") or otherwise)


def _flat(sequence: PoseSequence) -> PoseSequence:
    flipped = sequence.keypoints[..., :2] * np.array([1.0, -1.0], np.float32)
    return sequence.replace(keypoints=flipped, step="project(x, -y)")


def _filled(values: np.ndarray) -> np.ndarray:
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
