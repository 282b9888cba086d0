import json

import pytest

from posediff.datasets.ui_prmd import UIPRMDSettings, divided, episodes, folds, load
from posediff.errors import BadData, BadSetting
from posediff.io import read_person
from tests.fixtures.data import data_root

PLACES = (("Segmented Movements", ""), ("Incorrect Segmented Movements", "_inc"))


def published(folder, movements=(1, 7), subjects=range(1, 11), numbers=(1, 2), ending=".txt", system="Kinect"):
    """Empty files in the layout of the published ones."""
    for place, inc in PLACES:
        positions = folder / place / system / "Positions"
        positions.mkdir(parents=True, exist_ok=True)
        for movement in movements:
            for subject in subjects:
                for number in numbers:
                    (positions / f"m{movement:02d}_s{subject:02d}_e{number:02d}_positions{inc}{ending}").touch()
    return folder


def told(folder, document):
    path = folder / "folds.json"
    path.write_text(json.dumps(document))
    return str(path)


def entry(subject, *, movement=1, number=1, correct=True):
    return {"movement": movement, "subject": subject, "episode": number, "correct": correct}


def keys(clips):
    return [clip.key for clip in clips]


@pytest.mark.parametrize("ending", [".txt", ".txt.gz"])
def test_episodes_are_found_in_order_and_only_those_of_the_kinect(ending, tmp_path):
    published(tmp_path, movements=(10, 2), subjects=(3,), ending=ending)
    published(tmp_path, movements=(1,), ending=ending, system="Vicon")
    found = episodes(tmp_path)
    assert [(one.movement, one.correct, one.number) for one in found] == [
        (movement, correct, number) for movement in (2, 10) for correct in (True, False) for number in (1, 2)
    ]
    assert {one.path.parts[-4] == "Segmented Movements" for one in found if one.correct} == {True}
    assert found[0].path.is_file()


def test_a_clip_says_what_was_done_by_whom_and_whether_it_was_right(tmp_path):
    clips = load(UIPRMDSettings(str(published(tmp_path))))
    clip = next(clip for clip in clips.test if clip.key == "m07/s05/e02-inc")
    assert (clip.score, clip.action, clip.performer) == (0.0, "m07", "s05")
    assert clip.extra == {"movement": 7, "subject": 5, "episode": 2, "correct": False}
    assert clip.poses.endswith("Incorrect Segmented Movements/Kinect/Positions/m07_s05_e02_positions_inc.txt")
    assert next(clip for clip in clips.test if clip.key == "m07/s05/e02").score == 1.0
    assert clips.score_range == (0.0, 1.0)


@pytest.mark.parametrize(
    ("fold", "subjects"), [("1", {5, 10}), ("2", {1, 6}), ("3", {2, 7}), ("4", {3, 8}), ("5", {4, 9})]
)
def test_without_a_file_every_fold_tests_two_subjects(fold, subjects, tmp_path):
    clips = load(UIPRMDSettings(str(published(tmp_path)), fold=fold))
    assert {clip.extra["subject"] for clip in clips.test} == subjects
    assert {clip.extra["subject"] for clip in clips.train} == set(range(1, 11)) - subjects
    assert (len(clips.train), len(clips.test)) == (64, 16)


def test_movements_can_be_chosen(tmp_path):
    root = str(published(tmp_path, movements=(3, 4, 10)))
    assert {clip.action for clip in load(UIPRMDSettings(root)).train} == {"m03", "m04", "m10"}
    assert {clip.action for clip in load(UIPRMDSettings(root, movements=(4,))).train} == {"m04"}
    with pytest.raises(BadData, match="has no movement 5") as caught:
        load(UIPRMDSettings(root, movements=(5,)))
    assert caught.value.hint == "there are: 3, 4, 10"


def test_folds_of_a_file_count_and_what_they_leave_out_is_not_used(tmp_path):
    published(tmp_path)
    path = told(tmp_path, {"1": {"a": [entry(1), entry(1, correct=False)], "b": [entry(2, number=2)], "c": []}})
    settings = UIPRMDSettings(str(tmp_path), path, fold="a")
    clips = load(settings)
    assert keys(clips.test) == ["m01/s01/e01", "m01/s01/e01-inc"]
    assert keys(clips.train) == ["m01/s02/e02"]
    parts = folds(settings)
    assert {name: len(part) for name, part in parts[1].items()} == {"a": 2, "b": 1, "c": 0}
    train, test = divided(parts[1], "b")
    assert ([one.key for one in train], [one.key for one in test]) == (keys(clips.test), keys(clips.train))


def test_a_movement_whose_fold_is_empty_is_only_learnt_from(tmp_path):
    published(tmp_path)
    seven = {"1": [], "2": [entry(2, movement=7)]}
    path = told(tmp_path, {"1": {"1": [entry(1)], "2": [entry(2)]}, "7": seven})
    clips = load(UIPRMDSettings(str(tmp_path), path))
    assert (keys(clips.test), keys(clips.train)) == (["m01/s01/e01"], ["m01/s02/e01", "m07/s02/e01"])
    with pytest.raises(BadData, match="no episode is for testing by fold '1' of movement 7"):
        load(UIPRMDSettings(str(tmp_path), path, movements=(7,)))
    with pytest.raises(BadData, match="no episode is for training by fold '2' of movement 7"):
        load(UIPRMDSettings(str(tmp_path), path, movements=(7,), fold="2"))
    with pytest.raises(BadSetting, match="no fold '12'"):
        load(UIPRMDSettings(str(tmp_path), path, fold="12"))


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "is a list of 0, expected folds by movement"),
        ({"3": {}}, "has none of the movements"),
        ({"1": 5}, "1 is 5, expected episodes by fold"),
        ({"1": {"1": {}}}, "1.1 is an object, expected a list"),
        ({"1": {"1": [7]}}, r"1.1\[0\] is 7, expected an object"),
        ({"1": {"1": [entry("2")]}}, r"1.1\[0\].subject is '2', expected a whole number"),
        ({"1": {"1": [entry(2, correct=1)]}}, r"1.1\[0\].correct is 1, expected true or false"),
        ({"1": {"1": [entry(2, movement=7)]}}, r"1.1\[0\].movement is 7, expected 1"),
        ({"1": {"1": [entry(2)], "2": [entry(2)]}}, r"1.2\[0\] is m01/s02/e01, which is in fold '1' already"),
        ({"1": {"1": [entry(2), entry(99)]}}, "1 of 2 episodes of movement 1 are missing: m01/s99/e01"),
        (
            {"1": {"1": [entry(1)], "2": [entry(1, number=2)]}},
            "for training and for testing by fold '1' of movement 1 is subject 1",
        ),
    ],
)
def test_folds_that_cannot_be_are_told_in_one_line(document, said, tmp_path):
    published(tmp_path)
    with pytest.raises(BadData, match=said) as caught:
        load(UIPRMDSettings(str(tmp_path), told(tmp_path, document)))
    assert "folds.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_subject_on_both_sides_by_two_movements_is_told(tmp_path):
    published(tmp_path)
    seven = {"1": [entry(2, movement=7)], "2": [entry(1, movement=7)]}
    path = told(tmp_path, {"1": {"1": [entry(1)], "2": [entry(2)]}, "7": seven})
    with pytest.raises(BadData, match="for training and for testing by fold '1' of movement 1, 7 is subject 1, 2"):
        load(UIPRMDSettings(str(tmp_path), path))


def test_a_movement_that_the_folds_lack_is_told_where_it_is_asked_for(tmp_path):
    path = told(published(tmp_path), {"1": {"1": [entry(1)], "2": [entry(2)]}})
    assert {clip.action for clip in load(UIPRMDSettings(str(tmp_path), path)).train} == {"m01"}
    with pytest.raises(BadData, match=r"folds\.json: has no movement 7"):
        load(UIPRMDSettings(str(tmp_path), path, movements=(1, 7)))


def test_a_label_that_contradicts_the_files_is_told(tmp_path):
    path = told(published(tmp_path), {"1": {"1": [entry(1)], "2": [entry(2)]}})
    next(tmp_path.rglob("m01_s02_e01_positions.txt")).unlink()
    with pytest.raises(BadData, match="1 episodes are there only with the other label: m01/s02/e01"):
        load(UIPRMDSettings(str(tmp_path), path))


def test_a_folder_without_episodes_or_with_one_twice_is_told(tmp_path):
    with pytest.raises(BadData, match="holds no UI-PRMD episodes"):
        episodes(tmp_path / "nowhere")
    published(tmp_path, ending=".txt")
    published(tmp_path, numbers=(2,), ending=".txt.gz")
    with pytest.raises(BadData, match=r"e02_positions_inc\.txt\.gz: is the same episode as .*_inc\.txt$"):
        episodes(tmp_path)


@pytest.mark.parametrize(
    ("fold", "train", "test", "tested"),
    [("1", 562, 124, {1, 2, 3, 5, 7}), ("3", 598, 88, {1, 5, 7}), ("5", 520, 166, {1, 2, 3, 5, 7})],
)
def test_the_published_folds_have_their_size(fold, train, test, tested):
    root = data_root("ui_prmd")
    clips = load(UIPRMDSettings(str(root), str(root / "folds_cross_subject.json"), fold=fold))
    assert (len(clips.train), len(clips.test)) == (train, test)
    assert {clip.extra["movement"] for clip in clips.test} == tested
    assert {clip.extra["movement"] for clip in clips.train} == {1, 2, 3, 5, 7}


def test_the_real_files_are_all_found_and_the_first_is_a_person():
    clips = load(UIPRMDSettings(str(data_root("ui_prmd"))))
    assert (len(clips.train), len(clips.test)) == (800, 200)
    assert sum(clip.score for clip in (*clips.train, *clips.test)) == 500
    assert read_person(clips.test[0].poses).keypoints.shape[1:] == (22, 3)
