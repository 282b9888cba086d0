"""The comparison itself: sequences in, one :class:`Comparison` out."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from posediff.compare.align import Timeline, describe, timeline
from posediff.compare.body import Body
from posediff.compare.build import same_build, same_travel
from posediff.compare.comparison import Comparison, Segment
from posediff.compare.differences import differences
from posediff.compare.prepare import match, prepare
from posediff.compare.residuals import by_reference_frame, measure
from posediff.compare.score import Gap, gap, overall, scores
from posediff.compare.segments import Span, frame_range, spans
from posediff.compare.settings import Settings
from posediff.errors import BadData
from posediff.motion.normalize import mirrored
from posediff.sequence import PoseSequence

#: Share of the band from which on the alignment is taken to be held by it.
BAND_REACHED = 0.95


@dataclass(frozen=True, eq=False)
class Judged:
    """Two bodies aligned and scored, without the rest."""

    reference: Body
    line: Timeline
    between: Gap
    scores: Mapping[str, float]

    @property
    def score(self) -> float:
        return overall(self.scores)


def compare(reference: PoseSequence, query: PoseSequence, settings: Settings | None = None) -> Comparison:
    """Compare a performance with a reference.

    Args:
        reference: how the movement should be done.
        query: the performance to judge; any skeleton, size, frame rate and place.
        settings: see :class:`Settings`.

    Raises:
        BadData: if either has no usable keypoints, or the two have too little in common to be compared.
    """
    settings = settings or Settings()
    reference, query, notes = match(reference, query, settings)
    exemplar = prepare(reference, settings)
    judged, flipped = best(exemplar, sides(query, settings), settings)
    notes += side_notes(exemplar, query, judged, flipped, settings)
    return report(judged, notes, settings)


def sides(query: PoseSequence, settings: Settings) -> tuple[Body | None, Body | None]:
    """The query as it is and mirrored, as far as the settings allow either."""
    as_it_is = None if settings.mirror is True else prepare(query, settings)
    return as_it_is, None if settings.mirror is False else prepare(mirrored(query), settings)


def best(reference: Body, query: tuple[Body | None, Body | None], settings: Settings) -> tuple[Judged, bool]:
    """The better scored of a query's sides, and whether it is the mirrored one."""
    found = [(judge(reference, side, settings), flipped) for flipped, side in enumerate(query) if side is not None]
    judged, flipped = max(found, key=lambda pair: pair[0].score)
    return judged, bool(flipped)


def judge(reference: Body, query: Body, settings: Settings) -> Judged:
    """Align two bodies and score the query."""
    line = timeline(*same_travel(*same_build(reference, query)), settings)
    between = gap(line, settings)
    if not any(weights.any() for weights in between.weights):
        raise BadData(
            "the two never show the same joint at the same moment of the movement",
            "choose files that show the same parts of the body",
        )
    return Judged(reference, line, between, scores(line, between, None, settings))


def report(judged: Judged, notes: list[str], settings: Settings) -> Comparison:
    """Everything that there is to say about an aligned pair."""
    line = judged.line
    if line.levels > 1:
        notes = [*notes, f"Aligned from coarse to fine in {line.levels} steps, since {len(line)} frames are many."]
    if len(line) > 1 and np.abs(line.lead).max() >= BAND_REACHED * settings.band:
        notes = [
            *notes,
            f"The rhythm differs by as much as the alignment allows, {settings.band:.0%} of the duration: "
            "some of the moments that are compared may not belong together.",
        ]
    parts = spans(line, settings)
    measured = measure(line, settings)
    angles = measured.residual[:, [unit == "deg" for unit in measured.units]]
    if not np.isfinite(angles).any():
        notes = [*notes, "No angle is known on both sides: differences are told of positions at most."]
    return Comparison(
        reference=line.pair[0].sequence,
        query=line.pair[1].sequence,
        score=judged.score,
        scores=judged.scores,
        alignment=describe(line, settings),
        segments=tuple(_segment(judged, part, settings) for part in parts),
        differences=differences(line, measured, parts, settings),
        residuals=by_reference_frame(line, measured),
        notes=tuple(notes),
        settings=dataclasses.asdict(settings),
        line=line,
    )


def side_notes(reference: Body, query: PoseSequence, judged: Judged, flipped: bool, settings: Settings) -> list[str]:
    """A note where the query was mirrored, or where that would bring it a quarter of the way nearer to full marks."""
    if flipped:
        return ["The query was mirrored."]
    if settings.mirror is not False or judged.score > 80.0:
        return []
    other = judge(reference, prepare(mirrored(query), settings), settings)
    if 100.0 - other.score >= 0.75 * (100.0 - judged.score):
        return []
    return ["Mirrored, the query is much closer to the reference: perhaps the other side is used (--mirror)."]


def _segment(judged: Judged, span: Span, settings: Settings) -> Segment:
    line = judged.line
    found = scores(line, judged.between, span, settings)
    reference, query = (frame_range(line, side, span.start, span.end) for side in (0, 1))
    starts = [
        (frames[0] - int(body.sequence.frames[0])) / body.sequence.fps
        for frames, body in zip((reference, query), line.pair, strict=True)
    ]
    return Segment(
        name=span.name,
        reference=reference,
        query=query,
        score=overall(found),
        scores=found,
        timing_offset_s=starts[1] - starts[0] * line.pair[1].seconds / line.pair[0].seconds,
    )
