"""Folders of pictures as arrays."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from posediff.errors import BadData, MissingDependency
from posediff.io.content import PICTURES
from posediff.io.registry import split_range


def read_pictures(location: str | Path, moments: np.ndarray, side: int, shift: float = 0.0) -> np.ndarray:
    """Pictures of a clip, each the largest square that fits into it, at one size.

    A place (x, y) in a picture of W x H pixels becomes ``((x, y) - ((W, H) - 1) / 2) * side / min(W, H)`` from the
    middle of the square, save for the shift, which moves it to the left by ``shift (W - H) / 2`` pixels of the picture.

    Args:
        location: as for :func:`picture_files`.
        moments: (T,) from 0, the first picture, to 1, the last one; the nearest is taken.
        side: S, of the result, in pixels.
        shift: where the square lies in a wide picture: -1 at its left edge, 0 in the middle, 1 at its right edge.

    Returns:
        (T, 3, S, S) uint8 RGB.

    Raises:
        BadData: if there is no picture, or one cannot be decoded.
        MissingDependency: if Pillow is not installed.
    """
    files = picture_files(location)
    chosen, place = np.unique(np.rint(np.asarray(moments) * (len(files) - 1)).astype(np.int64), return_inverse=True)
    decoded = np.stack([_square(files[number], side, shift) for number in chosen])
    return np.ascontiguousarray(decoded[place].transpose(0, 3, 1, 2))


def picture_files(location: str | Path) -> list[Path]:
    """The pictures of a clip in the natural order of their names, ``2.jpg`` before ``10.jpg``.

    Args:
        location: a folder; ``folder#start:end`` for some of its pictures, counted from 0 in that order.

    Raises:
        BadData: if there is none, or no such folder.
    """
    folder, start, end = split_range(location)
    try:
        names = [path for path in folder.iterdir() if path.suffix.lower() in PICTURES and path.name[0] != "."]
    except OSError as error:
        raise BadData(f"{folder}: cannot be listed ({error.strerror})", "check where the pictures are") from None
    if not names:
        raise BadData(f"{folder}: holds no pictures", f"give a folder of {', '.join(PICTURES)}")
    chosen = sorted(names, key=lambda path: _natural(path.name))[start:end]
    if not chosen:
        raise BadData(f"{location}: the folder holds {len(names)} pictures", "choose some of these, counted from 0")
    return chosen


def size_of(location: str | Path) -> tuple[int, int]:
    """Width and height in pixels of the first picture of a clip, turned as its camera noted; errors as above."""
    with _opened(picture_files(location)[0]) as image:
        width, height = image.size
        return (height, width) if image.getexif().get(0x0112, 1) in (5, 6, 7, 8) else (width, height)


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts digits by the number that they are, and before letters."""
    return [(int(part), part) if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _square(path: Path, side: int, shift: float) -> np.ndarray:
    """(S, S, 3) uint8."""
    with _opened(path) as image:
        from PIL import Image, ImageOps

        try:
            # JPEG is decoded at a half, a quarter or an eighth of its size where that leaves twice the pixels needed.
            scale = min(1.0, 2 * side / min(image.size))
            image.draft("RGB", (round(image.width * scale), round(image.height * scale)))
            upright = ImageOps.exif_transpose(image).convert("RGB")
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise _damaged(path, error) from None
    width, height = upright.size
    short = min(width, height)
    left, top = (1 + shift) * (width - short) / 2, (height - short) / 2
    box = (left, top, left + short, top + short)
    return np.asarray(upright.resize((side, side), Image.Resampling.BILINEAR, box=box, reducing_gap=2.0))


def _opened(path: Path) -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependency("Pillow", "annotate", "reading pictures") from None
    try:
        return Image.open(path)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: BaseException) -> BadData:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return BadData(f"{path}: cannot be decoded ({reason})", "extract the pictures again")
