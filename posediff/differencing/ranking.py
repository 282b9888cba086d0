"""Which differences tell most: by their evidence, or by what exemplars make remarkable."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from posediff.compare.settings import Settings
from posediff.differencing.grammar.vocabulary import joint, track
from posediff.errors import BadData

if TYPE_CHECKING:
    from posediff.differencing.answers import Answer

#: Exemplars that the common standard deviation counts for, beside those that there are.
PRIOR_COUNT = 4.0
#: The common standard deviation is no smaller than this share of a clear difference.
LEAST_SPREAD = 0.1
#: A clear difference in each unit, the comparison's tolerance, in which standard deviations are made comparable; of
#: other units this share of the exemplars' mean.
CLEAR = {"deg": Settings.angle_tolerance, "torso": Settings.position_tolerance}
CLEAR_SHARE = 0.1


def deviations(
    values: np.ndarray, exemplars: np.ndarray, units: Sequence[str], noise: np.ndarray | None = None
) -> np.ndarray:
    """How many standard deviations a performance lies from the mean of some exemplars, measure by measure.

    A few exemplars tell little about a standard deviation: by chance some are tiny. Each is drawn towards a common one,
    ``s'^2 = (d0 s0^2 + (n - 1) s^2) / (d0 + n - 1)`` (the moderated t statistic; Smyth 2004), where both are in clear
    differences (:data:`CLEAR`), s0 is the median over the measures (1 where there is one exemplar only, at least
    :data:`LEAST_SPREAD`) and d0 :data:`PRIOR_COUNT`. The deviation is
    ``(value - mean) / sqrt(s'^2 (1 + 1 / n) + noise^2)``.

    Args:
        values: (Q,), NaN where unknown.
        exemplars: (N, Q) likewise.
        units: of the Q measures.
        noise: (Q,) standard deviation of a value that noise explains.

    Returns:
        (Q,), NaN where the value or all exemplars are unknown.

    Raises:
        BadData: if the shapes do not belong together.
    """
    values, exemplars = np.asarray(values, float), np.asarray(exemplars, float)
    count = len(units)
    noise = np.zeros(count) if noise is None else np.asarray(noise, float)
    if values.shape != (count,) or noise.shape != (count,) or exemplars.ndim != 2 or exemplars.shape[1] != count:
        raise BadData(
            f"values are {values.shape}, exemplars {exemplars.shape} and noise {noise.shape} for {count} measures",
            "give one column a measure",
        )
    known = np.isfinite(exemplars)
    n = known.sum(axis=0)
    mean = np.where(known, exemplars, 0.0).sum(axis=0) / np.maximum(n, 1)
    clear = np.array([CLEAR.get(unit, math.nan) for unit in units])
    clear = np.where(np.isfinite(clear), clear, np.maximum(CLEAR_SHARE * np.abs(mean), 1e-9))
    free = np.maximum(n - 1, 0)
    squares = (np.where(known, exemplars - mean, 0.0) ** 2).sum(axis=0) / clear**2
    several = free > 0
    common = float(np.median(squares[several] / free[several])) if several.any() else 1.0
    common = max(common, LEAST_SPREAD**2)
    variance = (PRIOR_COUNT * common + squares) / (PRIOR_COUNT + free) * clear**2
    spread = np.sqrt(variance * (1 + 1 / np.maximum(n, 1)) + np.nan_to_num(noise) ** 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(n > 0, (values - mean) / spread, np.nan))


def rank(answers: Sequence[Answer], count: int) -> tuple[Answer, ...]:
    """The answers that say most about how two performances differ, at most ``count``, none twice.

    The strongest evidence comes first: the difference in standard deviations of its noise, or of what only pictures
    tell the normal quantile of its probability. What follows from an answer that was chosen before counts less: its
    evidence is multiplied by ``1 - j t`` for each of them, where j is the share of joints that both measures use, of
    the one that uses fewer, and t the share of frames that both look at, of the one that looks at fewer.

    Args:
        answers: those that are "same" or unknown are passed over.
        count: how many are wanted.
    """
    left = {answer.query: answer for answer in answers if answer.answer in ("a", "b")}
    evidence = {query: _evidence(answer) for query, answer in left.items()}
    chosen: list[Answer] = []
    while left and len(chosen) < count:
        best = max(left, key=lambda query: (evidence[query], _evidence(left[query])))
        chosen.append(left.pop(best))
        for query, answer in left.items():
            evidence[query] *= 1 - _shared_joints(answer, chosen[-1]) * _shared_frames(answer, chosen[-1])
    return tuple(chosen)


def joints_of(measure: str) -> frozenset[str]:
    """The joints that a measure names, those without a side, or on that of a role, on both."""
    found: set[str] = set()
    for word in re.findall(r"[a-z][a-z0-9_]*", measure):
        call = track(word)
        if call is not None and not call.arguments:
            found |= {"left_shoulder", "right_shoulder", "left_hip", "right_hip"}  # rotation of the trunk
        for name in [word] if call is None else [str(part.text) for part in call.arguments if hasattr(part, "text")]:
            one = joint(name)
            if one is not None:
                sides = ("left", "right") if one.side == "either" or one.role else (one.side,)
                found |= {one.sided(side, {one.role: side}) for side in sides}
    return frozenset(found)


def _shared_joints(one: Answer, other: Answer) -> float:
    """Share of joints that both measures use, of the one that uses fewer; 1 for two durations, which use none."""
    if not one.measure or not other.measure:  # pictures, of which nobody knows what was looked at
        return 0.0
    joints, others = joints_of(one.measure), joints_of(other.measure)
    if not joints and not others:
        return 1.0
    return len(joints & others) / max(min(len(joints), len(others)), 1)


def _shared_frames(one: Answer, other: Answer) -> float:
    """Share of frames that both look at, of the one that looks at fewer, in the performance where it is larger."""
    shares = [0.0]
    for frames, others in zip(one.frames, other.frames, strict=True):
        if frames is not None and others is not None:
            both = min(frames[1], others[1]) - max(frames[0], others[0])
            shares.append(max(both, 0) / max(min(frames[1] - frames[0], others[1] - others[0]), 1))
    return max(shares)


def _evidence(answer: Answer) -> float:
    if answer.source == "skeleton":
        return float(answer.evidence)
    return max(NormalDist().inv_cdf(min(max(answer.probability, 1e-6), 1 - 1e-6)), 0.0)
