import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.differencing.grammar.kinds import FUNCTIONS
from posediff.differencing.helpers.llm import LanguageModel, LanguageSettings
from posediff.differencing.helpers.recorded import Recorded
from posediff.differencing.helpers.suggestions import GRAMMAR, from_model, prompt, short_name
from posediff.differencing.statements.taxonomy import find
from tests.fixtures.language_server import says, serving

pytest.importorskip("openai")


@pytest.fixture
def taxonomy():
    """The built-in one of the squat, with the first of its differences alone."""
    squat = find("squat")
    return dataclasses.replace(squat, differences=squat.differences[:1])


def suggested(entries, taxonomy, folder, count=10):
    with serving(says({"differences": entries})) as server:
        model = LanguageModel(LanguageSettings(server.url, "small"), Recorded(folder))
        found = from_model(model, taxonomy, count)
    return found, server


def entry(query="the hips go back further", where="", measure="max(forward(knee))", says="more"):
    return {"query": query, "where": where, "measure": measure, "says": says}


def test_a_suggestion_has_a_measure_that_can_be_taken(taxonomy, tmp_path):
    point = taxonomy.key_points[-1].name
    (found,), _ = suggested([entry("The knees stay closer.", point, f"at(distance(left_knee, right_knee), {point})",
                                   "less")], taxonomy, tmp_path)  # fmt: skip
    assert (found.question.query, found.question.id, found.question.sign) == (
        "The knees stay closer",
        "knees_stay_closer",
        -1,
    )
    assert (found.question.where, found.question.measure.unit) == ((point, point), "torso")
    assert found.reason == ""


def test_what_cannot_be_measured_is_kept_with_the_reason(taxonomy, tmp_path):
    entries = [entry("the gaze is lower", measure=" "), entry("the knee bends more", measure="min(left_kne_angle)")]
    (gaze, knee), _ = suggested(entries, taxonomy, tmp_path)
    assert (gaze.question.measure, gaze.reason) == (None, "only pictures can tell")
    assert knee.reason.startswith("its measure cannot be understood: ")
    assert "left_kne_angle" in knee.reason
    assert knee.question.measure is None


@pytest.mark.parametrize("place", ["", "nowhere", "a..b..c", "first..nowhere", "at the bottom", "x" * 100])
def test_a_place_that_is_none_is_the_whole_performance(taxonomy, tmp_path, place):
    (found,), _ = suggested([entry(where=place)], taxonomy, tmp_path)
    assert found.question.where == ("first", "last")


def test_a_span_is_understood(taxonomy, tmp_path):
    one, other = (point.name for point in taxonomy.key_points[:2])
    (found,), _ = suggested([entry(where=f"{one} .. {other}")], taxonomy, tmp_path)
    assert found.question.where == (one, other)


def test_nothing_is_proposed_twice_nor_what_is_known_nor_more_than_asked_for(taxonomy, tmp_path):
    known = taxonomy.differences[0].query.upper()
    entries = [entry(known), entry("one is it"), entry("One is it."), entry("two is it"), entry("three is it")]
    found, _ = suggested(entries, taxonomy, tmp_path, count=2)
    assert [one.question.query for one in found] == ["one is it", "two is it"]


def test_different_statements_with_one_name_are_told_apart(taxonomy, tmp_path):
    found, _ = suggested([entry("the knee, bends"), entry("the knee bends")], taxonomy, tmp_path)
    assert [one.question.id for one in found] == ["knee_bends", "knee_bends_2"]


def test_the_prompt_tells_the_action_its_key_points_and_what_is_known(taxonomy, tmp_path):
    _, server = suggested([], taxonomy, tmp_path)
    text = server.bodies[0]["messages"][1]["content"]
    assert text == prompt(taxonomy, 10)
    for words in (taxonomy.title, taxonomy.description, taxonomy.differences[0].query, "Name 10 differences"):
        assert words in text
    assert all(f"{point.name}: {point.text}" in text for point in taxonomy.key_points)


def test_an_action_without_key_points_can_be_asked_about(taxonomy):
    bare = dataclasses.replace(taxonomy, key_points=(), differences=(), sides=(), description="")
    text = prompt(bare, 3)
    assert "known already" not in text
    assert "a joint may have" not in text


def test_the_prompt_knows_every_function_of_the_grammar_and_no_other():
    told = set(re.findall(r"\b([a-z_]+)\(", GRAMMAR))
    assert told == set(FUNCTIONS)


def test_a_name_is_short_plain_and_new():
    assert short_name("The squat is deeper!") == "squat_is_deeper"
    assert short_name("The squat is deeper", {"squat_is_deeper", "squat_is_deeper_2"}) == "squat_is_deeper_3"


@given(st.text(), st.sets(st.sampled_from(["difference", "a", "b"])))
def test_any_text_has_a_name(text, taken):
    name = short_name(text, taken)
    assert name.strip("abcdefghijklmnopqrstuvwxyz0123456789_") == ""
    assert name
    assert name not in taken
