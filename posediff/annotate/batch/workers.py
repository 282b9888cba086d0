"""Workers on this machine: in this process, or several processes that fail alone."""

from __future__ import annotations

import faulthandler
import logging
import multiprocessing
import os
import pickle
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from posediff.annotate.batch.messages import Emit, Finished, Logged, Rarely, Setback, Started, died, forward_log
from posediff.annotate.batch.records import FOLDER
from posediff.annotate.batch.tasks import Attempt, Job
from posediff.errors import FAILURE, BadSetting, CannotWrite, PosediffError

#: One thread for every library that brings its own pool: with a process for every core, more get in each other's way.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
}

#: So many processes in a row that end before they have begun with a job mean that none ever will.
MOST_FALSE_STARTS = 3

_PATIENCE = 5.0  # seconds that a process gets to leave by itself


def run_here(jobs: Iterator[Job], attempt: Attempt, emit: Emit) -> None:
    """Do all jobs in this process, where a debugger sees them.

    Args:
        jobs: are taken one at a time.
        attempt: does them.
        emit: hears what happens.

    Raises:
        PosediffError: if there can be no worker.
    """
    for job in jobs:
        emit(Started(job.name))
        emit(Finished(attempt(job, Rarely(job.name, emit))))


def run_processes(jobs: Iterator[Job], attempt: Attempt, workers: int, emit: Emit) -> None:
    """Do all jobs in processes; one that dies fails its job only, and another takes its place.

    The processes are spawned, since pose engines do not survive a fork, with one thread for each library. However this
    function ends, none of them is left.

    Args:
        jobs: are taken when a process is free.
        attempt: does them.
        workers: how many processes.
        emit: hears what happens.

    Raises:
        PosediffError: if there can be no worker, or no process.
        BadSetting: if the attempt cannot be sent to a process.
        CannotWrite: if the folder of outputs cannot be written.
    """
    try:
        pickle.dumps(attempt)
    except (pickle.PicklingError, AttributeError, TypeError) as error:
        raise BadSetting(f"the worker cannot be sent to a process ({error})", "define it in a module") from None
    crew = _Crew(jobs, attempt, emit)
    try:
        crew.hire(workers)
        while crew.members:
            crew.listen()
        crew.see_off()
    finally:
        crew.dismiss()


@dataclass(eq=False)
class _Member:
    """A process and the job that it was given."""

    process: BaseProcess
    connection: Connection
    trace: Path  # where the process tells of its crash
    job: Job | None = None
    begun: float | None = None  # None until the process says that it has begun with the job


class _Crew:
    """The processes of a batch, and what they are busy with."""

    def __init__(self, jobs: Iterator[Job], attempt: Attempt, emit: Emit) -> None:
        self.members: list[_Member] = []
        self._leaving: list[_Member] = []
        self._jobs, self._attempt, self._emit = jobs, attempt, emit
        self._false_starts = 0

    def hire(self, count: int) -> None:
        """Start processes, as long as there are jobs for them."""
        for _ in range(count):
            job = next(self._jobs, None)
            if job is None:
                return
            context = multiprocessing.get_context("spawn")
            connection, theirs = context.Pipe()
            level = logging.getLogger("posediff").getEffectiveLevel()
            trace = _trace(self._attempt.out)
            process = context.Process(target=_serve, args=(theirs, self._attempt, level, trace), daemon=True)
            with _environment(ONE_THREAD):
                process.start()
            theirs.close()  # so that the process's end of the pipe closes with the process
            self.members.append(_Member(process, connection, trace))
            self._give(self.members[-1], job)

    def listen(self) -> None:
        """Wait until processes have something to say or end, and act on it."""
        ends: dict[Any, _Member] = {}
        for member in self.members:
            ends[member.connection] = ends[member.process.sentinel] = member
        for member in dict.fromkeys(ends[end] for end in wait(list(ends))):
            message = _received(member)
            if message is None:
                self._replace(member)
            else:
                self._act(member, message)

    def see_off(self) -> None:
        """Give the processes that have nothing more to do a while to leave."""
        for member in self._leaving:
            member.process.join(_PATIENCE)

    def dismiss(self) -> None:
        """End all processes, at once."""
        everybody = [*self.members, *self._leaving]
        for member in everybody:
            member.process.kill()
        for member in everybody:
            member.process.join()
            member.connection.close()
            member.trace.unlink(missing_ok=True)
        self.members, self._leaving = [], []

    def _act(self, member: _Member, message: Any) -> None:
        if isinstance(message, Logged):
            message.log()
            return
        if isinstance(message, Setback):
            raise message.error()
        if isinstance(message, Started):
            member.begun = time.perf_counter()
            self._false_starts = 0
        elif isinstance(message, Finished):
            member.job = None
        self._emit(message)
        if member.job is None:
            self._give(member, next(self._jobs, None))

    def _give(self, member: _Member, job: Job | None) -> None:
        member.job, member.begun = job, None
        if job is None:
            member.connection.close()  # which the process takes as the end
            self.members.remove(member)
            self._leaving.append(member)
        else:
            with suppress(OSError):  # the process has just died, as its silence will tell
                member.connection.send(job)

    def _replace(self, member: _Member) -> None:
        """Count the job of a dead process as failed, or give it to another if it was not begun."""
        self.members.remove(member)
        self._leaving.append(member)
        member.process.join(_PATIENCE)
        reason = _death(member.process.exitcode)
        if member.job is not None and member.begun is not None:
            seconds = time.perf_counter() - member.begun
            crash = member.trace.read_text(errors="replace")
            log = self._attempt.log(member.job, crash) if crash else ""
            self._emit(Finished(died(member.job, reason, seconds, log)))
        elif member.job is not None:
            self._false_starts += 1
            if self._false_starts >= MOST_FALSE_STARTS:
                hint = "use one worker; a script that starts a batch needs: if __name__ == '__main__'"
                raise PosediffError(f"processes end before they begin to work ({reason})", hint)
            self._jobs = chain([member.job], self._jobs)
        self.hire(1)


def _trace(out: Path) -> Path:
    """A new file, of a name by which the next run removes it if this one is killed."""
    folder = out / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".worker.", suffix=".part")
    except OSError as error:
        raise CannotWrite(f"{folder}: cannot be written ({error.strerror})", "choose another place") from None
    os.close(handle)
    return Path(name)


def _received(member: _Member) -> Any:
    """The next message of a process; None if it is dead and has left none."""
    try:
        return member.connection.recv() if member.connection.poll() else None
    except (EOFError, OSError):
        return None


def _death(code: int | None) -> str:
    if code is not None and code < 0:
        with suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"


@contextmanager
def _environment(variables: dict[str, str]) -> Iterator[None]:
    """Environment variables that a new process finds from its first line on, where the user has not set them."""
    added = {name: value for name, value in variables.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


def _serve(connection: Connection, attempt: Attempt, level: int, trace: Path) -> None:
    """What a process does: jobs, until there are no more or the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends this process
    try:
        crash = open(trace, "r+b")  # noqa: SIM115  # for as long as the process lives
    except OSError:  # the parent was killed, and another run has tidied up after it
        return
    faulthandler.enable(crash)
    send = _sender(connection)
    forward_log(send, level)
    while True:
        try:
            job = connection.recv()
        except (EOFError, OSError):
            return
        send(Started(job.name))
        try:
            send(Finished(attempt(job, Rarely(job.name, send))))
        except PosediffError as fault:
            send(Setback.of(fault))
            return


def _sender(connection: Connection) -> Callable[[Any], None]:
    def send(message: Any) -> None:
        try:
            connection.send(message)
        except OSError:  # the parent was killed: nobody wants the result, and a killed process leaves nothing half-done
            os._exit(FAILURE)

    return send
