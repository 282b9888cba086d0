"""Pose-guided attention: the skeleton says where in a stage the visual features are looked at."""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor, nn

from posediff.models.settings import FusionSettings


class Fusion(nn.Module):
    """Visual features of every stage, attended to by a map of visual and skeletal likeness (eq. 8 to 11).

    ``weighted`` adds rho times the skeletal map to the visual one before the softmax, rho learnt; ``addition`` holds
    rho at 1; ``dot`` multiplies the two maps before the softmax, since the product of two softmaxes, normalised, would
    be that of the sum. As printed in eq. 10, it is the normalised features that bypass the attention.

    Args:
        width: D, of both features.
        settings: the kind, heads and the first rho.
    """

    def __init__(self, width: int, settings: FusionSettings) -> None:
        super().__init__()
        self.visual, self.skeletal = nn.Linear(width, 3 * width), nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.feed_forward = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))
        self.rho = nn.Parameter(torch.tensor(settings.rho)) if settings.kind == "weighted" else None
        self.kind, self.heads = settings.kind, settings.heads

    def forward(self, visual: Tensor, skeletal: Tensor) -> Tensor:
        """Fused features.

        Args:
            visual, skeletal: (B, K, S, D) features of the same stages.

        Returns:
            (B, K, S, D).
        """
        query, key, value = (self._by_head(part) for part in self.visual(visual).chunk(3, dim=-1))
        query_s, key_s = (self._by_head(part) for part in self.skeletal(skeletal).chunk(2, dim=-1))
        attention = self._joined(_likeness(query, key), _likeness(query_s, key_s)).softmax(dim=-1)
        attended = self.output((attention @ value).transpose(2, 3).flatten(3))
        hidden = attended + self.norms[0](visual)
        fused: Tensor = self.feed_forward(self.norms[1](hidden)) + hidden
        return fused

    def _joined(self, visual: Tensor, skeletal: Tensor) -> Tensor:
        if self.kind == "dot":
            return visual * skeletal
        return visual + (skeletal if self.rho is None else self.rho * skeletal)

    def _by_head(self, part: Tensor) -> Tensor:
        """(B, K, S, D) to (B, K, heads, S, D / heads)."""
        return part.view(*part.shape[:-1], self.heads, -1).transpose(2, 3)


def _likeness(query: Tensor, key: Tensor) -> Tensor:
    """(..., S, S) scaled dot products."""
    return query @ key.mT / sqrt(query.shape[-1])
