import numpy as np
import pytest

from posediff.compare import compare
from posediff.compare.smoothness import frame_response, jerk
from tests.fixtures.performances import perform, rearranged

MOMENTS = np.linspace(0, 1, 201)


def track(values):
    """(U, 1, 2) one joint that moves along x."""
    return np.stack([values, 0 * values], axis=1)[:, None]


def test_a_cubic_has_its_own_jerk_everywhere():
    found = jerk(track(MOMENTS**3), np.zeros(1), half=10)
    np.testing.assert_allclose(found.energy, (6 / 200**3) ** 2, rtol=1e-6)


def test_a_parabola_has_no_jerk():
    found = jerk(track(MOMENTS**2), np.zeros(1), half=10)
    np.testing.assert_allclose(found.energy, 0, atol=1e-24)


def test_the_peak_speed_of_a_line_is_its_speed():
    found = jerk(track(MOMENTS), np.zeros(1), half=10)
    np.testing.assert_allclose(found.peak, (1 / 200) ** 2)


@pytest.mark.parametrize("factor", [0.1, 30.0])
def test_log_dimensionless_jerk_does_not_depend_on_the_size(factor):
    wave = np.sin(2 * np.pi * MOMENTS)
    one, other = (jerk(track(f * wave), np.zeros(1), half=5).log_dimensionless(slice(None)) for f in (1.0, factor))
    np.testing.assert_allclose(one, other)


def test_log_dimensionless_jerk_of_a_sine_is_the_analytic_one():
    found = jerk(track(np.sin(2 * np.pi * MOMENTS)), np.zeros(1), half=3).log_dimensionless(slice(None))
    # jerk (2 pi)^3 cos, speed (2 pi) cos, over a duration of 1: mean square 1/2
    assert found[0] == pytest.approx(-np.log((2 * np.pi) ** 4 / 2), abs=0.06)


def test_a_joint_at_rest_has_no_smoothness():
    assert np.isnan(jerk(track(0 * MOMENTS), np.zeros(1), half=5).log_dimensionless(slice(None))).all()


def test_keypoint_noise_is_taken_off():
    clean = np.sin(2 * np.pi * MOMENTS)
    noisy = track(clean) + np.random.default_rng(0).normal(0, 0.01, (201, 1, 2))
    plain, told, untold = (
        jerk(values, np.array([noise]), half=15).log_dimensionless(slice(None))[0]
        for values, noise in ((track(clean), 0.0), (noisy, 0.01), (noisy, 0.0))
    )
    assert abs(told - plain) < abs(untold - plain)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_too_few_moments_have_no_jerk(count):
    found = jerk(track(MOMENTS[:count]), np.zeros(1), half=10)
    assert found.energy.shape == (count, 1)
    assert not found.energy.any()


def trembling(sequence, amplitude):
    """Elbows and wrists that shake up and down at 2.5 Hz, by a part of a metre."""
    keypoints = sequence.keypoints.copy()
    columns = [sequence.skeleton.index(f"{side}_{part}") for side in ("left", "right") for part in ("elbow", "wrist")]
    seconds = np.arange(len(sequence)) / sequence.fps
    keypoints[:, columns, 1] += amplitude * np.sin(2 * np.pi * 2.5 * seconds)[:, None]
    return rearranged(sequence, keypoints)


def test_shaking_lowers_smoothness_more_than_any_other_dimension():
    scores = compare(perform(), trembling(perform(), 0.05)).scores
    assert min(scores, key=scores.get) == "smoothness"
    assert scores["smoothness"] < 60


def test_more_shaking_is_less_smooth():
    found = [compare(perform(), trembling(perform(), size)).scores["smoothness"] for size in (0.0, 0.02, 0.05)]
    assert found == sorted(found, reverse=True)


@pytest.mark.parametrize("movement", ["squat", "swing", "dive"])
def test_equal_keypoint_noise_is_not_taken_for_shaking(movement):
    pair = perform(movement, noise=0.01, seed=1), perform(movement, noise=0.01, seed=2)
    assert compare(*pair).scores["smoothness"] > 90


@pytest.mark.parametrize("moments_a_frame", [1.0, 1.7, 3.0])
def test_the_jerk_that_noise_adds_is_known_after_smoothing_and_sampling_between_frames(moments_a_frame):
    weights = np.array([-3, 12, 17, 12, -3]) / 35  # Savitzky & Golay's parabola on five points
    noise = np.random.default_rng(0).normal(0, 0.1, (4000, 1))
    smoothed = np.convolve(noise[:, 0], weights, mode="same")
    moments = np.arange(0, len(smoothed) - 1, 1 / moments_a_frame)
    sampled = np.interp(moments, np.arange(len(smoothed)), smoothed)[:, None, None]
    found = jerk(sampled, np.array([0.1]), 12, frame_response(weights, moments_a_frame))
    assert found.noise[0] == pytest.approx(found.energy.mean(), rel=0.1)
