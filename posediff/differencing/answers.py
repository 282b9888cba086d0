"""What is answered: whose performance a statement is truer of, and how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Choice = Literal["a", "b", "same"]

#: Share of statements that are taken to be as true of one performance as of the other, before anything is measured.
ALIKE = 0.55
#: Standard deviation of the other differences before anything is measured, in standard deviations of the noise: visible
#: differences are a few times as large as what is just measurable.
SPREAD = 3.3


@dataclass(frozen=True)
class Answer:
    """Whether a statement is truer of A, the reference, or of B, the query.

    Attributes:
        id: of the difference in its taxonomy; empty for a free query.
        query: the statement, such as "the squat is deeper".
        answer: the performance that it is truer of, ``same`` where noise explains the difference, None where it could
            not be answered.
        probability: that the answer is right, 0 to 1; NaN without an answer.
        values: the measure in A and in B; NaN where unknown.
        unit: of both: ``deg``, ``torso``, ``s``, ``1`` or a product of them.
        noise: standard deviation of the values' difference that noise explains, same unit.
        frames: (first, end) frame numbers in A and in B, end exclusive; None where the place was not found.
        confidence: probability that the key points looked at were found, 0 to 1.
        measure: the measure's text; empty where only pictures can tell.
        source: ``skeleton``, or ``vision`` where a vision-language model looked at pictures.
        reason: why there is no answer; empty where there is one.
    """

    id: str
    query: str
    answer: Choice | None
    probability: float
    values: tuple[float, float]
    unit: str
    noise: float
    frames: tuple[tuple[int, int] | None, tuple[int, int] | None]
    confidence: float
    measure: str
    source: Literal["skeleton", "vision"] = "skeleton"
    reason: str = ""

    @property
    def difference(self) -> float:
        """B minus A."""
        return self.values[1] - self.values[0]

    @property
    def evidence(self) -> float:
        """How many standard deviations of the noise the values differ by; 0 where unknown."""
        return abs(self.difference) / self.noise if self.noise > 0 and math.isfinite(self.difference) else 0.0


def judged(advantage: float, noise: float, least: float = 0.0) -> tuple[Choice, float]:
    """Whose performance a statement is truer of, and the probability of that.

    Before the measurement, both are alike with probability :data:`ALIKE`, else their true difference is normal with a
    standard deviation of :data:`SPREAD` times the noise; the measured difference is normal about the true one. What
    remains is Bayes' rule.

    Args:
        advantage: by how much the statement is measured to be truer of B than of A.
        noise: standard deviation of the measured difference that noise explains, above 0.
        least: a true difference below it counts as none, same unit.
    """
    chances = probabilities(advantage, noise, least)
    answer: Choice = max(chances, key=lambda choice: chances[choice])
    return answer, chances[answer]


def probabilities(advantage: float, noise: float, least: float = 0.0) -> Mapping[Choice, float]:
    """Probabilities of all three answers; arguments as for :func:`judged`."""
    wide = 1.0 + SPREAD**2
    z = advantage / noise
    # log of how much likelier the measurement is where both are alike
    alike = math.log(ALIKE / (1 - ALIKE)) + 0.5 * math.log(wide) - 0.5 * z * z * (1 - 1 / wide)
    unlike = 1 / (1 + math.exp(min(alike, 700.0)))
    mean, deviation = advantage * SPREAD**2 / wide, noise * SPREAD / math.sqrt(wide)
    b = unlike * _above((least - mean) / deviation)
    a = unlike * _above((least + mean) / deviation)
    return {"a": a, "b": b, "same": max(1 - a - b, 0.0)}


def answer_document(answer: Answer) -> dict[str, Any]:
    """An answer as plain JSON types, as ``annotations/comparison-1.schema.json`` describes it."""
    first, second = answer.values
    return {
        "id": answer.id,
        "query": answer.query,
        "answer": answer.answer,
        "probability": _rounded(answer.probability),
        "value_a": _rounded(first),
        "value_b": _rounded(second),
        "unit": answer.unit,
        "noise": _rounded(answer.noise),
        "frames_a": None if answer.frames[0] is None else list(answer.frames[0]),
        "frames_b": None if answer.frames[1] is None else list(answer.frames[1]),
        "confidence": _rounded(answer.confidence),
        "measure": answer.measure,
        "source": answer.source,
        "reason": answer.reason,
    }


def _above(z: float) -> float:
    """Probability that a standard normal is above z."""
    return 0.5 * math.erfc(z / math.sqrt(2))


def _rounded(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None
