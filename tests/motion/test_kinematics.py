import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.motion.kinematics import (
    acceleration,
    log_dimensionless_jerk,
    longest_run,
    smoothness,
    speed,
    velocity,
)
from tests.fixtures.sequences import circle, point, standing, straight_line, with_missing, with_noise

#: Of x = 10 s^3 - 15 s^4 + 6 s^5: the integral of its squared jerk, 720, over its peak speed squared.
MINIMUM_JERK = -np.log(720 / (15 / 8) ** 2)


def minimum_jerk(samples=400):
    s = np.linspace(0, 1, samples)
    return (10 * s**3 - 15 * s**4 + 6 * s**5)[:, None]


@given(missing=st.sets(st.integers(0, 19), max_size=12))
@settings(max_examples=25, deadline=None)
def test_velocity_of_uniform_motion_is_exact_wherever_a_neighbour_is_there(missing):
    sequence = with_missing(straight_line(frames=20, velocity=(3.0, -1.0), fps=50), frames=missing)
    found = velocity(sequence)[:, 0]
    there = sequence.present[:, 0]
    neighbour = np.r_[there[1:], False] | np.r_[False, there[:-1]]
    np.testing.assert_array_equal(np.isfinite(found).all(axis=1), there & neighbour)
    np.testing.assert_allclose(found[there & neighbour], [[3.0, -1.0]] * int((there & neighbour).sum()), rtol=1e-4)


@pytest.mark.parametrize("rows", [slice(None), [0, 1, 3, 4, 8, 9, 10, 15]])
def test_velocity_and_acceleration_of_a_fall_go_by_time(rows):
    times = np.arange(16) / 25
    falling = point(np.stack([0 * times, 4.9 * times**2], axis=1)).select(rows)
    inner = slice(1, -1)
    np.testing.assert_allclose(velocity(falling)[inner, 0, 1], 9.8 * falling.times[inner], rtol=1e-4)
    np.testing.assert_allclose(acceleration(falling)[:, 0, 1], 9.8, rtol=1e-2)


def test_speed_on_a_circle_is_radius_times_angular_velocity():
    found = speed(circle(frames=100, radius=2.0, hertz=0.5, fps=100))
    np.testing.assert_allclose(found[1:-1, 0], 2.0 * np.pi, rtol=1e-3)


def test_acceleration_on_a_circle_points_inwards():
    sequence = circle(frames=100, radius=2.0, hertz=0.5, fps=100)
    expected = -(np.pi**2) * sequence.keypoints
    np.testing.assert_allclose(acceleration(sequence)[1:-1], expected[1:-1], atol=0.05)


def test_acceleration_beside_a_gap_is_that_of_the_neighbouring_frame():
    times = np.arange(10) / 25
    falling = with_missing(point(np.stack([times**2, times], axis=1)), frames=[3, 5])
    known = np.isfinite(acceleration(falling)[:, 0, 0])
    assert known.tolist() == [True, True, True, False, False, False, True, True, True, True]


@pytest.mark.parametrize("function", [velocity, acceleration])
@pytest.mark.parametrize("frames", [0, 1])
def test_less_than_two_frames_have_no_motion(function, frames):
    found = function(standing(frames=2).select(slice(0, frames)))
    assert found.shape == (frames, 16, 3)
    assert np.isnan(found).all()


def test_a_minimum_jerk_reach_has_its_known_smoothness():
    assert log_dimensionless_jerk(minimum_jerk()) == pytest.approx(MINIMUM_JERK, abs=0.01)


@given(scale=st.floats(0.01, 1000), shift=st.floats(-10, 10))
@settings(max_examples=20, deadline=None)
def test_smoothness_does_not_depend_on_amplitude_or_place(scale, shift):
    found = log_dimensionless_jerk(minimum_jerk(100) * scale + shift)
    assert found == pytest.approx(log_dimensionless_jerk(minimum_jerk(100)), abs=1e-3)


def test_smoothness_does_not_depend_on_direction():
    slanted = minimum_jerk(100) * [0.6, 0.0, 0.8]
    assert log_dimensionless_jerk(slanted) == pytest.approx(log_dimensionless_jerk(minimum_jerk(100)))


@pytest.mark.parametrize("samples", [40, 100, 1000])
def test_smoothness_hardly_depends_on_sampling_or_duration(samples):
    assert log_dimensionless_jerk(minimum_jerk(samples)) == pytest.approx(MINIMUM_JERK, abs=0.08)


def test_more_submovements_are_less_smooth():
    twice = np.concatenate([minimum_jerk(200), 1 + minimum_jerk(200)[1:]])
    assert log_dimensionless_jerk(twice) < log_dimensionless_jerk(minimum_jerk(399)) - 1


@pytest.mark.parametrize("track", [np.zeros((50, 2)), np.zeros((4, 2)), np.full((20, 2), np.nan), np.zeros((0, 2))])
def test_what_does_not_move_has_no_smoothness(track):
    assert np.isnan(log_dimensionless_jerk(track))


def test_smoothness_of_a_joint_is_that_of_its_longest_run():
    noisy = with_noise(circle(frames=100), 0.1)
    gappy = with_missing(noisy, frames=[20, 80])
    expected = log_dimensionless_jerk(noisy.keypoints[21:80, 0])
    assert smoothness(gappy)[0] == pytest.approx(expected)
    assert smoothness(noisy.select(np.delete(np.arange(100), [20, 80])))[0] == pytest.approx(expected)


def test_smoothness_of_all_joints_is_that_of_each():
    noisy = with_noise(standing(frames=60), 0.1)
    each = [log_dimensionless_jerk(noisy.joint(joint)) for joint in noisy.skeleton.joints]
    np.testing.assert_allclose(smoothness(noisy), each)


@given(st.lists(st.booleans(), max_size=20))
@settings(max_examples=40, deadline=None)
def test_the_longest_run_is_the_longest_word_of_presence(there):
    track = np.where(there, np.arange(len(there), dtype=float), np.nan)[:, None]
    words = "".join("x" if known else " " for known in there).split()
    assert len(longest_run(track)) == max(map(len, words), default=0)
    assert np.isfinite(longest_run(track)).all()
