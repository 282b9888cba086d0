"""The free throw of basketball."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posediff.motion.synthetic.body import Performer, Pose, turn
from posediff.motion.synthetic.feet import Foot, hop, legs_to, on_feet, placed
from posediff.motion.synthetic.limbs import OUTWARDS, reach
from posediff.motion.synthetic.movements import ARM, AVERAGE, LEG, BodyAt, boundaries, curve
from posediff.motion.synthetic.variation import Variation

#: How far in front of the shoulder the wrist is at the lowest point of the ball and at the set point, in metres.
_LOW, _SET = 0.25, 0.17


@dataclass(frozen=True)
class FreeThrow:
    """A right-handed free throw with a hop; the basket is in front.

    The heights of the wrists are those above the shoulder, in metres on the average body.

    Attributes:
        dip: how far the pelvis sinks before the throw, as a fraction of the legs' length.
        ball_low: height of the shooting wrist at the lowest point of the ball.
        ball_set: height of the shooting wrist at the set point.
        flare: degrees that the shooting elbow points out at the set point.
        steepness: degrees above the horizontal of the shooting arm at the release.
        bend: flexion of the shooting elbow at the release, in degrees.
        guide: height of the other wrist after the release.
        lean_back: degrees that the trunk leans back at the release.
        jump: how far the feet leave the floor, in metres.
        stance: distance of the ankles from the middle, as a fraction of stature.
        stagger: how far the foot of the shooting side is in front of the other one, in metres.
    """

    dip: float = 0.15
    ball_low: float = -0.36
    ball_set: float = 0.27
    flare: float = 12.0
    steepness: float = 59.0
    bend: float = 24.0
    guide: float = 0.14
    lean_back: float = 3.0
    jump: float = 0.08
    stance: float = 0.1
    stagger: float = 0.06
    azimuth: ClassVar[float] = 0.0
    view: ClassVar[tuple[float, float, float]] = (0.15, 1.1, 2.7)

    @classmethod
    def random(cls, rng: np.random.Generator) -> FreeThrow:
        return cls(
            dip=rng.uniform(0.12, 0.18),
            ball_low=rng.uniform(-0.39, -0.33),
            ball_set=rng.uniform(0.24, 0.3),
            flare=rng.uniform(6, 20),
            steepness=rng.uniform(54, 64),
            bend=rng.uniform(17, 30),
            guide=rng.uniform(0.09, 0.18),
            lean_back=rng.uniform(-1, 7),
            jump=rng.uniform(0.05, 0.11),
            stance=rng.uniform(0.08, 0.12),
            stagger=rng.uniform(0.03, 0.1),
        )

    @property
    def stages(self) -> tuple[tuple[str, float], ...]:
        return (("ready", 0.4), ("dip", 0.5), ("rise", 0.42), ("release", 0.26), ("follow-through", 0.5),
                ("recovery", 0.6))  # fmt: skip

    def pose(self, t: np.ndarray) -> Pose:
        keys = boundaries(self).tolist()
        lean = curve(t, keys, [6, 6, 16, 6, -self.lean_back, -self.lean_back, 3])
        half = turn("z", -lean / 2)
        legs = sum(LEG) * curve(t, keys, [0.965, 0.965, 1 - self.dip, 0.94, 0.985, 0.97, 0.965])
        aside = self.stance * AVERAGE.height - AVERAGE.offset("right_hip")[2]
        tall = np.sqrt(legs**2 - aside**2)
        feet = self._feet(t)
        ankles = np.mean([foot.ankle for foot in feet.values()], axis=0)
        over = curve(t, keys, [0.03, 0.03, -0.06, 0.02, 0.05, 0.05, 0.03])
        pelvis = np.stack([over, ankles[:, 1] + tall, 0 * t], axis=1)
        return {
            "pelvis": half,
            "lumbar": half,
            "neck": turn("z", lean + 6),
            **legs_to(feet, pelvis, half),
            **self._arms(t, turn("z", -lean)),
        }

    def root(self, t: np.ndarray, body_at: BodyAt, performer: Performer, sides: Collection[str]) -> np.ndarray:
        return on_feet(self._feet(t), body_at(t), performer, sides)

    def _feet(self, t: np.ndarray) -> dict[str, Foot]:
        keys = boundaries(self).tolist()
        heel = curve(t, keys, [0, 0, 0, 6, 28, 8, 0])
        lift = hop(t, self.jump, keys[4] + 0.04, 0.4)
        front, aside = self.stagger / 2, self.stance * AVERAGE.height
        return {
            side: placed(side, (outwards * front, outwards * aside), 0 * t + 8, heel, lift)
            for side, outwards in OUTWARDS.items()
        }

    def _arms(self, t: np.ndarray, chest: np.ndarray) -> dict[str, np.ndarray]:
        """Local rotations of the arms; the wrists are given from the shoulder to the front, up and outwards."""
        start, ready, low, ball_set, release, hold, end = boundaries(self).tolist()
        keys = [start, ready, low, (low + ball_set) / 2, ball_set - 0.05, ball_set + 0.03, release, hold, end]
        upper, lower = ARM
        straight = np.sqrt(upper**2 + lower**2 + 2 * upper * lower * np.cos(np.radians(self.bend)))
        # in polar coordinates, so that the elbow bends the most at the set point
        lowest, highest = np.arctan2([self.ball_low, self.ball_set], [_LOW, _SET])
        steep = np.radians(self.steepness)
        turned = curve(t, keys, [-0.8, -0.8, lowest, -0.2, highest, highest, steep, steep, -0.6])
        near, far = np.hypot(_SET, self.ball_set), np.hypot(_LOW, self.ball_low)
        away = curve(t, keys, [0.43, 0.43, far, 0.45, near, near, straight, straight, 0.45])
        front, high = away * np.cos(turned), away * np.sin(turned)
        outside = curve(t, keys, [-0.07, -0.07, -0.07, -0.07, -0.05, -0.05, -0.02, -0.02, -0.05])
        holds = curve(t, keys, [1, 1, 1, 1, 1, 1, 0, 0, 0])  # the ball, with the other hand
        free = curve(t, keys, [self.guide] * 8 + [-0.22])
        guide = (
            holds * (front + 0.03) + (1 - holds) * 0.3,
            holds * high + (1 - holds) * free,
            curve(t, keys, [-0.1, -0.1, -0.1, -0.12, -0.18, -0.18, -0.08, -0.06, -0.05]),
        )
        out = curve(t, keys, [20, 20, 20, 16, self.flare, self.flare, self.flare, self.flare, 20])
        return _arm("right", (front, high, outside), out, chest) | _arm("left", guide, 0 * t + 35, chest)


def _arm(
    side: str, wrist: tuple[np.ndarray, np.ndarray, np.ndarray], out: np.ndarray, chest: np.ndarray
) -> dict[str, np.ndarray]:
    """An arm that reaches a place; its elbow hangs below the line to it, turned ``out`` degrees about that line."""
    front, high, outside = wrist
    across = np.array([0.0, 0.0, OUTWARDS[side]])
    target = np.stack([front, high, outside * OUTWARDS[side]], axis=1)
    below = np.stack([high, -front, 0 * high], axis=1) / np.hypot(front, high)[:, None]
    pole = np.cos(np.radians(out))[:, None] * below + np.sin(np.radians(out))[:, None] * across
    shoulder, bend = reach(np.zeros_like(target), target, ARM, pole, knee=False)
    return {f"{side}_shoulder": chest.transpose(0, 2, 1) @ shoulder, f"{side}_elbow": turn("z", bend)}


#: By the differences of its taxonomy.
FREE_THROW_VARIATIONS: Mapping[str, Variation] = {
    "knee_bend": Variation({"dip": 0.035}),
    "ball_dip": Variation({"ball_low": -0.05}),
    "set_point": Variation({"ball_set": 0.05}),
    "elbow_flare": Variation({"flare": 13.0}),
    "arm_steepness": Variation({"steepness": 8.0}),
    "arm_straightness": Variation({"bend": -8.0}),
    "guide_hand": Variation({"guide": 0.05}),
    "trunk_lean": Variation({"lean_back": 6.0}),
    "jump": Variation({"jump": 0.04}),
    "stance_width": Variation({"stance": 0.03}),
    "foot_stagger": Variation({"stagger": 0.05}),
    "quick_shot": Variation(tempo={"rise": -0.22, "release": -0.22}),
    "follow_through": Variation(tempo={"follow-through": 0.3}),
}
