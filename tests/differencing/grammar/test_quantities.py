from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.compare import Settings
from posediff.compare.prepare import prepare
from posediff.differencing.grammar import quantities
from posediff.differencing.grammar.quantities import QUANTITIES, Scene
from posediff.differencing.grammar.vocabulary import Unmeasurable
from posediff.motion.synthetic import Recording, generate
from tests.differencing.bodies import body, mirrored, standing
from tests.fixtures.performances import perform, without

TIME = np.arange(100) / 25
PHASE = 2 * np.pi * TIME
#: Swings in the sagittal plane about the pelvis with an amplitude of 40 degrees, once in two seconds, two long.
SWING = np.radians(40) * np.sin(np.pi * TIME)
PENDULUM = 2 * np.stack([0 * TIME, np.cos(SWING), np.sin(SWING)], axis=1)
CIRCLE = 0.5 * np.stack([np.cos(PHASE), 0 * PHASE, -np.sin(PHASE)], axis=1)


def scene(**tracks):
    return Scene(body(tracks))


def values(name, *joints, **tracks):
    return QUANTITIES[name].of(scene(**tracks), *joints)


@pytest.mark.parametrize(
    ("name", "joints", "expected"),
    [
        ("height", ("thorax", "pelvis"), 1.0),
        ("height", ("left_ankle", "left_knee"), -0.85),
        ("forward", ("nose", "left_ear"), 0.2),
        ("leftward", ("left_knee", "right_knee"), 0.4),
        ("outward", ("left_knee", "pelvis"), 0.2),
        ("outward", ("right_knee", "pelvis"), 0.2),
        ("outward", ("right_ankle", "left_ankle"), 0.4),
        ("distance", ("left_wrist", "right_wrist"), 0.8),
        ("distance", ("left_shoulder", "right_hip"), np.hypot(0.6, 1.0)),
        ("angle", ("left_hip", "left_knee", "left_ankle"), 180.0),
        ("angle", ("left_shoulder", "thorax", "head_top"), 90.0),
        ("lean", ("pelvis", "thorax"), 0.0),
        ("lean", ("right_shoulder", "left_shoulder"), 90.0),
        ("lean", ("left_knee", "left_ankle"), 180.0),
        ("side_lean", ("right_hip", "left_shoulder"), np.degrees(np.arctan2(0.6, 1.0))),
        ("forward_lean", ("left_ear", "nose"), np.degrees(np.arctan2(0.2, -0.05))),
        ("rotation", ("right_hip", "left_hip"), 0.0),
        ("rotation", ("left_hip", "right_hip"), 180.0),
        ("speed", ("left_wrist", "pelvis"), 0.0),
        ("lift", ("left_wrist",), 0.0),
        ("travel", ("left_wrist",), 0.0),
        ("trunk_rotation", (), 0.0),
    ],
)
def test_quantities_of_somebody_who_stands(name, joints, expected):
    found = QUANTITIES[name].of(Scene(standing(frames=4)), *joints)
    np.testing.assert_allclose(found, np.full(4, expected), atol=1e-5)


def test_a_pendulum_leans_as_it_swings():
    np.testing.assert_allclose(
        values("forward_lean", "pelvis", "thorax", thorax=PENDULUM), np.degrees(SWING), atol=1e-4
    )
    np.testing.assert_allclose(values("lean", "pelvis", "thorax", thorax=PENDULUM), np.degrees(abs(SWING)), atol=1e-4)
    sideways = PENDULUM[:, [2, 1, 0]]
    np.testing.assert_allclose(values("side_lean", "pelvis", "thorax", thorax=sideways), np.degrees(SWING), atol=1e-4)
    np.testing.assert_allclose(values("forward_lean", "pelvis", "thorax", thorax=sideways), 0, atol=1e-4)


@pytest.mark.parametrize("sway", [2, -2])
def test_a_hanging_line_is_half_a_turn_whichever_way_it_sways(sway):
    hanging = [0, -np.cos(np.radians(sway)), -np.sin(np.radians(sway))]
    assert values("forward_lean", "pelvis", "left_ankle", left_ankle=hanging)[0] == pytest.approx(180 + sway, abs=1e-4)


@pytest.mark.parametrize("direction", [1, -1])
def test_somersaults_count_on_and_turned_counts_them_alike(direction):
    turn = 2 * direction * PHASE + 0.3
    head = np.stack([0 * turn, np.cos(turn), np.sin(turn)], axis=1)
    leant = values("forward_lean", "pelvis", "thorax", thorax=head)
    np.testing.assert_allclose(leant, np.degrees(turn), atol=1e-3)
    np.testing.assert_allclose(values("turned", "pelvis", "thorax", thorax=head), 720 * TIME, atol=1e-3)


def test_turned_in_a_picture_needs_no_facing():
    head = np.stack([np.sin(PHASE), -np.cos(PHASE)], axis=1)
    np.testing.assert_allclose(values("turned", "pelvis", "thorax", thorax=head), 360 * TIME, atol=1e-3)


def test_turning_to_the_left_is_a_positive_rotation():
    np.testing.assert_allclose(values("rotation", "pelvis", "left_hip", left_hip=CIRCLE), 360 * TIME, atol=1e-3)


def test_shoulders_that_turn_to_the_left_against_the_hips_are_a_positive_trunk_rotation():
    turn = np.radians(30)
    shoulder = 0.4 * np.array([np.cos(turn), 0, -np.sin(turn)])
    middle = np.array([0.0, 1, 0])
    turned = standing(left_shoulder=middle + shoulder, right_shoulder=middle - shoulder)
    assert QUANTITIES["trunk_rotation"].of(Scene(turned))[0] == pytest.approx(30, abs=1e-3)


def test_speed_on_a_circle_is_that_of_chords_over_the_window():
    found = values("speed", "left_wrist", "pelvis", left_wrist=CIRCLE)
    step = 2 * np.pi / 25  # three frames are a tenth of a second at this rate
    np.testing.assert_allclose(found, np.pi * np.sin(step) / step, rtol=1e-5)


@pytest.mark.parametrize(("fps", "frames"), [(25, 3), (30, 5), (50, 5), (100, 11), (240, 25)])
def test_a_rate_is_the_slope_of_a_line_through_a_tenth_of_a_second(fps, frames):
    impulse = np.zeros(101)
    impulse[50] = 1
    one = Scene(body({"left_wrist": np.zeros((101, 3))}, fps=fps))
    response = one.rate(impulse)
    offsets = 50 - np.arange(101)
    inside = abs(offsets) <= frames // 2
    lines = [np.polyfit(np.arange(frames) / fps, one_value, 1)[0] for one_value in np.eye(frames)[::-1]]
    np.testing.assert_allclose(response[inside], lines, atol=1e-9)
    np.testing.assert_allclose(response[~inside], 0, atol=1e-9)


@given(st.floats(-3, 3), st.floats(-3, 3), st.integers(2, 30), st.floats(10, 120))
def test_the_rate_of_a_ramp_is_its_slope_everywhere(slope, start, count, fps):
    one = Scene(body({"left_wrist": np.zeros((count, 3))}, fps=fps))
    np.testing.assert_allclose(one.rate(start + slope * np.arange(count) / fps), slope, atol=1e-6)


def test_one_frame_has_no_rate():
    with pytest.raises(Unmeasurable, match="one frame shows no movement"):
        QUANTITIES["speed"].of(Scene(standing()), "left_wrist", "pelvis")


def test_lift_and_travel_are_those_in_the_room_since_the_start():
    since = np.maximum(TIME - 0.2, 0)
    path = np.stack([3 * since, 1.5 * since, 4 * since], axis=1)
    one = Scene(body({"left_wrist": np.broadcast_to([0.2, 0.5, 0.1], (len(TIME), 3))}, path=path))
    for joint in ("pelvis", "left_wrist"):
        np.testing.assert_allclose(QUANTITIES["lift"].of(one, joint), 1.5 * since, atol=1e-6)
        np.testing.assert_allclose(QUANTITIES["travel"].of(one, joint), 5 * since, atol=1e-6)


def test_places_in_the_room_do_not_depend_on_how_the_path_was_shortened():
    path = np.stack([3 * TIME, 1.5 * TIME, 4 * TIME], axis=1)
    still = {"left_wrist": np.zeros((len(TIME), 3))}
    long, short = body(still, path=path), replace(body(still, path=path * 0.25), path_scale=0.25)
    for name in ("lift", "travel"):
        found = [QUANTITIES[name].of(Scene(one), "pelvis") for one in (long, short)]
        np.testing.assert_allclose(*found, atol=1e-6)


@pytest.mark.parametrize("name", ["lift", "travel"])
def test_the_room_is_not_known_in_pictures(name):
    with pytest.raises(Unmeasurable, match="needs 3D"):
        values(name, "left_wrist", left_wrist=[1.0, 1.0])


@pytest.mark.parametrize(("name", "joints"), [("rotation", ("left_hip", "right_hip")), ("trunk_rotation", ())])
def test_turns_about_the_vertical_are_not_seen_in_pictures(name, joints):
    with pytest.raises(Unmeasurable, match=f"{name} needs 3D"):
        values(name, *joints, left_hip=[1.0, 1.0])


CASES = [(name, quantity.joints[1]) for name, quantity in QUANTITIES.items()]
SIGNS = {"leftward": -1, "side_lean": -1, "trunk_rotation": -1}


@pytest.mark.parametrize(("name", "count"), CASES)
@pytest.mark.parametrize("movement", ["squat", "swing"])
def test_a_mirror_exchanges_left_and_right(name, count, movement):
    one = prepare(perform(movement), Settings()).turned(np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]]))
    left = ("left_wrist", "left_hip", "thorax")[:count]
    right = tuple(joint.replace("left", "right") for joint in left)
    found, other = QUANTITIES[name].of(Scene(one), *left), QUANTITIES[name].of(Scene(mirrored(one)), *right)
    if name == "rotation":
        found = 180 - found  # counted from the performer's left in either case
    np.testing.assert_allclose(other, SIGNS.get(name, 1) * found, atol=2e-3)


@pytest.mark.parametrize(
    ("name", "azimuth"),
    [
        *((name, 0.0) for name in ("height", "forward", "forward_lean", "turned")),
        *((name, 90.0) for name in ("height", "leftward", "outward", "side_lean")),
    ],
)
def test_a_picture_from_the_right_place_shows_what_the_body_does(name, azimuth):
    joints = ("left_wrist", "left_ankle")
    picture = prepare(generate("squat", recording=Recording(view="2d", azimuth=azimuth)), Settings())
    solid = prepare(perform("squat"), Settings()).turned(np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]]))
    found, expected = (QUANTITIES[name].of(Scene(one), *joints) for one in (picture, solid))
    np.testing.assert_allclose(found, expected, atol=0.03 * max(1.0, abs(expected).max()))


@pytest.mark.parametrize("azimuth", [0.0, 180.0])
def test_forward_is_where_the_body_faces_in_either_picture(azimuth):
    picture = generate("squat", recording=Recording(view="2d", azimuth=azimuth))
    one = Scene(prepare(picture, Settings()))
    assert QUANTITIES["forward"].of(one, "left_wrist", "left_shoulder").max() > 0.8
    assert QUANTITIES["forward_lean"].of(one, "pelvis", "thorax").max() == pytest.approx(36, abs=2)


@pytest.mark.parametrize("azimuth", [90.0, 270.0])
def test_left_is_the_performer_s_in_either_picture(azimuth):
    one = Scene(prepare(generate("squat", recording=Recording(view="2d", azimuth=azimuth)), Settings()))
    assert (QUANTITIES["leftward"].of(one, "left_ankle", "right_ankle") > 0.5).all()


def test_a_joint_that_the_skeleton_lacks_is_named():
    with pytest.raises(Unmeasurable, match="the skeleton mpii16 has no left_toes"):
        Scene(prepare(perform(), Settings())).joint("left_toes")


def test_a_joint_that_is_never_seen_is_named():
    with pytest.raises(Unmeasurable, match="left_wrist is never seen"):
        Scene(prepare(without(perform(), "left_wrist"), Settings())).joint("left_wrist")


def test_a_reason_is_given_as_often_as_it_is_asked_for():
    one = scene(left_wrist=[1.0, 1.0])
    for _ in range(2):
        with pytest.raises(Unmeasurable, match="has no left_toes"):
            one.joint("left_toes")


def test_a_midpoint_has_the_noise_of_a_mean():
    one = Scene(body({"left_shoulder": [0.4, 1.0, 0.0], "right_shoulder": [-0.4, 1.0, 0.0]}, noise=0.02))
    assert one.joint("thorax")[0] == pytest.approx([0, 1, 0])
    assert one.noise("thorax") == pytest.approx(0.02 / np.sqrt(2))


def test_what_is_seen_is_what_all_parts_are_seen_of():
    tracks = {f"{side}_shoulder": np.ones((4, 3)) for side in ("left", "right")}
    tracks["left_shoulder"][1] = np.nan
    one = Scene(body(tracks))
    assert one.seen("thorax").tolist() == [True, False, True, True]
    assert [one.unseen("thorax", 1, 2), one.unseen("thorax", 1, 3)] == [True, False]


def test_every_quantity_is_a_public_function_of_this_module():
    assert all(getattr(quantities, name) is quantity.of for name, quantity in QUANTITIES.items())
