import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.alignment.costs import diagonal_slice, from_matrix
from posediff.alignment.kernels import diagonal, reference
from posediff.alignment.window import Window
from tests.alignment.paths import SEEDS, gibbs

SIZE = st.integers(1, 14)
GAMMAS = st.sampled_from([0.0, 1e-3, 0.1, 1.0, 100.0, 1e6])
PENALTIES = st.sampled_from([0.0, 0.05, 3.0])


def both_ways(costs: np.ndarray, window: Window, gamma: float, penalty: float) -> tuple[float, np.ndarray]:
    """Value and expected alignment by the kernel."""
    value, steps = diagonal.forward(from_matrix(costs), window, gamma, penalty)
    expected = np.zeros(costs.size)

    def visit(d: int, first: int, end: int, run: np.ndarray) -> None:
        expected[diagonal_slice(d, first, end, costs.shape[1])] = run

    diagonal.backward(steps, window, visit)
    return value, expected.reshape(costs.shape)


@settings(max_examples=120)
@given(SIZE, SIZE, SEEDS, GAMMAS, PENALTIES, st.none() | st.floats(0, 15))
def test_the_kernel_gives_the_numbers_of_the_definition(n, m, seed, gamma, penalty, radius):
    costs = np.random.default_rng(seed).random((n, m))
    window = Window.full(n, m) if radius is None else Window.sakoe_chiba(n, m, radius)
    value, expected = both_ways(costs, window, gamma, penalty)
    true_value, true_expected = reference.soft_dtw(np.where(window.contains(), costs, np.inf), gamma, penalty)
    np.testing.assert_allclose(value, true_value, rtol=1e-11)
    np.testing.assert_allclose(expected, true_expected, atol=1e-5)
    assert (expected[~window.contains()] == 0).all()


@settings(max_examples=60)
@given(SIZE, SIZE, SEEDS, st.floats(0, 4), st.sampled_from([0.0, 0.1]))
def test_windows_around_any_curve_give_the_numbers_of_the_definition(n, m, seed, radius, gamma):
    rng = np.random.default_rng(seed)
    costs = rng.random((n, m))
    window = Window.around(n, m, rng.uniform(-3, m + 3, n), radius)
    value, expected = both_ways(costs, window, gamma, 0.1)
    true_value, true_expected = reference.soft_dtw(np.where(window.contains(), costs, np.inf), gamma, 0.1)
    np.testing.assert_allclose(value, true_value, rtol=1e-11)
    np.testing.assert_allclose(expected, true_expected, atol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 1e6])
def test_small_gamma_loses_no_digits(scale):
    rng = np.random.default_rng(3)
    # Costs so close to one another that every path counts, on a level that is huge beside gamma.
    costs = scale + 1e-3 * rng.random((4, 5))
    value, expected = both_ways(costs, Window.full(4, 5), 1e-3, 0.0)
    true_value, true_expected = gibbs(costs, 1e-3)
    np.testing.assert_allclose(value, true_value, rtol=1e-14)
    np.testing.assert_allclose(expected, true_expected, atol=1e-6)


@pytest.mark.parametrize("gamma", [1e-12, 1e-3])
def test_gamma_may_be_tiny_beside_the_costs(gamma):
    costs = np.random.default_rng(4).random((30, 20)) * 1e9
    value, expected = both_ways(costs, Window.full(30, 20), gamma, 0.0)
    np.testing.assert_allclose(value, reference.soft_dtw(costs, 0.0)[0], rtol=1e-12)
    np.testing.assert_allclose(expected, reference.soft_dtw(costs, 0.0)[1])


def test_the_three_steps_into_a_cell_share_out_its_probability():
    window = Window.sakoe_chiba(9, 12, 2)
    _, steps = diagonal.forward(from_matrix(np.random.default_rng(5).random((9, 12))), window, 0.3, 0.0)
    firsts, ends = window.diagonals()
    for d, width in enumerate(ends - firsts):
        np.testing.assert_allclose(steps[d, :, :width].sum(axis=0), 1.0, rtol=1e-6)
        assert (steps[d, :, width:] == 0).all()


def test_steps_take_memory_for_the_window_and_not_for_the_matrix():
    frames, radius = 3000, 20
    window = Window.sakoe_chiba(frames, frames, radius)
    _, steps = diagonal.forward(lambda d, first, end: np.zeros(end - first), window, 1.0, 0.0)
    assert steps.shape == (2 * frames - 1, 3, radius + 1)
    assert steps.dtype == np.float32
