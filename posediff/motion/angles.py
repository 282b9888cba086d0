"""Named angles of the body: their catalogue, their values over time and what keypoint noise does to them.

All angles are in degrees. Interior angles lie in [0, 180] and cannot jump. Signed angles are unwrapped along time, also
across missing frames, so that a somersault counts on to 360 and beyond instead of jumping at 180.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from posediff.sequence import PoseSequence
from posediff.skeletons import Skeleton


@dataclass(frozen=True)
class Angle:
    """An angle that has a name.

    Attributes:
        name: e.g. ``left_knee_angle``.
        kind: ``interior``, the unsigned angle at the second of three joints, 180 for a straight limb; ``lean``, the
            angle of the line between two joints against the vertical; ``twist``, the angle between two lines, each
            named by its left and right joint, about the axis named by the last two joints.
        joints: the joints that it is made of, in that order.
        dimensions: numbers of dimensions in which it exists.
    """

    name: str
    kind: Literal["interior", "lean", "twist"]
    joints: tuple[str, ...]
    dimensions: tuple[int, ...] = (2, 3)

    @property
    def about(self) -> tuple[str, ...]:
        """The joints that it says something about, the one that moves first."""
        if self.kind == "interior":
            first, vertex, last = self.joints
            return vertex, first, last
        return self.joints[::-1] if self.kind == "lean" else self.joints[:2]

    @property
    def signed(self) -> bool:
        """Whether it has a sign and is unwrapped over time, so that 360 degrees apart is the same posture."""
        return self.kind in ("twist", "lean")


def _catalogue() -> tuple[Angle, ...]:
    limbs = {
        "knee": ("hip", "knee", "ankle"),
        "hip": ("shoulder", "hip", "knee"),
        "elbow": ("shoulder", "elbow", "wrist"),
        "shoulder": ("hip", "shoulder", "elbow"),
        "ankle": ("knee", "ankle", "toes"),
    }
    return (
        *(
            Angle(f"{side}_{limb}_angle", "interior", tuple(f"{side}_{joint}" for joint in joints))
            for limb, joints in limbs.items()
            for side in ("left", "right")
        ),
        Angle("neck_angle", "interior", ("pelvis", "thorax", "head")),
        Angle("trunk_lean", "lean", ("pelvis", "thorax")),
        Angle(
            "trunk_rotation",
            "twist",
            ("left_shoulder", "right_shoulder", "left_hip", "right_hip", "pelvis", "thorax"),
            dimensions=(3,),
        ),
    )


#: Every angle by its name. A shoulder angle is 0 with the arm along the trunk; the other interior angles are 180 in a
#: straight body, save the ankle's (about 90 standing). ``trunk_lean`` is signed: in 2D positive towards +x (to the
#: right in the image), in 3D forwards, where the body faces on average. ``trunk_rotation``: shoulders against hips,
#: positive to the performer's left in right-handed coordinates.
ANGLES: dict[str, Angle] = {angle.name: angle for angle in _catalogue()}


@lru_cache(maxsize=256)
def measures_of(skeleton: Skeleton, dimensions: int) -> tuple[Angle, ...]:
    """The angles that a skeleton has the joints for, in the order of the catalogue.

    Args:
        skeleton: any; a joint that it lacks may be a midpoint of others (:meth:`Skeleton.parts`).
        dimensions: 2 or 3.
    """
    return tuple(
        angle
        for angle in ANGLES.values()
        if dimensions in angle.dimensions and all(skeleton.parts(joint) for joint in angle.joints)
    )


def joint_angles(sequence: PoseSequence) -> tuple[tuple[str, ...], np.ndarray]:
    """All angles of a body over time.

    Returns:
        The K names, and (T, K) float64 in degrees, NaN where a joint is missing or a limb has no length.
    """
    measures = measures_of(sequence.skeleton, sequence.dimensions)
    points = _points(sequence, measures)
    values = np.empty((len(sequence), len(measures)))
    interior = [column for column, angle in enumerate(measures) if angle.kind == "interior"]
    if interior:
        values[:, interior] = interior_angle(*_ends([measures[column] for column in interior], points))
    for column, angle in enumerate(measures):
        if angle.kind == "lean":
            forward = facing(sequence) if sequence.dimensions == 3 else None
            low, high = (points[joint] for joint in angle.joints)
            values[:, column] = lean(low, high, forward)
        elif angle.kind == "twist":
            values[:, column] = twist(*(points[joint] for joint in angle.joints))
    return tuple(angle.name for angle in measures), values


def angle_noise(sequence: PoseSequence, joint_noise: np.ndarray) -> np.ndarray:
    """Standard deviation of every angle that independent noise of the keypoints explains, to first order.

    For the interior angle at v between a and c, with lengths measured from v, the gradient is ``1 / |a|`` at a,
    ``1 / |c|`` at c and ``|a - c| / (|a| |c|)`` at v, hence
    ``s^2 = (s_a / |a|)^2 + (s_c / |c|)^2 + (s_v |a - c| / (|a| |c|))^2``. A lean has ``(s_a^2 + s_v^2) / |a|^2``; a
    twist has that for either line, with its length across the axis, and takes the axis for exact. Within a few
    standard deviations of 0 or 180 an interior angle is folded, and its true deviation is smaller.

    Args:
        sequence: T frames of J joints.
        joint_noise: (J,) or (T, J), standard deviation of each coordinate, in the sequence's units.

    Returns:
        (T, K) float64 in degrees, columns as in :func:`joint_angles`, NaN where the angle is unknown.
    """
    measures = measures_of(sequence.skeleton, sequence.dimensions)
    points = _points(sequence, measures)
    spread = np.square(np.asarray(joint_noise, float))
    variances = {joint: _variance(sequence.skeleton.parts(joint), sequence.skeleton, spread) for joint in points}
    result = np.empty((len(sequence), len(measures)))
    for column, angle in enumerate(measures):
        ends = [points[joint] for joint in angle.joints]
        noise = [variances[joint] for joint in angle.joints]
        with np.errstate(divide="ignore", invalid="ignore"):
            if angle.kind == "interior":
                a, c = _square(ends[0] - ends[1]), _square(ends[2] - ends[1])
                variance = noise[0] / a + noise[2] / c + noise[1] * _square(ends[0] - ends[2]) / (a * c)
            elif angle.kind == "lean":
                variance = (noise[0] + noise[1]) / _square(ends[1] - ends[0])
            else:
                upper, lower = (_square(line) for line in _across(*ends))
                variance = (noise[0] + noise[1]) / upper + (noise[2] + noise[3]) / lower
        result[:, column] = np.where(np.isfinite(variance), np.degrees(np.sqrt(variance)), np.nan)
    return result


def interior_angle(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Unsigned angle at ``b`` between the rays to ``a`` and to ``c``.

    Accurate at all angles, also near 0 and 180 where the arc cosine is not (Kahan 2006, "How futile are mindless
    assessments of roundoff").

    Args:
        a, b, c: (..., D) points.

    Returns:
        (...) float64 in degrees in [0, 180]; NaN where a point is missing or a ray has no length.
    """
    first, last = np.asarray(a, float) - b, np.asarray(c, float) - b
    one, other = np.sqrt(_square(first))[..., None], np.sqrt(_square(last))[..., None]
    first, last = first * other, last * one
    angle = 2 * np.arctan2(np.sqrt(_square(first - last)), np.sqrt(_square(first + last)))
    return np.where((one * other)[..., 0] > 0, np.degrees(angle), np.nan)


def signed_angle(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Angle at ``b`` from the ray to ``a`` to the ray to ``c`` in the plane, unwrapped along time.

    Args:
        a, b, c: (T, 2) points; with y downwards, as in images, positive is clockwise.

    Returns:
        (T,) float64 in degrees, the first known value in (-180, 180], no step larger than 180; NaN where unknown.
    """
    first, last = np.asarray(a, float) - b, np.asarray(c, float) - b
    cross = first[..., 0] * last[..., 1] - first[..., 1] * last[..., 0]
    return unwrap(_direction(cross, (first * last).sum(axis=-1), _square(first) * _square(last)))


def lean(low: np.ndarray, high: np.ndarray, forward: np.ndarray | None = None) -> np.ndarray:
    """Angle of the line from ``low`` up to ``high`` against the vertical, unwrapped along time.

    Args:
        low, high: (T, D) points; up is -y in 2D (images) and +y in 3D.
        forward: (3,) horizontal direction that counts as positive in 3D; a lean across it is not seen. In 2D positive
            is towards +x.

    Returns:
        (T,) float64 in degrees, NaN where unknown, or throughout in 3D without a direction.
    """
    line = np.asarray(high, float) - low
    if line.shape[-1] == 2:
        along, up = line[..., 0], -line[..., 1]
    elif forward is None:
        return np.full(len(line), np.nan)
    else:
        along, up = line @ np.asarray(forward, float), line[..., 1]
    return unwrap(_direction(along, up, along**2 + up**2))


def facing(sequence: PoseSequence) -> np.ndarray | None:
    """The horizontal direction that a body in 3D faces on average, square to its hips, or else to its shoulders.

    Returns:
        (3,) unit vector; None where neither line is known, or both stand upright.
    """
    for part in ("hip", "shoulder"):
        left, right = f"left_{part}", f"right_{part}"
        if sequence.skeleton.parts(left) and sequence.skeleton.parts(right):
            line = (sequence.joint(right) - sequence.joint(left)).astype(float)
            line = line[np.isfinite(line).all(axis=1)]
            across = line.mean(axis=0)[[0, 2]] if len(line) else np.zeros(2)
            length = float(np.hypot(*across))
            if length > 1e-6:
                return np.array([across[1], 0.0, -across[0]]) / length
    return None


def twist(
    upper_left: np.ndarray,
    upper_right: np.ndarray,
    lower_left: np.ndarray,
    lower_right: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> np.ndarray:
    """Angle from the lower line to the upper one, seen along the axis from ``high`` to ``low``.

    Args:
        upper_left, upper_right, lower_left, lower_right, low, high: (T, 3) ends of both lines and of the axis.

    Returns:
        (T,) float64 in degrees, counterclockwise positive in right-handed coordinates, unwrapped along time; NaN where
        unknown or a line runs along the axis.
    """
    upper, lower = _across(upper_left, upper_right, lower_left, lower_right, low, high)
    axis = np.asarray(high, float) - low
    length = np.sqrt(_square(axis))
    sine = (axis * np.cross(lower, upper)).sum(axis=-1)
    return unwrap(_direction(sine, length * (lower * upper).sum(axis=-1), length * _square(upper) * _square(lower)))


def unwrap(degrees: np.ndarray) -> np.ndarray:
    """Remove the jumps of whole turns along time; NaN values are stepped over.

    Args:
        degrees: (T,) angles.

    Returns:
        (T,) float64; each value the one nearest to the last known one that differs from the input by whole turns.
    """
    result = np.array(degrees, float)
    known = np.isfinite(result)
    result[known] = np.unwrap(result[known], period=360.0)
    return result


def wrap(degrees: np.ndarray) -> np.ndarray:
    """The same angles, whole turns removed, in [-180, 180)."""
    return np.asarray((np.asarray(degrees, float) + 180.0) % 360.0 - 180.0)


def _direction(sine: np.ndarray, cosine: np.ndarray, length: np.ndarray) -> np.ndarray:
    return np.where(length > 0, np.degrees(np.arctan2(sine, cosine)), np.nan)


def _square(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(np.einsum("...d,...d->...", vectors, vectors))


def _across(
    upper_left: np.ndarray,
    upper_right: np.ndarray,
    lower_left: np.ndarray,
    lower_right: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Both lines, from right to left, without their part along the axis; NaN where the axis has no length."""
    axis = np.asarray(high, float) - low
    with np.errstate(divide="ignore", invalid="ignore"):
        axis = axis / np.sqrt(_square(axis))[..., None]
    lines = (np.asarray(upper_left, float) - upper_right, np.asarray(lower_left, float) - lower_right)
    upper, lower = (line - (line * axis).sum(axis=-1, keepdims=True) * axis for line in lines)
    return upper, lower


def _points(sequence: PoseSequence, measures: Sequence[Angle]) -> dict[str, np.ndarray]:
    names = dict.fromkeys(joint for angle in measures for joint in angle.joints)
    return {name: sequence.joint(name).astype(float) for name in names}


def _ends(measures: Sequence[Angle], points: dict[str, np.ndarray]) -> list[np.ndarray]:
    """First, middle and last joint of every angle, (T, K, D) each."""
    return [np.stack([points[angle.joints[place]] for angle in measures], axis=1) for place in range(3)]


def _variance(parts: tuple[str, ...], skeleton: Skeleton, spread: np.ndarray) -> np.ndarray:
    """Variance of the mean of some joints, a joint counted as often as it is named; spread is (..., J)."""
    weights = {skeleton.index(joint): count / len(parts) for joint, count in Counter(parts).items()}
    return np.asarray(sum(weight**2 * spread[..., index] for index, weight in weights.items()))
