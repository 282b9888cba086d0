import json
import re

import pytest
from click.testing import CliRunner, Result

from posediff.cli import main
from posediff.engine.models import MODELS
from posediff.engine.training import train
from tests.engine.tiny import TABLE, config_file, experiment


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """A model named ``tiny``."""
    monkeypatch.setitem(MODELS, "tiny", TABLE)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """The best epoch of the small experiment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MODELS, "tiny", TABLE)
        return train(experiment(), tmp_path_factory.mktemp("small")).best


def run_test(*arguments: object) -> Result:
    """Run ``posediff test``."""
    return CliRunner().invoke(main, ["test", *map(str, arguments)])


def test_figures_stand_beside_those_of_the_labels_alone(tmp_path, checkpoint):
    result = run_test(config_file(tmp_path), checkpoint)
    assert result.exit_code == 0, result.stderr
    head, columns, model, floor, intervals = result.stdout.splitlines()
    assert head == "small: 12 test clips, up to 3 exemplars by action"
    assert columns.split()[:3] == ["SRCC", "R-l2", "x100"]
    assert "AIoU@0.75 all stages" in columns
    assert (model.split()[0], floor.split()[:2]) == ("tiny", ["labels", "alone"])
    assert re.fullmatch(r"intervals for 90 % hold \d+ % of 12 scores; they come from 9 validation clips", intervals)
    assert "nan" not in result.stdout


def test_figures_by_action_are_told_on_request(tmp_path, checkpoint):
    options = ["--cfg-options", "data.source.test=0.5", "data.exemplars.by=none"]
    lines = run_test(config_file(tmp_path), checkpoint, "--by-action", *options).stdout.splitlines()
    actions = [line.split()[0] for line in lines[4:-2]]
    assert len(actions) > 1
    assert actions == sorted(actions)
    assert lines[-2].startswith("mean of actions ")
    few = run_test(config_file(tmp_path), checkpoint, "--by-action")
    assert "fewer than two actions have three test clips" in few.stdout


def test_too_few_validation_clips_are_told_with_the_number_that_it_takes(tmp_path, checkpoint):
    result = run_test(config_file(tmp_path), checkpoint, "--level", "0.95")
    expected = "no intervals for 95 %: they take 19 validation clips, 9 are there"
    assert result.stdout.splitlines()[-1] == expected


def test_predictions_are_written_with_all_that_they_come_from(tmp_path, checkpoint):
    out = tmp_path / "out" / "predictions.json"
    result = run_test(config_file(tmp_path), checkpoint, "--out", out, "--json")
    document, written = json.loads(result.stdout), json.loads(out.read_text())
    assert (document["format"], document["clips"], document["out"]) == ("posediff.test/1", 12, str(out))
    assert written["format"] == "posediff.predictions/1"
    for key in ("figures", "floor", "by_action", "interval", "experiment", "seed", "checkpoint", "provenance"):
        assert written[key] == document[key]
    assert len(written["clips"]) == 12
    clip = written["clips"][0]
    assert clip["predicted"] == pytest.approx(sum(clip["votes"]) / len(clip["votes"]))
    assert set(clip) >= {"key", "score", "stages", "transitions", "exemplars"}
    inside = [clip["low"] <= clip["score"] <= clip["high"] for clip in written["clips"]]
    assert document["interval"]["coverage"] == pytest.approx(sum(inside) / 12)
    assert set(document["provenance"]) == {"posediff", "commit", "date", "torch"}


def test_options_apply(tmp_path, checkpoint):
    result = run_test(config_file(tmp_path), checkpoint, "--cfg-options", "data.exemplars.count=1", "name=other")
    assert result.stdout.startswith("other: 12 test clips, up to 1 exemplars by action")


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ("model.width=5", 2, "it was trained with model.width 8, the configuration says 5"),
        ("data.inputs.frames=13", 2, "data.inputs.frames 12"),
        ("data.source={'type': 'folder', 'csv': 'lost.csv'}", 3, "lost.csv"),
    ],
)
def test_a_mistake_ends_in_one_line_a_hint_and_its_exit_code(tmp_path, checkpoint, change, code, message):
    result = run_test(config_file(tmp_path), checkpoint, "--cfg-options", change)
    assert result.exit_code == code, result.stderr
    lines = result.stderr.splitlines()
    assert (len(lines), message in lines[0]) == (2, True), result.stderr


def test_what_is_no_checkpoint_is_told(tmp_path, checkpoint):
    broken = tmp_path / "broken.pth"
    broken.write_bytes(checkpoint.read_bytes()[:-200])
    for path in (broken, tmp_path / "lost.pth", tmp_path / "small.py"):
        result = run_test(config_file(tmp_path), path)
        assert result.exit_code == 3
        assert f"{path.name}: cannot be read as a PyTorch checkpoint" in result.stderr
