import json

import pytest
import torch
from click.testing import CliRunner, Result

from posediff.cli import main
from posediff.datasets.synthetic_dives import SyntheticDivesSettings, dive
from posediff.engine.models import MODELS
from posediff.engine.training import train
from posediff.io import write
from tests.engine.tiny import TABLE, experiment

CLIP, SEQUENCE = dive(SyntheticDivesSettings(clips=48), 40)


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


@pytest.fixture
def query(tmp_path):
    """A skeleton file with two people; the second is the diver."""
    path = tmp_path / "dive.json"
    write(path, [SEQUENCE.replace(person=0), SEQUENCE.replace(person=7)])
    return path


def score(*arguments: object) -> Result:
    """Run ``posediff score``."""
    return CliRunner().invoke(main, ["score", *map(str, arguments)])


def test_the_score_is_told_with_its_spread_its_votes_and_the_stages(query, checkpoint):
    result = score(query, "--checkpoint", checkpoint, "--person", 7, "--action", CLIP.action)
    assert result.exit_code == 0, result.stderr
    head, *rest = result.stdout.splitlines()
    assert head.startswith(f"{query}: ")
    assert " ± " in head
    assert head.endswith(f"by 3 exemplars, difficulty {CLIP.difficulty:g}")
    assert [line.split()[0] for line in rest] == ["between", "take-off", "flight", "entry", "by", "by", "by"]
    assert rest[0].endswith(" for 90 %, by 9 validation clips")


def test_json_is_one_document_and_nothing_else(query, checkpoint):
    arguments = ["--checkpoint", checkpoint, "--person", 7, "--action", CLIP.action, "--difficulty", 2, "--json"]
    result = score(query, *arguments)
    document = json.loads(result.stdout)
    assert (document["format"], document["difficulty"]) == ("posediff.score/1", 2)
    assert document["query"] == {
        "path": str(query),
        "person": 7,
        "frames": len(SEQUENCE),
        "fps": SEQUENCE.fps,
        "action": CLIP.action,
    }
    votes = [vote["score"] for vote in document["votes"]]
    assert document["score"] == pytest.approx(sum(votes) / len(votes))
    first, *_, last = document["stages"]
    assert (first["start"], last["end"], first["name"]) == (0, len(SEQUENCE), "take-off")
    interval = document["interval"]
    assert interval["low"] < document["score"] < interval["high"]
    assert (interval["level"], interval["calibrated_on"], interval["needed"]) == (0.9, 9, 9)
    assert set(first) == {"name", "start", "end", "contribution"}
    assert set(document["checkpoint"]) == {"path", "sha256", "epoch", "provenance"}


def test_one_exemplar_only_is_scored_with_a_warning(query, checkpoint, tmp_path):
    write(tmp_path / "other.json", SEQUENCE)
    (tmp_path / "scores.csv").write_text("file,score,difficulty\nother.json,50,2\n")
    result = score(query, "--checkpoint", checkpoint, "--person", 7, "--exemplars", tmp_path / "scores.csv")
    assert (result.exit_code, result.stderr.count("\n")) == (0, 1)
    assert "one exemplar only" in result.stderr
    assert "50.00 by 1 exemplar" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message", "hint"),
    [
        (["--person", "7"], 3, "no exemplar without an action", "--action"),
        (["--person", "7", "--action", "999z"], 3, "no exemplar of the action '999z'", CLIP.action),
        (["--action", CLIP.action], 3, "dive.json", "--person"),
        (["--person", "7", "--exemplars", "lost.csv"], 3, "lost.csv", ""),
        (["--person", "7", "--checkpoint", "lost.pth"], 3, "(no such file)", "give best.pth of a training"),
        (["--difficulty", "0"], 2, "--difficulty", "--help"),
    ],
)
def test_a_mistake_ends_in_one_line_a_hint_and_its_exit_code(query, checkpoint, arguments, code, message, hint):
    result = score(query, "--checkpoint", checkpoint, *arguments)
    assert result.exit_code == code, result.stderr
    lines = result.stderr.splitlines()
    assert (len(lines), message in lines[0], hint in lines[1]) == (2, True, True), result.stderr


def test_a_level_that_takes_more_clips_is_told_as_such(query, checkpoint):
    arguments = [query, "--checkpoint", checkpoint, "--person", 7, "--action", CLIP.action, "--level", 0.95]
    result = score(*arguments)
    expected = "  no interval for 95 %: it takes the errors on 19 validation clips, 9 are there"
    assert result.stdout.splitlines()[1] == expected
    interval = json.loads(score(*arguments, "--json").stdout)["interval"]
    assert interval == {"low": None, "high": None, "level": 0.95, "calibrated_on": 9, "needed": 19}
    assert score(*arguments[:-1], 1).exit_code == 2


def test_a_score_that_is_no_number_is_an_error(query, checkpoint, tmp_path):
    content = torch.load(checkpoint, weights_only=True)
    content["model"]["head.weight"].fill_(float("nan"))
    torch.save(content, tmp_path / "nan.pth")
    result = score(query, "--checkpoint", tmp_path / "nan.pth", "--person", 7, "--action", CLIP.action, "--json")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "the network's score is not a number" in result.stderr


def test_a_query_that_cannot_be_read_is_told(tmp_path, checkpoint):
    result = score(tmp_path / "lost.json", "--checkpoint", checkpoint)
    assert (result.exit_code, "lost.json" in result.stderr) == (3, True)
