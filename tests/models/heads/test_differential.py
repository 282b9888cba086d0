import math

import pytest

torch = pytest.importorskip("torch")

from posediff.models.heads.differential import DifferentialEncoder, ReadOut, SegmentHead  # noqa: E402


def test_heads_are_mlps_of_their_own():
    torch.manual_seed(0)
    made, frames = DifferentialEncoder(5, 6, 8, 4), torch.randn(2, 3, 5)
    parts = []
    for head in range(4):
        rows = slice(6 * head, 6 * head + 6)
        hidden = torch.relu(frames @ made.first.weight[rows].T + made.first.bias[rows])
        parts.append(hidden @ made.weight[head] + made.bias[head])
    torch.testing.assert_close(made(frames), torch.cat(parts, dim=2))


@pytest.mark.parametrize("weighted", [True, False])
def test_shares_are_between_0_and_1_and_weights_sum_to_1_if_there_are_any(weighted):
    torch.manual_seed(0)
    share, weights = SegmentHead(4, weighted)(5 * torch.randn(3, 6, 4))
    assert ((share > 0) & (share < 1)).all()
    torch.testing.assert_close(weights.sum(dim=1), torch.full((3,), 1.0 if weighted else 6.0))


def test_a_head_begins_where_it_is_told():
    torch.manual_seed(0)
    made = SegmentHead(16, True)
    made.start_at(0.9)
    share, _ = made(torch.randn(50, 8, 16))
    assert abs(share - 0.9).max() < 0.03


def test_a_read_out_looks_at_its_own_head():
    made, segments = ReadOut(3, 4), torch.randn(2, 5, 12)
    expected = torch.zeros(2, 5, 4)
    for head in range(4):
        logits = segments[..., 3 * head : 3 * head + 3] @ made.weight[head] + made.bias[head]
        expected[..., head] = 1 / (1 + torch.exp(-logits))
    torch.testing.assert_close(made(segments), expected)


def test_every_parameter_gets_a_gradient():
    encoder, head, read_out = DifferentialEncoder(5, 6, 8, 4), SegmentHead(8, True), ReadOut(2, 4)
    segments = encoder(torch.randn(2, 3, 5))
    share, weights = head(segments)
    ((share * weights).sum() + read_out(segments).sum()).backward()
    parameters = [*encoder.parameters(), *head.parameters(), *read_out.parameters()]
    assert all(parameter.grad.any() for parameter in parameters)
    assert math.prod(encoder.weight.shape) == 6 * 8
