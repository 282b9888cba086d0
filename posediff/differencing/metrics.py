"""How good answers about differences are: accuracy, recall and calibration, as VidDiff measures them.

Burgess et al. 2025, sections 3.2 and 6.1. Statements that are as true of A as of B, labelled ``c``, take part in the
matching of the open setting, as in the published evaluation, and count for nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal, NamedTuple

import numpy as np

from posediff.errors import BadData, BadSetting

#: Least similarity, 0 to 1, at which two texts can be the same statement.
SIMILAR = 0.5

#: Words of one scale: the second says the opposite of the first.
_OPPOSITES = {
    "less": "more", "lower": "higher", "slower": "faster", "narrower": "wider", "shallower": "deeper",
    "smaller": "larger", "shorter": "longer", "later": "earlier", "closer": "farther", "softer": "harder",
}  # fmt: skip
_SAME = {"bigger": "larger", "greater": "larger", "further": "farther", "fewer": "less", "quicker": "faster"}
_ENDING = re.compile(r"(?<=\w{3})(?:ing|(?<!e)ed|(?<=ch|sh)es|(?<!s)s)$")
_EMPTY = set("a an and are as at be by during for from has have in is it its of on or that the their they to when "
             "while with video performer person".split())  # fmt: skip


@dataclass(frozen=True)
class Question:
    """A statement of the closed setting and its answer.

    Attributes:
        split: of the benchmark, any name.
        truth: ``a`` or ``b``; ``c`` is left out.
        answer: ``a``, ``b``, ``same``, or None where it could not be answered.
        lean: ``a`` or ``b``, the answer where ``same`` is not allowed; None where there is none.
    """

    split: str
    truth: str
    answer: str | None
    lean: str | None = None


class Accuracy(NamedTuple):
    """Correct answers of some questions.

    Attributes:
        correct, questions: how many.
        p_value: of a two-sided exact binomial test against guessing, 0.5.
    """

    correct: int
    questions: int
    p_value: float

    @property
    def share(self) -> float:
        """Of the questions that are answered correctly, 0 to 1; NaN of none."""
        return self.correct / self.questions if self.questions else float("nan")


class ClosedScores(NamedTuple):
    """The closed setting, unanswered questions counted in three ways.

    Attributes:
        strict: of all questions; ``same`` and no answer are wrong.
        forced: of all questions; ``same`` becomes what the measure leans to, no answer is wrong.
        answered: of those that have an answer, ``same`` forced.
    """

    strict: Accuracy
    forced: Accuracy
    answered: Accuracy

    @property
    def coverage(self) -> float:
        """Share of the questions that have an answer, ``same`` among them."""
        return self.answered.questions / self.forced.questions if self.forced.questions else float("nan")


def binomial(correct: int, questions: int, alternative: Literal["two-sided", "greater"] = "two-sided") -> float:
    """P-value of an exact binomial test of guessing between two answers; NaN of no question.

    The paper marks p < 0.05 "on a binomial test" and does not say on which side; two-sided is the stricter.

    Raises:
        BadSetting: if more are correct than were asked, or fewer than none.
    """
    from scipy.stats import binomtest

    if not 0 <= correct <= questions:
        raise BadSetting(f"{correct} of {questions} questions cannot be correct", "give 0 <= correct <= questions")
    return float(binomtest(correct, questions, 0.5, alternative).pvalue) if questions else float("nan")


def closed(questions: Iterable[Question]) -> ClosedScores:
    """Accuracy over questions labelled ``a`` or ``b``, of all splits together."""
    asked = [one for one in questions if one.truth in ("a", "b")]
    forced = [one.lean if one.answer == "same" else one.answer for one in asked]
    hits = [answer == one.truth for one, answer in zip(asked, forced, strict=True)]
    known = [hit for one, hit in zip(asked, hits, strict=True) if one.answer is not None]
    return ClosedScores(_accuracy([one.answer == one.truth for one in asked]), _accuracy(hits), _accuracy(known))


def closed_by_split(questions: Sequence[Question]) -> dict[str, ClosedScores]:
    """The closed setting split by split, in the order in which splits occur."""
    splits = dict.fromkeys(one.split for one in questions)
    return {split: closed(one for one in questions if one.split == split) for split in splits}


def mean_share(scores: Iterable[Accuracy]) -> float:
    """Mean over splits, as the last column of the paper's Table 2: every split counts alike."""
    shares = [one.share for one in scores if one.questions]
    return fmean(shares) if shares else float("nan")


@dataclass(frozen=True)
class Statement:
    """A statement about a pair: from the labels, or predicted.

    Attributes:
        id: in its taxonomy; empty for a free text.
        text: in words.
        label: ``a``, ``b`` or, in labels, ``c``.
    """

    id: str
    text: str
    label: str


class Match(NamedTuple):
    """The positions of a labelled statement and of the prediction that says it, or its ``opposite``."""

    truth: int
    prediction: int
    opposite: bool = False


#: Finds the predictions that say what labelled statements say. Each of either side may be used once.
Matcher = Callable[[Sequence[Statement], Sequence[Statement]], Sequence[Match]]


def by_id(truths: Sequence[Statement], predictions: Sequence[Statement]) -> list[Match]:
    """Match statements of one taxonomy by their ids."""
    places = {one.id: number for number, one in reversed(list(enumerate(predictions))) if one.id}
    return [Match(number, places[one.id]) for number, one in enumerate(truths) if one.id in places]


def by_text(truths: Sequence[Statement], predictions: Sequence[Statement], *, least: float = SIMILAR) -> list[Match]:
    """Match statements by the words they share (Dice coefficient), one to one with the largest sum (Hungarian method).

    Words are compared without endings and fillers; ``lower`` is the opposite of ``higher`` on the same scale. It finds
    other wordings of the same words, not synonyms: for those, match by a language model.
    """
    from scipy.optimize import linear_sum_assignment

    if not truths or not predictions:
        return []
    ours, theirs = [_words(one.text) for one in truths], [_words(one.text) for one in predictions]
    alike = np.array([[_dice(a, b) for b, _ in theirs] for a, _ in ours])
    rows, columns = linear_sum_assignment(np.where(alike >= least, alike, 0.0), maximize=True)
    return [
        Match(int(row), int(column), ours[row][1] != theirs[column][1])
        for row, column in zip(rows, columns, strict=True)
        if alike[row, column] >= least
    ]


class OpenScores(NamedTuple):
    """The open setting, as counts of positive statements, those labelled ``a`` or ``b``.

    Attributes:
        positives: how many there are.
        correct: predicted, of the right performance.
        flipped: predicted of the other performance, or of neither: flipped prediction errors.
        missed: not predicted: difference recall errors.
    """

    positives: int
    correct: int
    flipped: int
    missed: int

    @property
    def recall(self) -> float:
        """Share of the positive statements that are predicted of the right performance; NaN of none."""
        return self.correct / self.positives if self.positives else float("nan")


def recall_at(
    truths: Sequence[Statement], predictions: Sequence[Statement], limit: int, matcher: Matcher = by_text
) -> OpenScores:
    """Recall@N of one pair: of its positive statements, those that are among the first N predictions, rightly labelled.

    Args:
        truths: the labelled statements of the pair, ``c`` among them.
        predictions: the most important first.
        limit: N; later predictions are not looked at.
        matcher: :func:`by_id`, :func:`by_text`, or anything else, such as a language model.

    Raises:
        BadData: if the matcher names positions that there are not, or one twice.
    """
    predictions = predictions[:limit]
    matches = list(matcher(truths, predictions))
    _check(matches, len(truths), len(predictions))
    said = {one.truth: _turned(predictions[one.prediction].label, one.opposite) for one in matches}
    positives = [number for number, one in enumerate(truths) if one.label in ("a", "b")]
    correct = sum(said.get(number) == truths[number].label for number in positives)
    missed = sum(number not in said for number in positives)
    return OpenScores(len(positives), correct, len(positives) - correct - missed, missed)


def together(scores: Iterable[OpenScores]) -> OpenScores:
    """The counts of several pairs as one."""
    return OpenScores(*(sum(column) for column in zip(OpenScores(0, 0, 0, 0), *scores, strict=True)))


class Bin(NamedTuple):
    """A row of a reliability table: how many stated probabilities are in (low, high], their mean, and the accuracy."""

    low: float
    high: float
    answers: int
    probability: float
    accuracy: float


def reliability(probabilities: Sequence[float], correct: Sequence[bool], bins: int = 10) -> list[Bin]:
    """Stated probabilities against how often the answers were correct, in equally wide bins; empty ones are left out.

    Args:
        probabilities: (N,) that the answer is right, 0 to 1.
        correct: (N,) whether it was.
        bins: number of bins.

    Raises:
        BadData: if lengths differ, or a number is no probability.
        BadSetting: for no bins.
    """
    if bins < 1:
        raise BadSetting(f"bins is {bins}", "give 1 or more")
    stated, hits = np.asarray(probabilities, np.float64), np.asarray(correct, bool)
    if stated.shape != hits.shape or stated.ndim != 1:
        raise BadData(f"{stated.size} probabilities do not belong to {hits.size} answers", "give one for each")
    if not ((stated >= 0) & (stated <= 1)).all():
        raise BadData("a probability is not in 0 to 1", "leave answers without a probability out")
    edges = np.linspace(0, 1, bins + 1)
    place = np.clip(np.searchsorted(edges, stated) - 1, 0, bins - 1)
    return [
        Bin(float(edges[k]), float(edges[k + 1]), int(held.sum()), float(stated[held].mean()), float(hits[held].mean()))
        for k in range(bins)
        if (held := place == k).any()
    ]


def ece(probabilities: Sequence[float], correct: Sequence[bool], bins: int = 10) -> float:
    """Expected calibration error, 0 to 1 (Guo et al. 2017, eq. 3); NaN of no answers.

    Arguments as for :func:`reliability`.
    """
    table = reliability(probabilities, correct, bins)
    if not table:
        return float("nan")
    return sum(one.answers * abs(one.probability - one.accuracy) for one in table) / sum(one.answers for one in table)


def _accuracy(hits: Sequence[bool]) -> Accuracy:
    return Accuracy(sum(hits), len(hits), binomial(sum(hits), len(hits)))


def _turned(label: str, opposite: bool) -> str:
    return {"a": "b", "b": "a"}.get(label, label) if opposite else label


def _words(text: str) -> tuple[frozenset[str], bool]:
    """The words that carry a statement, and whether an odd number of them was put into its opposite."""
    words = [_SAME.get(word, word) for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in _EMPTY]
    turned = sum(word in _OPPOSITES for word in words) % 2 == 1
    return frozenset(_ENDING.sub("", _OPPOSITES.get(word, word)).rstrip("e") for word in words), turned


def _dice(first: frozenset[str], second: frozenset[str]) -> float:
    return 2 * len(first & second) / max(len(first) + len(second), 1)


def _check(matches: Sequence[Match], truths: int, predictions: int) -> None:
    for side, size in (("truth", truths), ("prediction", predictions)):
        places = [getattr(one, side) for one in matches]
        if len(set(places)) < len(places) or not all(0 <= place < size for place in places):
            raise BadData(f"the matcher gives {side}s {places}, expected each at most once, below {size}", "")
