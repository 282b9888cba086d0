"""Comparison: what `compare` finds, in numbers only (words are made in posediff.language)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from posediff.sequence import PoseSequence

if TYPE_CHECKING:
    from posediff.compare.align import Timeline

DIMENSIONS = ("accuracy", "timing", "smoothness", "range")

Side = Literal["reference", "query"]


@dataclass(frozen=True, eq=False)
class Alignment:
    """Which frame of the query belongs to which frame of the reference.

    Attributes:
        path: (L, 2) int64, indices (reference, query) of the hard path, monotone in both columns.
        correspondence: (N,) float64, expected index in the query of every reference frame.
        uncertainty: (N,) float64, standard deviation of that index, in seconds.
        cost: mean cost a step of the hard path.
        divergence: soft-DTW divergence, 0 for two equal sequences.
        gamma: softness of the minimum.
        band: half-width of the Sakoe-Chiba band in frames of the aligned sequences, or None for no band.
        costs: (n, m) float32 cost matrix, reduced to at most some hundred rows where the sequences are long.
    """

    path: np.ndarray
    correspondence: np.ndarray
    uncertainty: np.ndarray
    cost: float
    divergence: float
    gamma: float
    band: int | None
    costs: np.ndarray


@dataclass(frozen=True)
class Segment:
    """A stage of the movement in both performances, and how well the query does it.

    Attributes:
        name: the stage's name, or ``segment 3`` where the file names none.
        reference, query: (first, end) frame numbers, end exclusive.
        score: 0 to 100.
        scores: the four quality dimensions, 0 to 100 each.
        timing_offset_s: how much later the query starts the segment than the reference's tempo has it, in seconds.
    """

    name: str
    reference: tuple[int, int]
    query: tuple[int, int]
    score: float
    scores: Mapping[str, float]
    timing_offset_s: float


@dataclass(frozen=True)
class Difference:
    """One thing that one performance does more than the other, beyond what the keypoints' noise explains.

    Attributes:
        measure: e.g. ``left_knee_angle`` (degrees, 180 is straight) or ``right_wrist_height`` (torso lengths).
        joints: the joints that the measure is about, the moving one first.
        segment: name of the segment that holds most of it.
        reference_frames, query_frames: (first, end) frame numbers, end exclusive.
        peak: frame numbers (reference, query) where it is largest.
        values: mean of the measure over the frames (reference, query).
        more_in: the performance in which the measure is larger.
        magnitude: mean absolute difference over those frames.
        unit: ``deg``, or ``torso`` for torso lengths.
        noise: standard error of the magnitude that keypoint noise and alignment uncertainty explain, same unit.
        confidence: probability that the difference is not noise, 0 to 1.
        importance: what differences are ranked by: magnitude over the tolerance of its kind, weighted by duration.
    """

    measure: str
    joints: tuple[str, ...]
    segment: str
    reference_frames: tuple[int, int]
    query_frames: tuple[int, int]
    peak: tuple[int, int]
    values: tuple[float, float]
    more_in: Side
    magnitude: float
    unit: str
    noise: float
    confidence: float
    importance: float


@dataclass(frozen=True, eq=False)
class Residuals:
    """Query minus reference at aligned frames, one row a reference frame.

    Attributes:
        measures: names of the K measures.
        units: unit of each.
        values: (N, K) float64, NaN where either side is unknown.
        noise: (N, K) float64 standard deviation that noise explains in each value.
        joints: (N, J) float64 distance of each joint between the normalised bodies, in torso lengths.
    """

    measures: tuple[str, ...]
    units: tuple[str, ...]
    values: np.ndarray
    noise: np.ndarray
    joints: np.ndarray


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two performances compared.

    Attributes:
        reference, query: the sequences as they were compared: gaps filled, smoothed, root-centred, torso-scaled, on
            one skeleton, turned to the same heading; frame numbers and fps as in the files.
        score: 0 to 100, 100 for no difference.
        scores: the four quality dimensions (accuracy, timing, smoothness, range), 0 to 100 each.
        segments: in order.
        differences: the most important first.
        notes: what was assumed or left out, each one sentence.
        settings: every setting as resolved.
        exemplars: for a comparison with several references, (path, score) of each, nearest first.
        line: both bodies on their common time, for whatever else is to be measured of them.
    """

    reference: PoseSequence
    query: PoseSequence
    score: float
    scores: Mapping[str, float]
    alignment: Alignment
    segments: tuple[Segment, ...]
    differences: tuple[Difference, ...]
    residuals: Residuals
    notes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    exemplars: tuple[tuple[str, float], ...] = ()
    line: Timeline | None = field(default=None, repr=False)
