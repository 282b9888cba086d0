import subprocess
from datetime import datetime

import torch

from posediff import __version__
from posediff.engine.provenance import commit, provenance


def git(folder, *words):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def test_a_result_says_what_it_was_made_with():
    found = provenance()
    assert (found["posediff"], found["torch"]) == (__version__, torch.__version__)
    assert datetime.fromisoformat(found["date"]).tzinfo is not None
    assert all(type(value) is str for value in found.values())


def test_the_commit_is_that_of_the_repository_and_changes_show(tmp_path):
    file = tmp_path / "a"
    file.write_text("1")
    assert commit(file) == ""
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-q", "-m", "a")
    commit.cache_clear()
    assert commit(file) == git(tmp_path, "rev-parse", "HEAD")
    file.write_text("2")
    commit.cache_clear()
    assert commit(file) == git(tmp_path, "rev-parse", "HEAD") + "+"


def test_a_file_that_only_lies_in_a_repository_does_not_belong_to_it(tmp_path):
    git(tmp_path, "init", "-q")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-q", "-m", "a")
    (tmp_path / "installed.py").write_text("")
    assert commit(tmp_path / "installed.py") == ""
