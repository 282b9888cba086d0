"""Everything about a comparison that can be chosen, in one place."""

from __future__ import annotations

from dataclasses import dataclass, fields
from math import isfinite
from numbers import Integral, Real
from typing import Literal

from posediff.errors import BadSetting


@dataclass(frozen=True)
class Settings:
    """How two performances are compared.

    Attributes:
        segments: number of segments where the files name no stages.
        gamma: softness of the alignment; costs are in squared tolerances, so 1 is one tolerance.
        band: largest deviation from an even tempo, as a fraction of the duration.
        step_penalty: cost of waiting in one performance while the other moves on.
        mirror: mirror the query, for a left-handed against a right-handed performer; ``"auto"`` takes the better side.
        view: ``"2d"`` drops the third coordinate, ``"3d"`` requires it, ``"auto"`` takes what both have.
        max_gap: longest gap that is filled, in seconds.
        smoothing: length of the smoothing window, in seconds; 0 for none.
        angle_tolerance: difference of an angle that a coach would call clear, in degrees.
        position_tolerance: the same for a position, in torso lengths.
        timing_tolerance: the same for timing, as a fraction of the duration.
        least_angle: smallest difference of an angle that is reported, in degrees.
        least_position: the same for a position, in torso lengths.
        shortest: shortest difference that is reported, in seconds; a slip of the keypoints is shorter.
        slack: shift in time within which a difference counts as timing, as a fraction of the duration.
        certainty: least confidence of a reported difference.
        most: longest list of differences.
        nearest: how many of several references the scores are averaged over.
    """

    segments: int = 8
    gamma: float = 0.03
    band: float = 0.4
    step_penalty: float = 0.05
    mirror: bool | Literal["auto"] = False
    view: Literal["auto", "2d", "3d"] = "auto"
    max_gap: float = 0.4
    smoothing: float = 0.25
    angle_tolerance: float = 10.0
    position_tolerance: float = 0.1
    timing_tolerance: float = 0.1
    least_angle: float = 5.0
    least_position: float = 0.15
    shortest: float = 0.1
    slack: float = 0.01
    certainty: float = 0.95
    most: int = 10
    nearest: int = 5

    def __post_init__(self) -> None:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        faults = [f"{name} is {value!r}, {fault}" for name, value in values.items() if (fault := _fault(name, value))]
        if faults:
            raise BadSetting("; ".join(faults), "correct the setting")


_CHOICES: dict[str, tuple[object, ...]] = {"mirror": (False, True, "auto"), "view": ("auto", "2d", "3d")}
_COUNTS = ("segments", "most", "nearest")
_POSITIVE = (*_COUNTS, "angle_tolerance", "position_tolerance", "timing_tolerance", "least_angle", "least_position")
_AT_MOST_ONE = ("slack", "certainty")


def _fault(name: str, value: object) -> str:
    """What is wrong with the value of a setting, or nothing."""
    if name in _CHOICES:
        return "" if value in _CHOICES[name] else f"not {' or '.join(map(repr, _CHOICES[name]))}"
    if not isinstance(value, Integral if name in _COUNTS else Real):
        return "not a whole number" if name in _COUNTS else "not a number"
    number = float(value)
    if not isfinite(number):
        return "not finite"
    if name in _POSITIVE and number <= 0:
        return "not above 0"
    if number < 0:
        return "below 0"
    return "above 1" if name in _AT_MOST_ONE and number > 1 else ""
