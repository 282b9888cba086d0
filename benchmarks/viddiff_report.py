"""What posediff answered on VidDiffBench: figures, the paper's tables, and what the published evaluation reads."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from posediff.datasets.viddiff import SPLITS, VideoPair
from posediff.differencing.answers import Answer
from posediff.differencing.metrics import (
    Accuracy,
    ClosedScores,
    Matcher,
    OpenScores,
    Question,
    Statement,
    closed,
    closed_by_split,
    ece,
    mean_share,
    recall_at,
    reliability,
    together,
)

#: The best of the paper's Tables 2 and 3, in percent: easy, medium, hard.
PAPER = {
    "closed": {"GPT-4o": (58.8, 53.0, 50.1), "Gemini-1.5-Pro": (65.8, 51.9, 49.8), "VidDiff": (65.3, 55.4, 50.4)},
    "open": {"GPT-4o": (39.5, 35.8, 32.3), "Gemini-1.5-Pro": (22.7, 12.9, 21.2), "VidDiff": (40.1, 34.7, 32.5)},
}


@dataclass(frozen=True)
class Asked:
    """A pair and what was found out about it: answers by the benchmark's ids, or else why there are none."""

    pair: VideoPair
    answers: Mapping[str, Answer]
    leans: Mapping[str, str | None]
    reason: str = ""

    def why_not(self, name: str) -> str:
        """Why a statement has no answer."""
        return self.reason or (self.answers[name].reason if name in self.answers else "not in the taxonomy")


def closed_figures(asked: Sequence[Asked]) -> dict[str, Any]:
    """Accuracy by split, printed and returned."""
    questions = [
        Question(one.pair.split, difference.label, _answer(one, name), one.leans.get(name))
        for one in asked
        for name, difference in one.pair.differences.items()
    ]
    splits = {name: score for name, score in closed_by_split(questions).items() if score.strict.questions}
    _head("closed accuracy, %", splits)
    for name, shares in PAPER["closed"].items():
        _row(f"{name} (paper)", [f"{shares[SPLITS.index(split)]:.1f}" for split in splits])
    for title, field in (
        ("posediff, same is wrong", "strict"),
        ("posediff, same is forced", "forced"),
        ("  of those answered", "answered"),
    ):
        scores: list[Accuracy] = [getattr(score, field) for score in splits.values()]
        _row(title, [_told(one) for one in scores], 100 * mean_share(scores))
    _row("  answered, % of questions", [f"{100 * score.coverage:.1f}" for score in splits.values()])
    reasons = _reasons(asked)
    stated, right = calibration(asked)
    print(f"expected calibration error {ece(stated, right):.3f} of {len(stated)} answers, same among them")
    return {
        "mode": "closed",
        "splits": {name: closed_document(score) for name, score in splits.items()},
        "all": closed_document(closed(questions)),
        "mean_forced": _known(mean_share(score.forced for score in splits.values())),
        "unanswered": reasons,
        "statements": by_statement(asked),
        "calibration": {
            "ece": _known(ece(stated, right)),
            "table": [one._asdict() for one in reliability(stated, right)],
        },
    }


def closed_document(score: ClosedScores) -> dict[str, Any]:
    """The scores as plain JSON types; what is not a number, because nothing was asked, is null."""
    rows = {
        name: {**row._asdict(), "p_value": _known(row.p_value), "share": _known(row.share)}
        for name, row in score._asdict().items()
    }
    return {**rows, "coverage": _known(score.coverage)}


def by_statement(asked: Sequence[Asked]) -> dict[str, Any]:
    """Accuracy of every statement over its pairs, ``fitness_0/3``, as the paper's section 6.3."""
    questions: dict[str, list[Question]] = {}
    for one in asked:
        for name, difference in one.pair.differences.items():
            question = Question("", difference.label, _answer(one, name), one.leans.get(name))
            questions.setdefault(f"{one.pair.action}/{name}", []).append(question)
    scores = {name: closed(some) for name, some in questions.items()}
    return {name: closed_document(score)["forced"] for name, score in scores.items() if score.forced.questions}


def calibration(asked: Iterable[Asked]) -> tuple[list[float], list[bool]]:
    """Stated probabilities of all answers, and whether they were right; ``same`` is right where the label is c."""
    pairs = [
        (answer.probability, answer.answer == {"c": "same"}.get(difference.label, difference.label))
        for one in asked
        for name, difference in one.pair.differences.items()
        if (answer := one.answers.get(name)) is not None and answer.answer is not None
    ]
    return [stated for stated, _ in pairs], [right for _, right in pairs]


def open_figures(asked: Sequence[Asked], matcher: Matcher) -> dict[str, Any]:
    """Recall@N by split, printed and returned."""
    scores: dict[str, list[OpenScores]] = {}
    for one in asked:
        truths = [Statement(name, each.text, each.label) for name, each in one.pair.differences.items()]
        score = recall_at(truths, proposals(one), one.pair.n_open, matcher)
        scores.setdefault(one.pair.split, []).append(score)
    totals = {split: total for split, some in scores.items() if (total := together(some)).positives}
    _head("open recall@N, %", totals)
    for name, shares in PAPER["open"].items():
        _row(f"{name} (paper)", [f"{shares[SPLITS.index(split)]:.1f}" for split in totals])
    for title, field in (("posediff", "correct"), ("  not proposed", "missed"), ("  flipped", "flipped")):
        _row(title, [f"{100 * getattr(score, field) / score.positives:.1f}" for score in totals.values()])
    splits = {split: {**score._asdict(), "recall": score.recall} for split, score in totals.items()}
    return {"mode": "open", "splits": splits}


def proposals(one: Asked) -> list[Statement]:
    """Statements that are truer of one performance, the most probable first, as many as are allowed."""
    found = [(name, answer) for name, answer in one.answers.items() if answer.answer in ("a", "b")]
    found.sort(key=lambda pair: -pair[1].probability)
    return [Statement(name, answer.query, str(answer.answer)) for name, answer in found[: one.pair.n_open]]


def closed_prediction(one: Asked) -> dict[str, Any]:
    """A pair as the published evaluation reads it; it wants every labelled statement, so no answer is c."""
    return {
        name: {"description": each.text, "prediction": _forced(one, name) or "c"}
        for name, each in one.pair.differences.items()
    }


def open_prediction(one: Asked) -> dict[str, Any]:
    """A pair's proposals as the published evaluation reads them: numbered."""
    return {
        str(number): {"description": each.text, "prediction": each.label} for number, each in enumerate(proposals(one))
    }


def _told(score: Accuracy) -> str:
    return f"{100 * score.share:.1f} p={score.p_value:.2g}" if score.questions else "-"


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _answer(one: Asked, name: str) -> str | None:
    return one.answers[name].answer if name in one.answers else None


def _forced(one: Asked, name: str) -> str | None:
    answer = _answer(one, name)
    return one.leans[name] if answer == "same" else answer


def _reasons(asked: Sequence[Asked]) -> dict[str, int]:
    """Why statements labelled a or b have no answer, the most frequent first."""
    labelled = [(one, name) for one in asked for name, each in one.pair.differences.items() if each.label != "c"]
    reasons = Counter(one.why_not(name) for one, name in labelled if _answer(one, name) is None)
    for reason, count in reasons.most_common():
        print(f"unanswered {count:5}  {reason}")
    return dict(reasons.most_common())


def _head(title: str, splits: Iterable[str]) -> None:
    _row(title, list(splits))


def _row(title: str, cells: Sequence[str], mean: float | None = None) -> None:
    print(f"{title:28}" + "".join(f"{cell:>16}" for cell in cells) + ("" if mean is None else f"   mean {mean:.1f}"))
