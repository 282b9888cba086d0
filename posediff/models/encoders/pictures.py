"""Pictures as backbones want them."""

from __future__ import annotations

import torch
from torch import nn

from posediff.errors import BadData, BadSetting
from posediff.models.outputs import Sample

#: Mean and standard deviation of the colours of ImageNet, of pixels in [0, 1].
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))

#: What brings pixels to [-1, 1], as I3D was trained.
SIGNED = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

Colours = tuple[tuple[float, float, float], tuple[float, float, float]]


class Normalise(nn.Module):
    """Pixels from 0 to 255 become numbers around 0.

    Args:
        colours: mean and standard deviation of red, green and blue, of pixels in [0, 1].
    """

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, colours: Colours) -> None:
        super().__init__()
        for name, values in zip(("mean", "deviation"), colours, strict=True):
            self.register_buffer(name, 255 * torch.tensor(values)[:, None, None], persistent=False)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Normalise pictures (..., 3, H, W) of uint8 to float32.

        Raises:
            BadData: if they are not such pictures.
        """
        if pictures.dtype != torch.uint8 or pictures.ndim < 3 or pictures.shape[-3] != 3:
            raise BadData(
                f"the pictures are {tuple(pictures.shape)} of {str(pictures.dtype).removeprefix('torch.')}, "
                "expected (..., 3, H, W) of uint8",
                "give RGB pictures as they are decoded",
            )
        return (pictures - self.mean) / self.deviation


def given_maps(sample: Sample, key: str, channels: int, *, frozen: bool) -> torch.Tensor | None:
    """The maps of a backbone (B, L, C, h, w) that a sample brings along, or None where it brings pictures.

    Args:
        sample: the sample.
        key: name of the maps.
        channels: C.
        frozen: whether the backbone is left as it is.

    Raises:
        BadData: if it has neither, or maps of another shape.
        BadSetting: if it has maps, but the backbone is to be trained.
    """
    maps = sample.get(key)
    if maps is None:
        if "frames" not in sample:
            raise BadData(
                f"the sample has neither 'frames' nor {key!r} but {', '.join(sample) or 'nothing'}",
                f"load pictures, or features of {key!r}",
            )
        return None
    if not frozen:
        raise BadSetting(
            f"{key}.frozen is False, but the sample has extracted features, which do not reach the backbone",
            f"set {key}.frozen, or load pictures",
        )
    if maps.ndim != 5 or maps.shape[2] != channels:
        raise BadData(
            f"{key!r} is {tuple(maps.shape)}, expected (B, steps, {channels}, h, w)",
            "extract features with the backbone of the model",
        )
    return maps
