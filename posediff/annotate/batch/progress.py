"""How far a batch is: one line that changes on a terminal, plain lines elsewhere."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import TextIO

from posediff.annotate.batch.messages import Event, Finished, Progressed, Started
from posediff.annotate.batch.tasks import DONE, FAILED, SKIPPED, Outcome

#: Seconds over which the rate is measured, so that loading models and slow videos long ago do not count.
WINDOW = 60.0

#: Least seconds between two changes of the line, on a terminal and elsewhere.
PERIOD, PLAIN_PERIOD = 0.2, 30.0

_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


class Tally:
    """What is done of a batch, and how fast: counts without a word or a clock.

    Args:
        videos: how many there are.
    """

    def __init__(self, videos: int) -> None:
        self.videos = videos
        self.over = {DONE: 0, SKIPPED: 0, FAILED: 0}
        self.current: dict[str, tuple[int, int | None]] = {}
        self._frames = 0  # of videos that are over
        self._lengths: list[int] = []
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, event: Event, now: float) -> None:
        """Count an event that happens at a time in seconds."""
        if isinstance(event, Started):
            self.current[event.name] = (0, None)
        elif isinstance(event, Progressed):
            self.current[event.name] = (event.done, event.total)
        else:
            outcome = event.outcome
            done, _ = self.current.pop(outcome.name, (0, None))
            self.over[outcome.state] += 1
            self._frames += outcome.frames if outcome.state == DONE else done
            if outcome.state == DONE:
                self._lengths.append(outcome.frames)
        if not isinstance(event, Started) and not (isinstance(event, Finished) and event.outcome.state == SKIPPED):
            self._sample(now)

    @property
    def finished(self) -> int:
        """How many videos are over."""
        return sum(self.over.values())

    @property
    def frames(self) -> int:
        """How many frames were annotated in this run."""
        return self._frames + sum(done for done, _ in self.current.values())

    def rate(self) -> float | None:
        """Frames a second over the last minute; None until it is known."""
        if len(self._samples) < 2:
            return None
        (first, before), (last, after) = self._samples[0], self._samples[-1]
        return (after - before) / (last - first) if last > first and after > before else None

    def seconds_left(self) -> float | None:
        """How long the rest will take; None until it is known.

        A video of which the length is not known counts as long as the others on average.
        """
        rate = self.rate()
        lengths = self._lengths + [total for _, total in self.current.values() if total]
        if rate is None or not lengths:
            return None
        average = sum(lengths) / len(lengths)
        begun = sum(max((total or average) - done, 0) for done, total in self.current.values())
        waiting = self.videos - self.finished - len(self.current)
        return (begun + max(waiting, 0) * average) / rate

    def _sample(self, now: float) -> None:
        self._samples.append((now, self.frames))
        while len(self._samples) > 2 and self._samples[1][0] < now - WINDOW:
            self._samples.popleft()


def status(tally: Tally, width: int | None = None) -> str:
    """One line about a batch that is under way.

    Args:
        tally: what is done.
        width: most characters; None for any number.
    """
    parts = [f"{tally.finished}/{tally.videos} videos"]
    if tally.over[FAILED]:
        parts[0] += f", {tally.over[FAILED]} failed"
    rate, left = tally.rate(), tally.seconds_left()
    if rate is not None:
        parts.append(f"{rate:.0f} frames/s" if rate >= 10 else f"{rate:.1f} frames/s")
    if left is not None:
        parts.append(f"{duration(left)} left")
    if tally.current:
        name, (done, total) = next(iter(tally.current.items()))
        share = f" {min(100 * done // total, 100)} %" if total else f" frame {done}" if done else ""
        more = f" and {len(tally.current) - 1} more" if len(tally.current) > 1 else ""
        end = f"{share}{more}"
        parts.append(printable(name) + end)
        line = " | ".join(parts)
        if width is not None and len(line) > width:  # of a long name the end says more than the beginning
            kept = max(len(printable(name)) - (len(line) - width) - 1, 0)
            parts[-1] = f"…{printable(name)[-kept:] if kept else ''}{end}"
    line = " | ".join(parts)
    return line if width is None or len(line) <= width else line[: max(width, 0)]


def told(outcome: Outcome) -> str:
    """One line about a video that is over."""
    name = printable(outcome.name)
    if outcome.state == FAILED:
        return f"{name}: failed: {printable(outcome.message)}" + (
            f" (hint: {printable(outcome.hint)})" if outcome.hint else ""
        )
    if outcome.state == SKIPPED:
        return f"{name}: finished before" + (f" ({printable(outcome.message)})" if outcome.message else "")
    faults = f"; {printable('; '.join(outcome.faults))}" if outcome.faults else ""
    frames = "1 frame" if outcome.frames == 1 else f"{outcome.frames} frames"
    return f"{name}: {frames} in {duration(outcome.seconds)}{faults}"


def duration(seconds: float) -> str:
    """Seconds in words: ``0.8 s``, ``42 s``, ``3 min 5 s``, ``2 h 10 min``, ``3 d 4 h``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, smaller, small in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def printable(text: str) -> str:
    """The text with line breaks, control characters and bytes that are no text written as escapes."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


class Progress:
    """Tells the progress of a batch; give it to :func:`posediff.annotate.batch.run` as ``on_event``.

    On a terminal one line is changed in place, and failures and faults stay above it; elsewhere each video that is
    over is a line, and every 30 s there is one on the progress. Skipped videos are only counted.

    Args:
        videos: how many there are.
        stream: where to write, as a rule stderr.
        quiet: whether nothing is written.
        clock: tells the time in seconds.
    """

    def __init__(
        self, videos: int, stream: TextIO, *, quiet: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.tally = Tally(videos)
        self._stream, self._quiet, self._clock = stream, quiet, clock
        self._terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._colour = self._terminal and not os.environ.get("NO_COLOR")
        self._begun = self._last = clock()
        self._shown = 0  # characters of the line on the terminal
        self._handlers: list[logging.Handler] = []

    def __enter__(self) -> Progress:
        if self._terminal and not self._quiet:  # a line of the log starts where the line of the progress was
            self._handlers = [*logging.getLogger("posediff").handlers]
            for handler in self._handlers:
                handler.addFilter(self._make_way)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handler in self._handlers:
            handler.removeFilter(self._make_way)
        self._erase()
        if kind is None:
            self._line(self._summary())

    def __call__(self, event: Event) -> None:
        """Take an event into account, and write what there is to write."""
        now = self._clock()
        self.tally.add(event, now)
        if isinstance(event, Finished):
            outcome = event.outcome
            if outcome.state == FAILED or outcome.faults or (outcome.state == DONE and not self._terminal):
                self._line(told(outcome), red=outcome.state == FAILED)
        if now - self._last >= (PERIOD if self._terminal else PLAIN_PERIOD):
            self._last = now
            self._show()

    def _show(self) -> None:
        if not self._terminal:
            self._line(status(self.tally))
            return
        line = status(self.tally, shutil.get_terminal_size().columns - 1)
        self._write(f"\r{line:<{self._shown}}")
        self._shown = len(line)

    def _summary(self) -> str:
        words = {DONE: "done", SKIPPED: "finished before", FAILED: "failed"}
        counts = [f"{count} {words[state]}" for state, count in self.tally.over.items() if count]
        left = self.tally.videos - self.tally.finished
        counts += [f"{left} not begun"] if left else []
        videos = "1 video" if self.tally.videos == 1 else f"{self.tally.videos} videos"
        return ", ".join([f"{videos}: " + (", ".join(counts) or "none"), duration(self._clock() - self._begun)])

    def _line(self, text: str, red: bool = False) -> None:
        self._erase()
        self._write(f"{_RED}{text}{_PLAIN}\n" if red and self._colour else f"{text}\n")

    def _erase(self) -> None:
        if self._shown:
            self._write(f"\r{'':<{self._shown}}\r")
            self._shown = 0

    def _make_way(self, record: logging.LogRecord) -> bool:
        self._erase()
        return True

    def _write(self, text: str) -> None:
        if self._quiet:
            return
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        with suppress(OSError, ValueError):  # nobody reads it any more, which is no reason to end the batch
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()
