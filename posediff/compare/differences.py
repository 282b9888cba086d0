"""From residuals to ranked differences: which measure, when, by how much, and how sure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import erfc, radians, sin, sqrt

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
LEAN, ROTATION = "trunk_lean", "trunk_rotation"
#: A lean of the trunk opens or closes these angles, and like a rotation it moves every joint.
CHANGED_BY_LEAN = ("hip_angle", "shoulder_angle", "neck_angle")
#: Ratio up to which two angles count as differing by about as much.
ALIKE = 1.5
#: No joint lies farther than this from one that moves it, in torso lengths.
REACH = 3.0


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


def differences(
    line: Timeline, measured: Measured, parts: tuple[Span, ...], settings: Settings
) -> tuple[Difference, ...]:
    """All differences beyond the tolerances and the noise, the most important first.

    An angle is left out where it follows from a reported lean of the trunk. A position is left out where it follows
    from a reported angle; where it follows from an angle that alone is too uncertain to report, that angle is reported.
    """
    search = Search(line, measured, settings)
    runs = [run for column in range(len(measured.names)) for run in search.runs(column)]
    runs.sort(key=lambda run: (-search.importance(run), measured.names[run.column]))
    angles, positions = (
        [run for run in runs if (measured.names[run.column] in ANGLES) is angle] for angle in (True, False)
    )
    lean = {run.column for run in angles if measured.names[run.column] == LEAN}
    kept = [run for run in angles if not any(search.opens(column, run) for column in lean - {run.column})]
    for run in positions:
        known = {one.column for one in kept}
        movers = [column for column in search.movers(run) if search.moves(column, run)]
        if not movers:
            kept.append(run)
        elif not known.intersection(movers):
            kept.append(search.cause(movers, run))
    kept.sort(key=lambda run: (-search.importance(run), measured.names[run.column]))
    return tuple(_difference(run, search.importance(run), line, measured, parts) for run in kept[: settings.most])


class Search:
    """Where the measures of two performances differ, and which differences follow from which."""

    def __init__(self, line: Timeline, measured: Measured, settings: Settings) -> None:
        self.measured, self.settings, self.moments = measured, settings, len(line)
        moments_a_second = 1.0 / line.seconds_a_moment
        #: Moments that share their noise, because smoothing spreads it.
        self.window = max(settings.smoothing * moments_a_second, 1.0)
        #: Moments that a difference lasts at least; in a photograph, or a few frames, half of them will do.
        self.shortest = min(settings.shortest * moments_a_second, len(line) / 2)
        self.tests = len(measured.names) * max(len(line) / self.window, 1.0)
        self.residual = np.nan_to_num(measured.residual)
        self.variance = np.nan_to_num(measured.noise**2 + measured.mistiming**2)

    def runs(self, column: int) -> Iterator[Found]:
        """Peaks of a measure's residual, each with the moments around it at half of its height, largest first.

        A peak counts by what no shift in time explains of it; its extent and size are those of the whole residual.
        """
        beyond = np.nan_to_num(self.measured.beyond[:, column])
        taken = np.zeros(self.moments, int)
        for _ in range(2 * self.settings.most):
            peak = int(np.argmax(np.abs(beyond)))
            if not abs(beyond[peak]) >= self.least(column):
                return
            run = self.around(column, peak, int(np.sign(beyond[peak])))
            # What adjoins or overlaps a run with the same sign is its flank, not another difference.
            flank = bool((taken[max(run.start - 1, 0) : run.end + 1] == run.sign).any())
            beyond[run.start : run.end] = 0.0
            taken[run.start : run.end] = run.sign
            lasting = run.end - run.start >= self.shortest
            if not flank and lasting and run.size >= 1.0 and run.confidence >= self.settings.certainty:
                yield run

    def around(self, column: int, peak: int, sign: int) -> Found:
        """The run of moments around a peak in which a residual is at least half as high."""
        height = sign * self.residual[:, column]
        start, end = _around(height, peak, self.window)
        magnitude = float(height[start:end].mean())
        error = sqrt(float(self.variance[start:end, column].mean()) / max((end - start) / self.window, 1.0))
        highest = start + int(np.argmax(height[start:end]))
        confidence = _confidence(magnitude, error, self.tests)
        return Found(column, sign, start, end, highest, magnitude, error, confidence, magnitude / self.least(column))

    def least(self, column: int) -> float:
        """The smallest difference of a measure that is reported."""
        return self.settings.least_angle if self.measured.units[column] == "deg" else self.settings.least_position

    def importance(self, run: Found) -> float:
        """Size, weighted by the fourth root of the share of time: short slips count, long ones more."""
        return float(run.size * ((run.end - run.start) / self.moments) ** 0.25)

    def turned(self, column: int, during: Found) -> float:
        """Mean absolute difference of an angle during another measure's run, in degrees."""
        return float(np.abs(self.residual[during.start : during.end, column]).mean())

    def opens(self, lean: int, run: Found) -> bool:
        """Whether an angle differs by about as much as the trunk's lean, which opens or closes it."""
        alike = self.turned(lean, run) / run.magnitude
        return self.measured.names[run.column].endswith(CHANGED_BY_LEAN) and 1 / ALIKE <= alike <= ALIKE

    def movers(self, run: Found) -> list[int]:
        """The angles whose change moves the joint of a position."""
        joint = self.measured.names[run.column].rpartition("_")[0]
        side, _, part = joint.partition("_")
        names = {f"{side}_{angle}" for angle in MOVERS.get(part, ())} | {*MOVERS.get(joint, ()), LEAN, ROTATION}
        return [column for column, name in enumerate(self.measured.names) if name in names]

    def moves(self, column: int, run: Found) -> bool:
        """Whether a limb as long as the body's reach, turned by an angle's difference, moves as far as a position."""
        turned = self.turned(column, run)
        return turned >= self.least(column) and 2 * REACH * sin(radians(min(turned, 180.0)) / 2) >= run.magnitude

    def cause(self, movers: list[int], run: Found) -> Found:
        """The angle that a position's difference follows from most clearly; the position vouches for it."""
        clearest = max(movers, key=lambda column: self.turned(column, run) / sqrt(self.spread(column, run)))
        during = self.residual[run.start : run.end, clearest]
        peak = int(np.argmax(np.abs(during)))
        found = self.around(clearest, run.start + peak, int(np.sign(during[peak])))
        return replace(found, confidence=max(found.confidence, run.confidence))

    def spread(self, column: int, run: Found) -> float:
        """Mean variance of a measure during a run, a floor kept where there is no noise at all."""
        return float(self.variance[run.start : run.end, column].mean()) + 0.01 * self.least(column) ** 2


def _around(height: np.ndarray, peak: int, bridged: float) -> tuple[int, int]:
    """First and end (exclusive) of the values around a peak that are at least half as high.

    Lower values that are still positive and fewer than ``bridged`` in a row, no more than noise makes, do not end it.
    """
    inside = height >= height[peak] / 2
    edges = np.flatnonzero(np.diff(inside)) + 1
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if end - start < bridged and height[start:end].min() > 0:
            inside[start:end] = True
    outside = np.flatnonzero(~inside)
    place = int(np.searchsorted(outside, peak))
    return int(outside[place - 1]) + 1 if place else 0, int(outside[place]) if place < len(outside) else len(height)


def _confidence(magnitude: float, error: float, tests: float) -> float:
    """Probability that the largest of so many noise values would stay below the magnitude (Bonferroni)."""
    if error <= 0:
        return 1.0
    return max(0.0, 1.0 - tests * erfc(magnitude / error / sqrt(2.0)))


def _difference(
    run: Found, importance: float, line: Timeline, measured: Measured, parts: tuple[Span, ...]
) -> Difference:
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
        importance=importance,
    )
