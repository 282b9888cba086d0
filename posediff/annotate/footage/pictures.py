"""Folders of images as videos."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posediff.annotate.footage.video import Frame, Video, image_files
from posediff.errors import BadData, MissingDependency
from posediff.io.people import frame_numbers
from posediff.sequence import ASSUMED_FPS


@dataclass(eq=False, kw_only=True)
class Pictures(Video):
    """The images of a folder.

    Attributes:
        files: the image of every frame number.
    """

    files: dict[int, Path]

    def _frames(self, step: int, longest: int | None, threads: int, only: frozenset[int] | None) -> Iterator[Frame]:
        self.faults.clear()
        found = 0
        wanted = range(0, self.count, step)
        for at in wanted if only is None else np.flatnonzero(np.isin(self.numbers, [*only])):
            number, time = int(self.numbers[at]), float(self.times[at])
            try:
                image = read_image(self.files[number], longest)
            except BadData as error:
                self.faults.append(f"frame {number} is left out: {error}")
                continue
            found += 1
            yield Frame(number, time, image)
        if not found and self.faults:
            raise BadData(f"{self.path}: none of its images can be read; {self.faults[0]}", "check the images")


def open_folder(folder: Path, fps: float | None = None) -> Pictures:
    """Open a folder of images as a video; other files in it are passed over.

    Args:
        folder: holds the images of one video. The last number in each name is the frame number; where a name has none,
            they are counted by name.
        fps: frames a second; 25 is assumed where it is not given.

    Raises:
        BadData: if there are no images, two have one number, they are those of several videos or of several sizes.
        MissingDependency: if Pillow is not installed.
    """
    files = image_files(folder)
    if not files:
        raise BadData(f"{folder}: holds no images", "give a video, or a folder of .jpg, .png, .bmp or .webp images")
    try:
        # Names without their endings, which may hold digits of their own, as .jp2 does.
        numbers = frame_numbers([file.stem for file in files])
    except BadData as error:
        raise BadData(f"{folder}: {error}", "give every video a folder of its own") from None
    numbered: dict[int, Path] = {}
    for number, file in zip(numbers, files, strict=True):
        other = numbered.setdefault(number, file)
        if other != file:
            raise BadData(f"{folder}: {other.name} and {file.name} are both frame {number}", "remove one of them")
    ordered = np.array(sorted(numbered), np.int64)
    rate = fps or ASSUMED_FPS
    return Pictures(
        path=folder,
        size=_common_size(folder, [numbered[number] for number in ordered]),
        fps=rate,
        fps_assumed=fps is None,
        numbers=ordered,
        times=ordered / rate,
        files=numbered,
    )


def read_image(path: Path, longest: int | None = None) -> np.ndarray:
    """An image as (H, W, 3) uint8 RGB, turned as its camera noted; transparent parts come out as they are stored.

    Args:
        path: the image.
        longest: scale it down, so that its longer side has this many pixels.

    Raises:
        BadData: if it cannot be decoded.
    """
    pil = _pil()
    from PIL import ImageOps

    try:
        with pil.open(path) as image:
            if longest is not None:
                image.draft("RGB", (longest, longest))
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, SyntaxError, ValueError, pil.DecompressionBombError) as error:
        raise BadData(f"{path}: cannot be decoded ({str(error).splitlines()[0]})", "write it again") from None
    if longest is not None and max(upright.size) > longest:
        factor = longest / max(upright.size)
        width, height = (max(round(side * factor), 1) for side in upright.size)
        upright = upright.resize((width, height), pil.Resampling.BILINEAR, reducing_gap=2.0)
    return np.ascontiguousarray(np.asarray(upright, np.uint8))


def _common_size(folder: Path, files: list[Path]) -> tuple[int, int]:
    """The size of all images that can be opened, turned upright; those that cannot are told while decoding."""
    pil = _pil()
    sizes: dict[tuple[int, int], list[Path]] = {}
    for file in files:
        try:
            with pil.open(file) as image:
                turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
                sizes.setdefault(image.size[::-1] if turned else image.size, []).append(file)
        except (OSError, SyntaxError, ValueError, pil.DecompressionBombError):
            continue
    if not sizes:
        raise BadData(f"{folder}: none of its images can be read", "check the images")
    usual = max(sizes, key=lambda size: len(sizes[size]))
    for size, odd in sizes.items():
        if size != usual:
            raise BadData(
                f"{odd[0]}: has {size[0]} x {size[1]} pixels, the others {usual[0]} x {usual[1]}",
                "give a folder whose images are all of one size",
            )
    return usual


def _pil() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependency("Pillow", "annotate", "reading images") from None
    return Image
