"""What a measure is, found before any performance is read: a track or a number, its unit, and where it looks."""

from __future__ import annotations

from dataclasses import dataclass

from posediff.differencing.grammar.expressions import Binary, Call, Expression, Name, Negative, Number, Span, written
from posediff.differencing.grammar.quantities import QUANTITIES
from posediff.differencing.grammar.statistics import OF_MOMENTS, OF_VALUES
from posediff.differencing.grammar.units import LENGTH, NONE, TIME, Unit, name, product
from posediff.differencing.grammar.vocabulary import joint, joint_words, meant, track, track_words
from posediff.differencing.grammar.words import Words

#: How many arguments the functions that are no quantities take, at least and at most.
ARGUMENTS = {
    "abs": (1, 1),
    "rate": (1, 1),
    "asymmetry": (1, 1),
    "larger": (2, 2),
    "smaller": (2, 2),
    **dict.fromkeys((*OF_VALUES, *OF_MOMENTS), (1, 2)),
    "at": (2, 2),
    "change": (2, 2),
    "duration": (1, 1),
    "share": (1, 1),
    "time": (1, 1),
    "path": (1, 3),
    "jerk": (1, 3),
}
#: Every function of the grammar.
FUNCTIONS = (*(word for word, quantity in QUANTITIES.items() if quantity.joints[1]), *ARGUMENTS)


@dataclass(frozen=True)
class Kind:
    """What an expression is.

    Attributes:
        track: whether it is a value for every frame, not one number.
        unit: None for plain numbers, which go with every unit in a sum.
        unsided: whether it holds a name without its side, of which left and right are averaged.
    """

    track: bool
    unit: Unit | None
    unsided: bool = False

    def __str__(self) -> str:
        return "a track" if self.track else "a number"


class Checker(Words):
    """Finds the kind of expressions, and remembers the places that they look at."""

    def kind(self, expression: Expression) -> Kind:
        """The kind of an expression.

        Raises:
            BadSetting: naming the place of whatever cannot be.
        """
        if isinstance(expression, Number):
            return Kind(False, None)
        if isinstance(expression, Negative):
            return self.kind(expression.operand)
        if isinstance(expression, Binary):
            return self._binary(expression)
        if isinstance(expression, Name):
            return self._named(expression)
        if isinstance(expression, Span):
            message = f"{written(expression)!r} is a place, and a track or a number is expected"
            raise self.fault(expression.at, message, "write for example max(knee_angle, TOP..IMPACT)")
        return self._call(expression)

    def _named(self, word: Name) -> Kind:
        call = track(word.text)
        if call is not None:
            joints = [found for part in call.arguments if isinstance(part, Name) and (found := joint(part.text))]
            for found in joints:
                self.side(word, found)
            return Kind(True, QUANTITIES[call.function].unit, any(found.side == "either" for found in joints))
        expected = "and a track or a number is expected"
        if joint(word.text):
            self.joint(word)
            hint = f"write for example height({word.text})"
            raise self.fault(word.at, f"{word.text!r} is a joint, {expected}", hint)
        if self.is_place(word):
            hint = f"write for example at(knee_angle, {word.text})"
            raise self.fault(word.at, f"{word.text!r} is a place, {expected}", hint)
        if word.text in FUNCTIONS:
            hint = f"write {word.text}(...)"
            raise self.fault(word.at, f"{word.text!r} is a function without its arguments", hint)
        known = [*track_words(self.names.roles), *(f"{one}_height" for one in joint_words(self.names.roles))]
        hint = meant(word.text, known, "tracks are for example knee_angle, trunk_lean and wrist_height")
        raise self.fault(word.at, f"no track is called {word.text!r}", hint)

    def _binary(self, expression: Binary) -> Kind:
        one, other = self.kind(expression.left), self.kind(expression.right)
        track, unsided = one.track or other.track, one.unsided or other.unsided
        if expression.operator in "+-":
            return Kind(track, self._common(expression, one, other), unsided)
        if one.unit is None and other.unit is None:
            return Kind(track, None, unsided)
        sign = 1 if expression.operator == "*" else -1
        return Kind(track, product(one.unit or NONE, other.unit or NONE, sign), unsided)

    def _common(self, expression: Expression, one: Kind, other: Kind) -> Unit | None:
        """The unit of two that are added or compared."""
        if one.unit is None or other.unit is None:
            return one.unit or other.unit
        if one.unit != other.unit:
            message = f"{name(one.unit)} and {name(other.unit)} do not go together in {written(expression)!r}"
            raise self.fault(expression.at, message, "add and compare what has one unit")
        return one.unit

    def _call(self, call: Call) -> Kind:
        function, arguments = call.function, call.arguments
        if function in QUANTITIES:
            return self._quantity(call)
        if function not in ARGUMENTS:
            hint = meant(function, FUNCTIONS, f"there are: {', '.join(FUNCTIONS)}")
            raise self.fault(call.at, f"no function is called {function!r}", hint)
        self._count(call, ARGUMENTS[function], "argument")
        if function in ("larger", "smaller"):
            one, other = (self.kind(part) for part in arguments)
            return Kind(one.track or other.track, self._common(call, one, other), one.unsided or other.unsided)
        if function in ("duration", "share", "time"):
            self.place(call, arguments[0])
            return Kind(False, NONE if function == "share" else TIME)
        if function in ("path", "jerk"):
            return self._way(call)
        return self._of_track(call)

    def _way(self, call: Call) -> Kind:
        """The kind of a function of one or two joints and a place, each of which may be left out save the first."""
        last = call.arguments[-1]
        placed = len(call.arguments) == 3 or (len(call.arguments) == 2 and self.is_place(last))
        joints = [self.joint(word) for word in (call.arguments[:-1] if placed else call.arguments)]
        self.place(call, last if placed else None)
        return Kind(False, LENGTH if call.function == "path" else NONE, any(found.side == "either" for found in joints))

    def _of_track(self, call: Call) -> Kind:
        function, inner = call.function, call.arguments[0]
        kind = self.kind(inner)
        if function == "asymmetry" and not kind.unsided:
            message = f"asymmetry needs a name without its side, and {written(inner)!r} has none"
            raise self.fault(call.at, message, "write for example asymmetry(knee_angle)")
        if function in ("abs", "asymmetry"):
            return Kind(kind.track, kind.unit, kind.unsided and function == "abs")
        if not kind.track:
            message = f"{function} needs a track, and {written(inner)!r} is {kind}"
            raise self.fault(inner.at, message, "tracks are for example knee_angle and height(wrist)")
        unit = kind.unit or NONE
        if function == "rate":
            return Kind(True, product(unit, TIME, -1), kind.unsided)
        self.place(call, call.arguments[1] if len(call.arguments) > 1 else None)
        return Kind(False, TIME if function in OF_MOMENTS else unit, kind.unsided)

    def _quantity(self, call: Call) -> Kind:
        quantity = QUANTITIES[call.function]
        self._count(call, quantity.joints, "joint")
        joints = [self.joint(part) for part in call.arguments]
        if call.function != "outward":
            return Kind(True, quantity.unit, any(found.side == "either" for found in joints))
        first = call.arguments[0]
        if not joints[0].side:
            message = f"{written(first)!r} is on no side, so outward has no direction"
            raise self.fault(first.at, message, "name a joint that the body has two of")
        return Kind(True, quantity.unit, joints[0].side == "either")

    def _count(self, call: Call, limits: tuple[int, int], what: str) -> None:
        least, most = limits
        if not least <= len(call.arguments) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            message = f"{call.function} takes {wanted} {what}{'' if most == 1 else 's'}, not {len(call.arguments)}"
            raise self.fault(call.at, message, "see the grammar of measures")
