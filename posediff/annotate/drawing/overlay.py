"""The video again, with the skeletons drawn on it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import IO, Any

import numpy as np

from posediff.annotate.drawing.skeleton import draw
from posediff.annotate.footage.video import Video
from posediff.errors import BadSetting, CannotWrite, MissingDependency
from posediff.io.registry import Location
from posediff.sequence import PoseSequence

#: Container by the ending of the file's name.
CONTAINERS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
#: Encoders in the order of preference, each with the most ticks a second that it takes.
_ENCODERS = {"libx264": 1_000_000, "mpeg4": 65_535}
_QUALITY = {"libx264": {"crf": "20", "preset": "veryfast"}, "mpeg4": {"qmin": "2", "qmax": "5"}}


def write_overlay(
    video: Video, people: Sequence[PoseSequence], path: Location, *, longest: int | None = None, encoder: str = ""
) -> None:
    """Write the video with the people drawn on it, at the times of its frames and without sound.

    The frames in the video's range are written, turned as a player shows them. The file appears whole or not at all.

    Args:
        video: what to draw on; it is decoded once more.
        people: in the pixels of the whole picture.
        path: .mp4, .mov or .mkv.
        longest: scale larger pictures down, so that the longer side has this many pixels.
        encoder: ``libx264`` or ``mpeg4``; by default the first of them that PyAV was built with.

    Raises:
        BadSetting: if the ending is none of these, or PyAV has no such encoder.
        BadData: if nothing can be decoded, or the people are not in pixels.
        CannotWrite: if the file system refuses; nothing is left behind.
        MissingDependency: if PyAV or Pillow is not installed.
    """
    target = Path(path)
    container = CONTAINERS.get(target.suffix.lower())
    if container is None:
        raise BadSetting(f"{target}: a video cannot be written as {target.suffix!r}", "name it .mp4, .mov or .mkv")
    codec = _encoder(encoder)
    factor = 1.0 if longest is None else min(longest / max(video.size), 1.0)
    drawn = (
        (frame.time, draw(frame.image, people, frame.index, scale=factor)) for frame in video.frames(longest=longest)
    )
    with _appearing(target) as file:
        _encode(file, drawn, container, codec, video.fps)


def _encode(file: IO[bytes], drawn: Iterator[tuple[float, np.ndarray]], container: str, codec: str, fps: float) -> None:
    import av

    rate = Fraction(fps).limit_denominator(1001)
    most = _ENCODERS[codec]
    # A whole number of ticks a frame, so that a constant rate stays exactly that.
    base = Fraction(1, most - most % rate.numerator if rate.numerator <= most else most)
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate, options=_QUALITY[codec])
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = stream.time_base = base
        origin = last = -1
        for time, image in drawn:
            image = even(image)
            if last < 0:
                origin = round(time / base)
                stream.height, stream.width = image.shape[:2]
            picture = av.VideoFrame.from_ndarray(image, format="rgb24")
            last = max(round(time / base) - origin, last + 1)
            picture.time_base, picture.pts = base, last
            output.mux(stream.encode(picture))
        output.mux(stream.encode())


def even(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) with the last row and column repeated where H or W is odd: colours are stored for 2 x 2 pixels."""
    height, width = image.shape[:2]
    return np.ascontiguousarray(np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge"))


@contextmanager
def _appearing(target: Path) -> Iterator[IO[bytes]]:
    """A file under a temporary name beside its place, renamed once it is whole and removed where it is not."""
    av = _av()
    part = target.with_name(f".{target.name[:40]}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(0, "a folder of that name exists")
        with open(part, "wb") as file:
            yield file
        os.replace(part, target)
    except (av.error.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CannotWrite(f"{target}: cannot be written ({reason})", "choose another place to write to") from None
    finally:
        part.unlink(missing_ok=True)


def _encoder(name: str) -> str:
    av = _av()
    for candidate in [name] if name else _ENCODERS:
        if candidate in _ENCODERS and candidate in av.codecs_available:
            try:
                av.codec.Codec(candidate, "w")
            except av.error.FFmpegError:
                continue
            return candidate
    raise BadSetting(f"PyAV has no encoder {name or 'for H.264 or MPEG-4'!r}", f"choose one of: {', '.join(_ENCODERS)}")


def _av() -> Any:
    try:
        import av
    except ImportError:
        raise MissingDependency("PyAV", "annotate", "writing videos") from None
    return av
