import shutil
import sys
import tempfile
from pathlib import Path

import pytest

from posediff.annotate.batch.messages import Finished, Progressed, Started
from posediff.annotate.batch.run import run
from posediff.annotate.batch.tasks import DONE, FAILED, Job
from posediff.errors import BadSetting, MissingDependency, PosediffError
from tests.fixtures.batches import Maker, Refusing, begun, everything, made

ROOT = Path(__file__).parents[3]
WORDS = {"a": "threads", "b": "die", "c": "bad", "d": "raise", "e": "threads"}


class Ran:
    """What two actors of a local Ray instance made of jobs of every kind, and one process of those that it survives."""

    def __init__(self, folder: Path, ray) -> None:
        self.ray, self.log, self.events = ray, folder / "log", []
        made(folder / "videos", **WORDS)
        jobs = [Job(f"videos/{name}.mp4", name, {"smooth": 1}) for name in WORDS]
        options = {"engine": "ray", "workers": 2, "on_event": self.events.append}
        shutdown, self.shut_down = ray.shutdown, []
        ray.shutdown = lambda: self.shut_down.append(len(self.shut_down))  # an instance takes seconds to start
        try:
            self.summary = run(jobs, Maker(self.log), out=folder / "out", **options)
            self.shut_down_by_the_first = len(self.shut_down)
            with pytest.raises(BadSetting) as error:
                run(jobs[:1], Refusing(), out=folder / "none", engine="ray")
        finally:
            ray.shutdown = shutdown
            ray.shutdown()
        self.refusal = error.value
        alive = [job for job in jobs if job.name != "b"]
        self.local = run(alive, Maker(folder / "local.log"), out=folder / "local")
        self.files, self.local_files = everything(folder / "out"), everything(folder / "local")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    ray = pytest.importorskip("ray")
    short = tempfile.mkdtemp(prefix="r")  # Ray's sockets lie in it, and their paths have to be short
    folder = tmp_path_factory.mktemp("ran")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", short)
        patch.setenv("PYTHONPATH", str(ROOT))  # the actors import what the tests define
        patch.delenv("RAY_ADDRESS", raising=False)
        patch.delenv("OMP_NUM_THREADS", raising=False)
        patch.chdir(folder)
        yield Ran(folder, ray)
    shutil.rmtree(short, ignore_errors=True)


def test_every_job_is_over_once_whoever_dies(ran):
    assert {one.name: one.state for one in ran.summary.outcomes} == {
        name: DONE if word == "threads" else FAILED for name, word in WORDS.items()
    }
    assert sorted(begun(ran.log)) == sorted(WORDS)
    assert sorted(one.outcome.name for one in ran.events if isinstance(one, Finished)) == sorted(WORDS)


def test_a_dead_actor_is_told_with_its_video(ran):
    assert "b.mp4: its worker died (" in ran.summary.outcomes[1].message


def test_outcomes_and_outputs_are_those_of_the_local_engine(ran):
    def timeless(outcomes):
        return [{**one.as_dict(), "seconds": 0} for one in outcomes if one.name != "b"]

    assert timeless(ran.summary.outcomes) == timeless(ran.local.outcomes)
    assert ran.files.keys() == ran.local_files.keys()
    assert ran.files["a.labels/1.json"] == ran.local_files["a.labels/1.json"]


def test_actors_have_one_thread(ran):
    assert b'"threads": "1"' in ran.files["a.json"]


def test_begin_and_progress_are_heard_before_the_end(ran):
    names = [(type(one), one.name) for one in ran.events if not isinstance(one, Finished)]
    assert sorted(name for kind, name in names if kind is Started) == sorted(WORDS)
    assert Progressed("a", 2, 2) in ran.events
    kinds = [type(one) for one in ran.events if "a" in (getattr(one, "name", ""), getattr(one, "outcome", one).name)]
    assert kinds[0] is Started
    assert kinds[-1] is Finished


def test_only_the_instance_that_was_started_is_shut_down(ran):
    assert ran.shut_down_by_the_first == 1
    assert len(ran.shut_down) == 1


def test_what_the_models_refuse_is_raised_here(ran):
    assert "x.onnx" in str(ran.refusal)
    assert ran.refusal.hint == "check the path"


def test_without_ray_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingDependency) as error:
        run([Job("a.mp4", "a")], Refusing(), out=tmp_path, engine="ray")
    assert "posediff[ray]" in error.value.hint


def test_a_cluster_that_cannot_be_reached_is_told_by_its_address(tmp_path, monkeypatch):
    ray = pytest.importorskip("ray")

    def unreachable(**options):
        raise ConnectionError(f"no cluster at {options['address']}\nand so on")

    monkeypatch.setattr(ray, "init", unreachable)
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    with pytest.raises(PosediffError, match=r"Ray cannot be used at 10\.0\.0\.1:6379 \(no cluster at [\d.:]+\)"):
        run([Job("a.mp4", "a")], Refusing(), out=tmp_path, engine="ray")
