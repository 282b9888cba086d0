"""What a trained network says of the performances that are compared: as JSON, as lines of text, as part of the page.

Nothing here needs the network: scores are given as :class:`posediff.engine.scoring.Scored`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from posediff.engine.conformal import Interval
    from posediff.engine.scoring import Scored
    from posediff.sequence import Stage


@dataclass(frozen=True)
class Learned:
    """Scores that a network gives.

    Attributes:
        query: of the query.
        reference: of the reference; None where there are several.
        checkpoint: which network it is, as plain JSON.
    """

    query: Scored
    reference: Scored | None
    checkpoint: Mapping[str, Any]

    def document(self) -> dict[str, Any]:
        """The scores as plain JSON."""
        scores = {
            "query": scored_document(self.query),
            "reference": None if self.reference is None else scored_document(self.reference),
            "checkpoint": dict(self.checkpoint),
        }
        return {"learned": scores}

    def lines(self) -> list[str]:
        """The scores in lines for a terminal."""
        lines = ["learned scores"]
        for name, found in self._sides().items():
            lines += [f"  {name:<11}{score_in_words(found)}", f"  {'':<11}{interval_in_words(found.interval)}"]
        return [*lines, "  stages of the query", *(f"    {line}" for line in stage_lines(self.query))]

    def section(self) -> str:
        """The scores as a section of the page."""
        marks = "\n".join(_mark(name, found) for name, found in self._sides().items())
        bars = "\n".join(_bar(*row, found=self.query) for row in _bar_rows(self.query))
        own = self.query.segments
        told = "score of each stage by itself" if own else "what each stage adds, relative to the exemplars"
        name = escape(str(self.checkpoint.get("path", "a checkpoint")))
        source = f"What the network in {name} gives by exemplars whose scores are known."
        return (
            f"<section><h2>Learned score</h2>\n<p>{source}</p>\n"
            f'<div class="learned">\n<dl class="marks">\n{marks}\n</dl>\n'
            f'<p>Stages of the query: {told}</p>\n<dl class="stages">\n{bars}\n</dl>\n</div></section>'
        )

    def _sides(self) -> dict[str, Scored]:
        sides = {"query": self.query, "reference": self.reference}
        return {name: found for name, found in sides.items() if found is not None}


def scored_document(found: Scored) -> dict[str, Any]:
    """A score as plain JSON."""
    stages = zip(found.stages, found.contributions, found.segments or [None] * len(found.stages), strict=True)
    return {
        "score": found.score,
        "spread": found.spread,
        "interval": dict(found.interval.__dict__),
        "difficulty": found.difficulty,
        "stages": [
            {
                "name": stage.name,
                "start": stage.start,
                "end": stage.end,
                "contribution": part,
                **({} if segment is None else {"segment_score": segment}),
            }
            for stage, part, segment in stages
        ],
        "votes": [vote.__dict__ for vote in found.votes],
    }


def score_in_words(found: Scored) -> str:
    """The score with its spread, by how many exemplars, with which difficulty."""
    spread = "" if found.spread is None else f" ± {found.spread:.2f}"
    by = "1 exemplar" if len(found.votes) == 1 else f"{len(found.votes)} exemplars"
    factor = "" if found.difficulty is None else f", difficulty {found.difficulty:g}"
    return f"{found.score:.2f}{spread} by {by}{factor}"


def interval_in_words(interval: Interval) -> str:
    """Between what the score lies, or what it would take to say that."""
    share = f"{100 * interval.level:g} %"
    if interval.low is None or interval.high is None:
        there = f"{interval.calibrated_on} are there" if interval.calibrated_on else "the checkpoint keeps none"
        return f"no interval for {share}: it takes the errors on {interval.needed} validation clips, {there}"
    return (
        f"between {interval.low:.1f} and {interval.high:.1f} for {share}, by {interval.calibrated_on} validation clips"
    )


def stage_lines(found: Scored) -> list[str]:
    """A line for each stage: what it adds, its own score where there is one, and its frames."""
    width = max(len(stage.name) for stage in found.stages)
    segments = [f" score {value:7.2f}," for value in found.segments] if found.segments else [""] * len(found.stages)
    rows = zip(found.stages, found.contributions, segments, strict=True)
    return [
        f"{stage.name:{width}} {segment} {part:+7.2f} relative to the exemplars, {_frames(stage)}"
        for stage, part, segment in rows
    ]


def _mark(name: str, found: Scored) -> str:
    facts = escape(f"{interval_in_words(found.interval)}; {score_in_words(found).partition(' ')[2]}")
    number = f"<strong>{found.score:.1f}</strong>"
    return f'<div><dt class="{name}">{name}</dt><dd>{number}<small>{facts}</small></dd></div>'


def _bar_rows(found: Scored) -> Iterator[tuple[Stage, float, float]]:
    """Each stage with its score, or what it adds, and that as a share of the largest."""
    values = found.segments or found.contributions
    largest = max(map(abs, (*values, found.score if found.segments else 0.0))) or 1.0
    for stage, value in zip(found.stages, values, strict=True):
        yield stage, value, value / largest


def _bar(stage: Stage, value: float, share: float, found: Scored) -> str:
    """A bar from the left for a score, from the middle for what a stage adds."""
    start, end = (0.0, max(share, 0.0)) if found.segments else sorted((0.5, 0.5 + share / 2))
    kind, sign = ("bar", "") if found.segments else ("bar both", "+")
    style = f"margin-left:{100 * start:.1f}%;width:{100 * (end - start):.1f}%"
    filled = f'<span class="{"less" if value < 0 else "more"}" style="{style}"></span>'
    number = f"<b>{value:{sign}.2f}</b>"
    return (
        f"<div><dt>{escape(stage.name)}</dt>"
        f'<dd><span class="{kind}">{filled}</span>{number}<small>{_frames(stage)}</small></dd></div>'
    )


def _frames(stage: Stage) -> str:
    return f"frames {stage.start} to {stage.end - 1}"
