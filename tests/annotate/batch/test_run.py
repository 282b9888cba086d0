import json
import multiprocessing
import os
import signal
import sys
from pathlib import Path

import pytest

from posediff.annotate.batch.messages import Finished
from posediff.annotate.batch.run import MOST_UNWRITABLE, Summary, run
from posediff.annotate.batch.tasks import DONE, FAILED, LEFT, SKIPPED, Job, Outcome
from posediff.errors import BAD_DATA, FAILURE, PARTIAL, BadSetting, CannotWrite
from tests.fixtures.batches import Maker, Refusing, begun, everything, made

needs_fork = pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be forked")


def batch(folder: Path, jobs, **options) -> Summary:
    return run(jobs, Maker(folder / "log"), out=folder / "out", **options)


def states(summary: Summary) -> dict[str, str]:
    return {outcome.name: outcome.state for outcome in summary.outcomes}


def test_a_bad_video_never_stops_the_others(tmp_path):
    jobs = made(tmp_path / "v", a="fine", b="bad", c="raise", d="exit", e="damaged", f="memory", g="fine")
    summary = batch(tmp_path, jobs)
    assert list(states(summary).items()) == [
        ("a", DONE),
        ("b", FAILED),
        ("c", FAILED),
        ("d", FAILED),
        ("e", DONE),
        ("f", FAILED),
        ("g", DONE),
    ]
    assert (summary.count(DONE), summary.count(FAILED), summary.exit_code) == (3, 4, PARTIAL)


def test_the_second_run_does_what_is_missing_and_nothing_else(tmp_path):
    jobs = made(tmp_path / "v", a="fine", b="bad", c="fine")
    batch(tmp_path, jobs)
    Path(jobs[1].path).write_text("fine after all")
    summary = batch(tmp_path, jobs)
    assert states(summary) == {"a": SKIPPED, "b": DONE, "c": SKIPPED}
    assert summary.exit_code == 0
    assert begun(tmp_path / "log") == ["a", "b", "c", "b"]
    batch(tmp_path, jobs, resume=False)
    assert begun(tmp_path / "log")[4:] == ["a", "b", "c"]


def test_processes_and_this_process_come_to_the_same(tmp_path, monkeypatch):
    words = {"a": "fine", "b": "bad", "c": "damaged", "d": "raise", "e": "full"}
    for folder, options in (("one", {}), ("two", {"workers": 2}), ("three", {"isolated": True})):
        jobs = made(tmp_path / folder / "v", **words)
        (tmp_path / folder / "out").mkdir()
        monkeypatch.chdir(tmp_path / folder)
        jobs = [Job(f"v/{job.name}.mp4", job.name, job.settings) for job in jobs]
        summary = batch(tmp_path / folder, jobs, **options)
        timeless = [{**outcome.as_dict(), "seconds": 0} for outcome in summary.outcomes]
        files = set(everything(tmp_path / folder / "out"))
        if folder == "one":
            expected = timeless, files
        assert (timeless, files) == expected


def test_a_worker_that_dies_alone_in_its_process_fails_its_video_only(tmp_path):
    summary = batch(tmp_path, made(tmp_path / "v", a="die", b="fine"), isolated=True)
    assert states(summary) == {"a": FAILED, "b": DONE}


@pytest.mark.parametrize("word", ["full", "unwritable"])
def test_a_full_disk_stops_the_batch_and_says_so(tmp_path, word):
    jobs = made(tmp_path / "v", a="fine", b=word, c="fine", d=word, e=word, f="fine", g="fine")
    summary = batch(tmp_path, jobs)
    assert "".join(outcome.state[0] for outcome in summary.outcomes) == "dfdffll"
    assert f"{MOST_UNWRITABLE} videos in a row could not be written" in summary.stopped
    assert "No space left" in summary.outcomes[-1].message
    assert (summary.count(LEFT), summary.exit_code) == (2, PARTIAL)
    assert begun(tmp_path / "log") == ["a", "b", "c", "d", "e"]


def test_a_bad_video_between_two_that_cannot_be_written_stops_nothing(tmp_path):
    summary = batch(tmp_path, made(tmp_path / "v", a="full", b="bad", c="full", d="fine"))
    assert states(summary)["d"] == DONE
    assert summary.stopped == ""


def test_a_record_that_cannot_be_written_makes_the_video_a_failure(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "records").write_text("a file in the way")
    summary = batch(tmp_path, made(tmp_path / "v", a="fine"))
    assert states(summary) == {"a": FAILED}
    assert "records" in summary.outcomes[0].message


def test_an_interruption_ends_the_batch_and_keeps_what_is_finished(tmp_path):
    jobs = made(tmp_path / "v", a="fine", b="interrupt", c="fine")
    with pytest.raises(KeyboardInterrupt):
        batch(tmp_path, jobs)
    Path(jobs[1].path).write_text("fine")
    assert states(batch(tmp_path, jobs)) == {"a": SKIPPED, "b": DONE, "c": DONE}


def test_videos_of_the_same_content_are_annotated_once(tmp_path):
    jobs = made(tmp_path / "v", a="fine", b="fine")
    for job in jobs:
        Path(job.path).write_text("fine")
    assert states(batch(tmp_path, jobs)) == {"a": DONE, "b": SKIPPED}
    assert states(batch(tmp_path, jobs)) == {"a": SKIPPED, "b": SKIPPED}
    assert begun(tmp_path / "log") == ["a"]


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ([], 0),
        ([(DONE, 0)], 0),
        ([(DONE, 0), (SKIPPED, 0)], 0),
        ([(FAILED, BAD_DATA)], BAD_DATA),
        ([(FAILED, FAILURE)], FAILURE),
        ([(FAILED, BAD_DATA), (FAILED, BAD_DATA)], PARTIAL),
        ([(FAILED, BAD_DATA), (DONE, 0)], PARTIAL),
        ([(DONE, 0), (LEFT, FAILURE)], PARTIAL),
    ],
)
def test_the_exit_code_tells_part_from_all(outcomes, code):
    summary = Summary(tuple(Outcome("a", "a.mp4", state, code=code) for state, code in outcomes), 1.0)
    assert summary.exit_code == code


def test_a_summary_is_plain_json(tmp_path):
    summary = batch(tmp_path, made(tmp_path / "v", a="fine", b="bad"))
    document = json.loads(json.dumps(summary.as_dict()))
    assert {key: document[key] for key in (DONE, SKIPPED, FAILED, LEFT)} == {DONE: 1, SKIPPED: 0, FAILED: 1, LEFT: 0}
    assert document["videos"][0]["quality"] == {"coverage": 0.5}
    assert document["videos"][1]["hint"] == "check the file"


def test_nothing_to_do_is_a_summary_of_nothing(tmp_path):
    assert batch(tmp_path, [], workers=2).outcomes == ()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"workers": 0}, "workers is 0"),
        ({"engine": "spark"}, "'spark'"),
        ({"gpus": -1}, "GPUs is -1"),
        ({"gpus": 1}, "by Ray only"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(tmp_path, options, message):
    with pytest.raises(BadSetting, match=message):
        batch(tmp_path, [], **options)


def test_two_videos_of_one_name_are_refused(tmp_path):
    with pytest.raises(BadSetting, match="called 'a'"):
        batch(tmp_path, [Job("a.mp4", "a"), Job("b/a.mp4", "a")])


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "out").write_text("a file in the way")
    with pytest.raises(CannotWrite, match="out: cannot be made"):
        batch(tmp_path, [])


def test_what_the_models_refuse_ends_the_batch(tmp_path):
    with pytest.raises(BadSetting, match=r"x\.onnx"):
        run(made(tmp_path / "v", a="fine"), Refusing(), out=tmp_path / "out")


def killed_at(folder: Path, jobs: list[Job], count: int, after: bool) -> bool:
    """Whether a batch in a process of its own was killed at the ``count``-th file that it put in its place."""

    def work() -> None:
        replace, calls = os.replace, []

        def counting(*places: str) -> None:
            calls.append(places)
            if len(calls) == count and not after:
                os.kill(os.getpid(), signal.SIGKILL)
            replace(*places)
            if len(calls) == count:
                os.kill(os.getpid(), signal.SIGKILL)

        os.replace = counting
        batch(folder, jobs)

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


@needs_fork
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("count", range(1, 13))
def test_a_run_that_is_killed_at_any_file_goes_on_where_it_was(tmp_path, count, after):
    words = {"a": "fine", "b": "damaged", "c": "fine"}
    whole = batch(tmp_path / "whole", made(tmp_path / "whole" / "v", **words))
    assert len(everything(tmp_path / "whole" / "out")) == 12
    jobs = made(tmp_path / "v", **words)
    assert killed_at(tmp_path, jobs, count, after)
    recorded = len([*(tmp_path / "out" / "records").glob("[!.]*.json")])
    assert recorded == (count if after else count - 1) // 4
    first = begun(tmp_path / "log")

    summary = batch(tmp_path, jobs)
    assert [outcome.state for outcome in summary.outcomes] == [SKIPPED] * recorded + [DONE] * (3 - recorded)
    assert begun(tmp_path / "log") == first + list(words)[recorded:]
    assert [one.quality for one in summary.outcomes] == [one.quality for one in whole.outcomes]
    files, expected = everything(tmp_path / "out"), everything(tmp_path / "whole" / "out")
    assert files.keys() == expected.keys()  # nothing half-written, nothing lost
    records = {name for name in files if name.startswith("records/")}
    assert {name: files[name] for name in files.keys() - records} == {
        name: expected[name] for name in expected.keys() - records
    }


@needs_fork
def test_a_run_that_is_killed_again_and_again_is_finished_in_the_end(tmp_path):
    jobs = made(tmp_path / "v", a="fine", b="fine", c="fine", d="fine")
    runs = 1
    while killed_at(tmp_path, jobs, 5, after=True):
        runs += 1
    assert runs == 4  # each but the last finished one video more
    assert sorted(begun(tmp_path / "log")) == sorted([*"abcd", *"bcd"])


@needs_fork
def test_processes_whose_parent_is_killed_end_and_lose_nothing(tmp_path):
    fcntl = pytest.importorskip("fcntl")
    words = {"a": "fine", "b": "fine", "c": "fine", "d": "orphan", "e": "fine", "f": "fine"}
    jobs = made(tmp_path / "v", **words)
    process = multiprocessing.get_context("fork").Process(target=batch, args=(tmp_path, jobs), kwargs={"workers": 2})
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with open(tmp_path / "out" / "records" / ".lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # waits until the last orphan has ended
    records = [json.loads(path.read_text()) for path in (tmp_path / "out" / "records").glob("[!.]*.json")]
    Path(jobs[3].path).write_text("fine")
    summary = batch(tmp_path, jobs)
    skipped = {name for name, state in states(summary).items() if state == SKIPPED}
    assert skipped == {record["name"] for record in records} - {"d"}  # which has another content now
    assert summary.exit_code == 0
    assert not [*(tmp_path / "out").rglob("*.part")]


def test_events_are_heard_in_this_process(tmp_path):
    heard = []
    batch(tmp_path, made(tmp_path / "v", a="fine", b="fine"), on_event=heard.append)
    assert [event.outcome.name for event in heard if isinstance(event, Finished)] == ["a", "b"]
