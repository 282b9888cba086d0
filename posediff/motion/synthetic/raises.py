"""Arms raised while standing: sideways (shoulder abduction) and forwards (front raise)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posediff.motion.synthetic.body import Performer, Pose, turn
from posediff.motion.synthetic.feet import legs_to, on_feet
from posediff.motion.synthetic.limbs import OUTWARDS, raised_arm
from posediff.motion.synthetic.movements import BodyAt, Movement, boundaries, curve
from posediff.motion.synthetic.posture import flat_feet, hip_height, shake, upper_body
from posediff.motion.synthetic.variation import Variation

#: Degrees that the feet point outwards.
_TOE_OUT = 10.0
#: Bend of the knees in degrees where it does not vary, and distance of the ankles from the middle likewise.
_KNEES, _STANCE = 15.0, 0.07
#: Degrees that a hanging arm is away from the trunk.
_HANGING = 8.0


@dataclass(frozen=True)
class ShoulderRaise:
    """Both arms are raised sideways to above the shoulders, and lowered.

    Attributes:
        elevation: of the arms at the top, in degrees against the trunk: 90 horizontal, 180 overhead.
        plane: of the arms: 90 exactly to the side, less in front of it.
        elbow: how far the elbows are bent, in degrees.
        uneven: how much higher the left arm is raised than the right one, in degrees.
        lag: how much later the left arm moves than the right one, in seconds.
        lean: forward lean of the trunk with the arms up, in degrees.
        side: lean of the trunk to the left with the arms up, in degrees.
        head: how far the head is bent forwards, in degrees.
        tilt: how far the head is tilted to the left with the arms up, in degrees.
        stance: distance of the ankles from the middle, as a fraction of stature.
        hold: seconds with the arms up.
        tremor: degrees by which the arms shake.
    """

    elevation: float = 138.0
    plane: float = 80.0
    elbow: float = 20.0
    uneven: float = 0.0
    lag: float = 0.0
    lean: float = 0.0
    side: float = 0.0
    head: float = 5.0
    tilt: float = 0.0
    stance: float = 0.07
    hold: float = 1.0
    tremor: float = 1.4
    azimuth: ClassVar[float] = 90.0
    view: ClassVar[tuple[float, float, float]] = (0.0, 1.1, 2.6)

    @classmethod
    def random(cls, rng: np.random.Generator) -> ShoulderRaise:
        return cls(
            elevation=rng.uniform(125, 150),
            plane=rng.uniform(72, 88),
            elbow=rng.uniform(12, 26),
            lean=rng.uniform(-3, 3),
            head=rng.uniform(0, 10),
            stance=rng.uniform(0.055, 0.085),
            tremor=rng.uniform(1.1, 1.7),
        )

    @property
    def stages(self) -> tuple[tuple[str, float], ...]:
        return ("rest", 0.6), ("raise", 1.2), ("hold", self.hold), ("lower", 1.3), ("finish", 0.6)

    def pose(self, t: np.ndarray) -> Pose:
        up = _raised(self, t)
        trunk = turn("z", -self.lean * up) @ turn("x", -self.side * up)
        head = turn("z", -self.head + 0 * t) @ turn("x", -self.tilt * up)
        return _standing(t, trunk, head, self.stance, _KNEES) | _arms(self, t, _HANGING, 0.0)

    def root(self, t: np.ndarray, body_at: BodyAt, performer: Performer, sides: Collection[str]) -> np.ndarray:
        return on_feet(flat_feet(t, self.stance, _TOE_OUT), body_at(t), performer, sides)


@dataclass(frozen=True)
class FrontRaise:
    """Both arms are raised forwards to the height of the shoulders, as with dumbbells, and lowered.

    Attributes:
        elevation: of the arms at the top, in degrees: 90 horizontal.
        rest: elevation of the arms at the beginning and at the end, in degrees.
        plane: of the arms: 0 straight forwards, more to the outside.
        elbow: how far the elbows are bent, in degrees.
        uneven: how much higher the left arm is raised than the right one, in degrees.
        lag: how much later the left arm moves than the right one, in seconds.
        swing: how far the trunk swings back while the arms rise, in degrees.
        lean: forward lean of the trunk, in degrees.
        head: how far the head is bent forwards, in degrees.
        knees: how far the knees are bent, in degrees.
        hold: seconds with the arms up.
        tremor: degrees by which the arms shake.
    """

    elevation: float = 88.0
    rest: float = 16.0
    plane: float = 8.0
    elbow: float = 20.0
    uneven: float = 0.0
    lag: float = 0.0
    swing: float = 6.0
    lean: float = 2.0
    head: float = 5.0
    knees: float = 26.0
    hold: float = 1.0
    tremor: float = 1.4
    azimuth: ClassVar[float] = 0.0
    view: ClassVar[tuple[float, float, float]] = (0.15, 0.95, 2.4)

    @classmethod
    def random(cls, rng: np.random.Generator) -> FrontRaise:
        return cls(
            elevation=rng.uniform(80, 96),
            rest=rng.uniform(12, 20),
            plane=rng.uniform(2, 14),
            elbow=rng.uniform(12, 26),
            swing=rng.uniform(2, 8),
            lean=rng.uniform(0, 4),
            head=rng.uniform(0, 10),
            knees=rng.uniform(16, 32),
            tremor=rng.uniform(1.1, 1.7),
        )

    @property
    def stages(self) -> tuple[tuple[str, float], ...]:
        return ("rest", 0.6), ("raise", 1.0), ("hold", self.hold), ("lower", 1.2), ("finish", 0.6)

    def pose(self, t: np.ndarray) -> Pose:
        start, raising, held, *_ = boundaries(self)
        back = self.swing * curve(t, [start, raising, (raising + held) / 2, held], [0, 0, 1, 0])
        trunk = turn("z", -self.lean + back)
        head = turn("z", -self.head + 0 * t)
        return _standing(t, trunk, head, _STANCE, self.knees) | _arms(self, t, self.rest, self.lean)

    def root(self, t: np.ndarray, body_at: BodyAt, performer: Performer, sides: Collection[str]) -> np.ndarray:
        return on_feet(flat_feet(t, _STANCE, _TOE_OUT), body_at(t), performer, sides)


def _raised(movement: Movement, t: np.ndarray) -> np.ndarray:
    """(T,) 0 with the arms down, 1 with the arms up."""
    return curve(t, [float(edge) for edge in boundaries(movement)], [0, 0, 1, 1, 0, 0])


def _arms(movement: ShoulderRaise | FrontRaise, t: np.ndarray, rest: float, lean: float) -> dict[str, np.ndarray]:
    """Both arms, ``rest`` degrees from hanging when down, on a trunk that leans forwards by ``lean`` degrees."""
    pose, trembling = {}, _raised(movement, t)
    for side, outwards in OUTWARDS.items():
        up = _raised(movement, t + outwards * movement.lag / 2)
        top = movement.elevation - outwards * movement.uneven / 2
        shaken = shake(t, movement.tremor, 0.2 * outwards) * trembling
        arm = raised_arm(side, rest + (top - rest) * up + lean + shaken, movement.plane)
        # Turned outwards on the way up, as shoulders do it, the arm bends upwards and not forwards.
        pose[f"{side}_shoulder"] = arm @ turn("y", -outwards * movement.plane * up)
        pose[f"{side}_elbow"] = turn("z", max(movement.elbow, 0.0) + 0 * t)
    return pose


def _standing(t: np.ndarray, trunk: np.ndarray, head: np.ndarray, stance: float, knees: float) -> dict[str, np.ndarray]:
    """The body on both feet, without its arms."""
    upright = turn("y", np.zeros_like(t))
    pelvis = np.broadcast_to([0.0, hip_height(knees, stance), 0.0], (len(t), 3))
    return upper_body(upright, trunk, head) | legs_to(flat_feet(t, stance, _TOE_OUT), pelvis, upright)


#: By the differences of its taxonomy.
SHOULDER_RAISE_VARIATIONS: Mapping[str, Variation] = {
    "height": Variation({"elevation": 10.0}),
    "left_higher": Variation({"uneven": 10.0}),
    "left_later": Variation({"lag": 0.1}),
    "arms_forward": Variation({"plane": -10.0}),
    "elbows_bent": Variation({"elbow": 9.0}),
    "trunk_back": Variation({"lean": -5.0}),
    "trunk_side": Variation({"side": 5.0}),
    "head_forward": Variation({"head": 10.0}),
    "head_tilt": Variation({"tilt": 8.0}),
    "feet_apart": Variation({"stance": 0.025}),
    "raising_time": Variation(tempo={"raise": 0.25}),
    "hold": Variation({"hold": 0.3}),
    "lowering_time": Variation(tempo={"lower": 0.25}),
    "steadiness": Variation({"tremor": 0.6}),
}
FRONT_RAISE_VARIATIONS: Mapping[str, Variation] = {
    "height": Variation({"elevation": 10.0}),
    "left_higher": Variation({"uneven": 10.0}),
    "left_later": Variation({"lag": 0.13}),
    "arms_outward": Variation({"plane": 10.0}),
    "elbows_bent": Variation({"elbow": 9.0}),
    "swing": Variation({"swing": 4.0}),
    "trunk_forward": Variation({"lean": 5.0}),
    "head_forward": Variation({"head": 10.0}),
    "knees_bent": Variation({"knees": 8.0}),
    "arms_low": Variation({"rest": 6.0}),
    "raising_time": Variation(tempo={"raise": 0.25}),
    "hold": Variation({"hold": 0.3}),
    "lowering_time": Variation(tempo={"lower": 0.25}),
    "steadiness": Variation({"tremor": 0.6}),
}
