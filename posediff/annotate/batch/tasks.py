"""One video of a batch: what it is, what comes of it, and how one attempt at it goes, in whatever process.

A job knows nothing of poses. A worker is what does jobs; it is made once in every process, since it loads models.
"""

from __future__ import annotations

import errno
import json
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from posediff.annotate.batch.leftovers import share
from posediff.annotate.batch.records import FAILURES, Output, Record, Records, settings_hash, written
from posediff.annotate.footage.video import content_hash
from posediff.errors import FAILURE, CannotWrite, PosediffError
from posediff.io.files import write_files

DONE, SKIPPED, FAILED, LEFT = "done", "skipped", "failed", "left"

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


@dataclass(frozen=True)
class Job:
    """A video that is to be annotated.

    Attributes:
        path: its location.
        name: what its outputs are called: a relative path without suffix, of which there is one in a batch. Every
            output is ``name.suffix``, a file or a folder.
        settings: everything that the result depends on besides the video, as plain JSON values.
        content: the SHA-256 of what is in the video, told to the worker.
    """

    path: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    content: str = ""


@dataclass(frozen=True)
class Result:
    """What a worker made of a video.

    Attributes:
        outputs: the files and folders that it wrote, relative to the folder of outputs, with ``/``.
        folders: those that it wrote and that are a person's to edit: they have to be there, whatever is in them.
        quality: figures about the result, as plain JSON values.
        faults: what was wrong with the video without being in the way, in sentences.
        frames: how many were annotated.
    """

    outputs: tuple[str, ...]
    quality: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    frames: int = 0
    folders: tuple[str, ...] = ()


#: Takes the number of frames that are done and of all of them, None where that is not known.
Report = Callable[[int, int | None], None]

#: Annotates a video: writes the outputs, each whole or not at all, into the folder that is given, and reports.
Worker = Callable[[Job, Path, Report], Result]

#: Makes a worker for some settings; other processes import it by its name, so it is defined at the top of a module.
MakeWorker = Callable[[Mapping[str, Any]], Worker]


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    Attributes:
        name, path: those of the job.
        state: ``done``, ``skipped`` where it was finished before, ``failed``, or ``left`` where the batch had stopped.
        seconds: that it took.
        frames: that were annotated, now or before.
        message, hint: what went wrong and what to do about it; a note where it was skipped.
        code: the exit code of a failure, else 0.
        quality, faults: those of the result.
        outputs: the files that were written, relative to the folder of outputs.
        log: the file with the traceback of an unexpected fault, relative to the folder of outputs.
        unwritable: whether it failed because an output could not be written.
    """

    name: str
    path: str
    state: str
    seconds: float = 0.0
    frames: int = 0
    message: str = ""
    hint: str = ""
    code: int = 0
    quality: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    log: str = ""
    unwritable: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {key: value for key, value in asdict(self).items() if key != "unwritable"}


class Attempt:
    """Does jobs, one after the other, and makes an outcome of whatever happens.

    It can be sent to another process as long as it has done none; the worker is made when the first job needs one.

    Args:
        make_worker: makes the worker.
        out: the folder of outputs.
        resume: whether a video that is finished is skipped.
    """

    def __init__(self, make_worker: MakeWorker, out: Path, resume: bool = True) -> None:
        self.make_worker, self.out, self.resume = make_worker, out, resume
        self._records = Records(out)
        self._worker: tuple[str, Worker] | None = None
        self._lock: IO[bytes] | None = None

    def __call__(self, job: Job, report: Report) -> Outcome:
        """Do a job, unless it is finished.

        Args:
            job: the job.
            report: hears of the progress.

        Raises:
            PosediffError: if there can be no worker, and so no job can be done.
        """
        self._lock = self._lock or share(self.out)
        begun = time.perf_counter()
        settings_hash(job.settings)  # refuses what is no JSON
        settings = json.loads(json.dumps(dict(job.settings)))
        try:
            content = content_hash(job.path)
            finished = self._finished(job, content, settings) if self.resume else None
        except (PosediffError, OSError) as fault:
            return self._failed(job, fault, begun)
        if finished is not None:
            record, note = finished
            return _outcome(job, record, SKIPPED, time.perf_counter() - begun, note)
        worker = self._made(settings)
        try:
            result = worker(replace(job, content=content), self.out, report)
            record = self._recorded(job, content, settings, result, time.perf_counter() - begun)
        except (Exception, SystemExit) as fault:  # a library's sys.exit() is no reason to end the batch
            return self._failed(job, fault, begun)
        self._forget(job.name)
        return _outcome(job, record, DONE, record.seconds)

    def _finished(self, job: Job, content: str, settings: Mapping[str, Any]) -> tuple[Record, str] | None:
        """The record of a job that needs no doing, and what there is to say about it."""
        own = self._records.find(content, settings, job.name)
        if own is not None:
            return own, ""
        other = self._records.find_copy(content, settings, job.name)
        if other is None:
            return None
        copied = self._records.copy(other, job.name, job.path)
        return copied, f"the same video as {other.path}: the outputs of {other.name} were copied"

    def _recorded(self, job: Job, content: str, settings: Mapping[str, Any], result: Result, seconds: float) -> Record:
        record = Record(
            name=job.name,
            path=job.path,
            content=content,
            settings=settings,
            outputs=(
                *(file for output in result.outputs for file in written(self.out, output)),
                *(Output(folder, 0, "") for folder in result.folders),
            ),
            quality=json.loads(json.dumps(dict(result.quality), allow_nan=False)),
            faults=tuple(result.faults),
            frames=result.frames,
            seconds=round(seconds, 3),
        )
        self._records.add(record)
        return record

    def _made(self, settings: Mapping[str, Any]) -> Worker:
        key = settings_hash(settings)
        if self._worker is None or self._worker[0] != key:
            self._worker = None  # the models of other settings go before these are loaded
            try:
                self._worker = key, self.make_worker(settings)
            except PosediffError:
                raise
            except Exception as fault:
                hint = "check the settings, the models' files and the memory; POSEDIFF_DEBUG=1 shows the traceback"
                raise PosediffError(f"the models cannot be made ready ({_told(fault)})", hint) from fault
        return self._worker[1]

    def _failed(self, job: Job, fault: BaseException, begun: float) -> Outcome:
        seconds = time.perf_counter() - begun
        if isinstance(fault, OSError) and fault.errno in _FULL:
            fault = CannotWrite(f"{job.name}: cannot be written ({fault.strerror})", "make room, or write elsewhere")
        if isinstance(fault, PosediffError):
            unwritable = isinstance(fault, CannotWrite)
            return failure(job, str(fault), fault.hint, code=fault.exit_code, seconds=seconds, unwritable=unwritable)
        log = self.log(job, "".join(traceback.format_exception(type(fault), fault, fault.__traceback__)))
        if isinstance(fault, MemoryError):
            return failure(job, f"{job.path}: out of memory", "use fewer workers", seconds=seconds, log=log)
        hint = f"the traceback is in {log}" if log else "POSEDIFF_DEBUG=1 shows more"
        return failure(job, f"{job.path}: {_told(fault)}", hint, seconds=seconds, log=log)

    def log(self, job: Job, text: str) -> str:
        """Keep what a programmer has to know of a failure in a file.

        Args:
            job: the job.
            text: as a rule a traceback.

        Returns:
            The file, relative to the folder of outputs; empty if it cannot be written.
        """
        log = f"{FAILURES}/{job.name}.txt"
        try:
            write_files({self.out / log: f"{job.path}\n\n{text}".encode(errors="backslashreplace")})
        except CannotWrite:
            return ""
        return log

    def _forget(self, name: str) -> None:
        """Remove the traceback of an earlier run, and the folders that it leaves empty."""
        log = self.out / FAILURES / f"{name}.txt"
        with suppress(OSError):
            log.unlink()
            for folder in log.parents[: len(Path(name).parts)]:
                folder.rmdir()


def failure(job: Job, message: str, hint: str, code: int = FAILURE, **details: Any) -> Outcome:
    """The outcome of a job that failed.

    Args:
        job: the job.
        message: what went wrong.
        hint: what to do about it.
        code: the exit code.
        details: other attributes of the outcome.
    """
    return Outcome(job.name, job.path, FAILED, message=message, hint=hint, code=code, **details)


def _outcome(job: Job, record: Record, state: str, seconds: float, note: str = "") -> Outcome:
    return Outcome(
        job.name,
        job.path,
        state,
        seconds=round(seconds, 3),
        frames=record.frames,
        message=note,
        quality=record.quality,
        faults=record.faults,
        outputs=tuple(output.path for output in record.outputs),
    )


def _told(fault: BaseException) -> str:
    text = " ".join(str(fault).split())
    return f"{type(fault).__name__}: {text}" if text else type(fault).__name__
