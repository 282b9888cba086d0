"""Workers on a Ray cluster, or on a local Ray instance: actors, each of which holds its models."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any

from posediff.annotate.batch.messages import Emit, Finished, Logged, Rarely, Setback, Started, died, forward_log
from posediff.annotate.batch.tasks import Attempt, Job, Outcome
from posediff.annotate.batch.workers import MOST_FALSE_STARTS, ONE_THREAD
from posediff.errors import MissingDependency, PosediffError

#: Seconds between two looks at what the actors report.
PERIOD = 0.5


def run_ray(jobs: Iterator[Job], attempt: Attempt, workers: int, emit: Emit, *, gpus: float = 0.0) -> None:
    """Do all jobs in Ray actors; one that dies fails its job only, and another takes its place.

    The cluster that ``RAY_ADDRESS`` names is used, or the instance that the process is connected to; otherwise a local
    instance is started and in the end shut down. On a cluster posediff is installed on every machine, and the videos
    and the folder of outputs lie at the same paths for all of them.

    Args:
        jobs: are taken when an actor is free.
        attempt: does them.
        workers: how many actors, with one core each.
        emit: hears what happens.
        gpus: how many GPUs, or what part of one, each actor has for itself.

    Raises:
        MissingDependency: if Ray is not installed.
        PosediffError: if there can be no worker, or Ray cannot be reached.
    """
    try:
        import ray
    except ImportError:
        raise MissingDependency("ray", "ray", "a batch on a cluster") from None
    started = not ray.is_initialized()
    if started:
        _connect(ray, workers, gpus)
    actors = _Actors(ray, jobs, attempt, emit, gpus)
    try:
        actors.hire(workers)
        while actors.busy:
            actors.listen()
    finally:
        actors.dismiss()
        if started:
            ray.shutdown()


def _connect(ray: Any, workers: int, gpus: float) -> None:
    address = os.environ.get("RAY_ADDRESS")
    local = {"num_cpus": workers, "include_dashboard": False} | ({"num_gpus": workers * gpus} if gpus else {})
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **({"address": address} if address else local))
    except (ConnectionError, OSError, RuntimeError, TimeoutError, ValueError) as error:
        where = f"at {address}" if address else "on this machine"
        first = str(error).strip().splitlines()[:1]
        raise PosediffError(
            f"Ray cannot be used {where} ({''.join(first)})", "check RAY_ADDRESS, or leave it out"
        ) from None


@dataclass
class _Busy:
    """An actor and the job that it was given."""

    actor: Any
    job: Job
    begun: float


class _Actors:
    """The actors of a batch, and what they are busy with."""

    def __init__(self, ray: Any, jobs: Iterator[Job], attempt: Attempt, emit: Emit, gpus: float) -> None:
        self.busy: dict[Any, _Busy] = {}
        self._ray, self._jobs, self._attempt, self._emit = ray, jobs, attempt, emit
        self._board = ray.remote(num_cpus=0)(_Board).remote()
        environment = {"env_vars": {name: value for name, value in ONE_THREAD.items() if name not in os.environ}}
        self._kind = ray.remote(num_cpus=1, num_gpus=gpus, runtime_env=environment)(_Actor)
        self._started: set[str] = set()
        self._finished: set[str] = set()
        self._false_starts = 0

    def hire(self, count: int) -> None:
        """Make actors, as long as there are jobs for them."""
        level = logging.getLogger("posediff").getEffectiveLevel()
        for _ in range(count):
            job = next(self._jobs, None)
            if job is None:
                return
            self._give(self._kind.remote(self._attempt, self._board, os.getcwd(), level), job)

    def listen(self) -> None:
        """Wait a moment for outcomes, and pass on what the actors report."""
        ready, _ = self._ray.wait(list(self.busy), num_returns=1, timeout=PERIOD)
        self._hear()
        for reference in ready:
            self._end(reference)

    def dismiss(self) -> None:
        """End all actors, at once."""
        for actor in [self._board, *(one.actor for one in self.busy.values())]:
            self._kill(actor)
        self.busy.clear()

    def _give(self, actor: Any, job: Job) -> None:
        self.busy[actor.attempt.remote(job)] = _Busy(actor, job, time.perf_counter())

    def _end(self, reference: Any) -> None:
        one = self.busy.pop(reference)
        try:
            answer: Outcome | Setback = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            self._replace(one, " ".join(str(error).split("\n\n")[0].split()).rstrip(".") or type(error).__name__)
            return
        if isinstance(answer, Setback):
            self._kill(one.actor)
            raise answer.error()
        self._over(answer)
        job = next(self._jobs, None)
        if job is None:
            self._kill(one.actor)
        else:
            self._give(one.actor, job)

    def _replace(self, one: _Busy, reason: str) -> None:
        """Count the job of a dead actor as failed, or give it to another if it was not begun."""
        self._kill(one.actor)
        self._hear()
        if one.job.name in self._started:
            self._over(died(one.job, reason, time.perf_counter() - one.begun))
        else:
            self._false_starts += 1
            if self._false_starts >= MOST_FALSE_STARTS:
                hint = "posediff and what it needs have to be installed on every machine of the cluster"
                raise PosediffError(f"Ray's actors end before they begin to work ({reason})", hint)
            self._jobs = chain([one.job], self._jobs)
        self.hire(1)

    def _kill(self, actor: Any) -> None:
        with suppress(Exception):  # whatever Ray says of an actor that is gone
            self._ray.kill(actor)

    def _over(self, outcome: Outcome) -> None:
        self._hear()
        self._finished.add(outcome.name)
        self._emit(Finished(outcome))

    def _hear(self) -> None:
        try:
            messages = self._ray.get(self._board.take.remote())
        except self._ray.exceptions.RayError:  # without its board the batch goes on in silence
            return
        for message in messages:
            if isinstance(message, Logged):
                message.log()
                continue
            if isinstance(message, Started):
                self._started.add(message.name)
                self._false_starts = 0
            if message.name not in self._finished:
                self._emit(message)


class _Board:
    """The actor on which the others leave their reports."""

    def __init__(self) -> None:
        self._messages: list[Any] = []

    def post(self, message: Any) -> None:
        self._messages.append(message)

    def take(self) -> list[Any]:
        messages, self._messages = self._messages, []
        return messages


class _Actor:
    """The actor that does jobs."""

    def __init__(self, attempt: Attempt, board: Any, folder: str, level: int) -> None:
        self._attempt, self._board = attempt, board
        with suppress(OSError):  # relative paths mean the same as where the batch was started
            os.chdir(folder)
        forward_log(self._post, level)

    def attempt(self, job: Job) -> Outcome | Setback:
        import ray

        ray.get(self._board.post.remote(Started(job.name)))  # told before anything can happen to this actor
        try:
            return self._attempt(job, Rarely(job.name, self._post))
        except PosediffError as fault:
            return Setback.of(fault)

    def _post(self, message: Any) -> None:
        self._board.post.remote(message)
