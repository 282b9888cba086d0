import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp, softmax

from posediff.alignment.kernels import softmin

VALUE = st.floats(-50, 50) | st.just(np.inf)
GAMMA = st.sampled_from([0.01, 1.0, 30.0])


def truth(values, gamma: float) -> tuple[float, np.ndarray]:
    values = np.array(values)
    if np.isinf(values).all():
        return np.inf, np.zeros(len(values))
    return -gamma * logsumexp(-values / gamma), softmax(-values / gamma)


@given(st.lists(VALUE, min_size=1, max_size=6), GAMMA)
def test_a_soft_minimum_and_its_shares_are_scipy_s(values, gamma):
    shares = np.array(values)
    value = softmin.softmin(shares, gamma)
    expected, expected_shares = truth(values, gamma)
    assert value == pytest.approx(expected, rel=1e-12, abs=1e-12)
    np.testing.assert_allclose(shares, expected_shares, rtol=1e-9, atol=1e-300)


@given(VALUE, VALUE, VALUE, VALUE, GAMMA)
def test_those_of_two_three_and_four_are_scipy_s(a, b, c, d, gamma):
    two, shares_of_two = softmin.two(a, b, gamma)
    three, *shares_of_three = softmin.three(a, b, c, gamma)
    four, shares_of_four = softmin.four(a, b, c, d, gamma)
    found = (two, shares_of_two), (three, shares_of_three), (four, shares_of_four)
    for (value, shares), values in zip(found, ((a, b), (a, b, c), (a, b, c, d)), strict=True):
        expected, expected_shares = truth(values, gamma)
        assert value == pytest.approx(expected, rel=1e-12, abs=1e-12)
        np.testing.assert_allclose(shares, expected_shares, rtol=1e-9, atol=1e-300)


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=2), st.lists(st.floats(-3, 3), min_size=2, max_size=2))
def test_shares_change_as_finite_differences_say(values, moves):
    values, moves, step = np.array(values), np.array(moves), 1e-5
    ahead, behind = truth(values + step * moves, 0.7), truth(values - step * moves, 0.7)
    slope, slopes = (ahead[0] - behind[0]) / 2 / step, (ahead[1] - behind[1]) / 2 / step
    drift = np.zeros(2)
    assert softmin.mix(*moves, truth(values, 0.7)[1], drift, 0.7) == pytest.approx(slope, abs=1e-8)
    np.testing.assert_allclose(drift, slopes, atol=1e-8)
    turned = moves.copy()
    softmin.turn(truth(values, 0.7)[1], turned, 0.7)
    np.testing.assert_allclose(turned, slopes, atol=1e-8)
