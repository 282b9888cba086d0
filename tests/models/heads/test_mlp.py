import numpy as np
import pytest

torch = pytest.importorskip("torch")

from posediff.models.heads.mlp import MLP  # noqa: E402


def made():
    torch.manual_seed(0)
    return MLP(4, 8)


@torch.no_grad()
def test_it_is_three_layers_with_what_is_negative_left_out_between():
    network, rows = made(), torch.randn(3, 4)
    expected = rows.numpy()
    for number, layer in enumerate(network.layers[::2]):
        expected = expected @ layer.weight.numpy().T + layer.bias.numpy()
        expected = expected if number == 2 else np.maximum(expected, 0)
    np.testing.assert_allclose(network(rows), expected[:, 0], rtol=1e-5)


def test_the_loss_is_the_mean_squared_error():
    network, rows, values = made(), torch.randn(5, 4), torch.randn(5)
    errors = [(network(row[None]).item() - value) ** 2 for row, value in zip(rows, values.tolist(), strict=True)]
    assert network.losses(rows, values)["score"].item() == pytest.approx(np.mean(errors), rel=1e-5)


def test_values_for_training_change_nothing():
    network = made()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.prepare(torch.arange(5.0))
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
