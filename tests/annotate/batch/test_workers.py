import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from posediff.annotate.batch import workers
from posediff.annotate.batch.messages import Finished, Progressed, Started
from posediff.annotate.batch.tasks import DONE, FAILED, Attempt, Result
from posediff.annotate.batch.workers import MOST_FALSE_STARTS, ONE_THREAD, run_here, run_processes
from posediff.errors import BadSetting, CannotWrite, PosediffError
from tests.fixtures.batches import Maker, Refusing, begun, made

WORDS = {"a": "threads", "b": "die", "c": "bad", "d": "raise", "e": "exit", "f": "threads", "g": "die", "h": "full"}
WORDS["i"] = "crash"


class Ran:
    """What two processes made of jobs of every kind."""

    def __init__(self, folder: Path) -> None:
        self.out, self.log, self.events = folder / "out", folder / "log", []
        self.out.mkdir()
        jobs = made(folder / "videos", **WORDS)
        run_processes(iter(jobs), Attempt(Maker(self.log), self.out), 2, self.events.append)
        self.environment = dict(os.environ)
        self.outcomes = {event.outcome.name: event.outcome for event in self.events if isinstance(event, Finished)}


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        for name in ONE_THREAD:
            patch.delenv(name, raising=False)
        yield Ran(tmp_path_factory.mktemp("ran"))


def test_every_job_is_over_once_whoever_dies(ran):
    finished = [event.outcome.name for event in ran.events if isinstance(event, Finished)]
    assert sorted(finished) == sorted(WORDS)
    assert {name: outcome.state for name, outcome in ran.outcomes.items()} == {
        name: DONE if word == "threads" else FAILED for name, word in WORDS.items()
    }


def test_no_job_is_begun_twice(ran):
    assert sorted(begun(ran.log)) == sorted(WORDS)


def test_a_dead_process_is_told_by_its_signal(ran):
    assert "b.mp4: its worker died (SIGKILL)" in ran.outcomes["b"].message
    assert "fewer workers" in ran.outcomes["b"].hint


def test_a_crash_says_in_a_file_where_it_was(ran):
    outcome = ran.outcomes["i"]
    assert "(SIGSEGV)" in outcome.message
    assert outcome.log == "failures/i.txt"
    assert outcome.log in outcome.hint
    assert "in _obey" in (ran.out / outcome.log).read_text()


def test_faults_arrive_with_message_hint_and_code(ran):
    assert (ran.outcomes["c"].code, ran.outcomes["c"].hint) == (3, "check the file")
    assert "ZeroDivisionError" in ran.outcomes["d"].message
    assert (ran.out / ran.outcomes["d"].log).exists()
    assert ran.outcomes["h"].unwritable


def test_models_are_made_once_in_every_process(ran):
    processes = ran.log.with_suffix(".made").read_text().split()
    assert len(set(processes)) == len(processes)
    assert str(os.getpid()) not in processes
    assert len(processes) <= 5  # two, and one for each that died


def test_processes_have_one_thread_and_this_one_keeps_its_environment(ran):
    assert json.loads((ran.out / "a.json").read_text())["threads"] == "1"
    assert ran.environment.keys().isdisjoint(ONE_THREAD)


def test_progress_comes_between_begin_and_end(ran):
    kinds = [type(event) for event in ran.events if "a" in (getattr(event, "name", ""), _finished(event))]
    assert kinds[0] is Started
    assert Progressed in kinds
    assert kinds[-1] is Finished


def _finished(event):
    return event.outcome.name if isinstance(event, Finished) else ""


def test_the_same_process_does_the_jobs_in_order(tmp_path):
    events = []
    (tmp_path / "out").mkdir()
    jobs = made(tmp_path / "videos", a="fine", b="bad", c="fine")
    run_here(iter(jobs), Attempt(Maker(tmp_path / "log"), tmp_path / "out"), events.append)
    assert [event.outcome.state for event in events if isinstance(event, Finished)] == [DONE, FAILED, DONE]
    assert [event.name for event in events if isinstance(event, Started)] == ["a", "b", "c"]
    assert Progressed("a", 2, 2) in events
    assert (tmp_path / "log.made").read_text().split() == [str(os.getpid())]


def test_what_the_models_refuse_is_raised_here(tmp_path):
    jobs = made(tmp_path / "videos", a="fine", b="fine")
    with pytest.raises(BadSetting, match=r"x\.onnx") as error:
        run_processes(iter(jobs), Attempt(Refusing(), tmp_path), 1, [].append)
    assert error.value.hint == "check the path"


def test_a_worker_that_cannot_be_sent_is_refused(tmp_path):
    jobs = made(tmp_path / "videos", a="fine")
    with pytest.raises(BadSetting, match="cannot be sent"):
        run_processes(iter(jobs), Attempt(lambda settings: None, tmp_path), 1, [].append)


@dataclass(frozen=True)
class Stillborn:
    """Ends every process in which it arrives."""

    def __setstate__(self, state: object) -> None:
        if os.environ.get("OMP_NUM_THREADS") == "stillborn":
            os._exit(7)

    def __reduce__(self) -> tuple:
        return (object.__new__, (Stillborn,), {"x": 1})

    def __call__(self, settings: object) -> object:
        return lambda job, out, report: Result(())


def test_processes_that_never_begin_end_the_batch(tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "stillborn")
    started = []
    jobs = made(tmp_path / "videos", a="fine", b="fine")
    kept = workers._Crew.hire
    monkeypatch.setattr(workers._Crew, "hire", lambda crew, count: (started.append(count), kept(crew, count)))
    with pytest.raises(PosediffError, match="before they begin to work \\(exit code 7\\)"):
        run_processes(iter(jobs), Attempt(Stillborn(), tmp_path), 1, [].append)
    assert len(started) == MOST_FALSE_STARTS


def test_a_folder_that_cannot_be_written_is_told_before_any_process_starts(tmp_path):
    (tmp_path / "records").write_text("a file in the way")
    with pytest.raises(CannotWrite, match="records: cannot be written"):
        run_processes(iter(made(tmp_path / "videos", a="fine")), Attempt(Maker(tmp_path / "log"), tmp_path), 1, print)


def test_nothing_but_outputs_is_left(ran):
    left = {path.name for path in ran.out.rglob("*") if path.is_file() and path.suffix != ".json"}
    assert left == {".lock", "d.txt", "e.txt", "i.txt"}


@pytest.mark.skipif(sys.platform == "win32", reason="processes are looked up in another way")
def test_an_interruption_leaves_no_process(tmp_path):
    (tmp_path / "out").mkdir()
    jobs = made(tmp_path / "videos", a="fine", b="fine", c="fine")

    def interrupted(event):
        if isinstance(event, Finished):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_processes(iter(jobs), Attempt(Maker(tmp_path / "log"), tmp_path / "out"), 2, interrupted)
    for process in (tmp_path / "log.made").read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(process), 0)


def test_a_process_that_starts_after_its_parent_was_killed_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(workers.signal, "signal", lambda *arguments: None)  # this process keeps its own handler
    workers._serve(None, None, 0, tmp_path / ".worker.12345678.part")
    assert [*tmp_path.iterdir()] == []
