import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from posediff.errors import BadSetting
from posediff.motion.synthetic.body import (
    TREE,
    Performer,
    centre_of_mass,
    forward_kinematics,
    lateral_inertia,
    turn,
    turn_about,
)

NEUTRAL = {"pelvis": np.eye(3)[None]}


def folded(**angles):
    """The neutral pose with joints turned about their lateral axis, by degrees."""
    return NEUTRAL | {joint: turn("z", degrees) for joint, degrees in angles.items()}


@pytest.mark.parametrize("axis", ["x", "y", "z"])
def test_a_turn_agrees_with_scipy(axis):
    degrees = np.array([-200.0, -30.0, 0.0, 75.0])
    np.testing.assert_allclose(
        turn(axis, degrees), Rotation.from_euler(axis, degrees[:, None], degrees=True).as_matrix(), atol=1e-12
    )


def test_a_turn_about_any_axis_agrees_with_scipy():
    rng = np.random.default_rng(0)
    axes = rng.normal(size=(20, 3))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    degrees = rng.uniform(-180, 180, 20)
    expected = Rotation.from_rotvec(axes * np.radians(degrees)[:, None]).as_matrix()
    np.testing.assert_allclose(turn_about(axes, degrees), expected, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_pose_changes_the_length_of_a_bone(seed):
    rng = np.random.default_rng(seed)
    performer = Performer.random(rng)
    pose = {joint: Rotation.random(5, random_state=seed).as_matrix() for joint in ("pelvis", *TREE)}
    body = forward_kinematics(pose, performer)
    for joint, (parent, _, _) in TREE.items():
        lengths = np.linalg.norm(body[joint] - body[parent], axis=1)
        np.testing.assert_allclose(lengths, np.linalg.norm(performer.offset(joint)), atol=1e-12)


def test_a_standing_body_is_as_tall_as_its_performer():
    body = forward_kinematics(NEUTRAL, Performer(height=1.6))
    sole = body["left_ankle"][0, 1] - 0.039 * 1.6
    assert body["head_top"][0, 1] - sole == pytest.approx(1.6)


def test_a_proportion_changes_its_own_segment_only():
    plain, long = (forward_kinematics(NEUTRAL, Performer(1.8, p)) for p in ({}, {"thigh": 1.1}))
    assert np.linalg.norm(long["left_knee"] - long["left_hip"]) == pytest.approx(1.1 * 0.245 * 1.8)
    np.testing.assert_allclose(long["left_ankle"] - long["left_knee"], plain["left_ankle"] - plain["left_knee"])


def test_a_bent_knee_takes_the_foot_back():
    body = forward_kinematics(folded(left_knee=-90.0), Performer())
    np.testing.assert_allclose(body["left_ankle"] - body["left_knee"], [[-0.246 * 1.75, 0, 0]], atol=1e-12)


def test_the_centre_of_mass_of_a_standing_body_is_in_its_middle_at_the_height_of_the_pelvis():
    performer = Performer(height=1.0)
    body = forward_kinematics(NEUTRAL, performer)
    _, y, z = centre_of_mass(body)[0]
    height = y - body["left_ankle"][0, 1] + 0.039
    assert z == pytest.approx(0, abs=1e-12)
    assert 0.54 < height < 0.60  # 55 to 57 % of stature in textbooks


def test_the_moment_of_inertia_of_a_standing_body_is_near_the_measured_one():
    inertia = 75 * lateral_inertia(forward_kinematics(NEUTRAL, Performer()))[0]
    assert 9 < inertia < 15  # about 10.5 to 13 kg m² for men of 75 kg, arms down


def test_tucking_makes_a_somersault_easier_than_piking_and_piking_than_stretching():
    straight, pike, tuck = (
        lateral_inertia(forward_kinematics(pose, Performer()))[0]
        for pose in (
            NEUTRAL,
            folded(left_hip=115.0, right_hip=115.0),
            folded(left_hip=115.0, right_hip=115.0, left_knee=-125.0, right_knee=-125.0),
        )
    )
    assert tuck < pike < straight


def test_random_performers_follow_their_seed():
    one, same, other = (Performer.random(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == same != other


@pytest.mark.parametrize(
    "attributes", [{"height": 0.0}, {"proportions": {"thigh": -1.0}}, {"proportions": {"tail": 1.0}}]
)
def test_an_impossible_body_is_refused(attributes):
    with pytest.raises(BadSetting):
        Performer(**attributes)
