"""Networks that look at the features of every frame in its surroundings in time."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class BiGRU(nn.Module):
    """A recurrent network that reads the clip in both directions.

    Args:
        width: of the features.
        hidden: half the width of the output.
        layers: depth.

    Source: Qi et al. 2025, section III-C.
    """

    width: int

    def __init__(self, width: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.gru = nn.GRU(width, hidden, layers, batch_first=True, bidirectional=True)
        self.width = 2 * hidden

    def forward(self, features: Tensor) -> Tensor:
        """(B, T, D) to (B, T, width)."""
        made: Tensor = self.gru(features)[0]
        return made


class FC(nn.Sequential):
    """Fully connected layers on every frame alone; the last of ``layers`` is the classifier that follows.

    Args:
        width: of the features.
        hidden: width of the layers before the last.
        layers: depth; with 1, nothing is left to do here.

    Source: Qi et al. 2025, table VI.
    """

    width: int

    def __init__(self, width: int, hidden: int, layers: int) -> None:
        widths = [width] + [hidden] * (layers - 1)
        pairs = zip(widths, widths[1:], strict=False)
        super().__init__(*(part for pair in pairs for part in (nn.Linear(*pair), nn.ReLU())))
        self.width = widths[-1]


class TCN(nn.Module):
    """Temporal convolutions, each looking twice as far as the one before: ``2**layers - 1`` frames to either side.

    Args:
        width: of the features.
        hidden: width of the output.
        layers: depth.

    Source: a stage of MS-TCN, Abu Farha & Gall 2019, section 3.1.
    """

    width: int

    def __init__(self, width: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.narrow = nn.Linear(width, hidden)
        self.convolutions = nn.ModuleList(_dilated(hidden, 2**layer) for layer in range(layers))
        self.mixing = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(layers))
        self.width = hidden

    def forward(self, features: Tensor) -> Tensor:
        """(B, T, D) to (B, T, width)."""
        x = self.narrow(features)
        for convolution, mix in zip(self.convolutions, self.mixing, strict=True):
            x = x + mix(functional.relu(convolution(x.mT)).mT)
        return x


class ASFormer(nn.Module):
    """Dilated convolutions, each with attention to as many frames around: the encoder of ASFormer.

    Args:
        width: of the features.
        hidden: width of the output.
        layers: depth; the l-th of them looks 2**l frames to either side, from l = 0.

    Source: Yi, Wen & Jiang 2021, section 3.2.
    """

    width: int

    def __init__(self, width: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.narrow = nn.Linear(width, hidden)
        self.blocks = nn.ModuleList(AttentiveConvolution(hidden, 2**layer) for layer in range(layers))
        self.width = hidden

    def forward(self, features: Tensor) -> Tensor:
        """(B, T, D) to (B, T, width)."""
        x = self.narrow(features)
        for block in self.blocks:
            x = block(x)
        return x


class AttentiveConvolution(nn.Module):
    """A block of :class:`ASFormer`.

    Args:
        width: of input and output.
        reach: frames to either side that it looks at.
    """

    def __init__(self, width: int, reach: int) -> None:
        super().__init__()
        self.convolution = _dilated(width, reach)
        self.norm = nn.InstanceNorm1d(width)
        self.attention = WindowAttention(width, reach)
        self.mix = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) to the same."""
        seen = functional.relu(self.convolution(x.mT))
        return x + self.mix(self.attention(self.norm(seen).mT) + seen.mT)


class WindowAttention(nn.Module):
    """Attention of every frame to those around it.

    Args:
        width: of input and output.
        reach: frames to either side that it looks at.
    """

    def __init__(self, width: int, reach: int) -> None:
        super().__init__()
        self.inputs, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.reach = reach

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) to the same."""
        query, key, value = self.inputs(x).chunk(3, dim=-1)
        time = torch.arange(x.shape[1], device=x.device)
        near = (time[:, None] - time).abs() <= self.reach
        made: Tensor = self.output(functional.scaled_dot_product_attention(query, key, value, attn_mask=near))
        return made


def _dilated(width: int, step: int) -> nn.Conv1d:
    return nn.Conv1d(width, width, 3, padding=step, dilation=step)
