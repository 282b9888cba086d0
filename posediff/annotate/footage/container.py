"""Video files as PyAV (libav) sees them: packets, pictures and errors."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from posediff.errors import BadData, MissingDependency

#: What libav takes for videos although they are text, single images, or lists of addresses elsewhere.
_NO_VIDEOS = ("concat", "dash", "hls", "image2", "tty")
HINT = "give a whole video file, for example .mp4, .mkv or .avi"


@dataclass
class Packets:
    """What the packets of a file tell: how many frames there are and when.

    Attributes:
        count: number of frames.
        stamps: (count,) seconds since the first, increasing, or None.
        origin: time stamp of the first, in seconds.
        end: seconds, on the container's clock, at which the last packet of any stream ends.
        raw: whether the stream has no times at all, so that its rate is libav's guess.
    """

    count: int
    stamps: np.ndarray | None
    origin: Fraction
    end: float
    raw: bool


def read_packets(container: Any, stream: Any) -> Packets:
    """Read the packets of a file without decoding them."""
    av = _av()
    ticks: list[int | None] = []
    codec, raw, end = stream.codec_context.name, True, 0.0
    try:
        for packet in container.demux():
            if packet.pts is not None:
                end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
            if packet.stream_index == stream.index and packet.size and not packet.is_discard and _shown(packet, codec):
                ticks.append(packet.pts)
                raw = raw and packet.pts is None and packet.dts is None
    except av.error.FFmpegError:
        pass  # what can be read counts; decoding meets the same end and tells it
    if not ticks or any(tick is None for tick in ticks):
        return Packets(len(ticks), None, Fraction(0), end, raw)
    known = np.unique(np.array(ticks, np.int64))
    first = int(known[0])
    return Packets(len(known), (known - first) * float(stream.time_base), first * stream.time_base, end, False)


def _shown(packet: Any, codec: str) -> bool:
    """False for the hidden reference frames of VP8 (RFC 6386, 9.1), which have packets and times of their own."""
    return codec not in ("vp8", "libvpx") or bool(bytes(packet)[0] & 0x10)


def decoded(container: Any, stream: Any, log: Log) -> Generator[Any, None, None]:
    """Every picture that can be decoded; the log takes the errors."""
    av = _av()
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.error.FFmpegError as error:  # the file ends here: what the decoder still holds comes out
            log.error = log.error or _text(error)
            packet = av.Packet()
            packets = iter(())
            packet.stream = stream
        if packet is None:
            return
        try:
            yield from packet.decode()
        except av.error.FFmpegError as error:
            log.error = log.error or _text(error)


def seek(container: Any, stream: Any, seconds: Fraction) -> None:
    """Go to a key frame at or before a time stamp, or stay where that cannot be done."""
    with suppress(_av().error.FFmpegError):
        container.seek(int(seconds / stream.time_base), stream=stream)


@contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """The container and the picture stream of a video file."""
    av = _av()
    try:
        # Nothing but this file is read, whatever it refers to, and its name is no address.
        container = av.open(f"file:{path}", metadata_errors="ignore", options={"protocol_whitelist": "file"})
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise BadData(f"{path}: is no video that can be read ({_text(error)})", HINT) from None
    with container:
        names = container.format.name.split(",")
        if any(name in _NO_VIDEOS or name.endswith("_pipe") for name in names):
            raise BadData(f"{path}: is no video but {names[0].removesuffix('_pipe')}", HINT)
        cover = av.stream.Disposition.attached_pic
        streams = [stream for stream in container.streams.video if not stream.disposition & cover]
        if not streams:
            raise BadData(f"{path}: has no video stream", HINT)
        if streams[0].codec_context is None:
            raise BadData(f"{path}: is coded in a way that PyAV cannot decode", "convert it to H.264")
        yield container, streams[0]


@dataclass
class Log:
    """What one pass over a video saw, and the sentences that tell what was wrong.

    Attributes:
        seen: numbers of the frames that were decoded.
        damaged: numbers of those that are partly wrong.
        resized: numbers of those that have another size than the first.
        error: the first thing that libav said.
    """

    seen: list[int] = field(default_factory=list)
    damaged: list[int] = field(default_factory=list)
    resized: list[int] = field(default_factory=list)
    error: str = ""

    def reason(self, before: str = ": ", after: str = "") -> str:
        """What libav said, between two texts; empty where it said nothing."""
        return f"{before}{self.error}{after}" if self.error else ""

    def sentences(self, numbers: np.ndarray, expected: int) -> list[str]:
        """One sentence for every kind of fault.

        Args:
            numbers: (T,) numbers of the frames that the range should have.
            expected: the frame number that the video or the range should end before.
        """
        if not self.seen:
            return []
        said = []
        lost = np.setdiff1d(numbers, self.seen)
        last = self.seen[-1]
        within, after = lost[lost < last], lost[lost > last]
        if len(within):
            span = f"between {within[0]} and {within[-1]}" if len(within) > 1 else f"({within[0]})"
            said.append(f"{_frames(len(within))} {span} could not be decoded{self.reason()}")
        if len(after) or expected > numbers[-1] + 1:
            end = "the file is cut off or damaged" if not self.error else self.error
            said.append(f"stopped at frame {last} of about {expected}: {end}")
        if self.damaged:
            said.append(f"{_frames(len(self.damaged))} may look wrong, the first is {self.damaged[0]}")
        if self.resized:
            said.append(f"the size of the picture changes at frame {self.resized[0]}: scaled to that of the first")
        return said


def _frames(count: int) -> str:
    return f"{count} frame{'s' * (count != 1)}"


def _text(error: BaseException) -> str:
    """What libav or the system said, on one line, without the path that the message starts with anyway."""
    return getattr(error, "strerror", None) or (str(error) or type(error).__name__).splitlines()[0]


def _av() -> Any:
    try:
        import av
    except ImportError:
        raise MissingDependency("PyAV", "annotate", "reading videos") from None
    return av
