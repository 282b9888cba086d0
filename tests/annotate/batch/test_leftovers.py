import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from posediff.annotate.batch import leftovers
from posediff.annotate.batch.leftovers import LOCK, in_use, share
from posediff.io import files
from posediff.io.files import write_files

fcntl = pytest.importorskip("fcntl", reason="this system has no file locks")

ALIEN = ("film.mp4.part", ".other.json.abcdefgh.part", ".a.json.part", ".a.json.abcdefgh.tmp", "a.json.abcdefgh.part")


def killed_while_writing(out: Path, *names: str) -> None:
    """What a process leaves that is killed in the moment before it renames its files."""

    def write() -> None:
        files.os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
        write_files({out / name: b"data" for name in names})

    process = multiprocessing.get_context("fork").Process(target=write)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def leftover(out: Path) -> list[str]:
    return sorted(path.name for path in out.rglob("*.part"))


def test_what_a_killed_run_left_is_removed_and_nothing_else(tmp_path):
    for name in ALIEN:
        (tmp_path / name).write_text("somebody else's")
    killed_while_writing(tmp_path, "a.json", "a.labels/0.json", "v/b.json", "records/0123.json")
    assert len(leftover(tmp_path)) > len(ALIEN) - 1
    with in_use(tmp_path, ["a", "v/b"]):
        assert leftover(tmp_path / "v") == leftover(tmp_path / "records") == []
        assert set(ALIEN) == {path.name for path in tmp_path.iterdir() if path.is_file()}


def test_a_folder_that_was_not_renamed_is_removed(tmp_path):
    (tmp_path / ".a.labels.abcd_123.part").mkdir()
    (tmp_path / ".a.labels.abcd_123.part" / "0.json").write_text("")
    with in_use(tmp_path, ["a"]):
        assert leftover(tmp_path) == []


def test_what_is_called_by_the_number_of_its_process_is_removed(tmp_path):
    (tmp_path / ".a.overlay.mp4.12345.part").write_text("")
    with in_use(tmp_path, ["a"]):
        assert leftover(tmp_path) == []


def test_in_a_folder_of_outputs_everything_half_written_is_removed(tmp_path):
    killed_while_writing(
        tmp_path, "a.labels/0.json", "a.b.labels/0.json", "other/a.json", "failures/v/a.txt", "raw/1.json"
    )
    with in_use(tmp_path, ["a.b"]):
        assert [path.parent.name for path in tmp_path.rglob("*.part")] in (["a.labels", "other"], ["other", "a.labels"])


@pytest.mark.parametrize("length", [38, 39, 40, 41, 90])
def test_long_names_are_recognised_by_their_beginning(tmp_path, length):
    name = "x" * length
    killed_while_writing(tmp_path, f"{name}.json")
    before = leftover(tmp_path)
    with in_use(tmp_path, ["y" * length, "x" * 37]):
        assert leftover(tmp_path) == before != []
    with in_use(tmp_path, [name]):
        assert leftover(tmp_path) == []


def test_nothing_is_removed_while_another_process_holds_the_folder(tmp_path):
    killed_while_writing(tmp_path, "a.json")
    before = leftover(tmp_path)
    other = share(tmp_path)  # locks of one process's two open files exclude one another as those of two processes do
    with in_use(tmp_path, ["a"]):
        assert leftover(tmp_path) == before != []
    other.close()
    with in_use(tmp_path, ["a"]):
        assert leftover(tmp_path) == []


def test_a_folder_in_use_is_locked_until_the_end(tmp_path):
    with in_use(tmp_path, []), open(tmp_path / "records" / LOCK, "ab") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with open(tmp_path / "records" / LOCK, "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_several_may_use_a_folder(tmp_path):
    with in_use(tmp_path, ["a"]), in_use(tmp_path, ["b"]):
        share(tmp_path).close()


def test_where_there_are_no_locks_nothing_is_removed(tmp_path, monkeypatch):
    killed_while_writing(tmp_path, "a.json")
    before = leftover(tmp_path)

    def unsupported(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with in_use(tmp_path, ["a"]):
        assert leftover(tmp_path) == before != []


def test_a_folder_that_cannot_be_written_is_no_obstacle(tmp_path):
    (tmp_path / "records").write_text("a file in the way")
    with in_use(tmp_path, ["a"]):
        assert leftovers.share(tmp_path) is None
