"""Pictures of both bodies at the same moment of the movement, the joints that differ marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from posediff.compare.comparison import Comparison, Side
from posediff.language import phrases
from posediff.language.pairs import Told, grouped
from posediff.report.style import COLOURS, FAINT, INK, drawable, new_figure
from posediff.sequence import PoseSequence
from posediff.skeletons import Skeleton

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.patches import Circle

#: How many differences are drawn.
MOST = 4
#: Radius of a head that is known by its ears only, in torso lengths.
HEAD = 0.18
FACE = ("left_ear", "right_ear", "nose")


@dataclass(frozen=True)
class Moment:
    """A pair of frames to draw, as indices into the two sequences.

    Attributes:
        reference, query: indices of the frames.
        marks: names of the joints to mark, limb by limb, the moving joint first.
        caption: what is seen.
    """

    reference: int
    query: int
    marks: tuple[tuple[str, ...], ...]
    caption: str


@dataclass(frozen=True)
class View:
    """A flat view of the body: ``points @ axes.T`` gives right and up.

    Attributes:
        name: where it is seen from.
        axes: (2, D).
    """

    name: str
    axes: np.ndarray


def poses(comparison: Comparison) -> Figure:
    """Both bodies at the frames of the most important differences, one row each: apart and overlaid."""
    shown = moments(comparison)
    figure = new_figure(8.0, 3.2 * len(shown))
    figure.get_layout_engine().set(h_pad=0.1)
    rows = figure.subfigures(len(shown), 1, squeeze=False)[:, 0]
    for row, moment in zip(rows, shown, strict=True):
        row.suptitle(drawable(moment.caption, 110), x=0.012, ha="left", fontsize=11, fontweight="bold", color=INK)
        draw_pair(row, comparison, moment)
    return figure


def pose_pair(comparison: Comparison, told: Told) -> Figure:
    """Both bodies at the peak of one difference: apart and overlaid."""
    figure = new_figure(4.5, 1.78)
    draw_pair(figure, comparison, _moment(told, comparison))
    return figure


def moments(comparison: Comparison) -> list[Moment]:
    """The moments of the most important differences; without any, the one where the bodies are least alike."""
    if comparison.differences:
        return [_moment(told, comparison) for told in grouped(comparison.differences)[:MOST]]
    apart = comparison.residuals.joints
    total = np.where(np.isfinite(apart), apart, 0.0).sum(axis=1) if apart.size else np.zeros(1)
    at = int(np.argmax(total))
    matched = comparison.alignment.correspondence[at : at + 1]
    query = round(float(matched[0])) if matched.size and np.isfinite(matched[0]) else 0
    caption = f"{phrases.NO_DIFFERENCE}; here the bodies are least alike"
    return [Moment(at, min(max(query, 0), len(comparison.query) - 1), (), caption)]


def draw_pair(figure: Figure | SubFigure, comparison: Comparison, moment: Moment) -> None:
    """Draw the reference, the query and both overlaid, side by side and to one scale."""
    sides: tuple[tuple[Side, PoseSequence, int], ...] = (
        ("reference", comparison.reference, moment.reference),
        ("query", comparison.query, moment.query),
    )
    seen = best_view(comparison, moment)
    bodies = {role: sequence.keypoints[index] @ seen.axes.T for role, sequence, index in sides}
    panels = figure.subplots(1, 3)
    for panel, (role, sequence, index) in zip(panels, sides, strict=False):
        draw_body(panel, bodies[role], sequence, role, moment.marks)
        frame, time = sequence.frames[index], sequence.times[index]
        panel.set_title(f"{role}\nframe {frame}, {time:.2f} s", color=COLOURS[role], fontsize=9)
    for role, sequence, _ in sides:
        draw_body(panels[2], bodies[role], sequence, role, moment.marks)
    panels[2].set_title(f"overlaid\n{seen.name}", color=INK, fontsize=9)
    skeleton = comparison.reference.skeleton
    _frame_alike(panels, np.concatenate([*bodies.values(), *(_head_box(skeleton, body) for body in bodies.values())]))


def draw_body(
    axes: Axes, points: np.ndarray, sequence: PoseSequence, role: Side, marks: Sequence[Sequence[str]]
) -> None:
    """Draw one body; the bones that connect the marked joints stand out, and missing joints are left out.

    Args:
        axes: where to draw.
        points: (J, 2), right and up.
        sequence: whose skeleton it is.
        role: whose body it is, for its colour.
        marks: names of the joints that differ, limb by limb, the moving one first.
    """
    skeleton, colour = sequence.skeleton, COLOURS[role]
    strong = {bone for limb in marks for bone in marked_bones(skeleton, limb)}
    for bone in skeleton.bones:
        x, y = points[[skeleton.index(joint) for joint in bone]].T
        width, alpha = (4.0, 1.0) if bone in strong else (2.0, 0.5)
        axes.plot(x, y, color=colour, linewidth=width, alpha=alpha, solid_capstyle="round", label=" ".join(bone))
    axes.scatter(*points.T, s=9, color=colour, alpha=0.6, linewidths=0, zorder=2)
    for limb in filter(None, marks):
        parts = [skeleton.index(part) for part in skeleton.parts(limb[0])]
        ring = points[parts].mean(axis=0, keepdims=True) if parts else np.empty((0, 2))
        axes.scatter(*ring.T, s=80, facecolors="white", edgecolors=colour, linewidths=2.2, zorder=4)
    center, radius = head(skeleton, points)
    if np.isfinite(center).all():
        axes.add_patch(_disc(center, radius, colour))


def head(skeleton: Skeleton, points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre and radius of a disc for the head, which tells where a figure looks; NaN where the head is unknown.

    It reaches from the top of the head down, or lies around the ears and the nose, as far as they are seen.

    Args:
        skeleton: names the joints.
        points: (J, 2).
    """
    at = {joint: points[index] for index, joint in enumerate(skeleton.joints)}
    top, bottom = at.get("head_top"), next((at[joint] for joint in ("head", "upper_neck", "neck") if joint in at), None)
    if top is not None and bottom is not None:
        return top + 0.5 * (bottom - top), 0.5 * float(np.linalg.norm(bottom - top))
    face = [at[joint] for joint in FACE if joint in at and np.isfinite(at[joint]).all()]
    return (np.mean(face, axis=0) if face else np.full(2, np.nan)), HEAD


def _disc(center: np.ndarray, radius: float, colour: str) -> Circle:
    from matplotlib.patches import Circle

    return Circle((float(center[0]), float(center[1])), radius, fc=colour, ec="none", alpha=0.22)


def _head_box(skeleton: Skeleton, points: np.ndarray) -> np.ndarray:
    """(2, 2) opposite corners around the head, which the picture has to show as well."""
    center, radius = head(skeleton, points)
    return np.stack([center - radius, center + radius])


def marked_bones(skeleton: Skeleton, marked: Sequence[str]) -> set[tuple[str, str]]:
    """The bones on the shortest ways between marked joints; for a single joint, those that end in it.

    Args:
        skeleton: any; a marked joint that it lacks counts as its parts.
        marked: names of joints.
    """
    ends = [part for joint in marked for part in dict.fromkeys(skeleton.parts(joint))]
    if len(ends) == 1:
        return {bone for bone in skeleton.bones if ends[0] in bone}
    return {
        bone for at, start in enumerate(ends) for end in ends[at + 1 :] for bone in _way(skeleton.bones, start, end)
    }


def _way(bones: Sequence[tuple[str, str]], start: str, end: str) -> list[tuple[str, str]]:
    """The shortest way along bones between two joints, found breadth first; empty where there is none."""
    ways: dict[str, list[tuple[str, str]]] = {start: []}
    waiting = [start]
    for joint in waiting:
        if joint == end:
            return ways[joint]
        for bone in bones:
            if joint in bone:
                other = bone[1] if bone[0] == joint else bone[0]
                if other not in ways:
                    ways[other] = [*ways[joint], bone]
                    waiting.append(other)
    return []


def best_view(comparison: Comparison, moment: Moment) -> View:
    """The view that shows the most of a difference; in 3D from the front, a side or between, with y up.

    A view is better where each marked limb is seen at its length, and where it differs: in shape, or for a single joint
    in place.
    """
    if comparison.reference.dimensions == 2:
        return View("as filmed", np.array([[1.0, 0.0], [0.0, -1.0]]))
    bodies = comparison.reference.keypoints[moment.reference], comparison.query.keypoints[moment.query]
    skeleton = comparison.reference.skeleton
    limbs = [[skeleton.index(part) for joint in limb for part in skeleton.parts(joint)] for limb in moment.marks]
    shown = []
    for limb in filter(None, limbs or [list(range(len(skeleton.joints)))]):
        shapes = [body[limb] - _center(body[limb]) for body in bodies]
        apart = shapes[1] - shapes[0] if len(limb) > 1 and limbs else bodies[1][limb] - bodies[0][limb]
        shown += [*shapes, 4.0 * apart]
    points = np.nan_to_num(np.concatenate(shown)) if shown else np.zeros((1, 3))
    views = _views(_left(comparison.reference, moment.reference))
    return max(views, key=lambda view: round(float(((points @ view.axes[0]) ** 2).sum()), 6))


def _views(left: np.ndarray) -> list[View]:
    """Candidate views of a body whose left is ``left`` (3,), horizontal: the plainest first, as ``max`` keeps it."""
    up = np.array([0.0, 1.0, 0.0])
    forward = np.cross(left, up)
    directions = {
        "from the side": forward,
        "from the front": left,
        "from the front left": (left - forward) / np.sqrt(2),
        "from the front right": (left + forward) / np.sqrt(2),
    }
    return [View(name, np.stack([right, up])) for name, right in directions.items()]


def _left(sequence: PoseSequence, index: int) -> np.ndarray:
    """Unit vector (3,) to the body's left in the horizontal plane; x where hips and shoulders are unknown."""
    names = sequence.skeleton.joints
    for joint in ("hip", "shoulder"):
        if f"left_{joint}" in names and f"right_{joint}" in names:
            across = sequence.joint(f"left_{joint}")[index] - sequence.joint(f"right_{joint}")[index]
            flat = across * [1.0, 0.0, 1.0]
            length = float(np.linalg.norm(flat))
            if np.isfinite(length) and length > 1e-6:
                return np.asarray(flat / length)
    return np.array([1.0, 0.0, 0.0])


def _center(points: np.ndarray) -> np.ndarray:
    known = points[np.isfinite(points).all(axis=1)]
    return known.mean(axis=0) if len(known) else np.zeros(points.shape[1])


def _moment(told: Told, comparison: Comparison) -> Moment:
    caption = phrases.statement(told.whole, comparison)
    reference, query = (
        _index(sequence, frame)
        for sequence, frame in zip((comparison.reference, comparison.query), told.whole.peak, strict=True)
    )
    return Moment(reference, query, tuple(side.joints for side in told.sides), caption)


def _index(sequence: PoseSequence, frame: int) -> int:
    """Index of the frame with this number, or of the next one."""
    return min(int(np.searchsorted(sequence.frames, frame)), len(sequence) - 1)


def _frame_alike(panels: Sequence[Axes], points: np.ndarray) -> None:
    """Give all panels the same square limits, one scale for both axes, and no ticks."""
    known = points[np.isfinite(points).all(axis=1)]
    low, high = (known.min(axis=0), known.max(axis=0)) if len(known) else (np.full(2, -1.0), np.full(2, 1.0))
    middle, half = (low + high) / 2, 0.56 * max(float((high - low).max()), 0.1)
    for panel in panels:
        panel.set_xlim(middle[0] - half, middle[0] + half)
        panel.set_ylim(middle[1] - half, middle[1] + half)
        panel.set_aspect("equal")
        panel.set_xticks([])
        panel.set_yticks([])
        for spine in panel.spines.values():
            spine.set_color(FAINT)
