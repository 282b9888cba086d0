import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from posediff.differencing.metrics import (
    Match,
    OpenScores,
    Question,
    Statement,
    binomial,
    by_id,
    by_text,
    closed,
    closed_by_split,
    ece,
    mean_share,
    recall_at,
    reliability,
    together,
)
from posediff.errors import BadData, BadSetting


def said(*texts, label="a"):
    return [Statement("", text, label) for text in texts]


def test_unanswered_questions_count_in_three_ways():
    questions = [
        Question("easy", "a", "a"),
        Question("easy", "b", "a"),
        Question("easy", "b", "same", "b"),
        Question("easy", "a", "same", "b"),
        Question("easy", "a", "same", None),
        Question("easy", "a", None),
        Question("easy", "c", "a"),
    ]
    scores = closed(questions)
    assert scores.strict[:2] == (1, 6)
    assert scores.forced[:2] == (2, 6)
    assert scores.answered[:2] == (2, 5)
    assert scores.coverage == pytest.approx(5 / 6)
    assert scores.forced.share == pytest.approx(1 / 3)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("ab")), min_size=1, max_size=40))
def test_with_an_answer_to_everything_all_ways_are_plain_accuracy(pairs):
    scores = closed([Question("", truth, answer, answer) for truth, answer in pairs])
    expected = accuracy_score(*zip(*pairs, strict=True))
    assert [one.share for one in scores] == pytest.approx([expected] * 3)


def test_the_binomial_test_is_exact():
    # of 2^10 outcomes, 1 + 10 + 45 have 8 or more heads
    assert binomial(8, 10, "greater") == pytest.approx(56 / 1024)
    assert binomial(8, 10) == binomial(2, 10) == pytest.approx(112 / 1024)
    assert binomial(5, 10) == pytest.approx(1)
    assert math.isnan(binomial(0, 0))
    with pytest.raises(BadSetting, match="11 of 10"):
        binomial(11, 10)


def test_splits_are_told_apart_and_count_alike_in_the_mean():
    questions = [Question("easy", "a", "a")] * 3 + [Question("easy", "a", "b"), Question("hard", "b", "a")]
    scores = closed_by_split(questions)
    assert list(scores) == ["easy", "hard"]
    assert mean_share(one.strict for one in scores.values()) == pytest.approx((0.75 + 0) / 2)


def test_nothing_to_score_is_not_a_number():
    scores = closed([Question("easy", "c", "a")])
    assert all(math.isnan(value) for value in (scores.strict.share, scores.coverage, scores.strict.p_value))
    assert math.isnan(mean_share([scores.strict]))
    assert math.isnan(OpenScores(0, 0, 0, 0).recall)
    assert math.isnan(ece([], []))


def test_errors_of_the_open_setting_are_missed_or_flipped():
    truths = [Statement(str(n), "", label) for n, label in enumerate("aabbc")]
    predictions = [Statement(name, "", label) for name, label in [("0", "a"), ("1", "b"), ("3", "same"), ("4", "a")]]
    scores = recall_at(truths, predictions, 10, by_id)
    assert scores == (4, 1, 2, 1)
    assert scores.recall == 0.25
    assert together([scores, scores]) == (8, 2, 4, 2)
    assert together([]) == (0, 0, 0, 0)


def test_predictions_behind_the_limit_are_not_looked_at():
    truths = [Statement(str(n), "", "a") for n in range(3)]
    assert [recall_at(truths, truths, n, by_id).correct for n in range(5)] == [0, 1, 2, 3, 3]


def test_an_opposite_statement_about_the_other_performance_is_correct():
    truths = said("the squat is deeper") + said("the feet are wider", label="b")
    predictions = said("narrower feet") + said("a shallower squat", label="a")
    assert recall_at(truths, predictions, 5) == (2, 1, 1, 0)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("the feet stance is wider", "feet with a wider stance"),
        ("the squat is deeper", "Deeper squat."),
        ("the knees are bending more", "the knee bends more"),
        ("the motion is faster", "the motion is quicker"),
    ],
)
def test_other_wordings_of_the_same_words_match(first, second):
    assert by_text(said(first), said(second)) == [Match(0, 0, False)]


@pytest.mark.parametrize(
    ("first", "second", "opposite"),
    [("arms are higher", "arms are lower", True), ("less arm swing", "more arm swing", True),
     ("lower arms", "arms are lower", False)],
)  # fmt: skip
def test_words_of_the_other_end_of_a_scale_make_a_statement_opposite(first, second, opposite):
    assert by_text(said(first), said(second)) == [Match(0, 0, opposite)]


def test_statements_about_other_things_do_not_match():
    assert by_text(said("the toes point outwards"), said("the movement is faster")) == []
    assert by_text(said("x"), []) == by_text([], said("x")) == []
    assert by_text(said("the"), said("a")) == []


WORDS = st.lists(st.sampled_from("arm leg knee hip foot".split()), min_size=1, max_size=3, unique=True)


@given(st.lists(WORDS, min_size=3, max_size=3), st.lists(WORDS, min_size=3, max_size=3))
def test_text_is_matched_with_the_largest_sum_of_similarity(ours, theirs):
    def dice(a, b):
        shared = 2 * len(set(a) & set(b)) / (len(a) + len(b))
        return shared if shared >= 0.5 else 0

    best = max(sum(dice(ours[n], theirs[m]) for n, m in enumerate(order)) for order in permutations(range(3)))
    found = by_text(said(*map(" ".join, ours)), said(*map(" ".join, theirs)))
    assert sum(dice(ours[one.truth], theirs[one.prediction]) for one in found) == pytest.approx(best)


@pytest.mark.parametrize(
    "matches", [[Match(0, 0), Match(0, 1)], [Match(0, 0), Match(1, 0)], [Match(2, 0)], [Match(0, -1)]]
)
def test_a_matcher_that_breaks_the_rules_is_told(matches):
    with pytest.raises(BadData, match="the matcher gives"):
        recall_at(said("x", "y"), said("x", "y"), 5, lambda truths, predictions: matches)


def test_calibration_by_hand():
    stated = [0.95, 0.85, 0.9, 0.55, 0.6]
    correct = [True, True, False, False, True]
    table = reliability(stated, correct, bins=10)
    # 0.9 belongs to the bin that ends there, 0.6 likewise
    assert [(round(one.high, 3), one.answers, one.accuracy) for one in table] == [
        (0.6, 2, 0.5),
        (0.9, 2, 0.5),
        (1.0, 1, 1.0),
    ]
    assert ece(stated, correct) == pytest.approx((2 * (0.575 - 0.5) + 2 * (0.875 - 0.5) + (1 - 0.95)) / 5)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50), st.integers(1, 15))
def test_calibration_agrees_with_a_plain_loop(pairs, bins):
    total = 0.0
    edges = np.linspace(0, 1, bins + 1)
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        held = [(p, c) for p, c in pairs if low < p <= high or (low == 0 and p == 0)]
        total += abs(sum(p for p, _ in held) - sum(c for _, c in held)) / len(pairs)
    assert ece(*zip(*pairs, strict=True), bins=bins) == pytest.approx(total, abs=1e-9)


def test_what_cannot_be_calibrated_is_refused():
    with pytest.raises(BadData, match="2 probabilities do not belong to 1"):
        ece([0.5, 0.5], [True])
    with pytest.raises(BadData, match="not in 0 to 1"):
        ece([math.nan], [True])
    with pytest.raises(BadSetting, match="bins is 0"):
        ece([0.5], [True], bins=0)
