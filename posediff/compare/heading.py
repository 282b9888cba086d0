"""The heading of two bodies: in 3D they are turned to face the same way, so that the camera's place does not matter."""

from __future__ import annotations

import numpy as np

from posediff.compare.body import Body
from posediff.motion.normalize import rotation_between
from posediff.sequence import PoseSequence

#: A free rotation is taken where it leaves less than this share of what turning about the vertical leaves.
UPRIGHT = 0.5
#: Rounds of reweighting in the fit of a rotation.
ROTATION_STEPS = 6


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
    upright, free = (
        _robust_rotation(other.values, one.values, weights, vertical=vertical) for vertical in (True, False)
    )
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
