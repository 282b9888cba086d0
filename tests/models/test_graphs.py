import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse.csgraph import shortest_path

from posediff.models.graphs import level_bones, level_edges, level_joints, root_distances, subsets
from posediff.skeletons import CATALOGUE, COCO17, MPII16, Skeleton

ALL = pytest.mark.parametrize("skeleton", CATALOGUE.values(), ids=lambda skeleton: skeleton.name)


def named(adjacency, skeleton):
    """(hearing, heard) joints of an adjacency."""
    return {(skeleton.joints[i], skeleton.joints[j]) for i, j in adjacency.nonzero().tolist()}


@ALL
def test_every_bone_is_of_one_level(skeleton):
    bones = [bone for level in range(3) for bone in level_bones(skeleton, level)]
    assert sorted(bones) == sorted(skeleton.bones)


@ALL
def test_distances_are_shortest_paths_from_the_root(skeleton):
    matrix = np.zeros((len(skeleton.joints),) * 2)
    for a, b in skeleton.bones:
        matrix[skeleton.index(a), skeleton.index(b)] = 1
    paths = shortest_path(matrix, directed=False, unweighted=True)
    nearest = paths[[skeleton.index(joint) for joint in skeleton.root]].min(0)
    expected = {joint: int(hops) for joint, hops in zip(skeleton.joints, nearest, strict=True) if np.isfinite(hops)}
    assert root_distances(skeleton) == expected


@ALL
def test_centrifugal_messages_come_from_nearer_the_root_and_centripetal_ones_back(skeleton):
    distances = root_distances(skeleton)
    for level in range(3):
        identity, centrifugal, centripetal = subsets(skeleton, level)
        assert named(identity, skeleton) == {(joint, joint) for joint in level_joints(skeleton, level)}
        assert all(distances[hearing] >= distances[heard] for hearing, heard in named(centrifugal, skeleton))
        assert named(centripetal, skeleton) == {pair[::-1] for pair in named(centrifugal, skeleton)}
        pairs = {frozenset(pair) for pair in named(centrifugal, skeleton)}
        assert pairs == {frozenset(bone) for bone in level_bones(skeleton, level)}


@ALL
def test_rows_are_means(skeleton):
    for level in range(3):
        for row in subsets(skeleton, level).flatten(0, 1):
            weights = row[row > 0]
            assert len(weights) == 0 or torch.allclose(weights, torch.full_like(weights, 1 / len(weights)))


def test_outer_limbs_of_mpii():
    identity, centrifugal, centripetal = subsets(MPII16, 2)
    limbs = {f"{side}_{joint}" for side in ("left", "right") for joint in ("wrist", "elbow", "ankle", "knee")}
    assert {joint for joint, _ in named(identity, MPII16)} == limbs
    assert named(centrifugal, MPII16) == {
        (f"{side}_{far}", f"{side}_{near}")
        for side in ("left", "right")
        for far, near in (("wrist", "elbow"), ("ankle", "knee"))
    }
    assert centripetal[MPII16.index("left_elbow"), MPII16.index("left_wrist")] == 1


def test_the_pelvis_of_mpii_hears_thorax_and_hips_equally():
    heard = subsets(MPII16, 0)[2, MPII16.index("pelvis")]
    expected = {MPII16.index(joint) for joint in ("thorax", "left_hip", "right_hip")}
    assert {i for i in range(16) if heard[i] > 0} == expected
    assert heard.max() == pytest.approx(1 / 3)


def test_a_bone_between_two_joints_of_the_root_counts_both_ways():
    hips = {("left_hip", "right_hip"), ("right_hip", "left_hip")}
    _, centrifugal, centripetal = subsets(COCO17, 0)
    assert hips <= named(centrifugal, COCO17)
    assert hips <= named(centripetal, COCO17)


def test_bones_apart_from_the_root_are_taken_as_given():
    skeleton = Skeleton("hand", ("pelvis", "left_wrist", "left_index"), (("left_wrist", "left_index"),))
    _, centrifugal, centripetal = subsets(skeleton, 2)
    assert named(centrifugal, skeleton) == {("left_index", "left_wrist")}
    assert named(centripetal, skeleton) == {("left_wrist", "left_index")}


@given(st.permutations(range(16)), st.integers(0, 2))
def test_another_order_of_the_joints_only_reorders(order, level):
    other = Skeleton("other", tuple(MPII16.joints[i] for i in order), MPII16.bones[::-1])
    assert torch.equal(subsets(other, level), subsets(MPII16, level)[:, order][:, :, order])


@ALL
@pytest.mark.parametrize("levels", [(0, 1, 2), (1, 0), (2, 1), (0, 2), (1,)])
def test_edges_join_all_joints_of_adjacent_levels(skeleton, levels):
    edges = {tuple(edge) for edge in level_edges(skeleton, levels).T.tolist()}
    among = [joint for joint in skeleton.joints if skeleton.levels[joint] in levels]
    steps = {0, 1} if set(levels) != {0, 2} else {0, 2}
    expected = {
        (skeleton.index(a), skeleton.index(b))
        for a in among
        for b in among
        if skeleton.levels[a] != skeleton.levels[b] and abs(skeleton.levels[a] - skeleton.levels[b]) in steps
    }
    assert edges == expected


def test_a_level_without_joints_is_passed_over():
    skeleton = Skeleton("few", ("pelvis", "left_ankle"), ())
    assert level_edges(skeleton, (0, 1, 2)).tolist() == [[0, 1], [1, 0]]


def test_one_level_has_no_edges():
    assert level_edges(MPII16, (1,)).shape == (2, 0)
