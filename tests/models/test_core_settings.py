import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from posediff.errors import BadSetting
from posediff.models.core_settings import CoReSettings

CONFIGS = Path(__file__).parents[2] / "configs"
ABLATIONS = sorted((CONFIGS / "ablations_core").glob("*.py"))


def experiment(path):
    pytest.importorskip("mmengine")
    from posediff.engine.config import load_experiment

    return load_experiment(path)


def test_the_defaults_are_the_papers():
    found = CoReSettings()
    assert (found.head, found.depth, found.hidden) == ("gart", 5, 256)
    assert (found.contrastive, found.reference_score, found.steps) == (True, True, 1)
    assert found.inference == "most_probable"


@pytest.mark.parametrize(
    ("setting", "value"), [("depth", 0), ("depth", 11), ("width", 0), ("steps", 0), ("hidden", 0), ("skeletal", None)]
)
def test_a_setting_outside_of_its_range_is_named_with_its_value(setting, value):
    with pytest.raises(BadSetting, match=f"{setting}={value}"):
        CoReSettings(**{setting: value})


def test_settings_are_read_without_torch():
    code = "import sys, posediff.models.core_settings; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_configuration_of_the_paper_has_its_settings():
    found = experiment(CONFIGS / "core_mtl_aqa.py")
    model, dynamic = found.model.settings, found.model.settings.dynamic
    assert (model.skeletal, model.static) == (None, None)
    assert (dynamic.frames, dynamic.snippets, dynamic.length) == (103, 10, 16)
    assert (found.optimizer.type, found.optimizer.lr, found.optimizer.backbone_lr) == ("Adam", 1e-3, 1e-4)
    assert (found.optimizer.weight_decay, found.schedule.type) == (0.0, "constant")
    assert (found.data.exemplars.by, found.data.exemplars.count) == ("difficulty", 10)


@pytest.mark.parametrize("path", ABLATIONS, ids=lambda path: path.stem)
def test_an_ablation_changes_one_part_of_it(path):
    full, found = experiment(CONFIGS / "core_mtl_aqa.py"), experiment(path)
    assert [field.name for field in fields(full) if getattr(full, field.name) != getattr(found, field.name)] in (
        ["data", "name"],
        ["model", "name"],
    )


@pytest.mark.parametrize("name", ["core_folder", "core_synthetic_dives"])
def test_the_others_are_of_skeletons_alone(name):
    found = experiment(CONFIGS / f"{name}.py")
    assert found.model.name == "core"
    assert (found.model.settings.dynamic, found.model.settings.static) == (None, None)
