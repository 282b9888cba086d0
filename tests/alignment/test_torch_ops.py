import numpy as np
import pytest

from posediff.alignment import soft_dtw
from posediff.errors import BadSetting

torch = pytest.importorskip("torch")

from posediff.alignment import torch_ops  # noqa: E402

OPS = torch.ops.posediff


def numbers(*shape: int, seed: int = 0, grad: bool = True) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(seed).random(shape), requires_grad=grad)


def pair_inputs(grad: bool = True) -> tuple:
    lengths = torch.tensor([3, 4]), torch.tensor([5, 4])
    sequences = numbers(2, 4, 3, grad=grad), numbers(2, 5, 3, seed=1, grad=grad)
    return *sequences, *lengths, 0.5 + numbers(2, seed=2, grad=grad), numbers(2, seed=3, grad=grad)


def costs_inputs(grad: bool = True, skips: bool = True, hard: bool = False) -> tuple:
    lengths = torch.tensor([3, 4]), None
    gamma = None if hard else 0.5 + numbers(2, seed=2, grad=grad)
    sides = (numbers(2, 4, seed=4, grad=grad), numbers(2, 5, seed=5, grad=grad)) if skips else (None, None)
    return numbers(2, 4, 5, grad=grad), *lengths, gamma, numbers(2, seed=3, grad=grad), *sides


WAYS = (1, 3.0, False, True)
SAMPLES = {
    "pair": (OPS.soft_dtw_pair, lambda: (*pair_inputs(), "squared_euclidean", *WAYS, False, True)),
    "values of pairs": (OPS.soft_dtw_pair, lambda: (*pair_inputs(False), "one_minus_dot", *WAYS, True, False)),
    "costs": (OPS.soft_dtw_costs, lambda: (*costs_inputs(skips=False), *WAYS, True, True)),
    "skips": (OPS.soft_dtw_costs, lambda: (*costs_inputs(), *WAYS, True, True)),
    "hard": (OPS.soft_dtw_costs, lambda: (*costs_inputs(hard=True), *WAYS, True, False)),
    "values of costs": (OPS.soft_dtw_costs, lambda: (*costs_inputs(False, False), *WAYS, False, False)),
    "curvature of pairs": (
        OPS.soft_dtw_pair_curvature,
        lambda: (*pair_inputs(False), None, numbers(2, 5, 3, grad=False), None, None, "squared_euclidean", *WAYS),
    ),
    "curvature of costs": (
        OPS.soft_dtw_costs_curvature,
        lambda: (*costs_inputs(False), None, None, numbers(2, 5, grad=False), numbers(2, grad=False), None, *WAYS),
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_torch_s_own_checks_of_an_operator_pass(name):
    operator, inputs = SAMPLES[name]
    torch.library.opcheck(operator.default, inputs())


@pytest.mark.parametrize("grad_mode", [True, False])
def test_derivatives_that_were_not_expected_to_be_asked_for_are_found_all_the_same(grad_mode):
    """Whether a derivative will be asked for is a guess where a tensor does not know."""
    for inputs, settings, operator in (
        (pair_inputs(), ("squared_euclidean", *WAYS, False), torch_ops.pair),
        (costs_inputs(), WAYS, torch_ops.costs),
    ):
        flags = ((True,), (False,)) if operator is torch_ops.pair else ((True, True), (False, False))
        wanted = [value for value in inputs if value is not None and value.requires_grad]
        results = []
        for flag in flags:
            value = operator(*inputs, *settings, *flag)[0]
            first = torch.autograd.grad(value.sum(), wanted, create_graph=grad_mode)
            results.append(first)
            if grad_mode:
                results[-1] += torch.autograd.grad(sum((part**2).sum() for part in first), wanted)
        for one, other in zip(*results, strict=True):
            torch.testing.assert_close(one, other)


@pytest.mark.parametrize("ways", [{}, {"skip": 0.3}])
def test_third_derivatives_are_refused(ways):
    x, y = numbers(3, 2), numbers(4, 2, seed=1)
    (first,) = torch.autograd.grad(soft_dtw(x, y, **ways), x, create_graph=True)
    (second,) = torch.autograd.grad((first**2).sum(), x, create_graph=True)
    with pytest.raises(BadSetting, match="third derivative"):
        torch.autograd.grad(second.sum(), x)


def test_the_second_derivative_is_not_computed_for_the_first(monkeypatch):
    from posediff.alignment import pairs

    monkeypatch.delattr(pairs, "curvature")
    x, y = numbers(3, 2), numbers(4, 2, seed=1)
    (first,) = torch.autograd.grad(soft_dtw(x, y), x, create_graph=True)
    assert first.requires_grad


def test_a_derivative_is_found_by_the_inputs_that_need_it_alone():
    x, y = numbers(3, 2), numbers(4, 2, seed=1, grad=False)
    soft_dtw(x, y, gamma=torch.tensor(0.5)).backward()
    assert x.grad is not None
    assert y.grad is None


def test_gradients_may_be_taken_again_from_a_graph_that_was_kept():
    x, y = numbers(3, 2), numbers(4, 2, seed=1)
    value = soft_dtw(x, y)
    first, again = (torch.autograd.grad(value, (x, y), retain_graph=True) for _ in range(2))
    assert all(torch.equal(one, other) for one, other in zip(first, again, strict=True))
    twice = torch.autograd.grad(2 * value, (x, y))
    torch.testing.assert_close(twice, tuple(2 * part for part in first))


def test_nothing_is_kept_without_a_gradient():
    x, y = numbers(3, 2), numbers(4, 2, seed=1)
    with torch.no_grad():
        assert not soft_dtw(x, y).requires_grad
    with torch.inference_mode():
        assert not soft_dtw(x, y).requires_grad
