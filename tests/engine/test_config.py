import json
import textwrap

import pytest

from posediff.datasets.synthetic_dives import SyntheticDivesSettings
from posediff.engine.config import FORMAT, expanded, from_resolved, load_experiment, resolved
from posediff.engine.experiment import SourceChoice
from posediff.errors import BadData, BadSetting, MissingDependency
from posediff.models.settings import DynamicSettings, HPMCoReSettings, SkeletalSettings

BASE = """
_clips = 50
data = dict(source=dict(type="synthetic_dives", clips=_clips), inputs=dict(frames=24))
optimizer = dict(lr=1e-3)
"""


@pytest.fixture
def config(tmp_path):
    """Writes a configuration file that is based on another, and gives its path."""
    (tmp_path / "base.py").write_text(BASE)

    def write(text="", name="dives.py"):
        path = tmp_path / name
        path.write_text('_base_ = "base.py"\n' + textwrap.dedent(text))
        return path

    return write


def test_a_configuration_is_its_base_with_changes_and_every_default(config):
    found = load_experiment(config('optimizer = dict(type="SGD")\ntraining = dict(seed=3)'))
    assert (found.optimizer.type, found.optimizer.lr, found.training.seed) == ("SGD", 1e-3, 3)
    assert found.data.source == SourceChoice("synthetic_dives", SyntheticDivesSettings(clips=50))
    assert found.model.settings == HPMCoReSettings()
    assert found.name == "dives"


def test_dicts_of_the_base_can_be_replaced_as_a_whole(config):
    found = load_experiment(config('data = dict(_delete_=True, source=dict(type="synthetic_dives"))'))
    assert found.data.inputs.frames == 96


def test_resolved_is_json_and_its_inverse_gives_the_same_experiment(config):
    found = load_experiment(config("model = dict(dynamic=dict(frozen=True), segmentation=dict(boundaries=[0, 1]))"))
    assert from_resolved(json.loads(json.dumps(resolved(found)))) == found
    assert resolved(found)["model"]["skeletal"]["channels"] == [64, 64, 64, 64, 128]


def test_the_experiment_of_a_working_folder_is_a_configuration(config, tmp_path):
    found = load_experiment(config())
    path = tmp_path / "experiment.json"
    path.write_text(json.dumps({"format": FORMAT, "experiment": resolved(found)}))
    assert load_experiment(path) == found
    path.write_text(json.dumps({"format": "other/1"}))
    with pytest.raises(BadData, match="is not of the format"):
        load_experiment(path)
    for wrong in (3, [1], "text", None):
        path.write_text(json.dumps({"format": FORMAT, "experiment": wrong}))
        with pytest.raises(BadData, match=rf"experiment\.json: its experiment is {type(wrong).__name__}"):
            load_experiment(path)
    path.write_text('{"format":')
    with pytest.raises(BadData, match="cannot be read"):
        load_experiment(path)


def test_options_replace_settings_and_are_python_literals_or_text(config):
    options = [
        "optimizer.lr=2e-4",
        "training.device=cpu",
        "model.skeletal.norm=layer",
        "model.skeletal.channels=[8, 8]",
        "model.skeletal.strides=(1, 2)",
        "model.dynamic={'frozen': True}",
        "data.augment={}",
        "training.patience=None",
        "name=12",
    ]
    found = load_experiment(config(), options)
    assert (found.optimizer.lr, found.training.device, found.training.patience) == (2e-4, "cpu", None)
    assert found.model.settings.skeletal == SkeletalSettings(norm="layer", channels=(8, 8), strides=(1, 2))
    assert found.model.settings.dynamic == DynamicSettings(frozen=True)
    assert found.data.augment is not None
    assert found.name == "12"


def test_later_options_count_and_may_choose_what_others_are_about(config):
    options = ["data.source={'type': 'folder', 'csv': 'a.csv'}", "data.source.csv=b.csv", "training.seed=1"]
    found = load_experiment(config(), [*options, "training.seed=2"])
    assert (found.data.source.settings.csv, found.training.seed) == ("b.csv", 2)


@pytest.mark.parametrize(
    ("option", "message", "hint"),
    [
        ("optimizer.learning_rate=1", "no setting optimizer.learning_rate", "there are: type, lr"),
        ("optimiser.lr=1", "no setting optimiser", "did you mean optimizer?"),
        ("model.skeletal.chanels=1", "no setting model.skeletal.chanels", "did you mean model.skeletal.channels?"),
        (
            "model.dynamic.frozen=True",
            "model.dynamic is None, so it has no frozen",
            "model.dynamic='{\"frozen\": ...}'",
        ),
        ("optimizer.lr.x=1", "optimizer.lr has no settings of its own", "give optimizer.lr=..."),
        ("data.source.rat=1", "no setting data.source.rat", "did you mean data.source.rate?"),
        ("optimizer.lr", "is not KEY=VALUE", "optimizer.lr=1e-4"),
        ("optimizer..lr=1", "is not KEY=VALUE", "optimizer.lr=1e-4"),
        ("optimizer.lr=high", "optimizer.lr is 'high', expected a number", "correct"),
    ],
)
def test_options_that_name_no_setting_are_refused(config, option, message, hint):
    with pytest.raises(BadSetting) as caught:
        load_experiment(config(), [option])
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_options_are_refused_before_anything_is_built(config):
    with pytest.raises(BadSetting, match=r"no setting optimizer\.x"):
        load_experiment(config("optimizer = dict(lr='wrong')"), ["optimizer.x=1"])


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("model = dict(skeletal=dict(chanels=[1]))", BadSetting, r"model\.skeletal\.chanels: there is no such setting"),
        ("optimiser = dict()", BadSetting, "optimiser: there is no such setting"),
        ("model = dict(type='hp_mcor')", BadSetting, "there is no such model"),
        ("data = dict(source=dict(type='fine_diving'))", BadSetting, "no data set 'fine_diving'"),
        ("optimizer = dict(betas=[0.9])", BadSetting, r"optimizer\.betas is \[0\.9\]"),
        ("optimizer = dict(lr=-1.0)", BadSetting, r"optimizer: .* lr is above 0 and at most 1e6; got lr=-1\.0"),
        ("optimizer = dict(", BadData, r"dives\.py: cannot be read: .* in line 2"),
        ("optimizer = dict(lr=1e38)", BadSetting, "lr is above 0 and at most 1e6"),
        ("1 / 0", BadData, "cannot be read: ZeroDivisionError"),
        ("import sys\nsys.exit(0)", BadData, "cannot be read: SystemExit: 0"),
    ],
)
def test_a_broken_configuration_is_one_clear_line(config, text, error, message):
    with pytest.raises(error, match=message) as caught:
        load_experiment(config(text))
    assert "\n" not in str(caught.value)


def test_a_base_that_is_not_there_is_named(tmp_path):
    (tmp_path / "a.py").write_text("_base_ = 'lost.py'")
    with pytest.raises(BadData, match=r"needs a file that is not there \(.*lost\.py.*\)"):
        load_experiment(tmp_path / "a.py")


def test_a_file_that_is_no_configuration_is_refused(tmp_path):
    with pytest.raises(BadData, match="there is no such file"):
        load_experiment(tmp_path / "lost.py")
    (tmp_path / "a.txt").write_text("x = 1")
    with pytest.raises(BadData, match="is not a Python file"):
        load_experiment(tmp_path / "a.txt")
    (tmp_path / "empty.py").write_text("")
    with pytest.raises(BadSetting, match="data is missing"):
        load_experiment(tmp_path / "empty.py")


def test_reading_a_configuration_without_mmengine_says_how_to_install_it(config, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mmengine.config", None)
    with pytest.raises(MissingDependency, match="mmengine"):
        load_experiment(config())


def test_variables_and_the_home_folder_are_replaced_when_a_path_is_used(config, monkeypatch):
    monkeypatch.setenv("DIVES", "/data/dives")
    monkeypatch.setenv("HOME", "/users/ana")
    source = "dict(_delete_=True, type='folder', csv='$DIVES/a.csv', poses='~/poses', stages=['${DIVES}x', 'b'])"
    found = load_experiment(config(f"data = dict(source={source})"))
    assert resolved(found)["data"]["source"]["csv"] == "$DIVES/a.csv"
    used = expanded(found).data.source.settings
    assert (used.csv, used.poses, used.stages) == ("/data/dives/a.csv", "/users/ana/poses", ("/data/divesx", "b"))
    monkeypatch.delenv("DIVES")
    with pytest.raises(BadSetting, match="the environment variable DIVES is not set"):
        expanded(found)
