import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.compare.comparison import DIMENSIONS
from posediff.language import phrases
from posediff.language.pairs import grouped
from tests.fixtures.comparisons import comparison, difference, squat, three_segments

#: Measure, dimensions, what a query with more of it does, and with less.
WORDS = [
    ("left_knee_angle", 3, "left knee 23° straighter", "left knee 23° more bent"),
    ("right_elbow_angle", 2, "right elbow 23° straighter", "right elbow 23° more bent"),
    ("left_hip_angle", 3, "left hip 23° more open", "left hip 23° more bent"),
    ("right_shoulder_angle", 3, "right arm 23° higher", "right arm 23° lower"),
    ("left_ankle_angle", 3, "left foot 23° more pointed", "left foot 23° more flexed"),
    ("neck_angle", 2, "neck 23° straighter", "neck 23° more bent"),
    ("trunk_lean", 3, "trunk leans 23° further forward", "trunk leans 23° further back"),
    ("trunk_lean", 2, "trunk tilted 23° further clockwise", "trunk tilted 23° further anticlockwise"),
    ("trunk_somersault", 3, "trunk turned 23° further forward", "trunk turned 23° further back"),
    ("trunk_somersault", 2, "trunk turned 23° further clockwise", "trunk turned 23° further anticlockwise"),
    ("both_hip_angle", 2, "both hips 23° more open", "both hips 23° more bent"),
    ("both_knee_angle", 3, "both knees 23° straighter", "both knees 23° more bent"),
    ("both_shoulder_angle", 3, "both arms 23° higher", "both arms 23° lower"),
    ("both_ankle_angle", 2, "both feet 23° more pointed", "both feet 23° more flexed"),
    ("both_wrist_height", 3, "both wrists 23° higher", "both wrists 23° lower"),
    ("trunk_rotation", 3, "shoulders turned 23° further to the left", "shoulders turned 23° further to the right"),
    ("right_wrist_height", 2, "right wrist 23° higher", "right wrist 23° lower"),
    ("head_top_forward", 3, "head top 23° further forward", "head top 23° further back"),
    ("left_wrist_side", 3, "left wrist 23° further to the left", "left wrist 23° further to the right"),
    (
        "left_wrist_side",
        2,
        "left wrist 23° further right in the picture",
        "left wrist 23° further left in the picture",
    ),
    ("stance_width", 3, "stance width 23° larger", "stance width 23° smaller"),
    ("{0}", 2, "{0} 23° larger", "{0} 23° smaller"),
]


@pytest.mark.parametrize(("measure", "dimensions", "more", "less"), WORDS)
def test_a_measure_is_told_by_what_the_query_does(measure, dimensions, more, less):
    assert phrases.direction(measure, True, dimensions, "23°") == more
    assert phrases.direction(measure, False, dimensions, "23°") == less


@given(
    measure=st.sampled_from([measure for measure, *_ in WORDS]) | st.text(max_size=20),
    dimensions=st.sampled_from([2, 3]),
)
def test_more_and_less_are_never_told_by_the_same_words(measure, dimensions):
    assert phrases.direction(measure, True, dimensions, "23°") != phrases.direction(measure, False, dimensions, "23°")


@pytest.mark.parametrize("measure", [measure for measure, *_ in WORDS])
def test_swapping_reference_and_query_turns_the_direction_and_nothing_else(measure):
    one, other = squat(40), squat(40, depth=60)
    there = difference(measure=measure, more_in="query", query_frames=(14, 26), peak=(20, 20))
    back = difference(measure=measure, more_in="reference", query_frames=(14, 26), peak=(20, 20))
    forwards = phrases.statement(there, comparison(reference=one, query=other))
    backwards = phrases.statement(back, comparison(reference=other, query=one))
    more = phrases.direction(measure, True, 3, "23°")
    assert forwards.startswith(more)
    assert backwards == forwards.replace(more, phrases.direction(measure, False, 3, "23°"))


def test_a_lasting_difference_has_the_times_of_its_first_and_last_frame_in_the_query():
    sentence = phrases.statement(difference(query_frames=(18, 27), segment="flight"), comparison())
    assert sentence == "left knee 23° more bent from 0.72 to 1.04 s (flight)"


def test_a_short_difference_has_the_time_of_its_peak():
    sentence = phrases.statement(difference(query_frames=(20, 23), peak=(20, 21), segment=""), comparison())
    assert sentence == "left knee 23° more bent at 0.84 s"


@pytest.mark.parametrize(
    ("measure", "dimensions", "magnitude", "text"),
    [
        ("trunk_lean", 2, 179.0, "trunk tilted 179° further anticlockwise"),
        ("trunk_lean", 2, 180.0, "trunk turned 180° (0.5 of a turn) further anticlockwise"),
        ("trunk_lean", 3, 297.0, "trunk turned 297° (0.8 of a turn) further back"),
        ("trunk_lean", 3, 540.0, "trunk turned 540° (1.5 turns) further back"),
        ("trunk_lean", 3, 359.0, "trunk turned 359° (1.0 turns) further back"),
        ("trunk_rotation", 3, 720.0, "shoulders turned 720° (2.0 turns) further to the right"),
    ],
)
def test_half_a_turn_and_more_is_a_somersault_told_in_turns(measure, dimensions, magnitude, text):
    one = difference(measure=measure, magnitude=magnitude)
    assert phrases.statement(one, comparison(dimensions=dimensions)).startswith(f"{text} from")


def test_the_same_on_both_sides_is_told_with_the_size_of_each():
    right = difference(measure="right_knee_angle", magnitude=21.0, noise=2.0)
    (told,) = grouped([difference(), right])
    assert phrases.statement(told.whole, comparison()).startswith("both knees 22° more bent")
    assert phrases.sizes(told) == "left 23.1° ± 3.2°, right 21.0° ± 2.0°"


def test_the_summary_tells_both_sides_at_once():
    right = difference(measure="right_knee_angle")
    assert "difference: both knees 23° more bent" in phrases.summary(comparison(differences=(difference(), right)))


@pytest.mark.parametrize(("frames", "text"), [((44, 57), "1.76–2.24 s"), ((50, 51), "2.00 s")])
def test_times_are_those_of_the_first_and_the_last_frame(frames, text):
    assert phrases.times(frames, 25.0) == text


def test_positions_are_told_in_torso_lengths():
    one = difference(measure="right_wrist_height", magnitude=0.21, unit="torso", more_in="query")
    assert phrases.statement(one, comparison()).startswith("right wrist 0.21 torso lengths higher")


@pytest.mark.parametrize(("value", "text"), [(23.4, "23°"), (2.26, "2.3°"), (-112.0, "-112°")])
def test_degrees_have_a_decimal_only_where_they_are_few(value, text):
    assert phrases.amount(value, "deg") == text


def test_the_values_of_a_joint_angle_are_told_and_those_of_a_position_are_not():
    assert phrases.values(difference(values=(135.2, 112.4))) == "112°, reference 135°"
    assert phrases.values(difference(values=(np.nan, 112.4))) == ""
    assert phrases.values(difference(measure="left_wrist_height", unit="torso")) == ""


@pytest.mark.parametrize(
    ("confidence", "text"),
    [
        (0.999, "almost certain (>99%)"),
        (0.97, "very likely (97%)"),
        (0.85, "likely (85%)"),
        (0.4, "uncertain (40%)"),
        (0.001, "uncertain (<1%)"),
        (float("nan"), "uncertain (unknown)"),
    ],
)
def test_confidence_is_a_word_and_a_percentage(confidence, text):
    assert phrases.certainty(difference(confidence=confidence)) == text


def test_noise_stands_beside_the_magnitude_in_its_unit():
    assert phrases.with_noise(difference()) == "23.1° ± 3.2°"
    assert phrases.with_noise(difference(magnitude=0.21, noise=0.02, unit="torso")) == "0.21 ± 0.02 torso lengths"


@given(offset=st.floats(0.006, 10))
def test_a_timing_offset_is_later_or_earlier_by_the_same_amount(offset):
    assert phrases.timing(offset) == f"{offset:.2f} s later"
    assert phrases.timing(-offset) == f"{offset:.2f} s earlier"


def test_no_offset_is_on_time():
    assert phrases.timing(-0.001) == "on time"


@pytest.mark.parametrize(
    ("score", "start"),
    [(100, "Practically the same"), (91, "Very close"), (80, "Close"), (60, "The same movement"), (10, "Far from")],
)
def test_the_summary_grades_the_score_and_names_the_largest_difference(score, start):
    sentence = phrases.summary(comparison(score=score))
    assert sentence.startswith(start)
    assert f"(score {score})" in sentence
    assert sentence.endswith("the largest difference: left knee 23° more bent from 0.72 to 1.24 s (bottom).")


def test_the_summary_says_that_nothing_differs():
    assert "no single difference stands out" in phrases.summary(comparison(score=100.0, differences=()))


def test_the_weakest_dimension_and_segment_are_named_unless_all_is_well():
    assert phrases.weakest(comparison()) == "Weakest in range (74); the weakest part is bottom (64)."
    assert phrases.weakest(comparison(scores=dict.fromkeys(DIMENSIONS, 100.0))) == ""


def test_a_segment_is_told_with_its_score_timing_and_weakness():
    bottom = three_segments()[1]
    assert phrases.segment_statement(bottom) == "bottom: score 64, starts 0.12 s later, weakest in accuracy (58)"


def test_every_dimension_is_explained():
    assert set(phrases.DIMENSIONS) == set(DIMENSIONS)


@pytest.mark.parametrize(("frames", "text"), [((18, 22), "frames 18–21"), ((7, 8), "frame 7")])
def test_frames_are_counted_with_the_last_one_included(frames, text):
    assert phrases.frames_named(frames) == text


def test_two_parts_of_one_file_are_told_apart_by_their_frames():
    source = {"path": "dives/annotations.json"}
    pair = comparison(reference=squat(34, source=source), query=squat(35, source=source, frames=np.arange(34, 69)))
    assert phrases.names(pair) == ("annotations.json, frames 0–33", "annotations.json, frames 34–68")


def test_a_sequence_without_a_file_is_named_by_its_role():
    assert phrases.names(comparison(reference=squat(), query=squat())) == ("reference", "query")


def test_no_sentence_holds_a_placeholder_or_an_underscore():
    sentences = [phrases.statement(one, comparison()) for one in comparison().differences]
    assert not any(re.search(r"[_{}\\]", sentence) for sentence in sentences)
