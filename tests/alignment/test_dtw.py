import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tslearn.metrics import dtw as tslearn_dtw
from tslearn.metrics import dtw_path as tslearn_dtw_path
from tslearn.metrics import dtw_subsequence_path

from posediff.alignment import Window, dtw, dtw_path, soft_dtw, subsequence
from posediff.alignment.kernels import reference
from posediff.errors import BadData, BadSetting
from tests.alignment.paths import SEEDS, least, path_cost

SIZE = st.integers(1, 15)
SKIPS = st.sampled_from([None, 0.3, (0.3, None), (None, 0.2)])


def tracks(seed: int, n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)), rng.normal(size=(m, 2))


def squares(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return ((x[:, None] - y) ** 2).sum(axis=2)


# Value and path


@pytest.mark.parametrize("shape", [(12, 12), (9, 14), (1, 7), (7, 1)])
def test_the_value_and_the_path_are_tslearn_s(shape):
    x, y = tracks(0, *shape)
    path, cost = dtw_path(x, y)
    true_path, root = tslearn_dtw_path(x, y)
    assert path.tolist() == [list(cell) for cell in true_path]
    np.testing.assert_allclose([cost, dtw(x, y)], root**2, rtol=1e-9)


@pytest.mark.parametrize("radius", [0, 1, 4])
def test_a_square_band_is_tslearn_s(radius):
    x, y = tracks(1, 12, 12)
    truth = tslearn_dtw(x, y, global_constraint="sakoe_chiba", sakoe_chiba_radius=radius) ** 2
    np.testing.assert_allclose(dtw(x, y, band=radius), truth, rtol=1e-9)


@settings(max_examples=30)
@given(st.integers(1, 4), st.integers(1, 4), SEEDS, st.sampled_from([0.0, 0.5]))
def test_no_path_is_cheaper(n, m, seed, penalty):
    x, y = tracks(seed, n, m)
    np.testing.assert_allclose(dtw(x, y, penalty=penalty), least(squares(x, y), penalty), rtol=1e-9, atol=1e-12)


@given(SIZE, SIZE, SEEDS, st.sampled_from([0.0, 0.5]), st.floats(0, 15))
def test_a_path_goes_from_corner_to_corner_by_single_steps_inside_the_band_at_its_cost(n, m, seed, penalty, radius):
    x, y = tracks(seed, n, m)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        path, cost = dtw_path(x, y, band=radius, penalty=penalty)
        value = dtw(x, y, band=radius, penalty=penalty)
    assert path[0].tolist() == [0, 0]
    assert path[-1].tolist() == [n - 1, m - 1]
    assert set(map(tuple, np.diff(path, axis=0).tolist())) <= {(0, 1), (1, 0), (1, 1)}
    assert Window.sakoe_chiba(n, m, radius).contains()[path[:, 0], path[:, 1]].all()
    cells = [(int(i), int(j)) for i, j in path]
    np.testing.assert_allclose(cost, path_cost(cells, squares(x, y), penalty), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(cost, value)


@settings(max_examples=40)
@given(SIZE, SIZE, SEEDS, SKIPS, st.booleans(), st.booleans())
def test_with_skips_and_open_ends_the_path_is_that_of_the_definition(n, m, seed, skip, begin, end):
    costs = np.random.default_rng(seed).random((n, m))
    both = skip if isinstance(skip, tuple) else (skip, skip)
    sides = [None if one is None else np.full(k, one) for one, k in zip(both, (n, m), strict=True)]
    truth = reference.align(costs, 0.0, 0.1, *sides, open_begin=begin, open_end=end)
    path, value = dtw_path(cost=costs, penalty=0.1, skip=skip, open_begin=begin, open_end=end)
    np.testing.assert_allclose(value, truth.value, rtol=1e-9)
    np.testing.assert_array_equal(path, np.argwhere(truth.expected))


@given(SIZE, SEEDS)
def test_a_sequence_and_itself_go_together_frame_by_frame(n, seed):
    x, _ = tracks(seed, n, 1)
    path, cost = dtw_path(x, x)
    assert path.tolist() == [[i, i] for i in range(n)]
    assert cost == pytest.approx(0, abs=1e-12)


@given(SIZE, st.integers(1, 4), SEEDS)
def test_slowing_down_costs_nothing(n, times, seed):
    x, _ = tracks(seed, n, 1)
    assert dtw(x, np.repeat(x, times, axis=0)) == pytest.approx(0, abs=1e-12)


def test_a_penalty_is_paid_for_every_step_along_one_axis():
    assert dtw(np.zeros((3, 1)), np.zeros((7, 1)), penalty=0.25) == pytest.approx(4 * 0.25)


def test_a_frame_that_is_not_finite_is_named():
    x = np.zeros((4, 2))
    x[1, 0] = np.inf
    with pytest.raises(BadData, match="x is not finite in frame 1"):
        dtw_path(x, np.zeros((4, 2)))


def test_a_path_is_of_one_pair():
    with pytest.raises(BadData, match="a batch of items"):
        dtw_path(np.zeros((1, 4, 2)), np.zeros((1, 4, 2)))


def test_a_negative_penalty_is_refused_with_a_band_too():
    with pytest.raises(BadSetting, match="penalty is -1"):
        dtw_path(np.zeros((4, 2)), np.zeros((4, 2)), band=4, penalty=-1)


# A place inside a longer sequence


@pytest.mark.parametrize("seed", range(5))
def test_the_best_place_is_tslearn_s(seed):
    x, y = tracks(seed, 5, 30)
    path, root = dtw_subsequence_path(x, y)
    made = subsequence(x, y, gamma=0.0)
    assert (made.start, made.end) == (path[0][1], path[-1][1] + 1)
    np.testing.assert_allclose(made.value, root**2, rtol=1e-9)


def test_a_planted_copy_is_found():
    y = np.random.default_rng(0).normal(size=(60, 3))
    made = subsequence(y[20:35], y, gamma=0.01)
    assert (made.start, made.end) == (20, 35)
    assert isinstance(made.start, int)


def test_the_value_is_that_with_both_ends_open():
    x, y = tracks(3, 6, 20)
    truth = reference.align(squares(x, y), 0.3, open_begin=True, open_end=True).value
    np.testing.assert_allclose(subsequence(x, y, gamma=0.3).value, truth, rtol=1e-9)


def test_places_in_a_padded_batch_are_those_of_the_items():
    y = np.random.default_rng(1).normal(size=(2, 40, 2))
    x = np.full((2, 12, 2), np.nan)
    x[0, :8], x[1] = y[0, 5:13], y[1, 25:37]
    y[0, 30:] = np.nan
    made = subsequence(x, y, lengths_x=[8, 12], lengths_y=[30, 40], gamma=0.01)
    assert made.start.tolist() == [5, 25]
    assert made.end.tolist() == [13, 37]
    values = [soft_dtw(x[0, :8], y[0, :30], gamma=0.01, open_begin=True, open_end=True),
              soft_dtw(x[1], y[1], gamma=0.01, open_begin=True, open_end=True)]  # fmt: skip
    np.testing.assert_allclose(made.value, values, rtol=1e-9, atol=1e-12)


def test_where_all_is_skipped_there_is_no_place():
    made = subsequence(cost=np.full((3, 5), 9.0), skip=(0.1, None), gamma=0.0)
    assert (made.start, made.end) == (0, 0)
    assert made.value == pytest.approx(0.3)
