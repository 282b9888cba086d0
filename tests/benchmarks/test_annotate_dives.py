import dataclasses

import numpy as np
import pytest

from posediff import skeletons
from posediff.annotate.boxes import Track
from posediff.annotate.estimators import Poses
from posediff.annotate.settings import Settings
from tests.fixtures.benchmarks import load
from tests.fixtures.data import data_root


@pytest.fixture(scope="module")
def benchmark():
    return load("annotate_dives")


@pytest.fixture(scope="module")
def found(benchmark):
    pytest.importorskip("PIL")
    return benchmark.read_dives(data_root("finediving", "pose_examples"))


class Knowing:
    """A pose engine that gives the labels of a dive, moved by some pixels, without one joint."""

    skeleton = skeletons.get("mpii16")

    def __init__(self, dive, moved):
        self.provenance = {"backend": "knowing"}
        self.labels = iter(dive.joints + moved)

    def estimate(self, image, boxes, angles):
        keypoints = np.full((len(boxes), 16, 2), np.nan, np.float32)
        keypoints[0] = next(self.labels)
        keypoints[0, 3] = np.nan
        return Poses(keypoints, np.where(np.isnan(keypoints[..., 0]), 0, 0.9).astype(np.float32))


def test_a_joint_is_right_up_to_a_tenth_of_the_diagonal_and_wrong_where_it_is_missing(benchmark):
    boxes = np.array([[0.0, 0.0, 30.0, 40.0]])
    labels = np.zeros((1, 4, 2))
    labels[0, 3] = np.nan
    joints = np.array([[[3.0, 4.0], [3.1, 4.0], [np.nan, np.nan], [0.0, 0.0]]])
    np.testing.assert_array_equal(benchmark.near(joints, labels, boxes), [[1, 0, 0, np.nan]])


def test_a_box_overlaps_from_half_of_the_union_and_not_where_it_is_missing(benchmark):
    labels = np.tile([0.0, 0.0, 10.0, 10.0], (4, 1))
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 5], [0, 0, 10, 4.9], [np.nan] * 4])
    assert benchmark.overlapping(boxes, labels).tolist() == [True, True, False, False]


def test_a_track_is_interpolated_between_its_frames_and_missing_outside_of_them(benchmark):
    track = Track(0, np.array([2, 4]), np.array([[0, 0, 10, 10, 1], [10, 20, 30, 40, 1]], np.float32))
    boxes = benchmark.interpolated(track, np.arange(1, 6))
    np.testing.assert_allclose(boxes[1:4], [[0, 0, 10, 10], [5, 10, 20, 25], [10, 20, 30, 40]])
    assert np.isnan(boxes[[0, 4]]).all()


def test_blazepose_can_make_every_joint_but_the_top_of_the_head(benchmark):
    possible = benchmark.possible(skeletons.get("blazepose33"))
    missing = np.array(skeletons.get("mpii16").joints)[~possible]
    assert missing.tolist() == ["head_top"]


def test_the_mean_is_over_frames_and_joints_not_over_dives(benchmark):
    few, many = np.array([1.0]), np.array([0.0, 0.0, np.nan, 1.0])
    parts = [dict.fromkeys(benchmark.FIGURES, few), dict.fromkeys(benchmark.FIGURES, many)]
    assert benchmark.mean_of(parts) == dict.fromkeys(benchmark.FIGURES, pytest.approx(0.5))


def test_nobody_is_wrong_in_every_figure(benchmark, found):
    figures = benchmark.mean_of([benchmark.judged(found["first"], [], Knowing(found["first"], 0), Settings())])
    assert figures == dict.fromkeys(benchmark.FIGURES, 0.0)


def test_labels_as_poses_are_right_and_those_that_are_moved_too_far_are_wrong(benchmark, found):
    dive = found["second"]
    side = dive.boxes["square"][:, 2] - dive.boxes["square"][:, 0]
    settings = Settings(rotation="none", cutoff=0, fix_swaps=False)
    tracks = benchmark.found_boxes("square", dive, settings, None)
    for moved, right in ((0.0, 15 / 16), (0.15 * side.min(), 0.0)):
        engine = Knowing(dive, np.array([moved, 0.0]) if moved == 0 else np.array([0.0, 1.01 * 0.15 * side.max()]))
        figures = benchmark.mean_of([benchmark.judged(dive, tracks, engine, settings)])
        assert figures["pck_raw"] == pytest.approx(right)
        assert figures["track"] == figures["box"] == figures["seen"] == 1


def test_the_labels_fit_their_boxes(found):
    assert {name: dive.video.count for name, dive in found.items()} == {"first": 34, "second": 35}
    for dive in found.values():
        low, high = dive.joints.min(axis=1), dive.joints.max(axis=1)
        np.testing.assert_allclose(dive.boxes["tight"], np.concatenate([low, high], axis=1))
        np.testing.assert_allclose(np.ptp(dive.boxes["square"].reshape(-1, 2, 2), axis=1).ptp(axis=1), 0, atol=1e-9)


def test_planted_boxes_are_followed_from_the_first_label(benchmark, found):
    dive = found["first"]
    settings = benchmark.settings_of("crowd", Settings(), dive)
    (track,) = benchmark.found_boxes("crowd", dive, settings, benchmark.Engines(settings), seed=1)
    assert benchmark.overlapping(benchmark.interpolated(track, dive.video.numbers), dive.boxes["square"]).mean() > 0.5
    assert settings.init_box.endswith("@0")


@pytest.mark.parametrize(
    ("way", "changed"),
    [
        ("square", {}),
        ("largest", {"person": "largest"}),
        ("moving", {"person": "moving"}),
        ("whole", {"detector": "whole"}),
    ],
)
def test_a_way_of_getting_boxes_is_a_users_setting(benchmark, found, way, changed):
    assert benchmark.settings_of(way, Settings(), found["first"]) == dataclasses.replace(Settings(), **changed)
