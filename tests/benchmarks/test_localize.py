import numpy as np
import pytest

from posediff.compare.prepare import prepare
from posediff.compare.settings import Settings
from posediff.differencing.grammar.measures import cue
from posediff.differencing.statements.taxonomy import KeyPoint, Taxonomy
from posediff.motion.synthetic import generate
from tests.fixtures.benchmarks import load

HEIGHT = "height(pelvis, ankle)"


@pytest.fixture(scope="module")
def benchmark():
    return load("localize")


@pytest.fixture(scope="module")
def squat():
    return prepare(generate("squat"), Settings(smoothing=0))


def taxonomy(**cues):
    points = tuple(KeyPoint(name, name, cue(text)) for name, text in cues.items())
    return Taxonomy("squat", "Squat", (), "", (), points, (), None)


def test_the_truth_is_where_a_cue_is_met(benchmark, squat):
    track = cue(f"lowest({HEIGHT})").track(squat, {})
    found = benchmark.truth(taxonomy(low=f"lowest({HEIGHT})", up=f"rises({HEIGHT}, 0.5)"), squat, (0.0, 9.0))
    assert found["low"] == (pytest.approx(np.argmin(track) / 25), 1)
    low, high = np.percentile(track, [5, 95])
    at = found["up"][0] * 25
    assert np.interp(at, np.arange(len(track)), track) == pytest.approx((low + high) / 2, rel=1e-3)


def test_the_truth_keeps_to_the_part_that_is_meant(benchmark, squat):
    bottom = benchmark.truth(taxonomy(low=f"lowest({HEIGHT})"), squat, (0.0, 9.0))["low"][0]
    before, _ = benchmark.truth(taxonomy(low=f"lowest({HEIGHT})"), squat, (0.0, 1.0))["low"]
    assert before <= 1.0 < bottom


def test_a_truth_out_of_order_is_none(benchmark, squat):
    wrong = taxonomy(up=f"rises({HEIGHT}, 0.5)", down=f"falls({HEIGHT}, 0.5)")
    assert benchmark.truth(wrong, squat, (0.0, 9.0)) == {}


@pytest.mark.parametrize("before", [True, False])
def test_a_smaller_repetition_is_joined_without_a_leap(benchmark, before):
    whole = generate("squat")
    both = benchmark.with_smaller(whole, before=before)
    steps = np.abs(np.diff(both.keypoints, axis=0)).max()
    assert steps <= np.abs(np.diff(whole.keypoints, axis=0)).max() * 1.01
    part = both.keypoints[-len(whole) :] if before else both.keypoints[: len(whole)]
    np.testing.assert_allclose(part, whole.keypoints, atol=1e-5)
    assert len(both) == 2 * len(whole) + 15


def test_a_recording_follows_from_its_seed_and_is_finer_where_it_should_be(benchmark):
    one, same, other = (benchmark.record("squat", "2d", "alone", 3, 0, role) for role in (0, 0, 1))
    np.testing.assert_array_equal(one.noisy.keypoints, same.noisy.keypoints)
    assert one.noisy.keypoints.shape != other.noisy.keypoints.shape
    assert len(one.fine) == pytest.approx(8 * len(one.ideal), abs=8)
    np.testing.assert_allclose(one.fine.keypoints[80], one.ideal.keypoints[10], atol=0.5)
    assert np.abs(one.noisy.keypoints - one.ideal.keypoints).max() > 0


def test_no_dive_is_straight(benchmark):
    shapes = {benchmark.pattern("dive", np.random.default_rng(seed)).position for seed in range(20)}
    assert shapes == {"tuck", "pike"}


def test_calibration_groups_what_was_said(benchmark):
    rows = [{"aligned_confidence": 0.97, "aligned": 0.0}] * 3 + [{"aligned_confidence": 0.3, "aligned": 0.2}]
    assert benchmark.calibration(rows, "aligned") == [
        {"count": 1, "said": 0.3, "right": 0.0},
        {"count": 3, "said": 0.97, "right": 1.0},
    ]


def test_a_pair_is_measured_by_every_method(benchmark, monkeypatch):
    monkeypatch.setattr(benchmark, "built_in", lambda: ("squat",))
    rows = benchmark.measure(0, 0)
    found = benchmark.summary(rows)
    assert {row["role"] for row in rows} == {0, 1}
    assert set(benchmark.METHODS) < set(found["close"]["all"])
    assert found["close"]["squat"]["aligned"] > found["close"]["squat"]["random"]
