import dataclasses
import math

import numpy as np
import pytest

from posediff.compare import Settings, compare
from posediff.differencing.answers import answer_document
from posediff.differencing.differencer import DifferencingSettings, ask
from posediff.differencing.statements.questions import Question
from posediff.differencing.statements.taxonomy import find
from posediff.errors import BadSetting
from posediff.motion.synthetic import Recording, varied

FEW = DifferencingSettings(draws=24)


@pytest.fixture(scope="module")
def squat():
    return find("squat")


def filmed(amounts, seed=0, noise=0.01, **recording):
    return varied("squat", amounts, recording=Recording(noise=noise, **recording), seed=seed)


def answers(a, b, taxonomy, settings=FEW, **options):
    return {answer.id: answer for answer in ask(compare(a, b), taxonomy, settings=settings, **options).answers}


@pytest.mark.parametrize("planted", ["depth", "trunk_lean", "longer_hold"])
def test_a_planted_difference_is_told_of_the_right_performance_in_either_order(squat, planted):
    questions = [one for one in squat.differences if one.id == planted]
    assert questions, f"no difference {planted} in {[one.id for one in squat.differences]}"
    plain, more = filmed({}, 1), filmed({planted: 1.0}, 2, pace=1.2 if planted != "longer_hold" else 1.0)
    pairs = compare(plain, more), compare(more, plain)
    one, other = (ask(pair, squat, questions, settings=FEW).answers[0] for pair in pairs)
    assert (one.answer, other.answer) == ("b", "a")
    assert min(one.probability, other.probability) > 0.95
    assert one.values == pytest.approx(other.values[::-1], rel=0.02, abs=0.01)


def test_a_performance_is_the_same_as_itself_in_every_respect(squat):
    one = filmed({}, 3)
    found = answers(one, one, squat)
    measured = [answer for answer in found.values() if answer.measure]
    assert {answer.answer for answer in measured} == {"same"}
    assert [answer.difference for answer in measured] == pytest.approx([0.0] * len(measured), abs=1e-6)


def test_the_noise_is_that_of_repeated_recordings(squat):
    """The same performance filmed again and again: its measures scatter as much as the jitter model says."""
    ideal = filmed({}, noise=0.0)
    repeated = [answers(ideal, filmed({}, seed), squat, DifferencingSettings(draws=8)) for seed in range(24)]
    told = answers(filmed({}, 100), filmed({}, 101), squat, DifferencingSettings(draws=60))
    ratios = {}
    for name, answer in told.items():
        if answer.measure and answer.unit in ("deg", "torso"):
            ratios[name] = answer.noise / (math.sqrt(2) * np.std([one[name].values[1] for one in repeated], ddof=1))
    assert len(ratios) >= 8
    assert 0.8 < np.median(list(ratios.values())) < 1.3, ratios
    assert all(0.5 < ratio < 2.2 for ratio in ratios.values()), ratios


def test_what_cannot_be_measured_says_why_and_the_others_are_answered(squat):
    side = {"view": "2d", "azimuth": 0.0}
    found = answers(filmed({}, 1, **side), filmed({"depth": 1.0}, 2, **side), squat)
    silent = {name: answer for name, answer in found.items() if answer.answer is None}
    assert silent
    assert all(answer.reason and math.isnan(answer.probability) for answer in silent.values())
    assert found["depth"].answer == "b"


def test_frames_are_those_of_the_files(squat):
    late = filmed({}, 1)
    late = late.replace(frames=late.frames + 500, stages=())
    found = ask(compare(late, filmed({}, 2)), squat, settings=FEW)
    assert all(500 <= frame < 700 for answer in found.answers for frame in answer.frames[0])
    (bottom,) = [(a, b) for name, _, a, b in found.key_points if name == "lowest"]
    assert abs(bottom[0].frame - 500 - bottom[1].frame) <= 3


def test_the_least_difference_that_counts_turns_a_small_one_into_the_same(squat):
    (depth,) = [one for one in squat.differences if one.id == "depth"]
    pair = compare(filmed({}, 1), filmed({"depth": 1.0}, 2))
    gap = abs(ask(pair, squat, [depth], settings=FEW).answers[0].difference)
    generous = dataclasses.replace(depth, least=2 * gap)
    assert [ask(pair, squat, [one], settings=FEW).answers[0].answer for one in (depth, generous)] == ["b", "same"]


def test_a_statement_for_pictures_alone_waits_for_them(squat):
    look = Question("grip", "the grip is firmer", ("lowest", "lowest"), None)
    (answer,) = ask(compare(filmed({}, 1), filmed({}, 2)), squat, [look], settings=FEW).answers
    assert (answer.answer, answer.measure, answer.reason) == (None, "", "only pictures can tell")
    assert answer.frames[0] is not None


def test_it_can_be_done_again(squat):
    pair = compare(filmed({}, 1), filmed({}, 2), Settings())
    one, other = (ask(pair, squat, settings=FEW) for _ in range(2))
    assert [*map(answer_document, one.answers)] == [*map(answer_document, other.answers)]
    assert one.key_points == other.key_points


def test_settings_that_cannot_be_used_are_refused():
    with pytest.raises(BadSetting, match="fewer than 8 draws"):
        DifferencingSettings(draws=1)
