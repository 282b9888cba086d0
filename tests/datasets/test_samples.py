import json
import pickle

import numpy as np
import pytest

from posediff.datasets.augment import AugmentSettings
from posediff.datasets.clips import Clip
from posediff.datasets.features import feature_file, write_descriptions, write_feature
from posediff.datasets.folder import FolderSettings, load
from posediff.datasets.samples import InputSettings, Samples
from posediff.errors import BadData, BadSetting
from posediff.io import write
from posediff.sequence import PoseSequence, Stage
from posediff.skeletons import MPII16
from tests.datasets.rendered import centres, dots
from tests.fixtures.data import data_root
from tests.fixtures.videos import write_images

torch = pytest.importorskip("torch")

#: The same body in every frame; pelvis at (40, 50), thorax 20 px above it.
BODY = np.random.default_rng(5).uniform(20, 60, (16, 2))
BODY[MPII16.index("pelvis")] = 40, 50
BODY[MPII16.index("thorax")] = 40, 30


def jumping(count, **more):
    """The body, 2 px further to the right and 1 px higher with every frame."""
    return PoseSequence(BODY + np.arange(count)[:, None, None] * [2.0, -1.0], MPII16, **more)


def clips_of(count, **more):
    return [
        Clip(str(at), 60.0 + at, action="a", difficulty=2.0, transitions=(3, 6), frames=9, **more)
        for at in range(count)
    ]


@pytest.fixture
def samples():
    sequences = {str(at): jumping(9 + 4 * at) for at in range(3)}
    return Samples(clips_of(3), InputSettings(frames=17), difficulty=True, sequences=sequences)


def test_a_batch_is_what_models_take(samples):
    batch = samples.load(np.array([2, 0]))
    assert {name: (tuple(value.shape), value.dtype) for name, value in batch.items()} == {
        "poses": ((2, 17, 16, 2), torch.float32),
        "confidence": ((2, 17, 16), torch.float32),
        "transitions": ((2, 2), torch.int64),
        "target": ((2,), torch.float32),
        "difficulty": ((2,), torch.float32),
        "score": ((2,), torch.float32),
        "index": ((2,), torch.int64),
    }
    assert (batch["target"].tolist(), batch["score"].tolist(), batch["difficulty"].tolist()) == (
        [31, 30],
        [62, 60],
        [2, 2],
    )
    assert (batch["index"].tolist(), batch["transitions"].tolist()) == ([2, 0], [[6, 12], [6, 12]])
    assert (samples.skeleton, samples.dimensions, samples.stages, len(samples)) == (MPII16, 2, 2, 3)
    expected = (BODY - BODY[MPII16.index("pelvis")]) * [1, -1] / 20
    np.testing.assert_allclose(batch["poses"], np.broadcast_to(expected, (2, 17, 16, 2)), atol=1e-5)


def test_without_difficulties_the_score_is_the_target():
    given, unknown = clips_of(1)[0], Clip("1", 50.0)
    sequences = {"0": jumping(4), "1": jumping(4)}
    rows = np.arange(2)
    with_difficulty = Samples([given, unknown], InputSettings(frames=4), difficulty=True, sequences=sequences).load(
        rows
    )
    without = Samples([given, unknown], InputSettings(frames=4), difficulty=False, sequences=sequences).load(rows)
    assert (with_difficulty["target"].tolist(), with_difficulty["difficulty"].tolist()) == ([30, 50], [2, 1])
    assert (without["target"].tolist(), without["difficulty"].tolist()) == ([60, 50], [1, 1])
    assert with_difficulty["transitions"].tolist() == [[2, 3], [-1, -1]]


def test_skeletons_are_read_from_files(tmp_path):
    write(tmp_path / "a.json", jumping(12, stages=(Stage("one", 0, 4), Stage("two", 4, 12))))
    clips = [Clip("x", 1.0, poses=f"{tmp_path}/a.json"), Clip("y", 2.0, poses=f"{tmp_path}/a.json#2:8")]
    batch = Samples(clips, InputSettings(frames=6, centre="start"), difficulty=True).load(np.arange(2))
    assert batch["transitions"].tolist() == [[2], [2]]  # 4 of 0 to 11 in 6 moments, and 2 of 0 to 5
    way = batch["poses"][:, -1, 6] - batch["poses"][:, 0, 6]
    np.testing.assert_allclose(way, [[1.1, 0.55], [0.5, 0.25]], atol=1e-5)


def test_confidence_can_be_left_out():
    scores = np.full((4, 16), 0.5)
    sequences = {"0": jumping(4, scores=scores)}
    for confidence, value in ((True, 0.5), (False, 1.0)):
        inputs = InputSettings(frames=4, confidence=confidence)
        batch = Samples(clips_of(1), inputs, difficulty=True, sequences=sequences).load(np.arange(1))
        assert (batch["confidence"] == value).all()


def test_dimensions_are_those_of_the_clips_or_the_front_view():
    deep = PoseSequence(np.random.default_rng(0).normal(size=(4, 16, 3)), MPII16, units="m")
    for dimensions, expected in (("auto", 3), (3, 3), (2, 2)):
        inputs = InputSettings(frames=4, dimensions=dimensions, centre="none", scale="none")
        samples = Samples(clips_of(1), inputs, difficulty=True, sequences={"0": deep})
        assert samples.dimensions == expected
        np.testing.assert_allclose(samples.load(np.arange(1))["poses"][0], deep.keypoints[..., :expected])
    both = {"0": deep, "1": jumping(4)}
    with pytest.raises(BadData, match="1 clips are in 2 dimensions and 1 in 3"):
        Samples(clips_of(2), InputSettings(frames=4), difficulty=True, sequences=both)
    with pytest.raises(BadData, match="'1': its skeletons are in 2 dimensions"):
        Samples(clips_of(2), InputSettings(frames=4, dimensions=3), difficulty=True, sequences=both)


def test_a_clip_that_cannot_be_used_is_named():
    empty = PoseSequence(np.full((4, 16, 2), np.nan), MPII16)
    with pytest.raises(BadData, match="1 of 2 clips cannot be used: '1': no frame shows a keypoint"):
        Samples(clips_of(2), InputSettings(), difficulty=True, sequences={"0": jumping(4), "1": empty})
    with pytest.raises(BadData, match="no clips"):
        Samples([], InputSettings(), difficulty=True)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"score": 1e39}, "its score is 1e+39 and its target is 5e+38, expected at most 1e+12"),
        ({"score": -1e13, "difficulty": 1e5}, "its score is -1e+13, expected"),
        ({"score": 8.0, "difficulty": 1e-40}, "its target is 8e+40, expected"),
        ({"score": 8.0, "difficulty": 1e300}, "its difficulty is 1e+300, expected"),
        ({"score": 8e300, "difficulty": 1e-300}, "its score is 8e+300 and its target is inf, expected"),
    ],
)
def test_what_float32_cannot_hold_is_told_by_its_clip(wrong, said):
    clips = [*clips_of(2), Clip("7", **{"difficulty": 2.0, **wrong})]
    sequences = {clip.key: jumping(9) for clip in clips}
    with pytest.raises(BadData) as caught:
        Samples(clips, InputSettings(frames=9), difficulty=True, sequences=sequences)
    assert str(caught.value).startswith(f"1 of 3 clips cannot be used: '7': {said}")


def test_a_difficulty_that_is_not_used_may_be_anything():
    clips = [Clip("0", 8.0, difficulty=1e-300)]
    samples = Samples(clips, InputSettings(frames=9), difficulty=False, sequences={"0": jumping(9)})
    assert samples.targets.tolist() == [8]


def test_clips_of_which_only_the_front_view_is_used_are_told_once(caplog):
    deep = PoseSequence(np.random.default_rng(0).normal(size=(4, 16, 3)), MPII16, units="m")
    sequences = {"0": deep, "1": jumping(4), "2": deep}
    Samples(clips_of(3), InputSettings(frames=4, dimensions=2), difficulty=True, sequences=sequences)
    assert [(record.name, record.levelname, record.getMessage()) for record in caplog.records] == [
        ("posediff.datasets", "WARNING", "2 of 3 clips are in 3D: only their front view is used")
    ]
    caplog.clear()
    Samples(clips_of(2)[1:], InputSettings(frames=4, dimensions=2), difficulty=True, sequences=sequences)
    Samples(clips_of(1), InputSettings(frames=4), difficulty=True, sequences=sequences)
    assert not caplog.records


def test_a_table_whose_stages_are_empty_has_those_of_its_files(tmp_path):
    write(tmp_path / "a.json", jumping(12, stages=(Stage("one", 0, 4), Stage("two", 4, 12))))
    write(tmp_path / "b.json", jumping(12))
    (tmp_path / "t.csv").write_text("file,score,stages\na.json,1,\nb.json,2,\n")
    clips = load(FolderSettings(str(tmp_path / "t.csv"), test=0)).train
    samples = Samples(clips, InputSettings(frames=12), difficulty=True, transitions=1)
    assert samples.load(np.arange(2))["transitions"].tolist() == [[4], [-1]]


def test_draws_decide_how_a_clip_is_augmented(samples):
    settings = AugmentSettings(flip=0.5, rotate=20, scale=0.2, noise=0.01, drop=0.2, crop=0.2)
    alone = samples.load(np.array([1]), np.array([77]), settings)
    among = samples.load(np.array([0, 1, 1]), np.array([5, 77, 78], np.uint64), settings)
    for name, tensor in alone.items():
        assert torch.equal(tensor[0], among[name][1]), name
    assert not torch.equal(among["poses"][1], among["poses"][2])
    for left_out in ((None, settings), (np.array([77]), None)):
        assert torch.equal(samples.load(np.array([1]), *left_out)["poses"], samples.load(np.array([1]))["poses"])


@pytest.fixture
def filmed(tmp_path):
    """Five pictures, one brighter than the other, and a skeleton for each."""
    write_images(tmp_path, (np.full((60, 120, 3), 50 * number, np.uint8) for number in range(5)))
    return clips_of(1, images=str(tmp_path)), {"0": jumping(5)}


def test_pictures_come_with_the_skeletons(filmed):
    clips, sequences = filmed
    batch = Samples(clips, InputSettings(frames=9, images=30), difficulty=True, sequences=sequences).load(np.array([0]))
    assert (batch["frames"].shape, batch["frames"].dtype) == ((1, 9, 3, 30, 30), torch.uint8)
    assert batch["frames"][0, ::2, 0, 0, 0].tolist() == [0, 50, 100, 150, 200]


@pytest.fixture(scope="module")
def dotted(tmp_path_factory):
    """A sequence of 65 pictures of 240 x 120 px, filmed six times, each time with other joints on it, as dots."""
    base = np.random.default_rng(2).integers((70, 75), (110, 105), (16, 2))
    sequence = PoseSequence(base + np.arange(65)[:, None, None] * [1.0, -1.0], MPII16, image_size=(240, 120))
    clips = []
    for first in range(0, 16, 3):
        folder = tmp_path_factory.mktemp("dots")
        write_images(folder, dots(sequence, MPII16.joints[first : first + 3], (240, 120), radius=6))
        clips.append(Clip(str(first), 60.0, action="a", images=str(folder)))
    return clips, {clip.key: sequence for clip in clips}


def mirrored(joint):
    """The joint that a mirror makes of one."""
    swapped = {"left": "right", "right": "left"}
    return "_".join(swapped.get(word, word) for word in joint.split("_"))


def shown(batch, flip):
    """(T, 16, 2) where the joints of one clip are seen in its pictures, x, y in pixels; NaN at the edges."""
    seen = centres(batch["frames"].numpy()).transpose(1, 0, 2, 3).reshape(9, -1, 2)[:, :16]
    seen[((seen < 3) | (seen > 36)).any(axis=2)] = np.nan
    return seen[:, [MPII16.index(mirrored(joint) if flip else joint) for joint in MPII16.joints]]


@pytest.mark.parametrize("flip", [0.0, 1.0])
@pytest.mark.parametrize("crop", [0.0, 0.3])
@pytest.mark.parametrize(("centre", "scale"), [("none", "none"), ("none", "torso"), ("root", "torso")])
def test_joints_are_where_the_pictures_show_them(dotted, flip, crop, centre, scale):
    clips, sequences = dotted
    inputs = InputSettings(frames=9, images=40, centre=centre, scale=scale)
    samples = Samples(clips, inputs, difficulty=True, sequences=sequences)
    pelvis, thorax = MPII16.index("pelvis"), MPII16.index("thorax")
    torso = np.linalg.norm(np.subtract(*sequences["0"].keypoints[0, [pelvis, thorax]])) / 3
    checked, pictures = 0, set()
    for draw in range(4):
        batch = samples.load(np.arange(6), np.full(6, draw), AugmentSettings(flip=flip, crop=crop, view=0.5))
        seen = shown(batch, flip)
        places = batch["poses"][0].numpy() * [1, -1] * (torso if scale == "torso" else 1)
        origin = seen[:, [pelvis]] if centre == "root" else 39 / 2
        away = np.abs(seen - origin - places)
        away = away[np.isfinite(away)]
        # Poses lie between two frames where the clip is cropped, pictures do not: half a frame is a sixth of a pixel.
        assert away.max(initial=0) < (0.2 if crop else 0.02)
        checked += len(away)
        pictures.add(batch["frames"].numpy().tobytes())
    assert len(pictures) == 4
    assert checked > 200


def test_clips_without_pictures_are_named(filmed):
    clips = [*filmed[0], Clip("1", 1.0), Clip("2", 1.0, images="nowhere")]
    with pytest.raises(
        BadData, match=r"2 of 3 clips .*'1': it has no folder of pictures; '2': nowhere: no such folder"
    ):
        Samples(clips, InputSettings(poses=False, images=30), difficulty=True)


def test_features_are_read_in_place_of_pictures(tmp_path):
    maps = np.arange(2 * 4 * 3.0, dtype=np.float32).reshape(2, 4, 3, 1, 1)
    write_descriptions(tmp_path, {"static": {"frames": 4, "shape": [4, 3, 1, 1], "dtype": "float32"}})
    for at in range(2):
        write_feature(feature_file(tmp_path, "static", str(at)), maps[at])
    inputs = InputSettings(frames=4, poses=False, features=("static",), features_root=str(tmp_path))
    samples = Samples(clips_of(2), inputs, difficulty=True)
    assert torch.equal(samples.load(np.array([1, 0]))["static"], torch.from_numpy(maps[::-1].copy()))
    samples.load(np.array([1]), np.array([1]), AugmentSettings(flip=0, noise=0.1))
    with pytest.raises(BadSetting, match=r"flip=0\.5"):
        samples.load(np.array([1]), np.array([1]), AugmentSettings())
    with pytest.raises(BadData, match="lacks features of 1 of 3 clips: 2"):
        Samples(clips_of(3), inputs, difficulty=True)
    other = InputSettings(frames=8, poses=False, features=("static",), features_root=str(tmp_path))
    with pytest.raises(BadData, match=r"static\.frames is 4, the model expects 8"):
        Samples(clips_of(2), other, difficulty=True)


MADE = {"backbone": "i3d", "snippets": 2, "length": 16, "sha256": "ab", "grid": 3}


@pytest.fixture
def of_i3d(tmp_path):
    """Make samples of the features of two clips, for a model that expects something of them."""
    shape = (4, 3, 1, 1)
    write_descriptions(tmp_path, {"dynamic": {**MADE, "frames": 20, "shape": list(shape), "dtype": "float32"}})
    for at in range(2):
        write_feature(feature_file(tmp_path, "dynamic", str(at)), np.zeros(shape, np.float32))
    inputs = InputSettings(frames=20, features=("dynamic",), features_root=str(tmp_path))

    def make(expected, **sequences):
        clips = clips_of(2, poses="nowhere.json")
        return Samples(clips, inputs, difficulty=True, sequences=sequences, expected=expected)

    return make


@pytest.mark.parametrize(
    ("name", "other"), [("backbone", "x3d"), ("snippets", 9), ("length", 8), ("sha256", "cd"), ("grid", 0)]
)
def test_features_that_are_not_what_the_model_takes_are_refused_before_skeletons_are_read(of_i3d, name, other):
    with pytest.raises(BadData) as caught:
        of_i3d({"dynamic": {**MADE, name: other}})
    assert str(caught.value).endswith(f"features.json: dynamic.{name} is {MADE[name]!r}, the model expects {other!r}")
    assert caught.value.hint == "extract features with the settings of the model"


def test_what_a_model_expects_of_features_that_are_not_read_does_not_count(of_i3d):
    samples = of_i3d(
        {"dynamic": {"snippets": 2}, "static": {"backbone": "resnet50"}}, **{"0": jumping(4), "1": jumping(5)}
    )
    assert samples.load(np.arange(2))["dynamic"].shape == (2, 4, 3, 1, 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"frames": 1},
        {"images": -1},
        {"features": ("optical",), "features_root": "x"},
        {"features": ("static",)},
        {"centre": "hip"},
        {"scale": "leg"},
        {"dimensions": 4},
        {"poses": False},
        {"skeleton": "mpii17"},
    ],
)
def test_settings_that_cannot_be_used_are_refused(wrong):
    with pytest.raises(BadSetting):
        InputSettings(**wrong)


def test_clips_cannot_be_longer_than_memory_holds():
    assert InputSettings(frames=10_000).frames == 10_000
    with pytest.raises(BadSetting, match=r"frames is 10001, expected 2 to 10,000 \(memory\)"):
        InputSettings(frames=10_001)


def test_samples_can_be_handed_to_other_processes(samples):
    copy = pickle.loads(pickle.dumps(samples))
    assert torch.equal(copy.load(np.arange(3))["poses"], samples.load(np.arange(3))["poses"])


def test_the_real_dives_are_loaded_as_labelled():
    path = data_root("finediving", "pose_examples", "annotations.json")
    clips = [Clip("first", 1.0, poses=f"{path}#:34"), Clip("second", 1.0, poses=f"{path}#34:")]
    poses = Samples(clips, InputSettings(frames=34), difficulty=True).load(np.arange(2))["poses"][0].double()
    labels = np.array([item["joints"] for item in json.loads(path.read_text())[:34]])
    pelvis, thorax = (labels[:, MPII16.index(joint)] for joint in ("pelvis", "thorax"))
    torso = np.quantile(np.linalg.norm(thorax - pelvis, axis=1), 0.75)
    expected = (labels - pelvis[:, None]) * [1, -1] / torso
    shown = poses.abs().sum(dim=2) > 0
    assert shown.double().mean() > 0.8
    np.testing.assert_allclose(poses[shown], expected[shown.numpy()], atol=1e-4)
