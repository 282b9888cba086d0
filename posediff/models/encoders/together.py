"""The encoders of a model side by side: each looks at something else of the same performance."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor, nn

from posediff.errors import BadSetting
from posediff.models.outputs import Sample
from posediff.models.settings import DynamicSettings, SkeletalSettings, StaticSettings
from posediff.skeletons import Skeleton


class EncoderSettings(Protocol):
    """What the settings of any model say of its encoders; None leaves one out."""

    @property
    def width(self) -> int: ...
    @property
    def skeletal(self) -> SkeletalSettings | None: ...
    @property
    def dynamic(self) -> DynamicSettings | None: ...
    @property
    def static(self) -> StaticSettings | None: ...


def build_encoders(settings: EncoderSettings, skeleton: Skeleton, dimensions: int) -> nn.ModuleDict:
    """The encoders that the settings ask for, by name.

    Only the libraries of those are imported.

    Args:
        settings: of the model.
        skeleton: of the poses.
        dimensions: of the poses.
    """
    encoders = nn.ModuleDict()
    if settings.dynamic is not None:
        from posediff.models.encoders.dynamic import DynamicEncoder

        encoders["dynamic"] = DynamicEncoder(settings.width, settings.dynamic)
    if settings.skeletal is not None:
        from posediff.models.encoders.skeletal import SkeletalEncoder

        encoders["skeletal"] = SkeletalEncoder(skeleton, dimensions, settings.width, settings.skeletal)
    if settings.static is not None:
        from posediff.models.encoders.static import StaticEncoder

        encoders["static"] = StaticEncoder(settings.width, settings.static)
    return encoders


def encode_each(encoders: nn.ModuleDict, sample: Sample) -> dict[str, Tensor]:
    """Name of the encoder: (B, T, width) features over time, in the order of the encoders.

    Raises:
        BadSetting: if the sample lacks what an encoder takes.
    """
    return {name: encoder(*_inputs(name, sample)) for name, encoder in encoders.items()}


def _inputs(encoder: str, sample: Sample) -> tuple[Tensor, Tensor] | tuple[Sample]:
    """What an encoder is called with."""
    if encoder != "skeletal":
        return (sample,)
    if "poses" not in sample:
        raise BadSetting(
            f"the skeletal encoder takes poses; the samples hold {', '.join(sample)}",
            "let the data settings load them, or set skeletal to None",
        )
    return sample["poses"], sample["confidence"]
