import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from posediff.motion.angles import (
    ANGLES,
    angle_noise,
    interior_angle,
    joint_angles,
    lean,
    measures_of,
    signed_angle,
    twist,
    unwrap,
    wrap,
)
from posediff.sequence import PoseSequence
from posediff.skeletons import BODY25, COCO17, H36M17, KINECT22, MPII16
from tests.fixtures.sequences import LEG, leg, moved, standing, with_missing, with_noise


def angle(sequence, name):
    names, values = joint_angles(sequence)
    return values[:, names.index(name)]


def random_body(seed, skeleton=KINECT22, dimensions=3, frames=7):
    rng = np.random.default_rng(seed)
    return PoseSequence(rng.normal(size=(frames, len(skeleton.joints), dimensions)), skeleton)


def test_a_knee_has_the_angle_that_it_was_bent_to():
    bends = np.linspace(10, 180, 35)
    np.testing.assert_allclose(angle(leg(bends), "left_knee_angle"), bends, atol=1e-3)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_standing_person_is_straight_with_arms_along_an_upright_trunk(dimensions):
    person = standing(dimensions=dimensions)
    for limb in ("left_knee_angle", "right_elbow_angle", "neck_angle"):
        assert angle(person, limb) == pytest.approx(180, abs=1e-4)
    assert angle(person, "trunk_lean") == pytest.approx(0, abs=1e-4)
    assert angle(person, "left_shoulder_angle") == pytest.approx(np.degrees(np.arctan2(0.2, 1.0)), abs=1e-4)


def test_an_arm_held_out_sideways_makes_a_right_angle_with_the_shoulder_line():
    person = moved(standing(), "left_elbow", (1.0, 1.0, 0.0))
    assert angle(person, "left_shoulder_angle") == pytest.approx(90 + np.degrees(np.arctan2(0.2, 1.0)), abs=1e-4)


@given(st.floats(1e-7, 3.0))
@settings(max_examples=30, deadline=None)
def test_angles_near_straight_and_folded_are_exact(radians):
    ray = np.array([np.cos(radians), np.sin(radians), 0.0])
    across = interior_angle(np.array([1.0, 0, 0]), np.zeros(3), ray)
    assert across == pytest.approx(np.degrees(radians), rel=1e-9)
    assert interior_angle(np.array([-1.0, 0, 0]), np.zeros(3), ray) == pytest.approx(
        180 - np.degrees(radians), abs=1e-9
    )


@pytest.mark.parametrize("dimensions", [2, 3])
@given(seed=st.integers(0, 10_000), shift=st.floats(-100, 100), scale=st.floats(0.1, 100))
@settings(max_examples=15, deadline=None)
def test_no_angle_depends_on_where_the_body_is_or_how_large(dimensions, seed, shift, scale):
    body = random_body(seed, dimensions=dimensions).keypoints.astype(float)
    names, one = joint_angles(PoseSequence(body, KINECT22))
    _, other = joint_angles(PoseSequence(body * scale + shift, KINECT22))
    apart = wrap(one - other)
    np.testing.assert_allclose(apart, 0, atol=0.5, err_msg=str(names))  # keypoints are float32 after the shift


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_no_angle_but_the_lean_depends_on_how_the_body_is_turned(seed):
    body = random_body(seed)
    turn = Rotation.random(random_state=seed).as_matrix()
    names, one = joint_angles(body)
    _, other = joint_angles(body.replace(keypoints=body.keypoints @ turn.T))
    kept = [name != "trunk_lean" for name in names]
    np.testing.assert_allclose(wrap(one - other)[:, kept], 0, atol=0.05)


@pytest.mark.parametrize(("degrees", "toward_right"), [(30, True), (-120, False)])
def test_lean_in_an_image_is_positive_to_the_right(degrees, toward_right):
    low = np.zeros((1, 2))
    high = np.array([[np.sin(np.radians(degrees)), -np.cos(np.radians(degrees))]])
    assert lean(low, high) == pytest.approx(degrees)
    assert (high[0, 0] > 0) == toward_right


def test_lean_counts_on_through_two_somersaults_also_where_frames_are_missing():
    turned = np.linspace(0, 720, 41)
    high = np.stack([np.sin(np.radians(turned)), -np.cos(np.radians(turned))], axis=1)
    high[[7, 20, 21]] = np.nan
    seen = lean(np.zeros((41, 2)), high)
    np.testing.assert_allclose(seen[np.isfinite(seen)], np.delete(turned, [7, 20, 21]), atol=1e-9)


def test_lean_in_space_is_positive_forwards_and_does_not_see_what_goes_sideways():
    high = np.array([[0, 1.0, 0], [0, 1.0, 1.0], [3.0, 1.0, 0], [0, 1.0, -1.0], [0, 0, -2.0]])
    np.testing.assert_allclose(lean(np.zeros((5, 3)), high, np.array([0, 0, 1.0])), [0, 45, 0, -45, -90])


@given(heading=st.floats(0, 360), degrees=st.floats(-80, 80))
@settings(max_examples=15, deadline=None)
def test_a_body_leans_forwards_by_the_same_angle_wherever_it_faces(heading, degrees):
    person = standing()
    pelvis = person.joint("pelvis").astype(float)[:, None]
    keypoints = person.keypoints.astype(float) - pelvis
    bow = Rotation.from_euler("x", degrees, degrees=True).as_matrix()  # +x is the left of one who faces +z
    turn = Rotation.from_euler("y", heading, degrees=True).as_matrix()
    bent = person.replace(keypoints=keypoints @ bow.T @ turn.T)
    assert angle(bent, "trunk_lean") == pytest.approx(degrees, abs=1e-3)


@pytest.mark.parametrize("degrees", [0, 35, -80])
def test_shoulders_turned_to_the_performers_left_are_a_positive_rotation(degrees):
    # facing +z with y up, the left is +x; to the left is counterclockwise seen from above
    turn = Rotation.from_euler("y", degrees, degrees=True).as_matrix()
    hips = np.array([[0.2, 0, 0], [-0.2, 0, 0]])
    shoulders = np.array([[0.4, 1, 0.0], [-0.4, 1, 0.0]]) @ turn.T
    ends = [shoulders[:1], shoulders[1:], hips[:1], hips[1:], np.zeros((1, 3)), np.array([[0, 1.0, 0]])]
    assert twist(*ends) == pytest.approx(degrees)
    if degrees > 0:
        assert shoulders[0, 2] < 0  # the left shoulder went back


def test_rotation_of_the_trunk_does_not_exist_in_an_image():
    names = [measure.name for measure in measures_of(KINECT22, 2)]
    assert "trunk_rotation" not in names
    assert "trunk_rotation" in [measure.name for measure in measures_of(KINECT22, 3)]


@pytest.mark.parametrize(
    ("skeleton", "absent"),
    [
        (MPII16, {"left_ankle_angle", "right_ankle_angle"}),
        (COCO17, {"left_ankle_angle", "right_ankle_angle"}),
        (H36M17, {"left_ankle_angle", "right_ankle_angle"}),
        (BODY25, set()),
        (KINECT22, set()),
    ],
)
def test_a_skeleton_has_the_angles_that_it_has_joints_for(skeleton, absent):
    assert set(ANGLES) - {measure.name for measure in measures_of(skeleton, 3)} == absent


def test_the_joint_at_the_vertex_is_what_an_angle_is_about():
    assert ANGLES["left_knee_angle"].about[0] == "left_knee"
    assert ANGLES["trunk_lean"].about == ("thorax", "pelvis")


def test_a_missing_joint_takes_only_its_own_angles_away():
    person = with_missing(standing(frames=3), frames=[1], joints=["left_ankle"])
    names, values = joint_angles(person)
    assert [names[column] for column in np.flatnonzero(np.isnan(values[1]))] == ["left_knee_angle"]
    assert np.isfinite(values[[0, 2]]).all()


def test_a_limb_without_length_has_no_angle():
    person = moved(standing(), "left_knee", standing().joint("left_hip")[0])
    assert np.isnan(angle(person, "left_knee_angle")).all()


def test_a_sequence_without_frames_has_angles_without_frames():
    names, values = joint_angles(standing(frames=2).select(slice(0, 0)))
    assert values.shape == (0, len(names))


@given(st.lists(st.floats(-1000, 1000), min_size=1, max_size=30), st.sets(st.integers(0, 29)))
@settings(max_examples=40, deadline=None)
def test_unwrapping_never_steps_further_than_half_a_turn_and_keeps_the_direction(degrees, missing):
    values = np.array(degrees)
    values[[place for place in missing if place < len(values)]] = np.nan
    smooth = unwrap(values)
    known = smooth[np.isfinite(values)]
    assert (np.abs(np.diff(known)) <= 180 + 1e-6).all()
    np.testing.assert_allclose(np.cos(np.radians(known)), np.cos(np.radians(values[np.isfinite(values)])), atol=1e-6)


def test_signed_angle_is_clockwise_in_an_image_and_passes_half_a_turn_without_a_jump():
    turned = np.arange(10, 350, 20.0)
    last = np.stack([np.cos(np.radians(turned)), np.sin(np.radians(turned))], axis=1)  # y grows downwards
    first = np.broadcast_to([1.0, 0.0], last.shape)
    np.testing.assert_allclose(signed_angle(first, np.zeros(2), last), turned)


def test_wrap_removes_whole_turns():
    np.testing.assert_allclose(wrap(np.array([0, 190, -190, 720, 359])), [0, -170, 170, 0, -1])


@pytest.mark.parametrize("dimensions", [2, 3])
def test_noise_of_every_angle_is_what_a_simulation_finds(dimensions):
    body = standing(frames=4000, dimensions=dimensions, skeleton=COCO17)
    rng = np.random.default_rng(5)
    bent = body.keypoints[:1] + rng.normal(0, 0.12, (1, 17, dimensions))
    body = body.replace(keypoints=np.repeat(bent, 4000, axis=0))
    names, _ = joint_angles(body)
    expected = angle_noise(body, np.full(17, 0.002))[0]
    found = joint_angles(with_noise(body, 0.002))[1]
    mean = found.mean(axis=0)
    unfolded = [ANGLES[name].signed for name in names] | ((mean > 3) & (mean < 177))
    assert unfolded.sum() >= 8
    np.testing.assert_allclose(found.std(axis=0)[unfolded], expected[unfolded], rtol=0.08)


def test_noise_of_a_joint_is_weighed_by_its_lever():
    person = leg([90.0, 90.0], thigh=1.0, shank=0.5)
    only_ankle = angle_noise(person, np.array([0.0, 0.0, 0.01]))
    names, _ = joint_angles(person)
    np.testing.assert_allclose(only_ankle[:, names.index("left_knee_angle")], np.degrees(0.01 / 0.5), rtol=1e-5)


def test_noise_may_differ_from_frame_to_frame():
    person = leg([90.0, 120.0])
    noise = angle_noise(person, np.array([[0.01] * 3, [0.0] * 3]))
    assert noise[0, 0] > 0
    assert noise[1, 0] == 0


def test_noise_is_unknown_where_the_angle_is():
    person = with_missing(leg([90.0, 90.0]), frames=[1], joints=[LEG.joints[2]])
    noise = angle_noise(person, np.full(3, 0.01))
    assert np.isfinite(noise[0]).all()
    assert np.isnan(noise[1]).all()
