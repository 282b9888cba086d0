import math

import pytest

torch = pytest.importorskip("torch")

from posediff.alignment import contrastive_idm, soft_dtw  # noqa: E402
from posediff.models.skilldiff_losses import (  # noqa: E402
    alignment_loss,
    dimension_loss,
    ranking_loss,
    score_loss,
)
from posediff.models.skilldiff_settings import AlignmentSettings, LossSettings  # noqa: E402


def test_scores_are_measured_in_their_standard_deviation():
    found = score_loss(torch.tensor([1.0, 5.0]), torch.tensor([3.0, 5.0]), torch.tensor(2.0), "mse")
    assert found == pytest.approx(0.5)


def test_probabilities_are_measured_by_their_cross_entropy():
    predicted, target = torch.tensor([0.8, 0.3, 0.5]), torch.tensor([1.0, 0.0, 0.25])
    found = score_loss(predicted, target, torch.tensor(9.0), "bce")
    torch.testing.assert_close(found, torch.nn.functional.binary_cross_entropy(predicted, target))


def test_certainty_that_is_wrong_costs_a_finite_amount():
    assert score_loss(torch.tensor([0.0]), torch.tensor([1.0]), torch.tensor(1.0), "bce").isfinite()


def test_the_ranking_loss_is_that_of_every_pair():
    predicted, target = [0.3, -0.2, 1.0, 0.4], [1.0, 0.5, 0.2, 0.5]
    reference, margin = [2.0, -1.0, 0.2, 0.9], 0.3
    hinges = []
    for a in range(4):
        for b in range(a):
            if target[a] != target[b]:
                product = (predicted[a] - predicted[b]) * (target[a] - target[b])
                hinges.append(max(0.0, -product + margin))
        if target[a] != reference[a]:
            hinges.append(max(0.0, -(predicted[a] - reference[a]) * (target[a] - reference[a]) + margin))
    found = ranking_loss(torch.tensor(predicted), torch.tensor(target), torch.tensor(reference), margin)
    assert len(hinges) == 8
    assert found == pytest.approx(sum(hinges) / 8)


def test_the_right_order_costs_nothing_and_the_wrong_one_does():
    target, none = torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0])
    assert ranking_loss(target, target, none, 0.1) == 0
    assert ranking_loss(target.flip(0), target, none, 0.1) > 1


def test_without_pairs_of_different_scores_there_is_no_order():
    same = torch.ones(3)
    assert ranking_loss(torch.rand(3), same, same, 0.5) == 0


def test_the_alignment_loss_is_soft_dtw_by_frame_and_the_regularisation():
    x, y = torch.randn(2, 3, 6, 4)
    settings, loss = AlignmentSettings(gamma=0.2, unit=False), LossSettings(contrast=0.7, near=2.0, apart=1.5)
    expected = torch.stack([soft_dtw(a, b, gamma=0.2) for a, b in zip(x, y, strict=True)]).mean() / 12
    expected += 0.7 * torch.stack([contrastive_idm(z, sigma=2.0, margin=1.5) for z in (*x, *y)]).mean() / 36
    torch.testing.assert_close(alignment_loss(x, y, settings, loss), expected)


def test_the_regularisation_keeps_frames_from_becoming_one():
    collapsed, spread = torch.ones(1, 40, 4), torch.nn.functional.normalize(torch.randn(1, 40, 4), dim=2)
    values = {
        contrast: [
            alignment_loss(x, x, AlignmentSettings(), LossSettings(contrast=contrast)) for x in (collapsed, spread)
        ]
        for contrast in (0.0, 1.0)
    }
    assert values[0.0][0] < values[0.0][1]
    assert values[1.0][0] > values[1.0][1]


def test_unknown_dimensions_teach_nothing():
    said = torch.tensor([[[0.2, 0.9], [0.4, 0.7]], [[0.5, 0.5], [0.5, 0.5]]], requires_grad=True)
    loss = dimension_loss(said, torch.tensor([[0.5, math.nan], [math.nan, 1.0]]))
    assert loss.item() == pytest.approx((0.2**2 + 0.5**2) / 2)
    loss.backward()
    assert said.grad[0, :, 1].abs().sum() == 0
    assert dimension_loss(said, torch.full((2, 2), math.nan)) == 0
