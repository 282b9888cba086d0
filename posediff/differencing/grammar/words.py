"""The words of a measure looked up: joints and their sides, key points and places."""

from __future__ import annotations

from dataclasses import dataclass

from posediff.differencing.grammar.expressions import At, Call, Expression, Name, Span, fault, written
from posediff.differencing.grammar.places import ALL, FIRST, LAST, RESERVED, Place, place_of
from posediff.differencing.grammar.vocabulary import PLACEHOLDER, SIDES, Joint, joint, joint_words, meant, track
from posediff.errors import BadSetting

#: Functions that look at one moment, and those that look from one to another, with an example of each.
MOMENT = {"at": "at(knee_angle, LOWEST)", "time": "time(LOWEST)"}
SPAN = {
    "change": "change(trunk_lean, TOP..IMPACT)",
    "duration": "duration(TOP..IMPACT)",
    "share": "share(TOP..IMPACT)",
}


@dataclass(frozen=True)
class Names:
    """The words that a taxonomy adds to those of the body.

    Attributes:
        key_points: names of its key points.
        roles: names of sides that are found for every performance, such as ``front``.
    """

    key_points: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()


class Words:
    """Looks words up, and remembers the places that were named.

    Args:
        names: the taxonomy's own words.
        origin: the file, for messages.
    """

    def __init__(self, names: Names, origin: str = "") -> None:
        self.names, self.origin = names, origin
        self.places: list[Place] = []

    def fault(self, at: At, message: str, hint: str = "") -> BadSetting:
        """An error at a place of the text."""
        return fault(self.origin, at, message, hint)

    def joint(self, word: Expression) -> Joint:
        """The joint that a word names.

        Raises:
            BadSetting: if it names none, or one on a side that is not known.
        """
        if not isinstance(word, Name) or track(word.text):
            hint = "joints are for example left_knee, wrist and pelvis"
            raise self.fault(word.at, f"{written(word)!r} is not the name of a joint", hint)
        found = joint(word.text)
        if found is None:
            hint = meant(word.text, joint_words(self.names.roles), "joints are for example left_knee, wrist and pelvis")
            raise self.fault(word.at, f"no joint is called {word.text!r}", hint)
        self.side(word, found)
        return found

    def side(self, word: Name, found: Joint) -> None:
        """Check that the side of a joint, or of an angle at a joint, is known."""
        if not found.role or found.role in self.names.roles:
            return
        if found.role == PLACEHOLDER:
            message = f"{word.text!r} stands for either side only in the rules of sides"
            raise self.fault(word.at, message, f"write left_{found.part}, or {found.part} for the mean of both")
        sides = (*SIDES, *self.names.roles)
        hint = meant(found.role, sides, f"sides are: {', '.join(sides)}")
        raise self.fault(word.at, f"no side is called {found.role!r}, in {word.text!r}", hint)

    def place(self, call: Call, where: Expression | None) -> None:
        """Remember the place that a function looks at, by default the whole performance.

        Raises:
            BadSetting: if it is no place, or not one that the function can look at.
        """
        whole = isinstance(where, Name) and where.text == ALL
        if isinstance(where, Span) and call.function not in MOMENT:
            self.key_point(where.first)
            self.key_point(where.last)
        elif isinstance(where, Name) and call.function not in SPAN and not (whole and call.function in MOMENT):
            if not whole:
                self.key_point(where)
        elif where is not None:
            expected = {**dict.fromkeys(MOMENT, "one key point"), **dict.fromkeys(SPAN, "a span of key points")}
            example = {**MOMENT, **SPAN}.get(call.function, f"{call.function}(knee_angle, TOP..IMPACT)")
            message = f"{call.function} needs {expected.get(call.function, 'a place')}, not {written(where)!r}"
            raise self.fault(where.at, message, f"write for example {example}")
        self.places.append(place_of(where))

    def is_place(self, word: Expression) -> bool:
        """Whether a last argument is a place, not another joint."""
        return isinstance(word, Span) or (isinstance(word, Name) and word.text in (*self.names.key_points, *RESERVED))

    def key_point(self, word: Name) -> None:
        """Check that there is a key point of that name."""
        known = (*self.names.key_points, FIRST, LAST)
        if word.text not in known:
            hint = meant(word.text, known, f"key points are: {', '.join(known)}")
            raise self.fault(word.at, f"no key point is called {word.text!r}", hint)
