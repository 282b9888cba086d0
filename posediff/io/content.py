"""What lies at a path: opened once, told apart by its first bytes, parsed once."""

from __future__ import annotations

import gzip
import json
import stat
import zlib
from functools import cached_property
from pathlib import Path
from typing import Any

from posediff.errors import BadData

#: Bytes that are read to tell the format.
HEAD = 2**20

#: Most bytes that a file may hold, or unfold to.
LARGEST = 2**31

#: Endings of the files that an image folder holds.
PICTURES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")

_SIGNATURES = {
    b"\x93NUMPY": "npy",
    b"PK\x03\x04": "zip",
    b"\x89HDF\r\n": "hdf5",
    b"\x1a\x45\xdf\xa3": "video",
    b"\x00\x00\x01\xba": "video",
    b"\x00\x00\x01\xb3": "video",
    b"\x89PNG": "image",
    b"\xff\xd8\xff": "image",
    b"GIF8": "image",
}


class Content:
    """A file or a folder that is to be read.

    Args:
        path: where it lies.

    Raises:
        BadData: if there is nothing, nothing readable, or neither a file nor a folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.constants: set[str] = set()  # NaN and Infinity in the document
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            raise BadData(f"{path}: no such file or folder", "check the path") from None
        except (OSError, ValueError) as error:
            raise BadData(f"{path}: cannot be opened ({_reason(error)})", "check the path") from None
        self.is_folder = stat.S_ISDIR(mode)
        if not self.is_folder and not stat.S_ISREG(mode):
            raise BadData(f"{path}: is neither a file nor a folder", "give a file of keypoints")

    @cached_property
    def head(self) -> bytes:
        """The first bytes, enough to tell the format; a video of gigabytes is not read further."""
        return self._bytes(HEAD)

    @cached_property
    def data(self) -> bytes:
        """The whole file, unfolded where it is gzipped."""
        data = self._bytes(LARGEST + 1)
        if len(data) > LARGEST:
            raise BadData(f"{self.path}: holds more than {LARGEST:,} bytes", "split the file")
        return data

    def _bytes(self, most: int) -> bytes:
        try:
            with open(self.path, "rb") as file:
                folded = file.read(2) == b"\x1f\x8b"
            with gzip.open(self.path) if folded else open(self.path, "rb") as file:
                data = file.read(most)
        except (OSError, EOFError, zlib.error) as error:
            raise BadData(f"{self.path}: cannot be read ({_reason(error)})", "check that it is whole") from None
        if not data:
            raise BadData(f"{self.path}: is empty", "write it again")
        return data

    @cached_property
    def kind(self) -> str:
        """``folder``, ``json``, ``npy``, ``zip``, ``hdf5``, ``c3d``, ``video``, ``image``, ``text`` or ``binary``."""
        if self.is_folder:
            return "folder"
        head = self.head[:4096]
        for signature, kind in _SIGNATURES.items():
            if head.startswith(signature):
                return kind
        if head[4:8] == b"ftyp" or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
            return "video"
        if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
            return "json"
        if head[1:2] == b"\x50" and b"\x00" in head[:512]:
            return "c3d"
        return "binary" if b"\x00" in head else "text"

    @cached_property
    def text(self) -> str:
        """The file as UTF-8 text."""
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadData(f"{self.path}: is not UTF-8 text ({error.reason} at byte {error.start})", "") from None

    @cached_property
    def document(self) -> Any:
        """The file as a JSON document."""
        try:
            return json.loads(self.data.decode("utf-8-sig"), object_pairs_hook=_unique, parse_constant=self._constant)
        except RecursionError:
            raise BadData(f"{self.path}: the JSON is nested too deeply", "check what wrote the file") from None
        except _Twice as error:
            raise BadData(f"{self.path}: the key {str(error)!r} occurs twice in one JSON object", "keep one") from None
        except ValueError as error:
            raise BadData(f"{self.path}: is not valid JSON ({error})", "the file is cut off or damaged") from None

    def _constant(self, name: str) -> float:
        self.constants.add(name)
        return float(name)

    @cached_property
    def holds_pictures(self) -> bool:
        """Whether it is a folder of images without a JSON file among them."""
        if not self.is_folder:
            return False
        try:
            suffixes = {path.suffix.lower() for path in self.path.iterdir()}
        except OSError as error:
            raise BadData(f"{self.path}: cannot be listed ({_reason(error)})", "check its permissions") from None
        return ".json" not in suffixes and not suffixes.isdisjoint(PICTURES)

    @cached_property
    def frames(self) -> list[Content]:
        """The JSON files of a folder, by name; a single file is its own only frame."""
        if not self.is_folder:
            return [self]
        try:
            names = sorted(path for path in self.path.iterdir() if path.suffix.lower() == ".json")
        except OSError as error:
            raise BadData(f"{self.path}: cannot be listed ({_reason(error)})", "check its permissions") from None
        return [Content(name) for name in names]


class _Twice(Exception):
    """A key that occurs twice in one JSON object."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Twice(next(key for key in keys if keys.count(key) > 1))
    return unique


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
