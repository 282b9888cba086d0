"""The serve of tennis."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posediff.motion.synthetic.body import Performer, Pose, turn
from posediff.motion.synthetic.feet import Foot, hop, legs_to, on_feet, placed
from posediff.motion.synthetic.limbs import OUTWARDS, raised_arm
from posediff.motion.synthetic.movements import AVERAGE, LEG, BodyAt, boundaries, curve
from posediff.motion.synthetic.variation import Variation

#: Seconds that the trophy pose is held, from the racket's drop to the contact, and that the arm stays up from there.
_PAUSE, _DROP, _IMPACT = 0.1, 0.17, 0.07


@dataclass(frozen=True)
class Serve:
    """A right-handed serve, side-on to the net, which is to the performer's left.

    Angles are in degrees; those of the arms are elevations against the vertical, 0 hanging and 180 overhead.

    Attributes:
        toss: elevation of the tossing arm in the trophy pose.
        toss_bend: flexion of its elbow there.
        crouch: how far the pelvis sinks in the trophy pose, as a fraction of the legs' length.
        elbow: elevation of the racket's upper arm in the trophy pose.
        tilt: how far the line of the shoulders slopes down to the racket in the trophy pose.
        coil: how far the shoulders are turned away from the net, against the hips, in the trophy pose.
        contact: elevation of the racket's upper arm at the contact.
        contact_bend: flexion of its elbow there.
        lean: lean of the trunk towards the net at the contact.
        finish: elevation of the racket's upper arm at the end of the follow-through.
        jump: how far the feet leave the floor, in metres.
        stance: distance of the ankles from the middle, as a fraction of stature.
    """

    toss: float = 146.0
    toss_bend: float = 24.0
    crouch: float = 0.17
    elbow: float = 86.0
    tilt: float = 18.0
    coil: float = 30.0
    contact: float = 154.0
    contact_bend: float = 22.0
    lean: float = 20.0
    finish: float = 42.0
    jump: float = 0.11
    stance: float = 0.115
    azimuth: ClassVar[float] = 90.0
    view: ClassVar[tuple[float, float, float]] = (0.0, 1.15, 2.9)

    @classmethod
    def random(cls, rng: np.random.Generator) -> Serve:
        return cls(
            toss=rng.uniform(138, 154),
            toss_bend=rng.uniform(16, 32),
            crouch=rng.uniform(0.14, 0.2),
            elbow=rng.uniform(78, 94),
            tilt=rng.uniform(12, 24),
            coil=rng.uniform(24, 36),
            contact=rng.uniform(149, 160),
            contact_bend=rng.uniform(16, 28),
            lean=rng.uniform(15, 25),
            finish=rng.uniform(36, 48),
            jump=rng.uniform(0.07, 0.15),
            stance=rng.uniform(0.1, 0.13),
        )

    @property
    def stages(self) -> tuple[tuple[str, float], ...]:
        return (("ready", 0.5), ("toss", 0.8), ("loading", 0.45), ("swing", 0.36), ("follow-through", 0.55),
                ("recovery", 0.5))  # fmt: skip

    def pose(self, t: np.ndarray) -> Pose:
        keys = self._keys()
        hips = curve(t, keys, [10, 10, 6, -8, -11, -12, -10, 20, 48, 62, 74, 74])
        twist = _twist(t, keys, self.coil)
        to_net = curve(t, keys, [0, 0, 0, -4, -6, -8, -8, 4, self.lean, 27, 22, 8])
        bow = curve(t, keys, [5, 5, 9, 2, -3, -6, -6, -2, 0, 6, 12, 6])
        roll = curve(t, keys, [0, 0, 0, 0.6 * self.tilt, 0.8 * self.tilt, self.tilt, self.tilt, 0, -22, -18, -8, 0])
        pelvis = turn("z", -bow / 2) @ turn("x", -to_net / 2) @ turn("y", hips)
        trunk = turn("z", -bow) @ turn("x", -to_net) @ turn("y", hips)
        chest = turn("y", twist) @ turn("x", roll)
        feet = self._feet(t)
        ankles = np.mean([foot.ankle for foot in feet.values()], axis=0)
        low = 1 - self.crouch
        tall = sum(LEG) * curve(t, keys, [0.96, 0.96, 0.955, 0.94, 0.92, low, low, 0.935, 0.962, 0.94, 0.92, 0.93])
        sway = curve(t, keys, [0.04, 0.04, 0.03, -0.04, -0.07, -0.1, -0.1, -0.08, -0.06, -0.1, -0.1, -0.06])
        place = np.stack([0 * t, ankles[:, 1] + tall, ankles[:, 2] + sway], axis=1)
        return {
            "pelvis": pelvis,
            "lumbar": pelvis.transpose(0, 2, 1) @ trunk,
            "thorax": chest,
            "neck": turn("y", -0.6 * twist) @ turn("z", curve(t, keys, [0, 0, 0, 25, 32, 32, 32, 25, 12, 0, 0, 0])),
            **legs_to(feet, place, pelvis),
            **self._arms(t, trunk @ chest, hips, twist),
        }

    def root(self, t: np.ndarray, body_at: BodyAt, performer: Performer, sides: Collection[str]) -> np.ndarray:
        return on_feet(self._feet(t), body_at(t), performer, sides)

    def _keys(self) -> list[float]:
        """Ready, hands low, ball released, arm up, trophy pose and its end, racket dropped, contact, and afterwards."""
        start, ready, toss, load, contact, finish, end = boundaries(self).tolist()
        low, released = ready + 0.22, ready + 0.56
        return [start, ready, low, released, toss, load - _PAUSE, load, contact - _DROP, contact, contact + 0.18,
                finish, end]  # fmt: skip

    def _feet(self, t: np.ndarray) -> dict[str, Foot]:
        keys = self._keys()
        contact = keys[8]
        lift = hop(t, self.jump, contact, 0.44)
        forward = -0.2 * curve(t, [contact - 0.2, contact + 0.2], [0, 1])
        out = {
            "left": curve(t, keys, [35, 35, 35, 35, 35, 35, 35, 35, 42, 55, 55, 55]),
            "right": curve(t, keys, [5, 5, 5, 5, 5, 5, 5, 2, -15, -35, -40, -40]),
        }
        heel = {
            "left": curve(t, keys, [0, 0, 0, 0, 4, 12, 12, 25, 38, 14, 0, 0]),
            "right": curve(t, keys, [0, 0, 0, 4, 12, 20, 20, 30, 42, 42, 38, 26]),
        }
        return {
            side: placed(side, (0.0, outwards * self.stance * AVERAGE.height + forward), out[side], heel[side], lift)
            for side, outwards in OUTWARDS.items()
        }

    def _arms(self, t: np.ndarray, chest: np.ndarray, hips: np.ndarray, twist: np.ndarray) -> dict[str, np.ndarray]:
        """Local rotations of the arms, which are raised against the vertical.

        The racket arm turns with the chest; the tossing arm does not care how far the chest is turned back.
        """
        keys = self._keys()
        up, bend, hit = self.elbow, self.contact_bend, self.contact
        struck = [*keys[:9], keys[8] + _IMPACT, *keys[9:]]
        racket = raised_arm(
            "right",
            curve(t, struck, [38, 38, 16, 72, 82, up, up, 108, hit, hit, 100, self.finish, self.finish]),
            curve(t, struck, [10, 10, 8, 95, 105, 108, 108, 98, 8, 4, -5, -45, -40]),
        ) @ turn("y", curve(t, keys, [45, 45, 20, -60, -85, -95, -95, -150, 0, 10, 45, 50]))
        toss = raised_arm(
            "left",
            curve(t, keys, [38, 38, 16, 84, self.toss - 12, self.toss, self.toss, 85, 48, 30, 26, 22]),
            curve(t, keys, [10, 10, 5, 65, 84, 88, 88, 60, 20, 10, 10, 10]),
        ) @ turn("y", curve(t, keys, [-52, -52, -20, 0, 0, 0, 0, -20, -40, -40, -30, -20]))
        flexed = curve(t, struck, [78, 78, 24, 84, 96, 98, 98, 116, bend, bend, bend + 3, 42, 48])
        folded = curve(t, keys, [78, 78, 20, *[self.toss_bend] * 4, 70, 104, 92, 74, 64])
        back = chest.transpose(0, 2, 1)
        return {
            "right_shoulder": back @ turn("y", hips + twist) @ racket,
            "right_elbow": turn("z", flexed),
            "left_shoulder": back @ turn("y", hips + _twist(t, keys, Serve.coil)) @ toss,
            "left_elbow": turn("z", folded),
        }


def _twist(t: np.ndarray, keys: list[float], coil: float) -> np.ndarray:
    """(T,) degrees that the shoulders are turned to the net against the hips."""
    return curve(t, keys, [4, 4, 0, -0.7 * coil, -0.9 * coil, -coil, -coil, -8, 12, 20, 18, 12])


#: By the differences of its taxonomy.
SERVE_VARIATIONS: Mapping[str, Variation] = {
    "toss_arm_height": Variation({"toss": 10.0}),
    "toss_arm_straightness": Variation({"toss_bend": -9.0}),
    "knee_bend": Variation({"crouch": 0.035}),
    "racket_elbow": Variation({"elbow": 10.0}),
    "shoulder_tilt": Variation({"tilt": 7.0}),
    "coil": Variation({"coil": 9.0}),
    "contact_arm": Variation({"contact": 8.0}),
    "contact_straightness": Variation({"contact_bend": -8.0}),
    "trunk_lean": Variation({"lean": 7.0}),
    "leg_drive": Variation({"jump": 0.05}),
    "stance_width": Variation({"stance": 0.015}),
    "slow_toss": Variation(tempo={"toss": 0.28}),
    "quick_swing": Variation(tempo={"swing": -0.28}),
    "low_finish": Variation({"finish": -8.0}),
}
