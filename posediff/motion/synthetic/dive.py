"""The dive: the legs place the body on the board, gravity and angular momentum in the air."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from posediff.errors import BadSetting
from posediff.motion.synthetic.body import (
    SIDES,
    Body,
    Performer,
    Pose,
    centre_of_mass,
    forward_kinematics,
    lateral_inertia,
    turn,
)
from posediff.motion.synthetic.limbs import OUTWARDS, raised_arm
from posediff.motion.synthetic.movements import AVERAGE, BodyAt, boundaries, curve
from posediff.motion.synthetic.variation import Variation

GRAVITY = 9.81

_FLIGHT_SHAPES = {  # hip, knee, shoulder, elbow and back flexion in degrees while somersaulting
    "tuck": (118.0, 128.0, 62.0, 48.0, 22.0),
    "pike": (118.0, 4.0, 88.0, 12.0, 24.0),
    "straight": (4.0, 4.0, 22.0, 60.0, 0.0),
}


@dataclass(frozen=True)
class Dive:
    """A dive from a three-metre board that ends in the water head first, or feet first.

    Attributes:
        somersaults: 0.5, 1.5, ... end head first, 1, 2, ... feet first.
        position: ``tuck``, ``pike`` or ``straight``.
        backward: the diver stands with the back to the water and turns backwards.
        flight: seconds from the board to the water.
        board: height of the board in metres.
        crouch: how much further the knees bend before the take-off, in degrees.
        lean, arms: how much further the body leans and the arms are raised at the take-off, in degrees.
        tuck, legs, chin: how much further the hips, the knees and the neck bend in the somersault, in degrees.
        close, open: how much later the body is bent and begins to stretch, as fractions of the flight.
        distance: how much further the diver travels, in metres a second.
        turns, turn: how much further the body turns in all, in somersaults and in degrees.
        arch, apart: how much further the hips stretch and the legs part in the entry, in degrees.
    """

    somersaults: float = 1.5
    position: str = "tuck"
    backward: bool = False
    flight: float = 1.4
    board: float = 3.0
    crouch: float = 0.0
    lean: float = 0.0
    arms: float = 0.0
    tuck: float = 0.0
    legs: float = 0.0
    chin: float = 0.0
    close: float = 0.0
    open: float = 0.0
    distance: float = 0.0
    turns: float = 0.0
    turn: float = 0.0
    arch: float = 0.0
    apart: float = 0.0
    azimuth: ClassVar[float] = 0.0
    view: ClassVar[tuple[float, float, float]] = (0.8, 2.8, 6.4)

    def __post_init__(self) -> None:
        if self.position not in _FLIGHT_SHAPES:
            raise BadSetting(f"unknown dive position {self.position!r}", f"choose from: {', '.join(_FLIGHT_SHAPES)}")
        if self.somersaults <= 0 or self.somersaults % 0.5:
            raise BadSetting(f"{self.somersaults} somersaults", "give a positive multiple of one half")

    @classmethod
    def random(cls, rng: np.random.Generator) -> Dive:
        position, turns = str(rng.choice(list(_FLIGHT_SHAPES))), float(rng.choice([0.5, 1.5, 2.5]))
        turns = min(turns, 1.5) if position == "straight" else turns
        return cls(turns, position, bool(rng.integers(2)), rng.uniform(1.3, 1.5))

    @property
    def stages(self) -> tuple[tuple[str, float], ...]:
        return ("approach", 0.7), ("take-off", 0.7), ("flight", self.flight), ("entry", 0.35)

    def pose(self, t: np.ndarray) -> Pose:
        return self._angles(t) | {"pelvis": turn("z", -self.pitch(t))}

    def pitch(self, t: np.ndarray) -> np.ndarray:
        """(T,) degrees that the pelvis has turned forwards since the start.

        On the board it follows the legs; in the air the turn is as fast as the moment of inertia about the lateral
        axis allows at constant angular momentum.
        """
        _, _, off, entry, end = boundaries(self)
        air = np.linspace(off, end, 400)
        inertia = lateral_inertia(forward_kinematics(self._angles(air), AVERAGE))
        stopping = 0.5 + 0.5 * np.cos(np.pi * np.clip((air - entry) / (end - entry), 0, 1))
        turned = np.concatenate([[0.0], np.cumsum((stopping / inertia)[1:] + (stopping / inertia)[:-1])])
        leaving = float(self._lean(np.array([off]))[0])
        total = (360.0 * (self.somersaults + self.turns) + self.turn) * (-1 if self.backward else 1)
        return np.where(t <= off, self._lean(t), leaving + (total - leaving) * np.interp(t, air, turned / turned[-1]))

    def root(self, t: np.ndarray, body_at: BodyAt, performer: Performer, sides: Collection[str]) -> np.ndarray:
        _, _, off, entry, _ = boundaries(self)
        standing = _on_toes(body_at(t), self.board, sides)
        leaving = body_at(np.array([off]))
        start = _on_toes(leaving, self.board, sides) + centre_of_mass(leaving)
        upwards = GRAVITY * self.flight / 2 - self.board / self.flight
        forwards = (0.8 + self.distance) * (-1 if self.backward else 1)
        since = np.clip(t - off, 0, self.flight)
        sinking = np.clip(t - entry, 0, None)  # in the water it goes on at the speed of the entry
        rise = upwards * since - GRAVITY * since**2 / 2 + (upwards - GRAVITY * self.flight) * sinking
        path = start + np.stack([forwards * (since + sinking), rise, 0 * t], axis=1)
        return np.where((t <= off)[:, None], standing, path - centre_of_mass(body_at(t)))

    def _keys(self) -> list[float]:
        _, take_off, off, entry, end = boundaries(self)
        crouch = take_off + 0.45
        closed, opening = off + (0.28 + self.close) * self.flight, off + (0.68 + self.open) * self.flight
        return [0, 0.15, take_off, crouch, off, closed, opening, entry - 0.12, end]

    def _lean(self, t: np.ndarray) -> np.ndarray:
        """Pitch of the pelvis on the board."""
        keys = self._keys()[:5]
        return curve(t, keys, [0, 0, 0, 22, -14 - self.lean] if self.backward else [0, 0, 0, 32, 14 + self.lean])

    def _angles(self, t: np.ndarray) -> dict[str, np.ndarray]:
        keys = self._keys()
        hip, knee, shoulder, elbow, back = _FLIGHT_SHAPES[self.position]
        hip, knee = hip + self.tuck, max(knee + self.legs, 0.0)
        hips = curve(t, keys, [0, 0, 4, 72 + self.crouch / 2, 4, hip, hip, 2 - self.arch, -self.arch])
        knees = curve(t, keys, [2, 2, 4, 78 + self.crouch, 4, knee, knee, 2, 2])
        arms = curve(t, keys, [8, 8, 150, 60, 165 + self.arms, shoulder, shoulder, 172, 174])
        elbows = curve(t, keys, [12, 12, 10, 14, 8, elbow, elbow, 6, 4])
        bent = curve(t, keys, [0, 0, 0, 10, 0, back, back, 0, 0])
        gaze = curve(t, keys, [0, 0, 0, -4, 8, -18 - self.chin, -18 - self.chin, 6, 0])
        apart = curve(t, keys, [0, 0, 0, 0, 0, 0, 0, self.apart, self.apart])
        off = boundaries(self)[2]
        pointed = np.clip((t - off + 0.16) / 0.2, 0, 1)
        pointed = pointed**2 * (3 - 2 * pointed)
        ankles = (1 - pointed) * (self._lean(t) - hips + knees) + pointed * -52.0
        pose = {"lumbar": turn("z", -bent / 2), "spine": turn("z", -bent / 2), "neck": turn("z", gaze)}
        for side in SIDES:
            pose[f"{side}_hip"] = turn("z", hips) @ turn("x", -OUTWARDS[side] * apart)
            pose[f"{side}_knee"] = turn("z", -knees)
            pose[f"{side}_ankle"] = turn("z", ankles)
            pose[f"{side}_shoulder"] = raised_arm(side, arms, 10.0)
            pose[f"{side}_elbow"] = turn("z", elbows)
        return pose


def _on_toes(body: Body, floor: float, sides: Collection[str]) -> np.ndarray:
    """Place of the pelvis that keeps the toes of ``sides`` at the edge of a board."""
    toes = np.mean([body[f"{side}_toes"] for side in sides], axis=0)
    return np.array([0.0, floor, 0.0]) - toes * [1, 1, 0]


#: By the differences of the taxonomy ``platform_dive``.
DIVE_VARIATIONS: Mapping[str, Variation] = {
    "deeper_crouch": Variation({"crouch": 10.0}),
    "lean_out": Variation({"lean": 4.0}),
    "arms_up": Variation({"arms": 6.0}),
    "jump_height": Variation({"flight": 0.05}),
    "distance": Variation({"distance": 0.25}),
    "faster_closing": Variation({"close": -0.04}),
    "tighter": Variation({"tuck": 8.0}),
    "straighter_knees": Variation({"legs": -10.0}),
    "chin_tucked": Variation({"chin": 8.0}),
    "earlier_opening": Variation({"open": -0.05}),
    "more_turns": Variation({"turns": 0.5, "turn": 12.0}),
    "vertical_entry": Variation({"turn": 9.0}),
    "arched_entry": Variation({"arch": 8.0}),
    "legs_apart": Variation({"apart": 2.5}),
}
