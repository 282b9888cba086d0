import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from posediff.errors import BadData
from posediff.io import read_person, write
from posediff.io.content import Content
from posediff.io.hp_mcore import FRAMES
from posediff.io.registry import get, recognised
from posediff.motion.resample import resample
from posediff.skeletons import MPII16
from tests.fixtures.files import made_up


def clip(columns: int = 3, frames: int = FRAMES) -> np.ndarray:
    """A clip's keypoints, all different, with confidence 0.5."""
    values = 10 + np.arange(frames * 16 * columns, dtype=np.float64).reshape(frames, 16, columns)
    if columns == 3:
        values[..., 2] = 0.5
    return values


def archive(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("columns", [2, 3])
def test_a_clip_as_the_published_code_reads_it(columns: int, tmp_path: Path) -> None:
    values = clip(columns)
    person = read_person(archive(tmp_path / "pred_comp_7.npz", pred=values))
    assert (person.source["format"], person.skeleton, len(person)) == ("hp-mcore", MPII16, 96)
    np.testing.assert_array_equal(person.keypoints, values[..., :2])
    assert np.unique(person.scores).tolist() == [0.5 if columns == 3 else 1.0]


def test_the_published_code_can_read_what_is_written(tmp_path: Path) -> None:
    path = tmp_path / "01" / "pred_comp_0.npz"
    write(path, resample(made_up(), frames=96), format="hp-mcore")
    values = np.load(path, allow_pickle=False)["pred"]
    channels = values.reshape((96, 16, 3, 1)).transpose(2, 0, 1, 3)
    assert channels.shape == (3, 96, 16, 1)
    assert channels.dtype == np.float32
    assert np.isfinite(channels).all()


def test_missing_keypoints_are_zeros_of_confidence_0(tmp_path: Path) -> None:
    write(tmp_path / "a.npz", made_up(), format="hp-mcore")
    values = np.load(tmp_path / "a.npz")["pred"]
    assert values[0, 1].tolist() == [0, 0, 0]
    assert (values[..., 2] > 0).sum() == made_up().present.sum()


def test_in_two_columns_the_origin_is_missing(tmp_path: Path) -> None:
    values = clip(2)
    values[3, 4] = 0
    person = read_person(archive(tmp_path / "a.npz", pred=values))
    assert np.argwhere(~person.present).tolist() == [[3, 4]]


@given(
    keypoints=hnp.arrays(np.float32, (5, 16, 2), elements=st.floats(-1000, 1000, width=32)),
    scores=hnp.arrays(np.float32, (5, 16), elements=st.floats(0.125, 1, width=32)),
)
@settings(max_examples=20, deadline=None)
def test_a_round_trip_keeps_keypoints_and_scores(
    keypoints: np.ndarray, scores: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> None:
    person = made_up(frames=5).replace(keypoints=keypoints, scores=scores)
    path = tmp_path_factory.mktemp("trip") / "pred_comp_1.npz"
    write(path, person, format="hp-mcore")
    back = read_person(path)
    np.testing.assert_array_equal(back.keypoints, person.keypoints)
    np.testing.assert_allclose(back.scores, person.scores, rtol=1e-6)


def test_another_length_than_the_published_code_s_is_told(tmp_path: Path) -> None:
    lost = write(tmp_path / "a.npz", made_up(), format="hp-mcore")
    assert any("clips of 96 frames, these are 6" in sentence for sentence in lost)
    lost = write(tmp_path / "b.npz", resample(made_up(), frames=96), format="hp-mcore")
    assert not any("clips of 96" in sentence for sentence in lost)


@pytest.mark.parametrize(
    "arrays",
    [
        {"pred": np.ones((96, 17, 3))},
        {"pred": np.ones((96, 16))},
        {"pred": np.full((96, 16, 3), "a")},
        {"heat": np.ones((96, 16, 3))},
        {"pred": np.ones((96, 16, 3)), "keypoints": np.ones((4, 16, 2))},
    ],
)
def test_other_archives_are_not_taken_for_one(arrays: dict[str, np.ndarray], tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", **arrays)
    assert recognised(Content(path)).name == "npz"


def test_what_posediff_writes_as_npz_stays_npz(tmp_path: Path) -> None:
    write(tmp_path / "a.npz", made_up(), format="npz")
    assert read_person(tmp_path / "a.npz").source["format"] == "npz"


def test_pickled_objects_are_not_read(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    values = np.empty((96, 16, 3), object)
    values[:] = Trap()
    path = archive(tmp_path / "a.npz", pred=values)
    assert pickle.dumps(values)  # it is one that can be unpickled
    with pytest.raises(BadData):
        read_person(path)
    with pytest.raises(BadData, match="holds object, expected numbers"):
        read_person(path, format="hp-mcore")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("arrays", "said"),
    [({"heat": np.ones(3)}, "no array 'pred'"), ({"pred": np.ones((96, 4, 3))}, r"shape \(96, 4, 3\)")],
)
def test_what_is_wrong_is_told(arrays: dict[str, np.ndarray], said: str, tmp_path: Path) -> None:
    with pytest.raises(BadData, match=said):
        read_person(archive(tmp_path / "a.npz", **arrays), format="hp-mcore")


@pytest.mark.parametrize("cut", [10, 300, 4000])
def test_a_damaged_archive_is_told(cut: int, tmp_path: Path) -> None:
    path = archive(tmp_path / "a.npz", pred=clip())
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(BadData, match="damaged archive"):
        read_person(path, format="hp-mcore")


def test_only_mpii_can_be_held() -> None:
    assert get("hp-mcore").skeletons == ("mpii16",)
