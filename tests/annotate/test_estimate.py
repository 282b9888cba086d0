import numpy as np
import pytest

from posediff.annotate.boxes import Track
from posediff.annotate.estimate import estimate
from posediff.annotate.footage.video import open_video
from tests.fixtures.engines import PLACES, Places
from tests.fixtures.videos import walker_boxes, walkers, write_images, write_video

COUNT = 12


@pytest.fixture
def video(tmp_path):
    return open_video(write_images(tmp_path / "walk", walkers(COUNT)))


def track(person, rows, score=0.9):
    boxes = walker_boxes(COUNT)[person][rows]
    return Track(person, np.array(rows), np.c_[boxes, np.full(len(rows), score)].astype(np.float32))


def joints_of(person, rows):
    x0, y0, x1, y1 = walker_boxes(COUNT)[person][rows].T[:, :, None]
    return np.stack([x0 + PLACES[:, 0] * (x1 - x0), y0 + PLACES[:, 1] * (y1 - y0)], axis=2)


def test_the_joints_are_those_of_the_person_who_was_followed(video):
    (found,) = estimate(video, [track(1, list(range(COUNT)))], Places())
    np.testing.assert_allclose(found.keypoints, joints_of(1, list(range(COUNT))), atol=0.01)
    assert found.person == 1
    assert found.image_size == (320, 240)
    assert found.source["video"] == "walk"
    assert found.source["pose"] == "places"
    assert found.source["fps_assumed"] is True


def test_a_track_that_saw_every_fourth_frame_only_is_filled_by_the_poses(video):
    (found,) = estimate(video, [track(0, [0, 4, 8])], Places())
    np.testing.assert_allclose(found.keypoints, joints_of(0, list(range(COUNT))), atol=0.01)


def test_a_single_person_has_all_frames_and_is_missing_where_the_track_is_not(video):
    (found,) = estimate(video, [track(0, [5, 6, 7])], Places())
    assert found.frames.tolist() == list(range(COUNT))
    assert np.flatnonzero(found.present.any(axis=1)).tolist() == [4, 5, 6, 7, 8]
    assert np.isnan(found.boxes[0]).all()


def test_several_people_have_the_frames_that_they_are_in(video):
    found = estimate(video, [track(0, list(range(COUNT))), track(1, [6, 7])], Places())
    assert [one.frames.tolist() for one in found] == [list(range(COUNT)), [5, 6, 7, 8]]
    np.testing.assert_allclose(found[1].keypoints, joints_of(1, [5, 6, 7, 8]), atol=0.01)


def test_a_varying_frame_rate_keeps_its_numbers(tmp_path):
    times = [0, 0.04, 0.08, 0.2, 0.24, 0.28]
    video = open_video(write_video(tmp_path / "walk.mkv", walkers(6), times=times))
    frames = video.numbers
    boxes = np.c_[walker_boxes(6)[0], np.ones(6)].astype(np.float32)
    (found,) = estimate(video, [Track(0, frames, boxes)], Places())
    np.testing.assert_allclose(found.times, times, atol=0.005)
    assert found.present.all()


def test_nobody_to_follow_is_nobody(video):
    assert estimate(video, [], Places()) == []
