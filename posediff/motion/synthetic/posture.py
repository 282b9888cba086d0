"""Postures by where the parts of the body point in the room, and what does not keep still in them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from posediff.motion.synthetic.body import turn
from posediff.motion.synthetic.feet import Foot, legs_to, placed
from posediff.motion.synthetic.limbs import OUTWARDS
from posediff.motion.synthetic.movements import AVERAGE, LEG, SOLE

#: How often an unsteady joint shakes in a second.
SHAKES = 3.5


def upper_body(pelvis: np.ndarray, trunk: np.ndarray, head: np.ndarray) -> dict[str, np.ndarray]:
    """Local rotations of pelvis, back and neck from their orientations in the room, (T, 3, 3) each."""
    return {
        "pelvis": pelvis,
        "lumbar": pelvis.transpose(0, 2, 1) @ trunk,
        "neck": trunk.transpose(0, 2, 1) @ head,
    }


def legs_knees_in(
    feet: Mapping[str, Foot], pelvis: np.ndarray, orientation: np.ndarray, knees_in: Mapping[str, float]
) -> dict[str, np.ndarray]:
    """Local rotations of the legs as of :func:`legs_to`, the knees pointing to the inside of the feet.

    Args:
        feet, pelvis, orientation: as for :func:`legs_to`.
        knees_in: degrees, by side.
    """
    aimed = {
        side: Foot(foot.ankle, turn("y", OUTWARDS[side] * knees_in.get(side, 0.0)) @ foot.turned)
        for side, foot in feet.items()
    }
    pose = legs_to(aimed, pelvis, orientation)
    for side, foot in feet.items():
        pose[f"{side}_ankle"] = pose[f"{side}_ankle"] @ aimed[side].turned.transpose(0, 2, 1) @ foot.turned
    return pose


def flat_feet(t: np.ndarray, stance: float, toe_out: float) -> dict[str, Foot]:
    """Feet that stand still, ``stance`` (a fraction of stature) from the middle, toes ``toe_out`` degrees outwards."""
    aside, still = stance * AVERAGE.height, np.zeros_like(t)
    return {side: placed(side, (0.0, out * aside), still + toe_out, still, still) for side, out in OUTWARDS.items()}


def hip_height(bend: float, stance: float) -> float:
    """Height in metres of the hips of the average body above its feet, the knees bent by some degrees."""
    upper, lower = LEG
    reached = upper**2 + lower**2 + 2 * upper * lower * np.cos(np.radians(bend))
    aside = stance * AVERAGE.height - AVERAGE.offset("right_hip")[2]
    return float(np.sqrt(reached - aside**2)) + SOLE * AVERAGE.height


def shake(t: np.ndarray, degrees: float, phase: float = 0.0) -> np.ndarray:
    """(T,) degrees of an unsteady joint; ``phase`` in turns keeps joints from shaking as one."""
    return np.asarray(degrees * np.sin(2 * np.pi * (SHAKES * t + phase)))
