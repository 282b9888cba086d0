import tracemalloc

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from posediff.alignment import Window, align_costs
from posediff.alignment.costs import from_matrix, robust_mean
from posediff.alignment.diagonals import DiagonalAlignment, hard_path
from posediff.alignment.kernels import reference
from posediff.errors import BadSetting
from tests.alignment.paths import SEEDS, every_path, path_cost

SIZE = st.integers(1, 10)


def squares(seed: int, n: int, m: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 2)), rng.normal(size=(m, 2))
    return ((x[:, None] - y) ** 2).sum(axis=2)


def aligned(costs: np.ndarray, **settings: object) -> DiagonalAlignment:
    return align_costs(from_matrix(costs), settings.pop("window", Window.full(*costs.shape)), **settings)


@settings(max_examples=10)
@given(st.integers(1, 5), st.integers(1, 5), SEEDS)
def test_the_expected_alignment_is_the_derivative_of_the_value_by_the_costs(n, m, seed):
    costs, step = np.random.default_rng(seed).random((n, m)), 1e-5
    slopes = np.zeros((n, m))
    for cell in np.ndindex(n, m):
        nudge = np.zeros((n, m))
        nudge[cell] = step
        more, less = (aligned(costs + sign * nudge, gamma=0.4).value for sign in (1, -1))
        slopes[cell] = (more - less) / 2 / step
    np.testing.assert_allclose(aligned(costs, gamma=0.4).expected, slopes, atol=1e-6)


@settings(max_examples=25)
@given(st.integers(1, 4), st.integers(1, 4), SEEDS, st.sampled_from([0.05, 1.0]))
def test_mass_lead_and_spread_are_moments_of_the_paths_on_each_anti_diagonal(n, m, seed, gamma):
    costs = np.random.default_rng(seed).random((n, m))
    made = aligned(costs, gamma=gamma, penalty=0.1)
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


def test_without_the_matrix_everything_else_is_the_same():
    whole, lean = (aligned(squares(5, 9, 7), gamma=0.3, matrix=matrix) for matrix in (True, False))
    assert lean.expected is None
    for name in ("value", "mass", "lead", "spread"):
        np.testing.assert_array_equal(getattr(lean, name), getattr(whole, name))


# The curve


def test_the_curve_of_one_hard_path_goes_through_its_cells():
    # Steps: diagonal to (1, 1), along y to (1, 2), diagonal to (2, 3); half-way values between the cells.
    costs = np.ones((3, 4))
    for cell in ((0, 0), (1, 1), (1, 2), (2, 3)):
        costs[cell] = 0
    lead, spread = aligned(costs, gamma=0.0).curve()
    np.testing.assert_allclose(lead, [0, 0, 1 / 3, 2 / 3, 1, 1])
    assert spread[0] == 0


@given(SIZE, SIZE, SEEDS, st.sampled_from([0.05, 1.0, 20.0]), st.sampled_from([0.0, 0.5]))
def test_exchanging_the_sequences_changes_the_sign_of_the_lead_only(n, m, seed, gamma, penalty):
    costs = squares(seed, n, m)
    (lead, spread), (swapped, same) = (
        aligned(matrix, gamma=gamma, penalty=penalty).curve() for matrix in (costs, costs.T)
    )
    np.testing.assert_allclose(swapped, -lead, atol=1e-5)
    np.testing.assert_allclose(same, spread, atol=1e-3)


@given(st.integers(1, 30), SEEDS, st.floats(0, 10))
@example(18, 0, float(np.nextafter(2, 0)))  # a radius that rounding must not make wider in some rows
def test_exchanging_sequences_of_one_length_in_a_band_changes_the_sign_of_the_lead_only(n, seed, radius):
    costs = squares(seed, n, n)
    window = Window.sakoe_chiba(n, n, radius)
    one, other = (aligned(matrix, gamma=5.0, window=window).curve()[0] for matrix in (costs, costs.T))
    np.testing.assert_allclose(other, -one, atol=1e-5)


@given(st.integers(1, 30), SEEDS, st.sampled_from([0.05, 1.0, 20.0]))
def test_a_sequence_neither_leads_nor_lags_itself(n, seed, gamma):
    x = np.random.default_rng(seed).normal(size=n)
    np.testing.assert_allclose(aligned((x[:, None] - x) ** 2, gamma=gamma).curve()[0], 0, atol=1e-5)


def test_a_delay_is_found_as_the_lead():
    time = np.arange(80)
    x, y = (np.exp(-(((time - centre) / 6.0) ** 2)) for centre in (35, 40))
    lead, _ = aligned((x[:, None] - y) ** 2, gamma=1e-4, penalty=1e-4).curve()
    np.testing.assert_allclose(lead[70:81], 5, atol=0.2)


# The hard path


@settings(max_examples=30)
@given(SIZE, SIZE, SEEDS, st.sampled_from([0.0, 0.5]), st.floats(0, 10))
def test_the_hard_path_is_that_of_the_definition(n, m, seed, penalty, radius):
    costs, window = squares(seed, n, m), Window.sakoe_chiba(n, m, radius)
    path, value = hard_path(from_matrix(costs), window, penalty)
    truth = reference.align(np.where(window.contains(), costs, np.inf), 0.0, penalty)
    np.testing.assert_allclose(value, truth.value, rtol=1e-12)
    np.testing.assert_array_equal(path, np.argwhere(truth.expected))


# What is refused, and memory


@pytest.mark.parametrize("setting", ["gamma", "penalty"])
def test_negative_settings_are_refused(setting):
    with pytest.raises(BadSetting, match="is -1"):
        aligned(np.zeros((4, 4)), **{setting: -1})


@pytest.mark.parametrize("radius", [10, 40])
def test_memory_grows_with_the_length_times_the_width_of_the_window(radius):
    frames = 3000
    x, y = np.random.default_rng(0).normal(size=(2, frames, 1, 2))
    weights = np.ones((frames, 1))
    window = Window.sakoe_chiba(frames, frames, radius)
    tracemalloc.start()
    align_costs(robust_mean(x, y, weights, weights), window, matrix=False)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    steps = 2 * frames * 3 * (radius + 1) * np.dtype(np.float32).itemsize
    assert peak < steps + 2_000_000
