from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.differencing.grammar.measures import Names, cue, measure
from posediff.differencing.statements import lexicon
from posediff.differencing.statements.queries import question
from posediff.differencing.statements.questions import KeyPoint, Question, Side, Taxonomy
from posediff.differencing.statements.taxonomy import find
from posediff.errors import BadSetting
from tests.differencing.bodies import standing

POINTS = (
    KeyPoint("lowering", "the knees start to bend", cue("falls(height(pelvis, ankle), 0.9)")),
    KeyPoint("lowest", "the lowest position", cue("lowest(height(pelvis, ankle))")),
    KeyPoint("rising_fast", "on the way to the catch", cue("rises(height(pelvis, ankle), 0.5)")),
    KeyPoint("catch", "the bar is caught", cue("rises(height(pelvis, ankle), 0.9)")),
)
NAMES = Names(tuple(point.name for point in POINTS), ("front", "back"))
DEPTH = Question(
    "depth", "The squat is deeper.", ("lowest", "lowest"), measure("at(height(pelvis, ankle), lowest)", NAMES), -1, 0.05
)
GAZE = Question("gaze", "the eyes look further down", ("lowest", "lowest"), None)
SQUAT = Taxonomy(
    "squat_clean",
    "Squat clean",
    ("clean",),
    "",
    (Side("front", measure("max(forward(side_ankle))", Names(roles=("side",)))), Side("back", None, "front")),
    POINTS,
    (DEPTH, GAZE),
    Path("squat_clean.yaml"),
)


def moving(joint: str, places, **others):
    """A standing person one of whose joints goes through some places, at 25 frames a second."""
    return standing(len(places), **{joint: np.asarray(places, float), **others})


def reaching(height: float):
    return standing(left_wrist=(0.4, height, 0.0), right_wrist=(-0.4, height, 0.0))


def sinking(height: float):
    feet = {f"{side}_ankle": (x, -height, 0.0) for side, x in (("left", 0.2), ("right", -0.2))}
    return standing(**feet)


def leaning(x: float, z: float):
    return standing(thorax=(x, np.sqrt(1 - x * x - z * z), z))


def turned(degrees: float):
    """A person whose shoulders turn to the left by some degrees, from square."""
    angle = np.radians(np.linspace(0, degrees, 30))
    line, neck = 0.4 * np.stack([np.cos(angle), 0 * angle, -np.sin(angle)], axis=1), np.array([0.0, 1.0, 0.0])
    return standing(30, left_shoulder=neck + line, right_shoulder=neck - line)


def swung(size: float, tremor: float = 0.0, frames: int = 50, beats: float = 1.0):
    """A person whose left wrist goes up and down."""
    time = np.linspace(0, 1, frames)
    up = -0.2 + size * np.sin(2 * np.pi * beats * time) + tremor * np.sin(2 * np.pi * 8 * time)
    return moving("left_wrist", np.stack([0.4 + 0 * up, up, 0 * up], axis=1))


LEFT_BENT = {"left_wrist": (0.4, 0.4, 0.6)}


@pytest.mark.parametrize(
    ("sentences", "truer", "other"),
    [
        (["the left elbow bends more", "left arm more bent", "the left elbow is less straight"],
         standing(**LEFT_BENT), standing()),
        (["the left elbow is straighter", "the left arm bends less", "a straighter left elbow"],
         standing(), standing(**LEFT_BENT)),
        (["A squats deeper", "the hips go lower", "deeper squat", "the body is lower", "the squat is less shallow"],
         sinking(1.0), sinking(1.6)),
        (["hands higher", "the wrists are raised higher", "hands are less low"], reaching(1.2), reaching(0.3)),
        (["the hands are lower"], reaching(-0.5), reaching(0.3)),
        (["the trunk leans further forward", "A leans forward more", "the torso is bent further forward"],
         leaning(0, 0.5), leaning(0, 0.2)),
        (["the trunk leans further back", "A leans back further", "the upper body leans forward less"],
         leaning(0, -0.4), leaning(0, 0.1)),
        (["the trunk leans further to the left", "A leans further left"], leaning(0.4, 0), leaning(0.1, 0)),
        (["the trunk leans further to the right"], leaning(-0.4, 0), leaning(0.3, 0)),
        (["the trunk is more upright", "the back leans less"], leaning(0, 0.1), leaning(0.3, 0.3)),
        (["the trunk rotates more", "the shoulders turn further"], turned(60), turned(20)),
        (["the shoulders turn further to the right"], turned(-40), turned(-10)),
        (["wider stance", "the feet are further apart", "feet wider apart", "the feet stand wider"],
         standing(left_ankle=(0.6, -1.6, 0)), standing()),
        (["narrower stance", "the feet are closer together"], standing(), standing(left_ankle=(0.6, -1.6, 0))),
        (["the knees cave in more", "the left knee falls further inwards"],
         standing(left_knee=(0.05, -0.85, 0)), standing()),
        (["the knees are further out", "the left knee is further outwards"],
         standing(left_knee=(0.5, -0.85, 0)), standing()),
        (["the knees are further forward", "the left knee is further in front"],
         standing(left_knee=(0.2, -0.85, 0.3)), standing()),
        (["the left wrist is further to the right"], standing(left_wrist=(0.1, -0.2, 0)), standing()),
        (["the hands are closer to the head", "the left hand comes nearer to the head"],
         standing(left_wrist=(0.1, 1.4, 0)), standing()),
        (["the hands are further away from the left hip"], standing(left_wrist=(0.9, 0.6, 0)), standing()),
        (["the left wrist moves faster", "higher left hand speed"], swung(0.5), swung(0.2)),
        (["the left wrist is slower"], swung(0.2), swung(0.5)),
        (["the left hand moves more", "the left hand travels further"], swung(0.5), swung(0.1)),
        (["the left hand is stiller", "the left hand moves less"], swung(0.1), swung(0.5)),
        (["the left hand is smoother", "smoother", "the movement is less shaky"], swung(0.5), swung(0.5, tremor=0.1)),
        (["the movement is slower", "it takes longer", "the movement is longer"], standing(50), standing(30)),
        (["A is faster", "the movement takes less time"], standing(30), standing(50)),
        (["more symmetric elbows", "the elbows are more even"], standing(), standing(**LEFT_BENT)),
        (["the shoulders are more level"], standing(), standing(left_shoulder=(0.4, 1.2, 0))),
        (["the arms are raised higher", "the left arm is lifted higher"],
         standing(left_elbow=(0.9, 1.0, 0)), standing()),
        (["the toes are more pointed"], standing(left_toes=(0.2, -2.0, 0.1)), standing()),
        (["the step is longer", "longer stride"], standing(left_ankle=(0.2, -1.5, 0.9)), standing()),
    ],
)  # fmt: skip
def test_a_sentence_is_truer_of_whom_it_describes(sentences, truer, other):
    for sentence in sentences:
        asked = question(sentence)
        advantage = asked.sign * (asked.measure.value(truer, {}) - asked.measure.value(other, {}))
        assert advantage > 0, (sentence, asked.measure.text)
        assert (asked.query, asked.where) == (sentence, ("first", "last"))


def test_only_the_side_that_is_named_counts():
    other = question("the right elbow bends more").measure
    assert other.value(standing(**LEFT_BENT), {}) == pytest.approx(other.value(standing(), {}))


def test_a_jump_is_higher_by_its_way_in_the_room():
    still = standing(20)
    asked = question("the performer jumps higher")
    rise = np.sin(np.clip(np.linspace(-3, 3, 20), 0, None))  # standing first, then a jump
    assert asked.measure.value(replace(still, path=np.outer(rise, [0, 1, 0])), {}) > 0.9
    assert asked.measure.value(still, {}) == 0


@pytest.mark.parametrize(
    ("sentence", "written", "where"),
    [
        ("the knees bend more at lowest", "at(knee_angle, lowest)", ("lowest", "lowest")),
        ("At the lowest position, the knees bend more.", "at(knee_angle, lowest)", ("lowest", "lowest")),
        ("the knees bend more at the bottom", "at(knee_angle, lowest)", ("lowest", "lowest")),
        ("the hands are higher when the bar is caught", "at(height(wrist), catch)", ("catch", "catch")),
        ("in the catch the hands are higher", "at(height(wrist), catch)", ("catch", "catch")),
        ("the knees bend more lowering..lowest", "min(knee_angle, lowering..lowest)", ("lowering", "lowest")),
        ("from lowering to lowest the knees bend more", "min(knee_angle, lowering..lowest)", ("lowering", "lowest")),
        ("the head moves less between lowest and catch", "path(head, lowest..catch)", ("lowest", "catch")),
        ("the hands are higher after the catch", "max(height(wrist), catch..last)", ("catch", "last")),
        ("the hands are higher before lowering", "max(height(wrist), first..lowering)", ("first", "lowering")),
        ("the hands are higher at the start", "at(height(wrist), first)", ("first", "first")),
        ("the descent is slower", "duration(lowering..lowest)", ("lowering", "lowest")),
        ("the trunk leans further forward in the ascent", "max(trunk_lean, lowest..catch)", ("lowest", "catch")),
        ("the head moves less during lowest..catch", "path(head, lowest..catch)", ("lowest", "catch")),
        ("the way up is faster", "duration(lowest..catch)", ("lowest", "catch")),
        ("from first to lowest takes longer", "duration(first..lowest)", ("first", "lowest")),
        ("the lowest position is reached later", "time(lowest)", ("lowest", "lowest")),
        ("the elbows are bent more on average", "mean(elbow_angle)", ("first", "last")),
        ("the front knee bends more", "min(front_knee_angle)", ("first", "last")),
        ("the back knee bends more", "min(back_knee_angle)", ("first", "last")),
        ("the squat clean is faster", "duration(first..last)", ("first", "last")),
    ],
)
def test_a_place_is_found_by_its_name_or_its_text(sentence, written, where):
    asked = question(sentence, SQUAT)
    assert (asked.measure.text, asked.where, asked.id, asked.least) == (written, where, "", 0.0)


@pytest.mark.parametrize("sentence", ["the squat is deeper", "THE SQUAT IS DEEPER!", " squat is   deeper", "depth"])
def test_a_statement_of_the_taxonomy_is_taken_as_it_is(sentence):
    assert question(sentence, SQUAT) is DEPTH


def test_a_statement_that_only_pictures_can_tell_is_taken_too():
    assert question("The eyes look further down.", SQUAT) is GAZE
    with pytest.raises(BadSetting, match="'eyes' is not a known word"):
        question("The eyes look further down.")


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("the knees take longer", "nothing is known to measure for 'long' of the knee"),
        ("", "it has no words"),
        ("...", "it has no words"),
        ("the knees do not bend more", "'not' turns it round"),
        ("the knees don't bend more", "'dont' turns it round"),
        ("the left elbow and the right knee bend more", "'and' joins two questions"),
        ("the left elbow bends more than the right knee", "'than' is not a known word"),
        ("the knee bends more higher", "it compares twice"),
        ("the knees bend", "it compares nothing"),
        ("the knees", "it compares nothing"),
        ("more", "nothing is known to measure"),
        ("the eyebrows are higher", "'eyebrows' is not a known word"),
        ("the trunk is smaller", "nothing is known to measure"),
        ("the left shoulder rotates more", "rotate is not measured of one shoulder alone"),
        ("the left knee is more symmetric", "symmetric is not measured of one knee alone"),
        ("the elbow knee bends more", "it names elbow, knee"),
        ("hands higher at the top", "'at' leads to no key point; the key points are lowering, lowest"),
        ("hands higher during the bar", "'during' leads to no span"),
        ("the knees bend more in the pit", "'in' leads to no key point"),
        ("the hands travel further at lowest", "a span of time, not a moment"),
        ("the knees bend more during lowering", "'during' leads to no span"),
        ("the movement is slower at lowest", "a moment lasts no time"),
        ("the knees bend more lowest..lowering", "goes from no key point to a later one"),
        ("from catch to lowest the knees bend more", "goes from no key point to a later one"),
        ("the hands are closer to", "it takes one part of the body"),
        ("the hands are closer to the wrists", "both parts are the same"),
        ("the knees are later", "only a key point is earlier or later"),
        ("the lead knee bends more", "'lead' is not a known word"),
        ("more " * 60, "it has more than 200 characters"),
    ],
)
def test_what_is_not_understood_is_refused_with_the_reason(sentence, reason):
    with pytest.raises(BadSetting) as caught:
        question(sentence, SQUAT)
    assert reason in str(caught.value)
    assert caught.value.hint.startswith("ask such as: ")
    assert "\n" not in str(caught.value)


def test_a_refusal_names_the_nearest_statements():
    with pytest.raises(BadSetting) as caught:
        question("the squat is deper", SQUAT)
    assert caught.value.hint.startswith("ask such as: The squat is deeper")


def test_without_an_action_there_are_no_key_points():
    with pytest.raises(BadSetting, match="there are no key points without an action"):
        question("the knees bend more at lowest")
    with pytest.raises(BadSetting, match="where the descent begins and ends is not known"):
        question("the descent is slower")


WORDS = sorted(
    {
        *lexicon.PARTS, *lexicon.PROPERTIES, *lexicon.COMPARATIVES, *lexicon.DEGREES, *lexicon.TIMES, *lexicon.ENDS,
        *lexicon.PHASES, *lexicon.PREPOSITIONS, *lexicon.MOVEMENT, *lexicon.ARRIVALS,
        *(word for phrase in lexicon.PHRASES for word in phrase.split()), "a", "b", "the", "left", "right", "front",
        "back", "from", "to", "between", "and", "than", "not", "lowest", "lowering", "lowest..catch", "..", "clean",
    }
)  # fmt: skip


@given(st.one_of(st.text(max_size=40), st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join)))
def test_any_text_is_understood_or_refused(text):
    for taxonomy in (SQUAT, None):
        try:
            asked = question(text, taxonomy)
        except BadSetting:
            continue
        names = ["first", *(point.name for point in POINTS if taxonomy), "last"]
        assert names.index(asked.where[0]) <= names.index(asked.where[1])
        assert asked.sign in (-1, 1)
        assert asked is GAZE or set(asked.measure.key_points) <= {*names}


@given(st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join))
def test_less_of_it_is_the_opposite(text):
    try:
        more, less = question(f"more {text}"), question(f"less {text}")
    except BadSetting:
        return
    if "apart" not in text:  # "less apart" is narrower, which has its own words
        assert (more.measure, more.sign) == (less.measure, -less.sign)


def test_a_key_point_s_own_name_comes_before_the_words_of_others():
    for words in ("the lowest position", "lowest", "the lowest point"):
        assert question(f"the left elbow bends more at {words}", find("squat")).where == ("lowest", "lowest")
