"""What differs between a performance and its reference, and what that makes of the score (SkillDiff, 3.3 and 3.4)."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class DifferentialEncoder(nn.Module):
    """H heads side by side, each an MLP of its own on the same frames (section 3.3).

    Args:
        inputs: width of a frame.
        hidden: width of each head.
        width: of all heads' embeddings together.
        heads: H.
    """

    def __init__(self, inputs: int, hidden: int, width: int, heads: int) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, heads * hidden)
        bound = 1 / math.sqrt(hidden)
        self.weight = nn.Parameter(torch.empty(heads, hidden, width // heads).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(heads, width // heads))

    def forward(self, frames: Tensor) -> Tensor:
        """Embeddings d_i^(h).

        Args:
            frames: (B, T, inputs).

        Returns:
            (B, T, width), the heads one after the other.
        """
        hidden = torch.relu(self.first(frames)).view(*frames.shape[:2], *self.weight.shape[:2])
        embedded: Tensor = torch.einsum("bthi,hio->btho", hidden, self.weight) + self.bias
        return embedded.flatten(2)


class SegmentHead(nn.Module):
    """How good every segment is, and how much it counts (section 3.4).

    Args:
        width: of the segments' embeddings.
        weighted: whether segments have weights; else each counts in full.
    """

    def __init__(self, width: int, weighted: bool) -> None:
        super().__init__()
        self.hidden = nn.Sequential(nn.Linear(width, width), nn.ReLU())
        self.score = nn.Linear(width, 1)
        self.importance = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1)) if weighted else None

    def forward(self, segments: Tensor) -> tuple[Tensor, Tensor]:
        """Shares of the best possible score, from 0 to 1, and weights.

        Args:
            segments: (B, M, width).

        Returns:
            Twice (B, M). The weights sum to 1 over the segments, or are 1 each.
        """
        share = self.score(self.hidden(segments))[..., 0].float().sigmoid()
        if self.importance is None:
            return share, torch.ones_like(share)
        return share, self.importance(segments)[..., 0].float().softmax(dim=1)

    @torch.no_grad()
    def start_at(self, share: float) -> None:
        """Let an untrained head give about this share, above 0 and below 1, of the best possible score."""
        self.score.weight.mul_(0.1)
        self.score.bias.fill_(math.log(share / (1 - share)))


class ReadOut(nn.Module):
    """What each head says of the dimension that it is named after.

    Args:
        width: of each head's embedding.
        heads: H.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(heads, width) / math.sqrt(width))
        self.bias = nn.Parameter(torch.zeros(heads))

    def forward(self, segments: Tensor) -> Tensor:
        """From 0 to 1, as the reference.

        Args:
            segments: (B, M, H * width), the heads one after the other.

        Returns:
            (B, M, H).
        """
        of_heads = segments.view(*segments.shape[:2], *self.weight.shape)
        said: Tensor = (of_heads * self.weight).sum(dim=3) + self.bias
        return said.float().sigmoid()
