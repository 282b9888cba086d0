import numpy as np
import pytest

from posediff.compare import Settings
from posediff.compare.prepare import prepare
from posediff.differencing.grammar.measures import cue
from posediff.differencing.statements.generic import generic_questions
from posediff.differencing.statements.questions import KeyPoint
from posediff.motion.angles import ANGLES, joint_angles
from posediff.motion.synthetic import generate
from posediff.skeletons import get

POINTS = (KeyPoint("down", "the knees bend", cue("first")), KeyPoint("up", "the knees are straight", cue("last")))


def test_every_angle_is_asked_about_in_words_that_fit_the_sign():
    asked = {question.id: question for question in generic_questions(get("mpii16"), 3)}
    knee = asked["left_knee_angle_min"]
    assert (knee.query, knee.sign) == ("the left knee gets more bent", -1)
    assert asked["left_knee_angle_max"].query == "the left knee gets straighter"
    assert asked["right_shoulder_angle_max"].query == "the right arm gets higher"
    assert asked["trunk_lean_max"].query == "the trunk leans further forward"
    assert asked["hip_angle_asymmetry"].query == "the left and the right hip angle differ more"
    assert len({question.query for question in asked.values()}) == len(asked)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_only_what_the_view_shows_is_asked(dimensions):
    text = " ".join(question.measure.text for question in generic_questions(get("mpii16"), dimensions))
    assert ("trunk_rotation" in text) == (dimensions == 3)
    assert "ankle_angle" not in text  # there are no toes
    assert all(question.where == ("first", "last") for question in generic_questions(get("mpii16"), dimensions))


def test_the_time_between_key_points_is_asked_about():
    *_, whole, step = generic_questions(get("mpii16"), 3, POINTS)
    assert whole.query == "the movement takes longer"
    assert step.query == 'it takes longer from "the knees bend" to "the knees are straight"'
    assert step.where == ("down", "up")
    assert step.measure.key_points == ("down", "up")


def test_the_extremes_are_those_of_the_angles():
    body = prepare(generate("squat"), Settings())
    names, angles = joint_angles(body.sequence)
    for question in generic_questions(get("mpii16"), 3):
        name, _, kind = question.id.rpartition("_")
        if name in ANGLES and name.endswith("_angle"):
            expected = {"min": np.min, "max": np.max, "range": np.ptp}[kind](angles[:, names.index(name)])
            assert question.measure.value(body, {}) == pytest.approx(expected, abs=0.5)
