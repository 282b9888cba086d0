"""A small network that judges a performance by what is measured of it beside good ones."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from posediff.models.settings import check


@dataclass(frozen=True)
class ResidualJudgeSettings:
    """A network over residuals.

    Attributes:
        width: of its layers.
        kernel: moments that a convolution sees.
        dropout: probability, in every layer.
        noise: of training residuals, in standard deviations: as much in every moment as for all of the movement.
        mask: probability that a channel is left out of a training residual.
        scale: standard deviation of the logarithm by which a whole training residual is stretched. Some people differ
            from all others twice as much as others do, well or badly done: how much is not to be all that counts.
        smoothing: of the labels.
    """

    width: int = 64
    kernel: int = 5
    dropout: float = 0.5
    noise: float = 0.3
    mask: float = 0.3
    scale: float = 0.4
    smoothing: float = 0.05

    def __post_init__(self) -> None:
        rules = {
            "width is above 0": self.width > 0,
            "kernel is odd": self.kernel > 0 and self.kernel % 2 == 1,
            "noise and scale are 0 or more": min(self.noise, self.scale) >= 0,
            "dropout is from 0 to below 1": 0 <= self.dropout < 1,
            "mask is from 0 to below 1": 0 <= self.mask < 1,
            "smoothing is from 0 to below 0.5": 0 <= self.smoothing < 0.5,
        }
        check(self, rules)


class ResidualJudge(nn.Module):
    """How probable it is that a performance is a good one, by its residuals beside a good one.

    Every moment is read by itself, then two convolutions over time look at its neighbours; the mean and the maximum
    over time, beside the context, give one number. Where the network stands towards its inputs is learnt once, by
    :meth:`prepare`: residuals are squeezed to the logarithm of their size, and standardised.

    Args:
        channels: C, of the residuals.
        context: M, numbers for the whole of a pair.
        settings: of the network.
    """

    centre: Tensor
    spread: Tensor
    context_centre: Tensor
    context_spread: Tensor

    def __init__(self, channels: int, context: int, settings: ResidualJudgeSettings) -> None:
        super().__init__()
        width = settings.width
        self.settings = settings
        self.first = nn.Sequential(nn.Linear(channels, width), nn.LayerNorm(width), nn.GELU())
        self.over_time = nn.ModuleList(
            nn.Conv1d(width, width, settings.kernel, padding=settings.kernel // 2) for _ in range(2)
        )
        self.dropout = nn.Dropout(settings.dropout)
        self.last = nn.Sequential(
            nn.Linear(2 * width + context, width), nn.GELU(), nn.Dropout(settings.dropout), nn.Linear(width, 1)
        )
        for name, size in (("", channels), ("context_", context)):
            self.register_buffer(f"{name}centre", torch.zeros(size))
            self.register_buffer(f"{name}spread", torch.ones(size))

    def prepare(self, residuals: Tensor, context: Tensor) -> None:
        """Learn where the inputs lie.

        Args:
            residuals: (P, U, C) of the training pairs.
            context: (P, M).
        """
        for name, values in (("", squeezed(residuals).flatten(0, 1)), ("context_", context)):
            self.get_buffer(f"{name}centre").copy_(values.mean(dim=0))
            self.get_buffer(f"{name}spread").copy_(values.std(dim=0, correction=0) + 1e-3)

    def forward(self, residuals: Tensor, context: Tensor) -> Tensor:
        """Log odds.

        Args:
            residuals: (P, U, C) of a performance beside a good one, at U moments.
            context: (P, M).

        Returns:
            (P,) above 0 for good ones. In training mode the residuals are varied as the settings say.
        """
        features = (squeezed(residuals) - self.centre) / self.spread
        if self.training:
            features = self._varied(features)
        hidden = self.dropout(self.first(features)).transpose(1, 2)
        for convolution in self.over_time:
            hidden = hidden + self.dropout(functional.gelu(convolution(hidden)))
        whole = (context - self.context_centre) / self.context_spread
        found: Tensor = self.last(torch.cat((hidden.mean(dim=2), hidden.amax(dim=2), whole), dim=1))
        return found[:, 0]

    def loss(self, residuals: Tensor, context: Tensor, good: Tensor) -> Tensor:
        """Binary cross-entropy, (), with the labels ``good`` (P,), 1 or 0, smoothed."""
        target = good * (1 - 2 * self.settings.smoothing) + self.settings.smoothing
        return functional.binary_cross_entropy_with_logits(self(residuals, context), target)

    def _varied(self, features: Tensor) -> Tensor:
        pairs, _, channels = features.shape
        kept = 1 - self.settings.mask
        whole = torch.randn(pairs, 1, channels, device=features.device)
        features = features + self.settings.noise * (whole + torch.randn_like(features))
        features = features * (torch.rand_like(whole) < kept) / kept
        return features * torch.exp(self.settings.scale * torch.randn_like(whole[..., :1]))


def squeezed(residuals: Tensor) -> Tensor:
    """Residuals with the logarithm of their size: twice too much is hardly worse than too much."""
    return residuals.sign() * residuals.abs().log1p()
