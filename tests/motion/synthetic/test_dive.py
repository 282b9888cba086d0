import numpy as np
import pytest

from posediff.errors import BadSetting
from posediff.motion.synthetic import Dive, Performer, Recording, generate
from posediff.motion.synthetic.body import TREE, centre_of_mass, forward_kinematics, lateral_inertia
from posediff.motion.synthetic.movements import boundaries
from posediff.skeletons import Skeleton

FPS = 100.0
WHOLE_BODY = Skeleton("whole_body", ("pelvis", *TREE), ())
DIVES = [Dive(), Dive(0.5, "straight"), Dive(2.5, "pike", backward=True), Dive(1.0, "tuck")]


def filmed(dive, **settings):
    return generate(dive, recording=Recording(fps=FPS), skeleton=WHOLE_BODY, **settings)


def body_of(sequence):
    return {joint: sequence.joint(joint).astype(float) for joint in WHOLE_BODY.joints}


def stage(sequence, name):
    return next(slice(s.start, s.end) for s in sequence.stages if s.name == name)


@pytest.mark.parametrize("dive", DIVES)
@pytest.mark.parametrize("height", [1.6, 1.85])
def test_the_centre_of_mass_falls_freely_in_flight(dive, height):
    sequence = filmed(dive, performer=Performer(height))
    path = centre_of_mass(body_of(sequence))[stage(sequence, "flight")]
    acceleration = np.diff(path, 2, axis=0) * FPS**2
    np.testing.assert_allclose(acceleration, np.broadcast_to([0, -9.81, 0], acceleration.shape), atol=0.05)


@pytest.mark.parametrize("somersaults", [0.5, 1.0, 1.5, 2.5, 3.5])
@pytest.mark.parametrize("backward", [False, True])
def test_the_trunk_turns_as_often_as_somersaults_are_asked(somersaults, backward):
    sequence = filmed(Dive(somersaults, "tuck", backward))
    trunk = sequence.joint("spine") - sequence.joint("pelvis")
    turned = np.unwrap(np.arctan2(trunk[:, 0], trunk[:, 1]))
    count = (turned[-1] - turned[0]) / (2 * np.pi)
    assert count == pytest.approx(-somersaults if backward else somersaults, abs=0.005)


def test_angular_momentum_is_kept_in_flight():
    dive = Dive(2.5, "tuck")
    _, _, off, entry, _ = boundaries(dive)
    t = np.linspace(off + 0.05, entry - 0.05, 300)
    rate = np.gradient(dive.pitch(t), t)
    inertia = lateral_inertia(forward_kinematics(dive.pose(t), Performer()))
    np.testing.assert_allclose(rate * inertia, np.mean(rate * inertia), rtol=0.03)


def test_a_dive_with_a_half_somersault_too_many_enters_the_water_hands_first():
    last = {joint: track[-1, 1] for joint, track in body_of(filmed(Dive(1.5, "pike"))).items()}
    assert last["left_wrist"] < last["head_top"] < last["pelvis"] < last["left_ankle"]


def test_a_dive_of_whole_somersaults_enters_the_water_feet_first():
    last = {joint: track[-1, 1] for joint, track in body_of(filmed(Dive(2.0, "tuck"))).items()}
    assert last["left_ankle"] < last["pelvis"] < last["head_top"]


@pytest.mark.parametrize("dive", DIVES)
def test_the_toes_stay_on_the_board_until_take_off(dive):
    sequence = filmed(dive)
    toes = sequence.joint("left_toes")[: stage(sequence, "take-off").stop]
    np.testing.assert_allclose(toes[:, :2], np.broadcast_to([0, 3.0], (len(toes), 2)), atol=1e-5)


@pytest.mark.parametrize(("backward", "sign"), [(False, 1), (True, -1)])
def test_the_diver_travels_away_from_the_board(backward, sign):
    pelvis = filmed(Dive(backward=backward)).joint("pelvis")
    assert sign * (pelvis[-1, 0] - pelvis[0, 0]) > 0.8


def test_positions_in_flight_are_those_asked_for():
    bends = {}
    for position in ("tuck", "pike", "straight"):
        body = body_of(filmed(Dive(1.5, position)))
        at = 210  # the middle of the flight
        hip, knee = (
            np.degrees(np.arccos(np.sum(one * two) / np.linalg.norm(one) / np.linalg.norm(two)))
            for one, two in (
                (body["spine"][at] - body["pelvis"][at], body["left_knee"][at] - body["left_hip"][at]),
                (body["left_hip"][at] - body["left_knee"][at], body["left_ankle"][at] - body["left_knee"][at]),
            )
        )
        bends[position] = (hip < 90, knee < 90)
    assert bends == {"tuck": (True, True), "pike": (True, False), "straight": (False, False)}


@pytest.mark.parametrize("dive", DIVES)
def test_no_joint_jumps(dive):
    speeds = np.linalg.norm(np.diff(filmed(dive).keypoints, axis=0), axis=2) * FPS
    assert speeds.max() < 25


@pytest.mark.parametrize("settings", [{"position": "twist"}, {"somersaults": 1.3}, {"somersaults": 0.0}])
def test_an_impossible_dive_is_refused(settings):
    with pytest.raises(BadSetting):
        Dive(**settings)


def test_random_dives_follow_their_seed():
    assert Dive.random(np.random.default_rng(3)) == Dive.random(np.random.default_rng(3))
