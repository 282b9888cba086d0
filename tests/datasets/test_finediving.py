import json
import pickle
from pathlib import Path

import numpy as np
import pytest

from posediff.datasets.finediving import COARSE, FINE, SPLITS, STAGES, FineDivingSettings, load, read_labels
from posediff.datasets.unpickle import load_plain
from posediff.errors import BadData, BadSetting
from tests.fixtures.data import data_root

#: Codes and names of the sub-actions of five dives, as they follow one another, and the first frame of each.
NAMES = {1: "Forward", 15: "2.5 Soms.Pike", 34: "3 Twists", 36: "Entry", 2: "Back"}
DIVES = {
    ("01", 1): ("105B", 62.4, 2.6, [(1, 0), (15, 20), (36, 48)], 100),
    ("01", 10): ("105B", 65.0, 2.6, [(1, 0), (15, 22), (36, 50)], 90),
    ("01", 2): ("205b", 70.5, 3.0, [(2, 0), (15, 25), (36, 70)], 101),
    ("cup", 0): ("5156b", 80.0, 3.9, [(1, 0), (15, 11), (34, 30), (15, 44), (36, 60)], 97),
    ("cup", 3): ("205b", 60.0, 3.0, [(2, 0), (15, 25), (36, 51)], 63),
}
TRAIN, TEST = [("cup", 0), ("01", 10), ("01", 2)], [("cup", 3), ("01", 1)]


def published(folder: Path, *, coarse: bool = True, change=lambda fine, coarse: None, train=TRAIN, test=TEST) -> Path:
    """A small data set in the form of the published one."""
    fine, rough = {}, {}
    for key, (action, score, difficulty, parts, frames) in DIVES.items():
        starts = [start for _, start in parts]
        labels = np.repeat([code for code, _ in parts], np.diff([*starts, frames]))
        fine[key] = {
            "action_type": action,
            "dive_score": score,
            "difficulty": difficulty,
            "steps_transit_frames": np.array(starts[1:]) - 1,
            "frames_labels": labels,
            "sub-action_types": {code: NAMES[code] for code, _ in parts},
        }
        judges = [np.float64(8.0), 7.5, 8.5]
        rough[key] = {"start_frame": np.int64(500), "end_frame": 500 + frames - 1, "judge_scores": judges}
    change(fine, rough)
    folder.mkdir(exist_ok=True)
    tables = {FINE: fine, COARSE: rough, SPLITS["train"]: train, SPLITS["test"]: test}
    for name, table in tables.items():
        if coarse or name != COARSE:
            (folder / name).write_bytes(pickle.dumps(table, 3))
    return folder


def loaded(folder: Path, **options):
    return load(FineDivingSettings(str(folder), **options))


def test_labels_become_clips_in_the_order_of_the_split(tmp_path):
    dives = loaded(published(tmp_path))
    assert [clip.key for clip in dives.train] == ["cup/0", "01/10", "01/2"]
    assert [clip.key for clip in dives.test] == ["cup/3", "01/1"]
    assert dives.stages == STAGES
    clip = dives.test[1]
    assert (clip.action, clip.score, clip.difficulty, clip.frames) == ("105b", 62.4, 2.6, 100)
    assert clip.transitions == (20, 48)
    assert clip.judges == (8.0, 7.5, 8.5)
    assert clip.extra["sub_actions"] == ("Forward", "2.5 Soms.Pike", "Entry")
    assert clip.extra["video_frames"] == (500, 599)
    assert (clip.poses, clip.images) == ("", "")


def test_all_between_the_first_and_the_last_change_is_one_stage(tmp_path):
    clip = loaded(published(tmp_path)).train[0]
    assert clip.transitions == (11, 60)
    assert clip.extra["starts"] == (0, 11, 30, 44, 60)


def test_without_the_coarse_table_there_are_no_judges(tmp_path):
    clip = loaded(published(tmp_path, coarse=False)).train[0]
    assert clip.judges == ()
    assert clip.extra["video_frames"] == ()


def test_a_name_that_contradicts_the_others_does_not_count(tmp_path):
    def change(fine, coarse):
        fine["01", 2]["sub-action_types"] = {2: "Forward", 15: "2.5 Soms.Tuck"}
        fine["01", 1]["sub-action_types"][2] = "Back"

    clip = loaded(published(tmp_path, change=change)).train[2]
    assert clip.extra["sub_actions"] == ("Back", "2.5 Soms.Pike", "Entry")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"dive_score": -1.0}, "clip '01/2': its score is -1.0, expected 0 to 90"),
        ({"dive_score": 90.2}, "clip '01/2': its score is 90.2, expected 0 to 90"),
        ({"dive_score": np.nan}, r"clips\.01/2\.score is nan"),
        ({"dive_score": "high"}, r"clip \('01', 2\) is not labelled as published"),
        ({"difficulty": 0.0}, "clip '01/2': its difficulty is 0.0"),
        ({"frames_labels": np.array([1, 1, 36, 36])}, r"sub-actions start at \[0, 2\], expected 0 and two or more"),
        ({"frames_labels": np.array([1, 99, 36, 36])}, "99 is missing"),
        ({"frames_labels": np.array([])}, "is not labelled as published"),
        ({"frames_labels": np.zeros((4, 4))}, "is not labelled as published"),
        ({"action_type": 205}, "is not labelled as published"),
    ],
)
def test_a_label_that_cannot_be_is_told_in_one_line(values, said, tmp_path):
    folder = published(tmp_path, change=lambda fine, coarse: fine["01", 2].update(values))
    with pytest.raises(BadData, match=said) as caught:
        loaded(folder)
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["action_type", "dive_score", "difficulty", "frames_labels"])
def test_a_label_that_is_missing_is_told(name, tmp_path):
    with pytest.raises(BadData, match=rf"clip \('01', 2\) .*'{name}' is missing"):
        loaded(published(tmp_path, change=lambda fine, coarse: fine["01", 2].pop(name)))


def test_a_split_and_labels_that_do_not_go_together_are_told(tmp_path):
    with pytest.raises(BadData, match="1 of 3 clips of the test split have no labels: cup/7"):
        loaded(published(tmp_path, test=[*TEST, ("cup", 7)]))
    with pytest.raises(BadData, match="listed twice: cup/0"):
        loaded(published(tmp_path, test=[*TEST, ("cup", 0)]))


@pytest.mark.parametrize("name", [FINE, *SPLITS.values()])
def test_a_file_that_is_missing_or_of_another_kind_is_told(name, tmp_path):
    folder = published(tmp_path)
    (folder / name).write_bytes(pickle.dumps(7))
    with pytest.raises(BadData, match=name):
        loaded(folder)
    (folder / name).unlink()
    with pytest.raises(BadData, match=rf"{name}: no such file"):
        loaded(folder)


def test_skeletons_and_pictures_are_found_by_key(tmp_path):
    for competition, index in DIVES:
        (tmp_path / "256s" / competition / str(index)).mkdir(parents=True)
        (tmp_path / "Pose" / competition).mkdir(parents=True, exist_ok=True)
        (tmp_path / "Pose" / competition / f"pred_comp_{index}.npz").touch()
    folder = published(tmp_path / "labels")
    dives = loaded(folder, poses=str(tmp_path / "Pose"), images=str(tmp_path / "256s"))
    assert dives.test[0].poses == str(tmp_path / "Pose" / "cup" / "pred_comp_3.npz")
    assert dives.test[0].images == str(tmp_path / "256s" / "cup" / "3")


def test_posediff_s_own_names_are_found_and_others_can_be_given(tmp_path):
    for competition, index in DIVES:
        (tmp_path / competition).mkdir(exist_ok=True)
        (tmp_path / competition / f"{index}.json").touch()
        (tmp_path / f"{competition}_{index}.csv").touch()
    folder = published(tmp_path / "labels")
    assert loaded(folder, poses=str(tmp_path)).train[1].poses == str(tmp_path / "01" / "10.json")
    dives = loaded(folder, poses=str(tmp_path), pose_files=("{competition}_{index}.csv",))
    assert dives.train[1].poses == str(tmp_path / "01_10.csv")


def test_skeletons_that_are_missing_are_told_at_once(tmp_path):
    (tmp_path / "Pose" / "cup").mkdir(parents=True)
    (tmp_path / "Pose" / "cup" / "3.json").touch()
    with pytest.raises(BadData, match=r"4 of 5 skeleton files are missing: .*pred_comp_0\.npz, .* and 1 more"):
        loaded(published(tmp_path / "labels"), poses=str(tmp_path / "Pose"))


def test_a_pattern_with_an_unknown_field_is_refused():
    with pytest.raises(BadSetting, match="FineDivingSettings: pose_files"):
        FineDivingSettings("labels", pose_files=("{video}.json",))


def test_the_json_file_says_the_same_as_the_pickles(tmp_path):
    folder = published(tmp_path / "labels")
    (tmp_path / "labels.json").write_text(json.dumps(read_labels(folder)))
    assert loaded(tmp_path / "labels.json") == loaded(folder)
    assert list(read_labels(folder)["clips"]) == ["01/1", "01/2", "01/10", "cup/0", "cup/3"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(format="posediff/1"), "format is 'posediff/1', expected 'posediff.finediving/1'"),
        (lambda d: d.pop("train"), "train is missing"),
        (lambda d: d["test"].append(3), r"test\[2\] is 3, expected a text"),
        (lambda d: d["clips"].update({"01/1": 3}), r"clips\.01/1 is 3, expected an object"),
        (lambda d: d["clips"]["01/1"].pop("score"), r"clips\.01/1\.score is missing"),
        (lambda d: d["clips"]["01/1"].update(difficulty="3.2"), r"clips\.01/1\.difficulty is '3.2', expected a number"),
        (
            lambda d: d["clips"]["01/1"].update(starts=[0, 48, 20]),
            r"start at \[0, 48, 20\], expected 0 and two or more",
        ),
        (lambda d: d["clips"]["01/1"].update(starts=[0, 20]), r"starts has 2 values, expected 3"),
        (lambda d: d["clips"]["01/1"].update(frames=48), r"at \[20, 48\] among 48 frames"),
        (lambda d: d["clips"]["01/1"].update(judges=["a"]), r"judges\[0\] is 'a'"),
        (lambda d: d["clips"]["01/1"].update(judges=[8.0, None]), r"judges are \[8.0, nan\], expected numbers"),
        (lambda d: d["clips"].pop("01/1"), "no labels: 01/1"),
    ],
)
def test_faults_of_the_json_file_are_told_with_their_place(change, said, tmp_path):
    document = read_labels(published(tmp_path / "labels"))
    change(document)
    (tmp_path / "labels.json").write_text(json.dumps(document))
    with pytest.raises(BadData, match=rf"labels\.json: .*{said}"):
        loaded(tmp_path / "labels.json")


@pytest.fixture(scope="module")
def annotations():
    return data_root("finediving", "Annotations")


@pytest.fixture(scope="module")
def dives(annotations):
    return loaded(annotations)


def test_the_published_labels_have_the_published_size(dives):
    clips = [*dives.train, *dives.test]
    assert (len(dives.train), len(dives.test), len({clip.key for clip in clips})) == (2251, 749, 3000)
    assert len({clip.action for clip in clips}) == 52
    assert len({name for clip in clips for name in clip.extra["sub_actions"]}) == 29
    for values, limits in (("difficulty", (1.5, 4.1)), ("score", (0.0, 114.8)), ("frames", (63, 273))):
        found = [getattr(clip, values) for clip in clips]
        assert (min(found), max(found)) == limits
    assert {len(clip.judges) for clip in clips} == {3, 5, 7}


def test_test_clips_are_in_the_order_of_published_predictions(dives):
    true = np.load(data_root("mcore", "true.npy"), allow_pickle=False)
    np.testing.assert_allclose([clip.score for clip in dives.test], true.ravel())


def test_transitions_are_the_first_and_the_last_change_of_the_published_labels(dives, annotations):
    table = load_plain(annotations / FINE)
    stages = {3: 0, 4: 0, 5: 0}
    for clip in (*dives.train, *dives.test):
        competition, index = clip.key.split("/")
        labels = table[competition, int(index)]["frames_labels"].tolist()
        changes = [t for t in range(1, len(labels)) if labels[t] != labels[t - 1]]
        assert clip.transitions == (changes[0], changes[-1])
        assert clip.frames == len(labels) == clip.extra["video_frames"][1] - clip.extra["video_frames"][0] + 1
        stages[len(changes) + 1] += 1
    assert stages == {3: 2205, 4: 537, 5: 258}


def test_published_steps_are_the_last_frames_before_the_changes_in_all_but_ten_clips(dives, annotations):
    table = load_plain(annotations / FINE)
    agree = 0
    for clip in (*dives.train, *dives.test):
        competition, index = clip.key.split("/")
        steps = table[competition, int(index)]["steps_transit_frames"]
        agree += [step + 1 for step in steps.tolist()] == list(clip.extra["starts"][1:])
    assert agree == 2990
