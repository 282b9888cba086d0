"""Which joints there are in which frames, and normalisation that heeds it.

Features are rows of a matrix here, joint by joint, within a joint clip by clip, and within a clip frame by frame: then
graph convolutions are plain products of matrices, and nothing is copied between the layers.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional


class Presence(NamedTuple):
    """The joints that are there, joints first.

    Attributes:
        mask: (J, B, T) bool; features are (J * B * T, C).
        nodes: positions of the joints of each level's graph.
        rows: (P,) rows of the features that are there; None where nothing is missing.
        level_rows: the same among the rows of the levels.
    """

    mask: Tensor
    nodes: tuple[Tensor, ...]
    rows: Tensor | None
    level_rows: tuple[Tensor | None, ...]

    @classmethod
    def of(cls, mask: Tensor, nodes: tuple[Tensor, ...]) -> Presence:
        """The presence that a (J, B, T) mask says."""
        if mask.all():
            return cls(mask, nodes, None, (None,) * len(nodes))
        return cls(mask, nodes, _rows(mask), tuple(_rows(mask[joints]) for joints in nodes))

    def strided(self, stride: int) -> Presence:
        """Presence by steps of ``stride`` frames: a joint is there that is in one of a step's frames."""
        if stride == 1:
            return self
        padded = functional.pad(self.mask, (0, -self.mask.shape[2] % stride))
        return Presence.of(padded.view(*padded.shape[:2], -1, stride).any(dim=3), self.nodes)


def _rows(mask: Tensor) -> Tensor:
    return mask.flatten().nonzero().squeeze(1)


class PresentNorm(nn.Module):
    """Batch or layer normalisation over what is there; what is missing is 0.

    Args:
        kind: ``batch`` or ``layer``.
        channels: number of channels.
    """

    def __init__(self, kind: str, channels: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(channels) if kind == "batch" else nn.LayerNorm(channels)

    def forward(self, features: Tensor, rows: Tensor | None) -> Tensor:
        """Normalise (R, C) features, of which there are those in ``rows``; None for all."""
        if rows is None:
            return self._normalise(features)
        normalised = self._normalise(features.index_select(0, rows))
        return normalised.new_zeros(features.shape).index_copy_(0, rows, normalised)

    def _normalise(self, features: Tensor) -> Tensor:
        norm = self.norm
        if isinstance(norm, nn.BatchNorm1d) and norm.training and len(features) < 2:  # which has no variance
            return functional.batch_norm(features, norm.running_mean, norm.running_var, norm.weight, norm.bias)
        normalised: Tensor = norm(features)
        return normalised
