import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.compare import Settings, compare
from posediff.compare.comparison import DIMENSIONS
from posediff.compare.score import UNRESOLVED, WEIGHTS, gap, motion_range, overall, points, scores, timing_distance
from posediff.motion.synthetic import Recording, Squat, generate
from tests.fixtures.performances import KNEE, Tempo, aligned, perform, without


def test_points_halve_with_every_tolerance_beyond_what_is_unresolved():
    distances = UNRESOLVED + np.arange(4.0)
    np.testing.assert_allclose(points(distances), [100, 50, 25, 12.5])


@given(st.lists(st.floats(0, 100), min_size=2))
def test_points_never_rise_with_the_distance(distances):
    assert (np.diff(points(np.sort(distances))) <= 0).all()


def test_the_weights_of_the_dimensions_add_up_to_one():
    assert tuple(WEIGHTS) == DIMENSIONS
    assert sum(WEIGHTS.values()) == pytest.approx(1)


@pytest.mark.parametrize("value", [0.0, 40.0, 100.0])
def test_equal_dimensions_make_that_score(value):
    assert overall(dict.fromkeys(DIMENSIONS, value)) == pytest.approx(value)


def test_a_part_without_a_fault_scores_higher_than_the_part_with_it():
    found = {segment.name: segment.scores["accuracy"] for segment in compare(perform(), perform(fault=KNEE)).segments}
    assert min(found, key=found.get) == "bottom"
    assert found["stand"] > found["bottom"] + 5


def test_a_stage_done_slowly_lowers_timing_and_not_accuracy():
    found = compare(perform(), perform(tempo=Tempo({"descent": 1.5})))
    assert found.scores["timing"] < 90
    assert found.scores["accuracy"] > 99
    by_stage = {segment.name: segment.scores["timing"] for segment in found.segments}
    assert by_stage["bottom"] < by_stage["stand"] - 10


def test_an_even_change_of_tempo_costs_points_for_timing_only():
    found = compare(perform(), perform(pace=0.6)).scores
    assert found["timing"] < 95
    assert min(found["accuracy"], found["range"]) > 99


def test_half_of_the_tempo_s_logarithm_counts():
    line = aligned(perform(), perform(pace=0.5))
    assert timing_distance(line, slice(None), Settings()) == pytest.approx(0.5, abs=0.1)


def test_a_shallower_squat_has_less_range():
    found = [
        compare(generate(Squat(depth=0.4)), generate(Squat(depth=depth))).scores["range"] for depth in (0.4, 0.33, 0.25)
    ]
    assert found == sorted(found, reverse=True)
    assert found[-1] < 90


def test_frames_that_one_side_lacks_do_not_count_for_range():
    line = aligned(perform(), without(perform(), frames=slice(44, 62)))
    assert motion_range(gap(line, Settings()), slice(None)) > 97


def test_joints_that_one_side_lacks_do_not_count():
    line = aligned(perform(), without(perform(), "left_wrist", "left_elbow"))
    found = scores(line, gap(line, Settings()), None, Settings())
    assert found == pytest.approx(dict.fromkeys(DIMENSIONS, 100.0), abs=0.01)


@pytest.mark.parametrize("skeleton", ["coco17", "body25", "blazepose33"])
def test_more_keypoints_in_the_face_change_little(skeleton):
    pair = [perform(fault=fault, skeleton=skeleton) for fault in (None, KNEE)]
    assert compare(*pair).score == pytest.approx(compare(perform(), perform(fault=KNEE)).score, abs=1.0)


@pytest.mark.parametrize("noise", [0.01, 0.02])
def test_noise_on_one_side_alone_is_not_taken_for_movement(noise):
    found = compare(generate("swing"), generate("swing", recording=Recording(noise=noise), seed=3)).scores
    assert min(found["range"], found["smoothness"], found["accuracy"]) > 95
