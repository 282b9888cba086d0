"""Values of expressions for one performance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from math import isfinite

import numpy as np

from posediff.compare.body import Body
from posediff.compare.prepare import smoothing_weights
from posediff.compare.settings import Settings
from posediff.differencing.grammar import statistics
from posediff.differencing.grammar.expressions import Binary, Call, Expression, Name, Negative, Number, written
from posediff.differencing.grammar.places import FIRST, LAST, Place, between, place_of
from posediff.differencing.grammar.quantities import QUANTITIES, ROOT, TRUNK, Scene
from posediff.differencing.grammar.vocabulary import Unmeasurable, joint, track

#: A value for every frame (T,), or one number.
Value = np.ndarray | float


class Evaluator:
    """Reads expressions off one body; tracks that several of them share are computed once.

    Args:
        body: the performance.
        sides: ``left`` or ``right`` for every role.
        settings: that the body was prepared with; jerk needs to know how it was smoothed.
    """

    def __init__(self, body: Body, sides: Mapping[str, str] | None = None, settings: Settings | None = None) -> None:
        self.body, self.sides = body, dict(sides or {})
        self.scene = Scene(body)
        self.settings = settings or Settings()

    def track(self, expression: Expression) -> np.ndarray:
        """(T,) float64 values of a track.

        Raises:
            Unmeasurable: if this performance does not show it.
        """
        found = self._array(expression, {}, None)
        if not np.isfinite(found).all():
            raise Unmeasurable(f"{written(expression)} is not a finite number in every frame")
        return found

    def number(self, expression: Expression, moments: Mapping[str, float]) -> float:
        """One number.

        Args:
            expression: the measure.
            moments: fractional frame index of every key point.

        Raises:
            Unmeasurable: if this performance does not show it.
        """
        value = float(self._value(expression, moments, None))
        if not isfinite(value):
            raise Unmeasurable(f"{written(expression)} is not a finite number here")
        return value

    def ends(self, place: Place, moments: Mapping[str, float]) -> tuple[float, float]:
        """The fractional frame indices of both ends of a place.

        Raises:
            Unmeasurable: if one is not known, or they are in the wrong order.
        """
        first, last = (self._moment(name, moments) for name in place)
        if last < first:
            raise Unmeasurable(f"{place[1]} comes before {place[0]}")
        return first, last

    def _moment(self, name: str, moments: Mapping[str, float]) -> float:
        end = len(self.body) - 1.0
        moment = {FIRST: 0.0, LAST: end}.get(name, moments.get(name, np.nan))
        if not isfinite(moment):
            raise Unmeasurable(f"{name} was not found")
        return min(max(float(moment), 0.0), end)

    def _value(self, expression: Expression, moments: Mapping[str, float], side: str | None) -> Value:
        """The value; ``side`` stands for the side of names without one, which by default are averaged."""
        if isinstance(expression, Number):
            return expression.value
        if isinstance(expression, Negative):
            return -self._value(expression.operand, moments, side)
        if isinstance(expression, Binary):
            one, other = (self._value(part, moments, side) for part in (expression.left, expression.right))
            with np.errstate(divide="ignore", invalid="ignore"):
                return _OPERATORS[expression.operator](one, other)
        call = track(expression.text) if isinstance(expression, Name) else expression
        if not isinstance(call, Call):
            raise Unmeasurable(f"{written(expression)} is no value")
        return self._call(call, moments, side)

    def _call(self, call: Call, moments: Mapping[str, float], side: str | None) -> Value:
        arguments = call.arguments
        if call.function in QUANTITIES or call.function in ("path", "jerk"):
            if side is None and _unsided(call):
                return (self._of_joints(call, moments, "left") + self._of_joints(call, moments, "right")) / 2
            return self._of_joints(call, moments, side)
        if call.function == "asymmetry":
            return self._value(arguments[0], moments, "left") - self._value(arguments[0], moments, "right")
        if call.function in _ELEMENTWISE:
            return _ELEMENTWISE[call.function](*(self._value(part, moments, side) for part in arguments))
        if call.function == "rate":
            return self.scene.rate(self._array(arguments[0], moments, side))
        if call.function == "time":
            return self.ends(place_of(arguments[0]), moments)[0] / self.scene.fps
        if call.function in ("duration", "share"):
            first, last = self.ends(place_of(arguments[0]), moments)
            frames = self.scene.fps if call.function == "duration" else len(self.body) - 1.0
            return (last - first) / frames if frames else np.nan
        return self._statistic(call, moments, side)

    def _statistic(self, call: Call, moments: Mapping[str, float], side: str | None) -> float:
        place = place_of(call.arguments[1] if len(call.arguments) > 1 else None)
        first, last = self.ends(place, moments)
        values = self._array(call.arguments[0], moments, side)
        if not self.scene.complete:
            self._check_seen(self._joints(call.arguments[0], side), place, first, last)
        if call.function == "at":
            return statistics.at(values, first)
        if call.function == "change":
            return statistics.at(values, last) - statistics.at(values, first)
        if call.function in statistics.OF_MOMENTS:
            return statistics.OF_MOMENTS[call.function](values, first, last) / self.scene.fps
        return statistics.OF_VALUES[call.function](values, first, last)

    def _array(self, expression: Expression, moments: Mapping[str, float], side: str | None) -> np.ndarray:
        return np.broadcast_to(np.asarray(self._value(expression, moments, side), float), (len(self.body),))

    def _of_joints(self, call: Call, moments: Mapping[str, float], side: str | None) -> Value:
        """A function of joints whose sides are known."""
        if call.function not in QUANTITIES:
            return self._way(call, moments, side)
        names = self._names(call, side)
        key = (call.function, *names)
        return self.scene.once(key, lambda: _known(QUANTITIES[call.function].of(self.scene, *names), call))

    def _way(self, call: Call, moments: Mapping[str, float], side: str | None) -> float:
        """Length, or jerk, of the way of a joint relative to another."""
        last = call.arguments[-1]
        placed = len(call.arguments) == 3 or (len(call.arguments) == 2 and _is_place(last, moments))
        place = place_of(last if placed else None)
        first, end = self.ends(place, moments)
        moving, still = self._names(replace(call, arguments=call.arguments[:-1]) if placed else call, side)
        self._check_seen((moving, still), place, first, end)
        if call.function == "path":
            speed = self.scene.once(("speed", moving, still), lambda: QUANTITIES["speed"].of(self.scene, moving, still))
            return statistics.mean(speed, first, end) * (end - first) / self.scene.fps
        line = self.scene.joint(moving) - self.scene.joint(still)
        noise = float(np.hypot(self.scene.noise(moving), self.scene.noise(still)))
        jerk = statistics.jerkiness(line, noise, first, end, self.scene.fps, self._smoothing)
        if not isfinite(jerk):
            raise Unmeasurable(f"{moving} moves too little, or too short, to tell how smoothly {between(place)}")
        return jerk

    @cached_property
    def _smoothing(self) -> np.ndarray:
        return smoothing_weights(self.settings, self.scene.fps)

    def _names(self, call: Call, side: str | None) -> list[str]:
        """Full names of joints, with the pelvis for one left out; outward of a sided joint means its own side."""
        joints = [found for part in call.arguments if isinstance(part, Name) and (found := joint(part.text))]
        if call.function == "outward":
            side = joints[0].sided(side, self.sides).partition("_")[0]
        names = [found.sided(side, self.sides) for found in joints]
        optional = call.function not in QUANTITIES or QUANTITIES[call.function].joints == (1, 2)
        return [*names, ROOT] if optional and len(names) == 1 else names

    def _check_seen(self, joints: Iterable[str], place: Place, first: float, last: float) -> None:
        for name in joints:
            if self.scene.unseen(name, int(first), int(np.ceil(last)) + 1):
                raise Unmeasurable(f"{name} is never seen {between(place)}")

    def _joints(self, expression: Expression, side: str | None) -> list[str]:
        """Full names of all joints that a value depends on."""
        if isinstance(expression, Binary):
            return [*self._joints(expression.left, side), *self._joints(expression.right, side)]
        if isinstance(expression, Negative):
            return self._joints(expression.operand, side)
        call = track(expression.text) if isinstance(expression, Name) else expression
        if not isinstance(call, Call):
            return []
        sides = ("left", "right") if side is None and _unsided(call) else (side,)
        if call.function in QUANTITIES:
            return [name for one in sides for name in self._names(call, one) or TRUNK]
        return [name for one in sides for part in call.arguments for name in self._joints(part, one)]


def _is_place(word: Expression, moments: Mapping[str, float]) -> bool:
    """Whether the second of two arguments is a place: a key point may be called like a joint."""
    return not isinstance(word, Name) or word.text in moments or joint(word.text) is None


def _unsided(call: Call) -> bool:
    joints = [found for part in call.arguments if isinstance(part, Name) and (found := joint(part.text))]
    return any(found.side == "either" for found in (joints[:1] if call.function == "outward" else joints))


def _known(values: np.ndarray, call: Call) -> np.ndarray:
    """A track with what cannot be told interpolated, as where a limb has no length."""
    known = np.isfinite(values)
    if known.all():
        return values
    if not known.any():
        raise Unmeasurable(f"{written(call)} cannot be told in any frame")
    frames = np.arange(len(values))
    return np.interp(frames, frames[known], values[known])


_OPERATORS: dict[str, Callable[..., Value]] = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}
_ELEMENTWISE: dict[str, Callable[..., Value]] = {"abs": np.abs, "larger": np.maximum, "smaller": np.minimum}
