"""Draw the pictures of docs/alignment.md, from synthetic motion: the same ones every time.

python tools/draw_alignment.py [--out docs/images]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from posediff.alignment import Itakura, SakoeChiba, dtw_path, soft_alignment
from posediff.motion.angles import joint_angles
from posediff.motion.synthetic import Recording, generate
from posediff.report.style import COLOURS, FAINT, INK, MUTED, new_figure, png, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "images"
KNEE = "left_knee_angle"
LARGE = 14  # points: the pictures are often shown at half their width
BLUE, RED = COLOURS["reference"], COLOURS["query"]


def squat(pace: float = 1.0, fps: float = 20.0, seed: int = 1, **tempo: float) -> tuple[np.ndarray, np.ndarray]:
    """The features of a squat, and its left knee."""
    return features("squat", Recording(fps=fps, pace=pace, tempo=tempo, noise=0.004), seed)


def features(movement: str, recording: Recording, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(T, F) joint angles whose squared distance is their mean square in units of 10°, and (T,) the left knee's."""
    names, angles = joint_angles(generate(movement, recording=recording, seed=seed))
    return angles / 10 / np.sqrt(angles.shape[1]), angles[:, names.index(KNEE)]


def costs_of(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(N, M) squared Euclidean distances."""
    return ((x[:, None] - y) ** 2).sum(axis=2)


def path() -> Figure:
    """A cost matrix with both knees at its sides and the best path through it."""
    (x, knee_x), (y, knee_y) = squat(), squat(pace=0.8, seed=2, descent=1.5, bottom=0.5)
    figure = new_figure(6.2, 5.4)
    grid = figure.subplots(2, 2, width_ratios=(1, 4), height_ratios=(1, 4))
    grid[0, 0].set_axis_off()
    axes = grid[1, 1]
    shown = axes.imshow(costs_of(x, y), cmap=shades(), aspect="auto", interpolation="nearest", vmax=10)
    pairs, _ = dtw_path(x, y)
    axes.plot(pairs[:, 1], pairs[:, 0], color=RED, linewidth=3)
    side(axes, y="", x="frame of y")
    axes.tick_params(labelleft=False)
    above, left = grid[0, 1], grid[1, 0]
    above.plot(knee_y, color=RED, linewidth=2.5)
    left.plot(knee_x, np.arange(len(x)), color=BLUE, linewidth=2.5)
    above.set(xlim=axes.get_xlim(), xticks=[], yticks=[90, 180], ylim=(60, 190))
    left.set(ylim=axes.get_ylim(), xticks=[90, 180], xlim=(190, 60))
    side(above, y="knee (°)")
    side(left, x="knee (°)", y="frame of x")
    above.set_xticks([])
    bar = figure.colorbar(shown, ax=axes, pad=0.02, extend="max", ticks=[0, 5, 10])
    bar.set_label("cost of matching", color=MUTED, fontsize=LARGE)
    bar.ax.tick_params(labelsize=LARGE - 2, colors=MUTED, labelcolor=INK)
    bar.outline.set_visible(False)
    return figure


def expected() -> Figure:
    """Expected alignments from nearly hard to soft."""
    (x, _), (y, _) = squat(), squat(pace=0.8, seed=2, descent=1.5, bottom=0.5)
    figure = new_figure(10.0, 3.9)
    for axes, gamma in zip(figure.subplots(1, 3, sharey=True), (0.01, 0.3, 10.0), strict=True):
        made = soft_alignment(x, y, gamma=gamma)
        probability(axes, made.expected)
        axes.set_title(f"γ = {gamma:g}", fontsize=LARGE, color=INK)
        side(axes, x="frame of y", y="frame of x" if gamma == 0.01 else "")
    return figure


def bands() -> Figure:
    """Two bands on unequal lengths, with the best path inside each and the one without a band."""
    (x, _), (y, _) = squat(fps=10), squat(fps=14, pace=0.7, seed=2, descent=0.4, finish=1.3)
    free, _ = dtw_path(x, y)
    figure = new_figure(9.0, 4.6)
    kinds = (("SakoeChiba(6)", SakoeChiba(6)), ("Itakura(2)", Itakura(2)))
    for axes, (name, band) in zip(figure.subplots(1, 2, sharey=True), kinds, strict=True):
        inside = band.window(len(x), len(y)).contains()
        axes.pcolormesh(inside, cmap=shades("white", "#bfdcee"), edgecolor=FAINT, linewidth=0.4)
        within, _ = dtw_path(x, y, band=band)
        corner = {"color": INK, "linewidth": 1.2, "linestyle": (0, (1, 3))}
        axes.plot([0.5, len(y) - 0.5], [0.5, len(x) - 0.5], **corner, label="even tempo")
        without = {"color": MUTED, "linewidth": 2, "linestyle": (0, (3, 1.5))}
        axes.plot(*(free[:, ::-1].T + 0.5), **without, label="path without a band")
        axes.plot(*(within[:, ::-1].T + 0.5), color=RED, linewidth=3, label="path inside the band")
        axes.set_ylim(len(x), 0)
        axes.set_title(name, fontsize=LARGE, color=INK)
        side(axes, x="frame of y", y="frame of x" if axes.get_subplotspec().is_first_col() else "")
    handles = axes.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=3, fontsize=LARGE - 2, frameon=False)
    return figure


def skips() -> Figure:
    """A performance with a swing of the arms in the middle of a squat: aligned without and with skipping."""
    (x, _), (y, knee) = squat(), squat(pace=0.9, seed=2)
    swing, knee_swing = features("swing", Recording(fps=20, noise=0.004), 3)
    at, extra = 24, slice(12, 42)
    y, knee = (np.concatenate([a[:at], b[extra], a[at:]]) for a, b in ((y, swing), (knee, knee_swing)))
    figure = new_figure(9.0, 5.6)
    grid = figure.subplots(2, 2, height_ratios=(1, 3.4), sharex=True, sharey="row")
    for (above, axes), skip, title in zip(grid.T, (None, 2.0), ("every frame matched", "skip=(None, 2)"), strict=True):
        made = soft_alignment(x, y, gamma=0.3, skip=None if skip is None else (None, skip))
        probability(axes, made.expected)
        above.plot(knee, color=RED, linewidth=2.5)
        above.axvspan(at - 0.5, at + extra.stop - extra.start - 0.5, color=FAINT, linewidth=0)
        if made.skipped_y is not None:
            gone = np.where(made.skipped_y > 0.5, 66.0, np.nan)
            above.plot(gone, color=INK, linewidth=6, solid_capstyle="butt")
            middle = at + (extra.stop - extra.start) / 2
            above.text(middle, 76, "skipped", ha="center", va="bottom", fontsize=LARGE - 2, color=INK)
        above.set(ylim=(60, 190), yticks=[90, 180])
        above.set_title(title, fontsize=LARGE, color=INK)
        side(above, y="knee (°)" if skip is None else "")
        side(axes, x="frame of y", y="frame of x" if skip is None else "")
    return figure


PICTURES = {"path": path, "expected": expected, "bands": bands, "skips": skips}


def shades(*colours: str) -> Colormap:
    """From white to dark blue, or through the given colours."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("shades", colours or ("white", BLUE, "#002b45"))


def probability(axes: Axes, expected: Any) -> None:
    """An expected alignment; the square root shows small probabilities, too."""
    axes.imshow(np.sqrt(expected), cmap=shades(), vmin=0, vmax=1, aspect="auto", interpolation="nearest")


def side(axes: Axes, x: str = "", y: str = "") -> None:
    """The house's axes, legible at half width."""
    tidy(axes, x, y)
    axes.xaxis.label.set_fontsize(LARGE)
    axes.yaxis.label.set_fontsize(LARGE)
    axes.tick_params(labelsize=LARGE - 2)


def main() -> int:
    """Draw all pictures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder (default: docs/images)")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        target = folder / f"alignment_{name}.png"
        target.write_bytes(png(draw()))
        print(f"{target}: {target.stat().st_size // 1024} KB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
