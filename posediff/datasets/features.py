"""Features that are extracted once: the maps of a backbone, a file for each clip and stream."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from posediff.errors import BadData, listed
from posediff.io.files import write_files

FORMAT = "posediff.features/1"

#: What describes the streams of a folder of features.
DESCRIPTION = "features.json"

#: Types that maps are stored as.
DTYPES = ("float16", "float32")

_LONGEST = 150


class Features:
    """A folder of extracted features.

    Attributes:
        root: the folder.
        streams: what is read of it: ``dynamic``, ``static``.
        descriptions: of each stream: ``backbone``, ``frames``, ``shape``, ``dtype`` and whatever else was written.

    Args:
        root: the folder, as ``tools/extract_features.py`` writes it.
        streams: those that are to be read.
        expected: for each stream what its description has to say, for instance ``{"dynamic": {"snippets": 9}}``.

    Raises:
        BadData: if there is no such folder, it lacks a stream, or a description is not as expected or not as another's.
    """

    def __init__(
        self, root: Path, streams: Sequence[str], expected: Mapping[str, Mapping[str, object]] | None = None
    ) -> None:
        self.root, self.streams = root, tuple(streams)
        found = read_descriptions(root)
        lacking = [stream for stream in self.streams if stream not in found]
        if lacking:
            raise BadData(
                f"{root}: holds no {' and no '.join(lacking)} features but {', '.join(found) or 'none'}",
                f"extract them: tools/extract_features.py FRAMES --out {root} --encoder {lacking[0]}",
            )
        self.descriptions = {stream: found[stream] for stream in self.streams}
        faults = [
            f"{stream}.{name} is {self.descriptions[stream].get(name)!r}, the model expects {wanted!r}"
            for stream in self.streams
            for name, wanted in (expected or {}).get(stream, {}).items()
            if self.descriptions[stream].get(name) != wanted
        ]
        frames = {stream: description["frames"] for stream, description in self.descriptions.items()}
        if len(set(frames.values())) > 1:
            faults.append(f"the streams have different numbers of frames, {frames}")
        if faults:
            raise BadData(
                f"{root / DESCRIPTION}: {'; '.join(faults)}", "extract features with the settings of the model"
            )

    def missing(self, keys: Sequence[str]) -> list[str]:
        """Those of some clips that lack features."""
        return [key for key in keys if not all(feature_file(self.root, one, key).is_file() for one in self.streams)]

    def require(self, keys: Sequence[str]) -> None:
        """Refuse clips that lack features.

        Raises:
            BadData: if there are any; it counts them and names the first.
        """
        missing = self.missing(keys)
        if missing:
            raise BadData(
                f"{self.root}: lacks features of {len(missing)} of {len(keys)} clips: {listed(missing)}",
                "extract them: tools/extract_features.py goes on where it stopped",
            )

    def read(self, keys: Sequence[str]) -> dict[str, np.ndarray]:
        """The features of some clips.

        Args:
            keys: (B,) of the clips.

        Returns:
            For each stream (B, ...) float32: ``dynamic`` (B, L, C, h, w), ``static`` (B, T, C, h, w).

        Raises:
            BadData: if files are missing, cut off, or not of the shape that the description says.
        """
        self.require(keys)
        return {stream: self._read(stream, keys) for stream in self.streams}

    def _read(self, stream: str, keys: Sequence[str]) -> np.ndarray:
        description = self.descriptions[stream]
        batch = np.empty((len(keys), *description["shape"]), np.float32)
        # Opened for every batch and not kept: each open map holds a file descriptor, and there are thousands of clips.
        for row, key in zip(batch, keys, strict=True):
            row[:] = open_feature(feature_file(self.root, stream, key), description)
        return batch


def feature_file(root: Path, stream: str, key: str) -> Path:
    """Where the features of a clip are: ``01/1`` is ``dynamic/01%2F1.npy``; no two keys share a file."""
    name = quote(key, safe=" ", errors="surrogateescape")
    if len(name) > _LONGEST:  # file systems allow 255 bytes, with the suffixes of temporary files
        name = f"{name[:_LONGEST]}~{hashlib.sha256(key.encode(errors='surrogateescape')).hexdigest()}"
    return root / stream / f"{name}.npy"


def open_feature(path: Path, description: Mapping[str, Any]) -> np.ndarray:
    """The maps of one clip, memory-mapped.

    Args:
        path: the file.
        description: of its stream.

    Raises:
        BadData: if it is cut off or otherwise damaged, or not of the shape and type of the description.
    """
    hint = "delete it, and run tools/extract_features.py again"
    try:
        maps = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise BadData(f"{path}: cannot be read ({str(error).splitlines()[0]})", hint) from None
    if list(maps.shape) != list(description["shape"]) or maps.dtype != description["dtype"]:
        expected = f"{tuple(description['shape'])} of {description['dtype']}"
        raise BadData(f"{path}: holds {maps.shape} of {maps.dtype}, expected {expected}", hint)
    return maps


def write_feature(path: Path, maps: np.ndarray) -> None:
    """Write the maps of one clip, whole or not at all.

    Raises:
        CannotWrite: if the file system refuses.
    """
    buffer = io.BytesIO()
    np.save(buffer, maps, allow_pickle=False)
    write_files({path: buffer.getvalue()})


def read_descriptions(root: Path) -> dict[str, dict[str, Any]]:
    """What ``features.json`` says of each stream.

    Raises:
        BadData: if there is none, or it is not such a file.
    """
    path = root / DESCRIPTION
    hint = "give a folder that tools/extract_features.py has written"
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise BadData(f"{path}: cannot be read ({error.strerror or error})", hint) from None
    except (ValueError, RecursionError) as error:
        raise BadData(f"{path}: is not valid JSON ({error})", hint) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadData(f"{path}: its format is not {FORMAT}", hint)
    streams = document.get("streams")
    if not isinstance(streams, dict) or not all(map(_is_description, streams.values())):
        raise BadData(f"{path}: does not say shape, dtype and frames of its streams", hint)
    return streams


def write_descriptions(root: Path, streams: Mapping[str, Mapping[str, object]]) -> None:
    """Write ``features.json``.

    Raises:
        CannotWrite: if the file system refuses.
    """
    document = {"format": FORMAT, "streams": streams}
    write_files({root / DESCRIPTION: json.dumps(document, indent=1).encode()})


def _is_description(stream: object) -> bool:
    if not isinstance(stream, dict):
        return False
    shape = stream.get("shape")
    return (
        isinstance(shape, list)
        and all(isinstance(size, int) and size > 0 for size in shape)
        and stream.get("dtype") in DTYPES
        and isinstance(stream.get("frames"), int)
    )
