import numpy as np
import pytest

from posediff.motion.synthetic.body import SIDES, Performer, forward_kinematics, turn
from posediff.motion.synthetic.feet import hop, legs_to, on_feet, placed
from posediff.motion.synthetic.movements import AVERAGE

STILL = np.zeros(5)
HEEL = np.linspace(0, 40, 5)


def stance(heel=STILL, lift=STILL):
    return {side: placed(side, (0.0, z), STILL + 10, heel, lift) for side, z in zip(SIDES, (-0.2, 0.2), strict=True)}


def standing(feet, performer=AVERAGE):
    """The joints in the room of a body that stands on its feet, its pelvis 0.75 m above them."""
    ankles = np.mean([foot.ankle for foot in feet.values()], axis=0)
    pelvis = turn("y", STILL)
    body = forward_kinematics(
        {"pelvis": pelvis, **legs_to(feet, ankles + np.array([0.05, 0.75, 0]), pelvis)}, performer
    )
    root = on_feet(feet, body, performer, SIDES)
    return {joint: track + root for joint, track in body.items()}


@pytest.mark.parametrize("side", SIDES)
def test_the_toes_stay_on_their_spot_while_the_heel_rises(side):
    body = standing(stance(HEEL))
    toes, heel = body[f"{side}_toes"], body[f"{side}_heel"]
    np.testing.assert_allclose(toes, np.broadcast_to(toes[0], toes.shape), atol=1e-3)
    assert (np.diff(heel[:, 1]) > 0.01).all()


def test_the_legs_reach_the_ankles_with_the_pelvis_where_it_is_asked():
    body = standing(stance())
    np.testing.assert_allclose(body["left_ankle"], np.tile([0, 0.039 * 1.75, -0.2], (5, 1)), atol=1e-4)
    np.testing.assert_allclose(body["pelvis"], np.tile([0.05, 0.039 * 1.75 + 0.75, 0], (5, 1)), atol=1e-4)


def test_the_toes_point_outwards():
    body = standing(stance())
    for side, outwards in zip(SIDES, (-1, 1), strict=True):
        foot = body[f"{side}_toes"][0] - body[f"{side}_ankle"][0]
        assert np.degrees(np.arctan2(outwards * foot[2], foot[0])) == pytest.approx(10, abs=1e-6)


def test_the_feet_of_a_taller_body_stand_further_apart_and_leave_the_floor_further():
    lift = np.array([0, 0.1, 0.2, 0.1, 0])
    body = standing(stance(lift=lift), Performer(1.925))
    apart = np.linalg.norm(body["left_ankle"] - body["right_ankle"], axis=1)
    np.testing.assert_allclose(apart, 1.1 * 0.4, atol=1e-3)
    np.testing.assert_allclose(body["left_ankle"][:, 1] - body["left_ankle"][0, 1], 1.1 * lift, atol=1e-3)


def test_a_body_that_stands_on_its_bent_leg_does_not_push_the_other_foot_into_the_floor():
    bent = forward_kinematics({"pelvis": turn("y", STILL), "left_knee": turn("z", STILL - 30)}, AVERAGE)
    root = on_feet(stance(), bent, AVERAGE, ["left"])
    heights = {side: (bent[f"{side}_ankle"] + root)[:, 1] for side in SIDES}
    np.testing.assert_allclose(heights["right"], 0.039 * 1.75)
    assert heights["left"].min() > 0.039 * 1.75 + 0.02


def test_a_hop_leaves_the_floor_only_in_its_time():
    t = np.linspace(0, 2, 201)
    height = hop(t, 0.3, 1.0, 0.5)
    assert height.max() == pytest.approx(0.3)
    assert t[np.argmax(height)] == pytest.approx(1.0)
    np.testing.assert_allclose(height[(t <= 0.75) | (t >= 1.25)], 0, atol=1e-12)
    assert (height[(t > 0.76) & (t < 1.24)] > 0).all()
    assert not hop(t, -0.1, 1.0, 0.5).any()
