import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from posediff.engine.checkpoints import (
    Checkpoint,
    Progress,
    first_difference,
    load,
    network_of,
    require_fitting,
    require_resumable,
    save,
)
from posediff.engine.models import Task, make_model
from posediff.errors import BadData, BadSetting, CannotWrite
from tests.engine.tiny import experiment

TASK = Task("mpii16", 2, ("take-off", "flight", "entry"), 2.5)


def checkpoint(**changes):
    """A checkpoint of the small experiment in which training can go on."""
    found = experiment(**changes)
    network = make_model(found.model.name, found.model.settings, TASK)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.1)
    network.embed.weight.sum().backward()
    optimizer.step()
    progress = Progress(3, 2, {"srcc": 0.5, "aiou_50_flight": None}, 1, {"srcc": 0.4}, (0.1, 0.25))
    states = optimizer.state_dict(), ({"last_step": 3, "base_values": [0.1]},)
    return Checkpoint(network.state_dict(), found, TASK, progress, *states, {"posediff": "0"})


@pytest.fixture
def path(tmp_path):
    """A checkpoint on the disk."""
    save(tmp_path / "last.pth", checkpoint())
    return tmp_path / "last.pth"


def test_what_is_read_is_what_was_written(path):
    torch.manual_seed(0)
    written = checkpoint(training__seed=4)
    save(path, written)
    read = load(path)
    for part in ("experiment", "task", "progress", "provenance"):
        assert getattr(read, part) == getattr(written, part)
    assert read.schedule == written.schedule
    assert type(read.progress.best_epoch) is int
    assert read.model.keys() == written.model.keys()
    assert all(torch.equal(read.model[name], written.model[name]) for name in read.model)
    state, expected = read.optimizer["state"][0], written.optimizer["state"][0]
    assert all(torch.equal(state[name], expected[name]) for name in expected)


def test_a_checkpoint_of_before_has_no_errors_and_is_else_the_same(path):
    content = torch.load(path, weights_only=True)
    del content["errors"]
    torch.save(content, path)
    assert load(path).progress == replace(checkpoint().progress, errors=())
    del content["waited"]
    torch.save(content, path)
    with pytest.raises(BadData, match="it lacks 'waited'"):
        load(path)


@pytest.mark.parametrize("errors", ["x", [-0.1], [float("nan")], [None], 3.0])
def test_damaged_errors_are_refused(path, errors):
    torch.save({**torch.load(path, weights_only=True), "errors": errors}, path)
    with pytest.raises(BadData, match=r"last\.pth: .*errors"):
        load(path)


def test_torch_reads_it_with_weights_only_and_no_class_allowed(path):
    assert torch.serialization.get_unsafe_globals_in_checkpoint(path) == []
    content = torch.load(path, weights_only=True)
    assert content["format"] == "posediff.checkpoint/1"
    assert (content["skeleton"], content["dimensions"], content["scale"]) == ("mpii16", 2, 2.5)
    assert content["experiment"]["model"]["type"] == "tiny"


def test_the_network_of_a_checkpoint_has_its_weights(path):
    network = network_of(load(path), path)
    assert not network.training
    assert torch.equal(network.embed.weight, torch.load(path, weights_only=True)["model"]["embed.weight"])


def test_files_of_weights_that_it_was_begun_with_are_not_needed_any_more(path):
    found = checkpoint()
    settings = replace(found.experiment.model.settings, weights="no/longer/there.pth")
    found = replace(
        found, experiment=replace(found.experiment, model=replace(found.experiment.model, settings=settings))
    )
    save(path, found)
    network_of(load(path), path)
    require_fitting(load(path), experiment(), path)
    require_resumable(load(path), experiment(), path)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.95])
def test_a_file_that_is_cut_off_is_refused(path, part):
    data = path.read_bytes()
    path.write_bytes(data[: int(part * len(data))])
    with pytest.raises(BadData, match=r"last\.pth: cannot be read as a PyTorch checkpoint"):
        load(path)


def test_what_is_no_checkpoint_of_posediff_is_refused(path):
    torch.save({"state_dict": {}}, path)
    with pytest.raises(BadData, match="its format is None"):
        load(path)
    with pytest.raises(BadData, match="cannot be read"):
        load(path.with_name("lost.pth"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epoch": "three"}, r"progress\.epoch is 'three', expected a whole number"),
        ({"model": {"embed.weight": 3}}, r"model\.embed\.weight is 3"),
        ({"experiment": {"name": "x"}}, "data is missing"),
        ({"scale": None}, r"task\.scale is None, expected a number"),
        ({"optimizer": []}, "optimizer is"),
    ],
)
def test_content_of_another_form_is_refused(path, change, message):
    torch.save({**torch.load(path, weights_only=True), **change}, path)
    with pytest.raises(BadData, match=message):
        load(path)


@pytest.mark.parametrize("part", ["experiment", "skeleton", "dimensions", "stages", "scale", "difficulty", "epoch"])
@pytest.mark.parametrize("value", ["x", -7, [], {"x": 1}, [[1]], float("nan")])
def test_damaged_metadata_is_refused_with_the_name_of_the_file(path, part, value):
    torch.save({**torch.load(path, weights_only=True), part: value}, path)
    with pytest.raises(BadData, match=r"last\.pth: "):
        network_of(load(path), path)


@pytest.mark.parametrize("value", ["x", 3, None, [1], {1: 2}])
def test_settings_that_are_damaged_inside_are_refused_too(path, value):
    whole = torch.load(path, weights_only=True)
    for part in ("model", "data", "training", "optimizer"):
        torch.save({**whole, "experiment": {**whole["experiment"], part: value}}, path)
        with pytest.raises(BadData, match=r"last\.pth: "):
            load(path)


def test_a_model_that_does_not_go_with_the_data_is_refused_with_the_name_of_the_file(path, monkeypatch):
    def refuse(*_):
        raise BadSetting("segmentation.boundaries are (5,)", "choose others")

    monkeypatch.setattr("posediff.engine.checkpoints.make_model", refuse)
    with pytest.raises(BadData, match=r"last\.pth: its network cannot be made \(segmentation"):
        network_of(load(path), path)


def test_content_that_lacks_a_part_is_refused(path):
    content = torch.load(path, weights_only=True)
    del content["optimizer"]
    torch.save(content, path)
    with pytest.raises(BadData, match="it lacks 'optimizer'"):
        load(path)


def test_weights_of_another_shape_are_refused(path):
    content = torch.load(path, weights_only=True)
    content["model"]["embed.weight"] = torch.zeros(3, 3)
    torch.save(content, path)
    with pytest.raises(BadData, match="its weights do not fit"):
        network_of(load(path), path)


@pytest.mark.parametrize("moment", ["write", "replace"])
def test_a_full_disk_leaves_the_previous_checkpoint(path, monkeypatch, moment):
    before = path.read_bytes()

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class Full:
        def __init__(self, handle, mode):
            os.close(handle)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        write = full

    monkeypatch.setattr(os, "replace" if moment == "replace" else "fdopen", full if moment == "replace" else Full)
    with pytest.raises(CannotWrite, match="No space left"):
        save(path, checkpoint(training__seed=1))
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == ["last.pth"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer__lr": 0.5}, r"optimizer\.lr 0\.01, the configuration says 0\.5"),
        ({"model__width": 4}, r"model\.width 8, the configuration says 4"),
        ({"data__inputs__frames": 13}, r"data\.inputs\.frames 12"),
        ({"data__augment": {}}, r"data\.augment None"),
        ({"training__batch_size": 4}, r"training\.batch_size 8"),
        ({"schedule__type": "cosine"}, r"schedule\.type 'cyclic_cosine'"),
    ],
)
def test_training_goes_on_with_the_settings_that_it_began_with(path, changes, message):
    with pytest.raises(BadSetting, match=rf"it was trained with {message}"):
        require_resumable(load(path), experiment(**changes), path)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"training__epochs": 9},
        {"training__workers": 2, "training__patience": 3},
        {"logging__every": 9, "name": "x"},
    ],
)
def test_what_does_not_change_what_is_computed_may_change(path, changes):
    require_resumable(load(path), experiment(**changes), path)


def test_the_number_of_epochs_may_not_change_where_the_learning_rate_depends_on_it(path):
    save(path, checkpoint(schedule__type="cosine"))
    with pytest.raises(BadSetting, match=r"training\.epochs 2, the configuration says 3"):
        require_resumable(load(path), experiment(schedule__type="cosine", training__epochs=3), path)


def test_training_cannot_go_on_from_weights_alone(path):
    save(path, replace(checkpoint(), optimizer={}))
    with pytest.raises(BadData, match="no state of the optimizer"):
        require_resumable(load(path), experiment(), path)


def test_weights_are_bound_to_the_model_and_what_it_sees(path):
    found = load(path)
    require_fitting(found, experiment(optimizer__lr=0.5, data__exemplars__count=1, data__source__clips=9), path)
    for changes, name in (
        ({"model__width": 4}, r"model\.width"),
        ({"data__inputs__centre": "none"}, r"data\.inputs\.centre"),
        ({"data__difficulty": False}, r"data\.difficulty"),
    ):
        with pytest.raises(BadSetting, match=name):
            require_fitting(found, experiment(**changes), path)


def test_the_first_difference_is_found_at_any_depth():
    old, new = {"a": {"b": 1, "c": [1, 2]}, "d": 3}, {"a": {"b": 1, "c": [1, 3]}, "d": 4}
    assert first_difference(old, old) is None
    assert first_difference(old, new) == ("a.c", [1, 2], [1, 3])
    assert first_difference(old, new, free=["a"]) == ("d", 3, 4)
    assert first_difference(old, new, only=["d"]) == ("d", 3, 4)
    assert first_difference(old, new, only=["a.b"]) is None
    assert first_difference(old, {**old, "e": 1}) == ("e", None, 1)
    assert first_difference({"a": None}, {"a": {"b": 1}}) == ("a", None, {"b": 1})


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotWrite, match="cannot be written"):
        save(Path(tmp_path, "file", "last.pth"), checkpoint())
