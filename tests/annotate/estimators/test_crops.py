import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from posediff.annotate.estimators.crops import FILL, box_of, placement, to_image, trunk_angle, upright, usable
from posediff.errors import BadData, BadSetting
from posediff.skeletons import COCO17, MPII16, Skeleton

BOX = np.array([30.0, 20.0, 70.0, 90.0])


def smooth_picture(height=120, width=100):
    y, x = np.mgrid[:height, :width]
    channels = [127 + 100 * np.sin(x / 9 + shift) * np.cos(y / 11) for shift in range(3)]
    return np.stack(channels, axis=2).round().astype(np.uint8)


@pytest.mark.parametrize("angle", [0.0, 90.0, -37.0, 180.0])
def test_every_pixel_of_a_crop_is_the_picture_interpolated_where_the_matrix_says(angle):
    image = smooth_picture()
    crop, matrix = upright(image, BOX, angle, size=(48, 64), margin=0.8)
    y, x = np.mgrid[:64, :48]
    places = to_image(np.stack([x, y], axis=-1), matrix)
    for channel in range(3):
        truth = map_coordinates(
            image[..., channel].astype(float), [places[..., 1], places[..., 0]], order=1, mode="nearest"
        )
        assert np.abs(crop[..., channel] - truth).max() <= 1 + 1e-9


@pytest.mark.parametrize("angle", [0.0, 60.0, 180.0])
def test_a_dot_comes_to_where_the_matrix_says_even_when_the_crop_shrinks(angle):
    image = np.zeros((400, 500, 3), np.uint8)
    image[147:154, 217:224] = 255  # its centre lies at (220, 150)
    crop, matrix = upright(image, np.array([100.0, 50, 350, 330]), angle, size=(96, 128))
    weights = crop[..., 0].astype(float)
    y, x = np.mgrid[:128, :96]
    centre = np.array([(weights * x).sum(), (weights * y).sum()]) / weights.sum()
    np.testing.assert_allclose(to_image(centre, matrix), [220, 150], atol=0.6)


def test_shrinking_averages_whole_blocks():
    checkers = (np.indices((400, 400)).sum(axis=0) % 2 * 255).astype(np.uint8)
    image = np.repeat(checkers[..., None], 3, axis=2)
    crop, _ = upright(image, np.array([100.0, 100, 300, 300]), size=(50, 50), margin=1.0)
    assert crop.min() >= 126
    assert crop.max() <= 128


@given(
    st.lists(st.floats(-500, 500), min_size=2, max_size=2),
    st.lists(st.floats(1, 800), min_size=2, max_size=2),
    st.floats(-720, 720),
    st.floats(0.5, 3),
)
@settings(max_examples=60, deadline=None)
def test_a_crop_holds_its_box_stretches_nothing_and_has_the_centre_in_the_middle(corner, sides, angle, margin):
    size = (192, 256)
    box = np.array([*corner, corner[0] + sides[0], corner[1] + sides[1]])
    matrix = placement(box, angle, size, margin)
    linear = matrix[:, :2]
    scale = np.sqrt(np.linalg.det(linear))
    np.testing.assert_allclose(linear @ linear.T, scale**2 * np.eye(2), atol=1e-6 * scale**2)
    np.testing.assert_allclose(to_image(np.array([96.0, 128]), matrix), (box[:2] + box[2:]) / 2, atol=1e-6)
    extent = np.array(size) * scale
    assert (extent >= margin * np.array(sides) * (1 - 1e-9)).all()
    assert np.isclose(extent, margin * np.array(sides)).any()


def test_a_body_that_lies_on_its_right_as_seen_is_turned_to_stand():
    """Turned by 90 degrees clockwise, the head points right; in the crop it has to point up."""
    matrix = placement(BOX, 90.0, (64, 64))
    up = to_image(np.array([32.0, 0]), matrix) - to_image(np.array([32.0, 64]), matrix)
    assert up[0] > 0
    assert abs(up[1]) < 1e-9


def test_what_lies_outside_the_picture_is_filled():
    image = np.full((50, 50, 3), 200, np.uint8)
    crop, matrix = upright(image, np.array([-25.0, 0, 25, 50]), size=(100, 100), margin=1.0)
    y, x = np.mgrid[:100, :100]
    inside = to_image(np.stack([x, y], -1), matrix)[..., 0] >= -0.5
    assert (crop[~inside] == FILL).all()
    assert (crop[inside & (y > 1) & (y < 98)] == 200).all()
    far, _ = upright(image, np.array([900.0, 900, 950, 950]), size=(8, 8))
    assert (far == FILL).all()


@pytest.mark.parametrize("box", [[5, 5, 5, 9], [9, 0, 5, 9], [0, 0, np.nan, 4], [0, 0, np.inf, 4]])
def test_a_box_without_area_is_refused(box):
    assert not usable(np.array(box))[0]
    with pytest.raises(BadData, match="has no area"):
        upright(smooth_picture(), np.array(box, float), size=(8, 8))


@pytest.mark.parametrize(
    "wrong", [{"size": (0, 8)}, {"size": (8, 8), "margin": 0.0}, {"size": (8, 8), "angle": np.nan}]
)
def test_a_crop_that_cannot_be_is_refused(wrong):
    with pytest.raises(BadSetting, match="cannot be made"):
        upright(smooth_picture(), BOX, **wrong)


def test_the_box_of_a_pose_leaves_out_what_is_doubtful_or_missing():
    keypoints = np.array([[1, 2], [5, 9], [100, 100], [np.nan, np.nan]])
    np.testing.assert_array_equal(box_of(keypoints, np.array([0.9, 0.5, 0.1, 0.9])), [1, 2, 5, 9])
    assert np.isnan(box_of(keypoints, np.array([0.9, 0.1, 0.1, 0.9]))).all()


@given(st.floats(-179.9, 180))
def test_the_trunk_angle_is_by_how_much_an_upright_pose_was_turned_clockwise(angle):
    keypoints = np.zeros((17, 2))
    keypoints[[5, 6]] = [[-3, -20], [3, -20]]
    keypoints[[11, 12]] = [[-2, 0], [2, 0]]
    turn = np.radians(angle)
    clockwise = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])  # y points down
    assert trunk_angle(keypoints @ clockwise.T, COCO17) == pytest.approx(angle, abs=1e-6)


def test_the_trunk_angle_is_unknown_without_a_trunk():
    assert np.isnan(trunk_angle(np.full((16, 2), np.nan), MPII16))
    assert np.isnan(trunk_angle(np.zeros((16, 2)), MPII16))
    assert np.isnan(trunk_angle(np.zeros((3, 1, 2)), Skeleton("dot", ("dot",), ()))).all()
