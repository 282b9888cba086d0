"""Differences that a language model suggests, each with a measure that is checked before anything is measured."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from posediff.differencing.grammar.measures import Names, measure
from posediff.differencing.helpers.llm import said
from posediff.differencing.helpers.schema import obj
from posediff.differencing.statements.questions import Question
from posediff.errors import BadSetting

if TYPE_CHECKING:
    from posediff.differencing.helpers.llm import LanguageModel
    from posediff.differencing.statements.questions import Taxonomy

#: The measures in short, for a language model.
GRAMMAR = """\
A measure is one number taken from a skeleton in motion. Lengths are in torso lengths, angles in degrees, times in s.
Joints: pelvis, thorax, neck, head, and with left_ or right_ before it: hip, knee, ankle, toes, shoulder, elbow, wrist.
Without its side, such as knee, a name means the average of left and right.
Tracks (a value for every frame):
  knee_angle, hip_angle, elbow_angle, shoulder_angle, ankle_angle, neck_angle (180 is straight; shoulder_angle is 0 \
with the arm at the side), trunk_lean (+ forwards), trunk_rotation (shoulders against hips)
  angle(a, b, c): at b, between the lines to a and to c
  height(a, b): how much higher a is than b; height(a): than the pelvis
  forward(a, b), outward(a, b), leftward(a, b): how far a is in front of b, outside of b, to the performer's left of b
  distance(a, b)
  forward_lean(a, b), side_lean(a, b), lean(a, b): of the line from a up to b against the vertical
  rotation(a, b): of the line from a to b about the vertical; turned(a, b): its total turn
  speed(a), speed(a, b), lift(a): height above the start; travel(a): horizontal way from the start
  abs(t), rate(t), asymmetry(t): left minus right; larger(t, u), smaller(t, u)
Numbers (PLACE is a key point, a span KEY_POINT..KEY_POINT, or all, and may be left out):
  at(t, KEY_POINT), mean(t, PLACE), min(t, PLACE), max(t, PLACE), range(t, PLACE), sd(t, PLACE), median(t, PLACE)
  change(t, a..b), duration(a..b), share(a..b), time(KEY_POINT), time_of_max(t, PLACE), time_of_min(t, PLACE)
  path(joint, PLACE), path(joint, other, PLACE): length of a joint's way; jerk(joint, PLACE): larger is jerkier
Tracks and numbers can be added, subtracted, multiplied and divided.
Examples: at(height(pelvis, ankle), lowest); max(left_knee_angle, lowest..last); duration(lowering..lowest)"""

_SYSTEM = "You are a coach who names what can differ between two performances of one movement."
_PLACE = re.compile(r"\s*(\w+)\s*(?:\.\.\s*(\w+)\s*)?")
_WHOLE = ("first", "last")
#: Characters of an id that is made.
LONGEST_NAME = 40

SCHEMA = obj(
    differences={
        "type": "array",
        "items": obj(
            query={"type": "string", "minLength": 3, "maxLength": 200},
            where={"type": "string", "maxLength": 100},
            measure={"type": "string", "maxLength": 300},
            says={"type": "string", "enum": ["more", "less"]},
        ),
    }
)


@dataclass(frozen=True)
class Suggestion:
    """A statement that a language model suggests.

    Attributes:
        question: as it is asked.
        reason: why it has no measure; empty where it has one.
    """

    question: Question
    reason: str = ""


def from_model(model: LanguageModel, taxonomy: Taxonomy, count: int) -> tuple[Suggestion, ...]:
    """Differences that a language model expects between performances of an action, the most telling first.

    One whose measure cannot be understood is kept, without it and with the reason: pictures may tell. Those that the
    taxonomy has are left out.

    Args:
        model: the language model.
        taxonomy: the action, its description, key points and roles; it may hold no differences.
        count: how many are asked for.

    Raises:
        LanguageModelFailed: if no usable answer comes.
        MissingDependency: if openai is not installed.
    """
    reply = model.ask([said("system", _SYSTEM), said("user", prompt(taxonomy, count))], SCHEMA, "differences")
    taken = {question.id for question in taxonomy.differences}
    told = {question.query.casefold() for question in taxonomy.differences}
    found: list[Suggestion] = []
    for entry in reply["differences"]:
        query = " ".join(entry["query"].split()).rstrip(".")
        if query.casefold() in told or len(found) == count:
            continue
        told.add(query.casefold())
        found.append(_suggestion(query, short_name(query, taken), entry, taxonomy))
        taken.add(found[-1].question.id)
    return tuple(found)


def prompt(taxonomy: Taxonomy, count: int) -> str:
    """What a language model is asked."""
    points = "\n".join(f"  {point.name}: {point.text}" for point in taxonomy.key_points) or "  none"
    roles = ", ".join(f"{side.role}_" for side in taxonomy.sides)
    known = "\n".join(f"  {question.query}" for question in taxonomy.differences)
    parts = [
        f"The movement: {taxonomy.title}. {taxonomy.description}".strip(),
        f"Its key points, in order, beside first and last for the ends of the performance:\n{points}",
        f"Beside left_ and right_ a joint may have: {roles}" if roles else "",
        GRAMMAR,
        f"Name {count} differences that a coach would see between two performances, the most telling first. For each "
        'give query, a statement that can be truer of one performance, such as "the squat is deeper"; where, the key '
        "point or KEY_POINT..KEY_POINT at which it shows; measure, or an empty text where a skeleton cannot tell; and "
        "says, whether the statement is truer where the measure is more or less.",
        f"These are known already, name others:\n{known}" if known else "",
    ]
    return "\n\n".join(filter(None, parts))


def _suggestion(query: str, name: str, entry: dict[str, Any], taxonomy: Taxonomy) -> Suggestion:
    points = tuple(point.name for point in taxonomy.key_points)
    decides, reason = None, "only pictures can tell"
    if entry["measure"].strip():
        try:
            decides = measure(entry["measure"], Names(points, tuple(side.role for side in taxonomy.sides)))
            reason = ""
        except BadSetting as error:
            reason = f"its measure cannot be understood: {error}"
    sign = 1 if entry["says"] == "more" else -1
    return Suggestion(Question(name, query, _where(entry["where"], points), decides, sign), reason)


def _where(text: str, points: tuple[str, ...]) -> tuple[str, str]:
    """A place as a pair of key points; the whole performance where it is none."""
    match = _PLACE.fullmatch(text)
    ends = (match[1], match[2] or match[1]) if match else _WHOLE
    return ends if all(end in (*points, *_WHOLE) for end in ends) else _WHOLE


def short_name(statement: str, taken: Collection[str] = ()) -> str:
    """An id for a statement, of lower-case letters, digits and underscores, that no other has."""
    plain = re.sub(r"[^a-z0-9]+", "_", statement.lower().removeprefix("the ")).strip("_")
    plain = plain[:LONGEST_NAME].strip("_") or "difference"
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain}_{number}", number + 1
    return name
