from pathlib import Path
from typing import Any

import numpy as np
import pytest

from posediff.errors import BadData
from posediff.io import read, read_person
from tests.fixtures.data import data_root


@pytest.mark.parametrize(
    ("columns", "dimensions"),
    [((100.0, 200.0), 2), ((100.0, 200.0, 0.5), 2), ((100.0, 200.0, -3.0), 3), ((0.1, 0.2, 0.3, 0.5), 3)],
)
def test_the_columns_of_an_array_are_told_by_the_rule(columns: Any, dimensions: int, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.tile(columns, (3, 17, 1)))
    person = read_person(tmp_path / "a.npy", skeleton="coco17")
    assert person.dimensions == dimensions
    np.testing.assert_allclose(person.keypoints[0, 0], columns[:dimensions], rtol=1e-6)


def test_an_archive_may_name_its_columns_and_skeleton(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", keypoints=np.full((3, 17, 3), 0.5), columns="xyz", skeleton="h36m17", fps=60)
    person = read_person(tmp_path / "a.npz")
    assert (person.dimensions, person.skeleton.name, person.fps) == (3, "h36m17", 60)


def test_an_array_without_a_skeleton_is_refused_with_those_that_fit(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((3, 17, 2)))
    with pytest.raises(BadData, match="17 joints") as error:
        read(tmp_path / "a.npy")
    assert "coco17, h36m17" in error.value.hint


def test_pickled_arrays_are_never_opened(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    np.savez(tmp_path / "a.npz", keypoints=np.array([{"a": 1}], dtype=object))
    for name in ("a.npy", "a.npz"):
        with pytest.raises(BadData, match="object"):
            read(tmp_path / name, skeleton="coco17")


def test_an_array_that_claims_to_be_huge_is_refused_at_once(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((3, 17, 2)))
    data = (tmp_path / "a.npy").read_bytes().replace(b"(3, 17, 2), }     ", b"(9999999999,17,2)}")
    (tmp_path / "a.npy").write_bytes(data)
    with pytest.raises(BadData, match="9999999999"):
        read(tmp_path / "a.npy", skeleton="coco17")


def test_the_real_front_raises_have_their_missing_joints_missing() -> None:
    files = sorted(data_root("pose_trainer").glob("*.npy"))
    assert len(files) == 28
    for file in files:
        values, person = np.load(file), read_person(file, skeleton="openpose18")
        np.testing.assert_array_equal(person.present, values[..., 2] > 0)
        np.testing.assert_allclose(person.keypoints[person.present], values[..., :2][values[..., 2] > 0], rtol=1e-6)
