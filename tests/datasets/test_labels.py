import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kstest

from posediff.datasets.clips import Clip
from posediff.datasets.labels import (
    check_dive,
    check_patterns,
    drawn,
    exists,
    gathered,
    keys,
    with_files,
)
from posediff.errors import BadData, BadSetting
from posediff.io.checks import Fault

CLIPS = {name: Clip(name, 1.0) for name in ("01/1", "01/2", "02/1")}


def fields(clip):
    video, number = clip.key.split("/")
    return {"video": video, "number": int(number)}


def test_a_draw_is_the_same_for_ever_and_spread_evenly():
    assert drawn("01/1") == 952004220967762597
    numbers = np.array([drawn(f"clip {n}") for n in range(4000)], np.float64) / 2.0**64
    assert kstest(numbers, "uniform").pvalue > 1e-3


def test_keys_are_made_of_pairs():
    assert keys([("01", 1), ("02", 12)], (str, int), "{}/{}", Path("a.pkl")) == ["01/1", "02/12"]


@pytest.mark.parametrize(
    ("clips", "said"),
    [
        ([("01", 1), ("01", "2")], re.escape("calls a clip ('01', '2'), expected a text and a number")),
        ([1, 2], "by two values"),
        (None, "by two values"),
        ([("01", 1, 2)], "by two values"),
    ],
)
def test_clips_that_are_called_otherwise_are_told(clips, said):
    with pytest.raises(BadData, match=rf"a\.pkl: .*{said}"):
        keys(clips, (str, int), "{}/{}", Path("a.pkl"))


def test_clips_come_in_the_order_of_the_split():
    split = {"train": ["b", "a"], "test": ["c"]}
    clips = gathered(split, {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}, Clip, Path("a.pkl"))
    assert [(clip.key, clip.score) for clip in clips.values()] == [("b", 2.0), ("a", 1.0), ("c", 3.0)]


def test_a_split_that_names_clips_without_labels_is_told_in_one_line():
    with pytest.raises(BadData, match=r"a\.pkl: 5 of 6 clips of the test split have no labels: b, c, d and 2 more"):
        gathered({"train": ["a"], "test": [*"abcdef"]}, {"a": 1.0}, Clip, Path("a.pkl"))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyError("score"), "clip 'a': 'score' is missing"),
        (Fault("clips.a.score is missing"), r"clips\.a\.score is missing"),
        (ValueError("no number"), "clip 'a': no number"),
        (BadData("clip 'a': its score is nan"), "clip 'a': its score is nan"),
    ],
)
def test_faults_of_clips_are_told_together(error, said):
    def make(key, label):
        raise error

    with pytest.raises(BadData, match=rf"a\.pkl: {said}; .* and 1 more$"):
        gathered({"train": [*"abcd"]}, dict.fromkeys("abcd"), make, Path("a.pkl"))


@pytest.mark.parametrize(("score", "difficulty"), [(0, 3.0), (90.0, 3.0), (90.04, 3.0), (30.0, None)])
def test_scores_that_judges_can_give_are_taken(score, difficulty):
    clip = Clip("a", score, difficulty=difficulty)
    assert check_dive(clip) is clip


@pytest.mark.parametrize(("score", "difficulty"), [(-1.0, 3.0), (90.2, 3.0), (31.0, None)])
def test_scores_that_judges_cannot_give_are_refused(score, difficulty):
    with pytest.raises(BadData, match=f"clip 'a': its score is {score}, expected 0 to"):
        check_dive(Clip("a", score, difficulty=difficulty))


@pytest.mark.parametrize("pattern", ["{clip}.json", "{}.json", "{video", "{video:02d}.json"])
def test_patterns_that_cannot_be_filled_in_are_refused(pattern):
    with pytest.raises(BadSetting, match=f"pose_files has {re.escape(repr(pattern))}") as caught:
        check_patterns(object(), ("{number}.json", pattern), {"video": "01", "number": 1})
    assert "{video}, {number}" in caught.value.hint


def test_no_pattern_at_all_is_refused():
    with pytest.raises(BadSetting, match="pose_files is empty"):
        check_patterns(object(), (), {"video": "01"})


def test_the_first_pattern_that_exists_is_taken(tmp_path):
    for name in ("01_1.npz", "01_1.json", "01_2.json", "02_1.npz"):
        (tmp_path / name).touch()
    clips = with_files(CLIPS, "poses", str(tmp_path), ("{video}_{number}.npz", "{video}_{number}.json"), fields)
    assert [Path(clip.poses).name for clip in clips.values()] == ["01_1.npz", "01_2.json", "02_1.npz"]
    assert [clip.key for clip in clips.values()] == list(CLIPS)


def test_a_range_of_frames_is_kept_and_not_looked_for(tmp_path):
    for name in ("01", "02"):
        (tmp_path / name).mkdir()
    clips = with_files(CLIPS, "images", str(tmp_path), ("{video}#{number}:103",), fields)
    assert [clip.images for clip in clips.values()] == [str(tmp_path / f"{n}:103") for n in ("01#1", "01#2", "02#1")]


def test_without_a_folder_there_are_no_files():
    assert with_files(CLIPS, "poses", "", ("{video}.json",), fields) == CLIPS


def test_files_that_are_missing_are_told_at_once(tmp_path):
    (tmp_path / "01_1.json").touch()
    with pytest.raises(BadData, match=r"2 of 3 skeleton files are missing: \S*01_2\.json, \S*02_1\.json$") as caught:
        with_files(CLIPS, "poses", str(tmp_path), ("{video}_{number}.json", "{number}.npz"), fields)
    assert caught.value.hint == "they are looked for as {video}_{number}.json or {number}.npz"
    with pytest.raises(BadData, match="nowhere: there is no such folder") as caught:
        with_files(CLIPS, "images", str(tmp_path / "nowhere"), ("{video}",), fields)
    assert caught.value.hint == "name the folder that holds the folders of pictures"


def test_what_is_literally_called_like_a_range_exists(tmp_path):
    (tmp_path / "a.json").touch()
    assert exists(str(tmp_path / "a.json#3:7"))
    assert not exists(str(tmp_path / "b.json#3:7"))
    assert not exists("a" * 5000)
    assert not exists("a\0b")
