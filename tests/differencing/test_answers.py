import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from posediff.differencing.answers import ALIKE, SPREAD, Answer, answer_document, judged, probabilities

ADVANTAGES = st.floats(-50, 50)
NOISES = st.floats(0.05, 20)


def by_integration(advantage, noise, least):
    """The three probabilities by numerical integration over the true difference, as the docstring defines them."""

    def density(true):
        return stats.norm.pdf(true, 0, SPREAD * noise) * stats.norm.pdf(advantage, true, noise) * (1 - ALIKE)

    reach = 60 * noise + abs(advantage)
    parts = {}
    for name, low, high in (("a", -reach, -least), ("none", -least, least), ("b", least, reach)):
        parts[name] = integrate.quad(density, low, high, points=[np.clip(advantage, low, high)], limit=400)[0]
    spike = ALIKE * stats.norm.pdf(advantage, 0, noise)
    whole = sum(parts.values()) + spike
    return {"a": parts["a"] / whole, "b": parts["b"] / whole, "same": (parts["none"] + spike) / whole}


@pytest.mark.parametrize("least", [0.0, 0.7])
@pytest.mark.parametrize("advantage", [-6.0, -1.2, 0.0, 0.4, 2.0, 3.5])
def test_probabilities_are_bayes_rule(advantage, least):
    found = probabilities(advantage, 1.3, least)
    expected = by_integration(advantage, 1.3, least)
    assert found == pytest.approx(expected, abs=1e-6)


@given(ADVANTAGES, NOISES, st.floats(0, 5))
def test_probabilities_add_up_and_exchange_with_the_performances(advantage, noise, least):
    one, other = probabilities(advantage, noise, least), probabilities(-advantage, noise, least)
    assert sum(one.values()) == pytest.approx(1)
    assert min(one.values()) >= 0
    assert (one["a"], one["b"]) == pytest.approx((other["b"], other["a"]))


@given(ADVANTAGES, NOISES, st.floats(0.01, 100))
def test_the_unit_does_not_matter(advantage, noise, factor):
    assert judged(advantage, noise)[1] == pytest.approx(judged(factor * advantage, factor * noise)[1])


def test_far_beyond_the_noise_it_is_certain_and_without_a_difference_it_is_the_same():
    assert judged(30.0, 1.0) == ("b", pytest.approx(1.0))
    assert judged(-3000.0, 1.0) == ("a", pytest.approx(1.0))
    assert judged(0.0, 1.0)[0] == "same"
    assert judged(5.0, 0.5, least=6.0)[0] == "same"


def test_answers_are_right_as_often_as_they_say():
    rng = np.random.default_rng(3)
    noise = 2.5
    true = np.where(rng.random(20000) < ALIKE, 0.0, rng.normal(0, SPREAD * noise, 20000))
    measured = true + rng.normal(0, noise, 20000)
    said = [judged(value, noise) for value in measured]
    truth = np.where(true > 0, "b", np.where(true < 0, "a", "same"))
    right = np.array([answer for answer, _ in said]) == truth
    claimed = np.array([probability for _, probability in said])
    for low, high in ((0.4, 0.6), (0.6, 0.8), (0.8, 0.95), (0.95, 1.01)):
        inside = (claimed >= low) & (claimed < high)
        assert right[inside].mean() == pytest.approx(claimed[inside].mean(), abs=0.03)


def answer(**changes):
    given = {"id": "depth", "query": "the squat is deeper", "answer": "b", "probability": 0.987654,
             "values": (0.5, 0.61), "unit": "torso", "noise": 0.02, "frames": ((10, 11), None), "confidence": 0.9,
             "measure": "at(x, y)"}  # fmt: skip
    return Answer(**{**given, **changes})


def test_the_document_is_plain_and_what_is_unknown_is_null():
    told = answer_document(answer(probability=math.nan, answer=None, values=(math.nan, 1 / 3), reason="no toes"))
    assert (told["probability"], told["value_a"], told["value_b"], told["answer"]) == (None, None, 0.3333, None)
    assert (told["frames_a"], told["frames_b"], told["reason"]) == ([10, 11], None, "no toes")


def test_evidence_is_the_difference_in_noises_and_nothing_where_it_is_unknown():
    assert answer().evidence == pytest.approx(0.11 / 0.02)
    assert answer(values=(math.nan, 1.0)).evidence == 0.0
