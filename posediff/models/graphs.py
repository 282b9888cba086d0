"""Graphs of a skeleton's three levels: torso, inner limbs, outer limbs (HP-MCoRe, Qi et al. 2025, section III-B)."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from posediff.skeletons import Skeleton


def level_bones(skeleton: Skeleton, level: int) -> tuple[tuple[str, str], ...]:
    """The bones of a level: those between its joints, and those from its joints to the levels below.

    Every bone is of one level, the higher of its two ends'.
    """
    return tuple(bone for bone in skeleton.bones if max(skeleton.levels[joint] for joint in bone) == level)


def level_joints(skeleton: Skeleton, level: int) -> tuple[str, ...]:
    """The joints of a level's graph, in the skeleton's order: its own, and those below that its bones join it to."""
    joined = {joint for bone in level_bones(skeleton, level) for joint in bone}
    return tuple(joint for joint in skeleton.joints if skeleton.levels[joint] == level or joint in joined)


def root_distances(skeleton: Skeleton) -> dict[str, int]:
    """Bones between the root and every joint that bones lead to from it."""
    distances = dict.fromkeys(skeleton.root, 0)
    reached = list(distances)
    for joint in reached:
        for bone in skeleton.bones:
            if joint in bone:
                other = bone[1 - bone.index(joint)]
                if other not in distances:
                    distances[other] = distances[joint] + 1
                    reached.append(other)
    return distances


def subsets(skeleton: Skeleton, level: int) -> torch.Tensor:
    """Adjacency of a level's graph, divided into identity, centrifugal and centripetal (eq. 4).

    Along its bones a joint hears the joint nearer to the root in the centrifugal subset, and the farther one in the
    centripetal subset. A bone whose ends are equally far, such as that between two hips that are the root, counts both
    ways in both; one that no bones join to the root is taken as the skeleton gives it, the nearer joint first.

    Args:
        skeleton: any skeleton.
        level: 0 torso, 1 inner limbs, 2 outer limbs.

    Returns:
        (3, J, J), the hearing joint first: a row's weights are equal, and sum to 1 or are all 0.
    """
    identity, centrifugal, centripetal = torch.zeros(3, len(skeleton.joints), len(skeleton.joints))
    for joint in level_joints(skeleton, level):
        identity[skeleton.index(joint), skeleton.index(joint)] = 1
    distances = root_distances(skeleton)
    for bone in level_bones(skeleton, level):
        apart = distances.get(bone[1], 1) - distances.get(bone[0], 0)
        directions = [bone] if apart > 0 else [bone[::-1]] if apart < 0 else [bone, bone[::-1]]
        for near, far in directions:
            centrifugal[skeleton.index(far), skeleton.index(near)] = 1
            centripetal[skeleton.index(near), skeleton.index(far)] = 1
    adjacency = torch.stack((identity, centrifugal, centripetal))
    return adjacency / adjacency.sum(-1, keepdim=True).clamp(min=1)


def level_edges(skeleton: Skeleton, levels: Sequence[int]) -> torch.Tensor:
    """Edges between all joints of adjacent levels, which let EdgeConv relate distant joints (section III-B).

    Args:
        skeleton: any skeleton.
        levels: those that are used; adjacent are two that follow one another among those with joints.

    Returns:
        (2, E) int64, both directions of every edge: positions of the joints in the skeleton.
    """
    groups = [[skeleton.index(joint) for joint in skeleton.level(level)] for level in sorted(set(levels))]
    groups = [group for group in groups if group]
    edges = [
        edge
        for lower, upper in zip(groups, groups[1:], strict=False)
        for one in lower
        for other in upper
        for edge in ((one, other), (other, one))
    ]
    return torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).T
