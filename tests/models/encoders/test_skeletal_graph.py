import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.models.encoders.skeletal_graph import LevelConvolution, SemanticEdges
from posediff.models.encoders.skeletal_presence import Presence
from posediff.models.graphs import level_edges, subsets
from posediff.skeletons import MPII16

JOINTS = [MPII16.index(joint) for joint in MPII16.level(0)]


def masks(seed, missing, joints):
    """(joints, 2 clips, 4 frames)"""
    return torch.rand(joints, 2, 4, generator=torch.Generator().manual_seed(seed)) >= missing


@settings(max_examples=15)
@given(st.integers(0, 1000), st.sampled_from([0.0, 0.3, 0.8]))
def test_messages_are_means_over_the_neighbours_that_are_there(seed, missing):
    adjacency = subsets(MPII16, 0)[:, JOINTS][:, :, JOINTS].double()
    torch.manual_seed(seed)
    level = LevelConvolution(adjacency, 3, 5, (4, 2, 2), "layer").double()
    torch.nn.init.normal_(level.norm.norm.bias)
    mask = masks(seed, missing, len(JOINTS))
    features = torch.randn(len(JOINTS), 2, 4, 3).double()
    (rows,) = Presence.of(mask, (torch.arange(len(JOINTS)),)).level_rows
    found = level(features.flatten(0, 2), mask, rows)
    for subset, convolution in enumerate(level.pointwise):
        for joint in range(len(JOINTS)):
            for clip, frame in ((0, 0), (1, 2)):
                heard = [
                    torch.relu(level.norm.norm(level.mlp(features[other, clip, frame])))
                    for other in range(len(JOINTS))
                    if adjacency[subset, joint, other] and mask[other, clip, frame]
                ]
                mean = torch.stack(heard).mean(0) if heard else torch.zeros(5).double()
                row = found[subset].view(len(JOINTS), 2, 4, -1)[joint, clip, frame]
                torch.testing.assert_close(row, convolution(mean))


def test_offsets_join_joints_without_a_bone():
    level = LevelConvolution(subsets(MPII16, 0)[:, JOINTS][:, :, JOINTS], 3, 5, (4, 2, 2), "layer")
    hip, shoulder = (MPII16.level(0).index(f"left_{joint}") for joint in ("hip", "shoulder"))
    features = torch.randn(len(JOINTS), 8, 3, generator=torch.Generator().manual_seed(0))
    moved = features.clone()
    moved[hip] += 1
    mask = masks(0, 0, len(JOINTS))

    def shoulder_hears() -> bool:
        before, after = (
            level(one.flatten(0, 1), mask, None)[1].view(len(JOINTS), -1)[shoulder] for one in (features, moved)
        )
        return not torch.equal(before, after)

    assert not shoulder_hears()
    with torch.no_grad():
        level.offsets[1, shoulder, hip] = 0.1
    assert shoulder_hears()


def edge_conv(features, mask, edges, neighbours, network):
    """EdgeConv of one clip by loops: (J, T, C) features, (J, T) mask; rows of joints that are never there are None."""
    there = mask.any(1)
    means = [features[joint][mask[joint]].mean(0) if there[joint] else None for joint in range(len(mask))]
    result = []
    for joint, mean in enumerate(means):
        if mean is None:
            result.append(None)
            continue
        others = [other for other in range(len(mask)) if there[other] and other != joint]
        others.sort(key=lambda other: (means[other] - mean).norm().item())
        linked = {source for source, target in edges if target == joint and there[source]}
        heard = {joint, *others[:neighbours], *linked}
        messages = [network(torch.cat((mean, means[other] - mean))) for other in heard]
        result.append(torch.stack(messages).amax(0))
    return result


@settings(max_examples=15)
@given(st.integers(0, 1000), st.sampled_from([0.0, 0.6, 0.9]), st.sampled_from([0, 3, 40]))
def test_semantic_edges_are_the_maximum_over_edges_and_nearest_joints(seed, missing, neighbours):
    fixed = level_edges(MPII16, (0, 1, 2))
    torch.manual_seed(seed)
    module = SemanticEdges(fixed, neighbours, 3, 6).double()
    mask = masks(seed, missing, 16)
    features = torch.randn(16, 2, 4, 3).double() * mask[..., None]
    found = module(features.flatten(0, 2), mask).view(16, 2, 4, 6)
    for clip in (0, 1):
        expected = edge_conv(features[:, clip], mask[:, clip], fixed.T.tolist(), neighbours, module.convolution.nn)
        for joint, row in enumerate(expected):
            if row is not None:
                torch.testing.assert_close(found[joint, clip], row.expand(4, -1))


@pytest.mark.parametrize("joints", [1, 2])
def test_fewer_joints_than_neighbours_will_do(joints):
    module = SemanticEdges(torch.zeros(2, 0, dtype=torch.int64), 5, 3, 6)
    assert module(torch.randn(joints * 8, 3), masks(0, 0, joints)).shape == (joints * 8, 6)
