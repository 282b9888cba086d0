import numpy as np
import pytest

from posediff.errors import BadSetting

torch = pytest.importorskip("torch")

from posediff.models.residual_judge import ResidualJudge, ResidualJudgeSettings, squeezed  # noqa: E402

CHANNELS, CONTEXT, MOMENTS = 6, 2, 8


def pairs(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    residuals = 3 * torch.randn(count, MOMENTS, CHANNELS, generator=generator) + 1
    return residuals, torch.randn(count, CONTEXT, generator=generator)


def judge(**settings):
    torch.manual_seed(0)
    return ResidualJudge(CHANNELS, CONTEXT, ResidualJudgeSettings(width=16, **settings))


def test_residuals_keep_their_sign_and_lose_their_size():
    given = np.array([-9.0, -1.0, 0.0, 0.5, 99.0])
    expected = [-np.log(10), -np.log(2), 0, np.log(1.5), np.log(100)]
    assert squeezed(torch.from_numpy(given)).numpy() == pytest.approx(expected)


def test_it_knows_where_its_inputs_lie():
    network, (residuals, context) = judge().eval(), pairs(40)
    network.prepare(residuals, context)
    seen = []
    network.first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].numpy()))
    with torch.no_grad():
        network(residuals, context)
    flat = seen[0].reshape(-1, CHANNELS)
    assert flat.mean(axis=0) == pytest.approx(0, abs=1e-5)
    assert flat.std(axis=0) == pytest.approx(1, abs=0.01)
    assert "centre" in network.state_dict()


def test_pairs_are_judged_one_by_one_and_varied_in_training_alone():
    network, (residuals, context) = judge().eval(), pairs(5)
    with torch.no_grad():
        whole = network(residuals, context)
        single = torch.cat([network(residuals[k : k + 1], context[k : k + 1]) for k in range(5)])
        assert whole.numpy() == pytest.approx(single.numpy(), abs=1e-5)
        network.train()
        assert not torch.allclose(network(residuals, context), network(residuals, context))


def test_without_variation_training_sees_what_testing_sees():
    network, (residuals, context) = judge(dropout=0.0, noise=0.0, mask=0.0, scale=0.0), pairs(5)
    with torch.no_grad():
        assert torch.equal(network.train()(residuals, context), network.eval()(residuals, context))


def test_the_loss_is_cross_entropy_with_smoothed_labels():
    network, (residuals, context) = judge(smoothing=0.1).eval(), pairs(6)
    good = torch.tensor([1.0, 0, 0, 1, 1, 0])
    with torch.no_grad():
        found = network.loss(residuals, context, good).item()
        p = 1 / (1 + np.exp(-network(residuals, context).double().numpy()))
    target = np.where(good.numpy() > 0, 0.9, 0.1)
    assert found == pytest.approx(-np.mean(target * np.log(p) + (1 - target) * np.log(1 - p)), rel=1e-5)


def test_every_weight_is_trained():
    network, (residuals, context) = judge(), pairs(16)
    network.loss(residuals, context, (residuals[:, 0, 0] > 0).float()).backward()
    assert all(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in network.parameters())


def test_a_planted_fault_at_one_moment_is_learnt():
    residuals, context = pairs(300, seed=1)
    good = torch.arange(300) % 2 == 0
    residuals[~good, 3, 2] += 25
    network = judge(dropout=0.1, mask=0.0)
    network.prepare(residuals[:200], context[:200])
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3)
    for _ in range(80):
        optimizer.zero_grad()
        network.loss(residuals[:200], context[:200], good[:200].float()).backward()
        optimizer.step()
    with torch.no_grad():
        right = (network.eval()(residuals[200:], context[200:]) > 0) == good[200:]
    assert right.float().mean() >= 0.9


@pytest.mark.parametrize(
    "wrong", [{"width": 0}, {"kernel": 4}, {"dropout": 1.0}, {"mask": -0.1}, {"noise": -1.0}, {"smoothing": 0.5}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(BadSetting, match=next(iter(wrong))):
        ResidualJudgeSettings(**wrong)
