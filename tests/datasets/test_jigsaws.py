import pickle
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from posediff.datasets.jigsaws import JIGSAWSSettings, load, read_kinematics
from posediff.errors import BadData, BadSetting
from posediff.motion.normalize import mirrored
from tests.fixtures.surgery import TRIALS, meta_line, numbers, published, split_into

CONFIG = Path(__file__).parents[2] / "configs" / "core_jigsaws_kinematics.py"


def loaded(root, **options):
    return load(JIGSAWSSettings(str(root), **{"tasks": ("Suturing",), "protocol": "user_out", "fold": "B"} | options))


def keys(clips):
    return [clip.key for clip in clips]


@pytest.fixture
def root(tmp_path):
    return published(tmp_path)


def test_a_trial_says_what_was_done_by_whom_and_how_well(root):
    clip = loaded(root).test[1]
    assert (clip.key, clip.action, clip.performer) == ("Suturing_B002", "Suturing", "B")
    elements = TRIALS["Suturing_B002"]
    assert clip.score == sum(elements)
    assert clip.extra["skill"] == "N"
    assert clip.extra["time_and_motion"] == elements[2]
    assert clip.extra["gestures"] == ((1, 3, "G1"), (4, 6, "G5"))
    assert "gestures" not in loaded(root).test[0].extra
    assert loaded(root).score_range == (6.0, 30.0)


def test_one_surgeon_or_one_repetition_is_tested_on(root):
    found = loaded(root, fold="C")
    assert keys(found.test) == ["Suturing_C001", "Suturing_C002"]
    assert keys(found.train) == ["Suturing_B001", "Suturing_B002"]
    found = loaded(root, protocol="super_trial_out", fold="2")
    assert keys(found.test) == ["Suturing_B002", "Suturing_C002"]
    assert keys(found.train) == ["Suturing_B001", "Suturing_C001"]


def test_the_four_published_lists_are_the_folds_and_what_they_leave_out_is_not_used(root):
    splits = split_into(
        root, Suturing=[["Suturing_C002"], ["Suturing_B001"], [], []], Knot_Tying=[[], ["Knot_Tying_B001"], [], []]
    )
    found = loaded(root, protocol="four_fold", splits=splits, fold="1")
    assert (keys(found.test), keys(found.train)) == (["Suturing_C002"], ["Suturing_B001"])
    found = loaded(root, protocol="four_fold", splits=splits, fold="2", tasks=("Suturing", "Knot_Tying"))
    assert (keys(found.test), keys(found.train)) == (["Suturing_B001", "Knot_Tying_B001"], ["Suturing_C002"])


def test_several_tasks_are_learnt_together(root):
    found = loaded(root, tasks=("Suturing", "Knot_Tying"))
    assert {clip.action for clip in found.train} == {"Suturing", "Knot_Tying"}
    assert {clip.performer for clip in found.test} == {"B"}


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        ({"Knot_Tying": [[], [], [], []]}, "has no lists of trials of the task Suturing"),
        ({"Suturing": {"1": []}}, "has no lists of trials of the task Suturing"),
        ({"Suturing": [["Suturing_Z009"], []]}, "fold 1 of Suturing has 'Suturing_Z009', which is not rated"),
        ({"Suturing": [["Suturing_B001"], ["Suturing_B001"]]}, "Suturing_B001 is in fold 1 and in fold 2"),
        ({"Suturing": [["Suturing_B001"], [], [], []]}, "no trial is for training, all are in fold '1'"),
    ],
)
def test_lists_that_cannot_be_are_told_in_one_line(lists, said, root):
    with pytest.raises(BadData, match=said) as caught:
        loaded(root, protocol="four_fold", fold="1", splits=split_into(root, **lists))
    assert "\n" not in str(caught.value)


def test_a_program_in_the_lists_is_not_run(root):
    (root / "splits.pkl").write_bytes(pickle.dumps(print))
    with pytest.raises(BadData, match=r"splits\.pkl"):
        loaded(root, protocol="four_fold", fold="1", splits=str(root / "splits.pkl"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Suturing_B001 N 13 3 2 1 2 2", "line 3: has 8 columns, expected trial, skill, rating and its 6 elements"),
        ("Suturing_1 N 13 3 2 1 2 2 3", "line 3: the trial is 'Suturing_1', expected one such as Suturing_B001"),
        ("Knot_Tying_B001 N 13 3 2 1 2 2 3", "line 3: the trial is 'Knot_Tying_B001'"),
        ("Suturing_D001 N x 3 2 1 2 2 3", "line 3: the rating has 'x', expected a whole number"),
        ("Suturing_D001 N 13 0 2 1 2 2 3", r"line 3: the elements of the rating are \[0, 2, 1, 2, 2, 3\]"),
        ("Suturing_D001 N 31 3 2 1 2 2 3", "line 3: the rating is 31, expected 6 to 30"),
        ("Suturing_B001 N 13 3 2 1 2 2 3", "line 3: Suturing_B001 is rated already"),
    ],
)
def test_a_rating_that_cannot_be_is_told_by_its_line(line, said, root):
    path = root / "Suturing" / "meta_file_Suturing.txt"
    path.write_text(f"{meta_line('Suturing_B001')}\n\n{line}\n")
    with pytest.raises(BadData, match=said) as caught:
        loaded(root)
    assert str(caught.value).startswith(str(path))
    path.write_text("\n")
    with pytest.raises(BadData, match="rates no trial"):
        loaded(root)


def test_missing_kinematics_and_pictures_are_told_and_may_be_done_without(root):
    for trial in TRIALS:
        (root / "frames" / f"{trial}_capture2").mkdir(parents=True)
    (root / "Suturing" / "kinematics" / "AllGestures" / "Suturing_C001.txt").unlink()
    with pytest.raises(BadData, match=r"1 of 4 trials have no kinematics: .*Suturing_C001\.txt"):
        loaded(root)
    found = loaded(root, manipulators="none", images=str(root / "frames"), capture=2)
    assert found.test[0].images == str(root / "frames" / "Suturing_B001_capture2")
    assert found.sequences == {}
    with pytest.raises(BadData, match="4 of 4 folders of pictures are missing"):
        loaded(root, manipulators="none", images=str(root / "frames"))


def test_settings_that_cannot_be_are_refused(root):
    with pytest.raises(BadSetting, match="no task 'suturing'") as caught:
        JIGSAWSSettings("data", tasks=("suturing",))
    assert caught.value.hint == "did you mean Suturing?"
    with pytest.raises(BadSetting, match="four_fold needs splits"):
        JIGSAWSSettings("data")
    with pytest.raises(BadSetting, match="tasks is empty"):
        JIGSAWSSettings("data", tasks=())
    with pytest.raises(BadSetting, match="no fold '1' of user_out") as caught:
        loaded(root, fold="1")
    assert caught.value.hint == "there are: B, C"


def test_gestures_that_cannot_be_are_told(root):
    path = root / "Suturing" / "transcriptions" / "Suturing_B002.txt"
    path.write_text("1 G1\n")
    with pytest.raises(BadData, match=r"Suturing_B002\.txt: expected first frame, last frame and name"):
        loaded(root)
    path.write_text("")
    assert "gestures" not in loaded(root).test[1].extra


# Kinematics


@pytest.mark.parametrize(("manipulators", "first"), [("master", 0), ("slave", 38)])
def test_an_instrument_is_where_its_numbers_say(manipulators, first, tmp_path):
    values = numbers(np.random.default_rng(1), 7)
    np.savetxt(tmp_path / "a.txt", values)
    found = read_kinematics(tmp_path / "a.txt", manipulators)
    assert (found.keypoints.shape, found.fps, found.units) == ((7, 10, 3), 30.0, "cm")
    for side, start in (("left", first), ("right", first + 19)):
        for frame in range(7):
            block = values[frame, start : start + 19]
            tool = Rotation.from_matrix([block[3:6], block[6:9], block[9:12]])
            truth = {
                "axis_x": tool.apply([1, 0, 0]),
                "axis_z": tool.apply([0, 0, 1]),
                "jaw_a": tool.apply(Rotation.from_euler("y", block[18] / 2).apply([0, 0, 1])),
                "jaw_b": tool.apply(Rotation.from_euler("y", -block[18] / 2).apply([0, 0, 1])),
            }
            tip = found.keypoints[frame, found.skeleton.index(f"{side}_tip")]
            np.testing.assert_allclose(tip, 100 * block[:3], rtol=1e-5)
            for part, away in truth.items():
                point = found.keypoints[frame, found.skeleton.index(f"{side}_{part}")]
                np.testing.assert_allclose(point - tip, away, atol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_the_mirror_image_of_the_instruments_is_instruments(seed, tmp_path):
    values = numbers(np.random.default_rng(seed), 3)
    np.savetxt(tmp_path / "a.txt", values)
    found = read_kinematics(tmp_path / "a.txt")
    image = mirrored(found).keypoints.astype(float)
    for side, other in ((0, 5), (5, 0)):
        tip, x, z, a, b = np.moveaxis(image[:, side : side + 5], 1, 0)
        x, z, a, b = x - tip, z - tip, a - tip, b - tip
        np.testing.assert_allclose((x * z).sum(axis=-1), 0, atol=1e-4)
        frame = np.stack([x, np.cross(z, x), z], axis=-1)
        np.testing.assert_allclose(np.linalg.det(frame), 1, atol=1e-4)
        np.testing.assert_allclose((a + b) / np.linalg.norm(a + b, axis=-1, keepdims=True), z, atol=1e-4)
        half = values[:, 56 if other == 0 else 75] / 2
        np.testing.assert_allclose((a * x).sum(axis=-1), np.sin(half), atol=1e-4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 2 3\n", "row 1 has 3 numbers, expected 76"),
        (" ".join(["0"] * 76) + "\n" + " ".join(["0"] * 75) + "\n", "row 2 has 75 numbers, expected 76"),
        (" ".join(["0"] * 75 + ["nan"]), "row 1 has a number that is not finite"),
        (" ".join(["0"] * 75 + ["x"]), "could not convert string to float: 'x'"),
        ("\n\n", "holds no numbers"),
    ],
)
def test_kinematics_that_cannot_be_are_told_in_one_line(text, said, tmp_path):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(BadData, match=said) as caught:
        read_kinematics(tmp_path / "a.txt")
    assert str(caught.value).startswith(str(tmp_path / "a.txt"))


def test_trials_are_read_only_when_they_are_asked_for(root):
    found = loaded(root)
    (root / "Suturing" / "kinematics" / "AllGestures" / "Suturing_C001.txt").write_text("damaged")
    assert sorted(found.sequences) == keys((*found.test, *found.train))
    assert len(found.sequences["Suturing_B001"]) == 12
    assert "Suturing_C001" in found.sequences
    with pytest.raises(BadData, match=r"Suturing_C001\.txt"):
        found.sequences["Suturing_C001"]


# Training


def surgeons(folder):
    """Three surgeons whose ratings differ, six trials each."""
    return published(
        folder,
        {
            f"Suturing_{surgeon}{number:03d}": (place, *[1 + (number + place) % 5] * 5)
            for place, surgeon in enumerate("BCD", 1)
            for number in range(1, 7)
        },
    )


def experiment(root, *options):
    pytest.importorskip("torch")
    from posediff.engine.config import load_experiment

    small = "data.inputs.frames=12", "training.epochs=1", "training.device=cpu", "model.width=8", "model.hidden=16"
    encoder = "model.skeletal.channels=(8,)", "model.skeletal.strides=(1,)"
    return load_experiment(CONFIG, [f"data.source.root={root}", *small, *encoder, *options])


def test_a_network_learns_from_the_instruments_of_some_surgeons_and_is_tested_on_another(tmp_path):
    asked = experiment(surgeons(tmp_path / "data"), "data.augment.flip=0.5")
    from posediff.engine.assessment import assess
    from posediff.engine.data import for_training, load_clips
    from posediff.engine.training import train

    collection = load_clips(asked.data)
    data = for_training(asked.data, asked.model.settings, collection, 0)
    sides = [{clip.performer for clip in part} for part in (data.pairs.samples.clips, data.validation.queries.clips)]
    assert sorted(map(len, sides)) == [1, 1]
    assert set.union(*sides) == {"C", "D"}
    poses = data.validation.queries.load(np.arange(6))["poses"].numpy()
    assert poses.shape == (6, 12, 10, 3)
    np.testing.assert_allclose(poses[:, :2, 0].mean(axis=1), 0, atol=1e-5)  # the left tip, where it starts
    clip = data.validation.queries.clips[0]
    whole = collection.sequences[clip.key].keypoints
    np.testing.assert_allclose(poses[0], whole - whole[:2, 0].mean(axis=0), atol=1e-4)  # in centimetres

    outcome = train(asked, tmp_path / "work")
    found = assess(asked, outcome.best).found
    assert [key[:10] for key in found.keys] == ["Suturing_B"] * 6
    assert found.predicted.shape == (6,)
    assert np.ptp(found.predicted) > 0


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("data.inputs.scale=torso", "nothing shows how large the body is"),
        ("data.inputs.skeleton=mpii16", "instruments10 has nothing to make these joints of mpii16 from"),
        ("model.skeletal.streams=('bone',)", "skeleton instruments10 has no torso"),
    ],
)
def test_what_needs_a_body_says_that_instruments_are_none(option, said, tmp_path):
    asked = experiment(surgeons(tmp_path / "data"), option)
    from posediff.engine.training import train

    with pytest.raises((BadData, BadSetting), match=said):
        train(asked, tmp_path / "work")
