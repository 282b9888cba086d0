"""Names for outputs: unique in a batch, and harmless on every file system."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

#: First parts that no name has, in any folder of outputs: posediff's own files and folders are called so.
RESERVED = frozenset({"failures", "raw", "records", "summary"})

#: Most bytes of a part of a name, and of a whole one: file systems allow 255 and about 4000, and suffixes are added.
LONGEST_PART, LONGEST_NAME = 120, 600

_DEVICES = frozenset("con prn aux nul".split()) | {f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10)}
_UNSAFE = frozenset('<>:"/\\|?*')


@dataclass(frozen=True)
class Wanted:
    """What an input would be called, if it were alone.

    Attributes:
        parts: the folders and, last, the name without suffix.
        suffix: of the file, with its dot; empty for a folder.
        frames: what tells a range of frames from another; empty for all of them.
        key: what tells it from every other input, to put rivals in order.
    """

    parts: tuple[str, ...]
    suffix: str = ""
    frames: str = ""
    key: str = ""


def unique_names(wanted: Sequence[Wanted]) -> list[str]:
    """A name for each that no other has, also where upper and lower case are the same.

    Of several that want one name the ``.mp4`` comes first and the others in the order of their suffixes keep theirs:
    ``a.mp4`` and ``a.avi`` become ``a`` and ``a.avi``. Nobody's outputs, ``name.suffix``, are called like another's:
    beside ``a``, ``a.raw`` becomes ``a_raw``. Who gets which name does not depend on the order that they are given in.

    Args:
        wanted: what each would be called.

    Returns:
        Relative paths with ``/`` between their parts, as :func:`safe_name` makes them.
    """
    plain = [safe_name(one.parts, one.frames) for one in wanted]
    keys = {_folded(name) for name in plain}
    plain = [_undotted(name, keys) for name in plain]
    order = sorted(range(len(wanted)), key=lambda index: _precedence(plain[index], wanted[index]))
    names: dict[int, str] = {}
    taken: set[str] = set()
    rivals: list[int] = []
    for index in order:
        if _folded(plain[index]) in taken:
            rivals.append(index)
        else:
            names[index] = plain[index]
            taken.add(_folded(plain[index]))
    for index in rivals:  # after all others, so that they take no name that somebody else wants
        names[index] = _free(plain[index], wanted[index].suffix, taken)
        taken.add(_folded(names[index]))
    return [names[index] for index in range(len(wanted))]


def safe_name(parts: Sequence[str], frames: str = "") -> str:
    """A relative path that stays below its folder, on every file system.

    Args:
        parts: the names of folders and, last, of a file without its suffix; of whatever characters and length.
        frames: is added to the last part, whole however long that is.

    Returns:
        The parts, each cleaned of what some file system refuses and cut where it is too long, with ``/`` between them.
    """
    safe = [_safe(part, LONGEST_PART) for part in parts] or ["_"]
    if frames:
        safe[-1] = _safe(f"{_safe(safe[-1], LONGEST_PART - 40)}_{frames}", LONGEST_PART)
    if safe[0].split(".")[0].casefold() in RESERVED:
        safe[0] = f"_{safe[0]}"
    name = "/".join(safe)
    if len(name.encode()) <= LONGEST_NAME:
        return name
    return f"{hashlib.sha256(name.encode()).hexdigest()[:16]}/{safe[-1]}"


def _safe(part: str, longest: int) -> str:
    text = unicodedata.normalize("NFC", part)
    text = "".join(char if char.isprintable() and char not in _UNSAFE else "_" for char in text)
    text = text.strip(" ").lstrip(".").rstrip(". ")
    if not text or text.split(".")[0].strip().casefold() in _DEVICES:
        text = f"_{text}"
    data = text.encode()
    if len(data) <= longest:
        return text
    return f"{data[: longest - 9].decode(errors='ignore')}-{hashlib.sha256(data).hexdigest()[:8]}"


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def _undotted(name: str, keys: set[str]) -> str:
    """The name without dots where another input is called like the part before one."""
    parts: list[str] = []
    for part in name.split("/"):
        pieces = part.split(".")
        starts = (".".join(pieces[:count]) for count in range(1, len(pieces)))
        rival = any(_folded("/".join([*parts, start])) in keys for start in starts)
        parts.append(part.replace(".", "_") if rival else part)
    return "/".join(parts)


def _precedence(name: str, one: Wanted) -> tuple[str, bool, str, str]:
    suffix = one.suffix.lower()
    return _folded(name), suffix != ".mp4", suffix, one.key


def _free(plain: str, suffix: str, taken: set[str]) -> str:
    *folders, last = plain.split("/")
    kept = "/".join([*folders, _safe(last + suffix, LONGEST_PART)])
    if _folded(kept) not in taken:
        return kept
    return next(name for n in range(2, len(taken) + 3) if _folded(name := f"{kept}-{n}") not in taken)
