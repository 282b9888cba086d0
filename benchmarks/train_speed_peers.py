"""Minimal stacks of ST-GCN (Yan et al. 2018) and HD-GCN (Lee et al. 2023) blocks, to time the skeletal encoder beside.

Both keep features as (B, C, T, J), as their authors do, and give (B, T, C). HD-GCN's graphs are the skeleton's three
levels; on 16 joints its own division of the body has four.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from posediff.models.graphs import level_joints, subsets
from posediff.skeletons import Skeleton


def st_gcn(skeleton: Skeleton, dimensions: int, channels: Sequence[int]) -> Stack:
    """ST-GCN: one graph with weights for its edges, and convolutions of 9 frames."""
    graph = sum(subsets(skeleton, level) for level in range(3))
    return Stack(
        skeleton, dimensions, channels, lambda first, inputs, outputs: WeightedGraph(graph, inputs, outputs), plain
    )


def hd_gcn(skeleton: Skeleton, dimensions: int, channels: Sequence[int]) -> Stack:
    """HD-GCN: a learnt graph and EdgeConv for every level, attention over the levels, and multi-scale convolutions."""
    graphs = torch.stack([subsets(skeleton, level) for level in range(3)])
    joints = [[skeleton.index(joint) for joint in level_joints(skeleton, level)] for level in range(3)]
    return Stack(
        skeleton,
        dimensions,
        channels,
        lambda first, inputs, outputs: HierarchicalGraph(graphs, joints, inputs, outputs, not first),
        MultiScale,
    )


class Stack(nn.Module):
    """Normalised coordinates, blocks of a spatial and a temporal part with a residual connection, mean over joints."""

    def __init__(
        self,
        skeleton: Skeleton,
        dimensions: int,
        channels: Sequence[int],
        spatial: Callable[[bool, int, int], nn.Module],
        temporal: Callable[[int], nn.Module],
    ) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(len(skeleton.joints) * dimensions)
        self.blocks, self.shortcuts = nn.ModuleList(), nn.ModuleList()
        for inputs, outputs in zip([dimensions, *channels], channels, strict=False):
            first = not self.blocks
            self.blocks.append(nn.Sequential(spatial(first, inputs, outputs), temporal(outputs)))
            self.shortcuts.append(nn.Identity() if first or inputs == outputs else convolution(inputs, outputs))

    def forward(self, poses: Tensor) -> Tensor:
        """(B, T, J, C) to (B, T, channels)."""
        flat = self.norm(poses.flatten(2).transpose(1, 2))
        features = flat.unflatten(1, poses.shape[2:]).permute(0, 2, 3, 1).contiguous()
        for number, (block, shortcut) in enumerate(zip(self.blocks, self.shortcuts, strict=True)):
            made = block(features)
            features = torch.relu(made + shortcut(features) if number else made)
        return features.mean(3).transpose(1, 2)


class WeightedGraph(nn.Module):
    """One convolution for all subsets, each summed over neighbours with weights that are learnt as factors."""

    graph: Tensor

    def __init__(self, graph: Tensor, inputs: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("graph", graph)
        self.factors = nn.Parameter(torch.ones_like(graph))
        self.pointwise = nn.Conv2d(inputs, outputs * len(graph), 1)

    def forward(self, features: Tensor) -> Tensor:
        made = self.pointwise(features).unflatten(1, (len(self.graph), -1))
        return torch.einsum("bsctk,sjk->bctj", made, self.graph * self.factors)


class HierarchicalGraph(nn.Module):
    """For every level the learnt subsets and EdgeConv side by side; the levels weighed by attention or summed."""

    def __init__(self, graphs: Tensor, joints: Sequence[list[int]], inputs: int, outputs: int, attention: bool) -> None:
        super().__init__()
        quarter = outputs // 4
        self.graphs = nn.Parameter(graphs.clone())
        self.reduce = nn.ModuleList(convolution(inputs, quarter, nn.ReLU()) for _ in graphs)
        self.pointwise = nn.ModuleList(nn.ModuleList(convolution(quarter, quarter) for _ in level) for level in graphs)
        self.edges = nn.ModuleList(EdgeConvolution(quarter, 5) for _ in graphs)
        self.attention = LevelAttention(joints, outputs) if attention else None
        self.shortcut = nn.Identity() if inputs == outputs else convolution(inputs, outputs)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, features: Tensor) -> Tensor:
        levels = []
        for graph, reduce, pointwise, edges in zip(self.graphs, self.reduce, self.pointwise, self.edges, strict=True):
            hidden = reduce(features)
            parts = [
                convolve(torch.einsum("bctk,jk->bctj", hidden, subset))
                for subset, convolve in zip(graph, pointwise, strict=True)
            ]
            related = edges(hidden.mean(2))[:, :, None].expand(-1, -1, hidden.shape[2], -1)
            levels.append(torch.cat([*parts, related], 1))
        stacked = torch.stack(levels, 2)
        summed = stacked.sum(2) if self.attention is None else self.attention(stacked)
        return torch.relu(self.norm(summed) + self.shortcut(features))


class LevelAttention(nn.Module):
    """Levels weighed channel by channel, from their strongest features in time and EdgeConv between the levels."""

    def __init__(self, joints: Sequence[list[int]], channels: int) -> None:
        super().__init__()
        self.joints = joints
        self.squeeze = convolution(channels, channels // 4, nn.ReLU())
        self.edges = EdgeConvolution(channels // 4, 3)
        self.excite = nn.Conv1d(channels // 4, channels, 1)

    def forward(self, levels: Tensor) -> Tensor:
        """(B, C, L, T, J) to (B, C, T, J)."""
        squeezed = self.squeeze(levels.amax(3))
        means = torch.stack([squeezed[:, :, level, joints].mean(2) for level, joints in enumerate(self.joints)], 2)
        weights = torch.sigmoid(self.excite(self.edges(means)))
        return (levels * weights[..., None, None]).sum(2)


class EdgeConvolution(nn.Module):
    """EdgeConv between each node and its nearest ones, itself among them."""

    def __init__(self, channels: int, neighbours: int) -> None:
        super().__init__()
        self.neighbours = neighbours
        self.convolution = convolution(2 * channels, channels, nn.LeakyReLU(0.2), bias=False)

    def forward(self, nodes: Tensor) -> Tensor:
        """(B, C, N) to (B, C, N)."""
        batch, channels, count = nodes.shape
        places = nodes.transpose(1, 2).detach()
        nearest = torch.cdist(places, places).topk(min(self.neighbours, count), largest=False).indices
        near = nodes.gather(2, nearest.flatten(1)[:, None].expand(-1, channels, -1)).view(batch, channels, count, -1)
        own = nodes[..., None].expand_as(near)
        return self.convolution(torch.cat((near - own, own), 1)).amax(3)


class MultiScale(nn.Module):
    """Quarters of the channels: 5 frames, 5 of every second frame, a maximum of 3, and the frame alone."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        quarter = channels // 4
        spans = [nn.Conv2d(quarter, quarter, (5, 1), 1, (2 * step, 0), (step, 1)) for step in (1, 2)]
        self.branches = nn.ModuleList(
            nn.Sequential(convolution(channels, quarter, nn.ReLU()), scale, nn.BatchNorm2d(quarter))
            for scale in (*spans, nn.MaxPool2d((3, 1), 1, (1, 0)))
        )
        self.branches.append(convolution(channels, quarter))

    def forward(self, features: Tensor) -> Tensor:
        return torch.cat([branch(features) for branch in self.branches], 1)


def plain(channels: int) -> nn.Module:
    """ST-GCN's temporal part."""
    return nn.Sequential(
        nn.BatchNorm2d(channels),
        nn.ReLU(),
        nn.Conv2d(channels, channels, (9, 1), 1, (4, 0)),
        nn.BatchNorm2d(channels),
    )


def convolution(inputs: int, outputs: int, *after: nn.Module, bias: bool = True) -> nn.Module:
    """A point-wise convolution, batch normalisation, and what comes after."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=bias), nn.BatchNorm2d(outputs), *after)
