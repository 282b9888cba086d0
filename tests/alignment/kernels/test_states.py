import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tslearn.metrics import SoftDTW, SquaredEuclidean
from tslearn.metrics import soft_dtw as tslearn_soft_dtw

from posediff.alignment.kernels import states
from posediff.alignment.kernels.reference import align
from posediff.alignment.window import Window
from tests.alignment.paths import Problem, gibbs, problems


def batch(problem: Problem, gamma: float | None = None) -> tuple:
    """A problem as a batch: in larger arrays whose rest must not count, behind another one."""
    n, m = problem.costs.shape

    def padded(values: np.ndarray, *shape: int, rest: float = np.nan) -> np.ndarray:
        whole = np.full((2, *shape), rest, values.dtype)
        whole[0] = 0
        whole[(1, *(slice(size) for size in values.shape))] = values
        return whole

    first, end = padded(problem.first, n + 2, rest=m), padded(problem.end, n + 2, rest=m)
    end[0] = m
    gamma = problem.gamma if gamma is None else gamma
    skips = [None if s is None else padded(s, len(s) + 2) for s in (problem.skip_x, problem.skip_y)]
    lengths = np.array([n + 2, n]), np.array([m, m])
    settings = np.array([0.3, gamma]), np.array([0.1, problem.penalty])
    return (
        padded(problem.costs, n + 2, m + 2),
        first,
        end,
        *lengths,
        *settings,
        *skips,
        problem.open_begin,
        problem.open_end,
    )


def full(costs: np.ndarray) -> tuple:
    """Every cell of a batch of matrices."""
    count, n, m = costs.shape
    return costs, np.zeros((count, n)), np.full((count, n), m), np.full(count, n), np.full(count, m)


def squares(seed: int, n: int, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 3)), rng.normal(size=(m, 3))
    return x, y, ((x[:, None] - y) ** 2).sum(axis=2)[None]


@settings(max_examples=250)
@given(problems(8, 9))
def test_any_features_give_the_numbers_of_the_definition(problem):
    n, m = problem.costs.shape
    solution = states.solve(*batch(problem))
    opened = {"open_begin": problem.open_begin, "open_end": problem.open_end}
    truth = align(problem.allowed, problem.gamma, problem.penalty, problem.skip_x, problem.skip_y, **opened)
    assert solution.value[1] == pytest.approx(truth.value, rel=1e-11, abs=1e-11)
    assert solution.steps[1] == pytest.approx(truth.steps, rel=1e-9, abs=1e-11)
    np.testing.assert_allclose(solution.expected[1, :n, :m], truth.expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(solution.skipped_x[1, :n], truth.skipped_x, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(solution.skipped_y[1, :m], truth.skipped_y, rtol=1e-9, atol=1e-12)
    inside = np.zeros(solution.expected[1].shape, bool)
    inside[:n, :m] = np.isfinite(problem.allowed)
    assert (solution.expected[1][~inside] == 0).all()
    assert (solution.skipped_x[1, n:] == 0).all()
    assert (solution.skipped_y[1, m:] == 0).all()
    assert states.solve(*batch(problem), gradient=False).value[1] == solution.value[1]


@pytest.mark.parametrize("shape", [(60, 60), (45, 70), (1, 9)])
@pytest.mark.parametrize("gamma", [0.1, 1.0, 10.0])
def test_value_and_expected_alignment_are_tslearn_s(shape, gamma):
    x, y, costs = squares(0, *shape)
    value, expected, *_ = states.solve(*full(costs), np.array([gamma]), np.zeros(1))
    np.testing.assert_allclose(value, tslearn_soft_dtw(x, y, gamma=gamma), rtol=1e-9)
    peer = SoftDTW(SquaredEuclidean(x, y), gamma=gamma)
    peer.compute()
    np.testing.assert_allclose(expected[0], peer.grad(), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("radius", [0, 3, 12.5])
def test_a_narrow_band_gives_the_numbers_of_the_definition(radius):
    costs = squares(1, 40, 50)[2]
    window = Window.sakoe_chiba(40, 50, radius)
    sizes = np.array([40]), np.array([50])
    value, expected, *_ = states.solve(costs, window.first[None], window.end[None], *sizes, np.ones(1), np.full(1, 0.2))
    truth = align(np.where(window.contains(), costs[0], np.inf), 1.0, 0.2)
    np.testing.assert_allclose(value, truth.value, rtol=1e-12)
    np.testing.assert_allclose(expected[0], truth.expected, rtol=1e-9, atol=1e-14)
    assert (expected[0][~window.contains()] == 0).all()


def test_small_gamma_loses_no_digits():
    # Costs so close to one another that every path counts, on a level that is huge beside gamma.
    costs = 1e6 + 1e-3 * np.random.default_rng(3).random((1, 4, 5))
    value, expected, *_ = states.solve(*full(costs), np.array([1e-3]), np.zeros(1))
    true_value, true_expected = gibbs(costs[0], 1e-3)
    np.testing.assert_allclose(value, true_value, rtol=1e-14)
    np.testing.assert_allclose(expected[0], true_expected, atol=1e-6)


@pytest.mark.parametrize("gamma", [1e-300, 1e-12, 1e-3])
def test_gamma_may_be_tiny_beside_the_costs(gamma):
    costs = np.random.default_rng(4).random((1, 30, 20)) * 1e9
    value, expected, *_ = states.solve(*full(costs), np.array([gamma]), np.zeros(1))
    np.testing.assert_allclose(value, align(costs[0], 0.0).value, rtol=1e-12)
    np.testing.assert_allclose(expected[0], align(costs[0], 0.0).expected)


def test_where_no_alignment_exists_the_value_is_infinite_and_the_rest_zero():
    costs = np.zeros((2, 3, 3))
    costs[0, 1] = np.inf
    for skips in ((None, None), (None, np.ones((2, 3)))):
        value, *rest = states.solve(*full(costs), np.ones(2), np.zeros(2), *skips)
        assert np.isinf(value).tolist() == [True, False]
        assert all((part[0] == 0).all() for part in rest)
        moved = states.curvature(*full(costs), np.ones(2), np.zeros(2), *skips, False, False, np.ones((2, 3, 3)))
        assert all((part[0] == 0).all() for part in moved)


def test_columns_and_lengths_beyond_the_matrix_are_cut():
    costs = squares(2, 6, 7)[2]
    _, first, end, rows, columns = full(costs)
    value, *_ = states.solve(costs, first - 9, end + 9, rows + 9, columns + 9, np.ones(1), np.zeros(1))
    np.testing.assert_allclose(value, align(costs[0], 1.0).value)


@settings(max_examples=120)
@given(problems(6, 7), st.integers(0, 1000))
def test_curvature_is_the_derivative_of_the_derivatives(problem, seed):
    arguments = batch(problem)
    rng, shape = np.random.default_rng(seed), arguments[0].shape
    directions = [rng.normal(size=size) for size in (shape, shape[:1], shape[:2], (shape[0], shape[2]))]
    moved = states.curvature(*arguments, *directions)
    # Five points: their error falls with the fourth power of the step, what is rounded grows with its inverse.
    step = 1e-3 * problem.gamma

    def at(times: float) -> states.Solution:
        by = (directions[0], None, None, None, None, None, *directions[1:], None, None)
        return states.solve(
            *(a if d is None or a is None else a + times * step * d for a, d in zip(arguments, by, strict=True))
        )

    one, other, two, far = at(1), at(-1), at(2), at(-2)
    sources = (moved.costs, moved.skip_x, moved.skip_y, moved.penalty)
    largest = max(1e-3 / problem.gamma, *(np.abs(source[1]).max() for source in sources))
    for name, source in zip(("expected", "skipped_x", "skipped_y", "steps"), sources, strict=True):
        a, b, c, d = (getattr(solution, name)[1] for solution in (one, other, two, far))
        np.testing.assert_allclose(source[1], (8 * (a - b) - (c - d)) / (12 * step), atol=1e-6 * largest)


@pytest.mark.parametrize("gamma", [0.01, 0.3, 10.0])
@pytest.mark.parametrize("skip", [None, 2.0])
def test_curvature_is_symmetric_and_finite_in_long_sequences(gamma, skip):
    costs = squares(5, 50, 40)[2]
    skips = [None, None] if skip is None else [np.full((1, 50), skip), np.full((1, 40), skip)]
    problem = (*full(costs), np.array([gamma]), np.full(1, 0.1), *skips, False, False)
    rng = np.random.default_rng(6)
    one, other = (tuple(rng.normal(size=size) for size in ((1, 50, 40), (1,), (1, 50), (1, 40))) for _ in range(2))
    if skip is None:
        one, other = one[:2], other[:2]
    forth = sum((part * move).sum() for part, move in zip(states.curvature(*problem, *one), other, strict=False))
    back = sum((part * move).sum() for part, move in zip(states.curvature(*problem, *other), one, strict=False))
    assert forth == pytest.approx(back, rel=1e-8)
    assert np.isfinite(forth)


def test_a_direction_in_which_forbidden_matches_move_has_no_effect():
    costs = squares(7, 5, 6)[2]
    costs[0, 0, 3:] = np.inf
    direction = np.where(np.isinf(costs), 7.0, 0.0)
    moved = states.curvature(*full(costs), np.ones(1), np.zeros(1), None, None, False, False, direction)
    assert all((part == 0).all() for part in moved)
