from dataclasses import dataclass

import pytest

from posediff.engine.models import MODELS, Task, boundaries, make_model, settings_of, stage_names, without_weights
from posediff.errors import BadSetting
from posediff.models.core_settings import CoReSettings
from posediff.models.settings import DynamicSettings, HPMCoReSettings, SegmentationSettings, StaticSettings
from posediff.models.skilldiff_settings import SkillDiffSettings
from posediff.skeletons import MPII16
from tests.engine.tiny import Tiny, TinySettings

TASK = Task("mpii16", 3, ("take-off", "flight", "entry"), 2.0)


def test_every_model_has_settings_whose_defaults_can_be_used():
    for name in MODELS:
        settings_of(name)()


def test_a_model_is_made_for_a_task():
    network = make_model("tiny", TinySettings(width=4), TASK)
    assert isinstance(network, Tiny)
    assert network.embed.in_features == len(MPII16.joints) * 3
    assert network.transitions == TASK.transitions == 2


@pytest.mark.parametrize("use", [settings_of, lambda name: make_model(name, TinySettings(), TASK)])
def test_an_unknown_model_is_answered_with_the_one_that_looks_like_it(use):
    with pytest.raises(BadSetting, match=r"model\.type is 'hp_mocre'") as caught:
        use("hp_mocre")
    assert caught.value.hint == "did you mean hp_mcore?"


def test_stages_begin_at_the_transitions_that_the_settings_name_or_at_all():
    assert boundaries(HPMCoReSettings(segmentation=SegmentationSettings(boundaries=(1,))), 2) == (1,)
    assert boundaries(TinySettings(), 2) == (0, 1)
    assert boundaries(CoReSettings(), 2) == ()
    assert boundaries(SkillDiffSettings(), 2) == ()


def test_stages_that_are_not_told_apart_have_both_names():
    labelled = ("take-off", "flight", "entry")
    assert stage_names((0, 1), labelled, 3) == labelled
    assert stage_names((1,), labelled, 2) == ("take-off + flight", "entry")
    assert stage_names((), labelled, 1) == ("take-off + flight + entry",)


def test_stages_that_are_none_of_the_labelled_ones_have_numbers():
    assert stage_names((), ("take-off", "entry"), 3) == ("segment 1", "segment 2", "segment 3")
    assert stage_names((), ("whole",), 2) == ("segment 1", "segment 2")


def test_files_of_weights_are_left_out_and_nothing_else():
    settings = HPMCoReSettings(
        dynamic=DynamicSettings(weights="i3d.pth", length=8), static=StaticSettings(weights="resnet.pth")
    )
    bare = without_weights(settings)
    assert (bare.dynamic, bare.static) == (DynamicSettings(length=8), StaticSettings())
    assert without_weights(HPMCoReSettings()) == HPMCoReSettings()


def test_a_class_of_settings_is_left_as_it_is():
    @dataclass(frozen=True)
    class Named:
        kind: type = TinySettings
        weights: str = "a"

    assert without_weights(Named()) == Named(weights="")
