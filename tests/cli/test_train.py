import json
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

from posediff.cli import main
from posediff.engine import needs
from posediff.engine.models import MODELS
from tests.engine.tiny import TABLE, config_file


@pytest.fixture(autouse=True)
def here(monkeypatch, tmp_path):
    """An empty current folder, and a model named ``tiny``."""
    monkeypatch.setitem(MODELS, "tiny", TABLE)
    monkeypatch.chdir(tmp_path)


def train(*arguments: object) -> Result:
    """Run ``posediff train``."""
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


def test_the_best_epoch_goes_to_stdout_and_progress_to_stderr(tmp_path):
    result = train(config_file(tmp_path))
    assert result.exit_code == 0, result.stderr
    shown = result.stdout.splitlines()
    assert shown[0].startswith("small: best epoch ")
    assert [line.split("  ")[0] for line in shown[2:4]] == ["validation", "labels alone"]
    assert shown[4] == "work_dirs/small/best.pth"
    assert (tmp_path / shown[4]).exists()
    assert "epoch 2/2" in result.stderr
    assert "epoch 2/2" not in result.stdout


def test_json_is_one_document_and_nothing_else(tmp_path):
    result = train(config_file(tmp_path), "--work-dir", "a", "--json", "--quiet")
    document = json.loads(result.stdout)
    assert (document["format"], document["epochs"], document["work_dir"]) == ("posediff.training/1", 2, "a")
    assert document["best"]["checkpoint"] == "a/best.pth"
    assert set(document["floor"]) == {"srcc", "relative_l2"}
    assert document["on_test_not_used_to_choose"] is None
    assert result.stderr == ""


def test_options_resume_and_figures_on_test_clips(tmp_path):
    config = config_file(tmp_path)
    train(config, "--quiet")
    options = ["--cfg-options", "training.epochs=3", "training.report_test=True"]
    result = train(config, "--resume", "--json", *options)
    document = json.loads(result.stdout)
    assert document["epochs"] == 3
    assert "resumed after epoch 2" in result.stderr
    assert document["on_test_not_used_to_choose"]["srcc"] is not None
    assert "test, best of all epochs (as papers report it)" in train(config, "--resume", *options).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message", "hint"),
    [
        (["lost.py"], 3, "lost.py: there is no such file", "configuration"),
        (["small.py", "--cfg-options", "optimizer.lrr=1"], 2, "no setting optimizer.lrr", "did you mean optimizer.lr?"),
        (["small.py", "--cfg-options", "training.epochs=many"], 2, "training.epochs is 'many'", "correct"),
        (["small.py", "--cfg-options", "data.source.clips=6"], 3, "", ""),
        (["small.py", "--launcher", "pytorch"], 2, "RANK is not set", "torchrun"),
        (["small.py", "--work-dir", "small.py"], 1, "small.py", "choose another place"),
        (["small.py", "--cfg-options", "optimizer.lr=1e38"], 2, "lr is above 0 and at most 1e6", "correct"),
        (["small.py", "--cfg-options", "optimizer={'type': 'SGD', 'lr': 1e6}"], 1, "diverged", "lower optimizer.lr"),
    ],
)
def test_a_mistake_ends_in_one_line_a_hint_and_its_exit_code(tmp_path, monkeypatch, arguments, code, message, hint):
    monkeypatch.delenv("RANK", raising=False)
    config_file(tmp_path)
    result = train(*arguments, "--quiet")
    assert result.exit_code == code, result.stderr
    lines = result.stderr.splitlines()
    assert len(lines) == 2, result.stderr
    assert lines[0].startswith("posediff: error: ")
    assert message in lines[0]
    assert hint in lines[1]


def test_a_folder_with_another_training_is_left_alone(tmp_path):
    config = config_file(tmp_path)
    assert train(config, "--quiet").exit_code == 0
    result = train(config, "--quiet")
    assert (result.exit_code, "holds a training already" in result.stderr) == (2, True)


def test_without_the_libraries_it_says_how_to_install_them(tmp_path, monkeypatch):
    monkeypatch.setattr(needs, "find_spec", lambda name: None if name == "mmengine" else name)
    result = train(config_file(tmp_path))
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "posediff: error: training needs mmengine, which is not installed",
        'hint: pip install "posediff[train]"',
    ]


def test_help_imports_no_heavy_library():
    script = """
import sys
from posediff.cli import main
for name in ("train", "test", "score"):
    main([name, "--help"], standalone_mode=False)
sys.exit(" ".join({"torch", "mmengine", "numba"} & set(sys.modules)) or 0)
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (0, "")
