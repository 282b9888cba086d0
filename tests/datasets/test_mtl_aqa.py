import pickle

import numpy as np
import pytest

from posediff.datasets import finediving
from posediff.datasets.finediving import FineDivingSettings
from posediff.datasets.mtl_aqa import LABELS, SPLITS, MTLAQASettings, load
from posediff.errors import BadData, BadSetting
from tests.fixtures.data import data_root

DIVES = {
    (1, 1): ("407C", 88.0, 3.2, 7462),
    (1, 10): ("107B", 71.3, 3.1, 9000),
    (26, 4): ("205B", 64.5, 3.0, 23750),
}


def published(folder, *, change=lambda table: None, train=((26, 4), (1, 1)), test=((1, 10),)):
    """A small data set in the form of the published one."""
    table = {
        key: {
            "primary_view": 0,
            "start_frame": end - 85,
            "end_frame": end,
            "position": 2,
            "difficulty": difficulty,
            "armstand": 0,
            "rotation_type": 2,
            "ss_no": 7,
            "tw_no": 0,
            "final_score": score,
            "judge_scores": np.array([9.5, 9.0, 9.5, 9.0, 8.5, 9.5, 8.5]),
            "dive_number": number,
        }
        for key, (number, score, difficulty, end) in DIVES.items()
    }
    change(table)
    files = {LABELS: table, SPLITS["train"]: list(train), SPLITS["test"]: list(test)}
    for name, content in files.items():
        (folder / name).write_bytes(pickle.dumps(content, 4))
    return folder


def loaded(folder, **options):
    return load(MTLAQASettings(str(folder), **options))


def test_labels_become_clips_in_the_order_of_the_split(tmp_path):
    dives = loaded(published(tmp_path))
    assert [clip.key for clip in dives.train] == ["26/4", "01/1"]
    (clip,) = dives.test
    assert (clip.key, clip.action, clip.score, clip.difficulty) == ("01/10", "107b", 71.3, 3.1)
    assert clip.judges == (9.5, 9.0, 9.5, 9.0, 8.5, 9.5, 8.5)
    assert (clip.frames, clip.transitions) == (103, None)
    assert (clip.extra["ss_no"], clip.extra["end_frame"]) == (7, 9000)


def test_skeletons_and_pictures_are_found_by_key(tmp_path):
    published(tmp_path)
    for video, clip in DIVES:
        (tmp_path / "Pose" / f"{video:02d}").mkdir(parents=True, exist_ok=True)
        (tmp_path / "Pose" / f"{video:02d}" / f"pred_comp_{clip}.npz").touch()
        (tmp_path / "frames" / f"{video:02d}").mkdir(parents=True, exist_ok=True)
        (tmp_path / f"{video:02d}.json").touch()
    dives = loaded(tmp_path, poses=str(tmp_path / "Pose"), images=str(tmp_path / "frames"))
    assert dives.test[0].poses == str(tmp_path / "Pose" / "01" / "pred_comp_10.npz")
    assert dives.test[0].images == str(tmp_path / "frames" / "01#8897:9000")
    dives = loaded(tmp_path, poses=str(tmp_path), pose_files=("{video:02d}.json#{start}:{end}",))
    assert dives.test[0].poses == str(tmp_path / "01.json#8897:9000")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"final_score": 99.0}, "its score is 99.0, expected 0 to 93"),
        ({"final_score": np.nan}, "its score is nan"),
        ({"final_score": None}, "clip '01/10': "),
        ({"difficulty": -1.0}, "its difficulty is -1.0"),
        ({"end_frame": 100}, "end_frame is 100, expected 103 or more"),
        ({"dive_number": 107}, "clip '01/10': "),
        ({"judge_scores": 7}, "clip '01/10': "),
    ],
)
def test_a_label_that_cannot_be_is_told_in_one_line(values, said, tmp_path):
    with pytest.raises(BadData, match=said) as caught:
        loaded(published(tmp_path, change=lambda table: table[1, 10].update(values)))
    assert str(caught.value).startswith(str(tmp_path / LABELS))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["final_score", "difficulty", "dive_number", "judge_scores", "end_frame", "ss_no"])
def test_a_label_that_is_missing_is_told(name, tmp_path):
    with pytest.raises(BadData, match=f"clip '01/10': '{name}' is missing"):
        loaded(published(tmp_path, change=lambda table: table[1, 10].pop(name)))


def test_a_split_and_labels_that_do_not_go_together_are_told(tmp_path):
    with pytest.raises(BadData, match="1 of 2 clips of the test split have no labels: 07/3"):
        loaded(published(tmp_path, test=[(1, 10), (7, 3)]))
    with pytest.raises(BadData, match="listed twice: 26/4"):
        loaded(published(tmp_path, test=[(26, 4)]))


@pytest.mark.parametrize("name", [LABELS, *SPLITS.values()])
def test_a_file_that_is_missing_or_of_another_kind_is_told(name, tmp_path):
    published(tmp_path)
    (tmp_path / name).write_bytes(pickle.dumps([("01", 1)]))
    with pytest.raises(BadData, match=name):
        loaded(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(BadData, match=f"{name}: no such file"):
        loaded(tmp_path)


def test_a_pattern_with_an_unknown_field_is_refused():
    with pytest.raises(BadSetting, match="MTLAQASettings: pose_files"):
        MTLAQASettings("labels", pose_files=("{competition}.json",))


@pytest.fixture(scope="module")
def dives():
    return loaded(data_root("mtl_aqa"))


def test_the_published_labels_have_the_published_size(dives):
    clips = [*dives.train, *dives.test]
    assert (len(dives.train), len(dives.test), len({clip.key for clip in clips})) == (1059, 353, 1412)
    assert len({clip.action for clip in clips}) == 58
    assert (min(clip.score for clip in clips), max(clip.score for clip in clips)) == (0.0, 104.5)
    assert {len(clip.judges) for clip in clips} == {7}


def test_most_clips_are_in_finediving_too(dives):
    other = finediving.load(FineDivingSettings(str(data_root("finediving", "Annotations"))))
    theirs = {clip.key: clip for clip in (*other.train, *other.test)}
    shared = [clip for clip in (*dives.train, *dives.test) if clip.key in theirs]
    same = [clip for clip in shared if (theirs[clip.key].action, theirs[clip.key].score) == (clip.action, clip.score)]
    assert (len(shared), len(same)) == (1369, 1325)
    assert len({clip.key for clip in dives.test} & {clip.key for clip in other.train}) == 268
