"""What a taxonomy holds: key points, questions, and the roles of the body's sides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from posediff.compare.body import Body
from posediff.differencing.grammar.measures import Cue, Measure, Unmeasurable
from posediff.differencing.grammar.vocabulary import PLACEHOLDER, SIDES

_OPPOSITE = {"left": "right", "right": "left"}


@dataclass(frozen=True)
class KeyPoint:
    """A moment that every performance of the action has.

    Attributes:
        name: as places name it.
        text: what is seen then, for people and for vision-language models.
        cue: how a skeleton shows it.
    """

    name: str
    text: str
    cue: Cue


@dataclass(frozen=True)
class Question:
    """A statement that may be truer of one performance than of another.

    Attributes:
        id: within its taxonomy; empty for one asked in free words.
        query: the statement, such as "the squat is deeper".
        where: first and last key point of the place where it shows, the same one twice for a moment.
        measure: what decides it; None where only pictures can tell.
        sign: +1 where it is truer of the larger value, -1 of the smaller one.
        least: the smallest difference that counts, in the measure's unit.
    """

    id: str
    query: str
    where: tuple[str, str]
    measure: Measure | None
    sign: int = 1
    least: float = 0.0


@dataclass(frozen=True)
class Side:
    """A role that one of the body's sides has, such as ``front``.

    Attributes:
        role: its name.
        rule: a measure of ``side_`` joints; the side where it is larger has the role. Or None.
        other_of: the role that the other side has; empty where there is a rule.
    """

    role: str
    rule: Measure | None
    other_of: str = ""


@dataclass(frozen=True)
class Taxonomy:
    """What can differ between two performances of an action.

    Attributes:
        action: its name, such as ``golf_swing``.
        title: its name for people.
        aliases: other names.
        description: what a performance of it is.
        sides: the roles of the body's sides.
        key_points: in the order in which they come.
        differences: the statements.
        path: the file.
    """

    action: str
    title: str
    aliases: tuple[str, ...]
    description: str
    sides: tuple[Side, ...]
    key_points: tuple[KeyPoint, ...]
    differences: tuple[Question, ...]
    path: Path

    def sides_of(self, body: Body) -> dict[str, str]:
        """The side of every role, left where both are alike; a role that cannot be measured is left out."""
        found: dict[str, str] = {}
        for side in self.sides:
            if side.rule is not None:
                try:
                    left, right = (side.rule.value(body, {}, {PLACEHOLDER: either}) for either in SIDES)
                except Unmeasurable:
                    continue
                found[side.role] = "left" if left >= right else "right"
        others = {side.role: side.other_of for side in self.sides if side.other_of}
        for role in others:
            chain = [role]
            while chain[-1] in others:
                chain.append(others[chain[-1]])
            if chain[-1] in found:
                ruled = found[chain[-1]]
                found[role] = ruled if len(chain) % 2 else _OPPOSITE[ruled]
        return {side.role: found[side.role] for side in self.sides if side.role in found}
