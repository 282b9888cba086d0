import runpy
from pathlib import Path

import pytest

from posediff.io import read, write

ROOT = Path(__file__).parents[2]
TOOL = runpy.run_path(str(ROOT / "tools" / "make_samples.py"))
SAMPLES = TOOL["samples"]()


def test_the_folder_holds_the_samples_and_nothing_else():
    assert sorted(path.name for path in TOOL["FOLDER"].glob("*.json")) == sorted(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_what_the_tool_makes_now_byte_for_byte(name, tmp_path):
    write(tmp_path / name, SAMPLES[name])
    assert (tmp_path / name).read_bytes() == (TOOL["FOLDER"] / name).read_bytes()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_reads_back_as_one_person_with_stages(name):
    (person,) = read(TOOL["FOLDER"] / name)
    assert person.keypoints.shape == SAMPLES[name].keypoints.shape
    assert person.stages == SAMPLES[name].stages
    assert person.source["generator"] == "posediff.motion.synthetic"


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_small(name):
    assert (TOOL["FOLDER"] / name).stat().st_size < 150_000
