import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tslearn.metrics import dtw as tslearn_dtw
from tslearn.metrics import dtw_path as tslearn_dtw_path

from posediff.alignment import Window, dtw, dtw_path
from posediff.errors import BadData, BadSetting
from tests.alignment.paths import SEEDS, least, path_cost

SIZE = st.integers(1, 15)


def tracks(seed: int, n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)), rng.normal(size=(m, 2))


def squares(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return ((x[:, None] - y) ** 2).sum(axis=2)


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
def test_a_path_goes_from_corner_to_corner_by_single_steps_inside_the_window_at_its_cost(n, m, seed, penalty, radius):
    x, y = tracks(seed, n, m)
    window = Window.sakoe_chiba(n, m, radius)
    path, cost = dtw_path(x, y, window=window, penalty=penalty)
    assert path[0].tolist() == [0, 0]
    assert path[-1].tolist() == [n - 1, m - 1]
    assert set(map(tuple, np.diff(path, axis=0).tolist())) <= {(0, 1), (1, 0), (1, 1)}
    assert window.contains()[path[:, 0], path[:, 1]].all()
    cells = [(int(i), int(j)) for i, j in path]
    np.testing.assert_allclose(cost, path_cost(cells, squares(x, y), penalty), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(cost, dtw(x, y, band=radius, penalty=penalty))


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


def test_a_negative_penalty_is_refused_with_a_window_too():
    with pytest.raises(BadSetting, match="penalty is -1"):
        dtw_path(np.zeros((4, 2)), np.zeros((4, 2)), window=Window.full(4, 4), penalty=-1)


def test_a_window_for_other_sequences_is_refused():
    with pytest.raises(BadSetting, match="the window is for 5 and 4 frames"):
        dtw_path(np.zeros((4, 2)), np.zeros((5, 2)), window=Window.full(5, 4))
