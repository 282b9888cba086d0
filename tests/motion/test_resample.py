import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.errors import BadData, BadSetting
from posediff.motion.resample import resample, sample_track
from posediff.sequence import Stage, Status
from tests.fixtures.sequences import circle, point, straight_line, with_missing


@pytest.mark.parametrize("fps", [10.0, 24.0, 29.97, 50.0, 1000.0])
def test_uniform_motion_is_the_same_at_every_rate(fps):
    found = resample(straight_line(frames=40, velocity=(3.0, -2.0), fps=25), fps=fps)
    np.testing.assert_allclose(found.keypoints[:, 0], found.times[:, None] * [3.0, -2.0], atol=1e-5)


def test_a_circle_is_followed_to_third_order():
    def error(fps):
        found = resample(circle(frames=round(2 * fps), fps=fps, radius=1.0), fps=240.0)
        inner = (found.times > 0.2) & (found.times < 1.7)
        truth = np.exp(2j * np.pi * found.times)
        return np.abs(found.keypoints[:, 0, 0] + 1j * found.keypoints[:, 0, 1] - truth)[inner].max()

    assert error(25) < 0.002
    assert error(50) < error(25) / 6


@pytest.mark.parametrize("setting", [{"fps": 25.0}, {"frames": 12}])
def test_its_own_rate_gives_the_sequence_itself(setting):
    sequence = circle(frames=12)
    assert resample(sequence, **setting) is sequence


@given(fps=st.floats(5, 200), start=st.integers(0, 1000), count=st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_time_keeps_its_origin_and_nothing_lies_outside(fps, start, count):
    sequence = straight_line(frames=count).replace(frames=np.arange(start, start + count))
    found = resample(sequence, fps=fps)
    slack = 0.5 / fps + 1e-6 if len(found) == 1 else 1e-6
    assert found.fps == fps
    assert found.times[0] >= sequence.times[0] - slack
    assert found.times[-1] <= sequence.times[-1] + slack
    assert found.times[-1] > sequence.times[-1] - 1 / fps - 1e-6
    assert found.present.all()


def test_samples_that_fall_on_frames_are_these_frames_bit_for_bit():
    sequence = circle(frames=20, scores=np.random.default_rng(0).random((20, 1)))
    twice = resample(sequence, fps=50.0)
    np.testing.assert_array_equal(twice.keypoints[::2], sequence.keypoints)
    np.testing.assert_array_equal(twice.scores[::2], sequence.scores)


def test_nothing_is_made_up_beside_a_missing_frame():
    twice = resample(with_missing(circle(frames=6), frames=[2]), fps=50.0)
    assert np.flatnonzero(~twice.present[:, 0]).tolist() == [3, 4, 5]


def test_an_absent_frame_number_is_a_missing_frame():
    sequence = circle(frames=6).select(np.array([0, 1, 3, 4, 5]))
    twice = resample(sequence, fps=50.0)
    assert np.flatnonzero(~twice.present[:, 0]).tolist() == [3, 4, 5]


def test_between_keypoints_that_are_not_both_measured_it_is_interpolated():
    status = np.array([[1], [3], [2], [1]])
    twice = resample(straight_line(frames=4, status=status), fps=50.0)
    assert twice.status[:, 0].tolist() == [1, Status.MEASURED, 3, Status.INTERPOLATED, 2, Status.INTERPOLATED, 1]


def test_scores_and_boxes_are_linear():
    boxes = np.array([[0, 0, 10, 10], [2, 4, 12, 14.0]])
    found = resample(straight_line(frames=2, fps=10, scores=np.array([[0.2], [0.6]]), boxes=boxes), fps=40.0)
    np.testing.assert_allclose(found.scores[:, 0], [0.2, 0.3, 0.4, 0.5, 0.6], atol=1e-6)
    np.testing.assert_allclose(found.boxes[1], [0.5, 1, 10.5, 11])


def test_stages_that_touch_touch_at_every_rate():
    stages = (Stage("up", 3, 8), Stage("down", 8, 15))
    up, down = resample(straight_line(frames=20, fps=30, stages=stages), fps=25.0).stages
    assert (up.start, up.end, down.start, down.end) == (3, 7, 7, 13)  # 2.5, 6.67, 12.5 rounded up


def test_a_stage_that_holds_no_sample_is_dropped():
    stages = (Stage("blink", 11, 12), Stage("rest", 12, 40))
    assert [s.name for s in resample(straight_line(frames=40, stages=stages), fps=2.5).stages] == ["rest"]


def test_a_number_of_frames_spreads_from_the_first_frame_to_the_last():
    found = resample(straight_line(frames=11, fps=10, velocity=(10.0, 0.0)), frames=6)
    np.testing.assert_allclose(found.keypoints[:, 0, 0], [0, 2, 4, 6, 8, 10], atol=1e-6)
    assert found.fps == pytest.approx(5.0)


def test_a_number_of_frames_keeps_the_stages_with_the_movement():
    sequence = straight_line(frames=11, stages=(Stage("late", 15, 21),)).replace(frames=np.arange(10, 21))
    found = resample(sequence, frames=21)
    (stage,) = found.stages
    assert stage.start - found.frames[0] == 10
    assert stage.end - found.frames[0] == 22


def test_resampling_is_told_in_the_provenance():
    assert resample(straight_line(frames=5), fps=30).source["steps"] == ["resample(fps=30)"]


@pytest.mark.parametrize("settings", [{}, {"fps": 30, "frames": 5}, {"fps": -1}, {"fps": float("nan")}, {"frames": 1}])
def test_settings_that_make_no_sequence_are_refused(settings):
    with pytest.raises(BadSetting):
        resample(straight_line(frames=5), **settings)


def test_a_rate_that_makes_an_absurd_number_of_frames_is_refused():
    with pytest.raises(BadSetting, match="more than 10000000"):
        resample(straight_line(frames=50), fps=1e8)


def test_one_frame_cannot_be_spread():
    with pytest.raises(BadData, match="1 frame"):
        resample(straight_line(frames=1), frames=10)


def test_a_sequence_without_frames_takes_the_rate():
    assert resample(straight_line(frames=3).select(slice(0, 0)), fps=30).fps == 30


@given(positions=st.lists(st.floats(0, 9), min_size=1, max_size=20))
@settings(max_examples=40, deadline=None)
def test_a_sampled_track_is_linear_between_its_values(positions):
    values = np.random.default_rng(1).normal(size=(10, 2, 3))
    found = sample_track(values, np.array(positions))
    for joint, axis in np.ndindex(2, 3):
        expected = np.interp(positions, np.arange(10), values[:, joint, axis])
        np.testing.assert_allclose(found[:, joint, axis], expected, atol=1e-5)


def test_a_sampled_track_is_unknown_beside_a_missing_value_and_outside():
    values = np.array([1.0, np.nan, 3.0, 4.0])
    found = sample_track(values, np.array([-0.5, 0, 0.5, 1, 2, 2.5, 3, 3.5]))
    np.testing.assert_array_equal(found, [np.nan, 1, np.nan, np.nan, 3, 3.5, 4, np.nan])


def test_quadratic_motion_is_kept_inside():
    found = resample(point(np.arange(10.0)[:, None] ** [1, 2], fps=10), fps=40.0)
    inner = slice(4, -4)
    np.testing.assert_allclose(found.keypoints[inner, 0, 1], (found.times[inner] * 10) ** 2, rtol=1e-5)
