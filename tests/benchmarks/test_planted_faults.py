from types import SimpleNamespace

import numpy as np
import pytest

from posediff.motion.synthetic import Fault
from tests.fixtures.benchmarks import load


@pytest.fixture(scope="module")
def benchmark():
    return load("planted_faults")


def found(measure):
    return SimpleNamespace(
        measure=measure, unit="deg" if measure.endswith(("_angle", "_lean", "_rotation")) else "torso"
    )


@pytest.mark.parametrize(
    ("joint", "measure", "named", "exact"),
    [
        ("left_knee", "left_knee_angle", True, True),
        ("left_knee", "right_knee_angle", False, False),
        ("left_knee", "left_ankle_height", True, False),
        ("left_knee", "left_ankle_angle", False, False),
        ("left_knee", "left_hip_angle", False, False),
        ("left_hip", "left_ankle_forward", False, False),
        ("right_elbow", "right_wrist_side", True, False),
        ("right_elbow", "right_shoulder_angle", False, False),
        ("trunk_lean", "trunk_lean", True, True),
        ("trunk_lean", "left_hip_angle", True, False),
        ("trunk_lean", "left_shoulder_angle", False, False),
        ("trunk_rotation", "left_shoulder_forward", True, False),
        ("trunk_rotation", "left_shoulder_angle", False, False),
    ],
)
def test_a_difference_names_a_fault_by_its_joint_and_side(benchmark, joint, measure, named, exact):
    fault = Fault(joint, 20.0, "bottom")
    assert benchmark.names(found(measure), fault) is named
    assert benchmark.names(found(measure), fault, strict=True) is exact


@pytest.mark.parametrize(
    ("one", "other", "share"), [((0, 10), (0, 10), 1), ((0, 10), (5, 15), 1 / 3), ((0, 5), (7, 9), 0)]
)
def test_overlap_is_intersection_over_union(benchmark, one, other, share):
    assert benchmark.overlap(one, other) == pytest.approx(share)


def test_a_pair_follows_from_its_seed_and_index(benchmark):
    one, same, other = (benchmark.make_pair(*key) for key in ((5, 3), (5, 3), (6, 3)))
    np.testing.assert_array_equal(one.query.keypoints, same.query.keypoints)
    assert one.fault == same.fault != other.fault


def test_the_pairs_cover_movements_noise_and_stages_and_a_third_has_no_fault(benchmark):
    pairs = [benchmark.make_pair(5, index) for index in range(0, 90, 7)]
    assert {pair.movement for pair in pairs} == {"squat", "swing", "dive"}
    assert {pair.stages for pair in pairs} == {True, False}
    assert 0 < sum(pair.fault is None for pair in pairs) < len(pairs) / 2


def test_what_is_planted_can_be_seen(benchmark):
    pairs = [benchmark.make_pair(8, index) for index in range(10)]
    assert all(pair.truth.peak >= 15 for pair in pairs if pair.truth)


def test_a_pair_is_judged_by_its_top_difference(benchmark):
    row = benchmark.judge(benchmark.make_pair(5, 0))
    assert {"named", "exact", "direction", "interval", "segment"} <= row.keys()


def test_rates_count_misses_and_leave_out_what_does_not_apply(benchmark):
    rows = [{"named": True}, {"named": False}, {"silent": True}]
    rates = benchmark.rates(rows)
    assert (rates["faults"], rates["none"], rates["named"], rates["silent"]) == (2, 1, 0.5, 1.0)
