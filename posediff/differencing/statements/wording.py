"""Statements that say the opposite, and short names for statements."""

from __future__ import annotations

import re
from collections.abc import Collection

#: Comparatives and their opposites, for the movements of a body.
_PAIRS = (
    "deeper shallower, higher lower, wider narrower, longer shorter, faster slower, earlier later, larger smaller, "
    "bigger smaller, more less, closer farther, nearer farther, straighter more_bent, smoother jerkier, "
    "steeper flatter, tighter looser, quicker slower, sooner later, stronger weaker, further less_far, farther less_far"
)
OPPOSITES: dict[str, str] = {}
for _one, _other in (pair.split() for pair in _PAIRS.split(", ")):
    OPPOSITES.setdefault(_one, _other.replace("_", " "))
    if "_" not in _other:
        OPPOSITES.setdefault(_other, _one)

#: After these a word such as "lower" names a part: "the lower back".
_NAMING = ("the", "a", "an", "left", "right")
_LONGEST = 40


def opposite(statement: str) -> str | None:
    """The statement turned round: "the squat is deeper" becomes "the squat is shallower".

    Returns:
        None where not exactly one of its words has a known opposite, as then it is not clear what the rest would mean.
    """
    words = statement.split()
    places = [
        at for at, word in enumerate(words)
        if word.lower() in OPPOSITES and not (at and words[at - 1].lower() in _NAMING)
    ]  # fmt: skip
    if len(places) != 1:
        return None
    words[places[0]] = OPPOSITES[words[places[0]].lower()]
    return " ".join(words)


def short_name(statement: str, taken: Collection[str] = ()) -> str:
    """An id for a statement, of lower-case letters, digits and underscores, that no other has."""
    plain = re.sub(r"[^a-z0-9]+", "_", statement.lower().removeprefix("the ")).strip("_")
    plain = plain[:_LONGEST].strip("_") or "difference"
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain}_{number}", number + 1
    return name
