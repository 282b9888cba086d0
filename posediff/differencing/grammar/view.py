"""How a picture shows a body: from the side or from the front or back, and which way it faces there.

Lengths are torso lengths, and y points down. Where nothing can be told, the answer is a reason instead of a number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

#: Distance between the shoulders and between the hips of a person, in torso lengths (Winter 2009, fig. 4.1).
WIDTHS = {"shoulder": 0.73, "hip": 0.36}
#: Share of the real width below which a body counts as seen from the side: turned by more than 60 degrees.
SIDE_SHARE = 0.5
#: Least sum of deviations, in torso lengths, that tells which way a body faces: both knees bent by about two degrees.
LEAST_BEND = 0.02
#: Least share of the deviations that is left when those to the left are taken from those to the right.
LEAST_AGREEMENT = 0.25
#: Least share of the real width that tells left from right.
LEAST_ORDER = 0.2

#: Gives the (T, 2) track of a joint, or None where the body has none.
Find = Callable[[str], "np.ndarray | None"]


@dataclass(frozen=True)
class View:
    """What a picture shows.

    Attributes:
        forward: +1 where the body faces to the right of the picture, -1 to the left; a reason where neither is known.
        leftward: +1 where the performer's left is to the right of the picture, as seen from the front; -1 from behind.
    """

    forward: float | str
    leftward: float | str


def view(find: Find) -> View:
    """The view of a body's tracks."""
    across = _across(find)
    if across is None:
        unknown = "neither both shoulders nor both hips are seen, so from where the picture is taken is not known"
        return View(unknown, unknown)
    if np.hypot(*across) < SIDE_SHARE:
        return View(_facing(find), "left and right need 3D or a view from the front or back")
    front = "whether the picture is taken from the front or from the back is not clear"
    clear = abs(across[0]) >= LEAST_ORDER
    return View("forward needs 3D or a view from the side", float(np.sign(across[0])) if clear else front)


def _across(find: Find) -> np.ndarray | None:
    """(2,) usual line from right to left, of shoulders and hips together, as a share of its real length.

    The median of every coordinate: where a trunk turns to the left and to the right, what counts is between.
    """
    lines, real = [], 0.0
    for part, width in WIDTHS.items():
        left, right = find(f"left_{part}"), find(f"right_{part}")
        if left is not None and right is not None:
            lines.append(left - right)
            real += width
    return np.asarray(np.median(np.sum(lines, axis=0), axis=0) / real) if lines else None


def _facing(find: Find) -> float | str:
    """Which way a body faces, from what bends or points forwards only, each by its size, in whatever posture.

    A knee lies before the line from hip to ankle, a hip behind the one from shoulder to knee, toes before the shank,
    and the nose before the ears or neck. Upside down, all of that turns with the body.
    """
    bends = []
    for side in ("left", "right"):
        shoulder, hip, knee, ankle, toes = (
            find(f"{side}_{part}") for part in ("shoulder", "hip", "knee", "ankle", "toes")
        )
        bends += [_before(hip, ankle, knee), _before(knee, shoulder, hip), _before(knee, ankle, toes)]
    low, neck, head, nose = (find(part) for part in ("pelvis", "thorax", "head", "nose"))
    bends.append(_before(neck, low, nose, of=neck if head is None else head))
    known = [bend for bend in bends if bend is not None]
    if not known:
        return "no knee, foot or face is seen, so which way the body faces is not known"
    means = np.array([bend.mean() for bend in known])
    total, size = float(means.sum()), float(np.abs(means).sum())
    if abs(total) < LEAST_BEND or abs(total) < LEAST_AGREEMENT * size:
        return "which way the body faces is not clear"
    return float(np.sign(total))


def _before(
    top: np.ndarray | None, bottom: np.ndarray | None, point: np.ndarray | None, of: np.ndarray | None = None
) -> np.ndarray | None:
    """(T,) how far a point lies to the right of the line from top to bottom, the picture turned until it hangs down."""
    if top is None or bottom is None or point is None:
        return None
    down, aside = bottom - top, point - (top if of is None else of)
    length = np.maximum(np.linalg.norm(down, axis=1), 1e-6)
    return np.asarray((aside[:, 0] * down[:, 1] - aside[:, 1] * down[:, 0]) / length)
