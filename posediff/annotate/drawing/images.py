"""Frames of a video as pictures, to lie beside the LabelMe files that name them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from posediff.errors import BadData, MissingDependency
from posediff.io.files import write_files

#: JPEG quality: hardly any loss, at a fifth of the size of a PNG.
QUALITY = 95


class Shot(Protocol):
    """A frame: its number in the video, and its (H, W, 3) uint8 RGB picture."""

    @property
    def index(self) -> int: ...
    @property
    def image(self) -> np.ndarray: ...


class Shots(Protocol):
    """A video, as :func:`posediff.annotate.video.open_video` returns it."""

    def frames(self) -> Iterator[Shot]: ...


def write_images(video: Shots, frames: Iterable[int], folder: Path, *, damaged: bool = False) -> list[Path]:
    """Write frames of a video as JPEG, named as the LabelMe files expect: ``00000012.jpg`` beside ``00000012.json``.

    Args:
        video: what is filmed.
        frames: frame numbers, in any order.
        folder: where to; what is in it stays.
        damaged: whether frames that the video does not have, since they cannot be decoded, are left out.

    Returns:
        The files, in the order of their frames.

    Raises:
        BadData: if the video lacks one of the frames; those before it are written.
        CannotWrite: if the file system refuses.
        MissingDependency: if Pillow is not installed.
    """
    wanted = sorted({int(frame) for frame in frames})
    written = [_write(shot, folder) for shot in _chosen(video, wanted)]
    if len(written) < len(wanted) and not damaged:
        missing = [frame for frame in wanted if _path(folder, frame) not in written]
        raise BadData(f"the video has no frame {missing[0]}", "the frames and the video do not belong together")
    return written


def _chosen(video: Shots, wanted: Sequence[int]) -> Iterator[Shot]:
    """The frames of those numbers; the video is read no further than to the last one."""
    left = set(wanted)
    if not left:
        return
    for shot in video.frames():
        if shot.index in left:
            left.remove(shot.index)
            yield shot
        if not left:
            return


def _write(shot: Shot, folder: Path) -> Path:
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependency("Pillow", "annotate", "writing pictures") from None
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(shot.image)).save(file, "JPEG", quality=QUALITY, subsampling=0)
    path = _path(folder, shot.index)
    write_files({path: file.getvalue()})
    return path


def _path(folder: Path, frame: int) -> Path:
    return folder / f"{frame:08d}.jpg"
