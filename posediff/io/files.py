"""Files that appear whole or not at all, and what is in them."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from posediff.errors import CannotWrite


def write_files(files: Mapping[Path, bytes], *, folder: Path | None = None) -> None:
    """Write files under temporary names beside their places, then rename them.

    Args:
        files: the bytes of every file, by path.
        folder: a folder that all of them lie in and that is renamed as a whole; it must be new or empty.

    Raises:
        CannotWrite: if the file system refuses; what was written under temporary names is removed.
    """
    try:
        if folder is None:
            _replace_files(files)
        else:
            _replace_folder(folder, files)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        place = folder or next(iter(files))
        raise CannotWrite(f"{place}: cannot be written ({reason})", "choose another place to write to") from None


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits, read a piece at a time.

    Raises:
        OSError: if it cannot be read.
    """
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def _replace_files(files: Mapping[Path, bytes]) -> None:
    waiting: list[tuple[str, Path]] = []
    try:
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(0, "a folder of that name exists")
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}.", suffix=".part")
            waiting.append((name, path))
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            os.chmod(name, 0o666 & ~_umask())
        while waiting:
            os.replace(*waiting[0])
            waiting.pop(0)
    finally:
        for name, _ in waiting:
            os.unlink(name)


def _replace_folder(folder: Path, files: Mapping[Path, bytes]) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(0, "it exists and is not an empty folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    build = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:40]}.", suffix=".part"))
    try:
        for path, data in files.items():
            (build / path.relative_to(folder)).write_bytes(data)
        os.chmod(build, 0o777 & ~_umask())
        os.replace(build, folder)
    finally:
        shutil.rmtree(build, ignore_errors=True)


def _umask() -> int:
    """The process's file mode mask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
