"""From what somebody wants to know of a pair to the answers: taxonomies, free words, proposals, models that help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from posediff.compare.comparison import Comparison
from posediff.differencing.differencer import Answered, ask
from posediff.differencing.localizing.localizer import Evidence
from posediff.differencing.open_set import propose
from posediff.differencing.statements.queries import question
from posediff.differencing.statements.questions import Question, Taxonomy
from posediff.differencing.statements.taxonomy import find, is_of, load
from posediff.errors import BadData, BadSetting, PosediffError

if TYPE_CHECKING:
    from posediff.differencing.helpers.image_text import ImageTextModel
    from posediff.differencing.helpers.llm import LanguageModel
    from posediff.differencing.helpers.pictures import Film
    from posediff.differencing.helpers.suggestions import Suggestion
    from posediff.sequence import PoseSequence

#: What is known of an action that has no taxonomy.
UNKNOWN = Taxonomy("", "", (), "", (), (), (), Path())
#: How a file of a taxonomy ends.
ENDINGS = (".yaml", ".yml")

#: Told what could not be had, while everything else goes on.
Warn = Callable[[PosediffError], None]


@dataclass(frozen=True)
class Asked:
    """What somebody wants to know.

    Attributes:
        taxonomy: of the action, :data:`UNKNOWN` without one.
        questions: statements to answer.
        proposals: how many statements to find besides.
    """

    taxonomy: Taxonomy
    questions: tuple[Question, ...]
    proposals: int = 0


def asked(texts: Sequence[str], action: str = "", proposals: int = 0) -> Asked:
    """What a few texts ask for.

    Args:
        texts: each a taxonomy's file, an action with a built-in one, or a statement in free words.
        action: whose built-in taxonomy gives key points and roles, where no text names a taxonomy.
        proposals: how many statements are to be found besides.

    Raises:
        BadSetting: for an unknown action, a faulty taxonomy, more than one, or a statement that is not understood.
        BadData: for a file that is no taxonomy.
    """
    named: dict[str, Taxonomy] = {}
    for text in texts:
        found = _taxonomy(text)
        if found is not None:
            named[text] = found
    if len(named) > 1:
        raise BadSetting(f"asked for several taxonomies: {', '.join(named)}", "ask for one action at a time")
    taxonomy = next(iter(named.values()), None) or (find(action) if action else UNKNOWN)
    if named and action and not is_of(taxonomy, action):
        raise BadSetting(f"{next(iter(named))} is about {taxonomy.action}, not {action}", "leave out --action")
    questions: list[Question] = []
    for text in texts:
        questions += taxonomy.differences if text in named else (question(text, taxonomy),)
    return Asked(taxonomy, tuple(dict.fromkeys(questions)), proposals)


def _taxonomy(text: str) -> Taxonomy | None:
    if text.endswith(ENDINGS) or Path(text).is_file():
        return load(text)
    try:
        return find(text)
    except BadSetting:
        return None


@dataclass(frozen=True)
class Help:
    """Models that help where they are there; without them the skeletons answer alone.

    Attributes:
        language: proposes statements, and looks at pictures where only these can tell.
        image_text: helps to find the key points.
        performances: A and B as they were read, to find their pictures by.
        warn: told what a model could not do.
    """

    language: LanguageModel | None = None
    image_text: ImageTextModel | None = None
    performances: tuple[PoseSequence, PoseSequence] | None = None
    warn: Warn = lambda fault: None

    @cached_property
    def films(self) -> tuple[Film | PosediffError, ...]:
        """The pictures of A and B, or why there are none; opened once."""
        return tuple(map(_film, self.performances or ()))


def tell(
    wanted: Asked, comparison: Comparison, *, exemplars: Sequence[Comparison] = (), given: Help | None = None
) -> tuple[Answered | None, Answered | None]:
    """The answers to what was asked, and to what is proposed; None for what is not wanted.

    Args:
        wanted: what somebody wants to know.
        comparison: of the pair.
        exemplars: good performances of the action, each compared with the query: proposals are what is remarkable
            among them.
        given: models that help.
    """
    given = given or Help()
    evidence = _evidence(wanted.taxonomy, comparison, given)
    answers = proposed = None
    if wanted.questions:
        answers = ask(comparison, wanted.taxonomy, wanted.questions, evidence=evidence)
        answers = _looked(answers, wanted.taxonomy, comparison, given)
    if wanted.proposals:
        further = _suggested(wanted, given)
        proposed = propose(comparison, wanted.taxonomy, wanted.proposals, exemplars=exemplars, further=further,
                           evidence=evidence)  # fmt: skip
        proposed = _looked(proposed, wanted.taxonomy, comparison, given)
    return answers, proposed


def _suggested(wanted: Asked, given: Help) -> Sequence[Suggestion]:
    """Statements of the language model, if there is one."""
    if given.language is None:
        return ()
    from posediff.differencing.helpers.suggestions import from_model

    try:
        return from_model(given.language, wanted.taxonomy, wanted.proposals)
    except PosediffError as fault:
        given.warn(fault)
        return ()


def _looked(answered: Answered, taxonomy: Taxonomy, comparison: Comparison, given: Help) -> Answered:
    """What the skeletons could not answer, answered from pictures where there are any."""
    silent = [answer for answer in answered.answers if answer.answer is None]
    if given.language is None or given.performances is None or not silent:
        return answered
    from posediff.differencing.helpers.vision import look

    films: tuple[Film | PosediffError, ...]
    if any(str(step).startswith("mirror") for step in comparison.query.source.get("steps", ())):
        films = (BadData("the query is mirrored, and its pictures are not"),) * 2
    else:
        films = given.films
    seen = iter(look(given.language, taxonomy.title or taxonomy.action, silent, films))  # type: ignore[arg-type]
    answers = tuple(next(seen) if answer.answer is None else answer for answer in answered.answers)
    return replace(answered, answers=answers)


def _evidence(taxonomy: Taxonomy, comparison: Comparison, given: Help) -> tuple[Evidence | None, Evidence | None]:
    """What an image-text model sees of the key points in both performances."""
    line = comparison.line
    if given.image_text is None or given.performances is None or line is None or not taxonomy.key_points:
        return None, None
    from posediff.differencing.helpers.image_text import image_evidence

    found: list[Evidence | None] = []
    for film, body in zip(given.films, line.pair, strict=True):
        try:
            if isinstance(film, PosediffError):
                raise film
            found.append(image_evidence(given.image_text, taxonomy.key_points, film, body.sequence))
        except PosediffError as fault:
            given.warn(fault)
            found.append(None)
    return found[0], found[1]


def _film(performance: PoseSequence) -> Film | PosediffError:
    from posediff.differencing.helpers.pictures import film_of

    try:
        return film_of(performance)
    except PosediffError as fault:
        return fault
