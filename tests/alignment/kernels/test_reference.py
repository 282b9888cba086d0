import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tslearn.metrics import soft_dtw as tslearn_soft_dtw

from posediff.alignment.kernels.reference import Alignment, align, soft_dtw
from tests.alignment.paths import (
    SEEDS,
    Problem,
    bends,
    every_alignment,
    every_path,
    gibbs,
    gibbs_chains,
    least,
    problems,
)

SMALL = st.integers(1, 4)
BOTH = (False, True)


def aligned(problem: Problem, gamma: float | None = None) -> Alignment:
    """A problem's alignment by the reference, or at another gamma."""
    opened = {"open_begin": problem.open_begin, "open_end": problem.open_end}
    gamma = problem.gamma if gamma is None else gamma
    return align(problem.allowed, gamma, problem.penalty, problem.skip_x, problem.skip_y, **opened)


@settings(max_examples=40)
@given(SMALL, SMALL, SEEDS, st.sampled_from([1e-3, 0.1, 1.0, 50.0]), st.sampled_from([0.0, 0.3]))
def test_value_and_expected_alignment_are_those_of_all_paths_weighted_by_their_costs(n, m, seed, gamma, penalty):
    costs = np.random.default_rng(seed).random((n, m))
    value, expected = soft_dtw(costs, gamma, penalty)
    true_value, true_expected = gibbs(costs, gamma, penalty)
    np.testing.assert_allclose(value, true_value, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(expected, true_expected, rtol=1e-9, atol=1e-12)


@settings(max_examples=30)
@given(SMALL, SMALL, SEEDS, st.sampled_from([0.0, 0.3]))
def test_gamma_zero_takes_the_best_path_alone(n, m, seed, penalty):
    costs = np.random.default_rng(seed).random((n, m))
    value, expected = soft_dtw(costs, 0.0, penalty)
    np.testing.assert_allclose(value, least(costs, penalty), rtol=1e-12)
    on = {(int(i), int(j)) for i, j in np.argwhere(expected)}
    assert any(set(path) == on for path in every_path(n, m))
    assert set(np.unique(expected)) <= {0.0, 1.0}


@pytest.mark.parametrize("gamma", [1e-3, 0.1, 1.0])
def test_forbidden_cells_are_as_good_as_absent(gamma):
    costs = np.random.default_rng(0).random((4, 4))
    costs[0, 3] = costs[2, 0] = costs[1, 2] = np.inf
    value, expected = soft_dtw(costs, gamma)
    true_value, true_expected = gibbs(costs, gamma)
    np.testing.assert_allclose(value, true_value, rtol=1e-12)
    np.testing.assert_allclose(expected, true_expected, rtol=1e-9, atol=1e-12)
    assert (expected[np.isinf(costs)] == 0).all()


@pytest.mark.parametrize("shape", [(12, 12), (9, 14), (1, 7), (7, 1)])
@pytest.mark.parametrize("gamma", [0.01, 1.0, 10.0])
def test_the_value_is_tslearn_s(shape, gamma):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(shape[0], 3)), rng.normal(size=(shape[1], 3))
    costs = ((x[:, None] - y) ** 2).sum(axis=2)
    np.testing.assert_allclose(soft_dtw(costs, gamma)[0], tslearn_soft_dtw(x, y, gamma=gamma), rtol=1e-9)


@settings(max_examples=15)
@given(st.integers(1, 6), st.integers(1, 6), SEEDS, st.sampled_from([0.0, 0.3]))
def test_the_expected_alignment_is_the_derivative_of_the_value_by_the_costs(n, m, seed, penalty):
    costs, step = np.random.default_rng(seed).random((n, m)), 1e-5
    slopes = np.zeros((n, m))
    for cell in np.ndindex(n, m):
        nudge = np.zeros((n, m))
        nudge[cell] = step
        slopes[cell] = (soft_dtw(costs + nudge, 0.5, penalty)[0] - soft_dtw(costs - nudge, 0.5, penalty)[0]) / 2 / step
    np.testing.assert_allclose(soft_dtw(costs, 0.5, penalty)[1], slopes, atol=1e-8)


def test_ties_go_to_the_diagonal():
    np.testing.assert_array_equal(soft_dtw(np.zeros((3, 3)), 0.0)[1], np.eye(3))


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (4, 1), (2, 3), (3, 4)])
@pytest.mark.parametrize("open_begin", BOTH)
@pytest.mark.parametrize("open_end", BOTH)
def test_the_states_count_every_alignment_exactly_once(shape, open_begin, open_end):
    free = np.zeros(shape[0]), np.zeros(shape[1])
    value = align(np.zeros(shape), 1.0, 0.0, *free, open_begin=open_begin, open_end=open_end).value
    assert np.exp(-value) == pytest.approx(len(list(every_alignment(*shape))), rel=1e-12)


@settings(max_examples=150)
@given(problems(3, 4))
def test_skips_and_open_ends_give_the_numbers_of_all_alignments_weighted_by_their_costs(problem):
    for number, truth in zip(aligned(problem), gibbs_chains(problem), strict=True):
        np.testing.assert_allclose(number, truth, rtol=1e-9, atol=1e-11)


@settings(max_examples=100)
@given(problems(3, 4, most=4))
def test_gamma_zero_takes_one_of_the_best_alignments(problem):
    value, expected, skipped_x, skipped_y, steps = aligned(problem, 0.0)
    chain = [(int(i), int(j)) for i, j in np.argwhere(expected)]
    costs = [problem.cost(chain) for chain in every_alignment(*problem.costs.shape)]
    assert value == float(min(costs))
    if np.isfinite(value):
        assert value == float(problem.cost(chain))
        assert steps == bends(chain)
        assert [np.flatnonzero(skipped).tolist() for skipped in (skipped_x, skipped_y)] == [*problem.skipped(chain)]


@settings(max_examples=40)
@given(problems(5, 5))
def test_the_derivative_by_gamma_is_what_the_costs_do_not_explain(problem):
    value, expected, skipped_x, skipped_y, steps = aligned(problem)
    if not np.isfinite(value):
        return
    paid = problem.penalty * steps
    for mass, costs in ((expected, problem.allowed), *zip((skipped_x, skipped_y), problem.skips, strict=True)):
        paid += (mass[mass > 0] * costs[mass > 0]).sum()
    step = 1e-4 * problem.gamma
    slope = (aligned(problem, problem.gamma + step).value - aligned(problem, problem.gamma - step).value) / 2 / step
    assert (value - paid) / problem.gamma == pytest.approx(slope, rel=1e-5, abs=1e-6)


def test_where_no_alignment_exists_the_value_is_infinite_and_the_rest_zero():
    costs = np.array([[0.0, np.inf], [np.inf, np.inf]])
    for gamma in (0.0, 1.0):
        value, *rest = align(costs, gamma)
        assert value == np.inf
        assert not any(np.any(part) for part in rest)


def test_a_frame_that_fits_nothing_is_skipped_at_its_price():
    x, y = np.array([0.0, 9.0, 1.0, 2.0]), np.array([0.0, 1.0, 2.0])
    value, expected, skipped_x, skipped_y, _ = align((x[:, None] - y) ** 2, 0.0, 0.0, np.full(4, 0.5), np.full(3, 0.5))
    assert value == 0.5
    assert skipped_x.tolist() == [0, 1, 0, 0]
    assert not skipped_y.any()
    assert np.argwhere(expected).tolist() == [[0, 0], [2, 1], [3, 2]]


def test_open_ends_find_a_part_and_begin_at_the_latest_and_end_at_the_first_of_equal_frames():
    x, y = np.array([1.0, 2.0]), np.array([5.0, 1.0, 1.0, 2.0, 2.0, 7.0])
    value, expected, *_ = align((x[:, None] - y) ** 2, 0.0, open_begin=True, open_end=True)
    assert value == 0.0
    assert np.argwhere(expected).tolist() == [[0, 2], [1, 3]]
