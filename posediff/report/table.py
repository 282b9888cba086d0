"""A comparison as plain text for a terminal."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Sequence

from posediff.compare.comparison import Comparison, Segment
from posediff.language import phrases
from posediff.language.pairs import Told, grouped
from posediff.report.document import Besides

WIDTH = 100
BAR = 24
#: What is written where the terminal's encoding lacks a character.
PLAIN = str.maketrans({"█": "#", "░": ".", "°": " deg", "±": "+/-", "–": "-", "─": "-", "…": "...", "→": "->"})


def render(comparison: Comparison, *besides: Besides, encoding: str | None = None) -> str:
    """The scores, the segments, the ranked differences and the notes, at most 100 columns wide.

    Args:
        comparison: what to show.
        besides: what else is told of the same performances.
        encoding: of the stream that it goes to, by default that of stdout; what it lacks is written more plainly.
    """
    others = ([_clip(line, WIDTH) for line in part.lines()] for part in besides)
    parts = (_head(comparison), _scores(comparison), *others, _segments(comparison.segments), _differences(comparison))
    notes = _titled("notes", (line for note in comparison.notes for line in _wrapped(note, "  - ", "    ")))
    exemplars = _titled("references, nearest first", _exemplars(comparison))
    text = "\n\n".join("\n".join(part) for part in (*parts, exemplars, notes) if part)
    return _encodable(text, encoding or getattr(sys.stdout, "encoding", None) or "utf-8")


def _head(comparison: Comparison) -> list[str]:
    sides = zip(("reference", "query"), phrases.names(comparison), strict=True)
    lines = []
    for role, name in sides:
        lines.append(f"{role:<11}{_clip(name, 40)}  ({phrases.extent(getattr(comparison, role))})")
    sentences = " ".join(filter(None, (phrases.summary(comparison), phrases.weakest(comparison))))
    return [*lines, "", *_wrapped(sentences)]


def _scores(comparison: Comparison) -> list[str]:
    return [_bar(name, score) for name, score in {"score": comparison.score, **comparison.scores}.items()]


def _bar(name: str, score: float) -> str:
    filled = round(BAR * min(max(score, 0.0), 100.0) / 100) if score == score else 0
    return f"{_clip(name, 12):<12}{phrases.number(score):>4}  {'█' * filled}{'░' * (BAR - filled)}"


def _segments(segments: Sequence[Segment]) -> list[str]:
    if not segments:
        return []
    dimensions = list(segments[0].scores)
    head = ["segment", "reference", "query", "score", *dimensions, "starts"]
    rows = [
        [
            _clip(segment.name, 22),
            phrases.frame_range(segment.reference),
            phrases.frame_range(segment.query),
            phrases.number(segment.score),
            *(phrases.number(segment.scores[name]) for name in dimensions),
            phrases.timing(segment.timing_offset_s),
        ]
        for segment in segments
    ]
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = ["  ".join(_cells(row, widths)).rstrip() for row in (head, *rows)]
    title = "segments, in frames of the reference and of the query"
    return [title, lines[0], "─" * max(map(len, lines)), *lines[1:]]


def _cells(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    """The first and the last column to the left, numbers to the right."""
    last = len(row) - 1
    return [
        cell.ljust(width) if at in (0, last) else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]


def _differences(comparison: Comparison) -> list[str]:
    if not comparison.differences:
        return [phrases.NO_DIFFERENCE]
    lines = ["differences of the query, the most important first; times are those of the query"]
    for told in grouped(comparison.differences):
        lines += _wrapped(phrases.statement(told.whole, comparison), f"{told.rank:>3}  ", "     ")
        lines += _wrapped(_facts(told, comparison), "     ", "     ")
    return lines


def _facts(told: Told, comparison: Comparison) -> str:
    query, reference = told.whole.query_frames, told.whole.reference_frames
    when = f"{phrases.frame_range(reference)} ({phrases.times(reference, comparison.reference.fps)})"
    certainty = phrases.certainty(told.whole)
    return f"{phrases.sizes(told)}, {certainty}; {phrases.frames_named(query)}, in the reference {when}"


def _exemplars(comparison: Comparison) -> Iterable[str]:
    return (f"  {phrases.number(score):>3}  {_clip(path, 90)}" for path, score in comparison.exemplars)


def _titled(title: str, lines: Iterable[str]) -> list[str]:
    found = list(lines)
    return [title, *found] if found else []


def _wrapped(text: str, first: str = "", rest: str = "") -> list[str]:
    return textwrap.wrap(_printable(text), WIDTH, initial_indent=first, subsequent_indent=rest)


def _clip(text: str, width: int) -> str:
    text = _printable(text)
    return text if len(text) <= width else text[: width - 1] + "…"


def _printable(text: str) -> str:
    """Text without control characters: a name in a file must not steer the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _encodable(text: str, encoding: str) -> str:
    """The text as the stream can take it; lines that grow by that are wrapped again."""
    try:
        text.encode(encoding)
        return text
    except UnicodeEncodeError:
        plain = text.translate(PLAIN).encode(encoding, errors="replace").decode(encoding)
    lines = (textwrap.wrap(line, WIDTH, subsequent_indent="     ") or [""] for line in plain.splitlines())
    return "\n".join(part for parts in lines for part in parts)
