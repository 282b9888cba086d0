"""Variations: how a movement is done differently, in steps that a coach would see."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from posediff.errors import BadSetting
from posediff.motion.synthetic.faults import Fault
from posediff.motion.synthetic.movements import Movement


@dataclass(frozen=True)
class Variation:
    """What changes in a movement when a difference is planted by an amount of 1; everything is proportional to it.

    Attributes:
        parameters: added to the movement's parameters, by their names.
        faults: (joint, stage, degrees), as in :class:`posediff.motion.synthetic.Fault`.
        tempo: added to the logarithm of a stage's duration, by the stage's name.
    """

    parameters: Mapping[str, float] = field(default_factory=dict)
    faults: tuple[tuple[str, str, float], ...] = ()
    tempo: Mapping[str, float] = field(default_factory=dict)


def apply(
    movement: Movement, variations: Mapping[str, Variation], amounts: Mapping[str, float]
) -> tuple[Movement, tuple[Fault, ...], dict[str, float]]:
    """A movement with variations.

    Args:
        movement: the pattern, a dataclass.
        variations: the movement's, by name.
        amounts: how much of which variation; 1 is clearly visible, -1 is its opposite.

    Returns:
        The changed pattern, the faults to plant, and factors on the durations of stages.

    Raises:
        BadSetting: for a variation that the movement does not have.
    """
    unknown = [name for name in amounts if name not in variations]
    if unknown:
        raise BadSetting(
            f"no variation of the movement is named {', '.join(map(repr, unknown))}",
            f"choose from: {', '.join(variations)}",
        )
    parameters: dict[str, float] = {}
    tempo: dict[str, float] = {}
    faults = []
    for name, amount in amounts.items():
        variation = variations[name]
        for parameter, change in variation.parameters.items():
            parameters[parameter] = parameters.get(parameter, getattr(movement, parameter)) + amount * change
        for stage, change in variation.tempo.items():
            tempo[stage] = tempo.get(stage, 1.0) * math.exp(amount * change)
        faults += [Fault(joint, amount * degrees, stage) for joint, stage, degrees in variation.faults if amount]
    return dataclasses.replace(movement, **parameters), tuple(faults), tempo  # type: ignore[type-var]
