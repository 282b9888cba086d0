import numpy as np
import pytest

from posediff.datasets.synthetic_dives import STAGES, SyntheticDivesSettings
from posediff.engine.config import load_experiment
from tests.fixtures.benchmarks import load

torch = pytest.importorskip("torch")


def test_planted_dives_have_large_faults_in_the_stage_that_is_named_and_in_no_other():
    clips, sequences, stages = load("skilldiff_segments").planted(SyntheticDivesSettings(), 7, 6)
    assert len({clip.key for clip in clips}) == len(clips) == 6
    for clip, stage in zip(clips, stages, strict=True):
        faults = sequences[clip.key].source["faults"]
        assert {fault["stage"] for fault in faults} == {STAGES[stage]}
        assert min(abs(fault["amount"]) for fault in faults) >= 15


def test_a_segment_is_in_a_stage_by_its_middle():
    # Segments of 4 frames, whose middles are 1.5, 5.5 and 9.5; stages from 0, 2 and 10, and from 0, 6 and 9.
    transitions, labelled = np.array([[4, 8]] * 2), np.array([[2, 10], [6, 9]])
    inside = load("skilldiff_segments").inside
    found = [inside(transitions, labelled, np.full(2, stage), 12).tolist() for stage in range(3)]
    assert found[0] == [[True, False, False], [True, True, False]]
    assert found[1] == [[False, True, True], [False, False, False]]
    assert found[2] == [[False, False, False], [False, False, True]]


def test_every_row_can_be_read_and_changes_something():
    benchmark = load("skilldiff_segments")
    rows = sorted(path.stem for path in (benchmark.CONFIGS / "ablations_skilldiff").glob("*.py"))
    read = {row: load_experiment(benchmark.config_of(row), []) for row in [benchmark.FULL, *rows]}
    assert len(rows) == 7
    plain = [(one.model.settings, one.data.exemplars) for one in read.values()]
    assert len(set(plain)) == 8


def test_a_row_tells_how_often_faults_are_found():
    small = [
        "data.source.clips=40",
        "data.inputs.frames=16",
        "training.epochs=1",
        "schedule.warmup=0",
        "model.width=8",
        "model.skeletal.channels=(8,)",
        "model.skeletal.strides=(1,)",
    ]
    benchmark = load("skilldiff_segments")
    result = benchmark.run("full", 0, small, 4, True)
    found = result["found"]
    assert 0 <= found["lowest segment"]["all"] <= found["ceiling"]["all"] <= 1
    assert found["lowest segment"] == found["largest loss"]  # segments are deductions
    assert "lowest segment" in benchmark.told([result])
