"""From residuals to ranked differences: which measure, when, by how much, and how sure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import erfc, sqrt

import numpy as np

from posediff.compare.align import Timeline
from posediff.compare.comparison import Difference
from posediff.compare.residuals import Measured
from posediff.compare.segments import Span, frame_range
from posediff.compare.settings import Settings
from posediff.motion.angles import ANGLES

#: Angles whose change moves a joint: a position is explained where one of these differs at the same time.
MOVERS = {
    "wrist": ("elbow_angle", "shoulder_angle"),
    "elbow": ("shoulder_angle",),
    "ankle": ("knee_angle", "hip_angle"),
    "knee": ("hip_angle",),
    "head_top": ("neck_angle",),
    "head": ("neck_angle",),
    "nose": ("neck_angle",),
}
#: A lean of the trunk opens or closes these angles, and moves every joint.
CHANGED_BY_LEAN = ("hip_angle", "shoulder_angle", "neck_angle")


@dataclass(frozen=True)
class Found:
    """Moments in which one measure differs in one direction; ``size`` is its mean over the least that is reported."""

    column: int
    sign: int
    start: int
    end: int
    peak: int
    magnitude: float
    noise: float
    confidence: float
    size: float

    def overlaps(self, other: Found) -> bool:
        """Whether the two share at least half of the shorter one."""
        shared = min(self.end, other.end) - max(self.start, other.start)
        return shared >= 0.5 * min(self.end - self.start, other.end - other.start)


def differences(line: Timeline, measured: Measured, parts: tuple[Span, ...], settings: Settings) -> tuple[Difference, ...]:
    """All differences beyond the tolerances and the noise, the most important first.

    A difference of a position that a reported angle explains, or of an angle that a reported lean of the trunk explains,
    is left out.
    """
    found = [run for column in range(len(measured.names)) for run in _runs(line, measured, column, settings)]
    found.sort(key=lambda run: (-_importance(run, line), measured.names[run.column]))
    kept = [run for run in found if not any(_explains(other, run, measured) for other in found if other is not run)]
    return tuple(_difference(run, line, measured, parts) for run in kept[: settings.most])


def _runs(line: Timeline, measured: Measured, column: int, settings: Settings) -> Iterator[Found]:
    """Peaks of a measure's residual, each with the moments around it at half of its height, largest first.

    A peak counts by what no shift in time explains of it; its extent and size are those of the whole residual.
    """
    least = settings.least_angle if measured.units[column] == "deg" else settings.least_position
    residual = np.nan_to_num(measured.residual[:, column])
    beyond = np.nan_to_num(measured.beyond[:, column])
    noise = np.nan_to_num(measured.noise[:, column])
    window = _independent(line, settings)
    tests = len(measured.names) * max(len(line) / window, 1.0)
    taken = np.zeros(len(residual), int)
    for _ in range(2 * settings.most):
        peak = int(np.argmax(np.abs(beyond)))
        if not abs(beyond[peak]) >= least:
            return
        sign = int(np.sign(beyond[peak]))
        start, end = _around(sign * residual, peak)
        # What adjoins a run with the same sign is its flank, not another difference.
        flank = taken[max(start - 1, 0)] == sign or taken[min(end, len(residual) - 1)] == sign
        beyond[start:end] = 0.0
        taken[start:end] = sign
        magnitude = float(np.abs(residual[start:end]).mean())
        error = float(np.sqrt(np.mean(noise[start:end] ** 2) / max((end - start) / window, 1.0)))
        confidence = _confidence(magnitude, error, tests)
        if not flank and magnitude >= least and confidence >= settings.certainty:
            yield Found(column, sign, start, end, peak, magnitude, error, confidence, magnitude / least)


def _around(height: np.ndarray, peak: int) -> tuple[int, int]:
    """First and end (exclusive) of the values around a peak that are at least half as high as the highest of them."""
    while True:
        inside = height >= height[peak] / 2
        start, end = peak, peak + 1
        while start > 0 and inside[start - 1]:
            start -= 1
        while end < len(height) and inside[end]:
            end += 1
        highest = start + int(np.argmax(height[start:end]))
        if height[highest] <= height[peak]:
            return start, end
        peak = highest


def _confidence(magnitude: float, error: float, tests: float) -> float:
    """Probability that the largest of so many noise values would stay below the magnitude (Bonferroni)."""
    if error <= 0:
        return 1.0
    return max(0.0, 1.0 - tests * erfc(magnitude / error / sqrt(2.0)))


def _independent(line: Timeline, settings: Settings) -> float:
    """Moments that share their noise, because smoothing spreads it."""
    durations = [len(body) / body.sequence.fps for body in line.pair]
    return max(settings.smoothing * len(line) / (sum(durations) / 2), 1.0)


def _importance(run: Found, line: Timeline) -> float:
    """Size, weighted by the fourth root of the share of time: short slips count, long ones more."""
    return float(run.size * ((run.end - run.start) / len(line)) ** 0.25)


def _explains(cause: Found, effect: Found, measured: Measured) -> bool:
    """Whether one difference follows from another one at the same time."""
    if not cause.overlaps(effect):
        return False
    cause_name, effect_name = measured.names[cause.column], measured.names[effect.column]
    if cause_name == effect_name or cause_name not in ANGLES:
        return False
    if effect_name in ANGLES:
        return cause_name == "trunk_lean" and effect_name.endswith(CHANGED_BY_LEAN) and effect.size <= 1.5 * cause.size
    if cause_name in ("trunk_lean", "trunk_rotation"):
        return True
    joint, _, _axis = effect_name.rpartition("_")
    side, _, part = joint.partition("_")
    if side not in ("left", "right"):
        return cause_name in MOVERS.get(joint, ())
    return cause_name in {f"{side}_{angle}" for angle in MOVERS.get(part, ())}


def _difference(run: Found, line: Timeline, measured: Measured, parts: tuple[Span, ...]) -> Difference:
    name = measured.names[run.column]
    rows = slice(run.start, run.end)
    values = tuple(float(np.nanmean(side[rows, run.column])) for side in (measured.reference, measured.query))
    shared = [min(run.end, part.end) - max(run.start, part.start) for part in parts]
    peak = tuple(frame_range(line, side, run.peak, run.peak + 1)[0] for side in (0, 1))
    return Difference(
        measure=name,
        joints=ANGLES[name].about if name in ANGLES else (name.rpartition("_")[0],),
        segment=parts[int(np.argmax(shared))].name,
        reference_frames=frame_range(line, 0, run.start, run.end),
        query_frames=frame_range(line, 1, run.start, run.end),
        peak=(peak[0], peak[1]),
        values=(values[0], values[1]),
        more_in="query" if run.sign > 0 else "reference",
        magnitude=run.magnitude,
        unit=measured.units[run.column],
        noise=run.noise,
        confidence=run.confidence,
        importance=_importance(run, line),
    )
