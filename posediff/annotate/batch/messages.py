"""What workers tell while they work, in forms that can be sent between processes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from posediff.annotate.batch.tasks import Job, Outcome, failure
from posediff.errors import BadData, BadSetting, PosediffError

#: Least seconds between two reports of a job's progress.
PERIOD = 0.1


@dataclass(frozen=True)
class Started:
    """A job was begun."""

    name: str


@dataclass(frozen=True)
class Progressed:
    """Some of a job's frames are done, of ``total`` if that is known."""

    name: str
    done: int
    total: int | None


@dataclass(frozen=True)
class Finished:
    """A job is over, one way or the other."""

    outcome: Outcome


Event = Started | Progressed | Finished

#: Hears what happens in a batch.
Emit = Callable[[Event], None]


@dataclass(frozen=True)
class Logged:
    """A line of another process's log."""

    logger: str
    level: int
    message: str

    def log(self) -> None:
        """Put it into the log of this process."""
        logging.getLogger(self.logger).log(self.level, "%s", self.message)


@dataclass(frozen=True)
class Setback:
    """Why no job can be done: a fault, without what could not be sent."""

    message: str
    hint: str
    code: int

    @classmethod
    def of(cls, fault: PosediffError) -> Setback:
        """From the fault that was raised."""
        return cls(str(fault), fault.hint, fault.exit_code)

    def error(self) -> PosediffError:
        """As a fault that can be raised, with the same exit code."""
        kinds: dict[int, type[PosediffError]] = {kind.exit_code: kind for kind in (BadSetting, BadData)}
        return kinds.get(self.code, PosediffError)(self.message, self.hint)


class Rarely:
    """Passes reports of a job's progress on, but not more often than anybody can read.

    Args:
        name: of the job.
        emit: gets the reports.
        clock: tells the time in seconds.
    """

    def __init__(self, name: str, emit: Emit, clock: Callable[[], float] = time.monotonic) -> None:
        self._name, self._emit, self._clock = name, emit, clock
        self._last = -float("inf")

    def __call__(self, done: int, total: int | None) -> None:
        """Pass a report on, if the one before was some time ago or this is the last."""
        now = self._clock()
        if now - self._last >= PERIOD or done == total:
            self._last = now
            self._emit(Progressed(self._name, done, total))


def forward_log(send: Callable[[Logged], None], level: int) -> None:
    """Send what this process logs, and Python's warnings, to another instead of writing it.

    Args:
        send: sends a message.
        level: the least level of posediff's own log that is sent.
    """

    class Forward(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            send(Logged(record.name, record.levelno, record.getMessage()))

    logging.captureWarnings(True)
    for name in ("posediff", "py.warnings"):
        logger = logging.getLogger(name)
        logger.handlers = [Forward()]
        logger.propagate = False
    logging.getLogger("posediff").setLevel(level)


def died(job: Job, reason: str, seconds: float, log: str = "") -> Outcome:
    """The outcome of a job whose process died.

    Args:
        job: the job.
        reason: what is known of the death.
        seconds: since it was begun.
        log: the file that tells where in the code it died, relative to the folder of outputs.
    """
    hint = f"a library crashed, as {log} shows" if log else "it ran out of memory, or a library crashed"
    hint += ": look at the video, and use fewer workers"
    return failure(job, f"{job.path}: its worker died ({reason})", hint, seconds=round(seconds, 3), log=log)
