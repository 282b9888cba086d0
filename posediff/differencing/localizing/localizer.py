"""When the key points of an action happen: what the tracks show, in the order of the action, helped by an alignment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from posediff.compare.body import Body
from posediff.compare.prepare import smoothing_weights
from posediff.compare.settings import Settings
from posediff.differencing.grammar.evaluation import Evaluator
from posediff.differencing.grammar.measures import Unmeasurable
from posediff.differencing.localizing.events import Event, crossings, density, mixture, peaks
from posediff.differencing.localizing.transcript import decode, posteriors
from posediff.differencing.noise import jittered
from posediff.errors import BadData, BadSetting, suggestion

if TYPE_CHECKING:
    from posediff.compare.align import Timeline
    from posediff.differencing.statements.taxonomy import KeyPoint

#: A key point counts as found where it is off by no more than this many seconds: 2 frames at 25 fps.
CLOSE = 0.08
#: What the first key point gains by being late and the last by being early, over the whole performance: of repetitions
#: that are as good, those count that lie close together.
COMPACT = 6.0
#: Seconds by which key points that belong together are aligned apart, besides the spread of the alignment.
APART = 0.08
#: Confidence from which on a key point is clear, and the alignment is not asked.
CLEAR = 0.9
#: What is left of an error of the alignment after it was made good by the clear key points around, as a share of it.
OFF = 0.3
#: Probability that the alignment says nothing of a key point.
ASTRAY = 0.2
#: Evidence further than this below its best counts no less.
LEAST_EVIDENCE = -50.0

#: (T,) log-likelihoods by key point.
Evidence = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Moment:
    """When a key point happens.

    Attributes:
        name: of the key point.
        position: fractional frame index.
        confidence: probability that the position is right within 0.08 s, 2 frames at 25 a second.
        spread: standard deviation of the position in frames, if the right one of several places was chosen.
    """

    name: str
    position: float
    confidence: float
    spread: float


@dataclass(frozen=True, eq=False)
class _Seen:
    """What one performance shows of its key points: probabilities (E + 1, T) of events, and (K, T) what is added."""

    places: list[np.ndarray]
    added: np.ndarray
    fps: float

    @property
    def scores(self) -> np.ndarray:
        return np.log([place.sum(axis=0) for place in self.places]) + self.added


def localise(
    key_points: Sequence[KeyPoint],
    body: Body,
    sides: Mapping[str, str],
    *,
    evidence: Evidence | None = None,
    weight: float = 1.0,
) -> dict[str, Moment]:
    """When the key points of an action happen in a performance.

    A key point whose cue cannot be measured is placed by the order alone.

    Args:
        key_points: in the order of the action.
        body: the performance, T frames.
        sides: left or right, by role.
        evidence: (T,) log-likelihoods of key points from another source.
        weight: of that evidence.

    Raises:
        BadData: if there are fewer frames than key points, or the evidence cannot be used.
        BadSetting: if the evidence names no key point.
    """
    return _moments(key_points, _seen(key_points, body, sides, evidence, weight)) if key_points else {}


def localise_pair(
    key_points: Sequence[KeyPoint],
    pair: tuple[Body, Body],
    line: Timeline,
    sides: tuple[Mapping[str, str], Mapping[str, str]],
    evidence: tuple[Evidence | None, Evidence | None] = (None, None),
    *,
    weight: float = 1.0,
) -> tuple[dict[str, Moment], dict[str, Moment]]:
    """When the key points happen in either of two aligned performances.

    A key point that is clear stays where it is. For one that is not, what the other performance shows is carried along
    the alignment and added, blurred by what the alignment leaves open. Where the alignment puts a key point elsewhere
    that is clear in both, the alignment is wrong, and that is made good for the key points around.

    Args:
        key_points, evidence, weight: as for :func:`localise`.
        pair: the two performances.
        line: their alignment; its reference is the first of the pair.
        sides: left or right, by role, in either.

    Raises:
        BadData, BadSetting: as :func:`localise`.
    """
    if not key_points:
        return {}, {}
    seen = [_seen(key_points, *each, weight) for each in zip(pair, sides, evidence, strict=True)]
    alone = [_moments(key_points, one) for one in seen]
    clear = np.array([[found[point.name].confidence >= CLEAR for point in key_points] for found in alone])
    if clear.all():
        return alone[0], alone[1]
    # the first and the last frame are clear, and say nothing of the alignment
    fixed = [point.name for point, both in zip(key_points, clear.all(axis=0), strict=True) if both and _free(point)]
    known = [np.array([found[name].position for name in fixed]) for found in alone]
    shown = [posteriors(one.scores) for one in seen]
    ways = (line.reference, line.query)
    found = []
    for own, other in ((0, 1), (1, 0)):
        blur = _blur(np.arange(len(pair[other])), (ways[other], ways[own]), line.spread,
                     (known[other], known[own]), pair[own])  # fmt: skip
        told = np.log((1 - ASTRAY) * shown[other] @ blur + ASTRAY / len(pair[own]))
        told[clear[own]] = 0.0
        found.append(_moments(key_points, replace(seen[own], added=seen[own].added + told)))
    return found[0], found[1]


def own_scores(key_points: Sequence[KeyPoint], body: Body, sides: Mapping[str, str]) -> np.ndarray:
    """(K, T) log-likelihoods of the key points by their tracks alone, flat where a track cannot be measured."""
    return _seen(key_points, body, sides, None, 1.0).scores


def _seen(
    key_points: Sequence[KeyPoint], body: Body, sides: Mapping[str, str], evidence: Evidence | None, weight: float
) -> _Seen:
    for name in set(evidence or ()) - {key_point.name for key_point in key_points}:
        raise BadSetting(f"no key point is called {name!r}", suggestion(name, [one.name for one in key_points]))
    fps, count = body.sequence.fps, len(body)
    smoothing = smoothing_weights(Settings(), fps)
    other = Evaluator(jittered(body, smoothing, np.random.default_rng(0)), sides)
    itself = Evaluator(body, sides)
    events = [_events(key_point, itself, other, len(smoothing) // 2) for key_point in key_points]
    added = np.array([_told(key_point.name, evidence, count, weight) for key_point in key_points])
    loose = [k for k, (found, one) in enumerate(zip(events, key_points, strict=True)) if found and _free(one)]
    if loose:
        added[loose[0]] += COMPACT * np.arange(count) / count
        added[loose[-1]] -= COMPACT * np.arange(count) / count
    return _Seen([mixture(found, count) for found in events], added, fps)


def _free(key_point: KeyPoint) -> bool:
    return key_point.cue.kind not in ("first", "last")


def _events(key_point: KeyPoint, body: Evaluator, other: Evaluator, half: int) -> list[Event]:
    """Where a key point's cue is met; nowhere, if its track cannot be measured. ``other`` has jitter added."""
    cue = key_point.cue
    if not _free(key_point):
        return [Event(0.0 if cue.kind == "first" else len(body.body) - 1.0, 0.1, 0.0)]
    try:
        track = cue.track(body)
        noise = cue.track(other) - track
    except Unmeasurable:
        return []
    if not np.isfinite(track).all():
        return []
    noise = np.nan_to_num(noise)
    sign = 1 if cue.kind in ("highest", "rises") else -1
    if cue.kind in ("highest", "lowest"):
        return peaks(sign * track, noise, half)
    return crossings(sign * track, noise, cue.share if sign > 0 else 1 - cue.share)


def _told(name: str, evidence: Evidence | None, count: int, weight: float) -> np.ndarray:
    """(T,) weighted evidence of a key point, 0 where there is none."""
    told = np.zeros(count) if evidence is None or name not in evidence else np.asarray(evidence[name], np.float64)
    if told.shape != (count,) or np.isnan(told).any() or told.max() in (np.inf, -np.inf):
        raise BadData(f"the evidence of {name} has the shape {told.shape}, or is not finite", f"give {count} numbers")
    return np.maximum(weight * (told - told.max()), LEAST_EVIDENCE)


def _blur(
    frames: np.ndarray,
    way: tuple[np.ndarray, np.ndarray],
    spread: np.ndarray,
    known: tuple[np.ndarray, np.ndarray],
    body: Body,
) -> np.ndarray:
    """(T', T) probabilities of this performance's frames, for every frame of the other.

    Key points that are clear in both tell by how much the alignment is off; between them, that is made good.

    Args:
        frames: (T',) of the other performance.
        way: (U,) positions in the other and in this performance that belong together.
        spread: (U,) standard deviation of that, in seconds.
        known: positions of key points that are clear in both, in the other and in this performance.
        body: this performance.
    """
    there, here = way
    moments = np.arange(len(there))
    moment = np.interp(frames, there + 1e-9 * moments, moments)
    at = np.interp(moment, moments, here)
    unsure = np.hypot(np.interp(moment, moments, spread), APART) * body.sequence.fps
    if len(known[0]):
        off = np.interp(frames, known[0], known[1] - np.interp(known[0], frames, at))
        at, unsure = at + off, np.hypot(unsure, OFF * off)
    return density(at, unsure, len(body))


def _moments(key_points: Sequence[KeyPoint], seen: _Seen) -> dict[str, Moment]:
    """Order first (Viterbi); then every key point is placed at the mean of its event, within that order."""
    scores = seen.scores
    frames = np.arange(scores.shape[1])
    chosen = [_chosen(place, frame) for place, frame in zip(seen.places, decode(scores), strict=True)]
    whole, near = posteriors(scores), posteriors(np.log(chosen) + seen.added)
    positions = near @ frames
    found = {}
    for key_point, position, all_of_it, around in zip(key_points, positions, whole, near, strict=True):
        close = np.interp(position + np.array([-1, 1]) * CLOSE * seen.fps, np.r_[frames - 0.5, frames[-1] + 0.5],
                          np.r_[0.0, np.cumsum(all_of_it)])  # fmt: skip
        spread = float(np.sqrt(around @ (frames - position) ** 2))
        found[key_point.name] = Moment(key_point.name, float(position), float(close[1] - close[0]), spread)
    return found


def _chosen(place: np.ndarray, frame: int) -> np.ndarray:
    """(T,) probabilities of the event that a frame belongs to; of all of them, where it belongs to none."""
    number = int(np.argmax(place[:, frame]))
    return np.asarray(place.sum(axis=0) if number == len(place) - 1 else place[number])
