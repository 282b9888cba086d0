"""The words of measures that name joints: sided, unsided, or on the side that a role stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from posediff.differencing.grammar.expressions import Call, Name
from posediff.errors import BadData, suggestion
from posediff.motion.angles import ANGLES
from posediff.skeletons import CATALOGUE
from posediff.skeletons.vocabulary import MIDPOINTS

SIDES = ("left", "right")
#: What stands in the place of a side where a rule is tried with either.
PLACEHOLDER = "side"

#: Every joint that a skeleton has, or that can be made from others.
JOINTS = frozenset(joint for skeleton in CATALOGUE.values() for joint in skeleton.joints) | frozenset(MIDPOINTS)
#: The joints of every interior angle, by the angle's name without its ending: ``left_knee``, ``neck``.
_ANGLES = {name.removesuffix("_angle"): angle.joints for name, angle in ANGLES.items() if angle.kind == "interior"}


class Unmeasurable(BadData):
    """A measure that cannot be taken from this performance; the message is a short reason."""


@dataclass(frozen=True)
class Joint:
    """A joint as a measure names it.

    Attributes:
        part: its name without a side.
        side: ``left``, ``right``, a role, ``either`` for a sided joint without its side, or empty on the midline.
    """

    part: str
    side: str

    @property
    def role(self) -> str:
        """The role that has to say which side is meant, if it is one."""
        return self.side if self.side not in ("", "either", *SIDES) else ""

    def sided(self, side: str | None, sides: Mapping[str, str]) -> str:
        """The joint's full name.

        Args:
            side: what stands for ``either``.
            sides: what stands for the roles.

        Raises:
            Unmeasurable: if nothing says which side a role is.
        """
        chosen = side if self.side == "either" else sides.get(self.role) if self.role else self.side
        if chosen not in ("", *SIDES):
            raise Unmeasurable(f"which side is the {self.side} one is not known")
        return f"{chosen}_{self.part}" if chosen else self.part


def joint(text: str) -> Joint | None:
    """The joint that a word names; of what could be a role, any word is taken for one."""
    return _resolved(text, JOINTS)


@lru_cache(maxsize=1024)
def track(text: str) -> Call | None:
    """What a word for a track is short for: ``knee_angle`` for ``angle(hip, knee, ankle)``.

    Returns:
        The call; None where the word names no track.
    """
    if text == "trunk_lean":
        return Call("forward_lean", (Name("pelvis"), Name("thorax")))
    if text == "trunk_rotation":
        return Call("trunk_rotation", ())
    if text.endswith("_height") and joint(text.removesuffix("_height")):
        return Call("height", (Name(text.removesuffix("_height")),))
    found = _resolved(text.removesuffix("_angle"), frozenset(_ANGLES)) if text.endswith("_angle") else None
    if found is None:
        return None
    if not found.side:
        return Call("angle", tuple(map(Name, _ANGLES[found.part])))
    parts = (part.removeprefix("left_") for part in _ANGLES[f"left_{found.part}"])
    return Call("angle", tuple(Name(part if found.side == "either" else f"{found.side}_{part}") for part in parts))


def meant(text: str, known: Iterable[str], otherwise: str) -> str:
    """A hint for an unknown word: the one that is like it, or else a sentence."""
    hint = suggestion(text, known)
    return hint if hint.startswith("did you mean") else otherwise


def joint_words(roles: Iterable[str] = ()) -> list[str]:
    """Every word for a joint, for hints."""
    parts = sorted({name.removeprefix("left_") for name in JOINTS if name.startswith("left_")})
    return [*sorted(JOINTS), *parts, *(f"{role}_{part}" for role in roles for part in parts)]


def track_words(roles: Iterable[str] = ()) -> list[str]:
    """Every word for a track save the heights, for hints."""
    stems = sorted({name.removeprefix("left_").removeprefix("right_") for name in _ANGLES})
    sided = [stem for stem in stems if f"left_{stem}" in _ANGLES]
    words = [*stems, *(f"{side}_{stem}" for side in (*SIDES, *roles) for stem in sided)]
    return ["trunk_lean", "trunk_rotation", *(f"{word}_angle" for word in words)]


@lru_cache(maxsize=1024)
def _resolved(text: str, known: frozenset[str]) -> Joint | None:
    side, _, part = text.partition("_")
    if text in known:
        return Joint(part, side) if side in SIDES else Joint(text, "")
    if f"left_{text}" in known:
        return Joint(text, "either")
    words = text.split("_")
    for cut in range(1, len(words)):
        part = "_".join(words[cut:])
        if f"left_{part}" in known:
            return Joint(part, "_".join(words[:cut]))
    return None
