"""A query against several exemplars: averages for the scores, their barycentre for the picture."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from posediff.alignment import barycenter
from posediff.compare.align import DIRECT, timeline
from posediff.compare.body import Body
from posediff.compare.comparison import DIMENSIONS, Comparison
from posediff.compare.heading import rotation_to
from posediff.compare.prepare import match, prepare
from posediff.compare.run import Judged, best, report, side_notes, sides
from posediff.compare.score import overall
from posediff.compare.settings import Settings
from posediff.errors import BadSetting
from posediff.motion.resample import sample_track
from posediff.sequence import PoseSequence


def compare_with_references(
    references: Sequence[PoseSequence], query: PoseSequence, settings: Settings | None = None
) -> Comparison:
    """Compare a performance with several exemplars of the movement.

    The scores are means over the ``settings.nearest`` exemplars that score best; segments, differences and pictures
    come from the comparison with the exemplars' soft-DTW barycentre.

    Args:
        references: exemplars, all on one skeleton and in one number of dimensions after conversion to the first's.
        query: the performance to judge.
        settings: see :class:`Settings`.

    Raises:
        BadSetting: if there are no references.
        BadData: if one of them or the query cannot be used.
    """
    settings = settings or Settings()
    if not references:
        raise BadSetting("there are no references to compare with", "give at least one")
    exemplars = [prepare(match(references[0], other, settings)[1], settings) for other in references]
    _, query, notes = match(references[0], query, settings)
    both = sides(query, settings)
    ranked = rank(exemplars, both, settings)
    middle = average(exemplars, settings)
    judged, flipped = best(middle, both, settings)
    notes += side_notes(middle, query, judged, flipped, settings)
    nearest = ranked[: settings.nearest]
    notes.append(f"Scores are means over the {len(nearest)} nearest of {len(ranked)} references; "
                 "the pictures show their soft-DTW barycentre.")  # fmt: skip
    whole = mean_scores(nearest)
    comparison = report(judged, notes, settings)
    return dataclasses.replace(
        comparison,
        score=overall(whole),
        scores=whole,
        exemplars=tuple((str(one.reference.sequence.source.get("path", "")), one.score) for one in ranked),
    )


def rank(exemplars: Sequence[Body], query: tuple[Body | None, Body | None], settings: Settings) -> list[Judged]:
    """A query judged against every exemplar, the best scored first.

    Args:
        exemplars: bodies on the query's skeleton.
        query: the query as it is and mirrored, from :func:`posediff.compare.run.sides`.
        settings: see :class:`Settings`.
    """
    judged = [best(exemplar, query, settings)[0] for exemplar in exemplars]
    return sorted(judged, key=lambda one: -one.score)


def mean_scores(judged: Sequence[Judged]) -> dict[str, float]:
    """Each quality dimension averaged over several comparisons."""
    return {name: float(np.mean([one.scores[name] for one in judged])) for name in DIMENSIONS}


def average(exemplars: Sequence[Body], settings: Settings, gamma: float = 0.1) -> Body:
    """The soft-DTW barycentre of several bodies, with the timing and the stages of the one of median length.

    Where that one has more frames than memory has room for a barycentre's matrices, the others are averaged along their
    alignment with it instead. A joint that one of the bodies never shows is missing.

    Args:
        exemplars: bodies on one skeleton.
        settings: for the alignment of long ones.
        gamma: softness, in squared torso lengths a joint.
    """
    median = sorted(range(len(exemplars)), key=lambda k: len(exemplars[k]))[len(exemplars) // 2]
    first = exemplars[median]
    seen = np.all([other.sequence.present.any(axis=0) for other in exemplars], axis=0)
    tracks = []
    for other in (first, *exemplars[:median], *exemplars[median + 1 :]):
        at = np.linspace(0, len(first) - 1, len(first)), np.linspace(0, len(other) - 1, len(first))
        turned = other.turned(rotation_to(first, other, at))
        track = np.concatenate([turned.positions[:, seen].reshape(len(other), -1), turned.path], axis=1)
        if len(first) > DIRECT:
            line = timeline(first, other, settings)
            track = sample_track(track, line.by_reference_frame(line.query))
        tracks.append(track)
    mean = barycenter(tracks, gamma=gamma) if len(first) <= DIRECT else np.mean(tracks, axis=0)  # type: ignore[type-var]
    shown, path = np.split(mean, [-first.path.shape[1]], axis=1)
    keypoints = np.full(first.positions.shape, np.nan)
    keypoints[:, seen] = shown.reshape(len(first), -1, first.path.shape[1])
    sequence = PoseSequence(
        keypoints=keypoints.astype(np.float32),
        skeleton=first.sequence.skeleton,
        fps=first.sequence.fps,
        frames=first.sequence.frames,
        units="normalized",
        stages=first.sequence.stages,
        source={"path": f"barycentre of {len(exemplars)} references"},
    )
    noise = np.mean([other.noise for other in exemplars], axis=0) / np.sqrt(len(exemplars))
    return Body(sequence, path, noise)
