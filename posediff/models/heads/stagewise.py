"""Stage-wise regression: how much each stage of a performance is better than that of another."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from posediff.alignment import soft_alignment
from posediff.models.outputs import Difference
from posediff.models.settings import DecoderSettings

Streams = dict[str, Tensor]


class StagewiseRegression(nn.Module):
    """Differences by stage of two performances, each stream by a decoder of its own (eq. 17 to 20).

    The stages' weights lambda_k are positive and sum to 1, as in the paper, so that the total is a weighted mean of
    what the streams say of the stages. ``softmax`` normalises exponentials of what is learnt, ``sum`` softplus of it.

    Args:
        width: D, of the features.
        stages: K.
        settings: of the decoder.
        streams: names of the streams.
    """

    def __init__(self, width: int, stages: int, settings: DecoderSettings, streams: tuple[str, ...]) -> None:
        super().__init__()
        self.decoders = nn.ModuleDict({name: StageDecoder(width, stages, settings) for name in streams})
        self.importance = nn.Parameter(torch.zeros(stages))
        self.weighting, self.antisymmetric = settings.weighting, settings.antisymmetric

    @property
    def weights(self) -> Tensor:
        """(K,) lambda_k."""
        if self.weighting == "softmax":
            return self.importance.softmax(dim=0)
        positive = functional.softplus(self.importance)
        return positive / positive.sum()

    def forward(self, query: Streams, exemplar: Streams) -> Difference:
        """How much better the queries are, in standard deviations of the score.

        Args:
            query, exemplar: name of the stream: (B, K, S, D) features; pairs by row.
        """
        stages = self._scores(query, exemplar)
        if self.antisymmetric:
            stages = stages - self._scores(exemplar, query)
        stages = self.weights * stages
        return Difference(stages.sum(dim=1), stages)

    def _scores(self, query: Streams, exemplar: Streams) -> Tensor:
        scores = [decoder(query[name], exemplar[name]) for name, decoder in self.decoders.items()]
        return torch.stack(scores).sum(dim=0)


class StageDecoder(nn.Module):
    """A transformer decoder in which the steps of a query's stage look at those of the exemplar's.

    Args:
        width: D, of the features.
        stages: K.
        settings: of the decoder.
    """

    def __init__(self, width: int, stages: int, settings: DecoderSettings) -> None:
        super().__init__()
        self.stage = nn.Parameter(0.02 * torch.randn(stages, 1, width))
        self.step = nn.Parameter(0.02 * torch.randn(settings.steps, width))
        self.layers = nn.ModuleList(
            nn.TransformerDecoderLayer(
                width, settings.heads, 4 * width, settings.dropout, batch_first=True, norm_first=True
            )
            for _ in range(settings.layers)
        )
        last = nn.Linear(width, 1, bias=not settings.antisymmetric)  # what antisymmetry would take away
        self.score = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.ReLU(), last)
        self.gamma = settings.gamma if settings.align else None

    def forward(self, query: Tensor, exemplar: Tensor) -> Tensor:
        """Relative score of every stage.

        Args:
            query, exemplar: (B, K, S, D).

        Returns:
            (B, K), the mean of what is said of each step.
        """
        batch, stages = query.shape[:2]
        x, memory = query.flatten(0, 1), exemplar.flatten(0, 1)
        if self.gamma is not None:
            memory = aligned(x, memory, self.gamma)
        place = (self.stage + self.step).repeat(batch, 1, 1)
        x, memory = x + place, memory + place
        for layer in self.layers:
            x = layer(x, memory)
        score: Tensor = self.score(x).mean(dim=(1, 2))
        return score.view(batch, stages)


def aligned(query: Tensor, exemplar: Tensor, gamma: float) -> Tensor:
    """For every step of the query what soft-DTW expects to belong to it in the exemplar.

    The alignment itself is not trained: gradients flow through the exemplar's features alone.

    Args:
        query, exemplar: (N, S, D) features.
        gamma: softness, in units of 1 minus the cosine of two steps.

    Returns:
        (N, S, D) expected features of the exemplar, on the steps of the query.
    """
    with torch.no_grad():
        found = soft_alignment(query, exemplar, gamma=gamma, cost_fn="cosine").correspondences
    return found.to(exemplar.dtype) @ exemplar
