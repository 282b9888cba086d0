"""What a movement is, and the movements on two feet: a squat and a golf-like swing.

A movement is a pattern of angles over time, the same for every performer; arms and legs that have to reach a place
(the floor, the grip of the club) are solved once, on the average body. Times are in seconds at pace 1.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from posediff.motion.synthetic.body import SIDES, Body, Performer, Pose, turn
from posediff.motion.synthetic.limbs import OUTWARDS, raised_arm, reach

#: The body at given times (T,), about its pelvis.
BodyAt = Callable[[np.ndarray], Body]
AVERAGE = Performer()
_LEG = (float(-AVERAGE.offset("left_knee")[1]), float(-AVERAGE.offset("left_ankle")[1]))
_ARM = (float(-AVERAGE.offset("left_elbow")[1]), float(-AVERAGE.offset("left_wrist")[1]))
_SOLE = 0.039  # height of the ankle above the floor, as a fraction of stature


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


@dataclass(frozen=True)
class Squat:
    """A squat with the arms forward.

    Attributes:
        depth: how far the pelvis sinks, as a fraction of the legs' length.
        lean: forward lean of the trunk at the bottom, in degrees.
        stance: distance of the ankles from the middle, as a fraction of stature.
    """

    depth: float = 0.38
    lean: float = 38.0
    stance: float = 0.085
    azimuth: ClassVar[float] = 0.0
    view: ClassVar[tuple[float, float, float]] = (0.1, 0.95, 2.4)

    @classmethod
    def random(cls, rng: np.random.Generator) -> Squat:
        return cls(rng.uniform(0.3, 0.44), rng.uniform(30, 45), rng.uniform(0.075, 0.1))

    @property
    def stages(self) -> tuple[tuple[str, float], ...]:
        return ("stand", 0.6), ("descent", 1.1), ("bottom", 0.6), ("ascent", 1.0), ("finish", 0.6)

    def pose(self, t: np.ndarray) -> Pose:
        start, stand, bottom, rise, finish, end = boundaries(self)
        middle = (bottom + rise) / 2
        down = curve(t, [start, stand, bottom, middle, rise, finish, end], [0, 0, 0.95, 1, 0.95, 0, 0])
        arms = curve(t, [start, stand, bottom, rise, finish, end], [0, 0, 1, 1, 0, 0])
        legs = sum(_LEG)
        pelvis = np.stack([-0.2 * down * legs, (0.985 - self.depth * down) * legs, 0 * t], axis=1)
        orientation = turn("z", -0.8 * self.lean * down)
        back = turn("z", -0.1 * self.lean * down)
        pose = {
            "pelvis": orientation,
            "lumbar": back,
            "spine": back,
            "neck": turn("z", 0.5 * self.lean * down),
            **_standing_legs(pelvis, orientation, self.stance, toe_out=12.0),
        }
        for side in SIDES:
            pose[f"{side}_shoulder"] = raised_arm(side, 8 + (78 + 0.9 * self.lean) * arms, 12.0)
            pose[f"{side}_elbow"] = turn("z", 12.0 + 4 * arms)
        return pose

    def root(self, t: np.ndarray, body_at: BodyAt, performer: Performer, sides: Collection[str]) -> np.ndarray:
        return _on_ankles(body_at(t), performer.height, self.stance, sides)


@dataclass(frozen=True)
class Swing:
    """A right-handed swing as of a golf club; the target is to the performer's left.

    Attributes:
        coil: how far the chest turns away from the target at the top, in degrees.
        lean: forward lean of the trunk at address, in degrees.
        stance: distance of the ankles from the middle, as a fraction of stature.
    """

    coil: float = 88.0
    lean: float = 36.0
    stance: float = 0.125
    azimuth: ClassVar[float] = 90.0
    view: ClassVar[tuple[float, float, float]] = (0.0, 0.95, 2.4)

    @classmethod
    def random(cls, rng: np.random.Generator) -> Swing:
        return cls(rng.uniform(80, 95), rng.uniform(30, 42), rng.uniform(0.11, 0.14))

    @property
    def stages(self) -> tuple[tuple[str, float], ...]:
        return ("address", 0.6), ("backswing", 0.9), ("downswing", 0.4), ("follow-through", 0.5), ("finish", 0.6)

    def pose(self, t: np.ndarray) -> Pose:
        keys = [0.0, 0.5, 1.05, 1.5, 1.7, 1.9, 2.1, 2.4, 2.7, 3.0]  # top at 1.5 s, impact at 1.9 s
        chest = curve(t, keys, [0, 0, -0.62 * self.coil, -self.coil, -0.55 * self.coil, 18, 55, 90, 100, 100])
        hips = curve(t, keys, [0, 0, -24, -38, -10, 28, 48, 62, 66, 66])
        sway = curve(t, keys, [0, 0, 0.02, 0.03, -0.02, -0.05, -0.07, -0.08, -0.08, -0.08])
        bow = curve(t, keys, [1, 1, 1, 1, 1, 0.95, 0.8, 0.45, 0.3, 0.3])
        knees = curve(t, keys, [0.95, 0.95, 0.945, 0.94, 0.94, 0.945, 0.94, 0.93, 0.93, 0.93])
        pelvis = np.stack([-0.11 * bow, knees * sum(_LEG), sway], axis=1)
        orientation = turn("z", -self.lean * bow) @ turn("y", hips)  # the body turns about its leaning axis
        half = turn("y", (chest - hips) / 2)
        pose = {
            "pelvis": orientation,
            "lumbar": half,
            "spine": half,
            "neck": turn("y", -0.75 * np.clip(chest, -100, 60)),
            **_standing_legs(pelvis, orientation, self.stance, toe_out=15.0),
        }
        # the grip about the middle of the shoulders, in the frame of the chest: to the right, up, distance
        aside = np.radians(curve(t, keys, [0, 0, 22, 42, 30, -4, -18, -38, -44, -44]))
        up = np.radians(curve(t, keys, [-58, -58, -30, 8, -22, -54, -38, 2, 22, 22]))
        far = curve(t, keys, [0.93, 0.93, 0.88, 0.76, 0.81, 0.94, 0.9, 0.77, 0.6, 0.6]) * sum(_ARM)
        grip = np.stack([np.cos(up) * np.cos(aside), np.sin(up), np.cos(up) * np.sin(aside)], axis=1) * far[:, None]
        return pose | _gripping_arms(grip)

    def root(self, t: np.ndarray, body_at: BodyAt, performer: Performer, sides: Collection[str]) -> np.ndarray:
        return _on_ankles(body_at(t), performer.height, self.stance, sides)


def _standing_legs(pelvis: np.ndarray, orientation: np.ndarray, stance: float, toe_out: float) -> dict[str, np.ndarray]:
    """Local rotations of the legs of the average body whose feet stay flat; ``pelvis`` (T, 3) above the ankles."""
    pose = {}
    for side, outwards in OUTWARDS.items():
        hip = pelvis + orientation @ AVERAGE.offset(f"{side}_hip")
        ankle = np.broadcast_to([0.0, 0.0, outwards * stance * AVERAGE.height], hip.shape)
        foot = turn("y", -outwards * toe_out)
        forwards = np.broadcast_to(foot[:, :, 0], hip.shape)
        thigh, bend = reach(hip, ankle, _LEG, forwards, knee=True)
        shank = thigh @ turn("z", -bend)
        pose[f"{side}_hip"] = orientation.transpose(0, 2, 1) @ thigh
        pose[f"{side}_knee"] = turn("z", -bend)
        pose[f"{side}_ankle"] = shank.transpose(0, 2, 1) @ foot
    return pose


def _gripping_arms(grip: np.ndarray) -> dict[str, np.ndarray]:
    """Local rotations of both arms of the average body that hold a grip (T, 3) given from the thorax."""
    pose = {}
    for side, outwards in OUTWARDS.items():
        shoulder = np.broadcast_to(AVERAGE.offset(f"{side}_shoulder"), grip.shape)
        elbow_out = np.broadcast_to([-0.15, -1.0, 0.45 * outwards], grip.shape)
        pose[f"{side}_shoulder"], bend = reach(shoulder, grip, _ARM, elbow_out, knee=False)
        pose[f"{side}_elbow"] = turn("z", bend)
    return pose


def _on_ankles(body: Body, tall: float, stance: float, sides: Collection[str]) -> np.ndarray:
    """Place of the pelvis that keeps the ankles of ``sides`` on their spots, and no ankle below the floor."""
    spots = [np.array([0.0, _SOLE * tall, OUTWARDS[side] * stance * tall]) for side in sides]
    root = np.mean([spot - body[f"{side}_ankle"] for side, spot in zip(sides, spots, strict=True)], axis=0)
    lowest = np.min([body[f"{side}_ankle"][:, 1] for side in SIDES], axis=0) + root[:, 1]
    root[:, 1] += np.maximum(0, _SOLE * tall - lowest)
    return np.asarray(root)
