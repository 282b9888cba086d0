import numpy as np
import pytest

from posediff.annotate.boxes import write_boxes
from posediff.annotate.detect import detect
from posediff.annotate.footage.video import open_video
from posediff.errors import BadData
from tests.fixtures.engines import Blobs
from tests.fixtures.videos import walker_boxes, walkers, write_images, write_video


@pytest.fixture
def video(tmp_path):
    return open_video(write_video(tmp_path / "walk.mp4", walkers(12)))


def test_every_figure_is_found_in_every_frame(video):
    detected = detect(video, Blobs())
    truth = walker_boxes(12)
    assert detected.frames.tolist() == list(range(12))
    for index, boxes in enumerate(detected.boxes):
        by_place = boxes[np.argsort(boxes[:, 0]), :4]
        np.testing.assert_allclose(by_place, truth[np.argsort(truth[:, index, 0]), index], atol=2)


def test_a_large_picture_is_looked_at_small_and_its_boxes_are_those_of_the_video(tmp_path):
    large = walkers(2, width=1440, height=960)
    video = open_video(write_images(tmp_path / "large", large))
    seen = []

    class Spy(Blobs):
        def detect(self, image):
            seen.append(image.shape)
            return super().detect(image)

    detected = detect(video, Spy())
    truth = walker_boxes(2, width=1440, height=960)[:, 0]
    assert seen[0] == (640, 960, 3)
    found = detected.boxes[0]
    np.testing.assert_allclose(found[np.argsort(found[:, 0]), :4], truth[np.argsort(truth[:, 0])], atol=3)


def test_some_frames_are_stepped_over(video):
    assert detect(video, Blobs(), every=5).frames.tolist() == [0, 5, 10]

    class Slow(Blobs):
        every = 0.2

    assert detect(video, Slow()).frames.tolist() == [0, 5, 10]


def test_boxes_of_a_file_go_by_order_or_by_number(tmp_path, video):
    boxes = [np.array([[index, 0, index + 10, 20, 0.5]], np.float32) for index in range(12)]
    write_boxes(tmp_path / "all.json", boxes)
    write_boxes(tmp_path / "some.json", boxes[3:5], np.array([3, 7]))
    everything = detect(video, None, boxes=tmp_path / "all.json")
    some = detect(video, None, boxes=tmp_path / "some.json")
    assert [box[0, 0] for box in everything.boxes] == list(range(12))
    assert {int(n): box[0, 0] for n, box in zip(some.frames, some.boxes, strict=True) if len(box)} == {3: 3, 7: 4}


def test_a_range_of_a_video_takes_its_part_of_the_file(tmp_path):
    boxes = [np.array([[index, 0, index + 10, 20, 0.5]], np.float32) for index in range(12)]
    write_boxes(tmp_path / "all.json", boxes)
    path = write_video(tmp_path / "walk.mp4", walkers(12))
    part = detect(open_video(f"{path}#4:7"), None, boxes=tmp_path / "all.json")
    assert [box[0, 0] for box in part.boxes] == [4, 5, 6]


def test_a_file_of_another_video_is_refused(tmp_path, video):
    write_boxes(tmp_path / "other.json", [np.zeros((0, 5))], np.array([500]))
    with pytest.raises(BadData, match=r"500 to 500.*0 to 11"):
        detect(video, None, boxes=tmp_path / "other.json")


def test_a_file_with_fewer_frames_than_the_video_is_refused(tmp_path, video):
    write_boxes(tmp_path / "short.json", [np.zeros((0, 5))] * 7)
    with pytest.raises(BadData, match="boxes for 7 frames, and the video has 12"):
        detect(video, None, boxes=tmp_path / "short.json")


def test_the_camera_is_followed(tmp_path):
    texture = np.random.default_rng(0).integers(0, 255, (240, 400, 3), np.uint8)
    frames = [np.ascontiguousarray(texture[:, 4 * index : 4 * index + 320]) for index in range(6)]
    video = open_video(write_images(tmp_path / "pan", frames))
    shifts = detect(video, None, boxes=_none(tmp_path)).shifts
    np.testing.assert_allclose(shifts, [[0, 0], *[[-4, 0]] * 5], atol=0.5)
    assert not detect(video, None, boxes=_none(tmp_path), camera=False).shifts.any()


def test_the_smallest_picture_has_no_camera_and_no_people(tmp_path):
    video = open_video(write_images(tmp_path / "dot", [np.zeros((1, 1, 3), np.uint8)] * 3))
    detected = detect(video, Blobs())
    assert [len(boxes) for boxes in detected.boxes] == [0, 0, 0]
    assert not detected.shifts.any()


def test_progress_reaches_every_frame(video):
    told = []
    detect(video, Blobs(), every=5, report=told.append)
    assert told == [5, 10, 15]


def _none(folder):
    path = folder / "none.json"
    write_boxes(path, [np.zeros((0, 5))] * 6)
    return path


def test_at_a_varying_rate_the_step_counts_frames_and_not_numbers(tmp_path):
    times = np.cumsum(np.where(np.arange(40) % 4, 0.02, 0.06))  # 33 frames a second, on a grid of 50
    video = open_video(write_video(tmp_path / "walk.mkv", walkers(40), times=times))

    class Slow(Blobs):
        every = 0.3

    looked_at = detect(video, Slow()).frames
    assert video.fps == pytest.approx(50)
    np.testing.assert_allclose(np.diff(looked_at) / video.fps, 0.3, atol=0.05)
