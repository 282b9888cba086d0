import numpy as np
import pytest

from posediff.errors import BadSetting
from posediff.motion.angles import joint_angles
from posediff.motion.synthetic import Performer, Recording, generate
from posediff.motion.synthetic.body import TREE
from posediff.motion.synthetic.lunge import LUNGE_VARIATIONS, Lunge
from posediff.motion.synthetic.movements import boundaries
from posediff.motion.synthetic.variation import apply
from posediff.skeletons import Skeleton

WHOLE_BODY = Skeleton("whole_body", ("pelvis", *TREE), ())
TALL = 1.75
STEADY = Lunge(tremor=0.0)


def filmed(movement=STEADY, **settings):
    return generate(movement, recording=Recording(fps=50), skeleton=WHOLE_BODY, **settings)


def bottom(sequence):
    stage = next(stage for stage in sequence.stages if stage.name == "bottom")
    return (stage.start + stage.end) // 2


def places(sequence, frame):
    """The joints at a frame, x forwards, y up, z to the right."""
    return {joint: sequence.joint(joint)[frame].astype(float) for joint in WHOLE_BODY.joints}


def angle(sequence, name):
    names, values = joint_angles(sequence)
    return values[:, names.index(name)]


@pytest.mark.parametrize("step", [0.45, 0.53, 0.6])
def test_the_front_foot_lands_where_the_length_of_the_step_says(step):
    sequence = filmed(Lunge(step=step, tremor=0))
    heel = sequence.joint("right_heel")[:, 0]
    assert heel[bottom(sequence)] - heel[0] == pytest.approx(step * TALL, abs=0.003)
    assert heel[-1] == pytest.approx(heel[0], abs=1e-4)


def test_the_back_foot_rolls_over_toes_that_stay_in_their_place():
    sequence = filmed()
    toes = sequence.joint("left_toes")
    assert np.linalg.norm(toes - toes[0], axis=1).max() < 0.005
    heel = sequence.joint("left_heel")[:, 1]
    assert heel[bottom(sequence)] - heel[0] > 0.1


@pytest.mark.parametrize("movement", [STEADY, Lunge(depth=0.35), Lunge(depth=0.5, step=0.58)])
def test_nothing_goes_through_the_floor(movement):
    assert filmed(movement).keypoints[..., 1].min() > -0.01  # toes do not bend, their tips dip


@pytest.mark.parametrize("seed", range(4))
def test_the_planted_front_foot_of_other_bodies_hardly_slips(seed):
    sequence = filmed(performer=Performer.random(np.random.default_rng(seed)))
    down = slice(*(stage.start for stage in sequence.stages if stage.name in ("lowering", "return")))
    ankle = sequence.joint("right_ankle")[down]
    assert np.linalg.norm(ankle - ankle.mean(axis=0), axis=1).max() < 0.03


@pytest.mark.parametrize("depth", [0.36, 0.44, 0.48])
def test_the_back_knee_is_where_the_circles_about_hip_and_ankle_meet(depth):
    sequence = filmed(Lunge(depth=depth, stance=0.052, tremor=0))  # the hips are as far apart: the legs move in planes
    at = places(sequence, bottom(sequence))
    hip, ankle = at["left_hip"], at["left_ankle"]
    thigh, shank = 0.245 * TALL, 0.246 * TALL
    turn = np.linspace(-np.pi, np.pi, 100001)
    circle = ankle[:2] + shank * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    across, along = circle[:, 0] - ankle[0], hip[:2] - ankle[:2]
    ahead = across * along[1] - (circle[:, 1] - ankle[1]) * along[0] > 0  # of the line from ankle to hip
    misses = np.abs(np.linalg.norm(circle - hip[:2], axis=1) - thigh)
    best = circle[ahead][misses[ahead].argmin()]
    np.testing.assert_allclose(at["left_knee"][:2], best, atol=0.01)


def test_the_back_knee_nearly_touches_the_floor_and_comes_lower_in_a_deeper_lunge():
    heights = [places(made, bottom(made))["left_knee"][1] for made in (filmed(Lunge(depth=d)) for d in (0.38, 0.44))]
    assert 0.05 < heights[1] < 0.15
    assert heights[0] > heights[1] + 0.03


def test_the_pelvis_sinks_as_deep_as_asked():
    sequence = filmed(Lunge(depth=0.4, tremor=0))
    pelvis = sequence.joint("pelvis")[:, 1]
    assert pelvis[0] - pelvis.min() == pytest.approx(0.4 * (0.245 + 0.246) * TALL, abs=0.004)


@pytest.mark.parametrize("shin", [-5, 6, 15])
def test_the_front_shank_leans_as_asked_at_the_bottom(shin):
    sequence = filmed(Lunge(shin=shin, stance=0.052, tremor=0))
    at = places(sequence, bottom(sequence))
    line = at["right_knee"] - at["right_ankle"]
    assert np.degrees(np.arctan2(line[0], line[1])) == pytest.approx(shin, abs=1.0)


@pytest.mark.parametrize(("changes", "low", "high", "axes", "degrees"), [
    ({"lean": 20.0}, "pelvis", "thorax", (0, 1), 20),
    ({"side": 9.0, "lean": 0.0}, "pelvis", "thorax", (2, 1), 9),
    ({"drop": 7.0, "lean": 0.0}, "left_hip", "right_hip", (1, 2), 7),
    ({"twist": 12.0, "lean": 0.0}, "right_shoulder", "left_shoulder", (0, 2), 180 - 12),
])  # fmt: skip
def test_trunk_and_pelvis_turn_as_asked_at_the_bottom(changes, low, high, axes, degrees):
    sequence = filmed(Lunge(tremor=0, **changes))
    at = places(sequence, bottom(sequence))
    line = at[high] - at[low]
    assert np.degrees(np.arctan2(line[axes[0]], line[axes[1]])) == pytest.approx(degrees, abs=0.1)


def test_a_knee_falls_inwards_past_the_line_from_hip_to_foot():
    tracks = []
    for knee_in in (0, 10):
        made = filmed(Lunge(knee_in=knee_in, tremor=0))
        tracks.append(places(made, bottom(made)))
    inwards = tracks[0]["right_knee"][2] - tracks[1]["right_knee"][2]  # the right side is +z
    assert 0.03 < inwards < 0.1
    np.testing.assert_allclose(tracks[0]["right_ankle"], tracks[1]["right_ankle"], atol=1e-3)


def test_a_lunge_with_the_other_leg_is_the_mirror_image():
    right, left = (
        generate(Lunge(front=side, side=6, drop=4, knee_in=5, twist=7, tremor=0)) for side in ("right", "left")
    )
    mirrored = left.keypoints[:, left.skeleton.mirror_order] * np.float32([1, 1, -1])
    np.testing.assert_allclose(right.keypoints, mirrored, atol=1e-5)


@pytest.mark.parametrize("seed", range(6))
def test_random_lunges_follow_their_seed_and_stay_anatomical(seed):
    one, same, other = (Lunge.random(np.random.default_rng(s)) for s in (seed, seed, seed + 100))
    assert one == same != other
    np.testing.assert_array_equal(boundaries(one), boundaries(Lunge()))
    check_anatomy(filmed(one, performer=Performer.random(np.random.default_rng(seed))))


@pytest.mark.parametrize("name", LUNGE_VARIATIONS)
@pytest.mark.parametrize("amount", [-2, 2])
def test_every_variation_stays_anatomical(name, amount):
    movement, faults, tempo = apply(Lunge(), LUNGE_VARIATIONS, {name: amount})
    sequence = generate(movement, faults=faults, recording=Recording(fps=50, tempo=tempo), skeleton=WHOLE_BODY)
    check_anatomy(sequence)


def check_anatomy(sequence):
    """Bones keep their lengths, knees bend backwards and elbows forwards, nothing jumps."""
    assert np.isfinite(sequence.keypoints).all()
    speeds = np.linalg.norm(np.diff(sequence.keypoints, axis=0), axis=2) * sequence.fps
    assert speeds.max() < 5
    for side in ("left", "right"):
        hip, knee, ankle = (sequence.joint(f"{side}_{joint}").astype(float) for joint in ("hip", "knee", "ankle"))
        for ends in ((hip, knee), (knee, ankle)):
            assert np.ptp(np.linalg.norm(ends[0] - ends[1], axis=1)) < 1e-5
        assert angle(sequence, f"{side}_knee_angle").min() > 40
        straight = hip + (ankle - hip) * 0.5
        assert ((knee - straight)[:, 0] > 0).all()
        assert (angle(sequence, f"{side}_elbow_angle") < 180).all()


def test_a_leg_that_there_is_not_is_refused():
    with pytest.raises(BadSetting, match="middle"):
        Lunge(front="middle")
