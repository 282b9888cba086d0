import numpy as np
import pytest

from posediff.compare import Settings
from posediff.compare.prepare import prepare
from posediff.differencing.grammar.quantities import Scene
from posediff.differencing.grammar.view import view
from posediff.motion.synthetic import Recording, generate
from tests.fixtures.sequences import STANDING


def seen(movement, azimuth, skeleton="coco17", **recording):
    """The view of a generated movement: from its right at azimuth 0, from the front at 90."""
    film = Recording(view="2d", azimuth=float(azimuth), **recording)
    return Scene(prepare(generate(movement, recording=film, skeleton=skeleton), Settings())).view


def picture(frames=3, degrees=0.0, **joints):
    """Finds the joints of a person in a picture, by default from the front, turned clockwise in the picture's plane."""
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[cos, sin], [-sin, cos]])
    places = {joint: np.array(place[:2]) * [1, -1] for joint, place in STANDING.items()} | {
        joint: None if place is None else np.array(place, float) for joint, place in joints.items()
    }
    return lambda joint: None if places.get(joint) is None else np.tile(places[joint] @ turn, (frames, 1))


#: Seen from the performer's right: facing to the right of the picture, knees straight.
NARROW = {
    f"{side}_{part}": (0.0, -height)
    for side in ("left", "right")
    for part, height in (("shoulder", 1.0), ("hip", 0.0), ("knee", -0.85), ("ankle", -1.7), ("toes", -1.7))
} | {"nose": None, "left_eye": None, "right_eye": None, "left_ear": None, "right_ear": None}


@pytest.mark.parametrize("movement", ["squat", "swing", "dive"])
@pytest.mark.parametrize("skeleton", ["mpii16", "coco17", "body25"])
@pytest.mark.parametrize(("azimuth", "forward"), [(0, 1.0), (180, -1.0), (20, 1.0), (200, -1.0)])
def test_from_the_side_the_body_faces_forward_in_the_picture(movement, skeleton, azimuth, forward):
    found = seen(movement, azimuth, skeleton, noise=0.01)
    assert found.forward == forward
    assert found.leftward == "left and right need 3D or a view from the front or back"


@pytest.mark.parametrize("movement", ["squat", "swing", "dive"])
@pytest.mark.parametrize(("azimuth", "leftward"), [(90, 1.0), (270, -1.0), (70, 1.0), (250, -1.0)])
def test_from_the_front_the_performer_s_left_is_to_the_right(movement, azimuth, leftward):
    found = seen(movement, azimuth, noise=0.01)
    assert found.leftward == leftward
    assert found.forward == "forward needs 3D or a view from the side"


@pytest.mark.parametrize("degrees", [0, 90, 180, 300])
@pytest.mark.parametrize("facing", [1, -1])
def test_a_knee_tells_which_way_in_whatever_posture(degrees, facing):
    bent = {**NARROW, "left_knee": (0.1 * facing, 0.85), "right_knee": (0.1 * facing, 0.85)}
    assert view(picture(degrees=degrees, **bent)).forward == facing


@pytest.mark.parametrize("facing", [1, -1])
def test_toes_tell_where_the_legs_are_straight(facing):
    feet = {**NARROW, "left_toes": (0.3 * facing, 1.7), "right_toes": (0.3 * facing, 1.7)}
    assert view(picture(**feet)).forward == facing


def test_the_nose_tells_where_the_feet_are_not_seen():
    face = {**NARROW, "left_ear": (0.0, -1.4), "right_ear": (0.0, -1.4), "nose": (-0.2, -1.35)}
    hidden = {"left_ankle": None, "right_ankle": None}
    assert view(picture(**{**face, **hidden})).forward == -1


def test_a_body_as_straight_as_a_pole_faces_nowhere():
    assert view(picture(**NARROW)).forward == "which way the body faces is not clear"


def test_bends_that_contradict_one_another_tell_nothing():
    split = {**NARROW, "left_knee": (0.3, 0.85), "right_knee": (-0.28, 0.85)}
    assert view(picture(**split)).forward == "which way the body faces is not clear"


def test_without_legs_feet_and_face_nothing_tells():
    hidden = {joint: None for joint in NARROW if joint.endswith(("knee", "ankle", "toes"))}
    assert "no knee, foot or face is seen" in view(picture(**{**NARROW, **hidden})).forward


def test_without_shoulders_and_hips_the_view_is_not_known():
    hidden = {f"{side}_{part}": None for side in ("left", "right") for part in ("shoulder", "hip")}
    found = view(picture(**hidden))
    assert found.forward == found.leftward
    assert "from where the picture is taken is not known" in found.forward


def test_whoever_lies_on_the_side_has_no_left_in_the_picture():
    found = view(picture(degrees=90))
    assert found.leftward == "whether the picture is taken from the front or from the back is not clear"


@pytest.mark.parametrize(("share", "from_side"), [(np.sin, True), (np.cos, False)])
def test_a_trunk_that_turns_either_way_is_seen_from_where_it_is_between(share, from_side):
    angle = np.radians(80 * np.sin(np.linspace(0, 2 * np.pi, 40)))
    turning = np.stack([share(angle), np.ones(40)], axis=1)
    find = picture(frames=40)
    found = view(lambda joint: None if find(joint) is None else find(joint) * turning)
    assert isinstance(found.leftward, str) == from_side
