"""What is finished: one small record for every video, written after all of its outputs.

A record is found by what is in the video and by the settings, not by the video's name. Since it is written last and
appears whole or not at all, a run that is killed at any moment leaves no half-finished video that counts as finished.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from posediff import __version__
from posediff.annotate.batch.copies import copy_output
from posediff.errors import BadSetting, PosediffError
from posediff.io.checks import Fault, get, typed
from posediff.io.files import file_hash, write_files

FORMAT = "posediff.annotation/1"

#: The folders of the records, and of the tracebacks of unexpected faults, in a folder of outputs.
FOLDER, FAILURES = "records", "failures"

_FILE = re.compile(r"[0-9a-f]{16}-[0-9a-f]{16}-[0-9a-f]{16}\.json")
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Output:
    """A file that was written, or a folder that a person may edit.

    Attributes:
        path: relative to the folder of outputs, with ``/``.
        size: in bytes; 0 of a folder.
        sha256: of its bytes, as hexadecimal digits; empty for a folder.
    """

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Record:
    """A finished video.

    Attributes:
        name: what its outputs are called, without suffix.
        path: where the video lay.
        content: the SHA-256 of what is in it.
        settings: all the settings that it was annotated with.
        outputs: every file that was written.
        quality: figures about the result.
        faults: what was wrong with the video, in sentences.
        frames: that were annotated.
        seconds: that it took.
        copied_from: the name of the outputs that these are copies of; empty where they are none.
        posediff: the version that wrote them.
    """

    name: str
    path: str
    content: str
    settings: Mapping[str, Any]
    outputs: tuple[Output, ...]
    quality: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    frames: int = 0
    seconds: float = 0.0
    copied_from: str = ""
    posediff: str = __version__


class Records:
    """The records of a folder of outputs.

    Each is a file of its own, ``records/<content>-<settings>-<name>.json`` with 16 hexadecimal digits of a hash for
    each, so that processes and machines that work on different videos never write the same one.

    Args:
        out: the folder of outputs; it need not exist.
    """

    def __init__(self, out: Path) -> None:
        self.out = out

    def find(self, content: str, settings: Mapping[str, Any], name: str) -> Record | None:
        """The record of a finished video, if all its outputs are there as they were written.

        A record that is damaged, or whose outputs are missing or changed, is no record; a warning says so.

        Args:
            content: the SHA-256 of what is in the video.
            settings: all the settings.
            name: what its outputs are called.
        """
        return self._read(self._place(content, settings, name), content, settings)

    def find_copy(self, content: str, settings: Mapping[str, Any], name: str) -> Record | None:
        """The record of the same content and settings under another name, if all its outputs are there.

        Args:
            content: the SHA-256 of what is in the video.
            settings: all the settings.
            name: what the outputs are to be called.
        """
        own = self._place(content, settings, name)
        for path in sorted(own.parent.glob(f"{own.name[:34]}*.json")):
            record = None if path == own or not _FILE.fullmatch(path.name) else self._read(path, content, settings)
            if record is not None and all(_renamed(one.path, record.name, name) for one in record.outputs):
                return record
        return None

    def add(self, record: Record) -> None:
        """Write a record; call it when all the outputs are in their places.

        Raises:
            CannotWrite: if the file system refuses.
        """
        document = {"format": FORMAT, **asdict(record), "settings_hash": settings_hash(record.settings)}
        data = json.dumps(document, indent=1, allow_nan=False).encode()
        write_files({self._place(record.content, record.settings, record.name): data})

    def copy(self, record: Record, name: str, path: str) -> Record:
        """Copy the outputs of a finished video for one that is the same but has another name, and record it.

        Args:
            record: of :meth:`find_copy`.
            name: what the copies are called.
            path: where the other video lies.

        Raises:
            CannotWrite: if the file system refuses.
        """
        outputs = tuple(replace(one, path=_renamed(one.path, record.name, name)) for one in record.outputs)
        for old, new in zip(record.outputs, outputs, strict=True):
            copy_output(self.out / old.path, self.out / new.path)
        other = replace(record, name=name, path=path, outputs=outputs, copied_from=record.name)
        self.add(other)
        return other

    def outputs(self) -> Iterator[str]:
        """Relative paths of everything that the records say was written, whether or not it is still there."""
        try:
            names = sorted(os.listdir(self.out / FOLDER))
        except OSError:
            return
        for name in filter(_FILE.fullmatch, names):
            try:
                yield from (output.path for output in _parsed((self.out / FOLDER / name).read_bytes()).outputs)
            except (OSError, ValueError, RecursionError, Fault):
                continue

    def _place(self, content: str, settings: Mapping[str, Any], name: str) -> Path:
        called = hashlib.sha256(name.encode()).hexdigest()
        return self.out / FOLDER / f"{content[:16]}-{settings_hash(settings)[:16]}-{called[:16]}.json"

    def _read(self, path: Path, content: str, settings: Mapping[str, Any]) -> Record | None:
        try:
            record = _parsed(path.read_bytes())
            if record.content != content or settings_hash(record.settings) != settings_hash(settings):
                raise Fault("it is about another video or other settings")
            if self._place(record.content, record.settings, record.name) != path:
                raise Fault("it is about another name")
            for output in record.outputs:
                _check(self.out, output)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, RecursionError, Fault) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            _LOGGER.warning("%s does not count, the video is annotated again: %s", path, reason)
            return None
        return record


def written(out: Path, path: str) -> list[Output]:
    """What was written at a place in the folder of outputs: one file, or all the files in a folder.

    Args:
        out: the folder of outputs.
        path: relative to it, with ``/``.

    Raises:
        PosediffError: if there is nothing, or the place is not in the folder.
    """
    place = out / path
    try:
        files = sorted(file for file in place.rglob("*") if file.is_file()) if place.is_dir() else [place]
        return [
            Output(_inside(file.relative_to(out).as_posix()), file.stat().st_size, file_hash(file)) for file in files
        ]
    except (OSError, ValueError, Fault) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PosediffError(f"{place}: is not there after it was written ({reason})", "annotate again") from None


def settings_hash(settings: Mapping[str, Any]) -> str:
    """SHA-256 of settings as JSON with sorted keys: the same for the same settings in any order.

    Args:
        settings: of names, numbers, truth values, None, lists and mappings.

    Raises:
        BadSetting: if a value is something else.
    """
    try:
        text = json.dumps(settings, sort_keys=True, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise BadSetting(f"the settings cannot be written as JSON ({error})", "give plain values") from None
    return hashlib.sha256(text.encode()).hexdigest()


def _parsed(data: bytes) -> Record:
    """A record from its file; a Fault or a ValueError where it is none."""
    document = json.loads(data)
    if get(document, "format", str) != FORMAT:
        raise Fault(f"the format is not {FORMAT}")
    outputs = []
    for index, item in enumerate(get(document, "outputs", list)):
        place = f"outputs[{index}]"
        path = _inside(get(item, "path", str, place))
        outputs.append(Output(path, get(item, "size", int, place), get(item, "sha256", str, place)))
    if not outputs:
        raise Fault("it has no outputs")
    return Record(
        name=_inside(get(document, "name", str)),
        path=get(document, "path", str),
        content=get(document, "content", str),
        settings=get(document, "settings", dict),
        outputs=tuple(outputs),
        quality=get(document, "quality", dict),
        faults=tuple(typed(fault, str, "faults") for fault in get(document, "faults", list)),
        frames=get(document, "frames", int),
        seconds=get(document, "seconds", float),
        copied_from=get(document, "copied_from", str),
        posediff=get(document, "posediff", str),
    )


def _inside(path: str) -> str:
    """The path, if it is relative, stays inside, and means the same on every system."""
    pure = PurePosixPath(path)
    if not pure.parts or pure.is_absolute() or ".." in pure.parts or set(path) & set("\\:\0"):
        raise Fault(f"the path {path!r} leads out of the folder")
    return path


def _check(out: Path, output: Output) -> None:
    place = out / output.path
    if not output.sha256:
        if not place.is_dir():
            raise Fault(f"{output.path} is missing")
        return
    try:
        size = place.stat().st_size
    except OSError:
        raise Fault(f"{output.path} is missing") from None
    if size != output.size:
        raise Fault(f"{output.path} has {size} bytes and not {output.size}")
    if file_hash(place) != output.sha256:
        raise Fault(f"{output.path} was changed after it was written")


def _renamed(path: str, old: str, new: str) -> str:
    """What an output is called under another name; empty where its name does not come from the video's."""
    rest = path[len(old) :]
    return f"{new}{rest}" if path.startswith(old) and rest[:1] in (".", "/") else ""
