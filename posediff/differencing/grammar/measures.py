"""Measures and cues: texts such as ``at(knee_angle, lowest)`` that give a performance's number, or track."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from posediff.compare.body import Body
from posediff.differencing.grammar.evaluation import Evaluator
from posediff.differencing.grammar.expressions import At, Call, Expression, Name, Number, parse, written
from posediff.differencing.grammar.kinds import Checker
from posediff.differencing.grammar.places import FIRST, LAST, RESERVED, Place
from posediff.differencing.grammar.units import NONE, name
from posediff.differencing.grammar.vocabulary import Unmeasurable, meant
from posediff.differencing.grammar.words import Names

__all__ = ["Cue", "Measure", "Names", "Unmeasurable", "cue", "measure", "values"]

CueKind = Literal["highest", "lowest", "rises", "falls", "first", "last"]
#: The cues, and how many arguments each takes.
CUES: dict[CueKind, int] = {"highest": 1, "lowest": 1, "rises": 2, "falls": 2, "first": 0, "last": 0}


@dataclass(frozen=True)
class Measure:
    """A number that is read off a performance.

    Attributes:
        text: as it was written.
        expression: its tree.
        unit: ``deg``, ``torso``, ``s``, ``1`` or what they make together, such as ``torso/s``.
        key_points: those that it uses, in order of appearance.
        places: where it looks, as pairs of key points, ``first`` and ``last`` among them.
    """

    text: str
    expression: Expression
    unit: str
    key_points: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()

    def value(
        self, body: Body | Evaluator, moments: Mapping[str, float], sides: Mapping[str, str] | None = None
    ) -> float:
        """The measure of one performance.

        Args:
            body: the performance, or an evaluator of it, which knows its sides.
            moments: fractional frame index of every key point.
            sides: ``left`` or ``right`` for every role.

        Raises:
            Unmeasurable: if the performance does not show it; the message is a short reason.
        """
        return _evaluator(body, sides).number(self.expression, moments)

    def span(self, body: Body, moments: Mapping[str, float]) -> tuple[float, float]:
        """The first and the last moment that it looks at, fractional frame indices.

        Raises:
            Unmeasurable: if a key point is not known.
        """
        evaluator = _evaluator(body, None)
        ends = [evaluator.ends(place, moments) for place in self.places or ((FIRST, LAST),)]
        return min(first for first, _ in ends), max(last for _, last in ends)


@dataclass(frozen=True)
class Cue:
    """What shows where a key point is.

    Attributes:
        text: as it was written.
        kind: ``highest`` or ``lowest`` of a track; ``rises`` or ``falls`` across a share of its range; ``first`` or
            ``last`` frame.
        expression: the track, None for the first and the last frame.
        share: of the range, 0 to 1, for ``rises`` and ``falls``.
    """

    text: str
    kind: CueKind
    expression: Expression | None = None
    share: float = 0.0

    def track(self, body: Body | Evaluator, sides: Mapping[str, str] | None = None) -> np.ndarray:
        """(T,) float64 track that the cue looks at; zeros for the first and the last frame, which look at none.

        Raises:
            Unmeasurable: if the performance does not show it.
        """
        evaluator = _evaluator(body, sides)
        return np.zeros(len(evaluator.body)) if self.expression is None else evaluator.track(self.expression)


def measure(text: str, names: Names | None = None, *, origin: str = "", line: int = 1, column: int = 1) -> Measure:
    """A measure from its text, with everything checked that needs no performance.

    Args:
        text: e.g. ``at(height(pelvis, ankle), lowest)``.
        names: key points and roles that it may use.
        origin: the file that it is from, for messages.
        line, column: where it begins there.

    Raises:
        BadSetting: naming the place of what is wrong, and what was probably meant.
    """
    checker = Checker(names or Names(), origin)
    tree = parse(text, origin=origin, line=line, column=column)
    kind = checker.kind(tree)
    if kind.track:
        hint = "take for example its max(...), or at(..., KEYPOINT)"
        raise checker.fault(At(line, column), f"{text.strip()!r} is a track, and a measure is a number", hint)
    if not checker.places:
        raise checker.fault(At(line, column), f"{text.strip()!r} looks at nothing", "write a measure of the body")
    used = dict.fromkeys(point for place in checker.places for point in place if point not in RESERVED)
    return Measure(text, tree, name(kind.unit or NONE), tuple(used), tuple(checker.places))


def cue(text: str, names: Names | None = None, *, origin: str = "", line: int = 1, column: int = 1) -> Cue:
    """A cue from its text: ``lowest(height(pelvis))``, ``falls(height(pelvis, ankle), 0.9)``, ``first``.

    Args:
        text: the cue.
        names: roles that it may use; a cue looks at the whole performance, so it knows no key points.
        origin: the file that it is from, for messages.
        line, column: where it begins there.

    Raises:
        BadSetting: naming the place of what is wrong, and what was probably meant.
    """
    tree = parse(text, origin=origin, line=line, column=column)
    checker = Checker(Names(roles=names.roles if names else ()), origin)
    word = tree.text if isinstance(tree, Name) else tree.function if isinstance(tree, Call) else written(tree)
    arguments = tree.arguments if isinstance(tree, Call) else ()
    kind = next((one for one in CUES if one == word), None)
    if kind is None:
        raise checker.fault(tree.at, f"{word!r} is no cue", meant(word, CUES, f"cues are: {', '.join(CUES)}"))
    if len(arguments) != CUES[kind]:
        shown = (kind, f"{kind}(TRACK)", f"{kind}(TRACK, SHARE)")[CUES[kind]]
        message = f"{kind} takes {CUES[kind]} argument{'' if CUES[kind] == 1 else 's'}, not {len(arguments)}"
        raise checker.fault(tree.at, message, f"write {shown}")
    if not arguments:
        return Cue(text, kind)
    if not checker.kind(arguments[0]).track:
        message = f"{kind} needs a track, and {written(arguments[0])!r} is a number"
        raise checker.fault(arguments[0].at, message, "tracks are for example knee_angle and height(wrist)")
    if len(arguments) == 1:
        return Cue(text, kind, arguments[0])
    share = arguments[1]
    if not (isinstance(share, Number) and 0 <= share.value <= 1):
        message = f"the share of {kind} is {written(share)}, not a number from 0 to 1"
        raise checker.fault(share.at, message, f"write for example {kind}(height(wrist), 0.5)")
    return Cue(text, kind, arguments[0], share.value)


def values(
    measures: Iterable[Measure],
    body: Body | Evaluator,
    moments: Mapping[str, float],
    sides: Mapping[str, str] | None = None,
) -> list[float | Unmeasurable]:
    """Many measures of one performance, which share what they have in common.

    Returns:
        For each measure its value, or why it cannot be taken.
    """
    evaluator = _evaluator(body, sides)
    found: list[float | Unmeasurable] = []
    for one in measures:
        try:
            found.append(one.value(evaluator, moments))
        except Unmeasurable as reason:
            found.append(reason)
    return found


def _evaluator(body: Body | Evaluator, sides: Mapping[str, str] | None) -> Evaluator:
    return body if isinstance(body, Evaluator) else Evaluator(body, sides)
