import json
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest

from posediff.engine.conformal import Interval
from posediff.report.document import document
from posediff.report.html import page
from posediff.report.learned import (
    Learned,
    interval_in_words,
    score_in_words,
    scored_document,
    stage_lines,
)
from posediff.report.table import render
from posediff.sequence import Stage
from tests.fixtures.comparisons import comparison

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "annotations" / "comparison-1.schema.json").read_text(encoding="utf-8")
)
STAGES = (Stage("take-off", 0, 12), Stage("flight", 12, 30), Stage("entry", 30, 41))
EVIL = "<script>x</script>\x1b"


def scored(**changes):
    """A score as the engine gives it."""
    values = {
        "score": 76.5,
        "spread": 1.25,
        "difficulty": 2.5,
        "votes": tuple(SimpleNamespace(exemplar=f"e{n}", known=70.0 + n, score=76.0 + n) for n in (0, 1)),
        "stages": STAGES,
        "contributions": (2.0, -4.0, 1.0),
        "interval": Interval(71.04, 80.46, 0.9, 30, 9),
        "segments": None,
    }
    return SimpleNamespace(**{**values, **changes})


def learned(**changes):
    return Learned(scored(**changes), scored(score=90.0), {"path": "best.pth", "epoch": 3})


class Bars(HTMLParser):
    """Texts of the page, and the style of every filled bar by its class."""

    def __init__(self, text):
        super().__init__()
        self.styles, self.texts, self.tags = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        found = dict(attrs)
        if found.get("class") in ("more", "less"):
            parts = dict(part.split(":") for part in found["style"].split(";"))
            numbers = [float(parts[name].rstrip("%")) for name in ("margin-left", "width")]
            self.styles.append((found["class"], *numbers))

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("segments", [None, (70.0, 80.0, 90.0)])
@pytest.mark.parametrize("reference", [None, scored()])
def test_the_schema_describes_the_document_and_it_is_else_the_same(segments, reference):
    given = Learned(scored(segments=segments, spread=None, difficulty=None), reference, {"path": "best.pth"})
    made, plain = document(comparison(), given), document(comparison())
    jsonschema.Draft202012Validator(SCHEMA).validate(json.loads(json.dumps(made, allow_nan=False)))
    assert {"learned": made.pop("learned")} == given.document()
    assert made == plain
    assert "learned" not in plain


def test_a_score_is_plain_json_and_stages_have_scores_of_their_own_where_there_are_some():
    found = scored_document(scored(segments=(70.0, 80.0, 90.0)))
    assert found["interval"] == {"low": 71.04, "high": 80.46, "level": 0.9, "calibrated_on": 30, "needed": 9}
    assert found["stages"][1] == {
        "name": "flight",
        "start": 12,
        "end": 30,
        "contribution": -4.0,
        "segment_score": 80.0,
    }
    assert "segment_score" not in scored_document(scored())["stages"][0]
    assert found["votes"][1] == {"exemplar": "e1", "known": 71.0, "score": 77.0}


def test_scores_and_intervals_in_words():
    assert score_in_words(scored()) == "76.50 ± 1.25 by 2 exemplars, difficulty 2.5"
    alone = scored(spread=None, difficulty=None, votes=scored().votes[:1])
    assert score_in_words(alone) == "76.50 by 1 exemplar"
    assert interval_in_words(scored().interval) == "between 71.0 and 80.5 for 90 %, by 30 validation clips"
    few = "no interval for 95 %: it takes the errors on 19 validation clips"
    assert interval_in_words(Interval(None, None, 0.95, 12, 19)) == f"{few}, 12 are there"
    assert interval_in_words(Interval(None, None, 0.95, 0, 19)) == f"{few}, the checkpoint keeps none"


def test_every_stage_has_a_line():
    assert stage_lines(scored())[1] == "flight      -4.00 relative to the exemplars, frames 12 to 29"
    assert stage_lines(scored(segments=(7.0, 80.0, 9.5)))[1:] == [
        "flight    score   80.00,   -4.00 relative to the exemplars, frames 12 to 29",
        "entry     score    9.50,   +1.00 relative to the exemplars, frames 30 to 40",
    ]


def test_the_table_holds_both_scores_and_without_a_network_nothing_of_it():
    text = render(comparison(), learned(), encoding="utf-8")
    assert "  query      76.50 ± 1.25 by 2 exemplars" in text
    assert "  reference  90.00" in text
    assert text.count("between 71.0 and 80.5") == 2
    assert all(len(line) <= 100 for line in text.splitlines())
    assert "learned" not in render(comparison(), encoding="utf-8")
    alone = Learned(scored(), None, {}).lines()
    assert not any("reference " in line for line in alone)


def test_what_stages_add_is_drawn_from_the_middle_in_proportion():
    found = Bars(learned().section())
    assert found.styles == [("more", 50.0, 25.0), ("less", 0.0, 50.0), ("more", 50.0, 12.5)]
    assert "+2.00" in found.texts
    assert "-4.00" in found.texts
    assert Bars(learned(contributions=(0.0, 0.0, 0.0)).section()).styles == [("more", 50.0, 0.0)] * 3


def test_scores_of_stages_are_drawn_from_the_left_on_the_scale_of_the_whole():
    found = Bars(learned(segments=(38.25, 76.5, -5.0)).section())
    assert found.styles == [("more", 0.0, 50.0), ("more", 0.0, 100.0), ("less", 0.0, 0.0)]
    higher = Bars(learned(segments=(153.0, 76.5, 0.0)).section())
    assert [width for _, _, width in higher.styles] == [100.0, 50.0, 0.0]


def test_the_page_has_the_section_and_names_are_escaped():
    whole = page(comparison(), {}, [], learned())
    assert "<h2>Learned score</h2>" in whole
    assert "<h2>Learned score</h2>" not in page(comparison(), {}, [])
    nasty = Learned(scored(stages=(Stage(EVIL, 0, 9),) * 3), None, {"path": EVIL})
    shown = page(comparison(), {}, [], nasty)
    assert "<script>x" not in shown
    assert "\x1b" not in shown
    assert "script" not in Bars(shown).tags
    assert "\x1b" not in render(comparison(), nasty, encoding="utf-8")
