import math

import pytest

from posediff.differencing.answers import Answer
from posediff.differencing.differencer import Answered, Place
from posediff.report.answered import AnswersTold, value_in_words, verdict


def answer(**changes):
    given = {"id": "depth", "query": "the squat is deeper", "answer": "b", "probability": 0.987, "values": (0.74, 0.61),
             "unit": "torso", "noise": 0.02, "frames": ((10, 11), (12, 15)), "confidence": 0.9,
             "measure": "at(x, y)"}  # fmt: skip
    return Answer(**{**given, **changes})


def told(*answers, title="Squat"):
    return AnswersTold(Answered(title, answers, (("lowest", "lowest <position>", Place(10, 0.9), Place(12, 0.8)),)))


def test_the_document_holds_answers_key_points_and_proposals_where_there_are_any():
    document = told(answer()).document()
    assert document["answers"][0]["value_b"] == 0.61
    assert document["key_points"] == [
        {"name": "lowest", "text": "lowest <position>", "frame_a": 10, "frame_b": 12, "confidence_a": 0.9,
         "confidence_b": 0.8}
    ]  # fmt: skip
    assert set(AnswersTold(None, Answered("", (answer(),), ())).document()) == {"proposals", "key_points"}
    assert AnswersTold().document() == {}


def test_lines_say_who_how_sure_and_how_much():
    title, line = told(answer()).lines()
    assert title == "asked: Squat"
    assert line.split() == "query 99% the squat is deeper: 0.74 and 0.61 torso lengths".split()


def test_a_statement_without_an_answer_says_why():
    silent = answer(answer=None, probability=math.nan, reason="this skeleton has no left_toes")
    assert told(silent).lines()[1].split("  ")[-1].strip() == "the squat is deeper: this skeleton has no left_toes"
    assert "the squat is deeper (this skeleton has no left_toes)" in told(silent).section()
    assert "nan" not in told(silent).section()


def test_answers_measured_at_doubtful_moments_say_so():
    assert "doubtful" not in told(answer(confidence=0.9)).lines()[1] + told(answer(confidence=0.9)).section()
    assert told(answer(confidence=0.1)).lines()[1].endswith("torso lengths, at doubtful moments")
    assert "The squat is deeper, at doubtful moments" in told(answer(confidence=0.1)).section()


def test_the_section_escapes_what_comes_from_files():
    section = told(answer(query="<script>"), title="<b>").section()
    assert "<script>" not in section
    assert "&lt;b&gt;" in section
    assert "lowest &lt;position&gt; (10 and 12)" in section


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(112.3, "deg", "112°"), (3.14, "deg", "3.1°"), (0.614, "torso", "0.61 torso lengths"), (1.5, "s", "1.50 s"),
     (220.4, "deg/s", "220°/s"), (0.5, "1", "0.50"), (2.0, "torso*s", "2.00 torso*s"), (math.nan, "deg", "?")],
)  # fmt: skip
def test_values_have_the_digits_that_a_reader_can_use(value, unit, text):
    assert value_in_words(value, unit) == text


def test_a_verdict_names_the_performances_as_the_report_does():
    assert [verdict(answer(answer=one)) for one in ("a", "b", "same", None)] == [
        "reference", "query", "same", "not answered"
    ]  # fmt: skip
