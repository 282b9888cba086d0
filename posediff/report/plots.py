"""The plots of a comparison: each takes it and returns a matplotlib figure."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from posediff.compare.comparison import Comparison
from posediff.language import phrases
from posediff.language.pairs import grouped
from posediff.report.curves import measures
from posediff.report.poses import pose_pair, poses
from posediff.report.style import (
    COLOURS,
    FAINT,
    INK,
    MOST_SEGMENTS,
    MUTED,
    drawable,
    limits,
    mark_segments,
    new_figure,
    png,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The parts of the body from head to foot, for the order of the joints in a picture.
BODY = (
    ("head_top", "head", "nose", "eye", "ear", "mouth", "upper_neck", "neck"),
    ("collar", "shoulder", "elbow", "wrist", "hand", "index", "pinky", "thumb"),
    ("thorax", "spine", "pelvis"),
    ("hip", "knee", "ankle", "heel", "foot", "toes", "big_toe", "small_toe"),
)
#: More segments than this are drawn without their numbers, and only some of their names.
READABLE = 18
#: How many columns a picture of a long sequence has at most.
RESOLUTION = 1200
#: The bodies' distance that gets at least a full colour, in torso lengths, so that noise does not look like much.
FULL_COLOUR = 0.25
#: A joint is ringed where it is at least this far apart, in torso lengths.
APART = 0.05
#: How many differences get a card with a picture.
CARDS = 6


@dataclass(frozen=True)
class Plot:
    """A plot of the report.

    Attributes:
        name: name of its file.
        title: its heading.
        caption: what it shows and how to read it.
        draw: makes it.
    """

    name: str
    title: str
    caption: str
    draw: Callable[[Comparison], Figure]


def pictures(comparison: Comparison) -> dict[str, bytes]:
    """Every plot of ``PLOTS`` as a PNG file, by file name."""
    return {plot.name: png(plot.draw(comparison)) for plot in PLOTS}


def cards(comparison: Comparison) -> list[bytes]:
    """The skeleton pairs of the first differences, a PNG file each."""
    return [png(pose_pair(comparison, told)) for told in grouped(comparison.differences)[:CARDS]]


def alignment(comparison: Comparison) -> Figure:
    """Which moments match, how sure that is, and how unlike the poses are, with the boundaries of the segments."""
    found, reference, query = comparison.alignment, comparison.reference, comparison.query
    figure = new_figure(10.0, 6.6)
    axes = figure.subplots()
    extent = (*limits(reference), *limits(query))
    costs = np.ma.masked_invalid(found.costs.T)  # type: ignore[no-untyped-call]
    # The greys end before black, so that lines and labels stand out.
    darkest = 1.6 * max(float(costs.max()), 1e-9) if costs.count() else 1.0
    image = axes.imshow(costs, origin="lower", extent=extent, aspect="auto", cmap="Greys", vmin=0.0, vmax=darkest)
    bar = figure.colorbar(image, ax=axes, label="how unlike the poses are (tolerances)", pad=0.02)
    bar.ax.set_ylim(0.0, darkest / 1.6)
    matched = query.times[0] + found.correspondence / query.fps
    margin = 2 * found.uncertainty
    marker = "o" if len(reference) < 3 else ""
    axes.plot(reference.times, matched, color=COLOURS["query"], linewidth=2.5, marker=marker, label="matching moments")
    axes.fill_between(
        reference.times,
        matched - margin,
        matched + margin,
        color=COLOURS["query"],
        alpha=0.35,
        linewidth=0,
        label="how sure that is (95 %)",
    )
    axes.plot(extent[:2], extent[2:], color=INK, linewidth=1, linestyle=(0, (1, 3)), label="even tempo")
    mark_segments(axes, comparison)
    for segment in comparison.segments[1:] if len(comparison.segments) <= MOST_SEGMENTS else ():
        axes.axhline((segment.query[0] - 0.5) / query.fps, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    axes.set_xlim(extent[:2])
    axes.set_ylim(extent[2:])
    tidy(axes, x="time in the reference (s)", y="time in the query (s)")
    figure.legend(loc="outside lower center", ncols=3, fontsize=9, frameon=False)
    return figure


def segments(comparison: Comparison) -> Figure:
    """Scores as a strip of cells: the whole movement, then each segment; a row a dimension."""
    dimensions = list(comparison.scores)
    columns = [("whole movement", comparison.score, comparison.scores)]
    columns += [(segment.name, segment.score, segment.scores) for segment in comparison.segments]
    values = np.array([[score, *(scores.get(name, math.nan) for name in dimensions)] for _, score, scores in columns]).T
    figure = new_figure(10.0, 0.9 + 0.5 * len(values) + (0.5 if len(columns) > 9 else 0.2))
    axes = figure.subplots()
    image = axes.imshow(
        np.ma.masked_invalid(values),  # type: ignore[no-untyped-call]
        cmap=_colours("YlOrBr_r"),
        vmin=0,
        vmax=100,
        aspect="auto",
        interpolation="nearest",
    )
    for (row, column), value in np.ndenumerate(values if len(columns) <= READABLE else values[:0]):
        colour = "white" if value < 30 else INK
        axes.text(column, row, phrases.number(value), ha="center", va="center", color=colour, fontsize=11)
    figure.colorbar(image, ax=axes, label="score", pad=0.015, ticks=[0, 50, 100])
    named = range(0, len(columns), math.ceil(len(columns) / READABLE))
    width = max(7, 90 // len(named))
    labels = ["\n".join(textwrap.wrap(drawable(columns[at][0]), width)[:3]) for at in named]
    axes.set_xticks(named, labels, fontsize=9)
    axes.set_yticks(range(len(values)), ["score", *dimensions], fontsize=10)
    tidy(axes)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_xticks(np.arange(len(columns) - 1) + 0.5, minor=True)
    axes.set_yticks(np.arange(len(values) - 1) + 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="minor", length=0)
    axes.axvline(0.5, color="white", linewidth=8)
    axes.spines[:].set_visible(False)
    return figure


def joints(comparison: Comparison) -> Figure:
    """Distance of every joint between the two bodies over the reference's time, with each joint's largest."""
    skeleton = comparison.reference.skeleton
    order = sorted(range(len(skeleton.joints)), key=lambda joint: _place(skeleton.joints[joint]))
    apart = comparison.residuals.joints[:, order]
    figure = new_figure(10.0, max(3.0, 1.4 + 0.24 * len(order)))
    axes = figure.subplots()
    start, end = limits(comparison.reference)
    image = axes.imshow(
        np.ma.masked_invalid(_reduced(apart).T),  # type: ignore[no-untyped-call]
        extent=(start, end, len(order) - 0.5, -0.5),
        cmap=_colours("YlOrBr"),
        vmin=0,
        vmax=max(FULL_COLOUR, float(np.nanmax(apart, initial=0.0))),
        aspect="auto",
        interpolation="nearest",
    )
    mark_segments(axes, comparison)
    tidy(axes, x="time in the reference (s)")
    axes.set_yticks(range(len(order)), [drawable(phrases.words(skeleton.joints[joint])) for joint in order])
    for row, track in enumerate(apart.T):
        if np.isfinite(track).any():
            at = int(np.nanargmax(track))
            if track[at] >= APART:
                axes.plot(comparison.reference.times[at], row, "o", ms=4, mfc="white", mec=INK, mew=1)
            axes.text(1.01, row, f"{track[at]:.2f}", transform=axes.get_yaxis_transform(), va="center", fontsize=9)
    axes.text(1.01, 1.01, "largest", transform=axes.transAxes, va="bottom", fontsize=9, color=MUTED)
    figure.colorbar(image, ax=axes, label="apart (torso lengths)", pad=0.07, shrink=0.8)
    return figure


def _place(joint: str) -> tuple[int, str, int, str]:
    """Where a joint stands from head to foot: limb by limb, the left one first."""
    side = next((side for side in ("left", "right") if joint.startswith(f"{side}_")), "")
    part = joint.removeprefix(f"{side}_")
    for region, parts in enumerate(BODY):
        for rank, name in enumerate(parts):
            if part == name or part.startswith(f"{name}_"):
                return region, side, rank, joint
    return len(BODY), side, 0, joint


def _reduced(values: np.ndarray) -> np.ndarray:
    """At most ``RESOLUTION`` rows, each the largest of those that it stands for, so that no peak is lost."""
    step = math.ceil(len(values) / RESOLUTION)
    if step <= 1:
        return values
    padded = np.pad(values, ((0, -len(values) % step), (0, 0)), constant_values=np.nan)
    return np.asarray(np.fmax.reduce(padded.reshape(-1, step, values.shape[1]), axis=1))


def _colours(name: str) -> object:
    import matplotlib

    return matplotlib.colormaps[name].with_extremes(bad=FAINT)


PLOTS = (
    Plot(
        "poses.png",
        "The bodies where they differ most",
        "Reference (blue) and query (orange) at the frames of the most important differences, apart and overlaid; "
        "the limb that differs is drawn thick and its joint ringed.",
        poses,
    ),
    Plot(
        "segments.png",
        "Scores by segment",
        "0 to 100, where 100 is no difference from the reference.",
        segments,
    ),
    Plot(
        "measures.png",
        "The measures that differ, over time",
        "The reference (blue) and the query (orange) at matching moments. Inside the band around the reference, the "
        "noise of the keypoints explains the difference (two standard deviations); the shaded times are the reported "
        "differences.",
        measures,
    ),
    Plot(
        "joints.png",
        "How far apart each joint is",
        "Distance of every joint between the two bodies at matching moments, laid on one another at the pelvis, in "
        "torso lengths; a ring marks where a joint is furthest apart.",
        joints,
    ),
    Plot(
        "alignment.png",
        "Which moments belong together",
        "Each moment of the reference (across) and the moment of the query (up) matched with it. Where the line is "
        "steeper than the dotted one the query is slower than its even tempo, where it is flatter, faster. The darker "
        "the grey, the less alike are the poses.",
        alignment,
    ),
)
