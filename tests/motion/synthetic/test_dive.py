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


@pytest.mark.parametrize(
    ("settings", "degrees"), [({"turns": 0.5}, 720), ({"turn": 15.0}, 555), ({"turn": -15.0}, 525)]
)
@pytest.mark.parametrize("backward", [False, True])
def test_a_dive_turns_further_as_asked(settings, degrees, backward):
    dive = Dive(backward=backward, **settings)
    end = boundaries(dive)[-1:]
    assert dive.pitch(end)[0] == pytest.approx(-degrees if backward else degrees)


@pytest.mark.parametrize(
    ("parameter", "change"), [("tuck", (6.0, 0, 0)), ("legs", (0, 6.0, 0)), ("chin", (0, 0, -6.0))]
)
def test_hips_knees_and_neck_bend_further_in_the_somersault_as_asked(parameter, change):
    middle = np.array([2.1])
    found = []
    for dive in (Dive(), Dive(**{parameter: 6.0})):
        pose = dive.pose(middle)
        found.append([np.degrees(np.arctan2(pose[joint][0, 1, 0], pose[joint][0, 0, 0])) for joint in
                      ("left_hip", "left_knee", "neck")])  # fmt: skip
    np.testing.assert_allclose(np.subtract(*found[::-1]) * [1, -1, 1], change, atol=1e-6)


def test_legs_part_and_the_body_arches_in_the_entry_as_asked():
    plain, apart, arched = (body_of(filmed(dive)) for dive in (Dive(), Dive(apart=5.0), Dive(arch=10.0)))
    gap = [np.linalg.norm((body["left_ankle"] - body["right_ankle"])[-1]) for body in (plain, apart)]
    assert gap[1] - gap[0] == pytest.approx(2 * 0.491 * 1.75 * np.sin(np.radians(5)), rel=0.02)
    back = (arched["left_ankle"] - plain["left_ankle"])[-1] - (arched["left_hip"] - plain["left_hip"])[-1]
    assert np.linalg.norm(back) == pytest.approx(2 * 0.491 * 1.75 * np.sin(np.radians(5)), rel=0.02)
    assert back[0] > 0  # upside down, the diver's back is on the side that he travels to


def test_a_faster_run_out_takes_the_diver_further_and_a_longer_flight_higher():
    plain, far, high = (filmed(dive).joint("pelvis") for dive in (Dive(), Dive(distance=0.2), Dive(flight=1.45)))
    assert (far - plain)[-1, 0] == pytest.approx(0.2 * (1.4 + 0.35), abs=0.01)
    assert high[:, 1].max() > plain[:, 1].max() + 0.1
