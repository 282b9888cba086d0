"""The look that all pictures share."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from posediff.compare.comparison import Comparison, Segment
from posediff.sequence import PoseSequence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Blue and vermilion of Okabe and Ito's palette, which colour-blind people tell apart.
COLOURS = {"reference": "#0072B2", "query": "#D55E00"}
INK, MUTED, FAINT = "#22272e", "#636c76", "#d8dee4"
#: More segments than this are not marked in a picture over time.
MOST_SEGMENTS = 40
#: How the names of segments start that no file has named; where there is little room, their numbers do.
NUMBERED = "segment "
#: Pixels an inch: a figure 10 inches wide is 1600 pixels wide.
DPI = 160


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches, that no global state of matplotlib knows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def png(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a name in another script
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    return buffer.getvalue()


def drawable(text: str, most: int = 28) -> str:
    """Text from a file as matplotlib may draw it: on one line, not too long, and a ``$`` starts no formula."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return (line if len(line) <= most else line[: most - 1] + "…").replace("$", r"\$")


def tidy(axes: Axes, x: str = "", y: str = "") -> None:
    """Plain labels, and no more lines than needed."""
    axes.set_xlabel(x, color=MUTED)
    axes.set_ylabel(y, color=MUTED)
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=9)
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(FAINT)


def limits(sequence: PoseSequence) -> tuple[float, float]:
    """Start and end of a performance in seconds, half a frame around its frames."""
    half = 0.5 / sequence.fps
    return float(sequence.times[0]) - half, float(sequence.times[-1]) + half


def mark_segments(axes: Axes, comparison: Comparison, *, names: bool = True) -> None:
    """Draw the segments' boundaries along the reference's time, and above them their names as far as there is room.

    Nothing is drawn where there are so many that they would hide the picture.
    """
    fps = comparison.reference.fps
    if len(comparison.segments) > MOST_SEGMENTS:
        return
    for segment in comparison.segments[1:]:
        axes.axvline((segment.reference[0] - 0.5) / fps, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    if not names:
        return
    rooms = [_room(segment, comparison.reference) for segment in comparison.segments]
    tight = any(len(segment.name) > room for segment, room in zip(comparison.segments, rooms, strict=True))
    for segment, room in zip(comparison.segments, rooms, strict=True):
        first, end = segment.reference
        name = segment.name.removeprefix(NUMBERED) if tight else segment.name
        where = {"transform": axes.get_xaxis_transform(), "ha": "center", "va": "bottom"}
        axes.text((first + end - 1) / 2 / fps, 1.01, drawable(name, room), fontsize=9, color=INK, **where)
    if tight and comparison.segments[0].name.startswith(NUMBERED):
        where = {"transform": axes.transAxes, "ha": "right", "va": "bottom"}
        axes.text(-0.008, 1.01, NUMBERED.strip(), fontsize=9, color=MUTED, **where)


def _room(segment: Segment, sequence: PoseSequence) -> int:
    """How many characters fit between the boundaries of a segment, in a plot of the full width."""
    start, end = limits(sequence)
    first, last = segment.reference
    return max(int(66 * (last - first) / sequence.fps / (end - start)), 2)
