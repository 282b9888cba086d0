"""Four quality dimensions and one score, each 0 to 100.

A distance of d tolerances is worth ``100 * 2 ** -max(d - 0.2, 0)`` points: 57 for one tolerance, what a coach would
call a clear difference, and half as many for each one more. Pose estimators hardly resolve a fifth of a tolerance; what
the keypoints' own noise explains is taken off as well.

accuracy
    Points of every joint at every moment for its distance, each about its own mean place, and of every limb for its
    direction; averaged. What differs all the time counts a third for limbs and not for joints, where it is build.
range
    Points of every joint for the difference of how far it moves, averaged.
timing
    Points for the departure from the reference's rhythm plus half of the tempo's logarithm.
smoothness
    Points for the mean difference of the joints' log dimensionless jerk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import radians

import numpy as np

from posediff.compare.align import Timeline
from posediff.compare.body import Tracks
from posediff.compare.comparison import DIMENSIONS
from posediff.compare.prepare import smoothing_weights
from posediff.compare.segments import Span
from posediff.compare.settings import Settings
from posediff.compare.smoothness import Jerk, frame_response, jerk

#: Weight of each dimension in the score: what is done counts most; when and how smoothly, less.
WEIGHTS = {"accuracy": 0.8, "timing": 0.05, "smoothness": 0.05, "range": 0.1}
#: Distances that count as none, in tolerances.
UNRESOLVED = 0.2
#: An extent has two ends, so one tolerance at either end makes two of its own.
ENDS = 2.0
#: The largest of some dozen independent errors, in standard deviations: an extent is made of the largest ones.
NOISE_PEAK = 2.0
#: Share of a constant difference of a limb's direction that counts.
STANCE = 1 / 3
#: Doubling the jerk's amplitude changes the log dimensionless jerk by this much; it is smoothness' tolerance.
DOUBLE_JERK = 2 * np.log(2.0)
#: Seconds over which jerk is estimated.
JERK_WINDOW = 0.5
#: Least extent of a joint's movement that smoothness is judged by, in tolerances: standing feet tremble.
LEAST_EXTENT = 2.0


@dataclass(frozen=True, eq=False)
class Gap:
    """How far apart the bodies are on the common time, in tolerances.

    Attributes:
        distances: (U, K) float64 of the joints and of the limbs, beyond the noise.
        weights: (U, K) float64 of both, products of the confidences.
        tracks: the joints of the reference and of the query, (U, J, D), relative to the root, in tolerances.
        noise: (J,) size that keypoint noise explains of a distance between two joints, in tolerances.
        jerks: of the reference and of the query.
    """

    distances: tuple[np.ndarray, np.ndarray]
    weights: tuple[np.ndarray, np.ndarray]
    tracks: tuple[np.ndarray, np.ndarray]
    noise: np.ndarray
    jerks: tuple[Jerk, Jerk]


def gap(line: Timeline, settings: Settings) -> Gap:
    """The distances between both bodies on the common time."""
    (reference, query), places = line.pair, (line.reference, line.query)
    joints, joint_weights = _apart(
        (reference.joints.at(places[0]), query.joints.at(places[1])), settings.position_tolerance, 0.0
    )
    limbs, limb_weights = _apart(
        (reference.limbs.at(places[0]), query.limbs.at(places[1])), radians(settings.angle_tolerance), STANCE
    )
    tracks = [
        body.shape.at(at).values / settings.position_tolerance for body, at in zip(line.pair, places, strict=True)
    ]
    noise = np.hypot(reference.shape.noise, query.shape.noise) / settings.position_tolerance
    return Gap((joints, limbs), (joint_weights, limb_weights), (tracks[0], tracks[1]), noise, _jerks(line, settings))


def scores(line: Timeline, between: Gap, span: Span | None, settings: Settings) -> dict[str, float]:
    """The four dimensions of the whole movement, or of a part of it."""
    rows = slice(None) if span is None else slice(span.start, span.end)
    return {
        "accuracy": accuracy(between, rows),
        "timing": float(points(timing_distance(line, rows, settings))),
        "smoothness": float(points(smoothness_distance(between, rows))),
        "range": motion_range(between, rows),
    }


def overall(parts: Mapping[str, float]) -> float:
    """The weighted mean of the four dimensions."""
    return sum(WEIGHTS[name] * parts[name] for name in DIMENSIONS)


def points(distance: np.ndarray | float) -> np.ndarray:
    """Distances in tolerances as 0 to 100 points."""
    return np.asarray(100.0 * 2.0 ** -np.maximum(np.asarray(distance) - UNRESOLVED, 0.0))


def accuracy(between: Gap, rows: slice) -> float:
    """Mean points of joints and limbs for where they are, each kind counting half."""
    kinds = zip(between.distances, between.weights, strict=True)
    found = [_mean(points(distance[rows]), weights[rows]) for distance, weights in kinds if weights[rows].any()]
    return float(np.mean(found)) if found else 0.0


def motion_range(between: Gap, rows: slice) -> float:
    """Mean points of the joints for how far they move."""
    weights = between.weights[0][rows]
    one, other = (_extents(track[rows], weights > 0) for track in between.tracks)
    square = ((other - one) ** 2).sum(axis=1) - (ENDS * NOISE_PEAK * between.noise) ** 2
    return _mean(points(np.sqrt(np.maximum(square, 0.0)) / ENDS), weights.mean(axis=0))


def timing_distance(line: Timeline, rows: slice, settings: Settings) -> float:
    """Departure from the reference's rhythm and tempo, in tolerances."""
    reference, query = line.pair
    tempo = 0.5 * abs(np.log2(query.seconds / reference.seconds))
    return float(np.sqrt(np.mean(line.lead[rows] ** 2))) / settings.timing_tolerance + tempo


def smoothness_distance(between: Gap, rows: slice) -> float:
    """Mean difference of the joints' log dimensionless jerk, in doublings of the jerk; still joints do not count."""
    one, other = (jerk.log_dimensionless(rows) for jerk in between.jerks)
    extents = np.min([np.linalg.norm(np.ptp(track, axis=0), axis=1) for track in between.tracks], axis=0)
    change = np.abs(other - one)
    moving = np.isfinite(change) & (extents > LEAST_EXTENT)
    weights = np.where(moving, extents * between.weights[0].mean(axis=0), 0.0)
    return _mean(np.nan_to_num(change), weights) / DOUBLE_JERK


def _apart(pair: tuple[Tracks, Tracks], tolerance: float, stance: float) -> tuple[np.ndarray, np.ndarray]:
    """(U, K) distances in tolerances, a share ``stance`` of the constant part included, and their weights."""
    one, other = pair
    weights = one.weights * other.weights
    difference = other.values - one.values
    total = np.maximum(weights.sum(axis=0), 1e-9)[:, None]
    offset = (weights[..., None] * difference).sum(axis=0) / total
    square = ((difference - offset) ** 2).sum(axis=2) + ((stance * offset) ** 2).sum(axis=1)
    noise = one.noise**2 + other.noise**2
    return np.sqrt(np.maximum(square - noise, 0.0)) / tolerance, weights


def _jerks(line: Timeline, settings: Settings) -> tuple[Jerk, Jerk]:
    """Jerk of both bodies' joints, each at its own even tempo, so that the alignment does not add to it."""
    half = max(int(np.rint(JERK_WINDOW / 2 / line.seconds_a_moment)), 2)
    found = []
    for body in line.pair:
        tracks = body.joints.at(np.linspace(0, len(body) - 1, len(line)))
        weights = smoothing_weights(settings, body.sequence.fps)
        noise = tracks.noise / np.sqrt(tracks.values.shape[2]) / np.linalg.norm(weights)
        found.append(jerk(tracks.values, noise, half, frame_response(weights, len(line) / len(body))))
    return found[0], found[1]


def _extents(track: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(J, D) how far every joint moves along each axis while it is known; 0 where it never is."""
    high, low = (np.where(known[..., None], track, sign * np.inf) for sign in (-1, 1))
    return np.where(np.asarray(known.any(axis=0))[:, None], high.max(axis=0) - low.min(axis=0), 0.0)


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    total = float(weights.sum())
    return float((values * weights).sum()) / total if total > 0 else 0.0
