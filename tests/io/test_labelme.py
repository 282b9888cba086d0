import json
from pathlib import Path
from typing import Any

import pytest

from posediff.errors import BadData
from posediff.io import read, read_person, write
from posediff.io.content import Content
from posediff.io.labelme import images
from posediff.sequence import Status
from posediff.skeletons import MPII16
from tests.fixtures.files import made_up, saved


def test_labelme_points_of_a_person_without_posediff(tmp_path: Path) -> None:
    def point(label: str, **more: Any) -> dict[str, Any]:
        return {"label": label, "points": [[3.0, 4.0]], "group_id": None, "shape_type": "point", "flags": {}} | more

    shapes = [point("right_knee", flags={"verified": True}), point("left_knee", description="interpolated")]
    polygon = {"label": "pool", "points": [[0, 0], [1, 1], [2, 0]], "shape_type": "polygon", "flags": {}}
    saved(tmp_path / "l" / "dive_3.json", {"shapes": [*shapes, polygon], "imageWidth": 640, "imageHeight": 480})
    saved(tmp_path / "l" / "dive_4.json", {"shapes": [point("head_top")], "imageWidth": 640, "imageHeight": 480})
    person = read_person(tmp_path / "l")
    assert (person.skeleton, person.frames.tolist(), person.image_size) == (MPII16, [3, 4], (640, 480))
    assert person.status[0, person.skeleton.index("right_knee")] == Status.VERIFIED
    assert person.status[0, person.skeleton.index("left_knee")] == Status.INTERPOLATED
    assert person.present.sum(axis=1).tolist() == [2, 1]


def test_a_correction_in_labelme_comes_back(tmp_path: Path) -> None:
    write(tmp_path / "l", made_up(), format="labelme")
    path = sorted((tmp_path / "l").iterdir())[2]
    document = json.loads(path.read_text())
    document["shapes"][4]["points"] = [[1.5, 2.5]]
    document["shapes"][4]["flags"]["verified"] = True
    path.write_text(json.dumps(document))
    before, after = made_up(), read_person(tmp_path / "l")
    joint = before.skeleton.index(document["shapes"][4]["label"])
    assert after.keypoints[2, joint].tolist() == [1.5, 2.5]
    assert after.status[2, joint] == Status.VERIFIED
    assert (after.keypoints != before.keypoints)[before.present].any(axis=1).sum() == 1


def test_a_label_that_is_no_joint_is_refused_with_the_joints(tmp_path: Path) -> None:
    write(tmp_path / "l", made_up(frames=1), format="labelme")
    path = next((tmp_path / "l").iterdir())
    path.write_text(path.read_text().replace('"label":"left_knee"', '"label":"left_nee"'))
    with pytest.raises(BadData, match="'left_nee' is no joint of mpii16: right_ankle"):
        read(tmp_path / "l")


def test_an_approved_image_verifies_its_points_and_says_so_again(tmp_path: Path) -> None:
    write(tmp_path / "l", made_up(), format="labelme")
    path = sorted((tmp_path / "l").iterdir())[2]
    document = json.loads(path.read_text())
    assert document["flags"] == {"verified": False}
    document["flags"]["verified"] = True
    path.write_text(json.dumps(document))
    person = read_person(tmp_path / "l")
    assert (person.status == Status.VERIFIED).all(axis=1).tolist() == [False, False, True, False, False, False]
    assert person.source["verified_frames"] == [5]
    write(tmp_path / "again", person, format="labelme")
    flags = [json.loads(file.read_text())["flags"]["verified"] for file in sorted((tmp_path / "again").iterdir())]
    assert flags == [False, False, True, False, False, False]


def test_a_file_remembers_what_was_written(tmp_path: Path) -> None:
    person = made_up()
    write(tmp_path / "l", [person, person.replace(person=5, boxes=None)], format="labelme")
    first = images(Content(tmp_path / "l"))[0]
    assert sorted(first.written) == [2, 5]
    assert (first.written[2].box, first.written[5].box) == ([1, 2, 201, 202], None)
    points = {joint: [point.x, point.y] for joint, point in first.points[2].items()}
    assert first.written[2].points == points
    assert len(points) == person.present[0].sum()


def test_a_point_without_group_is_of_the_only_person_there_is(tmp_path: Path) -> None:
    write(tmp_path / "l", made_up(frames=1), format="labelme")
    path = next((tmp_path / "l").iterdir())
    path.write_text(path.read_text().replace('"group_id":2', '"group_id":null'))
    assert [person.person for person in read(tmp_path / "l")] == [2]


@pytest.mark.parametrize(
    "written", [{"x": {"points": {}}}, {"2": {"points": {"nose": [1]}}}, {"2": {"points": {}, "box": [1, 2]}}, {"2": 3}]
)
def test_a_memory_that_is_damaged_is_told_with_its_file(written: Any, tmp_path: Path) -> None:
    write(tmp_path / "l", made_up(frames=1), format="labelme")
    path = next((tmp_path / "l").iterdir())
    document = json.loads(path.read_text())
    document["posediff"]["written"] = written
    path.write_text(json.dumps(document))
    with pytest.raises(BadData, match=r"00000003\.json: posediff\.written"):
        read(tmp_path / "l")
