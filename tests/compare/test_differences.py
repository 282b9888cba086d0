import numpy as np
import pytest

from posediff.compare import Settings, compare
from posediff.motion.angles import ANGLES
from posediff.motion.synthetic import Fault, generate
from tests.fixtures.performances import KNEE, faulty_pair, perform, rearranged


def lifted(joint, amount, frames):
    """The squat with one joint that is lifted by some metres during some frames, everything else as it was."""
    one = perform()
    keypoints = one.keypoints.copy()
    window = np.zeros(len(one))
    window[frames] = np.hanning(len(range(*frames.indices(len(one)))))
    keypoints[:, one.skeleton.index(joint), 1] += amount * window
    return rearranged(one, keypoints, stages=one.stages)


def test_a_knee_that_bends_more_is_one_difference_and_not_its_ankle_s_as_well():
    assert [one.measure for one in faulty_pair().differences] == ["left_knee_angle"]


def test_a_difference_states_its_joints_the_moving_one_first():
    top = faulty_pair().differences[0]
    assert top.joints == ANGLES["left_knee_angle"].about
    assert top.joints[0] == "left_knee"


def test_the_magnitude_is_the_mean_difference_of_the_values():
    top = faulty_pair().differences[0]
    assert top.magnitude == pytest.approx(abs(top.values[1] - top.values[0]))
    assert (top.more_in == "query") is (top.values[1] > top.values[0])


def test_a_position_that_no_angle_explains_is_reported_as_a_position():
    found = compare(perform(), lifted("head_top", 0.25, slice(30, 60))).differences
    assert any(one.measure == "head_top_height" or one.measure == "neck_angle" for one in found)


def test_differences_are_ranked_by_importance():
    faults = [Fault("left_knee", 25.0, "bottom"), Fault("right_elbow", 40.0, "descent")]
    found = compare(perform(), generate("squat", faults=faults)).differences
    assert {"left_knee_angle", "right_elbow_angle"} <= {one.measure for one in found}
    importance = [one.importance for one in found]
    assert importance == sorted(importance, reverse=True)


def test_two_faults_of_one_joint_in_two_stages_are_two_differences():
    faults = [Fault("right_elbow", 40.0, "descent"), Fault("right_elbow", 40.0, "finish")]
    found = compare(perform(), generate("squat", faults=faults)).differences
    assert {one.segment for one in found if one.measure == "right_elbow_angle"} == {"descent", "finish"}


@pytest.mark.parametrize("most", [1, 2])
def test_the_list_is_no_longer_than_asked_for(most):
    crooked = perform("swing", fault=Fault("trunk_rotation", 40.0, "backswing"))
    assert len(compare(perform(), crooked, Settings(most=most)).differences) == most


def test_what_is_smaller_than_the_least_reported_is_not_reported():
    slight = perform(fault=Fault("left_knee", 8.0, "bottom"))
    assert compare(perform(), slight, Settings(least_angle=12.0)).differences == ()
    assert compare(perform(), slight, Settings(least_angle=4.0)).differences


def test_what_the_noise_explains_is_not_reported():
    slight = Fault("left_elbow", 6.0, "bottom")
    clear, drowned = (
        compare(perform(noise=noise, seed=1), perform(fault=slight, noise=noise, seed=2)).differences
        for noise in (0.0, 0.03)
    )
    assert [one.measure for one in clear] == ["left_elbow_angle"]
    assert drowned == ()


def test_confidence_is_a_probability_of_at_least_the_certainty_asked_for():
    settings = Settings(certainty=0.99)
    found = compare(perform(noise=0.01, seed=1), perform(fault=KNEE, noise=0.01, seed=2), settings).differences
    assert found
    assert all(0.99 <= one.confidence <= 1 for one in found)


@pytest.mark.parametrize("view", ["2d", "3d"])
@pytest.mark.parametrize("amount", [-20.0, -15.0, 15.0, 20.0])
def test_a_lean_during_a_hold_is_found_although_a_hold_leaves_the_time_open(view, amount):
    leaning = perform(view=view, fault=Fault("trunk_lean", amount, "bottom"), noise=0.005, seed=2, fps=30.0)
    top = compare(perform(view=view, noise=0.005, seed=1), leaning).differences[0]
    assert (top.measure, top.segment) == ("trunk_lean", "bottom")
    assert top.more_in == ("query" if amount > 0 else "reference")
