import pytest

torch = pytest.importorskip("torch")

from posediff.models.segmenters import FC, TCN, ASFormer, BiGRU, WindowAttention  # noqa: E402


def seen_from(network: torch.nn.Module, frame: int, frames: int = 32) -> list[int]:
    """The frames whose features have an influence on what the network says of one frame."""
    features = torch.randn(1, frames, 6, dtype=torch.float64, requires_grad=True)
    network.double()(features)[0, frame].sum().backward()
    return features.grad[0].abs().sum(dim=1).nonzero()[:, 0].tolist()


@pytest.mark.parametrize("network", [BiGRU, FC, TCN, ASFormer])
@pytest.mark.parametrize("layers", [1, 3])
def test_every_frame_gets_features_of_the_width_that_the_network_tells(network, layers):
    made = network(6, 4, layers)
    assert made(torch.randn(2, 9, 6)).shape == (2, 9, made.width)


def test_a_recurrent_network_sees_the_whole_clip():
    assert seen_from(BiGRU(6, 4, 1), 10) == list(range(32))


def test_fully_connected_layers_see_one_frame():
    assert seen_from(FC(6, 4, 3), 10) == [10]


def test_a_single_fully_connected_layer_is_the_classifier_alone():
    features = torch.randn(2, 5, 6)
    assert FC(6, 4, 1)(features) is features


def test_temporal_convolutions_see_two_to_the_power_of_their_number_less_one_frame():
    torch.manual_seed(0)
    seen = seen_from(TCN(6, 8, 3), 16)
    assert (seen[0], seen[-1]) == (16 - 7, 16 + 7)


def test_attention_sees_its_window():
    assert seen_from(WindowAttention(6, 3), 10) == list(range(7, 14))


def test_attention_to_one_s_own_frame_alone_hands_on_its_value():
    attention = WindowAttention(6, 0)
    features = torch.randn(2, 5, 6)
    value = features @ attention.inputs.weight[12:].T + attention.inputs.bias[12:]
    torch.testing.assert_close(attention(features), attention.output(value))
