"""The dynamic visual encoder of HP-MCoRe (Qi et al. 2025, section III-B): motion, by I3D on overlapping snippets."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from posediff.errors import BadData, BadSetting
from posediff.models.encoders.i3d import CENTRE, CHANNELS, I3D, STEP, load_i3d
from posediff.models.encoders.interpolation import stretch
from posediff.models.encoders.pictures import SIGNED, Normalise, given_maps
from posediff.models.outputs import Sample
from posediff.models.settings import DynamicSettings
from posediff.weights.files import find, sha256_of

#: How many mixed convolutions there are.
LAYERS = 3


class DynamicEncoder(nn.Module):
    """Pictures become features of every frame: ``maxpool(Conv_mix(I3D(V)))`` (eq. 3).

    The paper says of Conv_mix that it has three layers, works along the time axis and dilates it to T; the released
    code leaves it out. Read here: each layer stretches its input in time by linear interpolation, so that the length
    grows by the same factor from the L steps that I3D gives to T, and then lets convolutions of several lengths in
    time run side by side on every cell of the map, their outputs concatenated (hence mixed), normalised over all of a
    clip (no statistics of a batch) and rectified. The first layer puts I3D's steps where they are in time: overlapping
    snippets leave them unevenly spread. Max-pooling is over the cells.

    I3D gets pixels in [-1, 1], as it was trained; the released code gives it those of ImageNet networks. It stays in
    evaluation mode where it begins from published weights: its BatchNorm keeps their statistics, as in CoRe's code.

    Args:
        width: D.
        settings: of the encoder.

    Raises:
        BadSetting: if the width is too small for the kernels.
        BadData: if the weights cannot be loaded.
    """

    def __init__(self, width: int, settings: DynamicSettings) -> None:
        super().__init__()
        if width < len(settings.kernels):
            raise BadSetting(
                f"width is {width}, below the number of kernels, {len(settings.kernels)}",
                "give a larger width or fewer kernels",
            )
        self.settings = settings
        self.normalise = Normalise(SIGNED)
        self.i3d = I3D().requires_grad_(not settings.frozen)
        if settings.weights:
            load_i3d(self.i3d, settings.weights)
        self.mixed = nn.ModuleList(
            MixedConvolution(width if layer else CHANNELS, width, settings.kernels) for layer in range(LAYERS)
        )
        self.register_buffer("settled", torch.tensor(float(bool(settings.weights))))
        self.train()

    def train(self, mode: bool = True) -> DynamicEncoder:
        """Set the mode, save that of I3D, which stays in evaluation where it is frozen or begins from weights."""
        super().train(mode)
        self.i3d.train(mode and not self.settings.frozen and not self.settled)
        return self

    def maps(self, frames: torch.Tensor) -> torch.Tensor:
        """What I3D makes of all the snippets, in one call.

        Args:
            frames: (B, T, 3, H, W) uint8 RGB.

        Returns:
            (B, L, 1024, H / 32, W / 32), L = snippets * length / 8, in the order of time.

        Raises:
            BadData: if a clip is shorter than a snippet, or these are no pictures.
        """
        count, length = self.settings.snippets, self.settings.length
        starts = snippet_starts(frames.shape[1], count, length)
        snippets = self.normalise(frames[:, torch.from_numpy(starts[:, None] + np.arange(length))])
        # On CPUs, bfloat16 gradients of 3D convolutions are not always finite in torch 2.15.
        with torch.autocast("cpu", enabled=False):
            maps = self.i3d(snippets.flatten(0, 1).transpose(1, 2))
        in_time = torch.from_numpy(np.argsort(_moments(starts, length), kind="stable"))
        return maps.transpose(1, 2).unflatten(0, (-1, count)).flatten(1, 2)[:, in_time]

    def forward(self, sample: Sample) -> torch.Tensor:
        """Encode a batch.

        Args:
            sample: with ``frames``, or ``dynamic`` maps as :meth:`maps` gives them.

        Returns:
            (B, T, width).

        Raises:
            BadData: if it has neither, or maps that do not fit the settings.
            BadSetting: if it has maps, but I3D is to be trained.
        """
        maps = given_maps(sample, "dynamic", CHANNELS, frozen=self.settings.frozen)
        if maps is None:
            maps = self.maps(sample["frames"])
        frames = self._frames(sample)
        starts = snippet_starts(frames, self.settings.snippets, self.settings.length)
        moments = np.sort(_moments(starts, self.settings.length))
        if maps.shape[1] != len(moments):
            raise BadData(
                f"'dynamic' has {maps.shape[1]} steps in time, expected {len(moments)} of "
                f"{self.settings.snippets} snippets of {self.settings.length} frames",
                "extract features with the settings of the model",
            )
        features = maps.flatten(-2).transpose(1, 2)  # (B, C, L, cells)
        for layer, steps in zip(self.mixed, _lengths(len(moments), frames), strict=True):
            wanted = (np.arange(steps) + 0.5) * frames / steps - 0.5
            features = layer(stretch(features, moments, wanted))
            moments = wanted
        return features.amax(-1).transpose(1, 2)

    def _frames(self, sample: Sample) -> int:
        """T, which maps alone do not tell."""
        lengths = {sample[key].shape[1] for key in ("frames", "poses", "static") if key in sample}
        if len(lengths) > 1:
            raise BadData(
                f"the number of frames of a clip is {', '.join(map(str, sorted(lengths)))}, expected one number",
                "load pictures, poses or static features beside dynamic ones, all of as many frames",
            )
        return lengths.pop() if lengths else self.settings.frames


class MixedConvolution(nn.Module):
    """Convolutions of several lengths in time side by side, their outputs concatenated, normalised and rectified.

    Args:
        channels: of the input.
        width: channels of the output, shared out evenly.
        kernels: the lengths, odd.
    """

    def __init__(self, channels: int, width: int, kernels: tuple[int, ...]) -> None:
        super().__init__()
        shares = [width // len(kernels) + (place < width % len(kernels)) for place in range(len(kernels))]
        self.branches = nn.ModuleList(
            nn.Conv2d(channels, share, (kernel, 1), padding=(kernel // 2, 0), bias=False)
            for share, kernel in zip(shares, kernels, strict=True)
        )
        self.norm = nn.GroupNorm(1, width)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """(B, channels, L, cells) to (B, width, L, cells)."""
        return functional.relu(self.norm(torch.cat([branch(features) for branch in self.branches], dim=1)))


def snippet_starts(frames: int, snippets: int, length: int) -> np.ndarray:
    """First frames (snippets,) of windows that are evenly spread over a clip, from its start to its end.

    96 frames and 9 snippets of 16 give 0, 10, ..., 80, as published for FineDiving.

    Raises:
        BadData: if the clip is shorter than a snippet.
    """
    if frames < length:
        raise BadData(
            f"a clip has {frames} frames, fewer than a snippet of I3D, {length}", "load more frames of each clip"
        )
    return np.linspace(0, frames - length, snippets).round().astype(np.int64)


def described(settings: DynamicSettings) -> dict[str, object]:
    """What stored maps have to agree on with a model of these settings.

    Raises:
        BadData: if the weights cannot be found.
    """
    weights = {"sha256": sha256_of(find(settings.weights))} if settings.weights else {}
    return {"backbone": "i3d", "snippets": settings.snippets, "length": settings.length, **weights}


def _moments(starts: np.ndarray, length: int) -> np.ndarray:
    """(L,) the frames that the steps of all snippets are centred on."""
    return (starts[:, None] + np.arange(length // STEP) * STEP + CENTRE).ravel()


def _lengths(steps: int, frames: int) -> list[int]:
    """The lengths that the layers stretch to: a geometric series that ends with T."""
    return [round(steps * (frames / steps) ** ((layer + 1) / LAYERS)) for layer in range(LAYERS)]
