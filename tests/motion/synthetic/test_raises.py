import numpy as np
import pytest

from posediff.motion.synthetic import Performer, Recording, generate
from posediff.motion.synthetic.body import TREE
from posediff.motion.synthetic.movements import boundaries
from posediff.motion.synthetic.raises import (
    FRONT_RAISE_VARIATIONS,
    SHOULDER_RAISE_VARIATIONS,
    FrontRaise,
    ShoulderRaise,
)
from posediff.motion.synthetic.variation import apply
from posediff.skeletons import Skeleton

WHOLE_BODY = Skeleton("whole_body", ("pelvis", *TREE), ())
TALL = 1.75
KINDS = {ShoulderRaise: SHOULDER_RAISE_VARIATIONS, FrontRaise: FRONT_RAISE_VARIATIONS}
BOTH = pytest.mark.parametrize("kind", KINDS)


def filmed(kind, fps=50.0, performer=None, **parameters):
    """Without tremor and swing, unless they are asked for."""
    usual = {"tremor": 0.0, "swing": 0.0} if kind is FrontRaise else {"tremor": 0.0}
    movement = kind(**{**usual, **parameters})
    return generate(movement, recording=Recording(fps=fps), skeleton=WHOLE_BODY, performer=performer)


def start(sequence, name):
    return next(stage.start for stage in sequence.stages if stage.name == name)


def line(sequence, low, high):
    return sequence.joint(high).astype(float) - sequence.joint(low)


def elevation(sequence, side):
    """(T,) degrees of the upper arm from hanging straight down."""
    arm = line(sequence, f"{side}_shoulder", f"{side}_elbow")
    return np.degrees(np.arctan2(np.hypot(arm[:, 0], arm[:, 2]), -arm[:, 1]))


def interior(sequence, a, b, c):
    one, two = line(sequence, b, a), line(sequence, b, c)
    cosine = (one * two).sum(axis=1) / np.linalg.norm(one, axis=1) / np.linalg.norm(two, axis=1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


@pytest.mark.parametrize(
    ("kind", "degrees"), [(ShoulderRaise, 90), (ShoulderRaise, 150), (FrontRaise, 75), (FrontRaise, 95)]
)
def test_both_arms_are_raised_as_high_as_asked_and_held_there(kind, degrees):
    sequence = filmed(kind, elevation=degrees, lean=0)
    held = slice(start(sequence, "hold"), start(sequence, "lower"))
    for side in ("left", "right"):
        np.testing.assert_allclose(elevation(sequence, side)[held], degrees, atol=0.1)
        assert elevation(sequence, side).max() < degrees + 0.1


@pytest.mark.parametrize(
    ("kind", "plane"), [(ShoulderRaise, 65), (ShoulderRaise, 90), (FrontRaise, 0), (FrontRaise, 25)]
)
def test_the_arms_are_raised_in_the_plane_asked_for(kind, plane):
    sequence = filmed(kind, plane=plane, elevation=90, elbow=0)
    for side, outwards in (("left", -1), ("right", 1)):
        arm = line(sequence, f"{side}_shoulder", f"{side}_wrist")[start(sequence, "hold") + 5]
        assert np.degrees(np.arctan2(outwards * arm[2], arm[0])) == pytest.approx(plane, abs=1.0)


@BOTH
def test_the_elbows_bend_as_asked_towards_overhead_in_the_plane_of_the_arms(kind):
    sequence = filmed(kind, elbow=30, elevation=90, lean=0)
    at = start(sequence, "hold") + 5
    for side in ("left", "right"):
        bent = interior(sequence, f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
        assert bent[at] == pytest.approx(150, abs=0.1)
        forearm = line(sequence, f"{side}_elbow", f"{side}_wrist")[at]
        assert np.degrees(np.arcsin(forearm[1] / np.linalg.norm(forearm))) == pytest.approx(30, abs=0.2)


@BOTH
def test_the_left_arm_is_raised_higher_by_what_is_asked(kind):
    sequence = filmed(kind, uneven=14)
    at = start(sequence, "hold") + 5
    assert elevation(sequence, "left")[at] - elevation(sequence, "right")[at] == pytest.approx(14, abs=0.2)


@BOTH
def test_the_left_arm_comes_later_by_what_is_asked(kind):
    sequence = filmed(kind, fps=500, lag=0.2)
    half = [np.argmax(elevation(sequence, side) > 50) / 500 for side in ("left", "right")]
    assert half[0] - half[1] == pytest.approx(0.2, abs=0.005)


@pytest.mark.parametrize(("changes", "low", "high", "axis", "degrees"), [
    ({"lean": -9.0}, "pelvis", "thorax", 0, -9), ({"side": 7.0}, "pelvis", "thorax", 2, -7),
    ({"head": 25.0}, "upper_neck", "head_top", 0, 25), ({"tilt": 15.0, "head": 0.0}, "upper_neck", "head_top", 2, -15),
])  # fmt: skip
def test_trunk_and_head_lean_as_asked_with_the_arms_up(changes, low, high, axis, degrees):
    sequence = filmed(ShoulderRaise, **changes)
    leaning = line(sequence, low, high)[start(sequence, "hold") + 5]
    assert np.degrees(np.arctan2(leaning[axis], leaning[1])) == pytest.approx(degrees, abs=0.1)


def test_the_trunk_swings_back_while_the_arms_rise_and_no_longer():
    sequence = filmed(FrontRaise, fps=200, swing=10, lean=3)
    back = line(sequence, "pelvis", "thorax")
    lean = np.degrees(np.arctan2(back[:, 0], back[:, 1]))
    raising, hold = start(sequence, "raise"), start(sequence, "hold")
    assert lean.min() == pytest.approx(3 - 10, abs=0.1)
    assert raising < lean.argmin() < hold
    np.testing.assert_allclose(np.r_[lean[:raising], lean[hold + 1 :]], 3, atol=0.1)


def test_arms_hang_and_rise_against_the_vertical_whatever_the_lean():
    one, other = (filmed(FrontRaise, lean=lean, plane=0) for lean in (0, 15))
    np.testing.assert_allclose(elevation(one, "left"), elevation(other, "left"), atol=0.1)


def test_arms_stop_where_they_are_asked_to_rest():
    sequence = filmed(FrontRaise, rest=25, lean=0)
    assert elevation(sequence, "right")[[0, -1]] == pytest.approx([25, 25], abs=0.1)


@pytest.mark.parametrize("knees", [18, 40])
def test_the_knees_are_bent_as_asked(knees):
    sequence = filmed(FrontRaise, knees=knees)
    np.testing.assert_allclose(interior(sequence, "left_hip", "left_knee", "left_ankle"), 180 - knees, atol=1)


@pytest.mark.parametrize("stance", [0.05, 0.11])
def test_the_feet_are_as_far_apart_as_asked(stance):
    sequence = filmed(ShoulderRaise, stance=stance)
    np.testing.assert_allclose(line(sequence, "left_ankle", "right_ankle")[:, 2], 2 * stance * TALL, atol=0.005)


@BOTH
@pytest.mark.parametrize("joint", ["heel", "big_toe", "small_toe"])
def test_the_feet_stay_on_the_floor_where_they_are(kind, joint):
    for side in ("left", "right"):
        track = filmed(kind, performer=Performer.random(np.random.default_rng(3))).joint(f"{side}_{joint}")
        np.testing.assert_allclose(track, np.broadcast_to(track[0], track.shape), atol=0.001)
        assert track[:, 1].min() > -0.01


@BOTH
def test_both_sides_do_the_same(kind):
    sequence = generate(kind(tremor=0))
    mirrored = sequence.keypoints[:, sequence.skeleton.mirror_order] * np.float32([1, 1, -1])
    np.testing.assert_allclose(sequence.keypoints, mirrored, atol=1e-6)


@BOTH
def test_a_tremor_shakes_the_arms_that_are_up_only(kind):
    still, shaking = filmed(kind, fps=100), filmed(kind, fps=100, tremor=2.0)
    shaken = elevation(shaking, "left") - elevation(still, "left")
    hold = slice(start(still, "hold"), start(still, "lower"))
    assert np.abs(shaken[hold]).max() == pytest.approx(2, abs=0.1)
    assert np.abs(shaken[: start(still, "raise")]).max() < 0.1


@BOTH
@pytest.mark.parametrize("seed", range(4))
def test_random_ones_follow_their_seed_and_stay_anatomical(kind, seed):
    one, same, other = (kind.random(np.random.default_rng(s)) for s in (seed, seed, seed + 100))
    assert one == same != other
    np.testing.assert_array_equal(boundaries(one), boundaries(kind()))
    performer = Performer.random(np.random.default_rng(seed))
    check_anatomy(generate(one, performer=performer, recording=Recording(fps=50), skeleton=WHOLE_BODY))


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in KINDS.items() for name in names])
@pytest.mark.parametrize("amount", [-2, 2])
def test_every_variation_stays_anatomical(kind, name, amount):
    movement, faults, tempo = apply(kind(), KINDS[kind], {name: amount})
    recording = Recording(fps=50, tempo=tempo)
    check_anatomy(generate(movement, faults=faults, recording=recording, skeleton=WHOLE_BODY))


def check_anatomy(sequence):
    """Bones keep their lengths, elbows bend and never backwards, nothing jumps."""
    assert np.isfinite(sequence.keypoints).all()
    speeds = np.linalg.norm(np.diff(sequence.keypoints, axis=0), axis=2) * sequence.fps
    assert speeds.max() < 6
    for side, outwards in (("left", -1), ("right", 1)):
        shoulder, elbow, wrist = (
            sequence.joint(f"{side}_{joint}").astype(float) for joint in ("shoulder", "elbow", "wrist")
        )
        for ends in ((shoulder, elbow), (elbow, wrist)):
            assert np.ptp(np.linalg.norm(ends[0] - ends[1], axis=1)) < 1e-5
        assert elevation(sequence, side).max() < 175
        assert (outwards * (elbow - shoulder)[:, 2] > -0.1).all()
        thumb = line(sequence, f"{side}_wrist", f"{side}_thumb")
        assert (((wrist - elbow) * thumb).sum(axis=1) > 0).all()
        hinge = np.cross(elbow - shoulder, wrist - elbow)
        # A bent elbow brings the hand to the side that the thumb is on when the arm is straight.
        assert (np.einsum("td,td->t", np.cross(elbow - shoulder, thumb), hinge) > 0).all()
