"""Everything about a model that can be chosen. The defaults are those of HP-MCoRe (Qi et al. 2025), save where said."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import Literal

from posediff.errors import BadSetting


def check(owner: object, rules: dict[str, bool]) -> None:
    """Raise one error that names every setting of ``owner`` whose rule does not hold.

    Args:
        owner: a settings object.
        rules: what is expected (``"width is above 0"``, the setting's name first): whether it holds.

    Raises:
        BadSetting: naming the values received.
    """
    given = {field.name: getattr(owner, field.name) for field in fields(owner)}  # type: ignore[arg-type]
    broken = [rule for rule, holds in rules.items() if not holds]
    if broken:
        names = [name for rule in broken for name in given if name in re.findall(r"\w+", rule)]
        received = ", ".join(f"{name}={given[name]!r}" for name in dict.fromkeys(names))
        raise BadSetting(f"{type(owner).__name__}: expected that {'; '.join(broken)}; got {received}", "correct them")


@dataclass(frozen=True)
class SkeletalSettings:
    """The hierarchical skeletal encoder (eq. 4 and 5).

    Attributes:
        streams: what it is given of every joint, of ``joint, bone, angle, body, motion``; see
            :class:`posediff.models.encoders.streams.KinematicStreams`. The paper takes ``joint``.
        channels: of the blocks, in order.
        levels: the levels of the hierarchy that are used: 0 torso, 1 inner limbs, 2 outer limbs. Joints in the graph of
            none of them are left out.
        edge_conv: whether EdgeConv joins adjacent levels (eq. 5).
        neighbours: k of the nearest-neighbour graph of EdgeConv, on top of the fixed edges, a joint itself not counted.
        kernel: frames of the longest temporal convolution.
        strides: steps in time of the blocks; features are brought back to the input's length at the end.
        norm: ``batch``, or ``layer``, which does not depend on how a batch is divided between processes.
        dropout: probability, after each block.
    """

    streams: tuple[Literal["joint", "bone", "angle", "body", "motion"], ...] = ("joint",)
    channels: tuple[int, ...] = (64, 64, 64, 64, 128)
    levels: tuple[int, ...] = (0, 1, 2)
    edge_conv: bool = True
    neighbours: int = 5
    kernel: int = 9
    strides: tuple[int, ...] = (1, 1, 1, 1, 1)
    norm: Literal["batch", "layer"] = "batch"
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check(
            self,
            {
                "streams has no stream twice and one at least": 0 < len(set(self.streams)) == len(self.streams),
                "channels are 4 or more, one for each branch": bool(self.channels) and min(self.channels) >= 4,
                "strides has one positive number for each of channels": len(self.strides) == len(self.channels)
                and min(self.strides) > 0,
                "levels are some of 0, 1, 2": bool(self.levels) and set(self.levels) <= {0, 1, 2},
                "neighbours is 0 or more": self.neighbours >= 0,
                "kernel is odd": self.kernel > 0 and self.kernel % 2 == 1,
                "dropout is from 0 to below 1": 0 <= self.dropout < 1,
            },
        )


@dataclass(frozen=True)
class DynamicSettings:
    """The dynamic visual encoder: I3D on overlapping snippets, mixed convolutions, max-pooling (eq. 3).

    Attributes:
        snippets: how many, evenly spread over the clip.
        length: frames of a snippet.
        frames: T, of clips that are given as extracted features alone; others tell it themselves.
        weights: path or known name of I3D's Kinetics RGB weights; empty for none.
        frozen: whether I3D itself is left as it is; the layers after it are always trained.
        kernels: lengths of the mixed temporal convolutions.
    """

    snippets: int = 9
    length: int = 16
    frames: int = 96
    weights: str = ""
    frozen: bool = False
    kernels: tuple[int, ...] = (3, 5, 7)

    def __post_init__(self) -> None:
        check(
            self,
            {
                "snippets is above 0": self.snippets > 0,
                "frames is length or more": self.frames >= self.length,
                "length is a positive multiple of 8": self.length > 0 and self.length % 8 == 0,
                "kernels are odd": bool(self.kernels) and all(k > 0 and k % 2 == 1 for k in self.kernels),
            },
        )


@dataclass(frozen=True)
class StaticSettings:
    """The static visual encoder: a network of single pictures with multi-branch down-sampling (eq. 2).

    Attributes:
        backbone: ``resnet50`` of torchvision, any other ``resnet*`` of it, or ``regnety_002`` and others of timm.
        weights: path or known name of its weights; empty for none.
        frozen: whether the backbone is left as it is.
        scales: side lengths of the grids that the branches look at.
    """

    backbone: str = "resnet50"
    weights: str = ""
    frozen: bool = False
    scales: tuple[int, ...] = (1, 2, 3)

    def __post_init__(self) -> None:
        check(self, {"scales are positive": bool(self.scales) and min(self.scales) > 0})


@dataclass(frozen=True)
class SegmentationSettings:
    """Procedure segmentation (eq. 6 and 7).

    Attributes:
        kind: the network.
        boundaries: which of the labelled transitions divide the stages: ``(0, 1)`` for K = 3, ``(0,)`` for K = 2 with
            the take-off apart, ``(1,)`` for K = 2* with the entry apart, ``()`` for K = 1.
        hidden: width of the network.
        layers: its depth. Layers of ``tcn`` and ``asformer`` reach 1, 2, 4 ... frames far, so these need several.
        weight: of the loss.
        class_weights: of the labelled transitions in it; the released code counts the second twice.
        loss: ``frames`` classifies every frame (as the released code), ``time`` picks the moment of each transition.
        windows: whether the i-th of n transitions is only searched in the i-th n-th of the clip (as the released code).
    """

    kind: Literal["bigru", "fc", "tcn", "asformer"] = "bigru"
    boundaries: tuple[int, ...] = (0, 1)
    hidden: int = 128
    layers: int = 1
    weight: float = 1.0
    class_weights: tuple[float, ...] = (1.0, 2.0)
    loss: Literal["frames", "time"] = "frames"
    windows: bool = False

    def __post_init__(self) -> None:
        check(
            self,
            {
                "boundaries increase from 0": list(self.boundaries) == sorted(set(self.boundaries))
                and min(self.boundaries, default=0) >= 0,
                "class_weights has one for all that boundaries name": max(self.boundaries, default=-1)
                < len(self.class_weights),
                "weight is 0 or more": self.weight >= 0,
                "hidden is above 0": self.hidden > 0,
                "layers is above 0": self.layers > 0,
            },
        )

    @property
    def stages(self) -> int:
        """K."""
        return len(self.boundaries) + 1


@dataclass(frozen=True)
class FusionSettings:
    """Multi-modal fusion (eq. 8 to 11).

    Attributes:
        kind: how the attention maps are joined: ``weighted`` by a learnt rho, ``addition``, or ``dot`` product.
        heads: of the attention.
        rho: initial weight of the skeleton's map.
    """

    kind: Literal["weighted", "addition", "dot"] = "weighted"
    heads: int = 2
    rho: float = 1.0

    def __post_init__(self) -> None:
        check(self, {"heads is above 0": self.heads > 0})


@dataclass(frozen=True)
class ContrastSettings:
    """The contrastive loss between stages (eq. 12 to 16).

    Attributes:
        kind: ``stagewise``, or ``infonce``, ``triplet``, ``none``.
        temperature: 0.5 in the paper, 0.1 in the released code.
        weight: of the loss; 1 in the paper, 10 in the released code.
        margin: of the triplet loss.
    """

    kind: Literal["stagewise", "infonce", "triplet", "none"] = "stagewise"
    temperature: float = 0.5
    weight: float = 1.0
    margin: float = 0.3

    def __post_init__(self) -> None:
        check(
            self,
            {
                "temperature is above 0": self.temperature > 0,
                "weight is 0 or more": self.weight >= 0,
                "margin is 0 or more": self.margin >= 0,
            },
        )


@dataclass(frozen=True)
class DecoderSettings:
    """Stage-wise regression of score differences (eq. 17 to 20).

    Attributes:
        layers, heads: of the transformer decoder; the paper names 4 layers, and 4 heads.
        steps: T, to which each stage is pooled; the released code takes 10.
        align: whether the exemplar's steps are aligned with the query's by soft-DTW before the decoder.
        gamma: softness of that alignment.
        weighting: how lambda_k is normalised.
        dropout: in the decoder.
        antisymmetric: whether the difference is computed both ways and subtracted: exchanging the two then turns its
            sign, and of a performance with itself it is 0. The papers do not ask for it; it costs the decoder twice.
    """

    layers: int = 4
    heads: int = 4
    steps: int = 5
    align: bool = False
    gamma: float = 0.1
    weighting: Literal["softmax", "sum"] = "softmax"
    dropout: float = 0.0
    antisymmetric: bool = True

    def __post_init__(self) -> None:
        check(
            self,
            {
                "layers heads steps are above 0": min(self.layers, self.heads, self.steps) > 0,
                "gamma is above 0": self.gamma > 0,
                "dropout is from 0 to below 1": 0 <= self.dropout < 1,
            },
        )


@dataclass(frozen=True)
class HPMCoReSettings:
    """HP-MCoRe: hierarchical pose-guided multi-stage contrastive regression.

    Attributes:
        width: D, of all features after the encoders.
        skeletal, dynamic, static: the encoders; None leaves one out.
        segmentation, fusion, contrast, decoder: the parts after them.
        guided_by: ``truth`` pools stages by the labelled transitions in training (as the released code), ``prediction``
            by the predicted ones.
    """

    width: int = 128
    skeletal: SkeletalSettings | None = field(default_factory=SkeletalSettings)
    dynamic: DynamicSettings | None = None
    static: StaticSettings | None = None
    segmentation: SegmentationSettings = field(default_factory=SegmentationSettings)
    fusion: FusionSettings = field(default_factory=FusionSettings)
    contrast: ContrastSettings = field(default_factory=ContrastSettings)
    decoder: DecoderSettings = field(default_factory=DecoderSettings)
    guided_by: Literal["truth", "prediction"] = "truth"

    def __post_init__(self) -> None:
        check(
            self,
            {
                "one of skeletal, dynamic, static is there": any((self.skeletal, self.dynamic, self.static)),
                "width is a positive multiple of the heads": self.width > 0
                and self.width % self.fusion.heads == 0
                and self.width % self.decoder.heads == 0,
            },
        )
