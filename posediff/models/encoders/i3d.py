"""I3D (Carreira and Zisserman 2017): Inception-V1 with its filters inflated to three dimensions, for RGB."""

from __future__ import annotations

import re
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional

from posediff.errors import BadData
from posediff.weights.checkpoints import load_weights, read_checkpoint, weights_of
from posediff.weights.files import find

#: Channels of the features.
CHANNELS = 1024

#: Frames from one step of the features to the next, and the frame that the first one is centred on: the strides of 2 of
#: a kernel of 7, one of 3 and one of 2, padded as TensorFlow does.
STEP, CENTRE = 8, 5.0

_HINT = "give I3D's Kinetics RGB weights, as pytorch-i3d (rgb_imagenet.pt) or kinetics_i3d_pytorch (model_rgb.pth) have"

#: Channels into each block and out of the convolutions of its branches.
_MIXED: dict[str, tuple[int, int, tuple[int, int], tuple[int, int], int]] = {
    "mixed_3b": (192, 64, (96, 128), (16, 32), 32),
    "mixed_3c": (256, 128, (128, 192), (32, 96), 64),
    "mixed_4b": (480, 192, (96, 208), (16, 48), 64),
    "mixed_4c": (512, 160, (112, 224), (24, 64), 64),
    "mixed_4d": (512, 128, (128, 256), (24, 64), 64),
    "mixed_4e": (512, 112, (144, 288), (32, 64), 64),
    "mixed_4f": (528, 256, (160, 320), (32, 128), 128),
    "mixed_5b": (832, 256, (160, 320), (32, 128), 128),
    "mixed_5c": (832, 384, (192, 384), (48, 128), 128),
}


class I3D(nn.Module):
    """The trunk of I3D, up to Mixed_5c, with random weights; :func:`load_i3d` puts published ones in."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_1a = _Convolution(3, 64, 7, stride=2)
        self.pool_2a = _MaxPool((1, 3, 3), (1, 2, 2))
        self.conv_2b = _Convolution(64, 64, 1)
        self.conv_2c = _Convolution(64, 192, 3)
        self.pool_3a = _MaxPool((1, 3, 3), (1, 2, 2))
        for name, branches in _MIXED.items():
            if name == "mixed_4b":
                self.pool_4a = _MaxPool((3, 3, 3), (2, 2, 2))
            if name == "mixed_5b":
                self.pool_5a = _MaxPool((2, 2, 2), (2, 2, 2))
            self.add_module(name, _Inception(*branches))

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Features of clips.

        Args:
            clips: (N, 3, F, H, W) RGB in [-1, 1], F frames at 25 a second in the Kinetics data.

        Returns:
            (N, 1024, F / 8, H / 32, W / 32), fractions rounded up.
        """
        for layer in self.children():  # in the order above
            clips = layer(clips)
        return clips


def load_i3d(model: I3D, path: str | Path) -> None:
    """Put published Kinetics RGB weights into a trunk; those of the classifier are left out.

    Names as in pytorch-i3d (``Mixed_3b.b1a.bn.weight``), as in kinetics_i3d_pytorch
    (``mixed_3b.branch_1.0.batch3d.weight``) and of :class:`I3D` itself are understood.

    Args:
        model: the trunk.
        path: of a checkpoint, or a name that :func:`posediff.weights.files.find` knows.

    Raises:
        BadData: if it is no such checkpoint, lacks weights, or has some of another shape.
    """
    file = find(path, hint=_HINT)
    state = {_own_name(name): value for name, value in weights_of(read_checkpoint(file), file).items()}
    try:
        load_weights(model, state, file)
    except BadData as error:
        raise BadData(str(error), _HINT) from None


def _own_name(published: str) -> str:
    name = re.sub(r"^conv3d_(\d\w)_\dx\d\.", r"conv_\1.", published.lower())
    name = re.sub(r"\.branch_0\.|\.b0\.", ".0.0.", name)
    name = re.sub(r"\.branch_([123])\.", r".\1.", name)
    name = re.sub(r"\.b([123])([ab])\.", lambda found: f".{found[1]}.{'ab'.index(found[2])}.", name)
    return name.replace(".conv3d.", ".conv.").replace(".batch3d.", ".norm.").replace(".bn.", ".norm.")


class _Convolution(nn.Module):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        padding = kernel // 2 if stride == 1 else 0
        self.conv = nn.Conv3d(channels, out, kernel, stride, padding, bias=False)
        nn.init.kaiming_uniform_(self.conv.weight, nonlinearity="relu")
        self.norm = nn.BatchNorm3d(out, eps=1e-3)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        if self.conv.stride[0] > 1:
            features = _pad(features, self.conv.kernel_size, self.conv.stride)
        return functional.relu(self.norm(self.conv(features)), inplace=True)


class _MaxPool(nn.MaxPool3d):
    """Max-pooling, padded as TensorFlow does."""

    def __init__(self, kernel: tuple[int, int, int], stride: tuple[int, int, int]) -> None:
        super().__init__(kernel, stride)
        self.kernel, self.steps = kernel, stride

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return super().forward(_pad(features, self.kernel, self.steps))


class _Inception(nn.ModuleList):
    """Four branches side by side: 1; 1 and 3; 1 and 3 with fewer channels; pooling and 1."""

    def __init__(self, channels: int, first: int, second: tuple[int, int], third: tuple[int, int], fourth: int) -> None:
        super().__init__(
            [
                nn.Sequential(_Convolution(channels, first, 1)),
                nn.Sequential(_Convolution(channels, second[0], 1), _Convolution(*second, 3)),
                nn.Sequential(_Convolution(channels, third[0], 1), _Convolution(*third, 3)),
                nn.Sequential(nn.MaxPool3d(3, 1, 1), _Convolution(channels, fourth, 1)),
            ]
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return torch.cat([branch(features) for branch in self], dim=1)


def _pad(features: torch.Tensor, kernel: tuple[int, ...], stride: tuple[int, ...]) -> torch.Tensor:
    """Pad (N, C, F, H, W) so that ceil(size / stride) steps come out, the odd one at the end (TensorFlow's SAME).

    Zeros do for max-pooling too: what is pooled here comes out of ReLUs.
    """
    pads: list[int] = []
    for size, width, step in zip(features.shape[2:], kernel, stride, strict=True):
        missing = max((-(-size // step) - 1) * step + width - size, 0)
        pads = [missing // 2, missing - missing // 2, *pads]  # functional.pad begins with the last dimension
    return functional.pad(features, pads)
