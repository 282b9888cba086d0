"""Statements answered by a vision-language model that looks at pictures of both performances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from posediff.differencing.helpers.llm import said
from posediff.differencing.helpers.pictures import Film, jpeg, spread_frames
from posediff.differencing.helpers.schema import obj
from posediff.errors import BadSetting, PosediffError

if TYPE_CHECKING:
    from posediff.differencing.answers import Answer, Choice
    from posediff.differencing.helpers.endpoint import Message
    from posediff.differencing.helpers.llm import LanguageModel

SCHEMA = obj(
    answer={"type": "string", "enum": ["a", "b", "same"]}, probability={"type": "number", "minimum": 0, "maximum": 1}
)

_CHOICES: tuple[Choice, ...] = ("a", "b", "same")
_EXCHANGED: dict[str, Choice] = {"a": "b", "b": "a", "same": "same"}
_SYSTEM = (
    "You compare two performances of one movement, A and B, from pictures taken at the same moments of the movement. "
    "The pictures of each are in the order of time and carry its letter. Judge the bodies only, not the surroundings, "
    "the camera or who the performers are."
)

Films = tuple[Film | PosediffError, Film | PosediffError]


@dataclass(frozen=True)
class VisionSettings:
    """What a vision-language model is shown.

    Attributes:
        pictures: of each performance, at most.
        longest: of a picture's longer side, in pixels.
    """

    pictures: int = 3
    longest: int = 512

    def __post_init__(self) -> None:
        for name, least in (("pictures", 1), ("longest", 32)):
            if getattr(self, name) < least:
                raise BadSetting(f"{name} is {getattr(self, name)}", f"give {least} or more")


def look(
    model: LanguageModel,
    action: str,
    answers: Sequence[Answer],
    films: Films,
    settings: VisionSettings | None = None,
) -> tuple[Answer, ...]:
    """Answers from pictures, in the place of those that are given.

    Every question is asked twice, with A and B exchanged, since these models prefer one place: see :func:`agreed`.

    Args:
        model: the vision-language model.
        action: the movement, in words.
        answers: of the skeletons; their statements are asked about, and their frames shown.
        films: of A and of B; an error where one has no pictures.
        settings: see :class:`VisionSettings`.

    Returns:
        One for each. Where no answer comes, what was given stays, with the reason if it was none.
    """
    settings = settings or VisionSettings()
    found = [None not in answer.frames for answer in answers]
    known = [answer for answer, there in zip(answers, found, strict=True) if there]
    try:
        clips = iter(zip(*(_clips(film, side, known, settings) for side, film in enumerate(films)), strict=True))
    except PosediffError as error:
        return tuple(_unseen(answer, str(error)) for answer in answers)
    return tuple(
        _seen(model, action, answer, next(clips), settings) if there else _unseen(answer, "its place was not found")
        for answer, there in zip(answers, found, strict=True)
    )


def agreed(first: tuple[Choice, float], second: tuple[Choice, float]) -> tuple[Choice, float]:
    """One answer from two that were given with A and B in different order.

    Each gives its probability to its answer and the rest to the other two in equal parts; the mean of both is taken.
    Where they disagree the answer is "same", with the little probability that both leave for it: an answer that depends
    on the order is none.

    Args:
        first, second: answer and probability, both in terms of the same A and B.
    """
    mass = np.zeros(3)
    for given, probability in (first, second):
        mass += np.where([one == given for one in _CHOICES], probability, (1 - probability) / 2) / 2
    choice: Choice = first[0] if first[0] == second[0] else "same"
    return choice, float(mass[_CHOICES.index(choice)])


def messages(action: str, statement: str, a: Sequence[bytes], b: Sequence[bytes]) -> list[Message]:
    """What a vision-language model is asked.

    Args:
        action: the movement.
        statement: such as "the squat is deeper".
        a, b: JPEG pictures of both, in the order of time.
    """
    question = (
        f'Of which performance is this statement truer: "{statement}"? Answer "a", "b", or "same" where you see no '
        "difference, and the probability, 0 to 1, that this is right."
    )
    parts: list[str | bytes] = [f"The movement: {action}.", "Performance A:", *a, "Performance B:", *b, question]
    return [said("system", _SYSTEM), said("user", *parts)]


def _clips(
    film: Film | PosediffError, side: int, answers: Sequence[Answer], settings: VisionSettings
) -> list[list[np.ndarray]]:
    """The pictures of one performance for every answer."""
    if isinstance(film, PosediffError):
        raise film
    places = [answer.frames[side] for answer in answers]
    return film.clips([spread_frames(place, settings.pictures) for place in places if place is not None])


def _seen(
    model: LanguageModel,
    action: str,
    answer: Answer,
    clips: tuple[list[np.ndarray], ...],
    settings: VisionSettings,
) -> Answer:
    if not all(clips):
        return _unseen(answer, "its pictures cannot be decoded")
    try:
        found: list[tuple[Choice, float]] = []
        for a, b in (clips, clips[::-1]):
            shown = [[jpeg(image, label, longest=settings.longest) for image in clip]
                     for label, clip in (("A", a), ("B", b))]  # fmt: skip
            reply = model.ask(messages(action, answer.query, *shown), SCHEMA, "comparison")
            found.append((reply["answer"], float(reply["probability"])))
    except PosediffError as error:
        return _unseen(answer, str(error))
    choice, probability = agreed(found[0], (_EXCHANGED[found[1][0]], found[1][1]))
    return replace(answer, answer=choice, probability=probability, source="vision", reason="")


def _unseen(answer: Answer, reason: str) -> Answer:
    """An answer as it was, which tells why nobody looked if it is none."""
    return answer if answer.answer is not None else replace(answer, reason=f"not seen: {reason}")
