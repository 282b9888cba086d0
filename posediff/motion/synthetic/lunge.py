"""The forward lunge."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posediff.errors import BadSetting
from posediff.motion.synthetic.body import SIDES, Performer, Pose, turn
from posediff.motion.synthetic.feet import Foot, on_feet, placed
from posediff.motion.synthetic.limbs import OUTWARDS, raised_arm
from posediff.motion.synthetic.movements import AVERAGE, LEG, SOLE, BodyAt, boundaries, curve
from posediff.motion.synthetic.posture import legs_knees_in, shake, upper_body
from posediff.motion.synthetic.variation import Variation

#: Degrees that the feet point outwards.
_TOE_OUT = 5.0
#: Degrees that the heel of the back foot is lifted by at the bottom.
_HEEL = 50.0
#: Metres that the front foot of the average body is lifted by in a step.
_LIFT = 0.09


@dataclass(frozen=True)
class Lunge:
    """A step forward, down until the back knee nearly touches the floor, and back.

    Attributes:
        front: the leg that steps, ``left`` or ``right``.
        depth: how far the pelvis sinks, as a fraction of the legs' length.
        step: how far the front foot steps, as a fraction of stature.
        stance: distance of the ankles from the middle, as a fraction of stature.
        shin: forward lean of the front shank at the bottom, in degrees.
        knee_in: degrees that the front knee points to the inside of its foot.
        lean: forward lean of the trunk at the bottom, in degrees.
        side: lean of the trunk towards the side of the front leg, in degrees.
        twist: turn of the trunk towards the side of the front leg, in degrees.
        drop: how far the pelvis drops on the side of the back leg, in degrees.
        hold: seconds at the bottom.
        tremor: degrees by which the trunk shakes.

    Raises:
        BadSetting: for a leg that there is not.
    """

    front: str = "right"
    depth: float = 0.44
    step: float = 0.53
    stance: float = 0.06
    shin: float = 6.0
    knee_in: float = 0.0
    lean: float = 8.0
    side: float = 0.0
    twist: float = 0.0
    drop: float = 0.0
    hold: float = 0.5
    tremor: float = 1.4
    azimuth: ClassVar[float] = 0.0
    view: ClassVar[tuple[float, float, float]] = (0.45, 0.95, 2.4)

    def __post_init__(self) -> None:
        if self.front not in SIDES:
            raise BadSetting(f"no leg is called {self.front!r}", "choose left or right")

    @classmethod
    def random(cls, rng: np.random.Generator) -> Lunge:
        return cls(
            depth=rng.uniform(0.38, 0.46),
            step=rng.uniform(0.49, 0.57),
            stance=rng.uniform(0.045, 0.075),
            shin=rng.uniform(0, 12),
            lean=rng.uniform(3, 14),
            tremor=rng.uniform(1.1, 1.7),
        )

    @property
    def stages(self) -> tuple[tuple[str, float], ...]:
        return (
            ("stand", 0.6),
            ("step", 0.7),
            ("lowering", 0.8),
            ("bottom", self.hold),
            ("rising", 0.7),
            ("return", 0.7),
            ("finish", 0.6),
        )

    def pose(self, t: np.ndarray) -> Pose:
        down, outwards = self._down(t), OUTWARDS[self.front]
        lean = self.lean * down + shake(t, self.tremor) * down
        side = outwards * self.side * down + shake(t, self.tremor, 0.3) * down
        orientation = turn("z", -0.5 * self.lean * down) @ turn("x", -outwards * self.drop * down)
        trunk = turn("z", -lean) @ turn("x", side) @ turn("y", -outwards * self.twist * down)
        pose = upper_body(orientation, trunk, turn("z", -4.0 - 0.3 * self.lean * down))
        pose |= legs_knees_in(self._feet(t), self._pelvis(t), orientation, {self.front: self.knee_in})
        for each in SIDES:
            pose[f"{each}_shoulder"] = raised_arm(each, 8 + self.lean * down, 30.0)
            pose[f"{each}_elbow"] = turn("z", 14.0 + 0 * t)
        return pose

    def root(self, t: np.ndarray, body_at: BodyAt, performer: Performer, sides: Collection[str]) -> np.ndarray:
        return on_feet(self._feet(t), body_at(t), performer, sides)

    def _down(self, t: np.ndarray) -> np.ndarray:
        """0 standing, 1 at the bottom."""
        start, stand, landed, bottom, rise, leaving, back, end = boundaries(self)
        keys = [start, stand, landed, bottom, (bottom + rise) / 2, rise, leaving, back, end]
        return curve(t, keys, [0, 0, 0.42, 0.97, 1, 0.97, 0.42, 0, 0])

    def _pelvis(self, t: np.ndarray) -> np.ndarray:
        _, stand, landed, bottom, rise, leaving, back, _ = boundaries(self)
        upper, lower = LEG
        high, low = (fraction * sum(LEG) + SOLE * AVERAGE.height for fraction in (0.985, 0.985 - self.depth))
        knee = self.step * AVERAGE.height + lower * np.sin(np.radians(self.shin))
        above = low - SOLE * AVERAGE.height - lower * np.cos(np.radians(self.shin))
        far = knee - np.sqrt(upper**2 - above**2)
        ahead = curve(t, [stand, landed, bottom, rise, leaving, back], [0, 0.88, 1, 1, 0.88, 0])
        return np.stack([far * ahead, high + (low - high) * self._down(t), 0 * t], axis=1)

    def _feet(self, t: np.ndarray) -> dict[str, Foot]:
        """The front foot goes forward and back through the air; the back foot rolls over its toes."""
        _, stand, landed, bottom, rise, leaving, back, _ = boundaries(self)
        keys = [stand, stand + 0.25, landed, bottom, rise, leaving, back - 0.25, back]
        heel = curve(t, keys, [0, 0, 0.7 * _HEEL, _HEEL, _HEEL, 0.7 * _HEEL, 0, 0])
        steps = [(stand + landed) / 2, (leaving + back) / 2]
        lift = _LIFT * curve(t, [stand, steps[0], landed, leaving, steps[1], back], [0, 1, 0, 0, 1, 0])
        ahead = self.step * AVERAGE.height * curve(t, [stand, landed, leaving, back], [0, 1, 1, 0])
        feet, still = {}, np.zeros_like(t)
        for side, outwards in OUTWARDS.items():
            aside = outwards * self.stance * AVERAGE.height
            if side == self.front:
                feet[side] = placed(side, (ahead, aside), still + _TOE_OUT, still, lift)
            else:
                feet[side] = placed(side, (0.0, aside), still + _TOE_OUT, heel, still)
        return feet


#: By the differences of its taxonomy.
LUNGE_VARIATIONS: Mapping[str, Variation] = {
    "depth": Variation({"depth": 0.055}),
    "step_length": Variation({"step": 0.03}),
    "stance_width": Variation({"stance": 0.015}),
    "knee_forward": Variation({"shin": 6.0}),
    "knee_in": Variation({"knee_in": 7.0}),
    "hip_drop": Variation({"drop": 6.0}),
    "trunk_forward": Variation({"lean": 8.0}),
    "trunk_side": Variation({"side": 8.0}),
    "trunk_turn": Variation({"twist": 9.0}),
    "lowering_time": Variation(tempo={"lowering": 0.25}),
    "hold": Variation({"hold": 0.2}),
    "rising_time": Variation(tempo={"rising": 0.25}),
    "steadiness": Variation({"tremor": 0.6}),
}
