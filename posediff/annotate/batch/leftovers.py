"""Files under temporary names that killed runs left in a folder of outputs."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from posediff.annotate.batch.names import RESERVED
from posediff.annotate.batch.records import FOLDER

#: A file that everybody who writes to the folder holds a shared lock on; the system drops it with the process.
LOCK = ".lock"

#: What a file is called before it is whole: by :func:`posediff.io.files.write_files`, or with its process's number.
_PART = re.compile(r"\.(?P<start>.{1,40})\.(?:[a-z0-9_]{8}|[0-9]{1,10})\.part", re.DOTALL)
_CUT = 40


@contextmanager
def in_use(out: Path, names: Collection[str]) -> Iterator[None]:
    """Hold a folder of outputs as in use, and first remove what earlier runs left there half-written.

    Only files that have the form of posediff's temporary names and belong to an output of this run, or lie in
    posediff's own folders, are removed, and only where no other process holds the folder. Where the file system knows
    no locks nothing is.

    Args:
        out: the folder, which exists.
        names: what the outputs of this run are called.
    """
    lock = _opened(out)
    try:
        if lock is not None and _locked(lock, alone=True):
            _clean(out, names)
        if lock is not None:
            _locked(lock, alone=False)
        yield
    finally:
        if lock is not None:
            lock.close()


def share(out: Path) -> IO[bytes] | None:
    """Hold the folder as in use for as long as the file that is returned is open.

    Returns:
        The open file; None where the file system knows no locks.
    """
    lock = _opened(out)
    if lock is not None:
        _locked(lock, alone=False)
    return lock


def _opened(out: Path) -> IO[bytes] | None:
    try:
        (out / FOLDER).mkdir(parents=True, exist_ok=True)
        return open(out / FOLDER / LOCK, "ab")
    except OSError:
        return None


def _locked(lock: IO[bytes], alone: bool) -> bool:
    """Whether the lock was got; nobody is waited for where it is to be held alone."""
    try:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
    except (ImportError, OSError):
        return False
    return True


def _clean(out: Path, names: Collection[str]) -> None:
    for own in RESERVED:
        _remove_parts(out / own, None)
    called: dict[Path, set[str]] = {}
    for name in names:
        place = out / name
        called.setdefault(place.parent, set()).add(place.name)
    for folder, lasts in called.items():
        _remove_parts(folder, lasts)


def _remove_parts(folder: Path, lasts: set[str] | None) -> None:
    """Remove the temporary files in a folder that are called like outputs, and in the folders that are outputs.

    Args:
        folder: the folder.
        lasts: what outputs are called, without suffix; None if everything in the folder is posediff's own.
    """
    with suppress(OSError):
        for entry in [*os.scandir(folder)]:
            match = _PART.fullmatch(entry.name)
            if match and (lasts is None or _is_of(match["start"], lasts)):
                _remove(entry)
            elif entry.is_dir(follow_symlinks=False) and (lasts is None or _is_of(entry.name, lasts)):
                _remove_parts(Path(entry.path), None)


def _is_of(start: str, lasts: set[str]) -> bool:
    """Whether a name that may be cut to 40 characters is one of the outputs and a suffix."""
    pieces = start.split(".")
    if any(".".join(pieces[:count]) in lasts for count in range(1, len(pieces))):
        return True
    return len(start) == _CUT and any(last[:_CUT] == start for last in lasts)


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path, ignore_errors=True)
    else:
        with suppress(OSError):
            os.unlink(entry.path)
