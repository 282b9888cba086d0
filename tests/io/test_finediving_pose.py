import json
from pathlib import Path

import numpy as np
import pytest

from posediff.errors import BadData, BadSetting
from posediff.io import read, read_person, write
from posediff.io.finediving_pose import listed
from posediff.skeletons import MPII16
from tests.fixtures.data import data_root
from tests.fixtures.files import made_up, saved
from tests.fixtures.sequences import with_missing


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


def test_boxes_come_back_as_they_were_and_as_mpii_has_them(tmp_path: Path) -> None:
    boxes = np.array([[10.0, 20, 50, 120], [np.nan] * 4, [12, 20, 80, 40]])
    person = with_missing(made_up(frames=3, boxes=boxes), [1])
    write(tmp_path / "a.json", person, format="finediving-pose")
    items = json.loads((tmp_path / "a.json").read_text())
    assert [(item["center"], item["scale"]) for item in items] == [
        ([30, 70], 0.5),
        ([-1, -1], -1),
        ([46, 30], 0.34),
    ]
    assert ("bbox" in items[1], items[2]["bbox"]) == (False, [12, 20, 80, 40])
    back = read_person(tmp_path / "a.json")
    np.testing.assert_array_equal(back.boxes, person.boxes)
    np.testing.assert_array_equal(back.present, person.present)


def test_a_joint_that_is_never_there_is_invisible_with_finite_coordinates(tmp_path: Path) -> None:
    person = with_missing(made_up(), range(6), ["head_top"])
    write(tmp_path / "a.json", person, format="finediving-pose")
    for item in json.loads((tmp_path / "a.json").read_text()):
        assert item["joints_vis"][MPII16.index("head_top")] == 0
        assert np.isfinite(item["joints"]).all()
    assert not read_person(tmp_path / "a.json").present[:, MPII16.index("head_top")].any()


def test_images_can_be_named_after_their_video(tmp_path: Path) -> None:
    items = listed(made_up(), "01/7/{:05d}.jpg")
    assert items[0]["image"] == "01/7/00003.jpg"
    assert read_person(saved(tmp_path / "a.json", items)).frames.tolist() == made_up().frames.tolist()


@pytest.mark.parametrize("image", ["frame.jpg", "{}{}.jpg", "{name}.jpg", "{:q}"])
def test_names_without_a_place_for_the_frame_number_are_refused(image: str) -> None:
    with pytest.raises(BadSetting, match="image is"):
        listed(made_up(), image)
