import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from posediff.compare import Settings, compare
from posediff.compare.residuals import beyond_shift, by_reference_frame, measure
from posediff.motion.angles import joint_angles
from tests.fixtures.performances import KNEE, aligned, perform, without

TRACKS = hnp.arrays(float, (12, 2), elements=st.floats(-100, 100) | st.just(np.nan))


def test_a_shift_in_time_explains_a_late_ramp_but_not_a_higher_one():
    ramp = np.clip(np.arange(40.0) - 15, 0, 10)[:, None]
    late = np.roll(ramp, 3, axis=0)
    late[:3] = 0
    np.testing.assert_array_equal(beyond_shift(ramp, late, 3), 0)
    assert beyond_shift(ramp, 2 * ramp, 3)[-1, 0] == 10
    assert beyond_shift(2 * ramp, ramp, 3)[-1, 0] == -10


@given(TRACKS, TRACKS, st.integers(0, 15))
def test_what_no_shift_explains_is_antisymmetric_and_never_more_than_the_difference(reference, query, shift):
    beyond = beyond_shift(reference, query, shift)
    np.testing.assert_array_equal(beyond, -beyond_shift(query, reference, shift))
    np.testing.assert_array_equal(np.isnan(beyond), np.isnan(reference + query))
    known = ~np.isnan(beyond)
    assert (np.abs(beyond[known]) <= np.abs(query - reference)[known] + 1e-9).all()


@given(TRACKS, st.integers(0, 15))
def test_the_range_nearby_is_that_of_a_plain_search(values, shift):
    beyond = beyond_shift(values, np.where(np.isnan(values), np.nan, 1000.0), shift)
    padded = np.pad(values, ((shift, shift), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * shift + 1, axis=0)
    expected = 1000.0 - np.where(np.isnan(windows), -np.inf, windows).max(axis=2)
    known = ~np.isnan(values)
    np.testing.assert_allclose(beyond[known], np.minimum(expected, 1000.0 - values)[known])


def test_the_difference_of_an_angle_is_that_of_the_two_files():
    pair = perform(), perform(fault=KNEE)
    measured = measure(aligned(*pair, Settings(smoothing=0.0)), Settings())
    column = measured.names.index("left_knee_angle")
    truth = [joint_angles(one)[1][:, joint_angles(one)[0].index("left_knee_angle")] for one in pair]
    np.testing.assert_allclose(np.abs(measured.residual[:, column]).max(), np.abs(truth[1] - truth[0]).max(), atol=0.5)


def test_measures_are_matched_by_name_where_the_two_show_different_joints():
    line = aligned(without(perform(), "left_knee"), without(perform(), "right_wrist"))
    measured = measure(line, Settings())
    assert not [name for name in measured.names if name.startswith(("left_knee_h", "right_wrist"))]
    np.testing.assert_allclose(measured.residual[np.isfinite(measured.residual)], 0, atol=1e-4)
    assert len(measured.names) == len(measured.units) == measured.noise.shape[1]


def test_whole_turns_count_as_equal():
    dive = perform("dive", view="2d")
    turned = measure(aligned(dive, dive), Settings())
    assert np.ptp(turned.reference[:, turned.names.index("trunk_lean")]) > 360
    np.testing.assert_allclose(turned.residual, 0, atol=1e-6)


@pytest.mark.parametrize("noise", [0.01, 0.03])
def test_the_stated_noise_is_the_spread_of_the_residual(noise):
    standing = perform(noise=noise, seed=1).select(slice(0, 14)), perform(noise=noise, seed=2).select(slice(0, 14))
    measured = measure(aligned(*(one.replace(stages=()) for one in standing), Settings(smoothing=0.0)), Settings())
    angles = [k for k, unit in enumerate(measured.units) if unit == "deg"]
    ratio = np.nanstd(measured.residual[:, angles]) / np.sqrt(np.nanmean(measured.noise[:, angles] ** 2))
    assert 0.5 < ratio < 1.5


def test_there_is_one_row_a_frame_of_the_reference():
    line = aligned(perform(), perform(fps=60.0))
    found = by_reference_frame(line, measure(line, Settings()))
    assert found.values.shape == found.noise.shape == (98, len(found.measures))
    assert found.joints.shape == (98, 16)


def test_distances_of_joints_are_in_torso_lengths():
    found = compare(perform(), perform(fault=KNEE)).residuals.joints
    ankle = perform().skeleton.index("left_ankle")
    assert 0.2 < found[:, ankle].max() < 0.6  # a shank of 0.85 torso lengths, turned by 25 degrees: 0.37
