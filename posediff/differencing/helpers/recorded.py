"""What a language model answered, kept so that the same question gets the same answer again, without the model."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from posediff.errors import BadData, CannotWrite
from posediff.weights.files import cache_folder

#: The file in a folder of recorded answers: one JSON object a line.
FILE = "answers.jsonl"

_INLINE = "data:"


class Recorded:
    """Answers on disk by the SHA-256 of everything that was sent.

    Every line holds ``key``, ``request`` and ``reply``; of pictures the request keeps the SHA-256 alone. A line is
    written at once, so that several processes can write to one file; one that is damaged is passed over, and of several
    with one key the last one counts.

    Args:
        folder: where the file lies; by default ``language`` in posediff's cache.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.path = (folder or cache_folder("language")) / FILE

    def find(self, key: str) -> Any:
        """The reply with a key, None where there is none.

        Raises:
            BadData: if the file is there and cannot be read.
        """
        return self._replies.get(key)

    def add(self, key: str, request: Mapping[str, Any], reply: Any) -> None:
        """Keep a reply.

        Raises:
            CannotWrite: if the file system refuses.
        """
        line = json.dumps({"key": key, "request": request, "reply": reply}, ensure_ascii=False)
        data = f"{line}\n".encode(errors="replace")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                if os.lseek(file, 0, os.SEEK_END):
                    os.lseek(file, -1, os.SEEK_END)
                    if os.read(file, 1) != b"\n":  # the line before was cut off
                        data = b"\n" + data
                if os.write(file, data) != len(data):
                    raise OSError(0, "the disk is full")
            finally:
                os.close(file)
        except OSError as error:
            raise CannotWrite(f"{self.path}: cannot be written ({error.strerror})", "choose another folder") from None
        self._replies[key] = reply

    @cached_property
    def _replies(self) -> dict[str, Any]:
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise BadData(f"{self.path}: cannot be read ({error.strerror})", "choose another folder") from None
        return dict(filter(None, map(_record, lines)))


def request_key(request: Mapping[str, Any]) -> str:
    """SHA-256 of a request, as 64 hexadecimal digits; the order of its members does not count."""
    return hashlib.sha256(json.dumps(request, sort_keys=True, ensure_ascii=False).encode(errors="replace")).hexdigest()


def without_pictures(value: Any) -> Any:
    """A request whose inline pictures are replaced by the SHA-256 of what is in them."""
    if isinstance(value, Mapping):
        return {name: without_pictures(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_pictures(item) for item in value]
    if isinstance(value, str) and value.startswith(_INLINE):
        return f"sha256:{hashlib.sha256(value.encode()).hexdigest()}"
    return value


def _record(line: bytes) -> tuple[str, Any] | None:
    try:
        record = json.loads(line)
        return record["key"], record["reply"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
