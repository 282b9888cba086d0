import pytest
import torch

from posediff.skeletons import COCO17
from tests.fixtures.benchmarks import load


def test_ratios_are_of_the_same_round_and_rates_of_the_median():
    seconds = {"ours": [(1.0, 2.0), (4.0, 2.0), (2.0, 2.0)], "peer": [(3.0, 2.0), (4.0, 6.0), (10.0, 8.0)]}
    found = load("train_speed").summary(seconds, samples=8, reference="ours")
    assert found["ours"]["samples_per_s"] == 4
    assert found["peer"]["samples_per_s"] == 2
    assert found["peer"]["wall_ratio"] == 3
    assert found["peer"]["cpu_ratio"] == 3
    assert found["ours"]["wall_ratio"] == 1


def test_turns_change_their_order_and_two_rounds_are_not_counted():
    calls = []
    steps = {name: lambda name=name: calls.append(name) for name in "ab"}
    seconds = load("train_speed").in_turns(steps, 2)
    assert "".join(calls) == "abba" * 2
    assert [len(rounds) for rounds in seconds.values()] == [2, 2]


def test_every_step_of_the_encoder_part_runs():
    for step in load("train_speed").encoder_steps((2, 5, 16, 2)).values():
        step()


@pytest.mark.parametrize("name", ["st_gcn", "hd_gcn"])
def test_peers_give_features_over_time_and_train_all_their_weights(name):
    torch.manual_seed(0)
    stack = getattr(load("train_speed_peers"), name)(COCO17, 3, (8, 12))
    features = stack(torch.randn(2, 6, 17, 3))
    assert features.shape == (2, 6, 12)
    features.square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.isfinite().all() for parameter in stack.parameters())
