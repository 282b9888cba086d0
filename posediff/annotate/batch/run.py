"""Many videos: each is finished, skipped or failed by itself, and an interrupted batch goes on where it was."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posediff.annotate.batch.leftovers import in_use
from posediff.annotate.batch.messages import Emit, Event, Finished
from posediff.annotate.batch.tasks import DONE, FAILED, LEFT, SKIPPED, Attempt, Job, MakeWorker, Outcome
from posediff.errors import FAILURE, PARTIAL, BadSetting, CannotWrite

ENGINES = ("local", "ray")

#: So many videos in a row whose outputs cannot be written end a batch: the disk is full, or gone.
MOST_UNWRITABLE = 2


@dataclass(frozen=True)
class Summary:
    """What came of a batch.

    Attributes:
        outcomes: one for every job, in the jobs' order.
        seconds: from beginning to end.
        stopped: why videos were left out; empty where none was.
    """

    outcomes: tuple[Outcome, ...]
    seconds: float
    stopped: str = ""

    def count(self, state: str) -> int:
        """How many jobs are in a state: ``done``, ``skipped``, ``failed`` or ``left``."""
        return sum(outcome.state == state for outcome in self.outcomes)

    @property
    def exit_code(self) -> int:
        """0 where every video is finished; of a single one the code of its failure, of several 4."""
        bad = [outcome for outcome in self.outcomes if outcome.state not in (DONE, SKIPPED)]
        if not bad:
            return 0
        return bad[0].code if len(self.outcomes) == 1 else PARTIAL

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "videos": [outcome.as_dict() for outcome in self.outcomes],
            **{state: self.count(state) for state in (DONE, SKIPPED, FAILED, LEFT)},
            "seconds": round(self.seconds, 3),
            "stopped": self.stopped,
        }


def run(
    jobs: Sequence[Job],
    make_worker: MakeWorker,
    *,
    out: Path,
    workers: int = 1,
    engine: str = "local",
    isolated: bool = False,
    gpus: float = 0.0,
    resume: bool = True,
    on_event: Callable[[Event], None] | None = None,
) -> Summary:
    """Do jobs; a bad one never stops the others.

    What is wrong with a video is its outcome, and so is a process that dies over it. A batch ends early where its
    settings or models are at fault, where the user interrupts it (KeyboardInterrupt), and where two videos in a row
    could not be written, in which case those that are under way are finished and the others left. Whatever happens,
    a video counts as finished once all of its outputs are there, and the next run with ``resume`` goes on from there.

    Args:
        jobs: each with a name of its own.
        make_worker: makes what does the jobs, once in every process; defined at the top of a module.
        out: the folder of outputs.
        workers: how many jobs are done at a time. With one, on this machine, this process does them.
        engine: ``"local"``, or ``"ray"`` for a Ray cluster.
        isolated: whether a single worker gets a process of its own, so that its crash is one video's failure.
        gpus: GPUs, or what part of one, for every worker on Ray, which without it hides them.
        resume: whether finished videos are skipped.
        on_event: hears in this process of jobs begun, in progress and over.

    Raises:
        BadSetting: if an argument cannot be used, or the worker refuses the settings.
        CannotWrite: if there can be no folder of outputs.
        MissingDependency: if Ray or what the worker needs is not installed.
        PosediffError: if there can be no worker.
    """
    _check(jobs, workers, engine, gpus)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CannotWrite(f"{out}: cannot be made ({reason})", "choose another folder for the outputs") from None
    begun = time.perf_counter()
    ledger = _Ledger(jobs, on_event)
    attempt = Attempt(make_worker, out, resume)
    with in_use(out, [job.name for job in jobs]):
        _engine(engine, workers, isolated, gpus)(ledger.waiting(), attempt, ledger.enter)
    return Summary(ledger.outcomes(), time.perf_counter() - begun, ledger.stopped)


def _check(jobs: Sequence[Job], workers: int, engine: str, gpus: float) -> None:
    if engine not in ENGINES:
        raise BadSetting(f"unknown engine {engine!r}", f"choose one of: {', '.join(ENGINES)}")
    if workers < 1:
        raise BadSetting(f"the number of workers is {workers}", "use 1 or more")
    if not gpus >= 0:
        raise BadSetting(f"the number of GPUs is {gpus}", "use 0 or more")
    if gpus and engine != "ray":
        raise BadSetting(f"GPUs are shared out ({gpus:g} for each worker) by Ray only", "leave it out, or use Ray")
    names = [job.name for job in jobs]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BadSetting(f"two videos of the batch are called {twice!r}", "give each a name of its own")


def _engine(name: str, workers: int, isolated: bool, gpus: float) -> Callable[[Iterator[Job], Attempt, Emit], None]:
    if name == "ray":
        from posediff.annotate.batch.ray_workers import run_ray

        return lambda jobs, attempt, emit: run_ray(jobs, attempt, workers, emit, gpus=gpus)
    from posediff.annotate.batch.workers import run_here, run_processes

    if workers == 1 and not isolated:
        return run_here
    return lambda jobs, attempt, emit: run_processes(jobs, attempt, workers, emit)


class _Ledger:
    """The jobs of a batch that wait, and the outcomes of those that are over."""

    def __init__(self, jobs: Sequence[Job], on_event: Callable[[Event], None] | None) -> None:
        self.stopped = ""
        self._jobs, self._on_event = jobs, on_event
        self._outcomes: dict[str, Outcome] = {}
        self._unwritable = 0

    def waiting(self) -> Iterator[Job]:
        """The jobs, until the batch is stopped."""
        for job in self._jobs:
            if self.stopped:
                return
            yield job

    def enter(self, event: Event) -> None:
        """Keep an outcome, stop the batch if it is time to, and pass the event on."""
        if isinstance(event, Finished):
            outcome = event.outcome
            self._outcomes[outcome.name] = outcome
            if outcome.state != SKIPPED:
                self._unwritable = self._unwritable + 1 if outcome.unwritable else 0
            if self._unwritable >= MOST_UNWRITABLE and not self.stopped:
                self.stopped = f"{MOST_UNWRITABLE} videos in a row could not be written: {outcome.message}"
        if self._on_event is not None:
            self._on_event(event)

    def outcomes(self) -> tuple[Outcome, ...]:
        """An outcome for every job, in their order."""
        return tuple(self._outcomes.get(job.name) or self._left(job) for job in self._jobs)

    def _left(self, job: Job) -> Outcome:
        hint = "make room, and run the same command again"
        return Outcome(job.name, job.path, LEFT, message=f"not begun: {self.stopped}", hint=hint, code=FAILURE)
