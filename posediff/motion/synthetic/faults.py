"""Planted faults: one joint that bends more or less than it should during one stage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from posediff.errors import BadSetting
from posediff.motion.synthetic.body import SIDES, Pose, turn, turn_about
from posediff.motion.synthetic.movements import Movement, boundaries

#: Rise and fall of a fault take this fraction of its stage, half before the stage's limit and half after it.
RAMP = 0.3


@dataclass(frozen=True)
class Fault:
    """A joint that is turned more than in the pattern of the movement.

    Attributes:
        joint: ``left_knee``, ``right_elbow``, ..., ``trunk_lean``, ``trunk_rotation`` or ``neck``.
        amount: degrees, positive for more flexion (knee, hip, elbow, neck), dorsiflexion (ankle), elevation of the arm
            (shoulder), forward lean, or rotation to the left.
        stage: name of the stage that it fills.
    """

    joint: str
    amount: float
    stage: str

    def __post_init__(self) -> None:
        if self.joint not in JOINTS:
            raise BadSetting(f"no fault can be planted in {self.joint!r}", f"choose from: {', '.join(JOINTS)}")

    @property
    def measure(self) -> str:
        """The angle that shows it, by its name in :data:`posediff.motion.angles.ANGLES`."""
        return self.joint if self.joint.startswith("trunk_") else f"{self.joint}_angle"


@dataclass(frozen=True)
class _Freedom:
    """One degree of freedom: where it is in a pose, how it is read and turned, and its anatomical limits."""

    joint: str
    read: Callable[[np.ndarray], np.ndarray]
    add: Callable[[np.ndarray, np.ndarray], np.ndarray]
    limits: tuple[float, float]


def _angle(sine: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    return np.asarray(np.degrees(np.arctan2(sine, cosine)))


def _raise_arm(shoulder: np.ndarray, amount: np.ndarray) -> np.ndarray:
    """Turn the arm away from the trunk in the plane that it is raised in; forwards where it hangs."""
    along = -shoulder[:, :, 1] + [0.05, 0.0, 0.0]
    axis = np.cross([0.0, -1.0, 0.0], along)
    return np.asarray(turn_about(axis / np.linalg.norm(axis, axis=1, keepdims=True), amount) @ shoulder)


def _freedoms() -> dict[str, _Freedom]:
    freedoms = {}
    for side in SIDES:
        rows = (
            _Freedom("knee", lambda r: _angle(-r[:, 1, 0], r[:, 0, 0]), lambda r, a: r @ turn("z", -a), (0, 150)),
            _Freedom("hip", lambda r: _angle(-r[:, 0, 1], r[:, 1, 1]), lambda r, a: r @ turn("z", a), (-25, 135)),
            _Freedom("ankle", lambda r: _angle(r[:, 1, 0], r[:, 0, 0]), lambda r, a: r @ turn("z", a), (-60, 40)),
            _Freedom("elbow", lambda r: _angle(r[:, 1, 0], r[:, 0, 0]), lambda r, a: r @ turn("z", a), (0, 150)),
            _Freedom("shoulder", lambda r: np.degrees(np.arccos(np.clip(r[:, 1, 1], -1, 1))), _raise_arm, (0, 180)),
        )
        for row in rows:
            freedoms[f"{side}_{row.joint}"] = _Freedom(f"{side}_{row.joint}", row.read, row.add, row.limits)
    lean = (lambda r: _angle(r[:, 0, 1], r[:, 1, 1]), lambda r, a: turn("z", -a) @ r)
    rotation = (lambda r: _angle(-r[:, 2, 0], r[:, 0, 0]), lambda r, a: turn("y", a) @ r)
    return freedoms | {
        "trunk_lean": _Freedom("lumbar", *lean, (-40, 50)),
        "trunk_rotation": _Freedom("lumbar", *rotation, (-50, 50)),
        "neck": _Freedom("neck", *lean, (-60, 60)),
    }


_FREEDOMS = _freedoms()
#: Where a fault can be planted.
JOINTS = tuple(_FREEDOMS)


def window(fault: Fault, movement: Movement, t: np.ndarray) -> np.ndarray:
    """(T,) strength of a fault from 0 to 1; one half at the limits of its stage, with raised-cosine ramps.

    Raises:
        BadSetting: if the movement has no such stage.
    """
    names = [name for name, _ in movement.stages]
    if fault.stage not in names:
        raise BadSetting(f"the movement has no stage {fault.stage!r}", f"its stages are: {', '.join(names)}")
    stage = names.index(fault.stage)
    start, end = boundaries(movement)[stage : stage + 2]
    ramp = RAMP * (end - start)
    rise = np.ones_like(t) if stage == 0 else np.clip((t - start) / ramp + 0.5, 0, 1)
    fall = np.ones_like(t) if stage == len(names) - 1 else np.clip((end - t) / ramp + 0.5, 0, 1)
    return np.asarray((0.5 - 0.5 * np.cos(np.pi * rise)) * (0.5 - 0.5 * np.cos(np.pi * fall)))


def with_faults(pose: Pose, faults: Sequence[Fault], movement: Movement, t: np.ndarray) -> Pose:
    """The pose with every fault added, as far as the joint's anatomical limits allow."""
    for fault in faults:
        freedom = _FREEDOMS[fault.joint]
        rotation = _rotation(pose, freedom.joint, t)
        pose = {**pose, freedom.joint: freedom.add(rotation, _possible(fault, freedom, rotation, movement, t))}
    return pose


def achieved(pose: Pose, faults: Sequence[Fault], movement: Movement, t: np.ndarray) -> np.ndarray:
    """What the anatomical limits leave of every fault, each planted alone.

    Returns:
        (faults, T) degrees.
    """
    turns = []
    for fault in faults:
        freedom = _FREEDOMS[fault.joint]
        turns.append(_possible(fault, freedom, _rotation(pose, freedom.joint, t), movement, t))
    return np.array(turns).reshape(len(faults), len(t))


def _rotation(pose: Pose, joint: str, t: np.ndarray) -> np.ndarray:
    return pose[joint] if joint in pose else np.broadcast_to(np.eye(3), (len(t), 3, 3))


def _possible(fault: Fault, freedom: _Freedom, rotation: np.ndarray, movement: Movement, t: np.ndarray) -> np.ndarray:
    """(T,) degrees of a fault within the limits, which a joint that is already beyond them does not leave further."""
    now = freedom.read(rotation)
    low, high = np.minimum(freedom.limits[0], now), np.maximum(freedom.limits[1], now)
    return np.asarray(np.clip(now + fault.amount * window(fault, movement, t), low, high) - now)
