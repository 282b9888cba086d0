from dataclasses import fields, replace

import numpy as np
import pytest

from posediff.motion.angles import interior_angle
from posediff.motion.synthetic import Performer, Recording, generate
from posediff.motion.synthetic.body import SIDES, TREE
from posediff.motion.synthetic.movements import boundaries
from posediff.motion.synthetic.serve import SERVE_VARIATIONS, Serve
from posediff.motion.synthetic.variation import apply
from posediff.skeletons import Skeleton

FPS = 100.0
WHOLE_BODY = Skeleton("whole_body", ("pelvis", *TREE), ())
ANATOMY = {"knee": (60, 180), "elbow": (30, 180)}  # interior angles in degrees


def filmed(movement, **settings):
    return generate(movement, recording=Recording(fps=FPS), skeleton=WHOLE_BODY, **settings)


def line(sequence, start, end):
    return (sequence.joint(end) - sequence.joint(start)).astype(float)


def elevation(arm):
    """Degrees of a line that hangs at 0 and points overhead at 180."""
    return np.degrees(np.arccos(-arm[..., 1] / np.linalg.norm(arm, axis=-1)))


def limb(sequence, side, *parts):
    return interior_angle(*(sequence.joint(f"{side}_{part}") for part in parts))


def elbow(sequence, side):
    return limb(sequence, side, "shoulder", "elbow", "wrist")


def knee(sequence, side):
    return limb(sequence, side, "hip", "knee", "ankle")


def start_of(sequence, name):
    return next(stage.start for stage in sequence.stages if stage.name == name)


def trophy(sequence):
    return start_of(sequence, "swing") - 5


def contact(sequence):
    return start_of(sequence, "follow-through")


def extremes():
    """The usual serve, serves of others, and every variation by twice its step in both directions."""
    yield Serve()
    yield from (Serve.random(np.random.default_rng(seed)) for seed in range(4))
    for name in SERVE_VARIATIONS:
        for amount in (-2, 2):
            yield apply(Serve(), SERVE_VARIATIONS, {name: amount})[0]


def test_the_toes_stay_on_the_floor_until_the_body_leaves_it_for_the_contact():
    sequence = filmed(Serve(jump=0.15))
    for side in SIDES:
        toes = sequence.joint(f"{side}_toes")
        before = toes[: contact(sequence) - 25]
        np.testing.assert_allclose(before, np.broadcast_to(toes[0], before.shape), atol=0.012)
        np.testing.assert_allclose(toes[contact(sequence) + 25 :, 1], toes[0, 1], atol=0.012)
        assert toes[:, 1].max() - toes[0, 1] == pytest.approx(0.15, abs=0.01)
        assert abs(int(np.argmax(toes[:, 1])) - contact(sequence)) < 6


def test_the_body_lands_further_to_the_net():
    toes = filmed("serve").joint("left_toes")
    assert toes[-1, 2] < toes[0, 2] - 0.1


@pytest.mark.parametrize("seed", range(3))
def test_no_foot_of_any_body_is_below_the_floor(seed):
    rng = np.random.default_rng(seed)
    performer = Performer.random(rng)
    sequence = filmed(Serve.random(rng), performer=performer)
    for side in SIDES:
        assert sequence.joint(f"{side}_ankle")[:, 1].min() > 0.039 * performer.height - 1e-5
        assert sequence.joint(f"{side}_toes")[:, 1].min() > -0.03 * performer.height


def test_the_arms_are_as_asked_in_the_trophy_pose():
    sequence = filmed(Serve(toss=160, toss_bend=12, elbow=95))
    at = trophy(sequence)
    assert elevation(line(sequence, "left_shoulder", "left_elbow")[at]) == pytest.approx(160, abs=0.1)
    assert elbow(sequence, "left")[at] == pytest.approx(180 - 12, abs=0.1)
    assert elevation(line(sequence, "right_shoulder", "right_elbow")[at]) == pytest.approx(95, abs=0.1)
    assert line(sequence, "right_elbow", "right_wrist")[at, 1] > 0.2


def test_the_racket_arm_is_as_asked_at_the_contact():
    sequence = filmed(Serve(contact=158, contact_bend=10))
    at = contact(sequence)
    assert elevation(line(sequence, "right_shoulder", "right_elbow")[at]) == pytest.approx(158, abs=0.5)
    assert elbow(sequence, "right")[at] == pytest.approx(170, abs=0.5)


@pytest.mark.parametrize("coil", [15.0, 45.0])
def test_the_shoulders_turn_away_from_the_net_as_asked(coil):
    sequence = filmed(Serve(coil=coil, tilt=0))
    at = trophy(sequence)
    hips, shoulders = (line(sequence, f"left_{part}", f"right_{part}")[at] for part in ("hip", "shoulder"))
    turned = np.degrees(np.arctan2(shoulders[0], shoulders[2]) - np.arctan2(hips[0], hips[2]))
    assert turned == pytest.approx(-coil, abs=1)


def test_the_shoulders_slope_to_the_racket_as_asked():
    flat, steep = (line(filmed(Serve(tilt=tilt)), "right_shoulder", "left_shoulder") for tilt in (0, 25))
    at = trophy(filmed("serve"))
    slopes = [np.degrees(np.arcsin(across[at, 1] / np.linalg.norm(across[at]))) for across in (flat, steep)]
    assert slopes[1] - slopes[0] == pytest.approx(25, abs=1.5)


def test_the_trunk_leans_to_the_net_at_the_contact_as_asked():
    sequence = filmed(Serve(lean=28))
    trunk = line(sequence, "pelvis", "thorax")[contact(sequence)]
    assert np.degrees(np.arctan2(-trunk[2], trunk[1])) == pytest.approx(28, abs=0.5)


def test_a_deeper_crouch_bends_both_knees_more():
    at = trophy(filmed("serve"))
    bends = [[knee(filmed(Serve(crouch=crouch)), side)[at] for side in SIDES] for crouch in (0.06, 0.13, 0.2)]
    assert (np.diff(bends, axis=0) < -10).all()


def test_the_feet_stand_as_far_apart_as_asked():
    apart = line(filmed(Serve(stance=0.13)), "left_ankle", "right_ankle")[0]
    np.testing.assert_allclose(apart, [0, 0, 2 * 0.13 * 1.75], atol=0.005)


def test_the_racket_arm_comes_down_as_asked_and_across_the_body():
    sequence = filmed(Serve(finish=40))
    arm = line(sequence, "right_shoulder", "right_elbow")[contact(sequence) :]
    assert elevation(arm).min() == pytest.approx(40, abs=0.1)
    across = line(sequence, "right_shoulder", "left_shoulder")[-1]
    wrist = line(sequence, "right_shoulder", "right_wrist")[-1]
    assert wrist @ across / np.linalg.norm(across) > 0.2


def test_toss_trophy_pose_contact_and_finish_come_in_that_order():
    sequence = filmed("serve")
    toss = int(np.argmax(line(sequence, "left_shoulder", "left_wrist")[:, 1] > 0.2))
    deepest = int(np.argmin(knee(sequence, "left")[: contact(sequence)]))
    highest = int(np.argmax(sequence.joint("right_wrist")[:, 1]))
    down = highest + int(np.argmax(line(sequence, "right_shoulder", "right_wrist")[highest:, 1] < 0))
    assert toss < deepest < highest < down
    assert abs(highest - contact(sequence)) < 6
    fastest = np.linalg.norm(np.diff(sequence.joint("right_wrist"), axis=0), axis=1).argmax()
    assert deepest < fastest < down


def test_the_body_turns_from_side_on_to_the_net():
    across = line(filmed("serve"), "left_hip", "right_hip")
    heading = np.degrees(np.arctan2(across[:, 0], across[:, 2]))
    assert abs(heading[0]) < 15
    assert heading[-1] > 60


@pytest.mark.parametrize("movement", list(extremes()))
def test_every_serve_is_smooth_finite_and_anatomical(movement):
    sequence = filmed(movement)
    assert np.isfinite(sequence.keypoints).all()
    speed = np.linalg.norm(np.diff(sequence.keypoints, axis=0), axis=2) * FPS
    assert speed.max() < 16  # m/s, the tip of the hand
    for side in SIDES:
        for angle, limits in ((knee(sequence, side), ANATOMY["knee"]), (elbow(sequence, side), ANATOMY["elbow"])):
            assert limits[0] < angle.min() < angle.max() < limits[1]
        # no knee bends backwards: it stays on the side of the toes of the line from the hip to the ankle
        hip, middle, ankle, toes = (sequence.joint(f"{side}_{part}") for part in ("hip", "knee", "ankle", "toes"))
        assert ((middle - (hip + ankle) / 2) * (toes - ankle) * [1, 0, 1]).sum(axis=1).min() > 0


def test_the_bones_keep_their_lengths():
    sequence = filmed("serve")
    for joint, (parent, _, _) in TREE.items():
        length = np.linalg.norm(line(sequence, parent, joint), axis=1)
        assert np.ptp(length) < 1e-5


def test_random_serves_follow_their_seed_and_differ_in_everything():
    one, same, other = (Serve.random(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == same
    assert all(getattr(one, field.name) != getattr(other, field.name) for field in fields(Serve))
    np.testing.assert_array_equal(boundaries(one), boundaries(Serve()))


def test_a_serve_without_a_jump_stays_on_its_toes():
    toes = filmed(replace(Serve(), jump=0.0)).joint("left_toes")
    assert np.ptp(toes[:, 1]) < 0.012
