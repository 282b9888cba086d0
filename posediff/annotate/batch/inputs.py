"""What is to be annotated: arguments become videos and image folders, each with a name for its outputs."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from posediff.annotate.batch.names import Wanted, unique_names
from posediff.annotate.batch.records import FOLDER, Records
from posediff.errors import BadData, BadSetting
from posediff.io.content import PICTURES
from posediff.io.registry import split_range

#: Suffixes of the files that a folder is searched for. A file that is named is taken whatever its suffix.
VIDEOS = frozenset(
    ".3gp .asf .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv .ts .vob .webm .wmv .y4m".split()
)


@dataclass(frozen=True)
class Input:
    """A video, an image folder, or a range of frames of one.

    Attributes:
        location: as it was given; ``path#34:69`` for a range.
        name: what its outputs are called: a relative path without suffix, with ``/`` between its parts, that no other
            input of the batch has, also where upper and lower case are the same.
    """

    location: str
    name: str


@dataclass(frozen=True)
class _Found:
    """A file or an image folder, and the folder below which its sub-folders count."""

    path: Path
    base: Path
    start: int | None = None
    end: int | None = None

    @property
    def key(self) -> tuple[str, int | None, int | None]:
        return os.path.abspath(self.path), self.start, self.end

    @property
    def location(self) -> str:
        if self.start is None and self.end is None:
            return str(self.path)
        first, last = ("" if frame is None else frame for frame in (self.start, self.end))
        return f"{self.path}#{first}:{last}"

    @property
    def frames(self) -> str:
        if self.start is None and self.end is None:
            return ""
        return f"{self.start or 0}-{'end' if self.end is None else self.end}"


@dataclass(frozen=True)
class _Own:
    """What posediff writes and has written, which is no input: a folder and absolute paths."""

    folder: str = ""
    written: frozenset[str] = frozenset()


def expand(arguments: Sequence[str], *, out: Path | None = None) -> list[Input]:
    """The videos and image folders that arguments mean, each once, in the arguments' order.

    An argument is a file; a folder, which stands for all the videos and image folders in and below it, in natural
    order (2 before 10); a pattern like ``"**/*.mp4"``; or a list, ``@list.txt`` or ``list.txt``, with one of these a
    line, relative to the list, and lines with # for comments. Each may end in ``#34:69`` for frames 34 to 68. A folder
    is an image folder where it holds images, and neither it nor a folder in it holds anything else to annotate. Hidden
    files and what posediff itself has written are left out.

    Args:
        arguments: as on a command line.
        out: the folder of the outputs, which is not searched unless it is an argument itself.

    Raises:
        BadData: if something is missing, or a folder, a list or a pattern holds nothing; all that is wrong is named.
    """
    faults: list[str] = []
    found: list[_Found] = []
    own = _Own() if out is None else _Own(os.path.realpath(out), _written(out))
    for argument in arguments:
        found += _expand(argument, own, faults)
    if faults:
        raise BadData("; ".join(faults), "check the paths")
    unique = {one.key: one for one in reversed(found) if one.key[0] not in own.written}
    kept = [*reversed(unique.values())]
    return [Input(one.location, name) for one, name in zip(kept, _names(kept), strict=True)]


def shard(inputs: Iterable[Input], part: str) -> list[Input]:
    """One part of the inputs, so that several machines share a batch.

    Who gets what follows from the names alone: machines that are given the same inputs, in whatever order, get
    disjoint parts that together are everything.

    Args:
        inputs: all the inputs.
        part: ``"i/n"``, the i-th of n parts, counted from 1.

    Raises:
        BadSetting: if ``part`` is none.
    """
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", part)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise BadSetting(f"the shard is {part!r}", "give the part and the number of parts: 1/4, 2/4, 3/4 or 4/4")
    ordered = sorted(inputs, key=lambda one: natural(one.name))
    return ordered[int(match[1]) - 1 :: int(match[2])]


def natural(text: str) -> tuple[list[str | int], str]:
    """A key that sorts names by the value of the numbers in them: clip2 before clip10."""
    parts = re.split(r"([0-9]{1,1000})", text.casefold())
    return [int(part) if odd % 2 else part for odd, part in enumerate(parts)], text


def _expand(argument: str, own: _Own, faults: list[str], folder: Path | None = None) -> list[_Found]:
    """What one argument means; ``folder`` is that of the list which it stands in, ``faults`` gets what is wrong."""
    location = argument if folder is None else str(folder / os.path.expanduser(argument))
    is_list = argument.startswith("@") and not _exists(location)
    if is_list:
        location = argument[1:] if folder is None else str(folder / argument[1:])
    path, start, end = split_range(location)
    if _exists(path) and path.is_file() and (is_list or path.suffix.lower() == ".txt"):
        if folder is None and start is None and end is None:
            return [one for line in _lines(path, faults) for one in _expand(line, own, faults, path.parent)]
        faults.append(f"{location}: a list in a list, or with a range, cannot be used")
        return []
    if _exists(path):
        found = _below(path, own) if path.is_dir() else [_Found(path, _absolute(path).parent)]
        nothing = "holds no videos and no images"
    else:
        pattern = glob.has_magic(str(path))
        found = _matches(path, own) if pattern else []
        nothing = "matches no videos" if pattern else "no such file or folder"
    if not found:
        faults.append(f"{path}: {nothing}")
    return [_Found(one.path, one.base, start, end) for one in found]


def _below(folder: Path, own: _Own) -> list[_Found]:
    base = _absolute(folder)
    return [_Found(path, base.parent if path == folder else base) for path in _search(folder, own, set())]


def _search(folder: Path, own: _Own, seen: set[str]) -> list[Path]:
    """Videos and image folders in and below a folder; ``seen`` ends the rounds that links to folders can make."""
    real = os.path.realpath(folder)
    if real in seen or (seen and (real == own.folder or os.path.abspath(folder) in own.written)):
        return []
    seen.add(real)
    try:
        entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(".")]
    except OSError:
        return []
    if any(entry.name == FOLDER and entry.is_dir() for entry in entries):
        own = replace(own, written=own.written | _written(folder))
    found: list[Path] = []
    images = False
    for entry in sorted(entries, key=lambda entry: natural(entry.name)):
        suffix = Path(entry.name).suffix.lower()
        if entry.is_dir():
            found += _search(folder / entry.name, own, seen)
        elif entry.is_file() and os.path.abspath(entry.path) not in own.written:
            images = images or suffix in PICTURES
            if suffix in VIDEOS:
                found.append(folder / entry.name)
    return found if found or not images else [folder]


def _matches(pattern: Path, own: _Own) -> list[_Found]:
    """What a pattern matches; sub-folders count from its first part that is a pattern."""
    parts = pattern.parts
    top = Path(*parts[: next(index for index, part in enumerate(parts) if glob.has_magic(part))])
    base = _absolute(top)
    inside = Path(own.folder) if own.folder and base in Path(own.folder).parents else None
    matches = sorted(glob.glob(str(pattern), recursive=True), key=natural)
    folders = {top, *(folder for match in matches for folder in Path(match).parents)}
    written = (_written(folder) for folder in folders if (folder / FOLDER).is_dir())
    own = replace(own, written=own.written.union(*written))
    found: list[_Found] = []
    for match in matches:
        path = Path(match)
        if inside is not None and inside in (_absolute(path), *_absolute(path).parents):
            continue
        if os.path.abspath(path) in own.written:
            continue
        if path.is_dir():
            found += [_Found(one.path, one.base if one.path == top else base) for one in _below(path, own)]
        elif path.suffix.lower() in VIDEOS:
            found.append(_Found(path, base))
    return found


def _names(found: Sequence[_Found]) -> list[str]:
    try:
        root = Path(os.path.commonpath([one.base for one in found]))
    except ValueError:  # nothing is given, or folders on different drives
        root = Path()
    return unique_names([_wanted(one, root) for one in found])


def _wanted(one: _Found, root: Path) -> Wanted:
    path = _absolute(one.path)
    parts = path.relative_to(root).parts if root in path.parents else (path.name,)
    if path.is_dir():
        return Wanted(parts, "", one.frames, str(one.key))
    return Wanted((*parts[:-1], path.stem), path.suffix, one.frames, str(one.key))


def _lines(path: Path, faults: list[str]) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        faults.append(f"{path}: is no list of paths in UTF-8 ({getattr(error, 'strerror', None) or 'other bytes'})")
        return []
    lines = [line.strip() for line in text.splitlines()]
    entries = [line for line in lines if line and not line.startswith("#")]
    if not entries:
        faults.append(f"{path}: lists nothing")
    return entries


def _written(out: Path) -> frozenset[str]:
    """Absolute paths of everything that the records of a folder say was written."""
    return frozenset(os.path.abspath(out / path) for path in Records(out).outputs())


def _exists(path: str | Path) -> bool:
    try:
        return os.path.exists(path)
    except ValueError:  # a null character in it
        return False


def _absolute(path: Path) -> Path:
    return Path(os.path.abspath(path))
