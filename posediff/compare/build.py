"""Two bodies given the same bones and comparable paths: what is left between them is the movement, not the build."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from posediff.compare.body import Body
from posediff.skeletons import Skeleton

#: Bones shorter than this, in torso lengths, are left alone: seen from the front or the side they vanish in an image.
SHORTEST = 0.1
#: Largest change of a bone's length; beyond it, an image shows a limb end on, or a keypoint was mistaken.
MOST = 1.25
#: Extent of a path that counts in full, in torso lengths.
LONGEST_TRAVEL = 2.0


def same_build(reference: Body, query: Body) -> tuple[Body, Body]:
    """Both bodies with bones of the same lengths, midway between theirs; the directions of the bones are kept.

    Args:
        reference, query: bodies on one skeleton, in torso lengths.
    """
    bones = bone_tree(reference.sequence.skeleton)
    if not bones:
        return reference, query
    ends = np.array(bones)
    lengths = [_lengths(body, ends) for body in (reference, query)]
    known = (lengths[0] > SHORTEST) & (lengths[1] > SHORTEST)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(known, np.clip(lengths[1] / lengths[0], 1 / MOST, MOST), 1.0)
    return _stretched(reference, bones, np.sqrt(ratio)), _stretched(query, bones, 1 / np.sqrt(ratio))


def same_travel(reference: Body, query: Body) -> tuple[Body, Body]:
    """Both bodies with their paths through the room scaled down by one factor, where those are long.

    A run-up, a jump or a dive covers many body lengths; counted in full, it would outweigh all that the body does, and
    its length depends on the scale of the recording as much as on the performer.
    """
    extents = [float(np.linalg.norm(np.ptp(body.path, axis=0))) for body in (reference, query)]
    factor = min(1.0, 2 * LONGEST_TRAVEL / max(sum(extents), 1e-9))
    if factor == 1.0:
        return reference, query
    return _shortened(reference, factor), _shortened(query, factor)


def _shortened(body: Body, factor: float) -> Body:
    return replace(body, path=body.path * factor, path_scale=body.path_scale * factor)


@lru_cache(maxsize=64)
def bone_tree(skeleton: Skeleton) -> tuple[tuple[int, int], ...]:
    """(parent, child) joint indices of the bones, outwards from the root, each joint reached once."""
    reached = [skeleton.index(joint) for joint in skeleton.root]
    neighbours: dict[int, list[int]] = {index: [] for index in range(len(skeleton.joints))}
    for a, b in skeleton.bones:
        neighbours[skeleton.index(a)].append(skeleton.index(b))
        neighbours[skeleton.index(b)].append(skeleton.index(a))
    tree = []
    for parent in reached:  # grows while it is walked: breadth first
        for child in neighbours[parent]:
            if child not in reached:
                reached.append(child)
                tree.append((parent, child))
    return tuple(tree)


def _lengths(body: Body, ends: np.ndarray) -> np.ndarray:
    """(B,) typical lengths of the bones, those of both sides averaged; NaN for one never seen.

    The median in 3D; the upper quartile in images, where a bone only ever looks shorter than it is.
    """
    keypoints = body.sequence.keypoints
    vectors = keypoints[:, ends[:, 1]] - keypoints[:, ends[:, 0]]
    quantile = 0.5 if keypoints.shape[2] == 3 else 0.75
    seen = np.isfinite(vectors).all(axis=2)
    sizes = np.sort(np.where(seen, np.linalg.norm(vectors, axis=2), np.inf), axis=0)
    rows = np.minimum((quantile * seen.sum(axis=0)).astype(int), len(sizes) - 1)
    lengths = np.where(seen.any(axis=0), sizes[rows, np.arange(len(ends))], np.nan)
    order = body.sequence.skeleton.mirror_order
    place = {tuple(sorted(pair)): k for k, pair in enumerate(ends.tolist())}
    twin = [place.get(tuple(sorted((order[a], order[b]))), k) for k, (a, b) in enumerate(ends.tolist())]
    return np.asarray((lengths + lengths[twin]) / 2)


def _stretched(body: Body, bones: tuple[tuple[int, int], ...], factors: np.ndarray) -> Body:
    """The body with every bone made longer by its factor."""
    where = body.positions
    shift = np.zeros_like(where)
    for (parent, child), factor in zip(bones, factors.tolist(), strict=True):
        shift[:, child] = shift[:, parent] + (factor - 1.0) * (where[:, child] - where[:, parent])
    keypoints = (body.sequence.keypoints + shift).astype(np.float32)
    return replace(body, sequence=body.sequence.replace(keypoints=keypoints))
