import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "install_mmpose.sh"
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")


def run(*arguments, **environment):
    return subprocess.run(
        ["bash", str(SCRIPT), *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_script_can_be_run_and_bash_understands_it():
    assert os.access(SCRIPT, os.X_OK)
    assert subprocess.run(["bash", "-n", str(SCRIPT)], check=False).returncode == 0


def test_help_says_how_it_is_called_and_installs_nothing(tmp_path):
    result = run("--help")
    assert (result.returncode, result.stderr) == (0, "")
    assert "tools/install_mmpose.sh [FOLDER]" in result.stdout


def test_an_unknown_option_is_refused():
    result = run("--fast")
    assert (result.returncode, result.stdout) == (2, "")
    assert "--fast" in result.stderr


def test_a_python_without_wheels_is_refused_before_anything_is_installed(tmp_path):
    python = tmp_path / "bin" / "python"
    python.parent.mkdir()
    python.write_text('#!/bin/sh\n[ "$1" = --version ] && echo "Python 3.14.0"\nexit 1\n')
    python.chmod(0o755)
    result = run(str(tmp_path))
    assert result.returncode == 2
    assert "Python 3.14.0" in result.stderr
    assert "hint:" in result.stderr


def test_the_self_check_is_python(tmp_path):
    code = SCRIPT.read_text().split("<<'PYTHON'\n")[1].split("\nPYTHON\n")[0]
    compile(code, "self-check", "exec")
