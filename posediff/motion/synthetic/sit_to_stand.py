"""Standing up from a chair and sitting down again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posediff.motion.synthetic.body import SIDES, Performer, Pose, turn
from posediff.motion.synthetic.feet import on_feet
from posediff.motion.synthetic.limbs import raised_arm
from posediff.motion.synthetic.movements import AVERAGE, LEG, SOLE, BodyAt, boundaries, curve
from posediff.motion.synthetic.posture import flat_feet, hip_height, legs_knees_in, shake, upper_body
from posediff.motion.synthetic.variation import Variation

#: Degrees that the feet point outwards.
_TOE_OUT = 8.0


@dataclass(frozen=True)
class SitToStand:
    """Up from a chair, and down again.

    Attributes:
        seat: height of the hips above the floor when seated, as a fraction of stature.
        feet: forward lean of the shanks when seated, in degrees: how far the feet are drawn back under the seat.
        stance: distance of the ankles from the middle, as a fraction of stature.
        knees_in: degrees that the knees point to the inside of the feet.
        lean_up: forward lean of the trunk as the seat is left, in degrees.
        lean_down: forward lean of the trunk on the way down, in degrees.
        stoop: forward lean of the trunk when standing, in degrees.
        bend: what is left of the bend of the knees when standing, in degrees.
        shift: how far the pelvis is to the left of the feet while off the seat, as a fraction of stature.
        side: lean of the trunk to the left while off the seat, in degrees.
        arms: elevation of the arms, forwards, as the seat is left, in degrees.
        head: how far the head is bent forwards, in degrees.
        pause: seconds of standing.
        tremor: degrees by which the trunk shakes while off the seat.
    """

    seat: float = 0.275
    feet: float = 14.0
    stance: float = 0.075
    knees_in: float = 0.0
    lean_up: float = 42.0
    lean_down: float = 38.0
    stoop: float = 2.0
    bend: float = 24.0
    shift: float = 0.0
    side: float = 0.0
    arms: float = 70.0
    head: float = 5.0
    pause: float = 0.8
    tremor: float = 1.4
    azimuth: ClassVar[float] = 0.0
    view: ClassVar[tuple[float, float, float]] = (-0.05, 0.95, 2.4)

    @classmethod
    def random(cls, rng: np.random.Generator) -> SitToStand:
        return cls(
            seat=rng.uniform(0.26, 0.29),
            feet=rng.uniform(8, 20),
            stance=rng.uniform(0.06, 0.09),
            lean_up=rng.uniform(36, 48),
            lean_down=rng.uniform(32, 44),
            stoop=rng.uniform(0, 4),
            bend=rng.uniform(14, 26),
            arms=rng.uniform(55, 85),
            head=rng.uniform(0, 10),
            tremor=rng.uniform(1.1, 1.7),
        )

    @property
    def stages(self) -> tuple[tuple[str, float], ...]:
        return (
            ("sit", 0.6),
            ("lean", 0.7),
            ("rise", 1.0),
            ("stand", self.pause),
            ("lower", 1.2),
            ("settle", 0.7),
            ("finish", 0.5),
        )

    def pose(self, t: np.ndarray) -> Pose:
        start, sit, off, up, leaving, seat, settled, end = boundaries(self)
        free = self._free(t)
        keys = [start, sit, off, up, leaving, 0.4 * leaving + 0.6 * seat, seat, settled, end]
        lean = curve(t, keys, [2, 2, self.lean_up, self.stoop, self.stoop, self.lean_down, 0.9 * self.lean_down, 2, 2])
        arms = curve(t, keys, [25, 25, self.arms, 10, 10, 0.8 * self.arms, 0.7 * self.arms, 25, 25])
        elbows = curve(t, keys, [30, 30, 25, 15, 15, 25, 25, 30, 30])
        orientation = turn("z", -0.6 * lean)
        forwards, aside = lean + shake(t, self.tremor) * free, -self.side * free + shake(t, self.tremor, 0.3) * free
        trunk = turn("z", -forwards) @ turn("x", aside)
        pose = upper_body(orientation, trunk, turn("z", -self.head - 0.35 * lean))
        feet = flat_feet(t, self.stance, _TOE_OUT)
        pose |= legs_knees_in(feet, self._pelvis(t), orientation, dict.fromkeys(SIDES, self.knees_in))
        for each in SIDES:
            pose[f"{each}_shoulder"] = raised_arm(each, arms, 10.0)
            pose[f"{each}_elbow"] = turn("z", elbows)
        return pose

    def root(self, t: np.ndarray, body_at: BodyAt, performer: Performer, sides: Collection[str]) -> np.ndarray:
        return on_feet(flat_feet(t, self.stance, _TOE_OUT), body_at(t), performer, sides)

    def _free(self, t: np.ndarray) -> np.ndarray:
        """0 on the seat, 1 off it."""
        _, _, off, up, leaving, seat, _, _ = boundaries(self)
        keys = [off, 0.6 * off + 0.4 * up, 0.4 * leaving + 0.6 * seat, seat]
        return curve(t, keys, [0, 1, 1, 0])

    def _pelvis(self, t: np.ndarray) -> np.ndarray:
        """The pelvis goes forward before it goes up, and down before it goes back."""
        _, _, off, up, leaving, seat, _, _ = boundaries(self)
        upper, lower = LEG
        tall, high = AVERAGE.height, hip_height(self.bend, self.stance)
        aside = self.stance * tall - AVERAGE.offset("right_hip")[2]
        above = (self.seat - SOLE) * tall - lower * np.cos(np.radians(self.feet))
        back = lower * np.sin(np.radians(self.feet)) - np.sqrt(upper**2 - above**2 - aside**2)
        keys = [off, 0.55 * off + 0.45 * up, up, leaving, 0.45 * leaving + 0.55 * seat, seat]
        x = curve(t, keys, [back, 0.35 * back, 0, 0, 0.35 * back, back])
        y = self.seat * tall + (high - self.seat * tall) * curve(t, keys, [0, 0.35, 1, 1, 0.35, 0])
        return np.stack([x, y, -self.shift * tall * self._free(t)], axis=1)


#: By the differences of its taxonomy.
SIT_TO_STAND_VARIATIONS: Mapping[str, Variation] = {
    "lean_up": Variation({"lean_up": 8.0}),
    "lean_down": Variation({"lean_down": 8.0}),
    "feet_back": Variation({"feet": 6.0}),
    "feet_apart": Variation({"stance": 0.025}),
    "knees_in": Variation({"knees_in": 6.0}),
    "full_height": Variation({"bend": -8.0}),
    "stoop": Variation({"stoop": 6.0}),
    "shift": Variation({"shift": 0.025}),
    "trunk_side": Variation({"side": 5.0}),
    "arms": Variation({"arms": 14.0}),
    "preparation": Variation(tempo={"lean": 0.3}),
    "rising_time": Variation(tempo={"rise": 0.25}),
    "standing_time": Variation({"pause": 0.3}),
    "lowering_time": Variation(tempo={"lower": 0.25}),
    "steadiness": Variation({"tremor": 0.6}),
}
