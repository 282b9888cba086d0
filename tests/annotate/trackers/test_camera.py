import json

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from posediff.annotate.trackers.camera import CameraMotion, small_grey
from posediff.errors import BadData
from tests.fixtures.data import data_root


def texture(seed, shape=(200, 300)):
    return 100 + 400 * gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2.0)


def view(wide, x, y, shape=(120, 200)):
    """What a camera sees that looks at (x, y) of a wide scene: moving the camera right moves the scene left."""
    moved = shift(wide, (-y, -x), order=3, mode="nearest")
    return moved[30 : 30 + shape[0], 30 : 30 + shape[1]]


@pytest.mark.parametrize("pan", [(0.0, 0.0), (7.0, -4.0), (-12.5, 3.3), (0.4, 0.7), (25.0, 18.0)])
def test_a_planted_shift_is_found_below_a_pixel(pan):
    camera = CameraMotion((200, 120))
    camera.shift(view(texture(0), 0, 0))
    np.testing.assert_allclose(camera.shift(view(texture(0), *pan)), -np.array(pan), atol=0.15)
    assert camera.confidence > 0.8


def test_shifts_are_told_in_pixels_of_the_whole_picture():
    camera = CameraMotion((1000, 480))
    camera.shift(view(texture(1), 0, 0))
    np.testing.assert_allclose(camera.shift(view(texture(1), 6, -5)), [-30, 20], atol=0.7)


def test_every_picture_is_compared_with_the_one_before():
    camera = CameraMotion((200, 120))
    found = [camera.shift(view(texture(2), x, 0)) for x in (0, 3, 8, 6)]
    np.testing.assert_allclose(found, [[0, 0], [-3, 0], [-5, 0], [2, 0]], atol=0.15)


@pytest.mark.parametrize("seed", range(4))
def test_an_athlete_whom_the_camera_follows_does_not_hide_the_pan(seed):
    """The patch covers a quarter of the picture's width, has five times the contrast, and stays in the centre."""
    patch = 5 * (texture(90 + seed, (60, 50)) - 100) + 100
    pictures = [view(texture(seed), 0, 0).copy(), view(texture(seed), 9, 14).copy()]
    camera = CameraMotion((200, 120))
    for picture in pictures:
        picture[30:90, 75:125] = patch
        found = camera.shift(picture)
    np.testing.assert_allclose(found, [-9, -14], atol=0.3)


def test_known_people_are_left_out():
    crowd = 8 * (texture(7, (110, 95)) - 100) + 100
    pictures = [view(texture(8), 0, 0).copy(), view(texture(8), 5, 0).copy()]
    found = {}
    for boxes in (None, np.array([[100.0, 10, 290, 230, 0.9]])):
        camera = CameraMotion((400, 240))
        for picture in pictures:
            picture[5:115, 50:145] = crowd
            found[boxes is None] = camera.shift(picture, boxes)
    np.testing.assert_allclose(found[False], [-10, 0], atol=0.6)
    assert np.abs(found[True] - [-10, 0]).max() > 5


def test_boxes_that_cover_the_picture_are_no_mask():
    camera = CameraMotion((200, 120))
    for x in (0, 4):
        found = camera.shift(view(texture(3), x, 0), np.array([[-10.0, -10, 210, 130]]))
    np.testing.assert_allclose(found, [-4, 0], atol=0.15)


@pytest.mark.parametrize("pictures", [(texture(1), texture(2)), (np.zeros((90, 160)), np.zeros((90, 160)))])
def test_pictures_without_anything_in_common_have_no_shift(pictures):
    camera = CameraMotion((300, 200))
    found = [camera.shift(picture) for picture in pictures]
    assert (found[1] == 0).all()
    assert camera.confidence < 0.3


@pytest.mark.parametrize("shape", [(90, 160, 3), (10, 200)])
def test_what_is_no_grey_picture_is_refused(shape):
    with pytest.raises(BadData, match="a picture of shape"):
        CameraMotion((320, 180)).shift(np.zeros(shape))


def test_a_picture_of_another_size_is_refused():
    camera = CameraMotion((320, 180))
    camera.shift(np.zeros((90, 160)))
    with pytest.raises(BadData, match=r"\(91, 160\) after one of \(90, 160\)"):
        camera.shift(np.zeros((91, 160)))


@pytest.mark.parametrize("shape", [(256, 455), (720, 1280), (100, 120), (1081, 1921)])
def test_a_small_grey_picture_keeps_the_brightness_where_it_was(shape):
    rows, columns = np.mgrid[: shape[0], : shape[1]] / np.array(shape)[:, None, None]
    image = np.stack([200 * rows + 50 * columns] * 3, axis=2).astype(np.uint8)
    small = small_grey(image)
    assert max(small.shape) <= 256
    at_rows, at_columns = (np.mgrid[: small.shape[0], : small.shape[1]] + 0.5) / np.array(small.shape)[:, None, None]
    assert np.abs(small - (200 * at_rows + 50 * at_columns)).max() < 2.5


@pytest.mark.parametrize("first", [3, 14, 25, 36, 50, 58])
def test_the_pan_of_a_real_dive_is_that_of_its_seats(first):
    """The truth is a search over all whole shifts on the left part of the picture, where no diver is."""
    from PIL import Image

    root = data_root("finediving", "pose_examples")
    names = [one["image"] for one in json.loads((root / "annotations.json").read_text())]
    images = [np.asarray(Image.open(root / "images" / names[first + k])) for k in (0, 1)]
    camera = CameraMotion((455, 256))
    found = [camera.shift(small_grey(image)) for image in images][1]
    left, right = (image[:, :, 1].astype(float) for image in images)
    inner = left[45:250, 15:125]
    errors = {
        (dx, dy): np.abs(right[45 + dy : 250 + dy, 15 + dx : 125 + dx] - inner)[: 205 - 8].mean()
        for dx in range(-10, 11)
        for dy in range(-45, 7)
    }
    best = min(errors, key=errors.get)
    np.testing.assert_allclose(found, best, atol=1.6)
