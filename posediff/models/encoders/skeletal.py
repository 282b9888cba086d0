"""The hierarchical skeletal encoder of HP-MCoRe (Qi et al. 2025, section III-B)."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
import torch
from torch import Tensor, nn

from posediff.errors import BadData, BadSetting
from posediff.models.encoders.interpolation import stretch
from posediff.models.encoders.skeletal_graph import LevelConvolution, SemanticEdges
from posediff.models.encoders.skeletal_presence import Presence, PresentNorm
from posediff.models.encoders.skeletal_temporal import MultiScaleConvolution
from posediff.models.encoders.streams import KinematicStreams
from posediff.models.graphs import level_edges, level_joints, subsets
from posediff.models.settings import SkeletalSettings
from posediff.skeletons import Skeleton


class SkeletalEncoder(nn.Module):
    """Skeletons in, features over time out.

    In every block there are a graph convolution for each level and EdgeConv between them, then a multi-scale temporal
    convolution. As eq. 5 says, levels are summed, without HD-GCN's attention over them. At the end features are
    averaged over the joints. Joints that are in the graph of no used level are left out. A missing joint (confidence 0)
    takes no part: messages, statistics and averages are over the joints that are there. The weights do not depend on
    the order of the skeleton's joints.

    Args:
        skeleton: of the poses.
        dimensions: of the coordinates.
        width: of the features.
        settings: sizes and ablations.

    Raises:
        BadSetting: if the skeleton has no joints in a level that is used.
    """

    order: Tensor

    def __init__(self, skeleton: Skeleton, dimensions: int, width: int, settings: SkeletalSettings) -> None:
        super().__init__()
        _check(skeleton, settings)
        self.skeleton, self.dimensions = skeleton, dimensions
        self.levels = sorted(set(settings.levels))
        used = {joint for level in self.levels for joint in level_joints(skeleton, level)}
        joints = sorted(used, key=lambda joint: (skeleton.levels[joint], joint))
        order = torch.tensor([skeleton.index(joint) for joint in joints])
        self.register_buffer("order", order, persistent=False)
        graphs = []
        for level in self.levels:
            nodes = torch.tensor(sorted(joints.index(joint) for joint in level_joints(skeleton, level)))
            self.register_buffer(f"nodes_{level}", nodes, persistent=False)
            graphs.append(subsets(skeleton, level)[:, order[nodes]][:, :, order[nodes]])
        place = torch.zeros(len(skeleton.joints), dtype=torch.int64).index_copy(0, order, torch.arange(len(order)))
        edges = place[level_edges(skeleton, self.levels)] if settings.edge_conv else None
        self.streams = KinematicStreams(skeleton, dimensions, settings.streams)
        inputs = [self.streams.width + 1, *settings.channels]
        self.blocks = nn.ModuleList(
            Block(graphs, edges, inputs[number], inputs[number + 1], stride, settings)
            for number, stride in enumerate(settings.strides)
        )
        self.stride = prod(settings.strides)
        self.head = nn.Identity() if inputs[-1] == width else nn.Linear(inputs[-1], width)

    def forward(self, poses: Tensor, confidence: Tensor) -> Tensor:
        """Encode.

        Args:
            poses: (B, T, J, C) coordinates; those of missing joints have no influence.
            confidence: (B, T, J), 0 where missing.

        Returns:
            (B, T, width).

        Raises:
            BadData: if the poses are not of the skeleton or have another number of dimensions.
        """
        self._check_shapes(poses, confidence)
        features = torch.cat((self.streams(poses, confidence), confidence[..., None]), dim=-1)
        features = features[:, :, self.order].permute(2, 0, 1, 3).flatten(0, 2)
        mask = (confidence > 0)[:, :, self.order].permute(2, 0, 1).contiguous()
        presence = Presence.of(mask, tuple(self.get_buffer(f"nodes_{level}") for level in self.levels))
        for block in self.blocks:
            features, presence = block(features, presence)
        sums = features.view(*presence.mask.shape, -1).sum(dim=0)
        means = sums / presence.mask.sum(dim=0).clamp(min=1)[..., None]
        encoded: Tensor = self.head(means)
        if self.stride > 1:
            encoded = stretch(encoded, np.arange(means.shape[1]) * self.stride, np.arange(poses.shape[1]))
        return encoded

    def _check_shapes(self, poses: Tensor, confidence: Tensor) -> None:
        joints = len(self.skeleton.joints)
        if poses.shape[2:] != (joints, self.dimensions) or confidence.shape != poses.shape[:3]:
            raise BadData(
                f"poses are {tuple(poses.shape)} and confidence {tuple(confidence.shape)}, expected (B, T, {joints}, "
                f"{self.dimensions}) and (B, T, {joints}) of skeleton {self.skeleton.name}",
                "give the encoder the skeleton and the dimensions of the poses",
            )


class Block(nn.Module):
    """Spatial convolutions side by side, then a temporal one, each with a residual connection.

    Args:
        graphs: adjacency of each level, (3, n, n).
        edges: (2, E) between adjacent levels; None leaves EdgeConv out.
        inputs, channels: of input and output. Subsets and EdgeConv have equal shares of the output.
        stride: steps in time.
        settings: of the encoder.
    """

    def __init__(
        self,
        graphs: Sequence[Tensor],
        edges: Tensor | None,
        inputs: int,
        channels: int,
        stride: int,
        settings: SkeletalSettings,
    ) -> None:
        super().__init__()
        share = channels // (3 if edges is None else 4)
        identity = channels - (2 if edges is None else 3) * share
        norm = settings.norm
        self.levels = nn.ModuleList(
            LevelConvolution(graph, inputs, share, (identity, share, share), norm) for graph in graphs
        )
        self.edges = None if edges is None else SemanticEdges(edges, settings.neighbours, inputs, share)
        self.norm = PresentNorm(norm, channels)
        self.projection = None if inputs == channels else nn.Linear(inputs, channels, bias=False)
        self.projection_norm = None if inputs == channels else PresentNorm(norm, channels)
        self.temporal = MultiScaleConvolution(channels, settings.kernel, stride, norm)
        self.dropout = nn.Dropout(settings.dropout)
        self.stride = stride

    def forward(self, features: Tensor, presence: Presence) -> tuple[Tensor, Presence]:
        """Features (J * B * T, inputs) to (J * B * T / stride rounded up, channels), and who is there then."""
        shortcut = features
        if self.projection is not None and self.projection_norm is not None:
            shortcut = self.projection_norm(self.projection(features), presence.rows)
        spatial = self.norm(self._spatial(features, presence), presence.rows).add_(shortcut).relu_()
        after = presence.strided(self.stride)
        if self.stride > 1:
            shortcut = shortcut.view(*presence.mask.shape, -1)[:, :, :: self.stride].flatten(0, 2)
        temporal = self.temporal(spatial, presence, after).add_(shortcut).relu_()
        return self.dropout(temporal), after

    def _spatial(self, features: Tensor, presence: Presence) -> Tensor:
        """The subsets, summed over the levels, and EdgeConv, side by side (eq. 5)."""
        joints, channels = len(presence.mask), features.shape[1]
        messages = [
            level(features.view(joints, -1).index_select(0, nodes).view(-1, channels), presence.mask[nodes], rows)
            for level, nodes, rows in zip(self.levels, presence.nodes, presence.level_rows, strict=True)
        ]
        parts = []
        for of_levels in zip(*messages, strict=True):
            total = of_levels[0].new_zeros(joints, presence.mask[0].numel() * of_levels[0].shape[1])
            for nodes, message in zip(presence.nodes, of_levels, strict=True):
                total.index_add_(0, nodes, message.view(len(nodes), -1))
            parts.append(total.view(len(features), -1))
        if self.edges is not None:
            parts.append(self.edges(features, presence.mask))
        return torch.cat(parts, dim=1)


def _check(skeleton: Skeleton, settings: SkeletalSettings) -> None:
    empty = [level for level in sorted(set(settings.levels)) if not skeleton.level(level)]
    if empty:
        there = tuple(level for level in range(3) if skeleton.level(level))
        raise BadSetting(
            f"skeleton {skeleton.name} has no joints in the levels {empty} of {list(settings.levels)}",
            f"its joints are in the levels {list(there)}",
        )
