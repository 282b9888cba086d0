import numpy as np
import pytest

from posediff.errors import BadSetting
from posediff.motion.angles import joint_angles
from posediff.motion.synthetic import Fault, Recording, Squat, generate
from posediff.motion.synthetic.faults import JOINTS, RAMP, achieved, window

FPS = 50.0
#: Movement, joint, stage, how much its angle grows with each degree of the fault, and what else has to move with it.
CASES = [
    ("squat", "left_knee", "bottom", -1, ()),
    ("squat", "right_knee", "descent", -1, ()),
    ("squat", "right_hip", "ascent", -1, ()),
    ("squat", "right_shoulder", "bottom", 1, ()),
    ("squat", "left_elbow", "bottom", -1, ()),
    ("squat", "left_ankle", "descent", -1, ()),
    ("squat", "trunk_lean", "descent", 1, ("left_hip_angle", "right_hip_angle")),
    ("swing", "trunk_rotation", "address", 1, ("left_hip_angle", "right_hip_angle")),
    ("swing", "left_elbow", "backswing", -1, ()),
    ("swing", "right_shoulder", "follow-through", 1, ()),
    ("dive", "left_hip", "flight", -1, ()),
    ("dive", "right_knee", "approach", -1, ()),
]


def effect(movement, *faults):
    """How much every angle differs from that of the faultless movement: {name: (T,)}."""
    recording = Recording(fps=FPS)
    (names, without), (_, with_them) = (
        joint_angles(generate(movement, recording=recording, faults=f, skeleton="kinect22")) for f in ((), faults)
    )
    return dict(zip(names, (with_them - without).T, strict=True))


@pytest.mark.parametrize(("movement", "joint", "stage", "sign", "_"), CASES)
def test_a_fault_changes_its_angle_by_its_amount(movement, joint, stage, sign, _):
    fault = Fault(joint, 20.0, stage)
    change = effect(movement, fault)[fault.measure]
    assert change[np.argmax(np.abs(change))] == pytest.approx(sign * 20, abs=1.5)


@pytest.mark.parametrize(("movement", "joint", "stage", "_", "chain"), CASES)
def test_a_fault_changes_no_other_angle(movement, joint, stage, _, chain):
    fault = Fault(joint, 20.0, stage)
    others = {name: np.abs(change).max() for name, change in effect(movement, fault).items() if name != fault.measure}
    assert {name for name, change in others.items() if change > 1.5} <= {*chain, "neck_angle", *arms(joint, movement)}


def arms(joint, movement):
    """The trunk takes the shoulders along, against the hips that their angles are measured from."""
    return ("left_shoulder_angle", "right_shoulder_angle") if joint.startswith("trunk") else ()


def test_a_fault_leaves_the_other_stages_alone():
    change = effect("squat", Fault("left_knee", 20, "bottom"))["left_knee_angle"]
    t = np.arange(len(change)) / FPS
    ramp = RAMP * 0.6 / 2
    np.testing.assert_allclose(change[(t < 1.7 - ramp) | (t > 2.3 + ramp)], 0, atol=1e-4)


def test_a_fault_reaches_half_of_its_strength_at_the_limits_of_its_stage_and_all_of_it_between_them():
    t = np.array([1.0, 1.7, 2.0, 2.3, 3.0])
    np.testing.assert_allclose(window(Fault("neck", 1, "bottom"), Squat(), t), [0, 0.5, 1, 0.5, 0], atol=1e-12)


def test_faults_of_the_first_and_the_last_stage_last_to_the_ends_of_the_movement():
    first, last = (window(Fault("neck", 1, stage), Squat(), np.array([0.0, 3.9])) for stage in ("stand", "finish"))
    assert first.tolist() == [1, 0]
    assert last.tolist() == [0, 1]


def test_a_knee_bends_no_further_than_anatomy_allows():
    change = effect("dive", Fault("left_knee", 60, "flight"))["left_knee_angle"]
    assert np.abs(change).max() > 30  # while it opens
    angles = joint_angles(generate("dive", faults=[Fault("left_knee", 60, "flight")]))
    assert angles[1][:, angles[0].index("left_knee_angle")].min() == pytest.approx(180 - 150, abs=0.01)


def test_a_knee_straightens_no_further_than_straight():
    change = effect("squat", Fault("left_knee", -40, "stand"))["left_knee_angle"]
    assert 0 < change[0] < 25


def test_faults_of_different_joints_add_up():
    knee, elbow = Fault("left_knee", 20, "bottom"), Fault("right_elbow", 15, "bottom")
    together = effect("squat", knee, elbow)
    for fault in (knee, elbow):
        np.testing.assert_allclose(together[fault.measure], effect("squat", fault)[fault.measure], atol=1e-3)


@pytest.mark.parametrize("joint", JOINTS)
def test_every_joint_that_can_be_faulty_shows_it(joint):
    fault = Fault(joint, 20, "stand")
    assert np.abs(effect("squat", fault)[fault.measure]).max() > 10


def test_an_unknown_joint_is_refused_with_the_choices():
    with pytest.raises(BadSetting, match="left_wing") as error:
        Fault("left_wing", 20, "bottom")
    assert "left_elbow" in error.value.hint


def test_an_unknown_stage_is_refused_with_the_choices():
    with pytest.raises(BadSetting, match="flight") as error:
        generate("squat", faults=[Fault("left_knee", 20, "flight")])
    assert "stand, descent, bottom" in error.value.hint


def test_what_is_achieved_is_what_the_joint_turns_by():
    movement, t = Squat(), np.linspace(0, 3.8, 40)
    pose = movement.pose(t)
    within, beyond = Fault("left_knee", 20, "bottom"), Fault("left_elbow", -90, "bottom")
    turned = achieved(pose, [within, beyond], movement, t)
    np.testing.assert_allclose(turned[0], 20 * window(within, movement, t), atol=1e-9)
    elbow = np.degrees(np.arctan2(pose["left_elbow"][:, 1, 0], pose["left_elbow"][:, 0, 0]))
    np.testing.assert_allclose(turned[1], -np.minimum(90 * window(beyond, movement, t), elbow), atol=1e-9)
    assert achieved(pose, [], movement, t).shape == (0, 40)
