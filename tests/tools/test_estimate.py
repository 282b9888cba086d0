import numpy as np
import pytest

from posediff import read
from posediff.annotate.boxes import Track, write_tracks
from posediff.errors import BadData
from tests.fixtures.engines import PLACES
from tests.fixtures.videos import walker_boxes

TRUTH = walker_boxes(12)


def track(person, frames):
    boxes = np.c_[TRUTH[person, frames], np.full(len(frames), 0.9)]
    return Track(person, np.array(frames), boxes.astype(np.float32))


def joints(person, frames):
    x0, y0, x1, y1 = TRUTH[person, frames].T[:, :, None]
    return np.stack([x0 + PLACES[:, 0] * (x1 - x0), y0 + PLACES[:, 1] * (y1 - y0)], axis=2)


@pytest.mark.parametrize("rotation", ["none", "quarters", "trunk"])
def test_everybody_who_was_followed_has_poses(tool, walk, tmp_path, rotation):
    write_tracks(tmp_path / "tracks.json", [track(0, range(12)), track(1, range(3, 9))])
    result = tool("estimate", walk, tmp_path / "tracks.json", tmp_path / "poses.json", "--rotation", rotation)
    first, second = read(tmp_path / "poses.json")
    assert result.output == f"{tmp_path / 'poses.json'}: 2 people, mpii16\n"
    np.testing.assert_allclose(first.keypoints, joints(0, range(12)), atol=0.05)
    inside = np.isin(second.frames, range(3, 9))
    np.testing.assert_allclose(second.keypoints[inside], joints(1, range(3, 9)), atol=0.05)


def test_a_rate_can_be_given_for_images(tool, walk, tmp_path):
    write_tracks(tmp_path / "tracks.json", [track(0, range(12))])
    tool("estimate", walk, tmp_path / "tracks.json", tmp_path / "poses.json", "--fps", 50)
    (person,) = read(tmp_path / "poses.json")
    assert person.fps == 50
    assert "fps_assumed" not in person.source


@pytest.mark.parametrize("tracks", [[], [Track(0, np.array([90, 91]), np.array([[1, 2, 30, 40, 0.9]] * 2))]])
def test_tracks_of_another_video_are_told_with_its_frames(tool, walk, tmp_path, tracks):
    write_tracks(tmp_path / "tracks.json", tracks)
    caught = tool("estimate", walk, tmp_path / "tracks.json", tmp_path / "poses.json").exception
    assert isinstance(caught, BadData)
    assert "tracks.json: has nobody in the frames 0 to 11" in str(caught)
    assert caught.hint
    assert not (tmp_path / "poses.json").exists()
