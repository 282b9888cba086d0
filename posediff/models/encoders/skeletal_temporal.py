"""Multi-scale temporal convolution."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from posediff.models.encoders.skeletal_presence import Presence, PresentNorm


class MultiScaleConvolution(nn.Module):
    """Quarters of the channels see different spans of time: two by convolutions, one by a maximum, one the frame alone.

    HD-GCN's (Lee et al. 2023), with a convolution of ``kernel`` frames in the place of a dilated one.

    Args:
        channels: of input and output.
        kernel: frames of the longer convolution, an odd number; the shorter one has about half of them.
        stride: steps in time.
        norm: ``batch`` or ``layer``.
    """

    def __init__(self, channels: int, kernel: int, stride: int, norm: str) -> None:
        super().__init__()
        quarter = channels // 4
        self.sizes, self.stride = [quarter, quarter, quarter, channels - 3 * quarter], stride
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.middle = PresentNorm(norm, channels)
        self.short, self.long = (
            nn.Conv2d(quarter, quarter, (1, span), (1, stride), (0, span // 2), bias=False)
            for span in (kernel // 2 | 1, kernel)
        )
        self.end = PresentNorm(norm, channels)

    def forward(self, features: Tensor, before: Presence, after: Presence) -> Tensor:
        """Convolve in time; missing joints count as what is before and after the clip, with zeros.

        Args:
            features: (J * B * T, C).
            before, after: who is there before and after striding.

        Returns:
            (J * B * T / stride rounded up, C).
        """
        # Channels last in memory, as the features are, makes oneDNN's convolutions the fastest of products on CPUs.
        hidden = self.pointwise(features.view(*before.mask.shape, -1).permute(0, 3, 1, 2))
        hidden = self.middle(hidden.permute(0, 2, 3, 1).flatten(0, 2), before.rows).relu_()
        hidden = hidden.view(*before.mask.shape, -1).permute(0, 3, 1, 2)
        short, long, highest, same = torch.split(hidden, self.sizes, dim=1)
        scales = (
            self.short(short.contiguous(memory_format=torch.channels_last)),
            self.long(long.contiguous(memory_format=torch.channels_last)),
            functional.max_pool2d(highest, (1, 3), (1, self.stride), (0, 1)),
            same[..., :: self.stride],
        )
        return self.end(torch.cat([scale.permute(0, 2, 3, 1) for scale in scales], dim=-1).flatten(0, 2), after.rows)
