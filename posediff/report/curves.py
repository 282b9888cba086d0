"""The measures that differ, as curves over time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from posediff.compare.comparison import Comparison
from posediff.language import phrases
from posediff.motion.angles import joint_angles
from posediff.report.poses import MOST
from posediff.report.style import COLOURS, FAINT, MUTED, drawable, limits, mark_segments, new_figure, tidy
from posediff.sequence import PoseSequence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: How many measures are drawn where no difference is reported.
FEW = 3


def measures(comparison: Comparison) -> Figure:
    """The measures that differ most over the reference's time: the reference, the query warped to it, and the noise."""
    columns = top_measures(comparison)
    figure = new_figure(10.0, max(1, len(columns)) * 2.2 + 0.5)
    panels = figure.subplots(max(1, len(columns)), 1, sharex=True, squeeze=False)[:, 0]
    for axes, column in zip(panels, columns, strict=False):
        _draw(axes, comparison, column)
        mark_segments(axes, comparison, names=axes is panels[0])
    if columns:
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles[:3], labels[:3], loc="outside upper right", ncols=3, fontsize=9, frameon=False)
    else:
        panels[0].set_title("nothing was measured in both", color=MUTED, fontsize=10)
    panels[-1].set_xlabel("time in the reference (s)", color=MUTED)
    panels[-1].set_xlim(limits(comparison.reference))
    return figure


def top_measures(comparison: Comparison) -> list[int]:
    """Columns of the residuals to draw: those of the first differences, else the largest over their noise."""
    found = comparison.residuals
    named = dict.fromkeys(difference.measure for difference in comparison.differences)
    columns = [found.measures.index(name) for name in named if name in found.measures][:MOST]
    if columns or not found.values.size:
        return columns
    ratio = np.abs(found.values) / np.where(found.noise > 0, found.noise, np.inf)
    largest = np.where(np.isfinite(ratio), ratio, 0.0).max(axis=0)
    return [int(column) for column in np.argsort(-largest, kind="stable")[:FEW]]


def measure_track(sequence: PoseSequence, measure: str) -> np.ndarray:
    """A measure of a normalised body over time, (T,) float64; NaN where it is missing or the name is unknown."""
    names, angles = joint_angles(sequence)
    if measure in names:
        return np.asarray(angles[:, names.index(measure)])
    joint, _, axis = measure.rpartition("_")
    signs = {"side": 1.0, "height": 1.0 if sequence.dimensions == 3 else -1.0, "forward": 1.0}
    column = list(signs).index(axis) if axis in signs else sequence.dimensions
    if column >= sequence.dimensions or not sequence.skeleton.parts(joint):
        return np.full(len(sequence), np.nan)
    return np.asarray(signs[axis] * sequence.joint(joint)[:, column].astype(float))


def _draw(axes: Axes, comparison: Comparison, column: int) -> None:
    """One measure: both curves, the noise, the reported differences, and which way is what."""
    found, times = comparison.residuals, comparison.reference.times
    measure, unit = found.measures[column], "degrees" if found.units[column] == "deg" else "torso lengths"
    reference = measure_track(comparison.reference, measure)
    if not np.isfinite(reference).any():
        reference, unit = np.zeros(len(times)), f"difference ({unit})"
    query = reference + found.values[:, column]
    noise = 2 * np.nan_to_num(found.noise[:, column])
    marker = "o" if len(times) < 3 else ""
    axes.plot(times, reference, color=COLOURS["reference"], linewidth=2, marker=marker, label="reference")
    axes.plot(times, query, color=COLOURS["query"], linewidth=2, marker=marker, label="query, at matching moments")
    axes.fill_between(
        times, reference - noise, reference + noise, color=COLOURS["reference"], alpha=0.16, linewidth=0, label="noise"
    )
    for difference in comparison.differences:
        if difference.measure == measure:
            start, end = ((frame - 0.5) / comparison.reference.fps for frame in difference.reference_frames)
            axes.axvspan(start, end, color=FAINT, alpha=0.55, linewidth=0, zorder=0)
    tidy(axes, y=unit)
    axes.margins(y=0.28)
    dimensions = comparison.reference.dimensions
    plain = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1.0}
    for more, height, vertical in ((True, 0.95, "top"), (False, 0.05, "bottom")):
        way = drawable(f"{'↑' if more else '↓'} {phrases.direction(measure, more, dimensions)}", 60)
        axes.text(0.008, height, way, transform=axes.transAxes, va=vertical, fontsize=9, color=MUTED, bbox=plain)
