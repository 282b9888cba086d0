import json
import pickle
from pathlib import Path

import pytest

from posediff.annotate.batch.records import Records
from posediff.annotate.batch.tasks import DONE, FAILED, SKIPPED, Attempt, Job, Outcome, Result
from posediff.errors import BadSetting, PosediffError
from tests.fixtures.batches import Maker, Refusing, begun, everything, made

silent = lambda done, total: None  # noqa: E731


@pytest.fixture
def attempt(tmp_path):
    (tmp_path / "out").mkdir()
    return Attempt(Maker(tmp_path / "log"), tmp_path / "out")


def one(tmp_path: Path, text: str, name: str = "a") -> Job:
    return made(tmp_path / "videos", **{name: text})[0]


def test_a_job_is_done_and_recorded(tmp_path, attempt):
    outcome = attempt(one(tmp_path, "damaged"), silent)
    assert (outcome.state, outcome.name, outcome.frames, outcome.code) == (DONE, "a", 2, 0)
    assert outcome.outputs == ("a.json", "a.labels/0.json", "a.labels/1.json")
    assert (outcome.quality, outcome.faults) == ({"coverage": 0.5}, ("stopped at frame 2",))
    assert set(outcome.outputs) == set(Records(tmp_path / "out").outputs())


def test_a_finished_job_is_skipped_with_its_figures(tmp_path, attempt):
    job = one(tmp_path, "fine")
    first = attempt(job, silent)
    again = Attempt(Maker(tmp_path / "log"), tmp_path / "out")(job, silent)
    assert (again.state, again.quality, again.outputs) == (SKIPPED, first.quality, first.outputs)
    assert begun(tmp_path / "log") == ["a"]


def test_no_worker_is_made_where_nothing_is_to_be_done(tmp_path, attempt):
    job = one(tmp_path, "fine")
    attempt(job, silent)
    assert Attempt(Refusing(), tmp_path / "out")(job, silent).state == SKIPPED


def test_without_resume_a_finished_job_is_done_again(tmp_path, attempt):
    job = one(tmp_path, "fine")
    attempt(job, silent)
    assert Attempt(Maker(tmp_path / "log"), tmp_path / "out", resume=False)(job, silent).state == DONE
    assert begun(tmp_path / "log") == ["a", "a"]


@pytest.mark.parametrize("name", ["a.json", "a.labels/1.json"])
@pytest.mark.parametrize("text", [None, "changed"])
def test_a_job_whose_outputs_are_gone_or_changed_is_done_again(tmp_path, attempt, name, text):
    job = one(tmp_path, "fine")
    attempt(job, silent)
    before = everything(tmp_path / "out")
    path = tmp_path / "out" / name
    path.unlink() if text is None else path.write_text(text)
    assert attempt(job, silent).state == DONE
    assert everything(tmp_path / "out").keys() == before.keys()
    assert path.read_bytes() == before[name]


def test_other_settings_and_back_are_each_done(tmp_path, attempt):
    job = one(tmp_path, "fine")
    other = Job(job.path, job.name, {"smooth": 2})
    assert [attempt(which, silent).state for which in (job, job, other, other, job)] == [
        DONE,
        SKIPPED,
        DONE,
        SKIPPED,
        DONE,
    ]
    assert json.loads((tmp_path / "out" / "a.json").read_text())["settings"] == {"smooth": 1}


def test_a_changed_video_is_done_again(tmp_path, attempt):
    job = one(tmp_path, "fine")
    attempt(job, silent)
    Path(job.path).write_text("fine but another")
    assert attempt(job, silent).state == DONE


def test_a_renamed_video_is_not_done_again(tmp_path, attempt):
    job = one(tmp_path, "fine")
    attempt(job, silent)
    moved = Path(job.path).rename(tmp_path / "videos" / "b.mp4")
    outcome = attempt(Job(str(moved), "b", job.settings), silent)
    assert outcome.state == SKIPPED
    assert "outputs of a were copied" in outcome.message
    assert outcome.outputs == ("b.json", "b.labels/0.json", "b.labels/1.json")
    assert (tmp_path / "out" / "b.json").read_bytes() == (tmp_path / "out" / "a.json").read_bytes()
    assert attempt(Job(str(moved), "b", job.settings), silent).message == ""
    assert begun(tmp_path / "log") == ["a"]


def test_one_worker_does_jobs_of_the_same_settings(tmp_path, attempt):
    jobs = made(tmp_path / "videos", a="fine", b="fine", c="fine")
    jobs[2] = Job(jobs[2].path, "c", {"smooth": 2})
    for job in jobs:
        attempt(job, silent)
    assert len((tmp_path / "log.made").read_text().split()) == 2


@pytest.mark.parametrize(
    ("text", "message", "code", "unwritable"),
    [
        ("bad", "is no video", 3, False),
        ("raise", "ZeroDivisionError: by nothing", 1, False),
        ("exit", "SystemExit: 3", 1, False),
        ("memory", "out of memory", 1, False),
        ("unwritable", "No space left", 1, True),
        ("full", "No space left", 1, True),
    ],
)
def test_whatever_happens_is_the_outcome(tmp_path, attempt, text, message, code, unwritable):
    outcome = attempt(one(tmp_path, text), silent)
    assert (outcome.state, outcome.code, outcome.unwritable) == (FAILED, code, unwritable)
    assert message in outcome.message
    assert outcome.hint
    assert list(Records(tmp_path / "out").outputs()) == []


def test_an_unexpected_fault_leaves_its_traceback_until_the_video_succeeds(tmp_path, attempt):
    job = one(tmp_path, "raise")
    job = Job(job.path, "deep/er/a", job.settings)
    outcome = attempt(job, silent)
    assert outcome.log == "failures/deep/er/a.txt"
    assert "failures/deep/er/a.txt" in outcome.hint
    text = (tmp_path / "out" / outcome.log).read_text()
    assert job.path in text
    assert 'raise ZeroDivisionError("by nothing")' in text
    Path(job.path).write_text("fine")
    attempt(job, silent)
    assert not (tmp_path / "out" / "failures").exists()


def test_the_tracebacks_of_other_videos_stay(tmp_path, attempt):
    jobs = made(tmp_path / "videos", a="raise", b="raise")
    for job in jobs:
        attempt(job, silent)
    Path(jobs[0].path).write_text("fine")
    attempt(jobs[0], silent)
    assert [path.name for path in (tmp_path / "out" / "failures").iterdir()] == ["b.txt"]


def test_a_missing_video_fails_with_its_name(tmp_path, attempt):
    outcome = attempt(Job(str(tmp_path / "gone.mp4"), "gone"), silent)
    assert (outcome.state, outcome.code) == (FAILED, 3)
    assert "gone.mp4" in outcome.message


def test_an_interruption_is_no_outcome(tmp_path, attempt):
    with pytest.raises(KeyboardInterrupt):
        attempt(one(tmp_path, "interrupt"), silent)


def test_settings_that_the_worker_refuses_are_raised(tmp_path):
    with pytest.raises(BadSetting, match="no such weights"):
        Attempt(Refusing(), tmp_path)(one(tmp_path, "fine"), silent)


def test_an_unexpected_fault_of_the_models_is_raised_as_one_line(tmp_path):
    def broken(settings):
        raise RuntimeError("CUDA\nout of memory")

    with pytest.raises(PosediffError, match="cannot be made ready \\(RuntimeError: CUDA out of memory\\)"):
        Attempt(broken, tmp_path)(one(tmp_path, "fine"), silent)


def test_settings_that_are_no_json_are_refused(tmp_path, attempt):
    with pytest.raises(BadSetting, match="JSON"):
        attempt(Job(one(tmp_path, "fine").path, "a", {"path": tmp_path}), silent)


@pytest.mark.parametrize("quality", [{"coverage": float("nan")}, {"path": Path("x")}])
def test_quality_that_is_no_json_fails_the_video(tmp_path, quality):
    def make(settings):
        return lambda job, out, report: Result(("videos",), quality)

    outcome = Attempt(make, tmp_path)(one(tmp_path, "fine"), silent)
    assert outcome.state == FAILED


@pytest.mark.parametrize("outputs", [("gone.json",), ("../videos/a.mp4",)])
def test_outputs_that_the_worker_only_claims_fail_the_video(tmp_path, outputs):
    (tmp_path / "out").mkdir()
    outcome = Attempt(lambda settings: lambda job, out, report: Result(outputs), tmp_path / "out")(
        one(tmp_path, "fine"), silent
    )
    assert outcome.state == FAILED
    assert outputs[0].split("/")[-1] in outcome.message


def test_an_attempt_can_be_sent_to_another_process(tmp_path):
    attempt = pickle.loads(pickle.dumps(Attempt(Maker(tmp_path / "log"), tmp_path)))
    assert attempt(one(tmp_path, "fine"), silent).state == DONE


def test_an_outcome_is_plain_json():
    outcome = Outcome("a", "a.mp4", DONE, quality={"x": 1.5}, faults=("cut",))
    assert json.loads(json.dumps(outcome.as_dict()))["quality"] == {"x": 1.5}
