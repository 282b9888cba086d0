"""The spatial branches of a block: graph convolution of a level, and EdgeConv between levels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch_geometric.nn import EdgeConv

from posediff.models.encoders.skeletal_presence import PresentNorm


class LevelConvolution(nn.Module):
    """Graph convolution over the joints of one level (eq. 4).

    Subset by subset, a joint takes the mean of its neighbours that are there. The weights of the neighbours are learnt
    as offsets to the graph of bones, between all joints of the level (as HD-GCN does, Lee et al. 2023, between all
    joints of the body), and begin at 0.

    Args:
        adjacency: (S, n, n) of the level's joints, rows that sum to 1 or 0.
        channels: of the input.
        hidden: of the MLP's output.
        outputs: of the point-wise convolution of each subset.
        norm: ``batch`` or ``layer``.
    """

    adjacency: Tensor

    def __init__(self, adjacency: Tensor, channels: int, hidden: int, outputs: Sequence[int], norm: str) -> None:
        super().__init__()
        self.register_buffer("adjacency", adjacency, persistent=False)
        self.offsets = nn.Parameter(torch.zeros_like(adjacency))
        self.mlp = nn.Linear(channels, hidden, bias=False)
        self.norm = PresentNorm(norm, hidden)
        self.pointwise = nn.ModuleList(nn.Linear(hidden, size, bias=False) for size in outputs)

    def forward(self, features: Tensor, mask: Tensor, rows: Tensor | None) -> list[Tensor]:
        """Features of every subset.

        Args:
            features: (n * B * T, C) of the level's joints.
            mask: (n, B, T) whether they are there.
            rows: of what is there, None for all, as of :class:`Presence`.

        Returns:
            For each subset (n * B * T, outputs).
        """
        hidden = self.norm(self.mlp(features), rows).relu_()
        messages = (self.adjacency + self.offsets) @ hidden.view(len(mask), -1)
        messages = messages.view(len(self.adjacency), *hidden.shape)
        if rows is not None:
            messages = messages * self._compensation(mask).to(messages.dtype)
        return [convolution(message) for convolution, message in zip(self.pointwise, messages, strict=True)]

    def _compensation(self, mask: Tensor) -> Tensor:
        """(S, n * B * T, 1) factors that make sums over present neighbours means of these."""
        neighbours = (self.adjacency > 0).to(self.adjacency.dtype)
        present = neighbours @ mask.flatten(1).to(neighbours.dtype)
        factors = torch.where(present > 0, neighbours.sum(dim=2, keepdim=True) / present, 1)
        return factors.view(len(neighbours), -1, 1)


class SemanticEdges(nn.Module):
    """EdgeConv on the means over time of all joints (eq. 5; Wang et al. 2019).

    A joint hears those of the adjacent levels, the nearest in feature space, and itself; the strongest counts.

    Args:
        edges: (2, E) int64, from and to which joint.
        neighbours: how many of the nearest joints.
        channels: of the input.
        outputs: of the result.
    """

    edges: Tensor

    def __init__(self, edges: Tensor, neighbours: int, channels: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("edges", edges, persistent=False)
        self.neighbours = neighbours
        self.convolution = EdgeConv(nn.Sequential(nn.Linear(2 * channels, outputs), nn.LeakyReLU(0.2)), aggr="max")

    def forward(self, features: Tensor, mask: Tensor) -> Tensor:
        """What joints learn of one another.

        Args:
            features: (J * B * T, C), 0 where missing.
            mask: (J, B, T).

        Returns:
            (J * B * T, outputs), the same for all frames.
        """
        frames = mask.sum(dim=2).T  # (B, J)
        means = features.view(*mask.shape, -1).sum(dim=2).transpose(0, 1) / frames.clamp(min=1)[..., None]
        edges = self._edges(means.detach(), frames > 0)
        related = self.convolution(means.flatten(0, 1), edges).view(*frames.shape, 1, -1)
        return related.transpose(0, 1).expand(*mask.shape, -1).flatten(0, 2)

    def _edges(self, means: Tensor, there: Tensor) -> Tensor:
        """(2, B * E') from and to which of the B * J joints."""
        batch, joints = there.shape
        every = torch.arange(joints, device=means.device)
        apart = torch.cdist(means.float(), means.float())
        apart = apart.masked_fill(~there[:, None] | torch.eye(joints, dtype=torch.bool, device=means.device), torch.inf)
        count = min(self.neighbours, joints - 1)
        nearest = apart.topk(count, largest=False).indices.flatten(1)
        source = torch.cat((self.edges[0].expand(batch, -1), nearest, every.expand(batch, -1)), dim=1)
        target = torch.cat((self.edges[1], every.repeat_interleave(count), every)).expand(batch, -1)
        # An edge from a joint that the clip never shows is led from its other end, which the maximum does not notice.
        source = torch.where(there.gather(1, source), source, target)
        first = torch.arange(batch, device=means.device)[:, None] * joints
        return torch.stack((source + first, target + first)).flatten(1)
