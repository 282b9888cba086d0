import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.annotate.footage.numbering import FINEST, TOLERANCE, number_frames

INTERVALS = st.lists(st.floats(0.002, 2.0), min_size=1, max_size=60)


@pytest.mark.parametrize("rate", [5, 24, 24000 / 1001, 25, 30000 / 1001, 30, 31.7, 50, 60, 240, 1000])
def test_frames_at_a_constant_rate_are_counted(rate):
    fps, numbers = number_frames(np.arange(300) / rate)
    assert fps == pytest.approx(rate, rel=1e-3)
    np.testing.assert_array_equal(numbers, np.arange(300))


@pytest.mark.parametrize("rate", [24000 / 1001, 30000 / 1001, 59.94])
def test_time_stamps_in_milliseconds_do_not_hide_the_rate(rate):
    fps, numbers = number_frames(np.round(np.arange(20_000) / rate, 3))
    assert fps == pytest.approx(rate, rel=1e-5)
    np.testing.assert_array_equal(numbers, np.arange(20_000))


def test_a_rate_that_the_container_claims_wrongly_is_not_believed():
    fps, numbers = number_frames(np.arange(2000) / 24.0, [25.0])
    assert fps == 24
    np.testing.assert_array_equal(numbers, np.arange(2000))


def test_a_rate_that_the_container_claims_rightly_wins_over_its_neighbours():
    assert number_frames(np.arange(20) / 29.97, [29.97])[0] == 29.97


@pytest.mark.parametrize("dropped", [[3], [5, 6, 7], [1, 4, 9, 13, 18]])
def test_the_numbers_of_dropped_frames_are_left_out(dropped):
    kept = np.delete(np.arange(40), dropped)
    fps, numbers = number_frames(kept / 30, [28.1])
    assert fps == 30
    np.testing.assert_array_equal(numbers, kept)


def test_jitter_of_a_fifth_of_a_frame_is_a_constant_rate_still():
    jitter = np.random.default_rng(0).uniform(-0.2, 0.2, 100)
    jitter[0] = 0
    fps, numbers = number_frames((np.arange(100) + jitter) / 30, [30.0])
    assert fps == 30
    np.testing.assert_array_equal(numbers, np.arange(100))


@given(INTERVALS)
def test_every_frame_keeps_its_time_to_within_half_a_step_and_has_a_number_of_its_own(intervals):
    times = np.concatenate([[0.0], np.cumsum(intervals)])
    fps, numbers = number_frames(times)
    assert numbers[0] == 0
    assert (np.diff(numbers) > 0).all()
    assert np.abs(numbers / fps - times).max() <= 0.5 / fps + 1e-9


@given(INTERVALS)
def test_times_are_kept_to_a_quarter_of_the_usual_distance_between_frames(intervals):
    times = np.concatenate([[0.0], np.cumsum(intervals)])
    fps, numbers = number_frames(times)
    assert np.abs(numbers / fps - times).max() <= 1.1 * TOLERANCE * np.median(intervals) + 1e-9


def test_a_varying_rate_gets_the_coarsest_grid_that_tells_its_frames_apart():
    steps = np.array([0, 6, 12, 20, 24, 30, 37, 42])
    assert number_frames(steps / 150)[0] == 50
    # A 30th of a second is the usual distance now; halves of it do not tell 24 from 25 hundred-and-fiftieths.
    assert number_frames(np.sort([*steps, 22, 25]) / 150)[0] == pytest.approx(90, rel=0.01)


def test_frames_that_are_too_near_follow_one_another():
    fps, numbers = number_frames(np.array([0.0, 0.1, 0.10001, 0.10002, 0.2, 0.3]))
    assert fps == FINEST
    assert numbers.tolist() == [0, 100, 101, 102, 200, 300]


def test_a_single_frame_has_the_rate_that_is_claimed():
    assert number_frames(np.zeros(1), [50.0]) == (50.0, np.zeros(1))
    assert number_frames(np.zeros(1), [0.0])[0] == 25.0


@pytest.mark.parametrize("absurd", [0.0, -25.0, float("nan"), float("inf"), 1e9])
def test_an_absurd_claim_is_passed_over(absurd):
    fps, numbers = number_frames(np.arange(10) / 25, [absurd])
    assert fps == 25
    assert numbers.tolist() == list(range(10))
