from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.errors import BadData

torch = pytest.importorskip("torch")

from posediff.models.segmentation import Segmentation, decode, segmentation_loss  # noqa: E402
from posediff.models.settings import SegmentationSettings  # noqa: E402


def settings(count: int = 2, **changes) -> SegmentationSettings:
    return SegmentationSettings(**{"boundaries": tuple(range(count)), "class_weights": (1.0, 2.0, 3.0), **changes})


def windows_of(frames: int, count: int) -> list[range]:
    return [range(max(1, i * frames // count), (i + 1) * frames // count) for i in range(count)]


@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(6, 9), st.booleans())
def test_decoding_finds_what_trying_all_transitions_finds(seed, count, frames, windows):
    logits = np.random.default_rng(seed).normal(size=(3, frames, count + 1))
    # The chance of all labels of a clip, frame by frame: what a decoder by odds never computes.
    chances = logits - np.log(np.exp(logits).sum(axis=2, keepdims=True))
    for item, found in enumerate(decode(torch.tensor(logits), windows).tolist()):
        tried = {}
        for places in combinations(range(1, frames), count):
            if not windows or all(p in w for p, w in zip(places, windows_of(frames, count), strict=True)):
                labels = np.zeros(frames, int)
                labels[list(places)] = np.arange(1, count + 1)
                tried[places] = chances[item, np.arange(frames), labels].sum()
        assert tried[tuple(found)] == pytest.approx(max(tried.values()), abs=1e-5)


def test_the_order_of_transitions_overrules_what_each_would_choose():
    logits = torch.zeros(1, 8, 3)
    logits[0, 6, 1], logits[0, 2, 1] = 3.0, 2.0
    logits[0, 3, 2] = 5.0
    assert decode(logits).tolist() == [[2, 3]]


def test_the_first_frame_is_never_a_transition():
    logits = torch.zeros(1, 4, 2)
    logits[0, 0, 1] = 9.0
    assert decode(logits)[0, 0] >= 1


def test_a_clip_with_as_many_frames_as_stages_has_one_way():
    assert decode(torch.randn(2, 3, 3)).tolist() == [[1, 2]] * 2


@pytest.mark.parametrize(("frames", "windows"), [(2, False), (3, True)])
def test_a_clip_that_is_too_short_is_refused(frames, windows):
    with pytest.raises(BadData, match=f"{frames} frames"):
        decode(torch.randn(1, frames, 3), windows)


def test_one_stage_has_no_transitions():
    assert decode(torch.randn(4, 5, 1)).shape == (4, 0)


def test_numbers_that_are_none_still_give_transitions_in_order():
    found = decode(torch.full((2, 6, 3), torch.nan))
    assert (found[:, 0] >= 1).all()
    assert (found[:, 1] > found[:, 0]).all()
    assert (found < 6).all()


def slow_loss(logits, transitions, weights, loss):
    """Frame by frame, clip by clip."""
    total, known = 0.0, 0
    for clip, truth in zip(logits, transitions, strict=True):
        classes = [0] + [k + 1 for k, place in enumerate(truth) if place >= 0]
        known += len(classes) - 1
        for k in classes[1:]:
            if loss == "time":
                odds = clip[:, k] - clip[:, 0]
                total -= weights[k - 1] * (odds[truth[k - 1]] - np.log(np.exp(odds).sum()))
        if loss == "frames" and len(classes) > 1:
            for frame, values in enumerate(clip):
                label = next((k for k in classes[1:] if truth[k - 1] == frame), 0)
                chance = np.exp(values[label]) / sum(np.exp(values[k]) for k in classes)
                total -= (weights[label - 1] if label else 1.0) * np.log(chance)
    return total / known


@pytest.mark.parametrize("loss", ["frames", "time"])
def test_the_loss_is_the_cross_entropy_for_a_known_transition(loss):
    logits = np.random.default_rng(0).normal(size=(4, 7, 3))
    transitions = [[1, 5], [2, 6], [-1, 4], [-1, -1]]
    found = segmentation_loss(torch.tensor(logits), torch.tensor(transitions), settings(loss=loss))
    assert found.item() == pytest.approx(slow_loss(logits, transitions, [1.0, 2.0], loss))


@pytest.mark.parametrize("loss", ["frames", "time"])
def test_without_known_transitions_the_loss_is_0_and_so_is_its_gradient(loss):
    logits = torch.randn(2, 5, 3, requires_grad=True)
    value = segmentation_loss(logits, torch.full((2, 2), -1), settings(loss=loss))
    value.backward()
    assert value.item() == 0
    assert torch.equal(logits.grad, torch.zeros_like(logits))


@pytest.mark.parametrize("loss", ["frames", "time"])
def test_gradients_are_those_of_finite_differences(loss):
    logits = torch.randn(3, 5, 3, dtype=torch.float64, requires_grad=True)
    transitions = torch.tensor([[1, 3], [-1, 2], [2, -1]])
    assert torch.autograd.gradcheck(lambda x: segmentation_loss(x, transitions, settings(loss=loss)), logits)


def test_half_precision_is_computed_in_float32():
    logits = torch.randn(3, 40, 3).bfloat16()
    places = torch.tensor([[1, 3], [9, 20], [8, 30]])
    assert torch.equal(
        segmentation_loss(logits, places, settings()), segmentation_loss(logits.float(), places, settings())
    )


def test_an_untrained_network_expects_few_transitions():
    torch.manual_seed(0)
    chances = Segmentation(8, settings(hidden=4))(torch.randn(5, 20, 8)).softmax(dim=-1)
    assert chances[..., 1:].mean() < 0.02


@pytest.mark.parametrize("loss", ["frames", "time"])
@pytest.mark.parametrize(("kind", "layers"), [("bigru", 1), ("fc", 2), ("tcn", 3), ("asformer", 3)])
def test_every_network_learns_where_a_planted_change_is(kind, layers, loss):
    torch.manual_seed(0)
    frames, places = 24, torch.tensor([[6, 15], [9, 18], [4, 20], [11, 13]])
    features = 0.1 * torch.randn(4, frames, 4)
    for channel in range(2):
        features[torch.arange(4), places[:, channel], channel] += 2
    given = settings(kind=kind, layers=layers, hidden=8, loss=loss)
    network = Segmentation(4, given)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(60):
        optimiser.zero_grad()
        segmentation_loss(network(features), places, given).backward()
        optimiser.step()
    assert decode(network(features)).tolist() == places.tolist()
