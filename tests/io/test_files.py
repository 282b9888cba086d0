import errno
import os
from pathlib import Path
from typing import Any

import pytest

from posediff.errors import CannotWrite
from posediff.io import FORMATS, write
from tests.fixtures.files import SUFFIX, made_up, suited


@pytest.mark.parametrize("name", FORMATS)
def test_a_full_disk_leaves_nothing_behind(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(CannotWrite, match="No space left"):
        write(tmp_path / f"out{SUFFIX.get(name, '')}", suited(name), format=name)
    assert not [*tmp_path.iterdir()]


def test_a_failed_write_keeps_the_file_that_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.json").write_text("before")
    monkeypatch.setattr(os, "fdopen", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "Input/output error")))
    with pytest.raises(CannotWrite):
        write(tmp_path / "a.json", made_up())
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "before"


def test_a_place_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for name, target in (
        ("native", tmp_path / "file" / "a.json"),
        ("labelme", tmp_path / "file"),
        ("native", tmp_path),
    ):
        with pytest.raises(CannotWrite):
            write(target, made_up(), format=name)


def test_a_folder_with_annotations_in_it_is_never_overwritten(tmp_path: Path) -> None:
    write(tmp_path / "labels", made_up(), format="labelme")
    with pytest.raises(CannotWrite, match="not an empty folder"):
        write(tmp_path / "labels", made_up(), format="labelme")


def test_written_files_have_ordinary_permissions(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write(tmp_path / "a.json", made_up())
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "plain").stat().st_mode
