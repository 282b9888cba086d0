import numpy as np
import pytest
from hypothesis import given, settings

from posediff.alignment import solvers
from posediff.alignment.bands import BandWidened, SakoeChiba
from posediff.alignment.kernels import reference
from posediff.alignment.solvers import Problem, Solution
from posediff.errors import BadData, BadSetting
from tests.alignment import paths

FIELDS = ("costs", "skip_x", "skip_y", "penalty", "gamma")


def problem(seed: int = 0, skips: bool = True, **settings: object) -> Problem:
    """A batch with two items of different lengths and a forbidden cell."""
    rng = np.random.default_rng(seed)
    costs = rng.random((2, 4, 5))
    costs[0, 1, 2] = np.inf
    sides = (rng.random((2, 4)), rng.random((2, 5))) if skips else (None, None)
    made = Problem(costs, np.array([4, 3]), np.array([5, 4]), np.array([0.4, 1.5]), np.array([0.1, 0.3]), *sides)
    return made._replace(**settings)


def gradient(given: Problem) -> dict[str, np.ndarray]:
    solution = solvers.solve(given)
    parts = (solution.expected, solution.skipped_x, solution.skipped_y, solution.steps, solvers.slope(given, solution))
    return {name: part for name, part in zip(FIELDS, parts, strict=True) if part is not None}


def moved(given: Problem, moves: dict[str, np.ndarray], t: float) -> Problem:
    return given._replace(**{name: getattr(given, name) + t * move for name, move in moves.items()})


def random_moves(given: Problem) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(9)
    known = {name: getattr(given, name) for name in FIELDS}
    return {name: rng.normal(size=field.shape) for name, field in known.items() if field is not None}


@settings(max_examples=40)
@given(paths.problems(4, 4))
def test_solutions_are_those_of_the_definition(case):
    given_problem = Problem(
        case.allowed[None], *(np.array([k]) for k in case.costs.shape), np.array([case.gamma]),
        np.array([case.penalty]), *(skip[None] for skip in case.skips), None, case.open_begin, case.open_end,
    )  # fmt: skip
    truth = reference.align(
        case.allowed, case.gamma, case.penalty, *case.skips, open_begin=case.open_begin, open_end=case.open_end
    )
    if truth.value == np.inf:
        with pytest.raises(BadData, match="item 0 has no alignment of finite cost"):
            solvers.solve(given_problem)
        return
    made = solvers.solve(given_problem)
    for name in ("value", "expected", "skipped_x", "skipped_y", "steps"):
        np.testing.assert_allclose(getattr(made, name)[0], getattr(truth, name), atol=1e-9)


@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("gamma", [None, np.array([0.4, 1.5])])
def test_every_kernel_gives_the_derivatives_that_were_asked_for(skips, gamma):
    given_problem = problem(skips=skips, gamma=gamma)
    whole, lean = solvers.solve(given_problem), solvers.solve(given_problem, gradient=False)
    np.testing.assert_allclose(whole.value, lean.value, rtol=1e-12)
    assert lean.expected is None
    assert (whole.skipped_x is not None) == skips
    assert whole.expected.shape == (2, 4, 5)
    assert (whole.expected[1, 3:] == 0).all()
    assert (whole.expected[1, :, 4:] == 0).all()


@pytest.mark.parametrize("skips", [True, False])
def test_the_slope_is_the_derivative_by_gamma(skips):
    given_problem, step = problem(skips=skips), 1e-6
    more, less = (
        solvers.solve(moved(given_problem, {"gamma": np.ones(2)}, t), gradient=False).value for t in (step, -step)
    )
    slope = solvers.slope(given_problem, solvers.solve(given_problem))
    np.testing.assert_allclose(slope, (more - less) / 2 / step, rtol=1e-6)
    assert (solvers.slope(given_problem._replace(gamma=None), solvers.solve(given_problem)) == 0).all()


@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("ends", [{}, {"open_begin": True, "open_end": True}])
def test_the_curvature_is_how_the_gradient_moves(skips, ends):
    given_problem, step = problem(skips=skips, **ends), 1e-5
    moves = random_moves(given_problem)
    more, less = (gradient(moved(given_problem, moves, t)) for t in (step, -step))
    direction = Solution(np.empty(0), *(moves.get(name) for name in ("costs", "skip_x", "skip_y", "penalty")))
    bent, by_gamma = solvers.curvature(given_problem, direction, moves["gamma"])
    made = dict(zip(FIELDS, (bent.expected, bent.skipped_x, bent.skipped_y, bent.steps, by_gamma), strict=True))
    for name in more:
        np.testing.assert_allclose(made[name], (more[name] - less[name]) / 2 / step, rtol=1e-6, atol=1e-8)


def test_infinite_costs_of_skipping_do_not_disturb_the_curvature():
    forbidden = problem()._replace(skip_x=np.full((2, 4), np.inf))
    plain = problem(skip_x=None)
    moves = (None, None, None, np.ones(2))
    (bent, by_gamma), (truth, true_by_gamma) = (
        solvers.curvature(one, Solution(np.empty(0), *moves), np.ones(2)) for one in (forbidden, plain)
    )
    np.testing.assert_allclose(bent.expected, truth.expected, atol=1e-14)
    np.testing.assert_allclose(by_gamma, true_by_gamma, atol=1e-14)


def test_hard_dtw_is_piecewise_linear():
    bent, by_gamma = solvers.curvature(problem(gamma=None), Solution(np.empty(0), np.ones((2, 4, 5))), None)
    assert not bent.expected.any()
    assert not bent.skipped_x.any()
    assert not by_gamma.any()


def test_the_path_is_that_of_the_definition():
    one = Problem(*(part[:1] for part in problem()[:3]), None, None, *(part[:1] for part in problem()[5:7]))
    pairs, value = solvers.path(one)
    truth = reference.align(one.costs[0], 0.0, 0.0, one.skip_x[0], one.skip_y[0])
    np.testing.assert_array_equal(pairs, np.argwhere(truth.expected))
    np.testing.assert_allclose(value, truth.value)


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_a_cost_that_is_no_number_is_named_but_in_the_padding(value):
    costs = np.zeros((2, 3, 4))
    costs[0, 2, 3] = costs[1, 1, 2] = value
    solvers.check_costs(costs, np.array([2, 3]), np.array([4, 2]))
    with pytest.raises(BadData, match=f"item 1 in row 1 and column 2 is {value}"):
        solvers.check_costs(costs, np.array([2, 3]), np.array([4, 3]))


def test_negative_costs_of_skipping_are_refused():
    with pytest.raises(BadSetting, match="frame 0 of y costs -1"):
        solvers.solve(problem(skip_y=np.full((2, 5), -1.0)))


def test_a_band_that_leaves_no_path_is_widened_with_a_warning():
    with pytest.warns(BandWidened, match="SakoeChiba"):
        solvers.solve(problem(skips=False, gamma=None, band=SakoeChiba(0.0)))
