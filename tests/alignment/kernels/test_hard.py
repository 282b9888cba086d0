import numpy as np
import pytest
from hypothesis import given, settings
from tslearn.metrics import dtw_path as tslearn_dtw_path

from posediff.alignment.kernels import hard
from posediff.alignment.kernels.reference import align
from posediff.alignment.window import Window
from tests.alignment.paths import Problem, every_alignment, problems


def batch(problem: Problem) -> tuple:
    """A problem as a batch of one."""
    n, m = problem.costs.shape
    skips = (None if skip is None else skip[None] for skip in (problem.skip_x, problem.skip_y))
    where = problem.first[None], problem.end[None], np.array([n]), np.array([m])
    return problem.costs[None], *where, np.full(1, problem.penalty), *skips, problem.open_begin, problem.open_end


def best(problem: Problem) -> hard.Path:
    return hard.path(
        problem.costs,
        problem.first,
        problem.end,
        problem.penalty,
        problem.skip_x,
        problem.skip_y,
        problem.open_begin,
        problem.open_end,
    )


@settings(max_examples=250)
@given(problems(8, 9, most=3))
def test_any_features_give_the_alignment_of_the_definition_among_many_equals(problem):
    opened = {"open_begin": problem.open_begin, "open_end": problem.open_end}
    truth = align(problem.allowed, 0.0, problem.penalty, problem.skip_x, problem.skip_y, **opened)
    for part, true_part in zip(hard.solve(*batch(problem), gradient=True), truth, strict=True):
        np.testing.assert_array_equal(part[0], true_part)
    path = best(problem)
    assert path.value == truth.value == hard.solve(*batch(problem)).value[0]
    assert sorted(map(tuple, path.pairs.tolist())) == list(map(tuple, np.argwhere(truth.expected).tolist()))
    np.testing.assert_array_equal(path.skipped_x, truth.skipped_x == 1)
    np.testing.assert_array_equal(path.skipped_y, truth.skipped_y == 1)


@settings(max_examples=100)
@given(problems(3, 4))
def test_no_alignment_is_cheaper_and_the_path_is_one_of_that_cost(problem):
    path = best(problem)
    assert path.value == pytest.approx(
        min(float(problem.cost(chain)) for chain in every_alignment(*problem.costs.shape))
    )
    if np.isfinite(path.value):
        chain = [(int(i), int(j)) for i, j in path.pairs]
        assert (np.diff(path.pairs, axis=0) >= 0).all()
        assert float(problem.cost(chain)) == pytest.approx(path.value, abs=1e-12)
        skipped = np.flatnonzero(path.skipped_x).tolist(), np.flatnonzero(path.skipped_y).tolist()
        assert skipped == problem.skipped(chain)


@pytest.mark.parametrize("shape", [(60, 60), (45, 70), (1, 9), (9, 1)])
def test_value_and_path_are_tslearn_s(shape):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(shape[0], 3)), rng.normal(size=(shape[1], 3))
    costs = ((x[:, None] - y) ** 2).sum(axis=2)
    path = hard.path(costs, np.zeros(len(x)), np.full(len(x), len(y)))
    true_path, root = tslearn_dtw_path(x, y)
    assert path.pairs.tolist() == [list(cell) for cell in true_path]
    np.testing.assert_allclose(path.value, root**2, rtol=1e-12)


@pytest.mark.parametrize("radius", [0, 1, 6, 30])
def test_a_square_band_is_tslearn_s(radius):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(50, 2)), rng.normal(size=(50, 2))
    window = Window.sakoe_chiba(50, 50, radius)
    costs = ((x[:, None] - y) ** 2).sum(axis=2)
    path = hard.path(costs, window.first, window.end)
    true_path, root = tslearn_dtw_path(x, y, global_constraint="sakoe_chiba", sakoe_chiba_radius=radius)
    assert path.pairs.tolist() == [list(cell) for cell in true_path]
    np.testing.assert_allclose(path.value, root**2, rtol=1e-12)


def test_items_of_a_batch_have_their_own_lengths_and_what_is_behind_them_does_not_count():
    rng = np.random.default_rng(2)
    costs = np.full((3, 8, 9), np.nan)
    rows, columns = np.array([8, 3, 5]), np.array([9, 7, 1])
    for b in range(3):
        costs[b, : rows[b], : columns[b]] = rng.random((rows[b], columns[b]))
    where = np.zeros((3, 8)), np.tile(columns[:, None], 8), rows, columns
    value, expected, _, _, steps = hard.solve(costs, *where, np.full(3, 0.2), gradient=True)
    for b in range(3):
        truth = align(costs[b, : rows[b], : columns[b]], 0.0, 0.2)
        assert (value[b], steps[b]) == pytest.approx((truth.value, truth.steps))
        np.testing.assert_array_equal(expected[b, : rows[b], : columns[b]], truth.expected)
        assert expected[b].sum() == truth.expected.sum()


def test_single_precision_costs_are_summed_in_double():
    costs = np.random.default_rng(3).random((1, 70, 80)).astype(np.float32)
    where = np.zeros((1, 70)), np.full((1, 70), 80), np.array([70]), np.array([80])
    value, expected, *_ = hard.solve(costs, *where, np.zeros(1), gradient=True)
    assert value[0] == align(costs[0].astype(np.float64), 0.0).value
    assert expected.dtype == np.float32


def test_where_no_alignment_exists_the_value_is_infinite_and_the_path_empty():
    costs = np.zeros((3, 3))
    costs[1] = np.inf
    for skips in ((None, None), (None, np.ones(3))):
        path = hard.path(costs, np.zeros(3), np.full(3, 3), 0.0, *skips)
        assert path.value == np.inf
        assert path.pairs.shape == (0, 2)
        assert not path.skipped_x.any()
        assert not path.skipped_y.any()


def test_columns_beyond_the_matrix_are_cut():
    costs = np.random.default_rng(4).random((5, 6))
    assert hard.path(costs, np.full(5, -3), np.full(5, 99)).value == align(costs, 0.0).value
