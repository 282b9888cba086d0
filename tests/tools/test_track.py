import numpy as np
import pytest

from posediff.annotate.boxes import read_tracks, write_boxes
from posediff.errors import BadData, BadSetting
from tests.fixtures.videos import walker_boxes

TRUTH = walker_boxes(12)


@pytest.fixture
def boxes(tmp_path):
    frames = [np.c_[TRUTH[:, index], [0.9, 0.9]] for index in range(12)]
    write_boxes(tmp_path / "boxes.json", frames)
    return tmp_path / "boxes.json"


def errors(track):
    """Largest distance of a track from each of the people."""
    return [np.abs(TRUTH[one, track.frames] - track.boxes[:, :4]).max() for one in (0, 1)]


def test_everybody_is_followed(tool, walk, boxes, tmp_path):
    pytest.importorskip("supervision")
    result = tool("track", walk, boxes, tmp_path / "tracks.json", "--person", "all")
    tracks = read_tracks(tmp_path / "tracks.json")
    assert sorted(int(np.argmin(errors(one))) for one in tracks) == [0, 1]
    assert all(min(errors(one)) < 2 for one in tracks)
    assert result.output.count("frames 0 to 11, detected in 12") == 2


@pytest.mark.parametrize("person", [0, 1])
def test_the_one_who_is_clicked_on_is_followed(tool, walk, boxes, tmp_path, person):
    x0, y0, x1, y1 = TRUTH[person, 5]
    start = f"{(x0 + x1) / 2},{(y0 + y1) / 2}@5"
    assert tool("track", walk, boxes, tmp_path / "tracks.json", "--init-box", start).exit_code == 0
    (track,) = read_tracks(tmp_path / "tracks.json")
    assert track.frames.tolist() == list(range(12))
    assert errors(track)[person] < 4


def test_boxes_of_some_frames_are_enough(tool, walk, tmp_path):
    pytest.importorskip("supervision")
    frames = np.arange(0, 12, 3)
    some = [np.r_[TRUTH[1, index], 0.9][None] for index in frames]
    write_boxes(tmp_path / "boxes.json", some, frames)
    assert tool("track", walk, tmp_path / "boxes.json", tmp_path / "tracks.json").exit_code == 0
    (track,) = read_tracks(tmp_path / "tracks.json")
    assert (track.boxes[np.isin(track.frames, frames), 4] > 0).all()
    assert errors(track)[1] < 6


@pytest.mark.parametrize(
    ("options", "fault", "part"),
    [
        (["--person", "9"], BadSetting, "no person '9'"),
        (["--init-box", "30,60,60,180@12"], BadSetting, "frame 12"),
        (["--init-box", "900,60"], BadSetting, "outside of the picture"),
        (["--init-box", "nowhere"], BadSetting, "'nowhere'"),
    ],
)
def test_who_is_not_there_is_told(tool, walk, boxes, tmp_path, options, fault, part):
    pytest.importorskip("supervision")
    caught = tool("track", walk, boxes, tmp_path / "tracks.json", *options).exception
    assert isinstance(caught, fault)
    assert part in str(caught)
    assert not (tmp_path / "tracks.json").exists()


def test_a_file_of_something_else_is_bad_data(tool, walk, boxes, tmp_path):
    tool("track", walk, boxes, tmp_path / "tracks.json", "--init-box", ",".join(map(str, TRUTH[0, 0])))
    caught = tool("track", walk, tmp_path / "tracks.json", tmp_path / "again.json").exception
    assert isinstance(caught, BadData)
    assert "posediff.boxes/1" in str(caught)
