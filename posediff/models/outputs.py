"""What every model takes and gives: samples in, encoded performances, differences and predictions out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch

#: A batch of loaded clips; :mod:`posediff.datasets.samples` says what the tensors are.
Sample = Mapping[str, torch.Tensor]


class Encoded(NamedTuple):
    """A batch of performances as features by stage.

    Attributes:
        streams: name of the stream (``fused``, ``static``): (B, K, S, D) features, S steps in each of K stages.
        transitions: (B, K - 1) int64 first frame of every stage but the first, as pooled by.
        logits: (B, T, K) of the segmentation: 0 for no transition, k for the k-th; None where K is 1.
    """

    streams: dict[str, torch.Tensor]
    transitions: torch.Tensor
    logits: torch.Tensor | None

    def select(self, rows: torch.Tensor | slice) -> Encoded:
        """Some of the performances."""
        return Encoded(
            {name: stream[rows] for name, stream in self.streams.items()},
            self.transitions[rows],
            None if self.logits is None else self.logits[rows],
        )


class Difference(NamedTuple):
    """How much better each query is than its exemplar, in the units of the score that is regressed.

    Attributes:
        total: (B,) score of the query minus that of the exemplar.
        stages: (B, K) what each stage contributes to it.
    """

    total: torch.Tensor
    stages: torch.Tensor


class Prediction(NamedTuple):
    """Scores by several exemplars.

    Attributes:
        score: (B,) mean vote.
        votes: (B, M) score by each exemplar; NaN where there is none.
        stages: (B, K) mean contribution of each stage relative to the exemplars.
        transitions: (B, K - 1) predicted first frame of every stage but the first.
        segments: (B, K) score of each stage on the scale of the whole, where the model gives one.
    """

    score: torch.Tensor
    votes: torch.Tensor
    stages: torch.Tensor
    transitions: torch.Tensor
    segments: torch.Tensor | None = None
