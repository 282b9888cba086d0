import numpy as np
import pytest

from posediff.motion.angles import joint_angles
from posediff.motion.synthetic import Fault, Squat, generate
from posediff.sequence import PoseSequence

BOTTOM = 50  # frame


def angle(sequence: PoseSequence, name: str) -> np.ndarray:
    names, values = joint_angles(sequence)
    return values[:, names.index(name)]


def height_of_elbows(sequence: PoseSequence) -> float:
    return float((sequence.joint("left_elbow") - sequence.joint("left_shoulder"))[BOTTOM, 1])


def test_a_fault_of_one_leg_leaves_the_other_foot_on_the_floor_and_none_below_it():
    faulty = generate("squat", faults=[Fault("left_knee", 25, "bottom")])
    assert np.ptp(faulty.joint("right_ankle"), axis=0).max() < 0.02
    ankles = np.concatenate([faulty.joint("left_ankle"), faulty.joint("right_ankle")])
    assert ankles[:, 1].min() > 0.039 * 1.75 - 1e-6


def test_a_squat_is_the_same_on_both_sides():
    sequence = generate("squat", skeleton="h36m17")
    mirrored = sequence.keypoints[:, sequence.skeleton.mirror_order] * np.float32([1, 1, -1])
    np.testing.assert_allclose(sequence.keypoints, mirrored, atol=1e-6)


def test_a_deeper_squat_bends_the_knees_more():
    bends = [180 - angle(generate(Squat(depth=depth)), "left_knee_angle").min() for depth in (0.25, 0.35, 0.45)]
    assert bends == sorted(bends)
    assert 60 < bends[0] < bends[-1] < 135


def test_the_trunk_leans_as_asked_at_the_bottom_of_a_squat():
    assert angle(generate(Squat(lean=40)), "trunk_lean").max() == pytest.approx(40, abs=2.5)


def test_a_shift_to_the_left_moves_the_hips_by_its_fraction_of_stature_and_nothing_in_the_end():
    shift = generate(Squat(shift=0.04)).joint("pelvis")[:, 2] - generate("squat").joint("pelvis")[:, 2]
    assert shift[BOTTOM] == pytest.approx(-0.04 * 1.75, abs=0.002)
    np.testing.assert_allclose(shift[[0, -1]], 0, atol=1e-6)


@pytest.mark.parametrize("degrees", [-15.0, 15.0])
def test_knees_turn_inwards_as_asked_while_the_feet_stay(degrees):
    plain, turned = (generate(Squat(knees_in=amount), skeleton="halpe26") for amount in (0.0, degrees))

    def direction(sequence):
        line = (sequence.joint("right_knee") - sequence.joint("right_ankle"))[BOTTOM]
        return np.degrees(np.arctan2(line[2], line[0]))

    assert np.sign(direction(plain) - direction(turned)) == np.sign(degrees)
    np.testing.assert_allclose(turned.joint("right_big_toe"), plain.joint("right_big_toe"), atol=0.005)


def test_a_forward_shift_moves_the_knees_forward_and_keeps_the_depth():
    plain, forward = generate("squat"), generate(Squat(forward=0.03))
    change = forward.keypoints[BOTTOM] - plain.keypoints[BOTTOM]
    knee, pelvis = (change[plain.skeleton.index(joint)] for joint in ("left_knee", "pelvis"))
    assert knee[0] > 0.02
    np.testing.assert_allclose(pelvis, [0.03 * 1.75, 0, 0], atol=0.002)


def test_arms_go_up_and_elbows_bend_as_asked():
    assert height_of_elbows(generate(Squat(arms=10))) - height_of_elbows(generate("squat")) == pytest.approx(
        0.186 * 1.75 * np.radians(10), rel=0.1
    )
    bent = angle(generate("squat"), "left_elbow_angle") - angle(generate(Squat(elbows=9)), "left_elbow_angle")
    assert bent[BOTTOM] == pytest.approx(9, abs=0.01)


def test_hips_that_rise_first_lean_the_trunk_on_the_way_up_only():
    lean = angle(generate(Squat(hips_first=12)), "trunk_lean") - angle(generate("squat"), "trunk_lean")
    assert lean.max() == pytest.approx(12, abs=1)
    np.testing.assert_allclose(lean[: BOTTOM + 5], 0, atol=0.01)


def test_the_head_goes_back_as_asked():
    assert np.ptp(angle(generate(Squat(gaze=10)), "neck_angle") - angle(generate("squat"), "neck_angle")) > 5
