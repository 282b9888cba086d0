import pytest

from posediff.errors import BadSetting
from posediff.models.settings import (
    ContrastSettings,
    DecoderSettings,
    DynamicSettings,
    FusionSettings,
    HPMCoReSettings,
    SegmentationSettings,
    SkeletalSettings,
    StaticSettings,
)


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        (SkeletalSettings, {"levels": (0, 3)}),
        (SkeletalSettings, {"levels": ()}),
        (SkeletalSettings, {"channels": (8, 8), "strides": (1,)}),
        (SkeletalSettings, {"kernel": 4}),
        (SkeletalSettings, {"streams": ("joint", "joint")}),
        (SkeletalSettings, {"dropout": 1.0}),
        (DynamicSettings, {"length": 12}),
        (DynamicSettings, {"kernels": (2,)}),
        (StaticSettings, {"scales": ()}),
        (SegmentationSettings, {"boundaries": (1, 0)}),
        (SegmentationSettings, {"boundaries": (0, 1, 2)}),
        (SegmentationSettings, {"layers": 0}),
        (FusionSettings, {"heads": 0}),
        (ContrastSettings, {"temperature": 0.0}),
        (DecoderSettings, {"gamma": 0.0}),
        (DecoderSettings, {"steps": 0}),
        (HPMCoReSettings, {"skeletal": None}),
        (HPMCoReSettings, {"width": 30}),
    ],
)
def test_settings_that_cannot_be_used_are_refused_with_what_was_received(settings, wrong):
    with pytest.raises(BadSetting) as caught:
        settings(**wrong)
    name, value = next(iter(wrong.items()))
    assert f"{name}={value!r}" in str(caught.value)


def test_every_fault_is_named_at_once():
    with pytest.raises(BadSetting, match=r"layers.*gamma=-1"):
        DecoderSettings(layers=0, gamma=-1.0)


@pytest.mark.parametrize(("boundaries", "stages"), [((), 1), ((0,), 2), ((1,), 2), ((0, 1), 3)])
def test_boundaries_divide_stages(boundaries, stages):
    assert SegmentationSettings(boundaries=boundaries).stages == stages
