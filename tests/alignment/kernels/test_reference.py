import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tslearn.metrics import soft_dtw as tslearn_soft_dtw

from posediff.alignment.kernels.reference import soft_dtw
from tests.alignment.paths import SEEDS, every_path, gibbs, least

SMALL = st.integers(1, 4)


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
