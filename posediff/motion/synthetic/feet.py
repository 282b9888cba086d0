"""Legs whose feet stand, rise onto their toes, leave the floor and land."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from posediff.motion.synthetic.body import SIDES, Body, Performer, turn
from posediff.motion.synthetic.limbs import OUTWARDS, reach
from posediff.motion.synthetic.movements import AVERAGE, LEG, SOLE

_TOES = AVERAGE.offset("left_toes") * [1, 1, 0]


@dataclass(frozen=True)
class Foot:
    """Where a foot of the average body is.

    Attributes:
        ankle: (T, 3) metres, place of the ankle in the room.
        turned: (T, 3, 3) orientation of the foot in the room.
    """

    ankle: np.ndarray
    turned: np.ndarray


def placed(
    side: str, spot: tuple[np.ndarray | float, np.ndarray | float], toe_out: np.ndarray, heel: np.ndarray,
    lift: np.ndarray,
) -> Foot:  # fmt: skip
    """A foot by what it does.

    Args:
        side: ``left`` or ``right``.
        spot: x and z in metres of the ankle of the flat foot, (T,) or constant.
        toe_out: (T,) degrees that the toes point outwards.
        heel: (T,) degrees that the heel is raised about the toes, which stay where they are.
        lift: (T,) metres that the foot is in the air.
    """
    outwards = turn("y", -OUTWARDS[side] * toe_out)
    turned = outwards @ turn("z", -heel)
    flat = np.stack(np.broadcast_arrays(spot[0], SOLE * AVERAGE.height + lift, spot[1]), axis=1)
    return Foot(flat + (outwards - turned) @ _TOES, turned)


def legs_to(feet: Mapping[str, Foot], pelvis: np.ndarray, orientation: np.ndarray) -> dict[str, np.ndarray]:
    """Local rotations of the legs of the average body that reach its feet from its pelvis (T, 3) in the room."""
    pose = {}
    for side, foot in feet.items():
        hip = pelvis + orientation @ AVERAGE.offset(f"{side}_hip")
        level = foot.turned[:, :, 0] * [1, 0, 1]
        thigh, bend = reach(hip, foot.ankle, LEG, level, knee=True)
        shank = thigh @ turn("z", -bend)
        pose[f"{side}_hip"] = orientation.transpose(0, 2, 1) @ thigh
        pose[f"{side}_knee"] = turn("z", -bend)
        pose[f"{side}_ankle"] = shank.transpose(0, 2, 1) @ foot.turned
    return pose


def on_feet(feet: Mapping[str, Foot], body: Body, performer: Performer, sides: Collection[str]) -> np.ndarray:
    """(T, 3) place of the pelvis that puts the ankles of ``sides`` where the feet are, and no ankle below its foot."""
    size = performer.height / AVERAGE.height
    away = {side: size * feet[side].ankle - body[f"{side}_ankle"] for side in SIDES}
    root = np.mean([away[side] for side in sides], axis=0)
    root[:, 1] = np.max([root[:, 1], *(away[side][:, 1] for side in SIDES)], axis=0)
    return np.asarray(root)


def hop(t: np.ndarray, height: float, middle: float, seconds: float) -> np.ndarray:
    """(T,) metres above the floor of feet that leave it smoothly; the highest, ``height``, at ``middle``."""
    phase = np.clip((t - middle) / seconds + 0.5, 0, 1)
    return np.asarray(max(height, 0.0) * np.sin(np.pi * phase) ** 2)
