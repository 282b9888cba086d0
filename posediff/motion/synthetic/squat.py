"""The squat."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posediff.motion.synthetic.body import SIDES, Performer, Pose, turn
from posediff.motion.synthetic.limbs import raised_arm
from posediff.motion.synthetic.movements import AVERAGE, LEG, BodyAt, boundaries, curve, on_ankles, standing_legs
from posediff.motion.synthetic.variation import Variation


@dataclass(frozen=True)
class Squat:
    """A squat with the arms forward.

    Attributes:
        depth: how far the pelvis sinks, as a fraction of the legs' length.
        lean: forward lean of the trunk at the bottom, in degrees.
        stance: distance of the ankles from the middle, as a fraction of stature.
        forward, shift: how far the pelvis is further forward and to the left at the bottom, as fractions of stature.
        knees_in: how far the knees turn inwards at the bottom, in degrees.
        arms, elbows, gaze: how much further the arms are raised, the elbows bent and the head put back, in degrees.
        hips_first: how much further the trunk leans half way up, in degrees.
    """

    depth: float = 0.38
    lean: float = 38.0
    stance: float = 0.085
    forward: float = 0.0
    shift: float = 0.0
    knees_in: float = 0.0
    arms: float = 0.0
    elbows: float = 0.0
    gaze: float = 0.0
    hips_first: float = 0.0
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
        legs = sum(LEG)
        place = np.stack([-0.2 * down * legs, (0.985 - self.depth * down) * legs, 0 * t], axis=1)
        aside = AVERAGE.height * np.array([self.forward, 0.0, -self.shift])
        pelvis = place + down[:, None] * aside
        lean = self.lean * down + self.hips_first * curve(t, [rise, (rise + finish) / 2, finish], [0, 1, 0])
        orientation = turn("z", -0.8 * lean)
        back = turn("z", -0.1 * lean)
        pose = {
            "pelvis": orientation,
            "lumbar": back,
            "spine": back,
            "neck": turn("z", (0.5 * self.lean + self.gaze) * down),
            **standing_legs(pelvis, orientation, self.stance, toe_out=12.0, knees_in=self.knees_in * down),
        }
        for side in SIDES:
            pose[f"{side}_shoulder"] = raised_arm(side, 8 + (78 + 0.9 * self.lean + self.arms) * arms, 12.0)
            pose[f"{side}_elbow"] = turn("z", 12.0 + (4 + self.elbows) * arms)
        return pose

    def root(self, t: np.ndarray, body_at: BodyAt, performer: Performer, sides: Collection[str]) -> np.ndarray:
        return on_ankles(body_at(t), performer.height, self.stance, sides)


#: By the differences of the taxonomy ``squat``.
SQUAT_VARIATIONS: Mapping[str, Variation] = {
    "depth": Variation({"depth": 0.06, "forward": -0.01}),
    "trunk_lean": Variation({"lean": 10.0, "gaze": -5.0}),
    "knees_forward": Variation({"forward": 0.03}),
    "knees_in": Variation({"knees_in": 12.0}),
    "stance_width": Variation({"stance": 0.025}),
    "shift_left": Variation({"shift": 0.03}),
    "arms_higher": Variation({"arms": 10.0}),
    "elbows_bent": Variation({"elbows": 7.0}),
    "head_up": Variation({"gaze": 10.0}),
    "hips_first": Variation({"hips_first": 10.0}),
    "slower_descent": Variation(tempo={"descent": 0.25}),
    "longer_hold": Variation(tempo={"bottom": 0.4}),
    "faster_ascent": Variation(tempo={"ascent": -0.25}),
}
