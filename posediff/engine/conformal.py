"""Split-conformal intervals: how far from a predicted score the true one may be, judged by errors on other clips.

Where the clips that are asked about are like those of the errors (exchangeable), an interval holds the true score with
at least the probability that it claims, whatever the network is. Vovk et al. 2005, "Algorithmic Learning in a Random
World"; Lei et al. 2018, "Distribution-free predictive inference for regression".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from posediff.errors import BadSetting

#: The level that is taken where none is asked for.
USUAL = 0.9
#: What rounding adds to a product such as 10 * 0.7, which is no reason to take the next larger error.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Interval:
    """Where a true score lies with a certain probability.

    Attributes:
        low, high: its ends; None where there are too few errors to tell.
        level: that probability.
        calibrated_on: how many clips the errors are of.
        needed: how many it takes.
    """

    low: float | None
    high: float | None
    level: float
    calibrated_on: int
    needed: int


def half_width(errors: Sequence[float], level: float) -> float | None:
    """How far a true score may be from the predicted one: the ceil((n + 1) level)-th smallest of n errors.

    Args:
        errors: absolute ones, of clips that the network has not learnt from.
        level: probability with which the interval is to hold the true score, above 0 and below 1.

    Returns:
        The distance; None where n errors are too few.

    Raises:
        BadSetting: if the level is not above 0 and below 1.

    Source: Lei et al. 2018, section 2.2.
    """
    _check(level)
    rank = ceil((len(errors) + 1) * level - _ROUNDING)
    return float(sorted(errors)[rank - 1]) if rank <= len(errors) else None


def needed(level: float) -> int:
    """How many errors an interval of a level takes.

    Raises:
        BadSetting: if the level is not above 0 and below 1.
    """
    _check(level)
    return ceil(level / (1 - level) - _ROUNDING)


def interval(predicted: float, errors: Sequence[float], level: float, unit: float = 1.0) -> Interval:
    """The interval around a predicted score.

    Args:
        predicted: the score.
        errors: absolute ones, in units of ``unit``.
        level: see :func:`half_width`.
        unit: what errors are multiplied with: the difficulty, where they are of executions.
    """
    half = half_width(errors, level)
    low, high = (None, None) if half is None else (predicted - half * unit, predicted + half * unit)
    return Interval(low, high, level, len(errors), needed(level))


def coverage(low: np.ndarray, high: np.ndarray, score: np.ndarray) -> float:
    """Share of the scores that lie in their intervals, the ends included.

    Args:
        low, high, score: (N,), N of 1 or more.
    """
    return float(np.mean((np.asarray(low) <= score) & (score <= np.asarray(high))))


def _check(level: float) -> None:
    if not 0 < level < 1:
        raise BadSetting(f"the level is {level}, expected above 0 and below 1", "give for instance 0.9")
