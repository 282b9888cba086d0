"""The operators for CUDA devices, run on the CPU with a kernel of the same behaviour in Triton's place."""

import sys
import types

import numpy as np
import pytest

from posediff.alignment.kernels import states

torch = pytest.importorskip("torch")

from posediff.alignment import torch_cuda, torch_kernels  # noqa: E402

GAMMA, PENALTY = (torch.tensor(values, dtype=torch.float64) for values in ([0.5, 1.5], [0.1, 0.3]))
LENGTHS = torch.tensor([4, 3]), torch.tensor([5, 4])
NO_BAND, BAND, OPEN = (0, 0.0, False, False), (1, 3.0, False, False), (0, 0.0, True, True)


def solve(costs, first, end, rows, columns, gamma, penalty=None, *, open_begin, open_end, gradient, out):
    """What the Triton kernel computes, by the compiled one."""
    if first is None:
        first, end = torch.zeros(costs.shape[:2]), torch.full(costs.shape[:2], costs.shape[2])
    penalty = torch.zeros_like(gamma) if penalty is None else penalty
    inputs = [part.numpy() for part in (costs, first, end, rows, columns, gamma, penalty)]
    made = states.solve(*inputs, None, None, open_begin, open_end, gradient)
    if not gradient:
        return torch.from_numpy(made.value), None
    out = torch.empty_like(costs) if out is None else out
    return torch.from_numpy(made.value), out.copy_(torch.from_numpy(made.expected))


@pytest.fixture(autouse=True)
def kernel(monkeypatch):
    """The kernel that is asked; its calls are counted."""
    calls = []
    module = types.ModuleType("posediff.alignment.kernels.triton")
    module.solve = lambda *inputs, **ways: calls.append(ways) or solve(*inputs, **ways)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr("posediff.alignment.kernels.triton", module, raising=False)
    monkeypatch.setattr(torch_cuda, "_has_triton", lambda: True)
    return calls


def numbers(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(seed).normal(size=shape), dtype=dtype)


def sequences() -> tuple[torch.Tensor, torch.Tensor]:
    return numbers(2, 4, 3), numbers(2, 5, 3, seed=1)


def assert_alike(made, truth):
    assert len(made) == len(truth)
    for part, true in zip(made, truth, strict=True):
        assert part.dtype == true.dtype
        torch.testing.assert_close(part, true, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("cost", ["squared_euclidean", "one_minus_dot"])
@pytest.mark.parametrize(("penalty", "ways"), [(None, NO_BAND), (PENALTY, NO_BAND), (PENALTY, BAND)])
@pytest.mark.parametrize("lengths", [LENGTHS, (None, None)])
@pytest.mark.parametrize("gradient", [True, False])
def test_sequences_give_the_numbers_of_the_cpu(kernel, cost, penalty, ways, lengths, gradient):
    far = 5 if cost == "squared_euclidean" else 0
    inputs = (*(side + far for side in sequences()), *lengths, GAMMA, penalty, cost, *ways, False, gradient)
    assert_alike(torch_cuda.pair(*inputs), torch_kernels.pair(*inputs))
    assert len(kernel) == 1


def test_values_with_open_ends_are_those_of_the_cpu(kernel):
    inputs = (*sequences(), *LENGTHS, GAMMA, None, "squared_euclidean", *OPEN, False, True)
    assert_alike(torch_cuda.pair(*inputs)[:4], torch_kernels.pair(*inputs)[:4])
    assert kernel[0]["open_begin"]
    assert kernel[0]["open_end"]


@pytest.mark.parametrize(("penalty", "ways"), [(None, NO_BAND), (PENALTY, BAND)])
@pytest.mark.parametrize("gradient", [True, False])
def test_costs_give_the_numbers_of_the_cpu(kernel, penalty, ways, gradient):
    costs = numbers(2, 4, 5).abs()
    costs[0, 1, 2] = torch.inf
    before = costs.clone()
    inputs = (costs, *LENGTHS, GAMMA, penalty, None, None, *ways, gradient, True)
    assert_alike(torch_cuda.costs(*inputs), torch_kernels.costs(*inputs))
    assert torch.equal(costs, before)
    assert len(kernel) == 1


@pytest.mark.parametrize(
    "inputs",
    [
        (numbers(2, 4, 5, dtype=torch.float64).abs(), *LENGTHS, GAMMA, None, None, None, *NO_BAND, True, False),
        (numbers(2, 4, 5).abs(), *LENGTHS, None, None, None, None, *NO_BAND, True, False),
        (numbers(2, 4, 5).abs(), *LENGTHS, GAMMA, None, torch.ones(2, 4).double(), None, *NO_BAND, True, False),
        (numbers(2, 4, 5).abs(), *LENGTHS, GAMMA, PENALTY, None, None, *OPEN, True, False),
    ],
)
def test_what_the_kernel_does_not_know_passes_through_the_cpu(kernel, inputs):
    assert_alike(torch_cuda.costs(*inputs), torch_kernels.costs(*inputs))
    assert kernel == []


def test_without_triton_all_passes_through_the_cpu(kernel, monkeypatch):
    monkeypatch.setattr(torch_cuda, "_has_triton", lambda: False)
    inputs = (*sequences(), *LENGTHS, GAMMA, None, "squared_euclidean", *OPEN, False, True)
    assert_alike(torch_cuda.pair(*inputs), torch_kernels.pair(*inputs))
    assert kernel == []


def test_padding_that_is_nan_has_no_influence():
    x, y = sequences()
    x[1, 3:] = y[1, 4:] = torch.nan
    ways = (GAMMA, None, "squared_euclidean", *NO_BAND, False, True)
    made = torch_cuda.pair(x, y, *LENGTHS, *ways)
    assert_alike(made, torch_cuda.pair(x.nan_to_num(7.0), y.nan_to_num(7.0), *LENGTHS, *ways))
    assert (made[1][1, 3:] == 0).all()
    assert (made[2][1, 4:] == 0).all()


def test_lengths_are_limited_to_what_is_possible():
    x, y = sequences()
    ways = (GAMMA, None, "squared_euclidean", *NO_BAND, False, False)
    made = torch_cuda.pair(x, y, torch.tensor([9, 0]), None, *ways)
    torch.testing.assert_close(made[0], torch_kernels.pair(x, y, torch.tensor([4, 1]), None, *ways)[0])
