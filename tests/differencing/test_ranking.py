import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from posediff.differencing.answers import Answer
from posediff.differencing.ranking import deviations, joints_of, rank
from posediff.errors import BadData


def answer(query, z, text="min(knee_angle)", frames=(0, 10), choice="a", **changes):
    fields = {"id": "", "unit": "deg", "probability": 0.9, "confidence": 1.0, "values": (0.0, 2.0 * z), "noise": 2.0}
    return Answer(query=query, answer=choice, measure=text, frames=(frames, frames), **{**fields, **changes})


def test_a_tiny_spread_of_a_few_exemplars_is_not_believed():
    exemplars = np.array([[90.0, 90.0], [90.0, 110.0]])  # alike by chance; twenty degrees apart
    found = deviations(np.array([100.0, 110.0]), exemplars, ["deg", "deg"])
    # Variances 0 and 200, the common one 100 between them: (4 * 100 + 0) / 5 and (4 * 100 + 200) / 5.
    np.testing.assert_allclose(found, [10 / math.sqrt(80 * 1.5), 10 / math.sqrt(120 * 1.5)])


def test_with_many_exemplars_it_is_the_deviation_in_their_own_standard_deviations():
    rng = np.random.default_rng(0)
    exemplars = rng.normal([90.0, 0.5], [3.0, 0.2], (4000, 2))
    mean, spread = exemplars.mean(axis=0), exemplars.std(axis=0, ddof=1)
    found = deviations(mean + 2 * spread, exemplars, ["deg", "torso"])
    np.testing.assert_allclose(found, 2, rtol=0.02)


def test_one_exemplar_is_enough_for_clear_differences():
    found = deviations(np.array([100.0, 0.4, 3.0]), np.array([[90.0, 0.5, 2.0]]), ["deg", "torso", "s"])
    np.testing.assert_allclose(found, np.array([1, -1, 5]) / math.sqrt(2), rtol=1e-6)


def test_noise_makes_a_deviation_less_remarkable():
    exemplars = np.array([[90.0], [92.0], [94.0]])
    exact, noisy = (deviations(np.array([99.0]), exemplars, ["deg"], np.array([noise]))[0] for noise in (0.0, 20.0))
    assert 0 < noisy < exact / 3


@given(arrays(float, (4, 3), elements=st.floats(-100, 100)), st.floats(0.1, 10))
def test_deviations_have_the_sign_of_the_difference_and_no_unit_counts_more(values, factor):
    first, *rest = values
    units = ["deg", "torso", "s"]
    found = deviations(first, np.array(rest), units)
    assert np.isfinite(found).all()
    apart = first - np.mean(rest, axis=0)
    assert (np.sign(found[np.abs(apart) > 1e-6]) == np.sign(apart[np.abs(apart) > 1e-6])).all()
    np.testing.assert_allclose(deviations(-first, -np.array(rest), units), -found, atol=1e-9)


def test_what_is_unknown_deviates_by_nothing_known():
    found = deviations(np.array([1.0, np.nan]), np.array([[np.nan, 1.0], [np.nan, 2.0]]), ["deg", "deg"])
    assert np.isnan(found).all()


def test_shapes_that_do_not_belong_together_are_refused():
    with pytest.raises(BadData, match="for 2 measures"):
        deviations(np.zeros(2), np.zeros((3, 4)), ["deg", "deg"])


def test_the_strongest_evidence_comes_first_and_no_statement_twice():
    given_ = [
        answer("a", 3, "jerk(left_wrist)"),
        answer("b", 8, "max(head_height)"),
        answer("a", 3, "jerk(left_wrist)"),
    ]
    assert [one.query for one in rank(given_, 5)] == ["b", "a"]
    assert [one.query for one in rank(given_, 1)] == ["b"]


def test_what_is_the_same_or_unknown_is_no_difference():
    assert rank([answer("a", 9, choice="same"), answer("b", 9, choice=None)], 5) == ()


def test_what_follows_from_a_chosen_difference_comes_after_what_does_not():
    knee = answer("the knee is more bent", 20, "at(knee_angle, lowest)", (10, 11))
    depth = answer("the squat is deeper", 18, "at(height(pelvis, knee), lowest)", (10, 11))
    arm = answer("the arm is higher", 10, "at(shoulder_angle, lowest)", (10, 11))
    tempo = answer("it takes longer", 5, "duration(first..last)", (0, 50))
    later = answer("the knee ends straighter", 9, "at(knee_angle, last)", (49, 50))
    order = [one.query for one in rank([depth, tempo, later, knee, arm], 5)]
    assert order == [one.query for one in (knee, later, arm, depth, tempo)]


def test_of_two_durations_at_one_time_the_second_tells_nothing_new():
    whole, part = answer("w", 9, "duration(first..last)", (0, 50)), answer("p", 8, "duration(down..up)", (0, 25))
    other = answer("o", 1, "max(head_height)", (0, 50))
    assert [one.query for one in rank([part, other, whole], 3)] == ["w", "o", "p"]


def test_what_pictures_tell_counts_by_its_probability():
    seen = {"values": (math.nan, math.nan), "noise": math.nan, "source": "vision"}
    sure, unsure = (answer(name, 0, "", probability=p, **seen) for name, p in (("sure", 0.999), ("unsure", 0.6)))
    assert [one.query for one in rank([unsure, answer("measured", 2), sure], 3)] == ["sure", "measured", "unsure"]


@pytest.mark.parametrize(
    ("text", "joints"),
    [
        ("at(height(pelvis, left_ankle), lowest)", {"pelvis", "left_ankle"}),
        ("max(left_elbow_angle)", {"left_shoulder", "left_elbow", "left_wrist"}),
        ("range(knee_height)", {"left_knee", "right_knee"}),
        ("at(forward(front_knee, front_ankle), lowest)", {"left_knee", "right_knee", "left_ankle", "right_ankle"}),
        ("max(trunk_lean)", {"pelvis", "thorax"}),
        ("max(trunk_rotation)", {"left_shoulder", "right_shoulder", "left_hip", "right_hip"}),
        ("duration(lowering..lowest)", set()),
    ],
)
def test_the_joints_of_a_measure_are_known_from_its_words(text, joints):
    assert joints_of(text) == joints
