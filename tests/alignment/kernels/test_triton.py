from multiprocessing import get_all_start_methods

import numpy as np
import pytest

from posediff.alignment.kernels import reference
from posediff.errors import BadData, BadSetting
from tests.alignment.kernels.interpreted import interpreted, solve

torch = pytest.importorskip("torch")
pytest.importorskip(
    "triton", minversion="3.8"
)  # before, the interpreter rounds a fused multiplication and addition twice

on_a_device = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


def costs_of(*shape, seed=0, most=3.0):
    return (np.random.default_rng(seed).random(shape) * most).astype(np.float32)


def banded(costs, first, end):
    """The costs with all cells outside of a band forbidden."""
    columns = np.arange(costs.shape[1])
    return np.where((columns >= first[:, None]) & (columns < end[:, None]), costs, np.inf)


def opened(costs, gamma, penalty, begin, end):
    """Soft-DTW with open ends as the soft minimum over every begin and end of closed soft-DTW between them."""
    m = costs.shape[1]
    places = [(i, j) for i in (range(m) if begin else [0]) for j in (range(m) if end else [m - 1]) if i <= j]
    closed = [reference.soft_dtw(costs[:, i : j + 1].astype(float), gamma, penalty) for i, j in places]
    found = np.array([value for value, _ in closed])
    weights = np.exp((found.min() - found) / gamma)
    expected = np.zeros(costs.shape)
    for (i, j), weight, (_, inside) in zip(places, weights, closed, strict=True):
        expected[:, i : j + 1] += weight / weights.sum() * inside
    return found.min() - gamma * np.log(weights.sum()), expected


def assert_solved(solved, item, truth, atol=2e-6):
    """The value and the expected alignment of one item are the true ones, and nothing is expected in the padding."""
    (value, expected), (true_value, true_expected) = solved, truth
    n, m = true_expected.shape
    np.testing.assert_allclose(value[item], true_value, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(expected[item, :n, :m], true_expected, atol=atol)
    assert (expected[item, n:] == 0).all()
    assert (expected[item, :, m:] == 0).all()


def test_items_of_other_lengths_and_gammas_are_solved_beside_one_another():
    costs, rows, columns, gamma = costs_of(2, 5, 7), [5, 2], [7, 3], [0.3, 10.0]
    costs[1, 2:], costs[1, :, 3:] = np.nan, np.nan
    solved = interpreted(solve, costs, rows, columns, gamma)
    for item, (n, m) in enumerate(zip(rows, columns, strict=True)):
        assert_solved(solved, item, reference.soft_dtw(costs[item, :n, :m].astype(float), gamma[item]))


def test_a_strip_of_all_lanes_hands_its_last_row_on_and_a_value_needs_no_gradient():
    costs = costs_of(1, 65, 3)
    value, expected = interpreted(
        solve, costs, [65], [3], [0.1], gradient=False, constants={"LANES": 32, "CHUNK": 8, "RUN": 4}
    )
    assert expected is None
    np.testing.assert_allclose(value[0], reference.soft_dtw(costs[0].astype(float), 0.1)[0], rtol=1e-6)


@pytest.mark.skipif("fork" not in get_all_start_methods(), reason="processes cannot share a kernel's arguments")
def test_strips_that_run_at_the_same_time_wait_for_one_another():
    costs = costs_of(1, 11, 3, seed=5)
    value, _ = interpreted(solve, costs, [11], [3], [0.3], gradient=False, at_once=True)
    np.testing.assert_allclose(value[0], reference.soft_dtw(costs[0].astype(float), 0.3)[0], rtol=1e-6)


def test_a_band_forbidden_cells_and_a_step_penalty_with_the_result_in_place_of_the_costs():
    costs, penalty = costs_of(1, 5, 8, seed=1), 0.4
    costs[0, 1, 3] = costs[0, 3, 6] = np.inf
    first, end = np.array([0, 1, 2, 4, 5]), np.array([3, 6, 7, 8, 8])
    solved = interpreted(solve, costs, [5], [8], [0.2], [penalty], ([first], [end]), in_place=True)
    assert_solved(solved, 0, reference.soft_dtw(banded(costs[0].astype(float), first, end), 0.2, penalty))


@pytest.mark.parametrize(("begin", "end", "penalty"), [(True, True, 0.5), (False, True, 0.0)])
def test_open_ends_leave_out_columns_before_and_behind(begin, end, penalty):
    costs, rows = costs_of(2, 3, 4, seed=2), [3, 2]
    solved = interpreted(
        solve, costs, rows, [4, 4], [0.5, 0.5], [penalty] * 2 if penalty else None, open_begin=begin, open_end=end
    )
    for item, n in enumerate(rows):
        assert_solved(solved, item, opened(costs[item, :n], 0.5, penalty, begin, end))


def test_exponents_far_apart_keep_their_digits():
    costs = np.round(costs_of(1, 4, 6, seed=4) * 256) / 256 + 100  # 100 / gamma: beyond the range of a float64, too
    costs[0, 1:, 2] = np.inf  # a wall, behind which the numbers are far smaller than before it
    assert_solved(
        interpreted(solve, costs, [4], [6], [1e-3]), 0, reference.soft_dtw(costs[0].astype(float), 1e-3), atol=1e-5
    )


def test_what_cannot_be_solved_shows_in_the_value():
    costs = costs_of(4, 2, 2)
    costs[0, 1, 1], costs[1, 1], costs[2, 0, 0], costs[3, 1, 1] = np.nan, np.inf, 3e4, -2e4
    value, _ = interpreted(solve, costs, [2] * 4, [2] * 4, [1.0, 1.0, 1e-3, 1e-3], gradient=False)
    np.testing.assert_array_equal(value, [np.nan, np.inf, -np.inf, -np.inf])


def test_nothing_is_expected_where_no_path_exists():
    value, expected = interpreted(solve, np.full((1, 2, 2), np.inf), [2], [2], [1.0])
    assert value[0] == np.inf
    assert (expected == 0).all()


@pytest.mark.parametrize(
    ("value", "fault", "says"),
    [(np.nan, BadData, "item 1 is NaN"), (np.inf, BadData, "no path .* item 1"), (-np.inf, BadSetting, "gamma .* 1")],
)
def test_what_a_value_says_is_raised(value, fault, says):
    from posediff.alignment.kernels.triton import check

    check(torch.tensor([0.5, -3.0]))
    with pytest.raises(fault, match=says):
        check(torch.tensor([0.5, value]))


@pytest.mark.parametrize(("costs", "says"), [(torch.zeros(2, 3, 4), "cpu"), (torch.zeros(2, 3, 4).double(), "float64")])
def test_costs_that_the_kernels_cannot_read_are_refused(costs, says, monkeypatch):
    from posediff.alignment.kernels.triton import checked

    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    with pytest.raises(BadData, match=says):
        checked(costs)


@on_a_device
@pytest.mark.parametrize("repeat", range(3))
@pytest.mark.parametrize(("n", "m"), [(200, 131), (131, 260)])
def test_a_device_agrees_with_the_definition(n, m, repeat):
    from posediff.alignment.kernels import triton

    costs, gamma, penalty = costs_of(4, n, m, seed=repeat), [1e-3, 0.1, 1.0, 10.0], [0.0, 0.3, 0.0, 2.0]
    rows, columns = [n, n - 1, 70, 1], [m, 66, m - 3, m]
    on_device = [torch.tensor(part).cuda() for part in (costs, rows, columns, gamma, penalty)]
    value, expected = triton.solve(on_device[0], None, None, *on_device[1:])
    solved = value.cpu().numpy(), expected.cpu().numpy()
    for item in range(4):
        given = costs[item, : rows[item], : columns[item]].astype(float)
        assert_solved(solved, item, reference.soft_dtw(given, gamma[item], penalty[item]), atol=1e-5)
