"""What the labels alone tell of the scores: the floor that every model has to clear."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from posediff.datasets.clips import Clip
from posediff.datasets.exemplars import By, group
from posediff.errors import BadData


def group_means(train: Sequence[Clip], queries: Sequence[Clip], by: By = "action") -> np.ndarray:
    """The mean training score of each query's group.

    Args:
        train: the training clips.
        queries: the clips whose score is to be told.
        by: what makes a group; ``none`` gives the mean of all.

    Returns:
        (Q,) float64; the mean of all training clips where a group does not occur in training.

    Raises:
        BadData: if there are no training clips.
        BadSetting: if ``by`` is unknown.
    """
    if not train:
        raise BadData("there are no training clips to take a mean of", "check the split")
    scores: dict[Hashable, list[float]] = {}
    for clip in train:
        scores.setdefault(group(clip, by), []).append(clip.score)
    overall = np.mean([clip.score for clip in train])
    means = {name: np.mean(values) for name, values in scores.items()}
    return np.array([means.get(group(query, by), overall) for query in queries], np.float64)
