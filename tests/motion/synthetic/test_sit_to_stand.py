import numpy as np
import pytest

from posediff.motion.angles import joint_angles
from posediff.motion.synthetic import Performer, Recording, generate
from posediff.motion.synthetic.body import TREE
from posediff.motion.synthetic.movements import boundaries
from posediff.motion.synthetic.sit_to_stand import SIT_TO_STAND_VARIATIONS, SitToStand
from posediff.motion.synthetic.variation import apply
from posediff.skeletons import Skeleton

WHOLE_BODY = Skeleton("whole_body", ("pelvis", *TREE), ())
TALL = 1.75
THIGH, SHANK = 0.245 * TALL, 0.246 * TALL


def filmed(performer=None, **parameters):
    return generate(
        SitToStand(**{"tremor": 0.0, **parameters}),
        recording=Recording(fps=50),
        skeleton=WHOLE_BODY,
        performer=performer,
    )


def part(sequence, name):
    return next(slice(stage.start, stage.end) for stage in sequence.stages if stage.name == name)


def middle(sequence, name):
    stage = part(sequence, name)
    return (stage.start + stage.stop) // 2


def angle(sequence, name):
    names, values = joint_angles(sequence)
    return values[:, names.index(name)]


def trunk(sequence):
    line = sequence.joint("thorax").astype(float) - sequence.joint("pelvis")
    return np.degrees(np.arctan2(line[:, 0], line[:, 1]))


@pytest.mark.parametrize("seat", [0.26, 0.29])
def test_the_hips_rest_on_a_seat_of_the_height_asked_for_before_and_after(seat):
    sequence = filmed(seat=seat)
    pelvis = sequence.joint("pelvis")
    for stage in ("sit", "lean", "settle", "finish"):
        np.testing.assert_allclose(pelvis[part(sequence, stage)][:, 1], seat * TALL, atol=0.003)
        np.testing.assert_allclose(pelvis[part(sequence, stage)][:, 0], pelvis[0, 0], atol=0.003)


@pytest.mark.parametrize("bend", [15, 30])
def test_the_body_stands_as_high_as_its_legs_reach(bend):
    sequence = filmed(bend=bend, stance=0.052)  # the hips are as far apart as the ankles
    reach = np.sqrt(THIGH**2 + SHANK**2 + 2 * THIGH * SHANK * np.cos(np.radians(bend)))
    height = sequence.joint("pelvis")[:, 1] - sequence.joint("left_ankle")[:, 1]
    assert height.max() == pytest.approx(reach, abs=0.003)


@pytest.mark.parametrize("joint", ["heel", "big_toe", "small_toe"])
@pytest.mark.parametrize("shift", [0.0, 0.04])
def test_the_feet_stay_flat_where_they_are(joint, shift):
    for side in ("left", "right"):
        track = filmed(shift=shift).joint(f"{side}_{joint}")
        np.testing.assert_allclose(track, np.broadcast_to(track[0], track.shape), atol=0.003)
        assert track[:, 1].min() > 0


@pytest.mark.parametrize("seed", range(4))
def test_the_feet_of_other_bodies_hardly_slip(seed):
    sequence = filmed(Performer.random(np.random.default_rng(seed)))
    for side in ("left", "right"):
        track = sequence.joint(f"{side}_ankle")
        assert np.linalg.norm(track - track.mean(axis=0), axis=1).max() < 0.03


@pytest.mark.parametrize("feet", [8, 14, 22])
def test_the_shanks_lean_as_asked_when_seated(feet):
    sequence = filmed(feet=feet, stance=0.052)
    line = (sequence.joint("left_knee") - sequence.joint("left_ankle"))[0]
    assert np.degrees(np.arctan2(line[0], line[1])) == pytest.approx(feet, abs=1.5)


def test_the_trunk_leans_as_asked_at_each_time():
    sequence = filmed(lean_up=47, lean_down=31, stoop=6)
    lean = trunk(sequence)
    seat_left = part(sequence, "rise").start
    assert lean[seat_left] == pytest.approx(47, abs=0.5)
    assert lean[middle(sequence, "stand")] == pytest.approx(6, abs=0.1)
    assert lean[part(sequence, "lower").start :].max() == pytest.approx(31, abs=0.2)


def test_shift_and_lean_go_to_the_left_while_off_the_seat_only():
    sequence = filmed(shift=0.03, side=8.0)
    pelvis, thorax = sequence.joint("pelvis"), sequence.joint("thorax")
    standing = middle(sequence, "stand")
    assert pelvis[standing, 2] == pytest.approx(-0.03 * TALL, abs=1e-3)  # the left is -z
    line = thorax[standing] - pelvis[standing]
    assert np.degrees(np.arctan2(-line[2], np.hypot(line[0], line[1]))) == pytest.approx(8, abs=0.1)
    assert np.abs(pelvis[part(sequence, "sit")][:, 2]).max() < 1e-3


def test_knees_fall_inwards_as_the_legs_bend():
    widths = []
    for knees_in in (0, 8):
        made = filmed(knees_in=knees_in)
        apart = made.joint("right_knee")[:, 2] - made.joint("left_knee")[:, 2]
        widths.append(apart[part(made, "rise").start])
    assert 0.06 < widths[0] - widths[1] < 0.2


def test_arms_are_lifted_as_far_as_asked_when_the_seat_is_left():
    sequence = filmed(arms=80)
    at = part(sequence, "rise").start
    arm = (sequence.joint("left_elbow") - sequence.joint("left_shoulder"))[at].astype(float)
    back = (sequence.joint("pelvis") - sequence.joint("thorax"))[at].astype(float)
    between = np.degrees(np.arccos(arm @ back / np.linalg.norm(arm) / np.linalg.norm(back)))
    assert between == pytest.approx(80, abs=0.5)


def test_both_sides_do_the_same():
    sequence = generate(SitToStand(tremor=0))
    mirrored = sequence.keypoints[:, sequence.skeleton.mirror_order] * np.float32([1, 1, -1])
    np.testing.assert_allclose(sequence.keypoints, mirrored, atol=1e-6)


def test_the_pause_is_as_long_as_asked():
    assert dict(SitToStand(pause=1.3).stages)["stand"] == 1.3


@pytest.mark.parametrize("seed", range(6))
def test_random_ones_follow_their_seed_and_stay_anatomical(seed):
    one, same, other = (SitToStand.random(np.random.default_rng(s)) for s in (seed, seed, seed + 100))
    assert one == same != other
    np.testing.assert_array_equal(boundaries(one), boundaries(SitToStand()))
    performer = Performer.random(np.random.default_rng(seed))
    check_anatomy(generate(one, performer=performer, recording=Recording(fps=50), skeleton=WHOLE_BODY))


@pytest.mark.parametrize("name", SIT_TO_STAND_VARIATIONS)
@pytest.mark.parametrize("amount", [-2, 2])
def test_every_variation_stays_anatomical(name, amount):
    movement, faults, tempo = apply(SitToStand(), SIT_TO_STAND_VARIATIONS, {name: amount})
    sequence = generate(movement, faults=faults, recording=Recording(fps=50, tempo=tempo), skeleton=WHOLE_BODY)
    check_anatomy(sequence)


def check_anatomy(sequence):
    """Bones keep their lengths, knees bend backwards and hips forwards, nothing jumps."""
    assert np.isfinite(sequence.keypoints).all()
    speeds = np.linalg.norm(np.diff(sequence.keypoints, axis=0), axis=2) * sequence.fps
    assert speeds.max() < 4
    for side in ("left", "right"):
        hip, knee, ankle = (sequence.joint(f"{side}_{joint}").astype(float) for joint in ("hip", "knee", "ankle"))
        for ends in ((hip, knee), (knee, ankle)):
            assert np.ptp(np.linalg.norm(ends[0] - ends[1], axis=1)) < 1e-5
        assert ((knee - (hip + ankle) / 2)[:, 0] > 0).all()
        assert 60 < angle(sequence, f"{side}_knee_angle").min() < 110
        assert 25 < angle(sequence, f"{side}_hip_angle").min() < 80
