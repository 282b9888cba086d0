import json
from pathlib import Path
from typing import Any

import pytest

from posediff.errors import BadData
from posediff.io import read, read_person, write
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
