import numpy as np
import pytest
from scipy.io import savemat

from posediff.datasets.aqa7 import RANGES, SPLITS, AQA7Settings, load
from posediff.errors import BadData, BadSetting

ROWS = {
    "train": [(1, 7, 62.1), (2, 3, 16.87), (7, 1, 33.0), (1, 2, 21.6)],
    "test": [(1, 10, 102.6), (2, 1, 12.3), (7, 2, 30.0)],
}


def published(folder, **rows):
    """A small split in the form of the published one."""
    (folder / "Split_4").mkdir(parents=True, exist_ok=True)
    for part, (file, table) in SPLITS.items():
        savemat(folder / "Split_4" / file, {table: np.array(rows.get(part, ROWS[part]), float)})
    return folder


def loaded(folder, classes=("diving", "gym_vault"), **options):
    return load(AQA7Settings(str(folder), classes=classes, **options))


def test_labels_become_clips_in_the_order_of_the_split_without_the_trampoline(tmp_path):
    found = loaded(published(tmp_path))
    assert [clip.key for clip in found.train] == ["diving/007", "gym_vault/003", "diving/002"]
    assert [clip.key for clip in found.test] == ["diving/010", "gym_vault/001"]
    assert {clip.action for clip in found.train} == {"diving", "gym_vault"}
    assert {clip.frames for clip in found.train} == {103}
    assert found.train[0].extra == {"video": 7, "published": 62.1}


def test_a_score_is_in_percent_of_the_range_of_its_class(tmp_path):
    found = loaded(published(tmp_path))
    assert [clip.score for clip in found.train] == pytest.approx([50, 100, 0])
    assert [clip.score for clip in found.test] == pytest.approx([100, 0])


def test_one_class_may_be_told_as_published(tmp_path):
    found = loaded(published(tmp_path), classes=("gym_vault",), percent=False)
    assert [(clip.key, clip.score) for clip in found.train] == [("gym_vault/003", 16.87)]
    with pytest.raises(BadSetting, match="published scores of several classes"):
        loaded(tmp_path, percent=False)


def test_numbers_of_classes_are_those_of_the_data_set(tmp_path):
    rows = [(number, 1, sum(ends) / 2) for number, ends in enumerate(RANGES.values(), 1)]
    found = loaded(published(tmp_path, train=rows, test=[(a, 2, c) for a, _, c in rows]), classes=tuple(RANGES))
    names = "diving gym_vault ski_big_air snowboard_big_air sync_diving_3m sync_diving_10m".split()
    assert [clip.key for clip in found.train] == [f"{name}/001" for name in names]
    assert [clip.score for clip in found.train] == pytest.approx([50] * 6)


def test_pictures_and_skeletons_are_found_by_class_and_number(tmp_path):
    published(tmp_path)
    for number in (2, 7, 10):
        (tmp_path / "diving-out" / f"{number:03d}").mkdir(parents=True)
        (tmp_path / "diving-out" / f"{number:03d}.json").touch()
    found = loaded(tmp_path, classes=("diving",), images=str(tmp_path), poses=str(tmp_path))
    assert found.test[0].images == str(tmp_path / "diving-out" / "010")
    assert found.test[0].poses == str(tmp_path / "diving-out" / "010.json")
    (tmp_path / "diving-out" / "007").rmdir()
    with pytest.raises(BadData, match=r"1 of 3 folders of pictures are missing: .*diving-out/007"):
        loaded(tmp_path, classes=("diving",), images=str(tmp_path))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([(1, 7, np.nan), (2, 3, 15.0)], r"row 1 is \[1.0, 7.0, nan\], expected class"),
        ([(1, 7, 60.0), (8, 3, 15.0)], r"row 2 is \[8.0, 3.0, 15.0\], expected class"),
        ([(1, 7.5, 60.0), (2, 3, 15.0)], r"row 1 is \[1.0, 7.5, 60.0\], expected class"),
        ([(1, 0, 60.0), (2, 3, 15.0)], r"row 1 is \[1.0, 0.0, 60.0\], expected class"),
        ([(1, 7, 60.0), (1, 7, 61.0), (2, 3, 15.0)], "diving/007 is there twice"),
        ([(1, 7, 400.0), (2, 3, 15.0)], "clip 'diving/007': its score is 400.0, expected 21.6 to 102.6"),
        ([(1, 7, 60.0), (3, 3, 15.0)], "has no clip of the class gym_vault"),
        ([(1, 7), (2, 3)], r"consolidated_train_list is of shape \(2, 2\), expected rows of three numbers"),
        ([(1, 10, 60.0), (2, 3, 15.0)], "clips listed twice: diving/010"),
    ],
)
def test_a_table_that_cannot_be_is_told_in_one_line(rows, said, tmp_path):
    with pytest.raises(BadData, match=said) as caught:
        loaded(published(tmp_path, train=rows))
    assert "\n" not in str(caught.value)


def test_a_file_that_is_missing_or_of_another_kind_is_told(tmp_path):
    file, table = SPLITS["train"]
    path = published(tmp_path) / "Split_4" / file
    savemat(path, {"other": np.zeros((2, 3))})
    with pytest.raises(BadData, match=f"{file}: has no table {table}"):
        loaded(tmp_path)
    savemat(path, {table: {"a": 1}})
    with pytest.raises(BadData, match="expected rows of three numbers"):
        loaded(tmp_path)
    whole = (published(tmp_path) / "Split_4" / file).read_bytes()
    for damaged in (b"no MATLAB file", whole[: len(whole) // 2], b"\x89HDF\r\n\x1a\n" + bytes(600)):
        path.write_bytes(damaged)
        with pytest.raises(BadData, match=f"{file}: cannot be read as a MATLAB file"):
            loaded(tmp_path)
    path.unlink()
    with pytest.raises(BadData, match=f"{file}: no such file"):
        loaded(tmp_path)


def test_settings_that_cannot_be_are_refused():
    with pytest.raises(BadSetting, match="no class 'trampoline'"):
        AQA7Settings("data", classes=("trampoline",))
    with pytest.raises(BadSetting, match="classes is empty"):
        AQA7Settings("data", classes=())
    with pytest.raises(BadSetting, match="AQA7Settings: pose_files"):
        AQA7Settings("data", pose_files=("{index}.json",))
