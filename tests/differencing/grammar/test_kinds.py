import pytest

from posediff.differencing.grammar.expressions import parse
from posediff.differencing.grammar.kinds import FUNCTIONS, Checker
from posediff.differencing.grammar.units import ANGLE, LENGTH, NONE, SPEED, TIME
from posediff.differencing.grammar.words import Names
from posediff.errors import BadSetting

NAMES = Names(("lowering", "lowest", "wrist"), ("front",))


def kind(text):
    return Checker(NAMES, "squat.yaml").kind(parse(text, line=4, column=10))


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("knee_angle", ANGLE),
        ("front_knee_angle", ANGLE),
        ("trunk_lean", ANGLE),
        ("trunk_rotation", ANGLE),
        ("angle(hip, knee, ankle)", ANGLE),
        ("height(pelvis, ankle)", LENGTH),
        ("left_wrist_height", LENGTH),
        ("outward(knee, ankle)", LENGTH),
        ("speed(left_wrist)", SPEED),
        ("rate(speed(left_wrist))", (0, 1, -2)),
        ("rate(knee_angle)", (1, 0, -1)),
        ("abs(asymmetry(knee_angle))", ANGLE),
        ("larger(left_knee_angle, 90)", ANGLE),
        ("180 - knee_angle", ANGLE),
        ("-2 * knee_angle + 1", ANGLE),
        ("knee_angle / hip_angle", NONE),
        ("knee_angle * height(wrist)", (1, 1, 0)),
        ("1 / speed(left_wrist)", (0, -1, 1)),
        ("knee_angle - at(knee_angle, lowest)", ANGLE),
    ],
)
def test_tracks_and_their_units(text, unit):
    found = kind(text)
    assert (found.track, found.unit) == (True, unit)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("at(height(pelvis, ankle), lowest)", LENGTH),
        ("max(knee_angle)", ANGLE),
        ("mean(knee_angle, lowest)", ANGLE),
        ("sd(knee_angle, first..lowest)", ANGLE),
        ("median(knee_angle, all)", ANGLE),
        ("change(trunk_lean, lowering..lowest)", ANGLE),
        ("duration(lowering..lowest)", TIME),
        ("time(lowest)", TIME),
        ("time_of_max(knee_angle)", TIME),
        ("share(lowering..lowest)", NONE),
        ("path(left_wrist)", LENGTH),
        ("path(left_wrist, left_hip, lowering..lowest)", LENGTH),
        ("jerk(left_wrist, lowering..lowest)", NONE),
        ("max(knee_angle) / duration(lowering..lowest)", (1, 0, -1)),
        ("larger(max(knee_angle), max(hip_angle))", ANGLE),
        ("1 / 3", None),
    ],
)
def test_numbers_and_their_units(text, unit):
    found = kind(text)
    assert (found.track, found.unit) == (False, unit)


@pytest.mark.parametrize(
    ("text", "unsided"),
    [
        ("knee_angle", True),
        ("left_knee_angle", False),
        ("front_knee_angle", False),
        ("height(pelvis, ankle)", True),
        ("outward(left_knee, ankle)", False),
        ("outward(knee, left_ankle)", True),
        ("asymmetry(knee_angle)", False),
        ("left_knee_angle - knee_angle", True),
        ("max(abs(rate(knee_angle)))", True),
        ("path(pelvis, ankle)", True),
        ("jerk(left_knee)", False),
    ],
)
def test_whether_a_name_lacks_its_side(text, unsided):
    assert kind(text).unsided == unsided


def test_a_key_point_that_is_called_like_a_joint_is_a_place_where_one_may_stand():
    checker = Checker(NAMES)
    checker.kind(parse("path(left_elbow, wrist)"))
    checker.kind(parse("path(left_elbow, knee)"))
    assert checker.places == [("wrist", "wrist"), ("first", "last")]


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("max(left_kne_angle)", 14, "no track is called 'left_kne_angle'", "did you mean left_knee_angle?"),
        ("max(back_knee_angle)", 14, "no side is called 'back', in 'back_knee_angle'", "left, right, front"),
        ("max(side_knee_angle)", 14, "'side_knee_angle' stands for either side only in the rules of sides", "left_"),
        ("max(xyz)", 14, "no track is called 'xyz'", "tracks are for example"),
        ("max(knee)", 14, "'knee' is a joint, and a track or a number is expected", "height(knee)"),
        ("max(lowest)", 14, "'lowest' is a place, and a track or a number is expected", "at(knee_angle, lowest)"),
        ("max(first..last)", 14, "'first..last' is a place, and a track or a number is expected", "max(knee_angle"),
        ("max(height)", 14, "'height' is a function without its arguments", "write height(...)"),
        ("hight(knee)", 10, "no function is called 'hight'", "did you mean height?"),
        ("zzz(knee)", 10, "no function is called 'zzz'", "there are: angle, height"),
        ("height(left_kne)", 17, "no joint is called 'left_kne'", "did you mean left_knee?"),
        ("height(knee_angle)", 17, "'knee_angle' is not the name of a joint", "left_knee"),
        ("height(hip, knee, ankle)", 10, "height takes 1 to 2 joints, not 3", "grammar"),
        ("lift()", 10, "lift takes 1 joint, not 0", "grammar"),
        ("at(knee_angle)", 10, "at takes 2 arguments, not 1", "grammar"),
        ("path(knee, hip, ankle, lowest)", 10, "path takes 1 to 3 arguments, not 4", "grammar"),
        ("path(knee, hip, ankle)", 26, "no key point is called 'ankle'", "key points are: lowering, lowest"),
        ("rate(max(knee_angle))", 15, "rate needs a track, and 'max(knee_angle)' is a number", "tracks are"),
        ("max(3)", 14, "max needs a track, and '3' is a number", "tracks are"),
        ("at(knee_angle, lowst)", 25, "no key point is called 'lowst'", "did you mean lowest?"),
        ("at(knee_angle, first..last)", 25, "at needs one key point, not 'first..last'", "at(knee_angle, LOWEST)"),
        (
            "knee_angle + height(knee)",
            21,
            "deg and torso do not go together in 'knee_angle + height(knee)'",
            "one unit",
        ),
        ("larger(knee_angle, 1 / 2 * height(knee))", 10, "deg and torso do not go together", "one unit"),
        ("outward(pelvis)", 18, "'pelvis' is on no side, so outward has no direction", "two of"),
        ("asymmetry(left_knee_angle)", 10, "asymmetry needs a name without its side", "asymmetry(knee_angle)"),
        ("asymmetry(asymmetry(knee_angle))", 10, "asymmetry needs a name without its side", "asymmetry(knee_angle)"),
        ("distance(knee, 1 + 2)", 27, "'1 + 2' is not the name of a joint", "left_knee"),
    ],
)
def test_what_cannot_be_is_told_with_its_place_and_a_hint(text, column, message, hint):
    with pytest.raises(BadSetting) as raised:
        kind(text)
    assert str(raised.value).startswith(f"squat.yaml, line 4, column {column}: {message}")
    assert hint in raised.value.hint


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_takes_nothing_or_too_much(function):
    for arguments in ("", "knee, knee, knee, knee, knee"):
        with pytest.raises(BadSetting, match=f"{function} takes"):
            kind(f"{function}({arguments})")
