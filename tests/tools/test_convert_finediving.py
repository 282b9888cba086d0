import json

import pytest

from posediff.datasets.finediving import COARSE, FINE, FineDivingSettings, load
from posediff.errors import BadData
from tests.datasets.test_finediving import published
from tests.fixtures.data import data_root


def test_the_file_says_the_same_as_the_folder(tool, tmp_path):
    folder = published(tmp_path / "labels")
    result = tool("convert_finediving", folder, tmp_path / "labels.json")
    assert result.output == f"{tmp_path / 'labels.json'}: 3 clips for training, 2 for testing\n"
    assert load(FineDivingSettings(str(tmp_path / "labels.json"))) == load(FineDivingSettings(str(folder)))


def test_the_published_labels_survive_the_conversion(tool, tmp_path):
    folder = data_root("finediving", "Annotations")
    result = tool("convert_finediving", folder, tmp_path / "labels.json")
    assert "2251 clips for training, 749 for testing" in result.output
    assert load(FineDivingSettings(str(tmp_path / "labels.json"))) == load(FineDivingSettings(str(folder)))


def test_clips_are_sorted_one_a_line_and_the_same_every_time(tool, tmp_path):
    folder = published(tmp_path / "labels")
    for name in ("a.json", "b.json"):
        tool("convert_finediving", folder, tmp_path / name)
    text = (tmp_path / "a.json").read_text()
    assert text == (tmp_path / "b.json").read_text()
    assert [line.split('"')[1] for line in text.splitlines()[4:-1]] == ["01/1", "01/2", "01/10", "cup/0", "cup/3"]
    assert json.loads(text)["clips"]["cup/0"] == {
        "action": "5156b",
        "score": 80.0,
        "difficulty": 3.9,
        "frames": 97,
        "sub_actions": ["Forward", "2.5 Soms.Pike", "3 Twists", "2.5 Soms.Pike", "Entry"],
        "starts": [0, 11, 30, 44, 60],
        "judges": [8.0, 7.5, 8.5],
        "video_frames": [500, 596],
    }


def test_nothing_is_written_where_the_labels_are_wrong(tool, tmp_path):
    folder = published(tmp_path / "labels", change=lambda fine, coarse: fine["01", 2].update(dive_score=-1.0))
    assert isinstance(tool("convert_finediving", folder, tmp_path / "labels.json").exception, BadData)
    assert not (tmp_path / "labels.json").exists()


@pytest.mark.parametrize(("missing", "works"), [(COARSE, True), (FINE, False)])
def test_only_the_coarse_table_may_be_missing(missing, works, tool, tmp_path):
    folder = published(tmp_path / "labels")
    (folder / missing).unlink()
    assert (tool("convert_finediving", folder, tmp_path / "labels.json").exit_code == 0) == works
