import json
from pathlib import Path

import numpy as np
import pytest

from posediff.errors import BadData
from posediff.io import read, read_person
from posediff.skeletons import MPII16
from tests.fixtures.data import data_root
from tests.fixtures.files import saved


def test_finediving_pose_list_has_square_boxes_and_invisible_joints_missing(tmp_path: Path) -> None:
    joints = np.arange(32.0).reshape(16, 2).tolist()
    item = {"joints": joints, "joints_vis": [0, *[1] * 15], "center": [100.0, 50.0], "scale": 0.5}
    document = [{"image": f"finediv{n:05d}.jpg", **item} for n in (41, 40)]
    person = read_person(saved(tmp_path / "a.json", document))
    assert (person.skeleton, person.frames.tolist()) == (MPII16, [40, 41])
    assert person.boxes is not None
    assert person.boxes[0].tolist() == [50, 0, 150, 100]
    assert person.present[0].tolist() == [False, *[True] * 15]


def test_several_videos_in_one_list_are_refused(tmp_path: Path) -> None:
    document = [{"image": f"{video}/0001.jpg", "joints": np.ones((16, 2)).tolist()} for video in ("a", "b")]
    with pytest.raises(BadData, match="2 videos"):
        read(saved(tmp_path / "a.json", document))


def test_the_real_dives_are_read_as_labelled() -> None:
    path = data_root("finediving", "pose_examples", "annotations.json")
    person, labels = read_person(path), json.loads(path.read_text())
    np.testing.assert_allclose(person.keypoints[40], labels[40]["joints"], rtol=1e-6)
    assert (len(person), person.frames[40]) == (69, 40)
