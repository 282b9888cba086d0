import numpy as np
import pytest

from posediff.annotate.boxes import read_boxes
from posediff.errors import BadData, CannotWrite
from tests.fixtures.videos import walker_boxes


def test_the_boxes_are_those_of_everybody_in_every_frame(tool, walk, tmp_path):
    result = tool("detect", walk, tmp_path / "boxes.json")
    found = read_boxes(tmp_path / "boxes.json")
    truth = walker_boxes(12)
    assert found.frames.tolist() == list(range(12))
    for index, boxes in enumerate(found.boxes):
        order = np.argsort(boxes[:, 0])
        np.testing.assert_array_equal(boxes[order, :4], truth[np.argsort(truth[:, index, 0]), index])
    assert result.output == f"{tmp_path / 'boxes.json'}: 24 boxes in 12 frames\n"


def test_frames_that_were_not_looked_at_are_not_listed(tool, walk, tmp_path):
    assert tool("detect", f"{walk}#2:12", tmp_path / "boxes.json", "--detect-every", 4).exit_code == 0
    assert read_boxes(tmp_path / "boxes.json").frames.tolist() == [2, 6, 10]


def test_nobody_is_no_boxes(tool, tmp_path):
    from tests.fixtures.videos import write_images

    empty = write_images(tmp_path / "empty", [np.full((64, 64, 3), 90, np.uint8)] * 3)
    assert "0 boxes in 3 frames" in tool("detect", empty, tmp_path / "boxes.json").output
    assert [len(boxes) for boxes in read_boxes(tmp_path / "boxes.json").boxes] == [0, 0, 0]


def test_faults_are_those_of_posediff(tool, walk, tmp_path):
    assert isinstance(tool("detect", tmp_path / "nowhere.mp4", tmp_path / "boxes.json").exception, BadData)
    (tmp_path / "file").write_text("")
    assert isinstance(tool("detect", walk, tmp_path / "file" / "boxes.json").exception, CannotWrite)
    assert tool("detect", walk).exit_code == 2


@pytest.mark.parametrize("every", ["0", "-1", "x"])
def test_a_step_that_is_none_is_refused(tool, walk, tmp_path, every):
    assert tool("detect", walk, tmp_path / "boxes.json", "--detect-every", every).exit_code == 2
    assert not (tmp_path / "boxes.json").exists()
