import json
import subprocess
import sys

import numpy as np
import pytest

from posediff.annotate import probes
from posediff.annotate.probes import PROBES, Probe, attempt, codec
from posediff.errors import MissingDependency, PosediffError


def probe(run, packages=("json",)):
    return Probe("test", packages, run, "install", "repair")


def failing(error):
    def run():
        raise error

    return run


def test_what_works_says_what_it_saw():
    assert attempt(probe(lambda: "version 1")) == ("ok", "version 1")


def test_a_library_that_is_not_there_is_missing_and_not_tried():
    state, detail = attempt(probe(failing(AssertionError()), packages=["json", "no_such_library_anywhere"]))
    assert (state, detail) == ("missing", "no_such_library_anywhere not installed")


@pytest.mark.parametrize(
    ("error", "state", "says"),
    [
        (MissingDependency("net", "annotate", "looking"), "missing", "looking needs net, which is not installed"),
        (ImportError("no inner part\nsecond line"), "broken", "ImportError: no inner part"),
        (PosediffError("a wrong number"), "broken", "a wrong number"),
        (KeyError(), "broken", "KeyError: no reason given"),
    ],
)
def test_what_fails_is_told_in_one_line(error, state, says):
    assert attempt(probe(failing(error))) == (state, says)


def test_a_trial_in_a_process_of_its_own_writes_json_and_nothing_else_to_stdout():
    pytest.importorskip("PIL")
    done = subprocess.run([sys.executable, "-m", probes.__name__, "pillow"], capture_output=True, check=True)
    state, detail = json.loads(done.stdout)
    assert (state, detail.split()[0]) == ("ok", "pillow")


@pytest.mark.parametrize("name", ["h264", "hevc", "av1"])
def test_a_codec_that_pyav_has_both_ways_is_tried_both_ways(name):
    av = pytest.importorskip("av")
    encoders = PROBES[name].run.args[1]
    there = [one for one in encoders if one in av.codecs_available]
    if not there:
        pytest.skip(f"this PyAV writes no {name}")
    assert PROBES[name].run().endswith(f"reads it and writes it ({there[0]})")


def test_a_codec_that_is_not_there_or_only_reads_is_told():
    pytest.importorskip("av")
    with pytest.raises(PosediffError, match="no decoder nosuchcodec"):
        codec(["nosuchcodec"], ["nosuchencoder"])
    assert codec(["h264"], ["nosuchencoder"]).endswith("reads it and cannot write it")


def test_a_codec_that_gives_other_pictures_back_is_found_out(monkeypatch):
    av = pytest.importorskip("av")
    if "libx264" not in av.codecs_available:
        pytest.skip("this PyAV writes no h264")
    genuine = av.VideoFrame.from_ndarray

    class Spoiled:
        @staticmethod
        def from_ndarray(picture, format):
            return genuine(np.ascontiguousarray(picture[:, ::-1]), format=format)

    monkeypatch.setattr(av, "VideoFrame", Spoiled)
    with pytest.raises(PosediffError, match="other ones"):
        codec(["h264"], ["libx264"])


@pytest.mark.parametrize("name", ["rtmlib", "pillow", "supervision"])
def test_a_library_that_is_there_passes_its_trial(name):
    for package in PROBES[name].packages:
        pytest.importorskip(package)
    assert attempt(PROBES[name])[0] == "ok"


def test_every_library_has_commands_that_install_and_repair_it():
    for one in PROBES.values():
        assert one.install.startswith(("pip install ", "python3.12 -m venv"))
        assert one.repair.partition(" ")[0] in ("pip", "nvidia-smi")
