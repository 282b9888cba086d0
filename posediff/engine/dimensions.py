"""What the comparison measures of training pairs: timing, smoothness, accuracy and range, as something to learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from posediff.compare.body import Body
from posediff.compare.prepare import prepare
from posediff.compare.references import average
from posediff.compare.run import Judged, judge
from posediff.compare.settings import Settings
from posediff.datasets.clips import Clip
from posediff.datasets.reading import each_sequence
from posediff.datasets.samples import Samples
from posediff.errors import BadData
from posediff.io.losses import front_view
from posediff.sequence import PoseSequence
from posediff.skeletons import Skeleton

#: What is measured, in the order in which it is told.
DIMENSIONS = ("timing", "smoothness", "accuracy", "range")
#: Frames up to which a performance is measured as it is; longer ones are thinned after smoothing, since the time that
#: an alignment takes grows with the square.
MOST_FRAMES = 128


class Dimensions:
    """Measures training clips beside one another, as :func:`posediff.compare.compare` does.

    Every clip is prepared once; a pair is aligned and scored when it is first asked for, and kept.

    Args:
        samples: the clips; positions count in them. They are measured on the skeleton and in the dimensions that the
            samples have, as they are in their files: not resampled, not varied.
        sequences: skeletons that are in memory, by clip key; those of the other clips are read from their files.

    Raises:
        BadData: if skeletons cannot be read.
    """

    def __init__(self, samples: Samples, sequences: Mapping[str, PoseSequence]) -> None:
        self._settings = Settings()
        step = partial(_body, samples.skeleton, samples.dimensions, self._settings)
        self._bodies: list[Body | None] = each_sequence(samples.clips, step, sequences)
        self._averages: dict[tuple[int, ...], Body | None] = {}
        self._found: dict[tuple[int, tuple[int, ...]], np.ndarray] = {}

    def __call__(self, query: int, exemplar: tuple[int, ...]) -> np.ndarray:
        """How a clip does beside another, or beside the average of several.

        Args:
            query: its position.
            exemplar: position of the other, or of several.

        Returns:
            (4,) float32 :data:`DIMENSIONS`, from 0 to 1, which is no difference; NaN where it cannot be measured.
        """
        pair = query, exemplar
        if pair not in self._found:
            self._found[pair] = measured(self._exemplar(exemplar), self._bodies[query], self._settings)
        return self._found[pair]

    def _exemplar(self, positions: tuple[int, ...]) -> Body | None:
        if len(positions) == 1:
            return self._bodies[positions[0]]
        if positions not in self._averages:
            bodies = [body for position in positions if (body := self._bodies[position]) is not None]
            self._averages[positions] = _average(bodies, self._settings)
        return self._averages[positions]


def measured(reference: Body | None, query: Body | None, settings: Settings) -> np.ndarray:
    """(4,) float32 :data:`DIMENSIONS` of a body beside another; NaN where there is none, or nothing to measure.

    Args:
        reference, query: bodies on one skeleton.
        settings: of the comparison.
    """
    unknown = np.full(len(DIMENSIONS), np.nan, np.float32)
    if reference is None or query is None:
        return unknown
    try:
        judged = judge(reference, query, settings)
    except BadData:
        return unknown
    seen = {
        "smoothness": _has_jerk(judged),
        "range": bool(judged.between.weights[0].any()),
        "timing": len(judged.line) > 1,
    }
    values = [judged.scores[name] / 100 if seen.get(name, True) else np.nan for name in DIMENSIONS]
    return np.array(values, np.float32)


def thinned(body: Body, most: int) -> Body:
    """A body at no more than so many evenly spread frames, lasting as long as before."""
    count = len(body)
    if count <= most:
        return body
    rows = np.rint(np.linspace(0, count - 1, most)).astype(np.int64)
    sequence = body.sequence.select(rows)
    fps = sequence.fps * most / count
    return Body(sequence.replace(frames=np.arange(most), fps=fps, stages=()), body.path[rows], body.noise)


def _body(skeleton: Skeleton, dimensions: int, settings: Settings, _: Clip, sequence: PoseSequence) -> Body | None:
    """A clip prepared, or None where that takes more than it shows."""
    if dimensions == 2 and sequence.dimensions == 3:
        sequence = front_view(sequence)
    try:
        return thinned(prepare(sequence.convert(skeleton, allow_missing=True), settings), MOST_FRAMES)
    except BadData:
        return None


def _average(bodies: Sequence[Body], settings: Settings) -> Body | None:
    try:
        return average(bodies, settings) if bodies else None
    except BadData:
        return None


def _has_jerk(judged: Judged) -> bool:
    """Whether a joint that both show is known to move smoothly or not: the comparison counts nothing as no fault."""
    one, other = (jerk.log_dimensionless(slice(None)) for jerk in judged.between.jerks)
    return bool((np.isfinite(one) & np.isfinite(other) & judged.between.weights[0].any(axis=0)).any())
