"""What a movement is, and what movements on two feet share.

A movement is a pattern of angles over time, the same for every performer; arms and legs that have to reach a place
(the floor, the grip of the club) are solved once, on the average body. Times are in seconds at pace 1.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import ClassVar, Protocol

import numpy as np

from posediff.motion.synthetic.body import SIDES, Body, Performer, Pose, turn
from posediff.motion.synthetic.limbs import OUTWARDS, reach

#: The body at given times (T,), about its pelvis.
BodyAt = Callable[[np.ndarray], Body]
AVERAGE = Performer()
LEG = (float(-AVERAGE.offset("left_knee")[1]), float(-AVERAGE.offset("left_ankle")[1]))
ARM = (float(-AVERAGE.offset("left_elbow")[1]), float(-AVERAGE.offset("left_wrist")[1]))
#: Height of the ankle above the floor, as a fraction of stature.
SOLE = 0.039


class Movement(Protocol):
    """A pattern of movement.

    Attributes:
        stages: names and durations in seconds, in order.
        azimuth: where a camera usually stands: 0 to the right of the performer, 90 in front.
        view: (x, y) in metres of the middle of what the camera sees, and the height in metres that it sees.
    """

    azimuth: ClassVar[float]
    view: ClassVar[tuple[float, float, float]]

    @property
    def stages(self) -> tuple[tuple[str, float], ...]: ...

    def pose(self, t: np.ndarray) -> Pose:
        """Rotations of the joints at the times ``t`` (T,)."""

    @classmethod
    def random(cls, rng: np.random.Generator) -> Movement:
        """The pattern of another performer: its parameters vary as they do between people."""

    def root(self, t: np.ndarray, body_at: BodyAt, performer: Performer, sides: Collection[str]) -> np.ndarray:
        """(T, 3) place of the pelvis of a body that is given about its pelvis and stands on the feet of ``sides``."""


def curve(t: np.ndarray, times: list[float], values: list[float]) -> np.ndarray:
    """A smooth course through key values that never overshoots them (Fritsch & Carlson 1980)."""
    from scipy.interpolate import PchipInterpolator

    return np.asarray(PchipInterpolator(times, values)(np.clip(t, times[0], times[-1])))


def boundaries(movement: Movement) -> np.ndarray:
    """(S + 1,) seconds at which the stages begin, and the end of the last."""
    return np.cumsum([0.0, *(seconds for _, seconds in movement.stages)])


def standing_legs(
    pelvis: np.ndarray,
    orientation: np.ndarray,
    stance: float,
    toe_out: float,
    knees_in: np.ndarray | float = 0.0,
) -> dict[str, np.ndarray]:
    """Local rotations of the legs of the average body whose feet stay flat.

    Args:
        pelvis: (T, 3) place above the middle of the ankles.
        orientation: (T, 3, 3) of the pelvis.
        stance: distance of the ankles from the middle, as a fraction of stature.
        toe_out: degrees that the feet point outwards.
        knees_in: degrees, (T,) or one, that the knees point further inwards than the feet.
    """
    pose = {}
    for side, outwards in OUTWARDS.items():
        hip = pelvis + orientation @ AVERAGE.offset(f"{side}_hip")
        ankle = np.broadcast_to([0.0, 0.0, outwards * stance * AVERAGE.height], hip.shape)
        foot = turn("y", -outwards * toe_out)
        knees = turn("y", -outwards * (toe_out - np.asarray(knees_in)))
        thigh, bend = reach(hip, ankle, LEG, np.broadcast_to(knees[:, :, 0], hip.shape), knee=True)
        shank = thigh @ turn("z", -bend)
        pose[f"{side}_hip"] = orientation.transpose(0, 2, 1) @ thigh
        pose[f"{side}_knee"] = turn("z", -bend)
        pose[f"{side}_ankle"] = shank.transpose(0, 2, 1) @ foot
    return pose


def on_ankles(body: Body, tall: float, stance: float, sides: Collection[str]) -> np.ndarray:
    """Place of the pelvis that keeps the ankles of ``sides`` on their spots, and no ankle below the floor."""
    spots = [np.array([0.0, SOLE * tall, OUTWARDS[side] * stance * tall]) for side in sides]
    root = np.mean([spot - body[f"{side}_ankle"] for side, spot in zip(sides, spots, strict=True)], axis=0)
    lowest = np.min([body[f"{side}_ankle"][:, 1] for side in SIDES], axis=0) + root[:, 1]
    root[:, 1] += np.maximum(0, SOLE * tall - lowest)
    return np.asarray(root)
