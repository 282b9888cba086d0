import os
import shutil
import sys

import pytest

from posediff.annotate import doctor
from posediff.annotate.doctor import DEFAULTS, Finding, can_annotate, examine
from posediff.annotate.probes import PROBES
from posediff.weights.files import KNOWN, place


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("POSEDIFF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "weights"


def answer(script, time_limit=60.0):
    return doctor._answer([sys.executable, "-c", script], time_limit)


def of(findings, topic):
    return [one for one in findings if one.topic == topic]


def test_a_trial_s_own_answer_is_taken():
    assert answer("""print('["missing", "not here"]')""") == ("missing", "not here")


def test_a_library_that_crashes_does_not_harm_the_doctor():
    assert answer("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)") == ("broken", "crashed (SIGSEGV)")


def test_a_library_that_hangs_is_given_up():
    assert answer("import signal; signal.pause()", 0.5) == ("broken", "no answer within 0.5 s")


@pytest.mark.parametrize("script", ["import sys; sys.exit('out of order')", "raise RuntimeError('out of order')"])
def test_a_library_that_ends_the_process_is_told_with_its_last_words(script):
    state, detail = answer(script)
    assert state == "broken"
    assert detail.startswith("ended with exit code 1")
    assert detail.endswith("out of order")


def test_a_python_that_cannot_be_started_is_told():
    assert doctor._answer(["/nowhere/python"], 1)[0] == "broken"


def test_the_machine_a_library_the_weights_and_the_disk_are_looked_at(monkeypatch):
    pytest.importorskip("PIL")
    findings = examine(["pillow"])
    assert [one.topic for one in findings] == ["device", "drawing", *["weights"] * len(DEFAULTS), "cache"]
    assert (findings[1].state, findings[1].cure) == ("ok", "")
    assert f"{len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} CPU" in (
        findings[0].detail
    )


@pytest.mark.parametrize(("state", "command"), [("missing", "install"), ("broken", "repair"), ("ok", None)])
def test_what_does_not_work_comes_with_the_command_that_cures_it(monkeypatch, state, command):
    monkeypatch.setattr(doctor, "_answer", lambda *_: (state, "seen"))
    found = examine(["torchvision"])[1]
    assert found == Finding(
        "detector", "torchvision", state, "seen", getattr(PROBES["torchvision"], command) if command else ""
    )


def test_weights_that_are_not_there_say_where_from_and_where_to():
    missing = of(examine([]), "weights")
    assert {one.name for one in missing} == set(DEFAULTS)
    for one in missing:
        assert one.state == "missing"
        assert KNOWN[one.name].url in one.cure
        assert str(place(KNOWN[one.name].url)) in one.cure


def test_weights_in_the_cache_are_checked(cache):
    cache.mkdir(parents=True)
    place(KNOWN["rtmpose-m"].url).write_bytes(b"weights")
    place(KNOWN["rtmpose-x"].url).write_bytes(b"weights")
    (cache / "own.pth").write_bytes(b"weights")
    (cache / ".own.pth.1234.part").write_bytes(b"half")
    found = {one.name: one.state for one in of(examine([]), "weights")}
    assert found == {
        "rtmpose-m": "ok",
        "rtmpose-x": "ok",
        "own.pth": "ok",
        "yolox-m": "missing",
    }
    (cache / "own.pth").write_bytes(b"changed")
    assert {one.name: one.state for one in of(examine([]), "weights")}["own.pth"] == "broken"


def test_too_little_space_is_told(monkeypatch):
    assert of(examine([]), "cache")[0].state == "ok" or shutil.disk_usage(".").free < doctor.FREE
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10, 9, 1))
    found = of(examine([]), "cache")[0]
    assert found.state == "broken"
    assert "POSEDIFF_CACHE" in found.cure


def finding(topic, name, state):
    return Finding(topic, name, state, "")


@pytest.mark.parametrize(
    ("pose", "video", "able"),
    [("ok", "ok", True), ("missing", "ok", False), ("ok", "broken", False), ("broken", "missing", False)],
)
def test_annotating_needs_videos_and_a_pose_back_end(pose, video, able):
    findings = [finding("pose", "mmpose", "missing"), finding("pose", "rtmlib", pose), finding("video", "h264", video)]
    assert can_annotate([*findings, finding("video", "av1", "ok")]) == able
