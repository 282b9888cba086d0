"""The open set: nobody asks, and the differences that matter most are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from posediff.compare.comparison import Comparison
from posediff.differencing.answers import Answer
from posediff.differencing.differencer import Answered, DifferencingSettings, ask
from posediff.differencing.localizing.localizer import Evidence
from posediff.differencing.ranking import deviations, rank
from posediff.differencing.statements.generic import generic_questions
from posediff.differencing.statements.questions import Question, Taxonomy

if TYPE_CHECKING:
    from posediff.differencing.helpers.suggestions import Suggestion

#: Draws for an exemplar, whose values count and not their noise.
FEW = 8


def propose(
    comparison: Comparison,
    taxonomy: Taxonomy,
    count: int,
    *,
    exemplars: Sequence[Comparison] = (),
    further: Sequence[Suggestion] = (),
    evidence: tuple[Evidence | None, Evidence | None] = (None, None),
    settings: DifferencingSettings | None = None,
) -> Answered:
    """The statements that say most about how two performances differ, answered, the most important first.

    Candidates are the taxonomy's statements, or where it has none those that can be made of any movement. They are
    ranked by their evidence (:func:`posediff.differencing.ranking.rank`), or, where there are exemplars, by how many
    standard deviations of the exemplars the query lies from their mean.

    Args:
        comparison: of the pair.
        taxonomy: of the action; one without statements for any other action.
        count: how many are wanted at most.
        exemplars: good performances of the action, each compared with the query.
        further: candidates besides, of a language model; those that cannot be measured come last, marked as such.
        evidence: of the key points, as for :func:`posediff.differencing.differencer.ask`.
        settings: of the differencer.
    """
    line = comparison.line
    shown = line.pair[0].sequence if line is not None else comparison.reference
    own = taxonomy.differences or generic_questions(shown.skeleton, shown.dimensions, taxonomy.key_points)
    questions = [*own, *(one.question for one in further)]
    found = ask(comparison, taxonomy, questions, evidence=evidence, settings=settings)
    if exemplars:
        told = _remarkable(found.answers, questions, taxonomy, exemplars, count)
    else:
        told = rank(found.answers, count)
    suggested = zip(further, found.answers[len(own) :], strict=True)
    silent = [replace(answer, reason=one.reason) for one, answer in suggested if one.reason]
    return replace(found, answers=(*told, *silent))


def _remarkable(
    answers: Sequence[Answer],
    questions: Sequence[Question],
    taxonomy: Taxonomy,
    exemplars: Sequence[Comparison],
    count: int,
) -> tuple[Answer, ...]:
    """The answers in which the query lies farthest from the exemplars, where it differs at all."""
    values = np.array([answer.values[1] for answer in answers])
    few = DifferencingSettings(draws=FEW)
    # Only differences are free of the build of those who are measured, so the exemplars are measured against the query.
    found = (ask(pair, taxonomy, questions, settings=few).answers for pair in exemplars)
    rows = np.array([[answer.difference for answer in pair] for pair in found])
    noise = np.array([answer.noise for answer in answers])
    apart = np.abs(deviations(values, values - rows, [answer.unit for answer in answers], noise))
    order = np.argsort(-np.nan_to_num(apart), kind="stable")
    told = [answers[place] for place in order if answers[place].answer in ("a", "b")]
    return tuple(told[:count])
