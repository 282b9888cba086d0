"""How good one person's annotation is: figures, and the frames that are worth a look first."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np

from posediff.annotate.finish.repair import body_length
from posediff.io.labelme import approved
from posediff.io.people import boxed
from posediff.motion.gaps import contiguous, neighbours
from posediff.motion.smooth import noise_level
from posediff.sequence import PoseSequence, Status

#: A box that moves by more than this many of its diagonals between two frames, and by this many usual steps ...
BOX_JUMP = 0.5
BOX_RATIO = 4.0
#: ... or grows or shrinks by this factor, may be of somebody else.
BOX_GROWTH = 2.0
#: Mean confidence of a frame below which it is worth a look.
LOW_CONFIDENCE = 0.5
#: A bone that is this many times as long as it usually is at its longest (its 90th percentile) is out of place.
LONG_BONE = 1.4
#: Seconds to the nearest measured frame from which on an interpolated or missing body is worth a look.
FAR = 0.08
#: Seconds at which that is half as bad as can be.
HALF_BAD = 0.2


class Check(NamedTuple):
    """A frame that is worth a look, and why."""

    frame: int
    reason: str


@dataclass(frozen=True)
class Quality:
    """How good one person's annotation is.

    Attributes:
        person: the person's id.
        frames: frame numbers from the first to the last one, or those of the whole video.
        coverage: share of them in which at least one joint is measured or verified.
        joints: share of the person's frames in which each joint is measured or verified.
        interpolated: share of the known keypoints that are interpolated.
        verified: share of the known keypoints that are verified.
        confidence: mean confidence of the measured and verified keypoints.
        jitter: median over the joints of the standard deviation of the noise in a coordinate, in the sequence's units.
        jitter_torso: the same in torso lengths.
        bones: coefficient of variation of each bone's length, by the names of its ends. In 2D a bone that is seen
            end on is short, so this is more than estimation error.
        bone_variation: median of them.
        longest_gap_frames: most frames in a row, between the first and the last, in which no joint is measured.
        longest_gap: the same in seconds.
        jumps: frames at which the box jumps: the person may be somebody else from there on.
        check: frames to check first, the worst first.

    A figure that cannot be computed is NaN.
    """

    person: int
    frames: int
    coverage: float
    joints: dict[str, float]
    interpolated: float
    verified: float
    confidence: float
    jitter: float
    jitter_torso: float
    bones: dict[str, float]
    bone_variation: float
    longest_gap_frames: int
    longest_gap: float
    jumps: tuple[int, ...]
    check: tuple[Check, ...]

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON holds them: what is unknown is None."""
        values: dict[str, Any] = _known(asdict(self))
        return values | {"jumps": [*self.jumps], "check": [check._asdict() for check in self.check]}

    def lines(self) -> list[str]:
        """The figures in a few short lines, for a terminal."""
        gap = f", longest gap {self.longest_gap:.2g} s" if self.longest_gap_frames else ""
        texts = [
            f"person {self.person}: in {self.coverage:.0%} of {self.frames} frames{gap}",
            f"confidence {_said(self.confidence, '.2f')}, interpolated {_said(self.interpolated, '.1%')}, "
            f"jitter {_said(self.jitter_torso, '.1%')} of the torso, bone lengths vary by "
            f"{_said(self.bone_variation, '.0%')}",
        ]
        if self.check:
            texts.append("check first: " + ", ".join(f"{check.frame} ({check.reason})" for check in self.check[:5]))
        return texts


def quality(
    sequence: PoseSequence, *, raw: PoseSequence | None = None, total: int | None = None, most: int = 10
) -> Quality:
    """Figures of one person's annotation.

    Args:
        sequence: T frames, finished or raw.
        raw: the estimates before smoothing, which jitter is measured on; by default the sequence itself.
        total: number of frames of the video; by default from the first to the last frame of the sequence.
        most: most frames to list for checking.
    """
    whole = contiguous(sequence)
    seen = (whole.status == Status.MEASURED) | (whole.status == Status.VERIFIED)
    known = max(int(whole.present.sum()), 1)
    noise = noise_level(raw if raw is not None else sequence)
    jitter = float(np.median(noise)) if np.isfinite(noise).all() and len(whole) else math.nan
    bones = _variations(whole)
    gap = _longest_run(~seen.any(axis=1))
    frames = len(whole) if total is None else total
    jumps = [int(whole.frames[row]) for row, _ in box_jumps(whole)]
    joints = zip(whole.skeleton.joints, seen.mean(axis=0) if len(whole) else seen.sum(axis=0), strict=True)
    return Quality(
        person=whole.person,
        frames=frames,
        coverage=float(min(seen.any(axis=1).sum() / max(frames, 1), 1)),
        joints={joint: float(share) for joint, share in joints},
        interpolated=float((whole.status == Status.INTERPOLATED).sum() / known),
        verified=float((whole.status == Status.VERIFIED).sum() / known),
        confidence=float(whole.scores[seen].mean()) if seen.any() else math.nan,
        jitter=jitter,
        jitter_torso=jitter / body_length(whole),
        bones=bones,
        bone_variation=float(np.median([*bones.values()])) if bones else math.nan,
        longest_gap_frames=gap,
        longest_gap=gap / whole.fps,
        jumps=tuple(jumps),
        check=tuple(to_check(whole, most)),
    )


def box_jumps(sequence: PoseSequence) -> list[tuple[int, float]]:
    """Rows at which the box is elsewhere, or of another size, than it was when the person was last seen.

    Where the sequence has no boxes, those around the keypoints count.

    Returns:
        Row and how far it jumps: 1 is the least that counts.
    """
    boxes = boxed(sequence).astype(float)
    sizes = np.hypot(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    rows = np.flatnonzero(sizes > 0)
    if len(rows) < 3:
        return []
    centres, sizes = (boxes[rows, :2] + boxes[rows, 2:]) / 2, sizes[rows]
    apart = np.diff(sequence.frames[rows])
    steps = np.linalg.norm(np.diff(centres, axis=0), axis=1) / apart / np.minimum(sizes[1:], sizes[:-1])
    far = steps / max(BOX_JUMP, BOX_RATIO * float(np.median(steps)))
    growth = np.maximum(sizes[1:] / sizes[:-1], sizes[:-1] / sizes[1:]) ** (1 / apart) / BOX_GROWTH
    worst = np.maximum(far, growth)
    return [(int(rows[place + 1]), float(worst[place])) for place in np.flatnonzero(worst > 1)]


def to_check(sequence: PoseSequence, most: int = 10) -> list[Check]:
    """Frames that are worth a look, the worst first, spread over time; verified ones are not.

    Reasons are ``box jump``, ``bone too long``, ``missing`` (the whole body), ``joints missing``, ``interpolated`` and
    ``low confidence``. Joints that are never seen before or after do not count as missing.

    Args:
        sequence: T frames without absent frame numbers.
        most: most frames to list.
    """
    severity = _severities(sequence)
    if not severity or most < 1:
        return []
    settled = np.isin(sequence.frames, list(approved(sequence)))
    verified = sequence.status == Status.VERIFIED
    settled |= sequence.present.any(axis=1) & (verified | ~sequence.present).all(axis=1)
    table = np.where(settled, 0.0, np.array([*severity.values()]))
    worst = table.max(axis=0)
    reasons = [*severity]
    distance = max(2, round(len(sequence) / (2 * most)))
    found: list[Check] = []
    while len(found) < most and worst.max(initial=0) > 0:
        row = int(worst.argmax())
        found.append(Check(int(sequence.frames[row]), reasons[int(table[:, row].argmax())]))
        worst[max(0, row - distance) : row + distance + 1] = 0
    return found


def _severities(sequence: PoseSequence) -> dict[str, np.ndarray]:
    """For every reason, (T,) how much each frame is worth a look, 0 where it is not."""
    count = len(sequence)
    if not count or not sequence.present.any():
        return {}
    jump = np.zeros(count)
    for row, size in box_jumps(sequence):
        jump[row] = 1 + size
    seen = (sequence.status == Status.MEASURED) | (sequence.status == Status.VERIFIED)
    number = np.maximum(seen.sum(axis=1), 1)
    confidence = np.where(seen.any(axis=1), np.where(seen, sequence.scores, 0).sum(axis=1) / number, 1.0)
    far = np.stack(neighbours(seen))
    rows = np.arange(count)[:, None]
    away = np.where((far >= 0).all(axis=0), np.minimum(rows - far[0], far[1] - rows), 0) / sequence.fps
    late = np.where(away >= FAR, away / (away + HALF_BAD), 0)
    gone = ~sequence.present.any(axis=1)
    return {
        "box jump": jump,
        "bone too long": _elongation(sequence),
        "missing": late.max(axis=1) * gone,
        "joints missing": (late * ~sequence.present).mean(axis=1) * ~gone,
        "interpolated": (late * (sequence.status == Status.INTERPOLATED)).mean(axis=1),
        "low confidence": np.maximum(LOW_CONFIDENCE - confidence, 0) / LOW_CONFIDENCE,
    }


def _lengths(sequence: PoseSequence) -> np.ndarray:
    """(T, B) float64 lengths of the bones, NaN where an end is missing."""
    index = sequence.skeleton.index
    ends = np.array([(index(one), index(other)) for one, other in sequence.skeleton.bones], int).reshape(-1, 2)
    tracks = sequence.keypoints.astype(float)
    return np.asarray(np.linalg.norm(tracks[:, ends[:, 0]] - tracks[:, ends[:, 1]], axis=2))


def _elongation(sequence: PoseSequence) -> np.ndarray:
    """(T,) by how much the most stretched bone is longer than any that counts as usual, at most 1."""
    worst = np.zeros(len(sequence))
    for lengths in _lengths(sequence).T:
        known = np.isfinite(lengths)
        usual = float(np.quantile(lengths[known], 0.9)) if known.any() else 0.0
        if usual > 0:
            worst = np.fmax(worst, lengths / usual - LONG_BONE)
    return np.clip(worst, 0, 1)


def _variations(sequence: PoseSequence) -> dict[str, float]:
    """Coefficient of variation of every bone that is seen at least twice."""
    found = {}
    for (one, other), lengths in zip(sequence.skeleton.bones, _lengths(sequence).T, strict=True):
        lengths = lengths[np.isfinite(lengths)]
        if len(lengths) > 1 and lengths.mean() > 0:
            found[f"{one}-{other}"] = float(lengths.std() / lengths.mean())
    return found


def _longest_run(marked: np.ndarray) -> int:
    """Most true values in a row that lie between two false ones."""
    rows = np.flatnonzero(~marked)
    return int(np.diff(rows).max(initial=1) - 1)


def _known(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _known(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _said(value: float, form: str) -> str:
    return format(value, form) if math.isfinite(value) else "unknown"
