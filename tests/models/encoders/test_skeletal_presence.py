import numpy as np
import pytest
import torch

from posediff.models.encoders.skeletal_presence import Presence, PresentNorm

NODES = (torch.tensor([0, 1]), torch.tensor([1, 2]))


def test_rows_are_where_the_mask_is_true():
    mask = torch.rand(3, 2, 5, generator=torch.Generator().manual_seed(0)) > 0.4
    presence = Presence.of(mask, NODES)
    features = torch.arange(30)
    assert features[presence.rows].tolist() == features.view(3, 2, 5)[mask].tolist()
    for nodes, rows in zip(NODES, presence.level_rows, strict=True):
        assert (
            features.view(3, 10)[nodes].flatten()[rows].tolist() == features.view(3, 2, 5)[nodes][mask[nodes]].tolist()
        )


def test_nothing_missing_needs_no_rows():
    presence = Presence.of(torch.ones(3, 2, 5, dtype=torch.bool), NODES)
    assert presence.rows is None
    assert presence.level_rows == (None, None)


@pytest.mark.parametrize("stride", [1, 2, 3, 5, 7])
def test_after_striding_a_joint_is_there_that_was_in_one_of_the_frames(stride):
    mask = torch.rand(3, 2, 7, generator=torch.Generator().manual_seed(0)) > 0.7
    strided = Presence.of(mask, NODES).strided(stride).mask
    expected = np.stack([mask[..., start : start + stride].numpy().any(-1) for start in range(0, 7, stride)], axis=-1)
    np.testing.assert_array_equal(strided.numpy(), expected)


def test_batch_statistics_are_of_what_is_there():
    norm = PresentNorm("batch", 3)
    features = torch.randn(8, 3, generator=torch.Generator().manual_seed(0)) * 4 + 2
    rows = torch.tensor([0, 2, 3, 7])
    normalised = norm(features, rows).detach().numpy()
    there = features[rows].numpy()
    np.testing.assert_allclose(normalised[rows], (there - there.mean(0)) / np.sqrt(there.var(0) + 1e-5), rtol=1e-4)
    assert (normalised[[1, 4, 5, 6]] == 0).all()
    np.testing.assert_allclose(norm.norm.running_mean.numpy(), 0.1 * there.mean(0), rtol=1e-5)


def test_layer_statistics_are_of_each_row():
    features = torch.randn(4, 6, generator=torch.Generator().manual_seed(0)) * 4 + 2
    normalised = PresentNorm("layer", 6)(features, torch.tensor([1, 3])).detach().numpy()
    there = features[[1, 3]].numpy()
    expected = (there - there.mean(1, keepdims=True)) / np.sqrt(there.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(normalised[[1, 3]], expected, rtol=1e-4)
    assert (normalised[[0, 2]] == 0).all()


@pytest.mark.parametrize("there", [0, 1])
def test_too_few_rows_for_a_variance_are_normalised_by_the_running_one(there):
    norm = PresentNorm("batch", 3)
    norm.norm.running_mean.fill_(2)
    features = torch.full((5, 3), 4.0)
    normalised = norm(features, torch.arange(there)).detach()
    assert torch.allclose(normalised[:there], torch.full((there, 3), 2.0), atol=1e-4)
    assert (normalised[there:] == 0).all()
    assert (norm.norm.running_mean == 2).all()
