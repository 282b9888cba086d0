"""The golf-like swing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posediff.motion.synthetic.body import Performer, Pose, turn
from posediff.motion.synthetic.limbs import OUTWARDS, reach
from posediff.motion.synthetic.movements import ARM, AVERAGE, LEG, BodyAt, curve, on_ankles, standing_legs
from posediff.motion.synthetic.variation import Variation


@dataclass(frozen=True)
class Swing:
    """A right-handed swing as of a golf club; the target is to the performer's left.

    Attributes:
        coil: how far the chest turns away from the target at the top, in degrees.
        lean: forward lean of the trunk at address, in degrees.
        stance: distance of the ankles from the middle, as a fraction of stature.
        hip_turn, hip_sway, tilt: at the top, how much further the hips turn (degrees) and move away from the target
            (fraction of stature) and the trunk tilts away from it (degrees).
        hands, lead_arm: at the top, how much further the hands are up and the left elbow is straight, in degrees.
        crouch: how much lower the pelvis is throughout, as a fraction of the legs' length.
        open_hips, dip: at impact, how much further the hips have turned (degrees) and sunk (fraction of the legs).
        finish_shift, finish_hands: at the finish, how much nearer the target the pelvis is (fraction of stature) and
            how much further up the hands are (degrees).
    """

    coil: float = 88.0
    lean: float = 36.0
    stance: float = 0.125
    hip_turn: float = 0.0
    hip_sway: float = 0.0
    tilt: float = 0.0
    hands: float = 0.0
    lead_arm: float = 0.0
    crouch: float = 0.0
    open_hips: float = 0.0
    dip: float = 0.0
    finish_shift: float = 0.0
    finish_hands: float = 0.0
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
        top = curve(t, keys, [0, 0, 0.6, 1, 0.6, 0, 0, 0, 0, 0])
        impact = curve(t, keys, [0, 0, 0, 0, 0.4, 1, 0.4, 0, 0, 0])
        finish = curve(t, keys, [0, 0, 0, 0, 0, 0, 0.3, 1, 1, 1])
        hips = curve(t, keys, [0, 0, -24, -38, -10, 28, 48, 62, 66, 66]) - self.hip_turn * top + self.open_hips * impact
        sway = curve(t, keys, [0, 0, 0.02, 0.03, -0.02, -0.05, -0.07, -0.08, -0.08, -0.08])
        sway = sway + AVERAGE.height * (self.hip_sway * top - self.finish_shift * finish)
        bow = curve(t, keys, [1, 1, 1, 1, 1, 0.95, 0.8, 0.45, 0.3, 0.3])
        knees = curve(t, keys, [0.95, 0.95, 0.945, 0.94, 0.94, 0.945, 0.94, 0.93, 0.93, 0.93])
        knees = knees - self.crouch - self.dip * impact
        pelvis = np.stack([-0.11 * bow, knees * sum(LEG), sway], axis=1)
        orientation = turn("z", -self.lean * bow) @ turn("y", hips)  # the body turns about its leaning axis
        half = turn("y", (chest - hips) / 2)
        pose = {
            "pelvis": orientation,
            "lumbar": orientation.transpose(0, 2, 1) @ turn("x", self.tilt * top) @ orientation @ half,
            "spine": half,
            "neck": turn("y", -0.75 * np.clip(chest, -100, 60)),
            **standing_legs(pelvis, orientation, self.stance, toe_out=15.0),
        }
        # the grip about the middle of the shoulders, in the frame of the chest: to the right, up, distance
        aside = np.radians(curve(t, keys, [0, 0, 22, 42, 30, -4, -18, -38, -44, -44]))
        up = np.radians(
            curve(t, keys, [-58, -58, -30, 8, -22, -54, -38, 2, 22, 22]) + self.hands * top + self.finish_hands * finish
        )
        far = curve(t, keys, [0.93, 0.93, 0.88, 0.76, 0.81, 0.94, 0.9, 0.77, 0.6, 0.6]) * sum(ARM)
        grip = np.stack([np.cos(up) * np.cos(aside), np.sin(up), np.cos(up) * np.sin(aside)], axis=1) * far[:, None]
        return pose | _gripping_arms(grip, self.lead_arm * top)

    def root(self, t: np.ndarray, body_at: BodyAt, performer: Performer, sides: Collection[str]) -> np.ndarray:
        return on_ankles(body_at(t), performer.height, self.stance, sides)


def _gripping_arms(grip: np.ndarray, straighter: np.ndarray) -> dict[str, np.ndarray]:
    """Local rotations of both arms of the average body that hold a club.

    Args:
        grip: (T, 3) place of the grip from the thorax.
        straighter: (T,) degrees that the left elbow then straightens; the right hand follows the left one.
    """
    pose = {}
    for side, outwards in OUTWARDS.items():
        shoulder = np.broadcast_to(AVERAGE.offset(f"{side}_shoulder"), grip.shape)
        elbow_out = np.broadcast_to([-0.15, -1.0, 0.45 * outwards], grip.shape)
        upper, bend = reach(shoulder, grip, ARM, elbow_out, knee=False)
        if side == "left":
            changed = np.maximum(bend - straighter, 0.0)
            forearm = AVERAGE.offset("left_wrist")
            grip = grip + (upper @ (turn("z", changed) @ forearm - turn("z", bend) @ forearm)[..., None])[..., 0]
            bend = changed
        pose[f"{side}_shoulder"], pose[f"{side}_elbow"] = upper, turn("z", bend)
    return pose


#: By the differences of the taxonomy ``golf_swing``.
SWING_VARIATIONS: Mapping[str, Variation] = {
    "shoulder_turn": Variation({"coil": 10.0, "hands": -4.0}),
    "hip_turn": Variation({"hip_turn": 10.0}),
    "trunk_bend": Variation({"lean": 6.0, "hands": -3.5}),
    "knees_bent": Variation({"crouch": 0.016}),
    "stance_width": Variation({"stance": 0.025, "crouch": 0.012}),
    "lead_arm_straight": Variation({"lead_arm": 9.0, "hands": 6.0}),
    "hands_higher": Variation({"hands": 11.0, "lead_arm": 4.0}),
    "head_sway": Variation({"tilt": 6.0, "hands": 5.0, "coil": 3.0}),
    "hip_sway": Variation({"hip_sway": 0.03, "tilt": -5.0, "hands": -4.0}),
    "hips_open": Variation({"open_hips": 10.0}),
    "head_dips": Variation({"dip": 0.02}),
    "weight_forward": Variation({"finish_shift": 0.03}),
    "high_finish": Variation({"finish_hands": 12.0}),
    "slower_backswing": Variation(tempo={"backswing": 0.25}),
    "faster_downswing": Variation(tempo={"downswing": -0.25}),
}
