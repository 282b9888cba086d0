"""Video files: which picture is which frame, and what went wrong."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from posediff.annotate.footage.container import HINT, Log, decoded, opened, read_packets, seek
from posediff.annotate.footage.numbering import number_frames
from posediff.annotate.footage.video import Frame, Video
from posediff.errors import BadData
from posediff.sequence import ASSUMED_FPS

#: Numbers and pictures.
Pictured = Generator[tuple[int, Any], None, None]
#: A range is decoded from a key frame this many frames before it, since frames just after a key frame may be shown
#: before it and need the ones in front of it.
_RUN_UP = 32
#: A video whose packets end this many seconds before the container's own end is cut off; sound may differ by less.
_CUT_OFF = 0.5


@dataclass(eq=False, kw_only=True)
class VideoFile(Video):
    """A video file.

    Attributes:
        stamps: (N,) seconds of all frames of the file since the first one, or None where the packets have no stamps.
        all_numbers: (N,) int64 frame numbers of all frames of the file, whatever the range.
        origin: time stamp of the first frame, in seconds.
        expected: the frame number that the container says the video ends before.
        stored_size: (width, height) before rotation.
        matrix: (2, 2) what a player does to the stored picture: x' = a x + c y, y' = b x + d y, as [[a, b], [c, d]].
    """

    stamps: np.ndarray | None
    all_numbers: np.ndarray
    origin: Fraction
    expected: int
    stored_size: tuple[int, int]
    matrix: np.ndarray

    def _frames(self, step: int, longest: int | None, threads: int, only: frozenset[int] | None) -> Iterator[Frame]:
        self.faults.clear()
        width, height = self.stored_size
        factor = 1.0 if longest is None else min(longest / max(width, height), 1.0)
        scaled = (max(round(width * factor), 1), max(round(height * factor), 1))
        log = Log()
        with closing(self._pictures(threads, log)) as pictures:
            for taken, (number, picture) in enumerate(pictures):
                if (picture.width, picture.height) != self.stored_size:
                    log.resized.append(number)
                if picture.is_corrupt:
                    log.damaged.append(number)
                if taken % step == 0 if only is None else number in only:
                    yield Frame(number, self.time_of(number), self._image(picture, scaled))
        complete = self.numbers[-1] == self.all_numbers[-1]
        self.faults += log.sentences(self.numbers, self.expected if complete else self.end)
        if not log.seen:
            raise BadData(
                f"{self.path}: no frame of {self.start}:{self.end} can be decoded{log.reason(' (', ')')}", HINT
            )

    def _image(self, picture: Any, size: tuple[int, int]) -> np.ndarray:
        smaller = size[0] < picture.width
        rgb = picture.reformat(*size, format="rgb24", interpolation="AREA" if smaller else None)
        return turned(rgb.to_ndarray(), self.matrix)

    def _pictures(self, threads: int, log: Log) -> Pictured:
        """Numbers and pictures of the frames in the range."""
        sought = self.stamps is not None and self.start > self.all_numbers[min(_RUN_UP, len(self.all_numbers) - 1)]
        with closing(self._numbered(threads, log, sought)) as run:
            first = next(run, None) if sought else None
            if not sought or (first is not None and first[0] <= self.start):
                yield from self._in_range(chain([first] if first else [], run), log)
                return
        with closing(self._numbered(threads, log, False)) as run:  # this container cannot be sought exactly
            yield from self._in_range(run, log)

    def _in_range(self, run: Iterator[tuple[int, Any]], log: Log) -> Iterator[tuple[int, Any]]:
        for number, picture in run:
            if number >= self.end:
                return
            if number >= self.start:
                log.seen.append(number)
                yield number, picture

    def _numbered(self, threads: int, log: Log, sought: bool) -> Pictured:
        """Numbers and pictures in the order of presentation, from the first frame or from before the range."""
        with opened(self.path) as (container, stream):
            stream.codec_context.thread_count = threads
            if threads != 1:
                stream.codec_context.thread_type = "AUTO"
            if sought and self.stamps is not None:
                at = max(int(np.searchsorted(self.all_numbers, self.start)) - _RUN_UP, 0)
                seek(container, stream, self.origin + Fraction(self.stamps[at]))
            previous = -1
            for picture in decoded(container, stream, log):
                number = self._number(picture, previous)
                if number > previous:  # one time stamp, one frame
                    yield number, picture
                    previous = number

    def _number(self, picture: Any, previous: int) -> int:
        if self.stamps is None or picture.pts is None:
            return previous + 1
        seconds = float(picture.pts * picture.time_base - self.origin)
        after = int(np.clip(np.searchsorted(self.stamps, seconds), 1, max(len(self.stamps) - 1, 1)))
        near = self.stamps[after - 1 : after + 1]
        return int(self.all_numbers[after - 1 + int(np.argmin(np.abs(near - seconds)))])


def open_file(path: Path, fps: float | None = None) -> VideoFile:
    """Open a video file.

    Args:
        path: the file; its first picture stream is used, cover pictures are not.
        fps: frames a second; by default what the time stamps say.

    Raises:
        BadData: if it is no video, has no picture stream, or none of its frames can be decoded.
        MissingDependency: if PyAV is not installed.
    """
    with opened(path) as (container, stream):
        packets = read_packets(container, stream)
        rates = [float(rate) for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate) if rate]
        length = container.duration / 1e6 if container.duration else 0.0
        declared = stream.frames
    if not packets.count:
        raise BadData(f"{path}: holds no pictures", HINT)
    assumed = fps is None and packets.raw
    if packets.stamps is None:
        rate, numbers = fps or (rates[0] if rates and not assumed else ASSUMED_FPS), np.arange(packets.count)
    else:
        rate, numbers = number_frames(packets.stamps, rates)
        if fps is not None:
            rate, numbers = fps, np.arange(packets.count)
    times = numbers / rate if packets.stamps is None or fps is not None else packets.stamps
    absent = max(declared - packets.count, 0) if declared else (length - packets.end) * rate
    cut_off = absent > (0 if declared else _CUT_OFF * rate)
    width, height, matrix = _first_picture(path)
    turned_size = (height, width) if abs(matrix[0, 1]) > abs(matrix[0, 0]) else (width, height)
    return VideoFile(
        path=path,
        size=turned_size,
        fps=rate,
        fps_assumed=assumed,
        numbers=numbers,
        times=times,
        variable=bool((np.diff(numbers) != 1).any()),
        stamps=packets.stamps,
        all_numbers=numbers,
        origin=packets.origin,
        expected=int(numbers[-1]) + 1 + (round(absent) if cut_off else 0),
        stored_size=(width, height),
        matrix=matrix,
    )


def turned(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """A stored picture as a player shows it, turned by quarters and mirrored.

    Args:
        image: (H, W, 3).
        matrix: (2, 2) [[a, b], [c, d]] of ISO/IEC 14496-12: x' = a x + c y, y' = b x + d y, y downwards.

    Returns:
        (H, W, 3) or (W, H, 3), contiguous.
    """
    (a, b), (c, d) = matrix
    if abs(b) > abs(a):
        image, a, d = image.transpose(1, 0, 2), c, b
    return np.ascontiguousarray(image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def _first_picture(path: Path) -> tuple[int, int, np.ndarray]:
    """Width, height and display matrix of the first frame that can be decoded."""
    log = Log()
    with opened(path) as (container, stream), closing(decoded(container, stream, log)) as pictures:
        for picture in pictures:
            side = picture.side_data.get("DISPLAYMATRIX")
            matrix = np.eye(2) if side is None else np.frombuffer(bytes(side), np.int32).reshape(3, 3)[:2, :2]
            return picture.width, picture.height, matrix.astype(float)
    raise BadData(f"{path}: none of its frames can be decoded{log.reason(' (', ')')}", HINT)
