import numpy as np
import pytest

from posediff.compare import Settings
from posediff.compare.body import Tracks, filled
from posediff.compare.prepare import prepare
from posediff.skeletons import COCO17, MPII16
from tests.fixtures.performances import perform, without
from tests.fixtures.sequences import standing

STILL = Settings(smoothing=0.0)


def measure(body, name):
    names, _, values, _ = body.measures
    return values[:, names.index(name)]


def test_parts_are_relative_to_the_root_in_torso_lengths():
    body = prepare(standing(frames=3, units="m"), STILL)
    assert body.shape.values[0, 1].tolist() == pytest.approx([-0.4, 1.0, 0.0])  # right shoulder


def test_the_face_counts_once():
    assert prepare(standing(frames=3, skeleton=COCO17), STILL).shape.values.shape[1] == 13


def test_limbs_are_unit_vectors():
    limbs = prepare(perform(), Settings()).limbs
    np.testing.assert_allclose(np.linalg.norm(limbs.values, axis=2), 1)


@pytest.mark.parametrize("scale", [1.0, 40.0])
def test_limbs_that_hang_point_down(scale):
    still = standing(frames=3)
    body = prepare(still.replace(keypoints=still.keypoints * scale), STILL)
    np.testing.assert_allclose(body.limbs.values[0, 0], [0, -1, 0], atol=1e-6)  # left upper arm


def test_a_limb_without_its_end_has_no_weight():
    body = prepare(without(perform(), "left_wrist"), Settings())
    assert (body.limbs.weights == 0).all(axis=0).sum() == 1


@pytest.mark.parametrize("dimensions", [2, 3])
def test_heights_are_positive_above_the_root(dimensions):
    body = prepare(standing(frames=3, dimensions=dimensions), STILL)
    assert measure(body, "left_wrist_height")[0] == pytest.approx(-0.2)
    assert measure(body, "head_top_height")[0] == pytest.approx(1.6)


def test_a_joint_that_is_never_seen_has_no_position_to_report():
    names = prepare(without(perform(), "left_wrist"), Settings()).measures[0]
    assert not [name for name in names if name.startswith("left_wrist")]


def test_turning_a_body_turns_its_path_as_well():
    body = prepare(perform("dive"), Settings())
    quarter = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    np.testing.assert_allclose(body.turned(quarter).path[:, 0], body.path[:, 2])
    np.testing.assert_allclose(body.turned(quarter).positions[..., 2], -body.positions[..., 0], atol=1e-6)


def test_tracks_are_sampled_without_cutting_corners():
    angle = np.radians(30.0) * np.arange(12)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)[:, None]
    tracks = Tracks(circle, np.ones((12, 1)), np.zeros(1))
    halfway = tracks.at(np.arange(1, 10) + 0.5).values
    np.testing.assert_allclose(np.linalg.norm(halfway, axis=2), 1, atol=0.01)  # a straight line would cut off 0.034


def test_gaps_are_interpolated_ends_held_and_what_is_never_seen_is_at_the_origin():
    values = np.full((5, 2, 1), np.nan)
    values[[1, 3], 0, 0] = [2.0, 4.0]
    np.testing.assert_array_equal(filled(values)[..., 0].T, [[2, 2, 3, 4, 4], [0, 0, 0, 0, 0]])


def test_mpii_has_twelve_joints_of_limbs_and_a_head():
    assert prepare(standing(frames=2, skeleton=MPII16), STILL).joints.values.shape == (2, 13, 3)
