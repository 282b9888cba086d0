import math

import pytest
import torch

from posediff.engine.experiment import OptimizerSettings, ScheduleSettings
from posediff.engine.optimization import START, make_optimizer, make_schedule
from posediff.errors import BadSetting

CPU = torch.device("cpu")


def made(settings=None, amp=False):
    """A network of one weight and its optimizer."""
    torch.manual_seed(0)
    network = torch.nn.Linear(1, 1, bias=False)
    return network, make_optimizer(network, settings or OptimizerSettings(), amp=amp, device=CPU)


def rates(schedule, epochs, steps, lr=1.0):
    """The learning rate of every step."""
    _, optimizer = made(OptimizerSettings(lr=lr))
    schedulers = make_schedule(optimizer, schedule, epochs=epochs, steps=steps)
    found = []
    for _ in range(epochs):
        for _ in range(steps):
            found.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            for one in schedulers:
                if not one.by_epoch:
                    one.step()
        for one in schedulers:
            if one.by_epoch:
                one.step()
    return found


@pytest.mark.parametrize(
    ("settings", "kind", "values"),
    [
        (OptimizerSettings(type="Adam", betas=(0.8, 0.9)), torch.optim.Adam, {"lr": 5e-4, "betas": (0.8, 0.9)}),
        (OptimizerSettings(type="AdamW", weight_decay=0.1), torch.optim.AdamW, {"weight_decay": 0.1}),
        (OptimizerSettings(type="SGD", lr=0.1, momentum=0.5), torch.optim.SGD, {"lr": 0.1, "momentum": 0.5}),
    ],
)
def test_the_optimizer_is_torchs_with_the_settings(settings, kind, values):
    _, optimizer = made(settings)
    assert type(optimizer.optimizer) is kind
    assert {name: optimizer.param_groups[0][name] for name in values} == values


def test_the_gradient_is_clipped_to_its_largest_norm():
    network, optimizer = made(OptimizerSettings(type="SGD", lr=1.0, momentum=0.0, clip=0.5))
    before = network.weight.item()
    optimizer.update_params(network(torch.tensor([[10.0]])).sum())
    assert before - network.weight.item() == pytest.approx(0.5, rel=1e-5)


def test_frozen_weights_are_left_out_and_all_frozen_is_an_error():
    network = torch.nn.Linear(1, 1)
    network.bias.requires_grad_(False)
    found = make_optimizer(network, OptimizerSettings(), amp=False, device=CPU)
    assert found.param_groups[0]["params"] == [network.weight]
    network.weight.requires_grad_(False)
    with pytest.raises(BadSetting, match="nothing to train"):
        make_optimizer(network, OptimizerSettings(), amp=False, device=CPU)


def with_backbones():
    """A network with weights in an encoder's own layers, in I3D, in a network of pictures, and in the head."""
    nn = torch.nn
    dynamic = nn.ModuleDict({"i3d": nn.Sequential(nn.Linear(1, 2)), "mixed": nn.Linear(1, 3)})
    static = nn.ModuleDict({"backbone": nn.Linear(1, 4)})
    encoders = nn.ModuleDict({"dynamic": dynamic, "static": static})
    return nn.ModuleDict({"encoders": encoders, "head": nn.Linear(1, 5)})


def sizes(optimizer):
    """Learning rate and sizes of the biases of each group of weights."""
    groups = optimizer.optimizer.param_groups
    return [(group["lr"], [len(one) for one in group["params"] if one.ndim == 1]) for group in groups]


def test_backbones_have_a_learning_rate_of_their_own():
    settings = OptimizerSettings(lr=1e-3, backbone_lr=1e-4, weight_decay=0.5)
    found = make_optimizer(with_backbones(), settings, amp=False, device=CPU)
    assert sizes(found) == [(1e-3, [3, 5]), (1e-4, [2, 4])]
    assert {group["weight_decay"] for group in found.param_groups} == {0.5}
    assert found.param_groups[0]["lr"] == 1e-3  # the one that is told


def test_without_one_of_their_own_backbones_have_that_of_all():
    found = make_optimizer(with_backbones(), OptimizerSettings(lr=1e-3), amp=False, device=CPU)
    assert sizes(found) == [(1e-3, [2, 3, 4, 5])]


def test_frozen_backbones_need_no_learning_rate():
    network = with_backbones()
    network["encoders"]["dynamic"]["i3d"].requires_grad_(False)
    network["encoders"]["static"]["backbone"].requires_grad_(False)
    settings = OptimizerSettings(lr=1e-3, backbone_lr=1e-4)
    assert sizes(make_optimizer(network, settings, amp=False, device=CPU)) == [(1e-3, [3, 5])]


def test_both_learning_rates_follow_the_schedule():
    settings = OptimizerSettings(lr=1.0, backbone_lr=0.1)
    optimizer = make_optimizer(with_backbones(), settings, amp=False, device=CPU)
    (schedule,) = make_schedule(optimizer, ScheduleSettings(type="cosine"), epochs=4, steps=1)
    for epoch in range(4):
        expected = (1 + math.cos(math.pi * epoch / 4)) / 2
        assert [rate for rate, _ in sizes(optimizer)] == pytest.approx([expected, expected / 10])
        optimizer.step()
        schedule.step()


def test_amp_on_the_cpu_computes_in_bfloat16_and_keeps_the_weights_in_float32():
    network, optimizer = made(amp=True)
    with optimizer.optim_context(network):
        result = network(torch.ones(1, 1))
    assert (result.dtype, network.weight.dtype) == (torch.bfloat16, torch.float32)
    network, optimizer = made()
    with optimizer.optim_context(network):
        assert network(torch.ones(1, 1)).dtype == torch.float32


def test_constant_stays():
    assert set(rates(ScheduleSettings(type="constant"), 3, 2)) == {1.0}


def test_cosine_falls_to_the_lowest_with_the_last_epoch():
    found = rates(ScheduleSettings(type="cosine", lowest=0.2), 10, 2)[::2]
    expected = [0.2 + 0.8 * (1 + math.cos(math.pi * epoch / 10)) / 2 for epoch in range(10)]
    assert found == pytest.approx(expected)


def test_cyclic_cosine_falls_and_rises_again():
    found = rates(ScheduleSettings(type="cyclic_cosine", period=3), 13, 2)
    expected = [(1 + math.cos(math.pi * epoch / 3)) / 2 for epoch in range(13)]
    assert found[::2] == pytest.approx(expected, abs=1e-9)
    assert found[::2] == found[1::2]


def test_a_warmup_rises_step_by_step_and_the_cosine_follows():
    found = rates(ScheduleSettings(type="cosine", warmup=2), 6, 3)
    assert found[:6] == pytest.approx([START + (1 - START) * step / 5 for step in range(6)])
    assert found[6::3] == pytest.approx([(1 + math.cos(math.pi * epoch / 4)) / 2 for epoch in range(4)])


def test_a_warmup_of_a_single_step_is_none():
    assert rates(ScheduleSettings(type="constant", warmup=1), 3, 1) == [1.0] * 3


def test_states_are_plain_and_go_on_where_they_were():
    schedule = ScheduleSettings(type="cyclic_cosine", period=3, warmup=1)
    expected = rates(schedule, 8, 2)
    _, optimizer = made(OptimizerSettings(lr=1.0))
    schedulers = make_schedule(optimizer, schedule, epochs=8, steps=2)
    for _ in range(4):
        for _ in range(2):
            optimizer.step()
            schedulers[0].step()
        schedulers[1].step()
    states = [one.state_dict() for one in schedulers], optimizer.state_dict()
    assert all(isinstance(v, (int, float, bool, list, str, type(None))) for one in states[0] for v in one.values())
    _, new = made(OptimizerSettings(lr=1.0))
    again = make_schedule(new, schedule, epochs=8, steps=2)
    new.load_state_dict(states[1])
    for one, state in zip(again, states[0], strict=True):
        one.load_state_dict(state)
    found = []
    for _ in range(4):
        found.append(new.param_groups[0]["lr"])
        new.step()
        again[1].step()
    assert found == expected[8::2]
