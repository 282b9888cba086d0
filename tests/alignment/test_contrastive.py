import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.errors import BadData, BadSetting
from tests.alignment.paths import SEEDS

torch = pytest.importorskip("torch")

from posediff.alignment.contrastive import contrastive_idm  # noqa: E402


def embeddings(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def pair_by_pair(x: np.ndarray, sigma: float, margin: float) -> tuple[float, np.ndarray]:
    """The value and its gradient by their definition."""
    value, gradient = 0.0, np.zeros_like(x)
    for i in range(len(x)):
        for j in range(len(x)):
            difference = x[i] - x[j]
            distance, weight = difference @ difference, (i - j) ** 2 + 1
            if abs(i - j) > sigma:
                value += weight * max(0.0, margin - distance)
                slope = -weight if distance < margin else 0.0
            else:
                value += distance / weight
                slope = 1 / weight
            gradient[i] += slope * 2 * difference
            gradient[j] -= slope * 2 * difference
    return value / len(x) ** 2, gradient / len(x) ** 2


@given(st.integers(1, 12), st.integers(1, 4), st.floats(0, 12), st.floats(0.1, 30), SEEDS)
def test_the_value_and_the_gradient_are_those_of_the_definition(frames, features, sigma, margin, seed):
    x = embeddings(frames, features, seed=seed)
    value, gradient = pair_by_pair(x, sigma, margin)
    tensor = torch.tensor(x, requires_grad=True)
    made = contrastive_idm(tensor, sigma=sigma, margin=margin)
    made.backward()
    assert made.shape == ()
    assert made.dtype == torch.float64
    np.testing.assert_allclose(made.item(), value, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(tensor.grad.numpy(), gradient, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("padding", [0.0, 1e30, float("nan"), float("inf")])
def test_a_padded_batch_is_its_sequences_and_padding_has_no_gradient(padding):
    lengths = [7, 1, 10, 4]
    x = torch.tensor(embeddings(4, 10, 3))
    for row, length in zip(x, lengths, strict=True):
        row[length:] = padding
    x.requires_grad_()
    made = contrastive_idm(x, torch.tensor(lengths), sigma=2, margin=5)
    made.sum().backward()
    assert made.shape == (4,)
    for k, length in enumerate(lengths):
        value, gradient = pair_by_pair(x[k, :length].detach().numpy(), 2, 5)
        np.testing.assert_allclose(made[k].item(), value, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(x.grad[k, :length].numpy(), gradient, rtol=1e-9, atol=1e-10)
        assert (x.grad[k, length:] == 0).all()


def test_a_batch_without_lengths_is_taken_whole():
    x = torch.tensor(embeddings(3, 6, 2))
    torch.testing.assert_close(contrastive_idm(x, sigma=1), contrastive_idm(x, [6, 6, 6], sigma=1))


def test_first_and_second_derivatives_match_finite_differences():
    x = torch.tensor(embeddings(2, 6, 3), requires_grad=True)

    def value(x):
        return contrastive_idm(x, [6, 4], sigma=1.5, margin=6.0)

    assert torch.autograd.gradcheck(value, x)
    assert torch.autograd.gradgradcheck(value, x)


def test_equal_frames_near_in_time_are_best_and_far_ones_worst():
    one_point = torch.zeros(20, 3)
    spread = torch.arange(20.0)[:, None] * torch.ones(3)
    assert contrastive_idm(one_point, sigma=20) == 0
    assert contrastive_idm(one_point, sigma=3) > contrastive_idm(spread, sigma=3) > 0


def test_descending_it_spreads_out_frames_that_were_one_point():
    x = torch.tensor(1e-3 * embeddings(16, 4)).requires_grad_()
    optimiser = torch.optim.Adam([x], lr=0.05)
    for _ in range(100):
        optimiser.zero_grad()
        contrastive_idm(x, sigma=3).backward()
        optimiser.step()
    square = torch.cdist(x, x).square()
    far = (torch.arange(16)[:, None] - torch.arange(16)).abs() > 3
    assert square[far].min() > 1.5
    assert square[~far].mean() < square[far].mean() / 2


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("autocast", [False, True])
def test_reduced_precision_is_computed_in_float32(dtype, autocast):
    x = torch.tensor(embeddings(2, 64, 8), dtype=dtype, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        made = contrastive_idm(x, [64, 40], sigma=5, margin=16)
    made.sum().backward()
    assert made.dtype == torch.float32
    assert x.grad.dtype == dtype
    for k, length in enumerate([64, 40]):
        value, gradient = pair_by_pair(x[k, :length].detach().double().numpy(), 5, 16)
        np.testing.assert_allclose(made[k].item(), value, rtol=1e-5)
        error = np.abs(x.grad[k, :length].double().numpy() - gradient).max()
        assert error <= 4 * max(torch.finfo(dtype).eps, 1e-6) * np.abs(gradient).max()


def test_float32_far_from_the_origin_is_as_exact_as_near_it():
    x = torch.round(torch.tensor(embeddings(30, 4)) * 64) / 64
    near, far = (contrastive_idm((x + shift).float(), sigma=4) for shift in (0, 1024))
    torch.testing.assert_close(far, near, rtol=1e-5, atol=0)


def test_it_compiles_without_a_break():
    x, lengths = torch.tensor(embeddings(3, 9, 2)), torch.tensor([9, 4, 6])
    compiled = torch.compile(contrastive_idm, fullgraph=True, backend="eager")
    torch.testing.assert_close(compiled(x, lengths, sigma=2.0), contrastive_idm(x, lengths, sigma=2.0))


@pytest.mark.parametrize("lengths", [[5], [5, 0], [5, 6], [5.0, 4.0], [[5, 4]]])
def test_lengths_that_do_not_fit_are_refused(lengths):
    with pytest.raises(BadData, match="for 2 sequences of 5 frames"):
        contrastive_idm(torch.zeros(2, 5, 3), lengths)


@pytest.mark.parametrize(
    ("x", "what"),
    [
        (torch.zeros(5), r"shape \(5,\)"),
        (torch.zeros(1, 2, 3, 4), r"shape \(1, 2, 3, 4\)"),
        (torch.zeros(0, 3), r"shape \(0, 3\)"),
        (torch.zeros(5, 3, dtype=torch.int64), "torch.int64"),
        (np.zeros((5, 3)), "type ndarray"),
    ],
)
def test_what_is_no_sequence_of_embeddings_is_refused(x, what):
    with pytest.raises(BadData, match=what):
        contrastive_idm(x)


@pytest.mark.parametrize(
    "setting", [{"sigma": -1}, {"sigma": np.nan}, {"margin": 0}, {"margin": -1}, {"margin": np.inf}, {"margin": "2"}]
)
def test_settings_out_of_range_are_refused(setting):
    with pytest.raises(BadSetting, match="sigma is"):
        contrastive_idm(torch.zeros(5, 3), **setting)
