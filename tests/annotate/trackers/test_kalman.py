import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from posediff.annotate.trackers.kalman import (
    KEPT,
    Noise,
    begin,
    corners,
    lengths,
    log_likelihood,
    measured,
    predict,
    smooth,
    update,
)

side = st.floats(1, 1000)
place = st.floats(-1000, 1000)


@given(place, place, side, side)
def test_corners_come_back_from_centre_and_log_size(x, y, width, height):
    box = np.array([x, y, x + width, y + height])
    np.testing.assert_allclose(corners(measured(box)), box, atol=1e-6)


def test_the_unit_of_a_side_lies_between_the_side_and_the_root_of_the_area():
    unit = lengths(np.array([0, 0, np.log(100.0), np.log(400.0)]))
    np.testing.assert_allclose(unit, [np.sqrt(100 * 200), np.sqrt(400 * 200), 1, 1])


@given(st.floats(0.1, 5), st.floats(0.1, 5))
def test_two_predictions_are_one_over_both_times(one, other):
    before = begin(np.array([1.0, 2, 3, 4]), np.array([0.5, -1, 0.2, 0.3]), np.ones(4), np.full(4, 0.4))
    push = np.full(4, 0.3)
    twice, once = predict(predict(before, one, push), other, push), predict(before, one + other, push)
    np.testing.assert_allclose(twice.mean, once.mean)
    np.testing.assert_allclose(twice.covariance[:2], once.covariance[:2])


def test_a_body_does_not_grow_for_ever():
    before = begin(np.zeros(4), np.ones(4), np.ones(4), np.ones(4))
    grown = predict(before, 1000.0, np.zeros(4)).mean[:, 0]
    np.testing.assert_allclose(grown, [1000, 1000, -1 / np.log(KEPT), -1 / np.log(KEPT)])


def test_a_measurement_is_weighed_by_its_certainty():
    before = begin(np.zeros(4), np.zeros(4), np.full(4, 3.0), np.ones(4))
    after = update(before, np.array([10.0, np.nan, 10, 10]), np.array([4.0, 4, 1e-9, 1e9]))
    np.testing.assert_allclose(after.mean[:, 0], [10 * 9 / 25, 0, 10, 0], atol=1e-6)
    np.testing.assert_allclose(after.covariance[:, 0, 0], [9 * 16 / 25, 9, 0, 9], atol=1e-6)


def test_the_likelihood_is_that_of_the_normal_distribution():
    before = begin(np.zeros(4), np.zeros(4), np.full(4, 3.0), np.ones(4))
    found = log_likelihood(before, np.array([1.0, 2, 3, 4]), np.full(4, 4.0))
    np.testing.assert_allclose(found, norm.logpdf([1, 2, 3, 4], scale=5))


@pytest.mark.parametrize("missing", [[], [3], [1, 2, 6]])
def test_smoothing_gives_the_mean_of_the_joint_normal_distribution(missing):
    """The truth conditions the joint distribution of all places on the measured ones, without any recursion."""
    rng, count, noise = np.random.default_rng(0), 8, Noise(0.05, 0.1, 0.02, 0.05)
    values = np.column_stack([rng.normal(50, 5, (count, 2)).cumsum(axis=0), np.full((count, 2), np.log(100.0))])
    values[missing] = np.nan
    smoothed = smooth(values, np.ones(count - 1), np.ones(count), [noise])
    known = np.setdiff1d(np.arange(count), missing)
    time = np.arange(count)
    early = np.minimum(time[:, None], time[None])
    late = np.maximum(time[:, None], time[None])
    pushes = early**2 * (3 * late - early) / 6  # covariance of integrated Brownian motion
    prior = 100.0**2 * (1 + 0.25 * np.outer(time, time) + noise.push**2 * pushes)
    evidence = prior[np.ix_(known, known)] + np.eye(len(known)) * (noise.place * 100) ** 2
    first = values[known[0], 0]
    expected = first + prior[:, known] @ np.linalg.solve(evidence, values[known, 0] - first)
    np.testing.assert_allclose(smoothed[:, 0], expected, rtol=1e-6)


def test_noise_is_told_from_motion():
    """Jitter on a still box is smoothed away; the same changes as a slow wave are kept."""
    rng, count = np.random.default_rng(1), 60
    choices = [Noise(0.01, 0.02, 0.001, 0.002), Noise(0.01, 0.02, 0.05, 0.1), Noise(0.08, 0.16, 0.001, 0.002)]
    still = np.tile([200.0, 100, np.log(80), np.log(120)], (count, 1))
    jitter = still + rng.normal(0, [8, 8, 0.1, 0.1], (count, 4))
    wave = still + np.sin(np.arange(count) / 5)[:, None] * [25, 25, 0.3, 0.3]
    smoothed = [smooth(values, np.ones(count - 1), np.ones(count), choices) for values in (jitter, wave)]
    assert np.abs(smoothed[0] - still).mean() < 0.35 * np.abs(jitter - still).mean()
    assert np.abs(smoothed[1] - wave).mean() < 0.05 * np.abs(wave - still).mean()
