import dataclasses

import pytest

from posediff.compare import compare
from posediff.differencing.asking import UNKNOWN
from posediff.differencing.differencer import DifferencingSettings
from posediff.differencing.open_set import propose
from posediff.differencing.statements.taxonomy import find
from posediff.motion.synthetic import Performer, Recording, varied

FEW = DifferencingSettings(draws=16)


@pytest.fixture(scope="module")
def squat():
    return find("squat")


def filmed(amounts, seed=0, **options):
    return varied("squat", amounts, recording=Recording(noise=0.01), seed=seed, **options)


def test_what_was_planted_is_proposed_and_told_of_the_right_performance(squat):
    found = propose(compare(filmed({}, 1), filmed({"depth": 1.0, "stance_width": -1.0}, 2)), squat, 3, settings=FEW)
    said = {answer.id: answer.answer for answer in found.answers}
    assert said.get("depth") == "b"
    assert said.get("stance_width") == "a"
    assert len(found.answers) <= 3


def test_nothing_is_proposed_where_nothing_differs(squat):
    one = filmed({}, 1)
    assert propose(compare(one, one), squat, 5, settings=FEW).answers == ()


def test_without_a_taxonomy_something_is_said_of_any_movement():
    found = propose(compare(filmed({}, 1), filmed({"depth": 1.5}, 2)), UNKNOWN, 3, settings=FEW)
    assert found.answers
    assert {part for answer in found.answers for part in ("knee", "hip") if part in answer.measure}


def test_among_exemplars_what_is_usual_is_not_remarkable(squat):
    """All exemplars stand differently wide and equally deep, so depth is what a query is remarkable by."""
    query = filmed({"depth": 1.0, "stance_width": 1.0}, 9)
    good = [filmed({"stance_width": amount}, seed) for seed, amount in enumerate((-1.5, -0.5, 0.5, 1.5))]
    pairs = [compare(one, query) for one in good]
    questions = [one for one in squat.differences if one.id in ("depth", "stance_width")]
    only = dataclasses.replace(squat, differences=tuple(questions))
    found = propose(pairs[0], only, 2, exemplars=pairs, settings=FEW)
    assert found.answers[0].id == "depth"


def test_performers_of_unlike_build_differ_in_nothing_that_was_not_done_differently(squat):
    tall = Performer(1.95, {"thigh": 1.03, "shank": 1.03})
    found = propose(compare(filmed({}, 1), filmed({"depth": 1.5}, 2, performer=tall)), squat, 1, settings=FEW)
    assert [answer.id for answer in found.answers] == ["depth"]
