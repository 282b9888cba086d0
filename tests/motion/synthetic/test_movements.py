import numpy as np
import pytest

from posediff.motion.angles import joint_angles
from posediff.motion.synthetic import Fault, Performer, Recording, Squat, Swing, generate
from posediff.motion.synthetic.movements import boundaries, curve
from posediff.sequence import PoseSequence


def wander(sequence: PoseSequence, joint: str) -> float:
    """Largest distance of a joint from its mean place, in metres."""
    track = sequence.joint(joint)
    return float(np.linalg.norm(track - track.mean(axis=0), axis=1).max())


def angle(sequence: PoseSequence, name: str) -> np.ndarray:
    names, values = joint_angles(sequence)
    return values[:, names.index(name)]


def test_a_curve_goes_through_its_key_values_and_never_beyond_them():
    times, values = [0.0, 1.0, 1.5, 3.0], [0.0, 10.0, 10.0, -5.0]
    np.testing.assert_allclose(curve(np.array(times), times, values), values, atol=1e-12)
    course = curve(np.linspace(-1, 4, 200), times, values)
    assert course.min() >= -5
    assert course.max() <= 10


@pytest.mark.parametrize("movement", [Squat(), Squat(depth=0.44, lean=30), Swing(), Swing(coil=80, lean=42)])
@pytest.mark.parametrize("joint", ["ankle", "toes", "heel"])
def test_the_feet_of_the_average_body_stay_where_they_are(movement, joint):
    sequence = generate(movement, skeleton="halpe26")
    parts = {"ankle": "ankle", "toes": "big_toe", "heel": "heel"}
    assert max(wander(sequence, f"{side}_{parts[joint]}") for side in ("left", "right")) < 0.012


@pytest.mark.parametrize("movement", ["squat", "swing"])
@pytest.mark.parametrize("seed", range(3))
def test_the_feet_of_other_bodies_hardly_slip(movement, seed):
    sequence = generate(movement, performer=Performer.random(np.random.default_rng(seed)))
    assert max(wander(sequence, f"{side}_ankle") for side in ("left", "right")) < 0.03


def test_a_fault_of_one_leg_leaves_the_other_foot_on_the_floor_and_none_below_it():
    faulty = generate("squat", faults=[Fault("left_knee", 25, "bottom")])
    assert wander(faulty, "right_ankle") < 0.012
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


def test_the_chest_turns_away_from_the_target_as_asked_and_then_past_it():
    sequence = generate(Swing(coil=90, lean=0))
    across = sequence.joint("right_shoulder") - sequence.joint("left_shoulder")
    turned = np.degrees(np.unwrap(np.arctan2(across[:, 0], across[:, 2])))
    assert turned.min() == pytest.approx(-90, abs=1)
    assert turned[-1] == pytest.approx(100, abs=1)


def test_both_hands_hold_the_club_throughout_a_swing():
    sequence = generate("swing")
    apart = np.linalg.norm(sequence.joint("left_wrist") - sequence.joint("right_wrist"), axis=1)
    assert apart.max() < 0.03


def test_a_swing_goes_from_the_right_of_the_body_to_its_left():
    sequence = generate("swing")
    hands = sequence.joint("left_wrist")[:, 2] - sequence.joint("pelvis")[:, 2]
    top, impact, _ = (sequence.stages[index].end for index in (1, 2, 3))
    assert hands[top - 1] > 0.2
    assert hands[-1] < 0
    assert sequence.joint("left_wrist")[top, 1] > sequence.joint("left_wrist")[impact, 1] + 0.4


@pytest.mark.parametrize("kind", [Squat, Swing])
def test_random_patterns_follow_their_seed_and_keep_the_stages(kind):
    one, same, other = (kind.random(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == same != other
    np.testing.assert_array_equal(boundaries(one), boundaries(kind()))


@pytest.mark.parametrize("movement", ["squat", "swing"])
def test_no_joint_jumps(movement):
    sequence = generate(movement, recording=Recording(fps=200))
    speeds = np.linalg.norm(np.diff(sequence.keypoints, axis=0), axis=2) * 200
    assert speeds.max() < 12  # m/s, the hands in the downswing
