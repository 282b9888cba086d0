"""Copies of outputs, for videos that are the same under another name."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from posediff.errors import CannotWrite


def copy_output(source: Path, target: Path) -> None:
    """Copy a file or a folder, whole or not at all; a folder that is there already is a person's and stays.

    Args:
        source: what was written.
        target: what the copy is called.

    Raises:
        CannotWrite: if the file system refuses.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            _copy_folder(source, target)
            return
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:40]}.", suffix=".part")
        os.close(handle)
        try:
            shutil.copy(source, name)
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise CannotWrite(
            f"{target}: cannot be written ({error.strerror})", "choose another place to write to"
        ) from None


def _copy_folder(source: Path, target: Path) -> None:
    """Copy a folder that a person may have edited; one that is there already stays as it is."""
    if target.exists():
        return
    build = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name[:40]}.", suffix=".part"))
    try:
        shutil.copytree(source, build, dirs_exist_ok=True)
        os.replace(build, target)
    finally:
        shutil.rmtree(build, ignore_errors=True)
