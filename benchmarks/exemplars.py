"""Telling good from bad performances by their score against good exemplars, untrained: what two benchmarks share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from posediff.compare.body import Body
from posediff.compare.prepare import prepare
from posediff.compare.references import mean_scores, rank
from posediff.compare.run import sides
from posediff.compare.score import overall
from posediff.compare.settings import Settings
from posediff.sequence import PoseSequence

T = TypeVar("T")

#: One setting for every movement. People choose their side: the better of the query and its mirror image counts.
SETTINGS = Settings(mirror="auto")


def bodies(sequences: Sequence[PoseSequence]) -> list[Body]:
    """Exemplars made ready once for many queries."""
    return [prepare(sequence, SETTINGS) for sequence in sequences]


def spread(episodes: Sequence[T], count: int) -> list[T]:
    """So many episodes, evenly spread from the first on; none of none, and some again where there are fewer."""
    return [episodes[k * len(episodes) // count] for k in range(count)] if episodes else []


def exemplar_scores(exemplars: Sequence[Body], query: PoseSequence) -> dict[str, float]:
    """What ``posediff compare --references`` prints: means over the nearest exemplars, with the overall ``score``."""
    parts = mean_scores(rank(exemplars, sides(query, SETTINGS), SETTINGS)[: SETTINGS.nearest])
    return {**parts, "score": overall(parts)}


def auc(good: Sequence[float], bad: Sequence[float]) -> float:
    """Probability that a good performance scores above a bad one, ties counting half (Hanley & McNeil 1982)."""
    difference = np.subtract.outer(np.asarray(good), np.asarray(bad))
    return float(np.mean(difference > 0) + 0.5 * np.mean(difference == 0))
