import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.alignment import (
    Itakura,
    dtw,
    dtw_path,
    engine,
    soft_alignment,
    soft_dtw,
    soft_dtw_divergence,
    subsequence,
)
from posediff.errors import BadData, BadSetting
from tests.alignment.paths import SEEDS

torch = pytest.importorskip("torch")

from torch.autograd import gradcheck, gradgradcheck  # noqa: E402
from torch.func import grad, hessian, jacrev, vmap  # noqa: E402

COSTS = pytest.mark.parametrize("cost_fn", ["squared_euclidean", "cosine"])
WAYS = [
    {},
    {"gamma": 0.0},
    {"band": 2, "penalty": 0.3},
    {"band": Itakura(3.0), "cost_fn": "cosine"},
    {"skip": (0.5, None), "open_begin": True},
    {"open_end": True, "cost_fn": "cosine", "gamma": 0.2},
    {"cost_fn": lambda x, y: abs(x[..., :, None, 0] - y[..., None, :, 0]), "penalty": 0.1},
]


def tracks(seed: int = 0, items: int = 2, n: int = 4, m: int = 5, features: int = 3) -> tuple:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(items, n, features)), rng.normal(size=(items, m, features))


def leaves(*arrays: np.ndarray, dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, ...]:
    return tuple(torch.tensor(array, dtype=dtype, requires_grad=True) for array in arrays)


def scalars() -> tuple[torch.Tensor, ...]:
    """One gamma an item and one penalty for all."""
    return leaves(np.array([0.6, 1.4]), np.array(0.2))


# Values are numpy's


@pytest.mark.parametrize("ways", WAYS)
@pytest.mark.parametrize("function", [soft_dtw, soft_dtw_divergence, dtw])
def test_values_are_those_of_arrays(function, ways):
    if function is not soft_dtw:
        ways = {name: setting for name, setting in ways.items() if name not in ("open_begin", "open_end")}
    if function is dtw:
        ways.pop("gamma", None)
    x, y = tracks()
    lengths = {"lengths_x": [4, 3], "lengths_y": np.array([4, 5])}
    made = function(torch.tensor(x), torch.tensor(y), **lengths, **ways)
    np.testing.assert_allclose(made, function(x, y, **lengths, **ways), rtol=1e-12)
    single = function(torch.tensor(x[0]), torch.tensor(y[0]), **ways)
    assert single.shape == ()
    np.testing.assert_allclose(single, function(x[0], y[0], **ways), rtol=1e-12)


@pytest.mark.parametrize("ways", WAYS)
def test_alignments_are_those_of_arrays(ways):
    x, y = tracks()
    for sides in ((x, y), (x[0], y[0])):
        made, truth = soft_alignment(*map(torch.tensor, sides), **ways), soft_alignment(*sides, **ways)
        for part, true in zip(made, truth, strict=True):
            assert (part is None) == (true is None)
            if part is not None:
                np.testing.assert_allclose(part, true, atol=1e-12)


@settings(max_examples=20)
@given(st.integers(1, 12), st.integers(1, 12), SEEDS, st.sampled_from([None, 0.4]))
def test_paths_and_places_are_those_of_arrays(n, m, seed, skip):
    x, y = (side[0] for side in tracks(seed, 1, n, m))
    a, b = torch.tensor(x), torch.tensor(y)
    for made, truth in (
        (dtw_path(a, b, skip=skip), dtw_path(x, y, skip=skip)),
        (subsequence(a, b, skip=skip), subsequence(x, y, skip=skip)),
    ):
        for part, true in zip(made, truth, strict=True):
            np.testing.assert_allclose(part, true, rtol=1e-12)


def test_places_in_a_batch_are_whole_numbers():
    x, y = map(torch.tensor, tracks(m=9))
    made = subsequence(x, y, lengths_y=[9, 7])
    assert made.start.dtype == made.end.dtype == torch.int64
    assert made.value.shape == made.start.shape == made.end.shape == (2,)


# First and second derivatives, against finite differences


@COSTS
def test_derivatives_of_sequences(cost_fn):
    def function(x, y, gamma, penalty):
        return soft_dtw(x, y, gamma=gamma, penalty=penalty, cost_fn=cost_fn, band=3, lengths_x=[4, 3])

    inputs = (*leaves(*tracks()), *scalars())
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)


@pytest.mark.parametrize("ends", [{}, {"open_begin": True, "open_end": True}])
def test_derivatives_of_costs(ends):
    def function(costs, gamma, penalty):
        return soft_dtw(cost=costs, gamma=gamma, penalty=penalty, lengths_y=[4, 5], **ends)

    inputs = (*leaves(np.random.default_rng(0).random((2, 3, 5))), *scalars())
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)


@pytest.mark.parametrize("ends", [{}, {"open_begin": True}, {"open_end": True}])
def test_derivatives_with_skips(ends):
    def function(costs, gamma, penalty, skip_x, skip_y):
        return soft_dtw(cost=costs, gamma=gamma, penalty=penalty, skip=(skip_x, skip_y), **ends)

    rng = np.random.default_rng(0)
    inputs = (*leaves(rng.random((2, 3, 4))), *scalars(), *leaves(rng.random((2, 3)), rng.random(4)))
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)


def test_derivatives_of_the_divergence():
    def function(x, y, gamma):
        return soft_dtw_divergence(x, y, gamma=gamma)

    inputs = (*leaves(*tracks()), scalars()[0])
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs)


def test_derivatives_of_the_alignment():
    def function(x, y, gamma, skip):
        return [part for part in soft_alignment(x, y, gamma=gamma, skip=skip) if part is not None]

    inputs = (*leaves(*tracks(n=3, m=3)), scalars()[0], *leaves(np.array(0.7)))
    assert gradcheck(function, inputs)


def test_derivatives_of_hard_dtw_are_those_along_the_best_path():
    x, y = leaves(*tracks())
    dtw(x, y, penalty=0.1).sum().backward()
    for k in range(2):
        path, _ = dtw_path(x[k], y[k], penalty=0.1)
        truth = torch.zeros_like(x[k]).index_add(0, path[:, 0], 2 * (x[k][path[:, 0]] - y[k][path[:, 1]]))
        torch.testing.assert_close(x.grad[k], truth.detach())


def test_the_derivative_by_a_path_s_cost_is_the_path():
    (costs,) = leaves(np.random.default_rng(0).random((5, 6)))
    path, value = dtw_path(cost=costs)
    value.backward()
    assert costs.grad.nonzero().tolist() == path.tolist()


def test_forbidden_cells_have_no_influence_on_any_derivative():
    costs = np.random.default_rng(0).random((4, 4))
    costs[0, 3] = costs[2, 0] = np.inf
    (costs,), gamma = leaves(costs), torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    value = soft_dtw(cost=costs, gamma=gamma)
    first = torch.autograd.grad(value, (costs, gamma), create_graph=True)
    assert gradcheck(lambda softness: soft_dtw(cost=costs.detach(), gamma=softness), gamma)
    second = torch.autograd.grad((first[0] ** 2).sum() + first[1], (costs, gamma))
    for part in (*first, *second):
        assert torch.isfinite(part).all()
    assert first[0][0, 3] == first[0][2, 0] == 0


# Padding


@pytest.mark.parametrize("ways", WAYS)
def test_padding_has_no_influence_and_a_gradient_of_exactly_zero_even_if_it_is_nan(ways):
    def result(filling):
        x, y = tracks(m=6)
        x[0, 3:] = y[1, 4:] = filling
        x, y = leaves(x, y)
        value = soft_dtw(x, y, lengths_x=[3, 4], lengths_y=[6, 4], **ways)
        return value, *torch.autograd.grad(value.sum(), (x, y))

    plain, poisoned = result(0.5), result(np.nan)
    for part, other in zip(plain, poisoned, strict=True):
        torch.testing.assert_close(part, other, rtol=1e-12, atol=1e-12)
    assert (poisoned[1][0, 3:] == 0).all()
    assert (poisoned[2][1, 4:] == 0).all()


def test_the_second_derivative_ignores_padding_too():
    x, y = tracks()
    x[1, 3:] = np.nan
    x, y = leaves(x, y)
    (first,) = torch.autograd.grad(soft_dtw(x, y, lengths_x=[4, 3]).sum(), x, create_graph=True)
    second = torch.autograd.grad((first[:, :3] ** 2).sum(), (x, y))
    assert all(torch.isfinite(part).all() for part in second)
    assert (second[0][1, 3:] == 0).all()


# Types and devices


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@pytest.mark.parametrize("ways", WAYS)
def test_half_precision_is_computed_in_float32_and_keeps_its_type_in_the_gradient(dtype, ways):
    x, y = leaves(*tracks(), dtype=dtype)
    value = soft_dtw(x, y, **ways)
    assert value.dtype == torch.float32
    value.sum().backward()
    assert x.grad.dtype == dtype
    if not callable(ways.get("cost_fn")):
        torch.testing.assert_close(value, soft_dtw(x.float(), y.float(), **ways))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_keep_the_input_s_type(dtype):
    x, y = leaves(*tracks(), dtype=dtype)
    for value in (soft_dtw(x, y), soft_dtw(cost=x), soft_dtw(x, y, skip=1.0), dtw(x, y), soft_dtw(x[0], y[0])):
        assert value.dtype == dtype
    made = soft_alignment(x, y, skip=1.0)
    assert {part.dtype for part in made} == {dtype}


def test_autocast_does_not_reach_the_costs():
    x, y = leaves(*tracks(), dtype=torch.float32)
    plain = soft_dtw(x, y, gamma=0.0), soft_dtw(x, y)
    with torch.autocast("cpu", torch.bfloat16):
        cast = soft_dtw(x, y, gamma=0.0), soft_dtw(x, y)
    for one, other in zip(plain, cast, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (torch.zeros(3, 1), np.zeros((3, 1)), "one input is a torch tensor, the other ndarray"),
        (np.zeros((3, 1)), torch.zeros(3, 1), "one input is a torch tensor, the other ndarray"),
        (torch.zeros(3, 1), torch.zeros(3, 1, dtype=torch.float64), "x is torch.float32 on cpu, y torch.float64"),
        (torch.zeros(3, 1), torch.zeros(3, 1, device="meta"), "on meta"),
        (torch.zeros(3, 1, dtype=torch.int64), torch.zeros(3, 1, dtype=torch.int64), "the input is torch.int64"),
        (torch.zeros(3), torch.zeros(3), r"x has shape \(3,\)"),
        (torch.zeros(3, 1), torch.zeros(3, 2), "y has 2 features, the other 1"),
    ],
)
def test_tensors_that_do_not_go_together_are_refused(x, y, message):
    with pytest.raises(BadData, match=message):
        soft_dtw(x, y)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"gamma": torch.ones(3)}, r"gamma has shape \(3,\) for 2 items"),
        ({"skip": torch.ones(2, 3)}, r"skip of x has shape \(2, 3\) for 2 items of 4 frames"),
        ({"lengths_x": [4, 5]}, r"lengths_x\[1\] is 5 of 4 frames"),
        ({"lengths_y": torch.tensor([0, 4])}, r"lengths_y\[0\] is 0 of 5 frames"),
        ({"lengths_y": [1.0, 4.0]}, "lengths_y is torch.float32 of shape"),
        ({"lengths_x": [4]}, r"shape \(1,\) for 2 items"),
        ({"cost_fn": lambda x, y: torch.zeros(2, 3, 4)}, r"gave shape \(2, 3, 4\) instead of \(2, 4, 5\)"),
    ],
)
def test_what_does_not_fit_the_batch_is_refused(setting, message):
    with pytest.raises(BadData, match=message):
        soft_dtw(*map(torch.tensor, tracks()), **setting)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"gamma": -1}, "gamma is -1"),
        ({"gamma": torch.tensor([1.0, 0.0])}, "gamma of item 1 is 0.0"),
        ({"penalty": torch.tensor(-1.0)}, "penalty of item 0 is -1.0"),
        ({"skip": torch.tensor(-1.0)}, "skipping frame 0 of x costs -1.0 in item 0"),
        ({"cost_fn": "manhattan"}, "cost_fn is 'manhattan'"),
    ],
)
def test_settings_out_of_range_are_refused(setting, message):
    with pytest.raises(BadSetting, match=message):
        soft_dtw(*map(torch.tensor, tracks()), **setting)


@COSTS
def test_a_frame_that_is_not_finite_is_named(cost_fn):
    x, y = map(torch.tensor, tracks())
    y[1, 3, 0] = torch.nan
    with pytest.raises(BadData, match=r"(?s)y.*frame 3|frame 3.*y"):
        soft_dtw(x, y, cost_fn=cost_fn)


def test_a_path_is_of_one_pair():
    with pytest.raises(BadData, match="a batch of items"):
        dtw_path(*map(torch.tensor, tracks()))


# Zero frames and large batches


def test_a_frame_of_zeros_has_cosine_cost_1_and_a_finite_gradient():
    x, y = leaves(np.zeros((1, 3)), np.eye(3)[:1])
    value = soft_dtw(x, y, cost_fn="cosine")
    assert value.item() == pytest.approx(1, abs=1e-12)
    value.backward()
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize(
    ("checkpoint", "cells", "expected"), [(None, 1, True), (None, 10**9, False), (True, 10**9, True)]
)
def test_costs_are_computed_twice_where_they_would_fill_the_memory(monkeypatch, checkpoint, cells, expected):
    from posediff.alignment import problem

    asked, solve_pair = [], engine.solve_pair

    def watched(*inputs, **ways):
        asked.append(ways["checkpoint"])
        return solve_pair(*inputs, **ways)

    monkeypatch.setattr(engine, "solve_pair", watched)
    monkeypatch.setattr(problem, "HELD", cells)
    soft_dtw(*map(torch.tensor, tracks()), checkpoint=checkpoint)
    assert asked == [expected]


def test_no_items_have_no_values_and_an_empty_gradient():
    x, y = leaves(np.zeros((0, 3, 2)), np.zeros((0, 4, 2)))
    for ways in ({}, {"gamma": 0.0}, {"skip": 1.0}):
        value = soft_dtw(x, y, **ways)
        assert value.shape == (0,)
        assert [part.shape for part in torch.autograd.grad(value.sum(), (x, y))] == [x.shape, y.shape]


# torch.func and torch.compile


LENGTHS = torch.tensor([4, 3])


def one_pair(x, y, length):
    return soft_dtw(x, y, gamma=0.5, band=3, lengths_x=length)


def test_vmap_goes_over_items():
    x, y = map(torch.tensor, tracks())
    truth = one_pair(x, y, LENGTHS)
    torch.testing.assert_close(vmap(one_pair)(x, y, LENGTHS), truth)
    torch.testing.assert_close(vmap(one_pair, (1, 1, 0))(x.transpose(0, 1), y.transpose(0, 1), LENGTHS), truth)
    twice = vmap(vmap(one_pair, (None, 0, None)), (0, None, 0))(x, y, LENGTHS)
    torch.testing.assert_close(twice.diagonal(), truth)


def test_gradients_under_vmap_and_of_vmap_are_the_plain_one():
    x, y = map(torch.tensor, tracks())
    tracked = x.clone().requires_grad_()
    (truth,) = torch.autograd.grad(one_pair(tracked, y, LENGTHS).sum(), tracked)
    torch.testing.assert_close(vmap(grad(one_pair))(x, y, LENGTHS), truth)
    torch.testing.assert_close(grad(lambda a: vmap(one_pair)(a, y, LENGTHS).sum())(x), truth)
    torch.testing.assert_close(vmap(one_pair)(tracked, y, LENGTHS).sum(), one_pair(x, y, LENGTHS).sum())
    (outer,) = torch.autograd.grad(vmap(one_pair)(tracked, y, LENGTHS).sum(), tracked)
    torch.testing.assert_close(outer, truth)


@pytest.mark.parametrize("ways", [{}, {"cost_fn": "cosine"}, {"skip": 0.5}, {"gamma": 0.0}])
def test_second_derivatives_of_torch_func_are_the_plain_ones(ways):
    x, y = (torch.tensor(side[0]) for side in tracks(n=3, m=3))

    def function(a):
        return soft_dtw(a, y, **{"gamma": 0.7, **ways})

    truth = torch.autograd.functional.hessian(function, x)
    torch.testing.assert_close(jacrev(jacrev(function))(x), truth)
    batched = vmap(jacrev(jacrev(function)))(torch.stack([x, 2 * x]))
    torch.testing.assert_close(batched[0], truth)


def test_forward_mode_is_refused():
    x, y = (torch.tensor(side[0]) for side in tracks())
    with pytest.raises(RuntimeError):
        hessian(lambda a: soft_dtw(a, y))(x)


@pytest.mark.parametrize("backend", ["aot_eager", "inductor"])
def test_a_whole_graph_is_compiled(backend):
    if backend == "inductor" and not (shutil.which("g++") or shutil.which("clang++")):
        pytest.skip("there is no C++ compiler")
    torch._dynamo.reset()

    def function(x, y, lengths, gamma):
        return soft_dtw(2 * x, y, gamma=gamma, lengths_x=lengths, band=3)

    def result(run):
        inputs = (*leaves(*tracks()), LENGTHS, scalars()[0])
        value = run(*inputs)
        return value, *torch.autograd.grad(value.sum(), (*inputs[:2], inputs[3]))

    compiled = result(torch.compile(function, fullgraph=True, backend=backend))
    for part, truth in zip(compiled, result(function), strict=True):
        torch.testing.assert_close(part, truth)


@pytest.mark.parametrize("ways", WAYS[1::2])
def test_every_kernel_compiles_as_a_whole_graph_for_any_lengths(ways):
    torch._dynamo.reset()
    run = torch.compile(lambda x, y: soft_dtw(x, y, **ways), fullgraph=True, dynamic=True, backend="aot_eager")
    for sizes in ((4, 5), (6, 7)):
        x, y = map(torch.tensor, tracks(0, 2, *sizes))
        torch.testing.assert_close(run(x, y), soft_dtw(x, y, **ways))


def test_vmap_is_compiled_as_a_whole_graph():
    torch._dynamo.reset()
    x, y = leaves(*tracks())
    run = torch.compile(vmap(one_pair), fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(run(x, y, LENGTHS), one_pair(x, y, LENGTHS))


def test_the_same_input_gives_the_same_bits():
    x, y = leaves(*tracks(0, 3, 40, 50, 8), dtype=torch.float32)
    results = []
    for _ in range(3):
        value = soft_dtw(x, y, gamma=0.1)
        results.append((value, *torch.autograd.grad(value.sum(), (x, y))))
    for result in results[1:]:
        assert all(torch.equal(one, other) for one, other in zip(result, results[0], strict=True))
