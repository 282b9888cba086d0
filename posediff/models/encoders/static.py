"""The static visual encoder of HP-MCoRe (Qi et al. 2025, section III-B): what single pictures show."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from posediff.errors import BadSetting
from posediff.models.encoders.backbones import load_backbone
from posediff.models.encoders.interpolation import shrink
from posediff.models.encoders.pictures import Normalise, given_maps
from posediff.models.outputs import Sample
from posediff.models.settings import StaticSettings
from posediff.weights.files import find, sha256_of


class StaticEncoder(nn.Module):
    """Pictures become features, each by itself: ``Down_mul(R(V))`` (eq. 2).

    The backbone stays in evaluation mode where it begins from published weights: its BatchNorm keeps their statistics,
    as in the released code, which takes RegNetY-002 with shifts in time and has no down-sampling branches.

    Args:
        width: D.
        settings: of the encoder.

    Raises:
        BadSetting: if there is no such backbone.
        BadData: if the weights cannot be loaded.
        MissingDependency: if the backbone is one of timm, which is not installed.
    """

    def __init__(self, width: int, settings: StaticSettings) -> None:
        super().__init__()
        backbone = load_backbone(settings.backbone, settings.weights)
        self.settings = settings
        self.channels = backbone.channels
        self.normalise = Normalise(backbone.colours)
        self.backbone = backbone.network.requires_grad_(not settings.frozen)
        self.down = MultiBranch(backbone.channels, width, settings.scales)
        self.register_buffer("settled", torch.tensor(float(bool(settings.weights))))
        self.train()

    def train(self, mode: bool = True) -> StaticEncoder:
        """Set the mode, save that of the backbone, which stays in evaluation where frozen or begun from weights."""
        super().train(mode)
        self.backbone.train(mode and not self.settings.frozen and not self.settled)
        return self

    def maps(self, frames: torch.Tensor) -> torch.Tensor:
        """What the backbone makes of all pictures, in one call.

        Args:
            frames: (B, T, 3, H, W) uint8 RGB.

        Returns:
            (B, T, C, h, w).

        Raises:
            BadData: if these are no pictures.
            BadSetting: if the backbone gives no maps.
        """
        maps = self.backbone(self.normalise(frames).flatten(0, 1))
        if maps.ndim != 4 or maps.shape[1] != self.channels:
            raise BadSetting(
                f"{self.settings.backbone!r} gives {tuple(maps.shape)}, expected maps (N, {self.channels}, h, w)",
                "choose a convolutional network, for example resnet50 or regnety_002",
            )
        return maps.unflatten(0, frames.shape[:2])

    def forward(self, sample: Sample) -> torch.Tensor:
        """Encode a batch.

        Args:
            sample: with ``frames``, or ``static`` maps as :meth:`maps` gives them.

        Returns:
            (B, T, width).

        Raises:
            BadData: if it has neither, or maps that are not the backbone's.
            BadSetting: if it has maps, but the backbone is to be trained.
        """
        maps = given_maps(sample, "static", self.channels, frozen=self.settings.frozen)
        if maps is None:
            maps = self.maps(sample["frames"])
        return self.down(maps.flatten(0, 1)).unflatten(0, maps.shape[:2])


class MultiBranch(nn.Module):
    """Multi-branch down-sampling: a convolution, then a branch for each spatial scale, joined by a linear layer.

    The branch of scale s takes the means over s x s cells and a convolution over all of them: 1 sees the whole
    picture, larger ones where in it something is.

    Args:
        channels: of the maps.
        width: of the features.
        scales: cells along a side, for each branch.
    """

    def __init__(self, channels: int, width: int, scales: tuple[int, ...]) -> None:
        super().__init__()
        self.scales = scales
        self.conv = nn.Conv2d(channels, width, 1, bias=False)
        self.norm = nn.GroupNorm(1, width)
        self.branches = nn.ModuleList(nn.Conv2d(width, width, scale) for scale in scales)
        self.join = nn.Linear(len(scales) * width, width)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, channels, h, w) to (N, width)."""
        maps = functional.relu(self.norm(self.conv(maps)))
        branches = [
            branch(shrink(maps, scale)).flatten(1) for scale, branch in zip(self.scales, self.branches, strict=True)
        ]
        return self.join(functional.relu(torch.cat(branches, dim=1)))


def described(settings: StaticSettings) -> dict[str, object]:
    """What stored maps have to agree on with a model of these settings.

    Raises:
        BadData: if the weights cannot be found.
    """
    weights = {"sha256": sha256_of(find(settings.weights))} if settings.weights else {}
    return {"backbone": settings.backbone, **weights}
