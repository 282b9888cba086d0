import pytest

from posediff.differencing.grammar.expressions import Call, Name, parse
from posediff.differencing.grammar.vocabulary import Joint
from posediff.differencing.grammar.words import Names, Words
from posediff.errors import BadSetting

NAMES = Names(("lowering", "lowest"), ("front",))


@pytest.fixture
def words():
    return Words(NAMES, "squat.yaml")


def test_joints_are_found_with_their_sides(words):
    assert words.joint(Name("front_knee")) == Joint("knee", "front")
    assert words.joint(Name("thorax")) == Joint("thorax", "")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("left_kne", "no joint is called 'left_kne'", "did you mean left_knee?"),
        ("banana", "no joint is called 'banana'", "joints are for example"),
        ("back_knee", "no side is called 'back', in 'back_knee'", "sides are: left, right, front"),
        ("lefft_knee", "no side is called 'lefft', in 'lefft_knee'", "did you mean left?"),
        ("side_knee", "'side_knee' stands for either side only in the rules of sides", "left_knee"),
        ("3", "'3' is not the name of a joint", "left_knee"),
    ],
)
def test_what_is_no_joint_is_told(words, text, message, hint):
    with pytest.raises(BadSetting) as raised:
        words.joint(parse(text, line=3, column=8))
    assert str(raised.value) == f"squat.yaml, line 3, column 8: {message}"
    assert hint in raised.value.hint


def test_places_are_remembered_in_order(words):
    for function, place in (("mean", "lowest"), ("max", "first..lowest"), ("at", "last"), ("min", "all")):
        words.place(Call(function, ()), parse(place))
    words.place(Call("sd", ()), None)
    whole = ("first", "last")
    assert words.places == [("lowest", "lowest"), ("first", "lowest"), ("last", "last"), whole, whole]


@pytest.mark.parametrize(
    ("function", "place", "message"),
    [
        ("at", "lowering..lowest", "at needs one key point, not 'lowering..lowest'"),
        ("at", "all", "at needs one key point, not 'all'"),
        ("duration", "lowest", "duration needs a span of key points, not 'lowest'"),
        ("change", "all", "change needs a span of key points, not 'all'"),
        ("mean", "3", "mean needs a place, not '3'"),
        ("mean", "lowst", "no key point is called 'lowst'"),
        ("mean", "lowest..all", "no key point is called 'all'"),
    ],
)
def test_what_is_no_place_for_a_function_is_told(words, function, place, message):
    with pytest.raises(BadSetting) as raised:
        words.place(Call(function, ()), parse(place))
    assert message in str(raised.value)
    assert raised.value.hint


def test_key_points_are_places_and_joints_are_not(words):
    assert [words.is_place(parse(text)) for text in ("lowest", "all", "first..last", "wrist")] == [True] * 3 + [False]
