"""Videos as pictures with frame numbers: one type for video files and for folders of images."""

from __future__ import annotations

import hashlib
import re
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from posediff.errors import BadData, BadSetting
from posediff.io.content import PICTURES
from posediff.io.registry import Location, split_range

_CHUNK = 2**20


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture of a video.

    Attributes:
        index: frame number.
        time: seconds since the first frame of a video file, or since frame 0 of a folder of images.
        image: (H, W, 3) uint8, RGB, contiguous.
    """

    index: int
    time: float
    image: np.ndarray


@dataclass(eq=False, kw_only=True)
class Video(ABC):
    """The pictures of a video file or of a folder of images, decoded anew in every pass; see :func:`open_video`.

    Attributes:
        path: where it lies, without the range.
        size: (width, height) in pixels, as a player shows it: after rotation.
        fps: frames a second of the grid that frame numbers count on.
        fps_assumed: whether nothing told the rate, so that 25 is assumed.
        numbers: (T,) int64 frame numbers in the range, increasing; one for every frame that should be there.
        times: (T,) exact seconds of these frames, as :attr:`Frame.time`.
        variable: whether frames come at a varying rate, so that some numbers have no frame.
        faults: one sentence for everything that went wrong in the latest pass over the frames.
    """

    path: Path
    size: tuple[int, int]
    fps: float
    fps_assumed: bool = False
    numbers: np.ndarray
    times: np.ndarray
    variable: bool = False
    faults: list[str] = field(default_factory=list)

    @property
    def start(self) -> int:
        """Number of the first frame."""
        return int(self.numbers[0])

    @property
    def end(self) -> int:
        """One more than the number of the last frame."""
        return int(self.numbers[-1]) + 1

    @property
    def count(self) -> int:
        """How many frames there should be; a damaged video yields fewer."""
        return len(self.numbers)

    def time_of(self, index: int) -> float:
        """Seconds as :attr:`Frame.time`, exact where the video has a frame of that number."""
        at = int(np.searchsorted(self.numbers, index))
        return float(self.times[at]) if at < self.count and self.numbers[at] == index else index / self.fps

    def frames(
        self,
        *,
        step: int = 1,
        longest: int | None = None,
        threads: int = 0,
        only: Iterable[int] | None = None,
    ) -> Iterator[Frame]:
        """Decode the video from the start of its range, in constant memory whatever its length.

        What cannot be decoded is left out and told in :attr:`faults`.

        Args:
            step: yield the first frame and every ``step``-th after it; the others are not converted to RGB.
            longest: scale larger pictures down, so that their longer side has this many pixels.
            threads: threads that decode, 0 for as many as the decoder likes.
            only: frame numbers to yield, in place of every ``step``-th; those that the video lacks are passed over.

        Raises:
            BadSetting: if ``step`` or ``longest`` is less than 1, or ``threads`` negative.
            BadData: while iterating, if no frame at all can be decoded.
        """
        for name, value, least in (("step", step, 1), ("longest", longest, 1), ("threads", threads, 0)):
            if value is not None and value < least:
                raise BadSetting(f"{name} is {value}", f"give {least} or more")
        return self._frames(step, longest, threads, None if only is None else frozenset(map(int, only)))

    @abstractmethod
    def _frames(self, step: int, longest: int | None, threads: int, only: frozenset[int] | None) -> Iterator[Frame]: ...


def open_video(location: Location, *, fps: float | None = None) -> Video:
    """Open a video file or a folder of images.

    Frame numbers lie on a regular grid (:func:`posediff.annotate.numbering.number_frames`), since a file of keypoints
    keeps only them and one rate: at a constant rate they count the frames in the order of presentation; at a varying
    rate they count the steps of a finer grid. The time stamps of the whole file are read for that, without decoding.
    In a folder the number in an image's name is its frame number.

    Args:
        location: a path; ``path#34:69`` keeps the frame numbers 34 up to, not including, 69.
        fps: frames a second. For a folder 25 is assumed where it is not given. For a video file it replaces what the
            time stamps say: frames are then counted in order.

    Raises:
        BadData: if it is no video that can be read, or no frame lies in the range.
        BadSetting: if ``fps`` is no rate.
        MissingDependency: if PyAV, or for images Pillow, is not installed.
    """
    if fps is not None and not (np.isfinite(fps) and 1e-3 <= fps <= 100_000):
        raise BadSetting(f"fps is {fps}", "give frames a second, 0.001 to 100000")
    path, start, end = split_range(location)
    if _is_folder(path):
        from posediff.annotate.footage.pictures import open_folder

        video: Video = open_folder(path, fps)
    elif path.suffix.lower() in PICTURES:
        raise BadData(f"{path}: is a single image", "give a video, or the folder that the images of a video lie in")
    else:
        from posediff.annotate.footage.decoding import open_file

        video = open_file(path, fps)
    _cut(video, start, end)
    return video


def content_hash(location: Location) -> str:
    """SHA-256 of a video file's bytes, or of the names and bytes of a folder's images, and of the range.

    Args:
        location: as for :func:`open_video`.

    Returns:
        64 hexadecimal digits.

    Raises:
        BadData: if it cannot be read.
    """
    path, start, end = split_range(location)
    digest = hashlib.sha256()
    try:
        if _is_folder(path):
            for image in image_files(path):
                digest.update(f"{image.name}\0{image.stat().st_size}\0".encode(errors="surrogateescape"))
                _add_file(digest, image)
        else:
            _add_file(digest, path)
    except OSError as error:
        raise BadData(f"{path}: cannot be read ({error.strerror or error})", "check its permissions") from None
    if start is not None or end is not None:
        digest.update(f"#{'' if start is None else start}:{'' if end is None else end}".encode())
    return digest.hexdigest()


def image_files(folder: Path) -> list[Path]:
    """The images in a folder, by name, numbers in it by value: ``frame_2`` comes before ``frame_10``.

    Raises:
        BadData: if the folder cannot be listed.
    """
    try:
        names = [path for path in folder.iterdir() if path.suffix.lower() in PICTURES and not path.name.startswith(".")]
    except OSError as error:
        raise BadData(f"{folder}: cannot be listed ({error.strerror or error})", "check its permissions") from None
    return sorted(names, key=lambda path: (_natural(path.name), path.name))


def _natural(name: str) -> list[tuple[int, str]]:
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if at % 2 else (0, part) for at, part in enumerate(parts)]


def _is_folder(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise BadData(f"{path}: no such file or folder", "check the path") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BadData(f"{path}: cannot be opened ({reason})", "check the path") from None
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise BadData(f"{path}: is neither a file nor a folder", "give a video, or a folder of images")
    return stat.S_ISDIR(mode)


def _cut(video: Video, start: int | None, end: int | None) -> None:
    """Keep the frames of a range."""
    low = video.start if start is None else start
    high = video.end if end is None else end
    keep = (video.numbers >= low) & (video.numbers < high)
    if not keep.any():
        raise BadData(
            f"{video.path}: no frame lies in {low}:{high}; there are {video.start} to {video.end - 1}",
            "the end of a range is exclusive",
        )
    video.numbers, video.times = video.numbers[keep], video.times[keep]


def _add_file(digest: Any, path: Path) -> None:
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
