import numpy as np
import pytest

from posediff.motion.synthetic import MOVEMENTS, VARIATIONS, Movement, Performer, Recording, Squat, Swing, generate
from posediff.motion.synthetic.movements import boundaries, curve
from posediff.motion.synthetic.variation import apply
from posediff.sequence import PoseSequence


def wander(sequence: PoseSequence, joint: str) -> float:
    """Largest distance of a joint from its mean place, in metres."""
    track = sequence.joint(joint)
    return float(np.linalg.norm(track - track.mean(axis=0), axis=1).max())


def test_a_curve_goes_through_its_key_values_and_never_beyond_them():
    times, values = [0.0, 1.0, 1.5, 3.0], [0.0, 10.0, 10.0, -5.0]
    np.testing.assert_allclose(curve(np.array(times), times, values), values, atol=1e-12)
    course = curve(np.linspace(-1, 4, 200), times, values)
    assert course.min() >= -5
    assert course.max() <= 10


def extremes(name: str) -> list[Movement]:
    """The movement with each of its variations, twice as much as is clearly visible."""
    table = VARIATIONS[name]
    return [apply(MOVEMENTS[name](), table, {one: sign * 2.0})[0] for one in table for sign in (-1, 1)]


@pytest.mark.parametrize("movement", [Squat(depth=0.44, lean=30), Swing(coil=80, lean=42)])
@pytest.mark.parametrize("joint", ["ankle", "toes", "heel"])
def test_the_feet_of_the_average_body_stay_where_they_are(movement, joint):
    sequence = generate(movement, skeleton="halpe26")
    parts = {"ankle": "ankle", "toes": "big_toe", "heel": "heel"}
    assert max(wander(sequence, f"{side}_{parts[joint]}") for side in ("left", "right")) < 0.012


@pytest.mark.parametrize("name", ["squat", "swing"])
def test_the_feet_stay_where_they_are_whatever_else_varies(name):
    recording = Recording(fps=10)
    sequences = [generate(movement, recording=recording) for movement in extremes(name)]
    assert max(wander(sequence, f"{side}_ankle") for sequence in sequences for side in ("left", "right")) < 0.03


@pytest.mark.parametrize("name", ["squat", "swing", "dive"])
def test_knees_and_elbows_never_bend_backwards(name):
    for movement in extremes(name):
        pose = movement.pose(np.linspace(0, boundaries(movement)[-1], 60))
        for side in ("left", "right"):
            knee, elbow = (pose[f"{side}_{joint}"] for joint in ("knee", "elbow"))
            assert min((-knee[:, 1, 0]).min(), elbow[:, 1, 0].min()) > -1e-9


@pytest.mark.parametrize("movement", ["squat", "swing"])
@pytest.mark.parametrize("seed", range(3))
def test_the_feet_of_other_bodies_hardly_slip(movement, seed):
    sequence = generate(movement, performer=Performer.random(np.random.default_rng(seed)))
    assert max(wander(sequence, f"{side}_ankle") for side in ("left", "right")) < 0.03


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
