import numpy as np
import pytest

from posediff.motion.synthetic.body import Performer, forward_kinematics, turn
from posediff.motion.synthetic.posture import SHAKES, flat_feet, hip_height, legs_knees_in, shake, upper_body

T = np.linspace(0, 1, 5)
STILL = np.zeros_like(T)


def placed(pose, pelvis):
    """The joints in the room."""
    return {joint: at + pelvis for joint, at in forward_kinematics(pose, Performer()).items()}


def bent(knees, inwards=0.0, lean=0.0):
    """Legs with bent knees under a pelvis that leans, and where the feet should be."""
    pelvis, orientation = np.array([0.0, hip_height(knees, 0.08), 0.0]) + 0 * T[:, None], turn("z", STILL - lean)
    feet = flat_feet(T, 0.08, 9.0)
    pose = {"pelvis": orientation, **legs_knees_in(feet, pelvis, orientation, {"left": inwards})}
    return placed(pose, pelvis), feet


def degrees(a, b, c):
    one, two = a - b, c - b
    cosine = (one * two).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(two, axis=1)
    return np.degrees(np.arccos(cosine))


def test_the_parts_of_the_upper_body_point_where_they_are_asked_to():
    trunk, head = turn("z", STILL - 30) @ turn("x", STILL + 10), turn("x", STILL - 20)
    body = forward_kinematics(upper_body(turn("z", STILL - 15), trunk, head), Performer())
    for low, high, turned in (("pelvis", "thorax", trunk), ("upper_neck", "head_top", head)):
        line = body[high] - body[low]
        np.testing.assert_allclose(line / np.linalg.norm(line, axis=1)[:, None], turned[:, :, 1], atol=1e-12)


@pytest.mark.parametrize("knees", [15, 40, 90])
def test_the_knees_bend_as_much_as_the_height_of_the_hips_says(knees):
    body, _ = bent(knees)
    for side in ("left", "right"):
        interior = degrees(*(body[f"{side}_{joint}"] for joint in ("hip", "knee", "ankle")))
        np.testing.assert_allclose(interior, 180 - knees, atol=1.0)


@pytest.mark.parametrize("inwards", [0, 12, -12])
def test_feet_stay_flat_and_in_their_places_wherever_the_knees_point(inwards):
    body, feet = bent(50, inwards, lean=20)
    for side, out in (("left", -1), ("right", 1)):
        np.testing.assert_allclose(body[f"{side}_ankle"], feet[side].ankle, atol=1e-3)
        sole = body[f"{side}_foot_index"] - body[f"{side}_heel"]
        np.testing.assert_allclose(sole[:, 1], 0, atol=1e-9)
        np.testing.assert_allclose(np.degrees(np.arctan2(sole[:, 2], sole[:, 0])), out * 9, atol=1e-6)


def test_only_the_knee_that_is_asked_points_inwards_about_the_line_from_hip_to_ankle():
    straight, _ = bent(60)
    inwards, _ = bent(60, 15)
    np.testing.assert_allclose(inwards["right_knee"], straight["right_knee"], atol=1e-12)
    assert (inwards["left_knee"][:, 2] - straight["left_knee"][:, 2] > 0.03).all()
    for end in ("hip", "ankle"):
        lengths = [np.linalg.norm(body["left_knee"] - body[f"left_{end}"], axis=1) for body in (straight, inwards)]
        np.testing.assert_allclose(lengths[0], lengths[1], atol=1e-9)


def test_a_shake_has_its_size_and_frequency():
    t = np.arange(0, 2, 0.001)
    track = shake(t, 2.5, 0.25)
    assert np.abs(track).max() == pytest.approx(2.5, abs=0.01)
    crossings = np.count_nonzero(np.diff(np.sign(track)))
    assert crossings == pytest.approx(2 * SHAKES * 2, abs=1)
