import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from posediff.errors import BadData, BadSetting
from posediff.motion.gaps import FILLED_CONFIDENCE, contiguous, fill_gaps, neighbours
from posediff.sequence import Status
from tests.fixtures.sequences import point, standing, straight_line, with_missing


def test_linear_filling_is_exact_on_uniform_motion():
    truth = straight_line(frames=20, velocity=(3.0, -1.0))
    filled = fill_gaps(with_missing(truth, frames=[4, 5, 11]), max_gap=1.0)
    np.testing.assert_allclose(filled.keypoints, truth.keypoints, rtol=1e-6)


def test_linear_filling_goes_by_time_where_frame_numbers_are_not_contiguous():
    truth = straight_line(frames=30).select(np.array([0, 1, 5, 6, 20, 21]))
    filled = fill_gaps(with_missing(truth, frames=[2, 3]), max_gap=2.0)
    np.testing.assert_allclose(filled.keypoints, truth.keypoints, rtol=1e-6)


@pytest.mark.parametrize("rows", [slice(None), [0, 2, 3, 5, 6, 7, 8, 11, 12, 14, 16, 18, 19]])
def test_pchip_agrees_with_scipy_on_a_curved_track(rows):
    truth = point(np.arange(20.0)[:, None] ** [2, 1.5]).select(rows)
    gappy = with_missing(truth, frames=[5, 6])
    known = np.delete(np.arange(len(truth)), [5, 6])
    filled = fill_gaps(gappy, max_gap=1.0, method="pchip")
    expected = PchipInterpolator(truth.frames[known], truth.keypoints[known, 0])(truth.frames[[5, 6]])
    np.testing.assert_allclose(filled.keypoints[[5, 6], 0], expected, rtol=1e-6)


@pytest.mark.parametrize("method", ["linear", "pchip", "hermite"])
@pytest.mark.parametrize("frames", [[0, 1], [18, 19]])
def test_ends_are_never_extrapolated(frames, method):
    filled = fill_gaps(with_missing(straight_line(frames=20), frames=frames), max_gap=10.0, method=method)
    assert np.isnan(filled.keypoints[frames]).all()


@pytest.mark.parametrize(("max_gap", "stays"), [(0.9, True), (1.0, False)])
def test_a_gap_longer_than_allowed_stays_missing(max_gap, stays):
    gappy = with_missing(straight_line(frames=50, fps=10), frames=range(10, 20))
    assert np.isnan(fill_gaps(gappy, max_gap=max_gap).keypoints[10:20]).all() == stays


def test_a_gap_is_as_long_as_its_frames_are_apart():
    sparse = straight_line(frames=50, fps=10).select(np.array([0, 10, 30]))
    gappy = with_missing(sparse, frames=[1])
    assert np.isnan(fill_gaps(gappy, max_gap=2.8).keypoints[1]).all()
    assert np.isfinite(fill_gaps(gappy, max_gap=2.9).keypoints[1]).all()


@given(missing=st.sets(st.integers(1, 28)))
@settings(max_examples=40, deadline=None)
def test_measured_keypoints_come_back_untouched_and_filled_ones_are_marked(missing):
    gappy = with_missing(straight_line(frames=30), frames=missing)
    filled = fill_gaps(gappy, max_gap=10.0)
    present = gappy.present[:, 0]
    np.testing.assert_array_equal(filled.keypoints[present], gappy.keypoints[present])
    assert set(np.flatnonzero(filled.status[:, 0] == Status.INTERPOLATED)) == missing


def test_a_filled_keypoint_has_half_the_confidence_of_its_weaker_neighbour():
    gappy = with_missing(straight_line(frames=3, scores=np.array([[0.8], [1.0], [0.6]])), frames=[1])
    assert fill_gaps(gappy).scores[1, 0] == pytest.approx(FILLED_CONFIDENCE * 0.6)


def test_verified_keypoints_stay_verified():
    status = np.full((5, 1), Status.VERIFIED)
    filled = fill_gaps(with_missing(straight_line(frames=5, status=status), frames=[2]))
    assert filled.status[:, 0].tolist() == [3, 3, Status.INTERPOLATED, 3, 3]


def test_joints_are_filled_each_from_its_own_track():
    truth = standing(frames=6)
    gappy = with_missing(with_missing(truth, [1, 2], ["left_knee"]), [2, 3], ["right_wrist", "pelvis"])
    np.testing.assert_allclose(fill_gaps(gappy).keypoints, truth.keypoints, rtol=1e-6)


def test_filling_is_told_in_the_provenance():
    assert fill_gaps(straight_line(frames=3)).source["steps"] == ["fill_gaps(max_gap=0.4, method=linear)"]


def test_a_sequence_without_frames_stays_one():
    assert len(fill_gaps(straight_line(frames=3).select(slice(0, 0)))) == 0


def test_an_unknown_method_is_refused_with_the_choices():
    with pytest.raises(BadSetting, match="'cubic'") as error:
        fill_gaps(straight_line(frames=5), method="cubic")
    assert "linear, pchip" in error.value.hint


@pytest.mark.parametrize("max_gap", [-0.1, float("nan")])
def test_a_duration_that_is_none_is_refused(max_gap):
    with pytest.raises(BadSetting, match="max_gap is"):
        fill_gaps(straight_line(frames=5), max_gap=max_gap)


def test_contiguous_adds_absent_frames_as_missing_ones():
    boxes = np.arange(12.0).reshape(3, 4)
    sparse = straight_line(frames=3, boxes=boxes).replace(frames=[2, 3, 6])
    whole = contiguous(sparse)
    assert whole.frames.tolist() == [2, 3, 4, 5, 6]
    assert whole.present[:, 0].tolist() == [True, True, False, False, True]
    np.testing.assert_array_equal(whole.keypoints[[0, 1, 4]], sparse.keypoints)
    np.testing.assert_array_equal(whole.boxes[[0, 1, 4]], boxes)


def test_contiguous_leaves_a_contiguous_sequence_alone():
    sequence = straight_line(frames=4).replace(frames=[3, 4, 5, 6])
    assert contiguous(sequence) is sequence


def test_contiguous_refuses_absurd_growth():
    with pytest.raises(BadData, match="from 0 to 100000000"):
        contiguous(straight_line(frames=2).replace(frames=[0, 100_000_000]))


@given(st.lists(st.booleans(), min_size=1, max_size=20))
@settings(max_examples=40, deadline=None)
def test_neighbours_are_the_nearest_known_rows(present):
    before, after = neighbours(np.array(present))
    known = [row for row, there in enumerate(present) if there]
    for row in range(len(present)):
        assert before[row] == max((k for k in known if k <= row), default=-1)
        assert after[row] == min((k for k in known if k >= row), default=-1)


@pytest.mark.parametrize("missing", [[4, 5, 11], [3, 5, 7, 16]])
def test_hermite_filling_is_exact_on_a_parabola(missing):
    truth = point(np.arange(20.0)[:, None] ** [2, 1])
    filled = fill_gaps(with_missing(truth, frames=missing), max_gap=10.0, method="hermite")
    np.testing.assert_allclose(filled.keypoints, truth.keypoints, rtol=1e-6)
