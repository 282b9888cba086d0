from pathlib import Path

from posediff.io import read_person
from posediff.skeletons import BODY25
from tests.fixtures.files import flat, saved


def test_openpose_zeros_are_missing_and_empty_frames_stay(tmp_path: Path) -> None:
    someone = {"person_id": [-1], "pose_keypoints_2d": [0, 0, 0, *flat(25, 5)[3:]], "face_keypoints_2d": []}
    for number, people in enumerate(([someone], [], [someone]), start=9):
        saved(tmp_path / "out" / f"clip_{number:012d}_keypoints.json", {"version": 1.3, "people": people})
    person = read_person(tmp_path / "out")
    assert person.skeleton == BODY25
    assert person.frames.tolist() == [9, 10, 11]
    assert person.present.sum(axis=1).tolist() == [24, 0, 24]


def test_openpose_of_one_frame_and_of_18_joints(tmp_path: Path) -> None:
    path = saved(tmp_path / "f_keypoints.json", {"people": [{"pose_keypoints_2d": flat(18, 5)}]})
    assert read_person(path).skeleton.name == "openpose18"
