"""Answers to statements about the performances that are compared: as JSON, as lines of text, as part of the page."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from posediff.differencing.answers import Answer, answer_document
from posediff.differencing.differencer import Answered
from posediff.language import phrases
from posediff.report.tables import table

#: Who A and B are wherever people read it.
SIDES = {"a": "reference", "b": "query"}
#: Units in words; others are written as they are.
UNITS = {"deg": "°", "torso": " torso lengths", "s": " s", "1": "", "deg/s": "°/s", "torso/s": " torso lengths/s"}
#: Columns of the terminal.
WIDTH = 100
#: Confidence below which the key points are told to be doubtful.
DOUBTFUL = 0.5


@dataclass(frozen=True)
class AnswersTold:
    """What was asked of a pair, and what was proposed.

    Attributes:
        asked: the statements that were asked, or None.
        proposed: the ones that were proposed, or None.
        about: what the answers depend on, as plain JSON: taxonomy and models.
    """

    asked: Answered | None = None
    proposed: Answered | None = None
    about: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The answers as plain JSON."""
        result: dict[str, Any] = {}
        for name, found in (("answers", self.asked), ("proposals", self.proposed)):
            if found is not None:
                result[name] = [answer_document(answer) for answer in found.answers]
                result["key_points"] = [
                    {"name": name, "text": text, "frame_a": a.frame, "frame_b": b.frame,
                     "confidence_a": round(a.confidence, 4), "confidence_b": round(b.confidence, 4)}
                    for name, text, a, b in found.key_points
                ]  # fmt: skip
        return {**result, "asking": dict(self.about)} if self.about else result

    def lines(self) -> list[str]:
        """The answers in lines for a terminal."""
        lines: list[str] = []
        for title, found in self._parts():
            lines += ["", title] if lines else [title]
            lines += [line for answer in found.answers for line in _lines(answer)]
        return lines

    def section(self) -> str:
        """The answers as sections of the page."""
        return "\n".join(_section(title, found) for title, found in self._parts())

    def _parts(self) -> list[tuple[str, Answered]]:
        named = (("asked", self.asked), ("proposed", self.proposed))
        return [(f"{name}: {found.title}" if found.title else name, found) for name, found in named if found]


def value_in_words(value: float, unit: str, *, with_unit: bool = True) -> str:
    """A measured value, with its unit: ``112°``, ``0.61 torso lengths``; ``?`` where unknown."""
    if not math.isfinite(value):
        return "?"
    written = UNITS.get(unit, f" {unit}") if with_unit else ""
    return f"{value:.{_digits(value, unit)}f}{written}"


def verdict(answer: Answer) -> str:
    """Whose performance it is, in words: ``query``, ``same``, or ``not answered``."""
    return "not answered" if answer.answer is None else SIDES.get(answer.answer, answer.answer)


def _digits(value: float, unit: str) -> int:
    if unit == "deg":
        return 0 if abs(value) >= 10 else 1
    return 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2


def _lines(answer: Answer) -> list[str]:
    """Who, how sure, the statement and the values, or why there is no answer."""
    known = answer.answer is not None
    sure = phrases.percentage(answer.probability) if known else ""
    told = f"{_values(answer)}{_doubt(answer)}" if known else answer.reason
    text = f"{verdict(answer):<12} {sure:>4}  {answer.query}{f': {told}' if told else ''}"
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent=" " * 21, break_on_hyphens=False)


def _values(answer: Answer) -> str:
    """Both values: ``62° and 81°``; empty where pictures told."""
    if not answer.measure:
        return ""
    a, b = answer.values
    joined = UNITS.get(answer.unit, "").startswith("°")  # a sign that both values carry
    return f"{value_in_words(a, answer.unit, with_unit=joined)} and {value_in_words(b, answer.unit)}"


def _doubt(answer: Answer) -> str:
    """A warning where the moments that were measured may be others."""
    return ", at doubtful moments" if answer.confidence < DOUBTFUL else ""


def _section(title: str, found: Answered) -> str:
    known = [answer for answer in found.answers if answer.answer is not None]
    rows = (
        (
            f"{phrases.capital(answer.query)}{_doubt(answer)}",
            verdict(answer),
            phrases.percentage(answer.probability),
            *(
                value_in_words(value, answer.unit, with_unit=False) if math.isfinite(value) else ""
                for value in answer.values
            ),
            UNITS.get(answer.unit, answer.unit).strip(),
            *("" if one is None else phrases.frame_range(one) for one in answer.frames),
        )
        for answer in known
    )
    head = ("Statement", "Truer of the", "Probability", "Reference", "Query", "", "Reference frames", "Query frames")
    return (
        f"<section><h2>{escape(phrases.capital(title))}</h2>\n<p>Whose performance a statement is truer of, measured "
        "at the frames named; the same where noise of the keypoints explains the difference. The probability is that "
        f"of the answer.{_key_points(found)}</p>\n{table(head, rows, words=(0, 1, 5)) if known else ''}"
        f"{_unanswered(found)}</section>"
    )


def _unanswered(found: Answered) -> str:
    """What was not answered, by the reason."""
    reasons: dict[str, list[str]] = {}
    for answer in found.answers:
        if answer.answer is None:
            reasons.setdefault(answer.reason, []).append(answer.query)
    items = "".join(f"<li>{escape('; '.join(them))} ({escape(reason)})</li>" for reason, them in reasons.items())
    return f"\n<p>Not answered:</p>\n<ul>{items}</ul>" if items else ""


def _key_points(found: Answered) -> str:
    if not found.key_points:
        return ""
    told = (f"{text} ({a.frame} and {b.frame})" for _, text, a, b in found.key_points)
    return f" Key points, in frames of the reference and the query: {escape(', '.join(told))}."
