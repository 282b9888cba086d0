"""Taking away where a body is, how large it is, which way it is turned and which hand it prefers."""

from __future__ import annotations

from typing import Literal

import numpy as np

from posediff.errors import BadData, BadSetting
from posediff.sequence import PoseSequence

#: Share of a person's height, from Drillis & Contini (1966) as printed in Winter (2009), figure 4.1.
TORSO_SHARE = 0.288
LIMB_SHARES = {
    ("hip", "knee"): 0.245,
    ("knee", "ankle"): 0.246,
    ("shoulder", "elbow"): 0.186,
    ("elbow", "wrist"): 0.146,
}


def normalize(
    sequence: PoseSequence,
    *,
    centre: bool = True,
    scale: bool = True,
    rotate: Literal["upright"] | None = None,
    mirror: bool = False,
) -> PoseSequence:
    """Root-centred, torso-scaled, and on request mirrored and set upright.

    The y axis keeps its direction: downwards in images, upwards in 3D. Boxes and the image size, which are in pixels of
    the image, are dropped.

    Args:
        sequence: T frames.
        centre: put the root of every frame at the origin; where it is missing, it is interpolated over time.
        scale: measure in torso lengths (units ``normalized``).
        rotate: ``"upright"`` turns a 2D sequence in the plane, all frames by one angle, so that the mean direction of
            the trunk is vertical.
        mirror: exchange left and right first.

    Raises:
        BadSetting: if ``rotate`` is unknown, or asked for in 3D.
        BadData: if the root, the trunk or the scale is asked for and no frame shows it.
    """
    if rotate not in (None, "upright"):
        raise BadSetting(f"unknown rotation {rotate!r}", "choose upright or none")
    if rotate and sequence.dimensions == 3:
        raise BadSetting("rotate is 'upright' for 3D keypoints", "y is up in 3D already; or turn them with rotate()")
    if mirror:
        sequence = mirrored(sequence)
    keypoints = sequence.keypoints.astype(float)
    if centre:
        keypoints -= root_track(sequence)[:, None]
    if scale:
        keypoints /= torso_length(sequence)
    if rotate:
        keypoints = keypoints @ _upright(sequence).T
    return sequence.replace(
        keypoints=keypoints,
        units="normalized" if scale else sequence.units,
        boxes=None,
        image_size=None,
        step=f"normalize(centre={centre}, scale={scale}, rotate={rotate}, mirror={mirror})",
    )


def root_track(sequence: PoseSequence) -> np.ndarray:
    """Position of the body's root in every frame.

    Where a root joint is missing the track is interpolated linearly over time, and held at the ends. If the root is
    never seen, the upper end of the torso stands for it.

    Returns:
        (T, D) float64.

    Raises:
        BadData: if no frame shows either.
    """
    skeleton = sequence.skeleton
    for parts in (skeleton.root, skeleton.torso[1]):
        track = _mean(sequence, parts)
        known = np.isfinite(track).all(axis=1)
        if known.all():
            return track
        if known.any():
            frames = sequence.frames
            return np.stack([np.interp(frames, frames[known], axis) for axis in track[known].T], axis=1)
    raise BadData(
        f"no frame shows the root of the body ({' and '.join(dict.fromkeys(skeleton.root))})",
        "choose frames in which the hips or the shoulders are visible",
    )


def torso_length(sequence: PoseSequence) -> float:
    """Length of the torso, from the root to between the shoulders.

    In 3D the median over the frames. In 2D the upper quartile, because the image only ever shortens a torso: it is
    right as long as the trunk is seen at its length in a quarter of the frames. If no frame shows both ends, it is
    inferred from the limbs and the proportions of Drillis & Contini (1966), the median over the limbs.

    Returns:
        A length in the sequence's units, larger than 0.

    Raises:
        BadData: if no frame shows a torso or a limb that has a length.
    """
    low, high = sequence.skeleton.torso
    if low and high:
        length = _typical_length(_mean(sequence, high) - _mean(sequence, low))
        if length > 0:
            return length
    inferred = []
    for (near, far), share in LIMB_SHARES.items():
        for side in ("left", "right"):
            ends = [sequence.skeleton.parts(f"{side}_{joint}") for joint in (near, far)]
            if all(ends):
                length = _typical_length(_mean(sequence, ends[1]) - _mean(sequence, ends[0]))
                inferred.append(length * TORSO_SHARE / share)
    inferred = [length for length in inferred if length > 0]
    if not inferred:
        raise BadData(
            f"nothing shows how large the body is: no frame has both ends of the torso or of a limb "
            f"({sequence.skeleton.name}, {len(sequence)} frames)",
            "choose frames in which shoulders and hips, or an arm or a leg, are visible",
        )
    return float(np.median(inferred))


def mirrored(sequence: PoseSequence) -> PoseSequence:
    """The performance as a mirror shows it: left and right joints change places and x is reflected.

    In 2D x is reflected as the image would be when flipped, ``width - 1 - x``, where its size is known; else, and in
    3D, at x = 0.
    """
    order = list(sequence.skeleton.mirror_order)
    edge = sequence.image_size[0] - 1 if sequence.image_size and sequence.dimensions == 2 else 0
    keypoints = sequence.keypoints[:, order].copy()
    keypoints[..., 0] = edge - keypoints[..., 0]
    boxes = sequence.boxes
    if boxes is not None:
        boxes = np.column_stack([edge - boxes[:, 2], boxes[:, 1], edge - boxes[:, 0], boxes[:, 3]])
    return sequence.replace(
        keypoints=keypoints,
        scores=sequence.scores[:, order],
        status=sequence.status[:, order],
        boxes=boxes,
        step="mirrored()",
    )


def rotation_between(
    a: np.ndarray, b: np.ndarray, weights: np.ndarray | None = None, *, vertical: bool = False
) -> np.ndarray:
    """The rotation about the origin that brings ``a`` nearest to ``b``, in weighted least squares (Kabsch 1978).

    Args:
        a, b: (..., D) points that belong together, relative to origins that do; NaN points are left out.
        weights: (...), not negative; by default 1.
        vertical: in 3D, turn about the y axis only, so that what is upright stays so.

    Returns:
        (D, D) float64 with determinant 1, such that ``a @ R.T`` is near ``b``; the identity if there are no points.

    Raises:
        BadSetting: if the shapes do not agree, or ``vertical`` is asked for in 2D.
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape or (weights is not None and np.shape(weights) != a.shape[:-1]):
        received = f"{a.shape}, {b.shape}" + ("" if weights is None else f" and weights {np.shape(weights)}")
        raise BadSetting(f"cannot rotate between shapes {received}", "give points that belong together")
    size = a.shape[-1]
    if vertical and size != 3:
        raise BadSetting(f"a rotation about the vertical was asked for in {size}D", "it exists in 3D only")
    known = np.isfinite(a).all(axis=-1) & np.isfinite(b).all(axis=-1)
    weight = np.ones(known.sum()) if weights is None else np.asarray(weights, float)[known]
    axes = [0, 2] if vertical else list(range(size))
    covariance = (a[known][:, axes] * weight[:, None]).T @ b[known][:, axes]
    left, _, right = np.linalg.svd(covariance)
    proper = np.ones(len(axes))
    proper[-1] = np.sign(np.linalg.det(left) * np.linalg.det(right))
    rotation = np.eye(size)
    rotation[np.ix_(axes, axes)] = (right.T * proper) @ left.T
    return rotation


def rotate(sequence: PoseSequence, matrix: np.ndarray) -> PoseSequence:
    """The sequence turned about the origin; its boxes are dropped.

    Args:
        sequence: T frames in D dimensions.
        matrix: (D, D) rotation.

    Raises:
        BadSetting: if the matrix is not a rotation in D dimensions.
    """
    matrix = np.asarray(matrix, float)
    size = sequence.dimensions
    if matrix.shape != (size, size) or not np.allclose(matrix @ matrix.T, np.eye(size), atol=1e-6):
        raise BadSetting(f"not a rotation in {size}D: {matrix.tolist()}", "give an orthonormal matrix")
    if np.linalg.det(matrix) < 0:
        raise BadSetting(f"a reflection, not a rotation: {matrix.tolist()}", "use mirrored() for a reflection")
    keypoints = sequence.keypoints.astype(float) @ matrix.T
    return sequence.replace(keypoints=keypoints, boxes=None, step=f"rotate({np.round(matrix, 6).tolist()})")


def _mean(sequence: PoseSequence, parts: tuple[str, ...]) -> np.ndarray:
    """(T, D) mean of some joints, NaN where one is missing."""
    indices = [sequence.skeleton.index(part) for part in parts]
    return np.asarray(sequence.keypoints[:, indices].mean(axis=1, dtype=float))


def _typical_length(vectors: np.ndarray) -> float:
    """Median length in 3D, upper quartile in 2D, 0 where there is none; vectors (T, D) may be NaN."""
    lengths = np.linalg.norm(vectors, axis=-1)
    lengths = lengths[np.isfinite(lengths)]
    if not len(lengths):
        return 0.0
    return float(np.quantile(lengths, 0.5 if vectors.shape[-1] == 3 else 0.75))


def _upright(sequence: PoseSequence) -> np.ndarray:
    """(2, 2) rotation that brings the mean direction of the trunk to -y."""
    low, high = sequence.skeleton.torso
    if low and high:
        trunk = _mean(sequence, high) - _mean(sequence, low)
        length = np.linalg.norm(trunk, axis=1)
        mean = (trunk[length > 0] / length[length > 0, None]).sum(axis=0)
        size = float(np.hypot(*mean))
        if size > 0:
            right, down = mean / size
            return np.array([[-down, right], [-right, -down]])
    raise BadData(f"no frame shows the trunk of {sequence.skeleton.name}", "leave rotate out, or choose other frames")
