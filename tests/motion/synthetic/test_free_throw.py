from dataclasses import fields, replace

import numpy as np
import pytest

from posediff.motion.angles import interior_angle
from posediff.motion.synthetic import Performer, Recording, generate
from posediff.motion.synthetic.body import SIDES, TREE
from posediff.motion.synthetic.free_throw import FREE_THROW_VARIATIONS, FreeThrow
from posediff.motion.synthetic.movements import boundaries
from posediff.motion.synthetic.variation import apply
from posediff.skeletons import Skeleton

FPS = 100.0
WHOLE_BODY = Skeleton("whole_body", ("pelvis", *TREE), ())
ANKLE = 0.039 * 1.75
ANATOMY = {"knee": (60, 180), "elbow": (30, 180)}  # interior angles in degrees


def filmed(movement, **settings):
    return generate(movement, recording=Recording(fps=FPS), skeleton=WHOLE_BODY, **settings)


def above_shoulder(sequence, joint, side):
    return sequence.joint(f"{side}_{joint}")[:, 1] - sequence.joint(f"{side}_shoulder")[:, 1]


def bend(sequence, side, joint, ends):
    return interior_angle(*(sequence.joint(f"{side}_{part}") for part in (ends[0], joint, ends[1])))


def elbow(sequence, side="right"):
    return bend(sequence, side, "elbow", ("shoulder", "wrist"))


def knee(sequence, side="right"):
    return bend(sequence, side, "knee", ("hip", "ankle"))


def start_of(sequence, name):
    return next(stage.start for stage in sequence.stages if stage.name == name)


def extremes():
    """The usual throw, throws of others, and every variation by twice its step in both directions."""
    yield FreeThrow()
    yield from (FreeThrow.random(np.random.default_rng(seed)) for seed in range(4))
    for name in FREE_THROW_VARIATIONS:
        for amount in (-2, 2):
            yield apply(FreeThrow(), FREE_THROW_VARIATIONS, {name: amount})[0]


def test_the_toes_stay_on_the_floor_but_for_the_hop_at_the_release():
    sequence = filmed(FreeThrow(jump=0.08))
    release = start_of(sequence, "follow-through")
    toes = np.stack([sequence.joint(f"{side}_toes") for side in SIDES], axis=1)
    moved = np.linalg.norm(toes - toes[0], axis=2).max(axis=1)
    assert moved[: release - 20].max() < 0.01
    assert moved[release + 30 :].max() < 0.01
    assert moved.max() == pytest.approx(0.08, abs=0.01)
    assert abs(int(np.argmax(moved)) - release) < 10


@pytest.mark.parametrize("seed", range(3))
def test_no_foot_of_any_body_is_below_the_floor(seed):
    rng = np.random.default_rng(seed)
    performer = Performer.random(rng)
    sequence = filmed(FreeThrow.random(rng), performer=performer)
    for side in SIDES:
        assert sequence.joint(f"{side}_ankle")[:, 1].min() > 0.039 * performer.height - 1e-5
        assert sequence.joint(f"{side}_toes")[:, 1].min() > -0.03 * performer.height


def test_the_shooting_arm_is_bent_and_steep_at_the_release_as_asked():
    sequence = filmed(FreeThrow(bend=30, steepness=65))
    held = slice(start_of(sequence, "follow-through") + 1, start_of(sequence, "recovery"))
    arm = sequence.joint("right_wrist") - sequence.joint("right_shoulder")
    np.testing.assert_allclose(elbow(sequence)[held], 150, atol=1)
    np.testing.assert_allclose(np.degrees(np.arctan2(arm[held, 1], arm[held, 0])), 65, atol=1)


def test_the_wrists_are_as_high_as_asked():
    sequence = filmed(FreeThrow(ball_low=-0.4, ball_set=0.3, guide=0.2))
    at_set, held = start_of(sequence, "release"), start_of(sequence, "follow-through") + 20
    shooting, guide = (above_shoulder(sequence, "wrist", side) for side in ("right", "left"))
    assert shooting[:at_set].min() == pytest.approx(-0.4, abs=0.005)
    assert shooting[at_set] == pytest.approx(0.3, abs=0.01)
    assert guide[held] == pytest.approx(0.2, abs=0.005)


def test_the_trunk_leans_back_as_asked():
    sequence = filmed(FreeThrow(lean_back=9))
    trunk = (sequence.joint("thorax") - sequence.joint("pelvis"))[start_of(sequence, "follow-through") + 20]
    assert np.degrees(np.arctan2(-trunk[0], trunk[1])) == pytest.approx(9, abs=0.1)


def test_the_feet_stand_as_asked():
    sequence = filmed(FreeThrow(stance=0.12, stagger=0.1))
    apart = sequence.joint("right_ankle")[0] - sequence.joint("left_ankle")[0]
    np.testing.assert_allclose(apart, [0.1, 0, 2 * 0.12 * 1.75], atol=0.005)


def test_a_deeper_dip_bends_the_knees_more():
    dips = [knee(filmed(FreeThrow(dip=dip))).min() for dip in (0.06, 0.13, 0.2)]
    assert dips == sorted(dips, reverse=True)
    lowest = np.argmin(knee(filmed("free_throw")))
    assert abs(lowest - start_of(filmed("free_throw"), "rise")) < 5


def test_a_flared_elbow_is_further_out_at_the_set_point_at_the_same_height_of_the_ball():
    tucked, flared = (filmed(FreeThrow(flare=flare)) for flare in (0, 30))
    at_set = start_of(tucked, "release")
    out = [(s.joint("right_elbow") - s.joint("right_shoulder"))[at_set, 2] for s in (tucked, flared)]
    assert out[1] - out[0] > 0.08
    np.testing.assert_allclose(tucked.joint("right_wrist")[at_set], flared.joint("right_wrist")[at_set], atol=1e-4)


def test_dip_set_point_release_and_follow_through_come_in_that_order():
    sequence = filmed("free_throw")
    lowest = int(np.argmin(sequence.joint("pelvis")[:, 1]))
    most_bent = int(np.argmin(elbow(sequence)))
    release = int(np.argmax(elbow(sequence) > 150))
    assert lowest < most_bent < release
    assert above_shoulder(sequence, "wrist", "right")[-1] < 0 < above_shoulder(sequence, "wrist", "right")[most_bent]


def test_both_hands_hold_the_ball_until_the_set_point():
    sequence = filmed("free_throw")
    until = start_of(sequence, "release")
    apart = np.linalg.norm(sequence.joint("left_wrist") - sequence.joint("right_wrist"), axis=1)[:until]
    assert 0.1 < apart.min() < apart.max() < 0.3


@pytest.mark.parametrize("movement", list(extremes()))
def test_every_throw_is_smooth_finite_and_anatomical(movement):
    sequence = filmed(movement)
    assert np.isfinite(sequence.keypoints).all()
    speed = np.linalg.norm(np.diff(sequence.keypoints, axis=0), axis=2) * FPS
    assert speed.max() < 8  # m/s, the tip of the hand
    for side in SIDES:
        for angle, limits in ((knee(sequence, side), ANATOMY["knee"]), (elbow(sequence, side), ANATOMY["elbow"])):
            assert limits[0] < angle.min() < angle.max() < limits[1]
        # no knee bends backwards: it stays in front of the line from the hip to the ankle
        hip, middle, ankle = (sequence.joint(f"{side}_{part}") for part in ("hip", "knee", "ankle"))
        assert (middle - (hip + ankle) / 2)[:, 0].min() > 0


def test_the_bones_keep_their_lengths():
    sequence = filmed("free_throw")
    for joint, (parent, _, _) in TREE.items():
        length = np.linalg.norm(sequence.joint(joint) - sequence.joint(parent), axis=1)
        assert np.ptp(length) < 1e-5


def test_random_throws_follow_their_seed_and_differ_in_everything():
    one, same, other = (FreeThrow.random(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == same
    assert all(getattr(one, field.name) != getattr(other, field.name) for field in fields(FreeThrow))
    np.testing.assert_array_equal(boundaries(one), boundaries(FreeThrow()))


def test_a_throw_without_a_hop_never_leaves_the_floor():
    sequence = filmed(replace(FreeThrow(), jump=0.0))
    toes = sequence.joint("left_toes")
    np.testing.assert_allclose(toes, np.broadcast_to(toes[0], toes.shape), atol=0.01)
