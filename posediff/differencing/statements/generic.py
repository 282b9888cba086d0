"""Questions that can be asked of any movement, whether a taxonomy names them or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from posediff.differencing.grammar.measures import Names, measure
from posediff.differencing.statements.questions import Question
from posediff.language.phrases import direction, words
from posediff.motion.angles import Angle, measures_of

if TYPE_CHECKING:
    from posediff.differencing.statements.questions import KeyPoint
    from posediff.skeletons import Skeleton

WHOLE = ("first", "last")


def generic_questions(skeleton: Skeleton, dimensions: int, key_points: Sequence[KeyPoint] = ()) -> tuple[Question, ...]:
    """What can be asked of any movement of a body.

    Of every angle its smallest and largest value and its range, of every pair of limbs how far left and right differ,
    and how long it takes from one key point to the next.

    Args:
        skeleton: what the angles are made of.
        dimensions: 2 or 3.
        key_points: in the order of the movement.
    """
    angles = measures_of(skeleton, dimensions)
    questions = [question for angle in angles for question in _of_angle(angle)]
    names = {angle.name for angle in angles}
    for name in (angle.name for angle in angles if angle.name.startswith("left_")):
        pair = name.removeprefix("left_")
        if f"right_{pair}" in names:
            statement = f"the left and the right {words(pair)} differ more"
            questions.append(_question(f"{pair}_asymmetry", statement, f"mean(abs(asymmetry({pair})))"))
    return tuple(questions) + _durations(key_points)


def _of_angle(angle: Angle) -> list[Question]:
    """The extremes and the range of an angle."""
    # A joint "gets" more bent, while a lean's words have a verb of their own; measures lean forwards in images too.
    verb = "gets" if angle.kind == "interior" else ""
    name, least, most = angle.name, *(direction(angle.name, more, 3, verb) for more in (False, True))
    return [
        _question(f"{name}_min", f"the {least}", f"min({name})", sign=-1),
        _question(f"{name}_max", f"the {most}", f"max({name})"),
        _question(f"{name}_range", f"the {words(name)} varies more", f"range({name})"),
    ]


def _durations(key_points: Sequence[KeyPoint]) -> tuple[Question, ...]:
    names = Names(tuple(point.name for point in key_points))
    whole = _question("duration", "the movement takes longer", "duration(first..last)", names)
    steps = zip(key_points, key_points[1:], strict=False)
    return (
        whole,
        *(
            Question(
                f"{one.name}_to_{other.name}",
                f'it takes longer from "{one.text}" to "{other.text}"',
                (one.name, other.name),
                measure(f"duration({one.name}..{other.name})", names),
            )
            for one, other in steps
        ),
    )


def _question(name: str, statement: str, text: str, names: Names | None = None, sign: int = 1) -> Question:
    return Question(name, statement, WHOLE, measure(text, names or Names()), sign)
