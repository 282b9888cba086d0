import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from posediff.alignment import pairs, solvers
from posediff.alignment.solvers import Problem
from tests.alignment.paths import SEEDS

COSTS = pytest.mark.parametrize("cost", ["squared_euclidean", "one_minus_dot"])


def tracks(seed: int = 0, items: int = 2, n: int = 4, m: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(items, n, 3)), rng.normal(size=(items, m, 3))


@given(SEEDS, st.integers(1, 6), st.integers(1, 6))
def test_squared_distances_are_scipy_s(seed, n, m):
    x, y = tracks(seed, 2, n, m)
    truth = [cdist(a, b, "sqeuclidean") for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(pairs.matrix(x, y, "squared_euclidean"), truth, atol=1e-12)


def test_squared_distances_keep_their_digits_far_from_the_origin():
    x, y = tracks()
    near, far = (pairs.matrix(x + shift, y + shift, "squared_euclidean") for shift in (0, 1e6))
    np.testing.assert_allclose(far, near, rtol=1e-6)


def test_the_cosine_of_unit_frames_is_scipy_s():
    x, y = (side / np.linalg.norm(side, axis=2, keepdims=True) for side in tracks())
    truth = [cdist(a, b, "cosine") for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(pairs.matrix(x, y, "one_minus_dot"), truth, atol=1e-12)


@COSTS
def test_weighted_costs_have_these_derivatives(cost):
    (x, y), (move_x, move_y) = tracks(0), tracks(1)
    weights, step = np.random.default_rng(2).random((2, 4, 5)), 1e-4
    more, less = ((weights * pairs.matrix(x + sign * move_x, y + sign * move_y, cost)).sum() for sign in (step, -step))
    by_x, by_y = pairs.pull_back(weights, x, y, cost)
    np.testing.assert_allclose((by_x * move_x).sum() + (by_y * move_y).sum(), (more - less) / 2 / step, rtol=1e-7)
    pushed = pairs.push_forward(x, y, move_x, move_y, cost)
    np.testing.assert_allclose((weights * pushed).sum(), (more - less) / 2 / step, rtol=1e-7)


@COSTS
@pytest.mark.parametrize("band", [None, 2])
def test_the_curvature_is_how_the_gradient_moves(cost, band):
    (x, y), (move_x, move_y) = tracks(0), tracks(1)
    gamma, penalty = np.array([0.5, 2.0]), np.array([0.1, 0.3])
    move_gamma, move_penalty = np.array([0.3, -0.2]), np.array([-0.5, 0.4])
    lengths = np.array([4, 3]), np.array([5, 4])

    def gradient(t: float) -> list[np.ndarray]:
        a, b = x + t * move_x, y + t * move_y
        problem = Problem(
            pairs.matrix(a, b, cost), *lengths, gamma + t * move_gamma, penalty + t * move_penalty, open_end=True,
            skip_x=np.full((2, 4), np.inf),  # the kernel that knows all features
        )  # fmt: skip
        solution = solvers.solve(problem)
        return [*pairs.pull_back(solution.expected, a, b, cost), solvers.slope(problem, solution), solution.steps]

    step = 1e-5
    truth = [(more - less) / 2 / step for more, less in zip(gradient(step), gradient(-step), strict=True)]
    settings = Problem(np.empty((2, 4, 5)), *lengths, gamma, penalty, open_end=True)
    made = pairs.curvature(settings, x, y, cost, (move_x, move_y), move_gamma, move_penalty)
    for part, true in zip(made, truth, strict=True):
        np.testing.assert_allclose(part, true, rtol=1e-6, atol=1e-8)


def test_what_does_not_move_counts_as_moving_by_zero():
    x, y = tracks()
    settings = Problem(np.empty((2, 4, 5)), np.full(2, 4), np.full(2, 5), np.ones(2))
    none = pairs.curvature(settings, x, y, "squared_euclidean", (None, np.ones_like(y)), None, None)
    zero = pairs.curvature(
        settings, x, y, "squared_euclidean", (np.zeros_like(x), np.ones_like(y)), np.zeros(2), np.zeros(2)
    )
    for one, other in zip(none, zero, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-14)


def test_padding_becomes_the_first_frame_and_the_input_stays():
    x, _ = tracks()
    x[1, 2:] = np.nan
    made = pairs.filled(x, np.array([4, 2]))
    np.testing.assert_array_equal(made[0], x[0])
    np.testing.assert_array_equal(made[1, 2:], [x[1, 0]] * 2)
    assert np.isnan(x[1, 2:]).all()
    assert pairs.filled(x, np.array([4, 4])) is x
