import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tslearn.metrics import soft_dtw as tslearn_soft_dtw
from tslearn.metrics import soft_dtw_alignment

from posediff.alignment import Window, align_costs, soft_alignment, soft_dtw, soft_dtw_divergence
from posediff.alignment.costs import from_matrix
from posediff.errors import BadData, BadSetting
from tests.alignment.paths import SEEDS, every_path, gibbs, path_cost

SIZE = st.integers(1, 10)
GAMMAS = st.sampled_from([0.0, 0.05, 1.0, 20.0])
FUNCTIONS = pytest.mark.parametrize("function", [soft_dtw, soft_dtw_divergence, soft_alignment])


def tracks(seed: int, n: int, m: int, features: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, features)), rng.normal(size=(m, features))


def squares(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return ((x[:, None] - y) ** 2).sum(axis=2)


# The value


@pytest.mark.parametrize("shape", [(12, 12), (9, 14), (1, 7), (7, 1), (1, 1)])
@pytest.mark.parametrize("gamma", [0.01, 1.0, 10.0])
def test_the_value_is_tslearn_s(shape, gamma):
    x, y = tracks(0, *shape)
    np.testing.assert_allclose(soft_dtw(x, y, gamma=gamma), tslearn_soft_dtw(x, y, gamma=gamma), rtol=1e-9)


@settings(max_examples=25)
@given(st.integers(1, 4), st.integers(1, 4), SEEDS, st.sampled_from([1e-3, 1.0]), st.floats(0, 3))
def test_the_value_is_that_of_all_paths_inside_the_band(n, m, seed, gamma, band):
    x, y = tracks(seed, n, m)
    costs = np.where(Window.sakoe_chiba(n, m, band).contains(), squares(x, y), np.inf)
    value = soft_dtw(x, y, gamma=gamma, band=band, penalty=0.2)
    np.testing.assert_allclose(value, gibbs(costs, gamma, 0.2)[0], rtol=1e-9, atol=1e-9)


@given(SIZE, SIZE, SEEDS, GAMMAS)
def test_the_value_does_not_depend_on_the_order_of_the_two(n, m, seed, gamma):
    x, y = tracks(seed, n, m)
    np.testing.assert_allclose(soft_dtw(x, y, gamma=gamma), soft_dtw(y, x, gamma=gamma), rtol=1e-9, atol=1e-12)


@given(SIZE, SIZE, SEEDS)
def test_the_value_does_not_depend_on_where_both_are(n, m, seed):
    x, y = tracks(seed, n, m)
    np.testing.assert_allclose(soft_dtw(x + 1e5, y + 1e5, gamma=0.01), soft_dtw(x, y, gamma=0.01), atol=1e-6)


@given(SIZE, SIZE, SEEDS)
def test_softness_only_lowers_the_value(n, m, seed):
    x, y = tracks(seed, n, m)
    values = [soft_dtw(x, y, gamma=gamma) for gamma in (0.0, 0.1, 1.0, 10.0)]
    assert (np.diff(values) <= 1e-12).all()


# The divergence


@given(SIZE, SEEDS, GAMMAS)
def test_the_divergence_of_a_sequence_from_itself_is_zero(n, seed, gamma):
    x, _ = tracks(seed, n, 1)
    assert soft_dtw_divergence(x, x, gamma=gamma) == 0


@given(SIZE, SIZE, SEEDS, st.sampled_from([0.05, 1.0, 20.0]))
def test_the_divergence_is_positive_and_symmetric(n, m, seed, gamma):
    x, y = tracks(seed, n, m)
    one, other = soft_dtw_divergence(x, y, gamma=gamma), soft_dtw_divergence(y, x, gamma=gamma)
    assert one > 0
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("shape", [(6, 6), (5, 9)])
def test_the_divergence_is_made_of_three_values_of_tslearn(shape):
    x, y = tracks(1, *shape)
    cross, own_x, own_y = (tslearn_soft_dtw(a, b, gamma=0.5) for a, b in ((x, y), (x, x), (y, y)))
    np.testing.assert_allclose(soft_dtw_divergence(x, y, gamma=0.5), cross - (own_x + own_y) / 2, rtol=1e-9)


# The expected alignment


@pytest.mark.parametrize("shape", [(8, 8), (5, 9)])
def test_the_expected_alignment_is_tslearn_s(shape):
    x, y = tracks(2, *shape)
    truth, value = soft_dtw_alignment(x, y, gamma=0.7)
    made = soft_alignment(x, y, gamma=0.7)
    np.testing.assert_allclose(made.expected, truth, atol=1e-6)
    np.testing.assert_allclose(made.value, value, rtol=1e-9)


@settings(max_examples=10)
@given(st.integers(1, 5), st.integers(1, 5), SEEDS)
def test_the_expected_alignment_is_the_derivative_of_the_value_by_the_costs(n, m, seed):
    costs, step = np.random.default_rng(seed).random((n, m)), 1e-5
    window = Window.full(n, m)
    slopes = np.zeros((n, m))
    for cell in np.ndindex(n, m):
        nudge = np.zeros((n, m))
        nudge[cell] = step
        more, less = (align_costs(from_matrix(costs + sign * nudge), window, gamma=0.4).value for sign in (1, -1))
        slopes[cell] = (more - less) / 2 / step
    np.testing.assert_allclose(align_costs(from_matrix(costs), window, gamma=0.4).expected, slopes, atol=1e-6)


@settings(max_examples=25)
@given(st.integers(1, 4), st.integers(1, 4), SEEDS, st.sampled_from([0.05, 1.0]))
def test_mass_lead_and_spread_are_moments_of_the_paths_on_each_anti_diagonal(n, m, seed, gamma):
    costs = np.random.default_rng(seed).random((n, m))
    made = align_costs(from_matrix(costs), Window.full(n, m), gamma=gamma, penalty=0.1)
    paths = list(every_path(n, m))
    weights = np.exp(-np.array([path_cost(path, costs, 0.1) for path in paths]) / gamma)
    weights /= weights.sum()
    for d in range(n + m - 1):
        leads = [(j - i, w) for path, w in zip(paths, weights, strict=True) for i, j in path if i + j == d]
        mass = sum(w for _, w in leads)
        mean = sum(lead * w for lead, w in leads) / mass
        spread = np.sqrt(sum((lead - mean) ** 2 * w for lead, w in leads) / mass)
        np.testing.assert_allclose([made.mass[d], made.lead[d]], [mass, mean], atol=1e-5)
        np.testing.assert_allclose(made.spread[d], spread, atol=1e-3)


def test_weights_of_one_give_the_mean_over_features():
    x, y = tracks(3, 6, 8, features=4)
    weighted = soft_alignment(x, y, weights=(np.ones_like(x), np.ones_like(y)), gamma=0.3)
    plain = soft_alignment(x / 2, y / 2, gamma=0.3)
    np.testing.assert_allclose(weighted.value, plain.value, rtol=1e-9)
    np.testing.assert_allclose(weighted.expected, plain.expected, atol=1e-6)


def test_a_feature_without_weight_does_not_count():
    x, y = tracks(4, 6, 8)
    wild = np.concatenate([x, np.full((6, 1), 1e6)], axis=1), np.concatenate([y, np.zeros((8, 1))], axis=1)
    weights = tuple(np.concatenate([np.ones_like(v), np.zeros((len(v), 1))], axis=1) for v in (x, y))
    made = soft_alignment(*wild, weights=weights, gamma=0.3)
    np.testing.assert_allclose(made.value, soft_alignment(x / np.sqrt(2), y / np.sqrt(2), gamma=0.3).value, rtol=1e-9)


def test_without_the_matrix_everything_else_is_the_same():
    x, y = tracks(5, 9, 7)
    whole, lean = (soft_alignment(x, y, gamma=0.3, matrix=matrix) for matrix in (True, False))
    assert lean.expected is None
    for name in ("value", "mass", "lead", "spread"):
        np.testing.assert_array_equal(getattr(lean, name), getattr(whole, name))


# The curve


def test_the_curve_of_one_hard_path_goes_through_its_cells():
    # Steps: diagonal to (1, 1), along y to (1, 2), diagonal to (2, 3); half-way values between the cells.
    costs = np.ones((3, 4))
    for cell in ((0, 0), (1, 1), (1, 2), (2, 3)):
        costs[cell] = 0
    lead, spread = align_costs(from_matrix(costs), Window.full(3, 4), gamma=0.0).curve()
    np.testing.assert_allclose(lead, [0, 0, 1 / 3, 2 / 3, 1, 1])
    assert spread[0] == 0


@given(SIZE, SIZE, SEEDS, st.sampled_from([0.05, 1.0, 20.0]), st.sampled_from([0.0, 0.5]))
def test_exchanging_the_sequences_changes_the_sign_of_the_lead_only(n, m, seed, gamma, penalty):
    x, y = tracks(seed, n, m)
    (lead, spread), (swapped, same) = (
        soft_alignment(*pair, gamma=gamma, penalty=penalty).curve() for pair in ((x, y), (y, x))
    )
    np.testing.assert_allclose(swapped, -lead, atol=1e-5)
    np.testing.assert_allclose(same, spread, atol=1e-3)


@given(st.integers(1, 30), SEEDS, st.floats(0, 10))
@example(18, 0, float(np.nextafter(2, 0)))  # a radius that rounding must not make wider in some rows
def test_exchanging_sequences_of_one_length_in_a_band_changes_the_sign_of_the_lead_only(n, seed, radius):
    x, y = tracks(seed, n, n)
    window = Window.sakoe_chiba(n, n, radius)
    one, other = (soft_alignment(*pair, gamma=5.0, window=window).curve()[0] for pair in ((x, y), (y, x)))
    np.testing.assert_allclose(other, -one, atol=1e-5)


@given(st.integers(1, 30), SEEDS, st.sampled_from([0.05, 1.0, 20.0]))
def test_a_sequence_neither_leads_nor_lags_itself(n, seed, gamma):
    x, _ = tracks(seed, n, 1)
    np.testing.assert_allclose(soft_alignment(x, x, gamma=gamma).curve()[0], 0, atol=1e-5)


def test_a_delay_is_found_as_the_lead():
    time = np.arange(80)
    x, y = (np.exp(-(((time - centre) / 6.0) ** 2))[:, None] for centre in (35, 40))
    lead, _ = soft_alignment(x, y, gamma=1e-4, penalty=1e-4).curve()
    np.testing.assert_allclose(lead[70:81], 5, atol=0.2)


# What is refused


@FUNCTIONS
def test_a_frame_that_is_not_finite_is_named(function):
    y = np.zeros((5, 2))
    y[3, 0] = np.nan
    with pytest.raises(BadData, match="y is not finite in frame 3"):
        function(np.zeros((4, 2)), y)


@FUNCTIONS
@pytest.mark.parametrize("setting", ["gamma", "penalty"])
def test_negative_settings_are_refused(function, setting):
    with pytest.raises(BadSetting, match="is -1"):
        function(np.zeros((4, 2)), np.zeros((4, 2)), **{setting: -1})


@pytest.mark.parametrize("setting", ["gamma", "penalty"])
def test_negative_settings_are_refused_with_a_window_too(setting):
    with pytest.raises(BadSetting, match="is -1"):
        soft_alignment(np.zeros((4, 2)), np.zeros((4, 2)), window=Window.full(4, 4), **{setting: -1})


def test_a_window_for_other_sequences_is_refused():
    with pytest.raises(BadSetting, match="the window is for 4 and 5 frames"):
        soft_alignment(np.zeros((5, 2)), np.zeros((4, 2)), window=Window.full(4, 5))


def test_weights_that_fit_the_other_sequence_are_refused():
    x, y = tracks(0, 3, 4)
    with pytest.raises(BadData, match=r"weights have shape \(4, 2\)"):
        soft_alignment(x, y, weights=(np.ones_like(y), np.ones_like(x)))


# Memory


@pytest.mark.parametrize("radius", [10, 40])
def test_memory_grows_with_the_length_times_the_width_of_the_window(radius):
    frames = 3000
    x, y = tracks(0, frames, frames)
    window = Window.sakoe_chiba(frames, frames, radius)
    tracemalloc.start()
    soft_alignment(x, y, weights=(np.ones_like(x), np.ones_like(y)), window=window, matrix=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    steps = 2 * frames * 3 * (radius + 1) * np.dtype(np.float32).itemsize
    assert peak < steps + 2_000_000
