import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.annotate.detectors.mediapipe import OVERLAP, MediaPipeDetector, _tiles, make, merged
from posediff.annotate.settings import Settings
from posediff.errors import BadSetting
from tests.fixtures.data import data_root


@pytest.fixture(scope="module")
def detector():
    pytest.importorskip("mediapipe")
    with MediaPipeDetector() as made:
        yield made


def first_frame(name):
    av = pytest.importorskip("av")
    with av.open(str(data_root("video", name))) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


def overlap(one, other):
    sides = np.clip(np.minimum(one[2:4], other[2:4]) - np.maximum(one[:2], other[:2]), 0, None).prod()
    return sides / ((one[2:4] - one[:2]).prod() + (other[2:4] - other[:2]).prod() - sides)


def test_a_golfer_is_found_tightly_and_first(detector):
    found = detector.detect(first_frame("golf_swing.mp4"))
    assert overlap(found[0, :4], np.array([108, 138, 236, 482])) > 0.6  # drawn by hand around his body
    assert found[0, 4] > 0.9


def test_a_server_comes_before_the_spectators(detector):
    found = detector.detect(first_frame("tennis_serve.mp4"))
    centre = (found[0, :2] + found[0, 2:4]) / 2
    assert 600 < centre[0] < 720
    assert found[0, 3] - found[0, 1] > 250


def test_tiles_find_walkers_whom_a_look_at_the_whole_picture_misses(detector):
    street = first_frame("dance.mp4")
    walkers = np.array([[453, 163, 497, 290], [502, 160, 552, 332], [605, 170, 663, 342], [760, 184, 903, 540]])
    with MediaPipeDetector(tiles=()) as whole:
        few = whole.detect(street)
    found = detector.detect(street)
    assert sum(max(overlap(one, walker) for one in found) > 0.4 for walker in walkers) == 4
    assert sum(max(overlap(one, walker) for one in few) > 0.4 for walker in walkers) < 4


def test_nobody_is_found_in_noise(detector):
    noise = np.random.default_rng(0).integers(0, 255, (200, 320, 3), dtype=np.uint8)
    assert detector.detect(noise).shape == (0, 5)


def test_a_person_beside_the_tile_borders_counts_once(detector):
    golfer = first_frame("golf_swing.mp4")
    wide = np.pad(golfer, ((0, 0), (250, 300), (0, 0)), mode="edge")
    found = detector.detect(wide)
    assert (found[:, 4] > 0.6).sum() == 1


@given(st.integers(1, 3000), st.integers(1, 3000), st.floats(0.3, 1.0))
def test_tiles_cover_the_picture_and_overlap_as_much_as_they_should(width, height, share):
    tiles = list(_tiles(width, height, (share,)))
    if not tiles:
        assert width == height or round(share * min(width, height)) >= max(width, height)
        return
    side = tiles[0][2]
    for starts, length in (({x for x, _, _ in tiles}, width), ({y for _, y, _ in tiles}, height)):
        ordered = sorted(starts)
        assert ordered[0] == 0
        assert ordered[-1] + side == max(length, side)
        assert (np.diff(ordered) <= side * (1 - OVERLAP) + 1).all()


def test_of_boxes_that_are_one_person_the_most_confident_stays():
    whole, jittered = [0, 0, 40, 100, 0.8], [3, 2, 42, 104, 0.7]
    upper_half, neighbour, far_away = [2, 1, 38, 50, 0.9], [35, 0, 75, 100, 0.6], [5, 5, 12, 25, 0.5]
    np.testing.assert_array_equal(
        merged(np.array([jittered, whole, neighbour, far_away])), [whole, neighbour, far_away]
    )
    np.testing.assert_array_equal(merged(np.array([whole, upper_half])), [upper_half])
    assert merged(np.empty((0, 5))).shape == (0, 5)


def test_weights_are_refused():
    pytest.importorskip("mediapipe")
    with pytest.raises(BadSetting, match="takes no weights"):
        make(Settings(detector_weights="mine.tflite"))
