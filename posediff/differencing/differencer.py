"""Statements about two performances answered from their skeletons: localised, measured, judged against the noise."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from posediff.compare.body import Body
from posediff.compare.comparison import Comparison
from posediff.compare.settings import Settings
from posediff.differencing.answers import Answer, judged
from posediff.differencing.grammar.measures import Unmeasurable, values
from posediff.differencing.localizing.localizer import Evidence, Moment, localise, localise_pair
from posediff.differencing.noise import jittered, sharpened_pair, spread
from posediff.errors import BadSetting

if TYPE_CHECKING:
    from posediff.compare.align import Timeline
    from posediff.differencing.statements.taxonomy import Question, Taxonomy

#: What nobody resolves, however still the keypoints are; of other units this share of a value.
FINEST = {"deg": 0.05, "torso": 0.0005, "1": 0.0005}
FINEST_SHARE = 0.0005
#: Where the frames lie in a movement is chance, and what is fast is seen to be another shape by it: all key points are
#: measured at with this error, in frames.
FRAMING = 0.2


@dataclass(frozen=True)
class DifferencingSettings:
    """How statements are answered.

    Attributes:
        draws: how often either performance is measured again with jitter.
        near: within how many seconds a key point is looked for again in those.
        seed: of the jitter.
    """

    draws: int = 40
    near: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        if self.draws < 8 or not 0 < self.near < math.inf:
            raise BadSetting(f"{self} has fewer than 8 draws, or no time to look in", "give at least 8 draws")


@dataclass(frozen=True)
class Answered:
    """What was asked about a pair, and answered.

    Attributes:
        title: of the action.
        answers: one for every statement, in their order.
        key_points: name, description, and what was found in A and in B, in the order of the action.
    """

    title: str
    answers: tuple[Answer, ...]
    key_points: tuple[tuple[str, str, Place, Place], ...]


class Place(NamedTuple):
    """Where a key point was found: the frame's number, and the probability that it is near there."""

    frame: int
    confidence: float


class Measured(NamedTuple):
    """One performance measured: values of the questions, what jitter does to them, and where that was."""

    moments: Mapping[str, Moment]
    values: Sequence[float | Unmeasurable]
    noise: np.ndarray


def ask(
    comparison: Comparison,
    taxonomy: Taxonomy,
    questions: Sequence[Question] | None = None,
    *,
    evidence: tuple[Evidence | None, Evidence | None] = (None, None),
    settings: DifferencingSettings | None = None,
) -> Answered:
    """Answer statements about a pair that was compared: A is its reference, B its query.

    Args:
        comparison: of the pair.
        taxonomy: the key points and the sides of the action, and its statements.
        questions: other statements about the same key points; by default all of the taxonomy.
        evidence: of the key points in A and in B from another source, such as an image-text model.
        settings: see :class:`DifferencingSettings`.

    Returns:
        An answer to every statement, also to one that could not be measured, which says why.
    """
    settings = settings or DifferencingSettings()
    questions = taxonomy.differences if questions is None else questions
    line = comparison.line
    if line is None:
        raise BadSetting("the comparison holds no bodies to measure", "compare the two performances first")
    sides = taxonomy.sides_of(line.pair[0]), taxonomy.sides_of(line.pair[1])
    sharp = sharpened_pair(line.pair, Settings(**comparison.settings))
    found = localise_pair(taxonomy.key_points, (sharp[0][0], sharp[1][0]), line, sides, evidence=evidence)
    parts = [
        _measured(taxonomy, questions, *each, moments, side, settings)
        for each, moments, side in zip(sharp, found, sides, strict=True)
    ]
    answers = tuple(_answer(question, number, line, parts) for number, question in enumerate(questions))
    points = tuple(
        (point.name, point.text, _place(found[0][point.name], line.pair[0]), _place(found[1][point.name], line.pair[1]))
        for point in taxonomy.key_points
    )
    return Answered(taxonomy.title, answers, points)


def _place(moment: Moment, body: Body) -> Place:
    index = int(np.clip(np.rint(moment.position), 0, len(body) - 1))
    return Place(int(body.sequence.frames[index]), moment.confidence)


def _measured(
    taxonomy: Taxonomy,
    questions: Sequence[Question],
    body: Body,
    weights: np.ndarray,
    moments: Mapping[str, Moment],
    sides: Mapping[str, str],
    settings: DifferencingSettings,
) -> Measured:
    """A performance measured as it is, and again with jitter, its key points looked for again nearby."""
    measures = [question.measure for question in questions if question.measure is not None]
    positions = {name: moment.position for name, moment in moments.items()}
    rng = np.random.default_rng(settings.seed)
    frames, reach = np.arange(len(body)), settings.near * body.sequence.fps
    nearby = {name: -0.5 * ((frames - position) / reach) ** 2 for name, position in positions.items()}
    draws = np.full((settings.draws, len(measures)), np.nan)
    for row in draws if measures else ():
        other = jittered(body, weights, rng)
        again = localise(taxonomy.key_points, other, sides, evidence=nearby)
        framing = FRAMING * rng.standard_normal()
        at = {name: moment.position + framing for name, moment in again.items()}
        row[:] = [value if isinstance(value, float) else math.nan for value in values(measures, other, at, sides)]
    known = iter(zip(values(measures, body, positions, sides), spread(draws), strict=True))
    none = Unmeasurable("only pictures can tell", "give a vision-language model, or a measure")
    pairs = [(none, math.nan) if question.measure is None else next(known) for question in questions]
    return Measured(moments, [value for value, _ in pairs], np.array([noise for _, noise in pairs]))


def _answer(question: Question, number: int, line: Timeline, parts: Sequence[Measured]) -> Answer:
    measure, (first, second) = question.measure, parts
    names = measure.key_points if measure is not None else question.where
    confidences = [part.moments[name].confidence for part in parts for name in names if name in part.moments]
    answer = Answer(
        id=question.id,
        query=question.query,
        answer=None,
        probability=math.nan,
        values=(math.nan, math.nan),
        unit=measure.unit if measure is not None else "",
        noise=math.nan,
        frames=(_frames(question, first.moments, line.pair[0]), _frames(question, second.moments, line.pair[1])),
        confidence=min(confidences, default=1.0),
        measure=measure.text if measure is not None else "",
    )
    a, b = first.values[number], second.values[number]
    if measure is None or isinstance(a, Unmeasurable) or isinstance(b, Unmeasurable):
        return replace(answer, reason=str(a if isinstance(a, Unmeasurable) else b))
    noises = [_noise(part.noise[number], value, measure.unit) for part, value in zip(parts, (a, b), strict=True)]
    answer = replace(answer, values=(float(a), float(b)), noise=math.hypot(*noises))
    if not math.isfinite(answer.noise):
        return replace(answer, reason="it cannot be measured any more with a little jitter added")
    choice, probability = judged(question.sign * answer.difference, answer.noise, question.least)
    return replace(answer, answer=choice, probability=probability)


def _noise(jitter: float, value: float, unit: str) -> float:
    """Standard deviation of a value: what jitter does to it, and what no skeleton resolves."""
    return math.hypot(jitter, max(FINEST.get(unit, 0.0), FINEST_SHARE * abs(value)))


def _frames(question: Question, moments: Mapping[str, Moment], body: Body) -> tuple[int, int] | None:
    """Frame numbers of the place where a statement shows."""
    ends = {"first": 0.0, "last": len(body) - 1.0} | {name: moment.position for name, moment in moments.items()}
    if not all(name in ends for name in question.where):
        return None
    first, last = (int(np.clip(np.rint(ends[name]), 0, len(body) - 1)) for name in question.where)
    numbers = body.sequence.frames
    return int(numbers[min(first, last)]), int(numbers[max(first, last)]) + 1
