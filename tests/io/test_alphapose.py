from pathlib import Path
from typing import Any

import pytest

from posediff.io import read_person
from posediff.skeletons import COCO17, HALPE26
from tests.fixtures.files import flat, saved


@pytest.mark.parametrize(("joints", "skeleton"), [(17, COCO17), (26, HALPE26), (136, HALPE26)])
def test_alphapose_tells_its_skeleton_by_the_number_of_joints(joints: int, skeleton: Any, tmp_path: Path) -> None:
    document = [{"image_id": f"{n}.jpg", "keypoints": flat(joints, 5), "box": [1, 2, 3, 4], "idx": [2]} for n in (0, 1)]
    person = read_person(saved(tmp_path / "a.json", document))
    assert (person.skeleton, person.person, len(person)) == (skeleton, 2, 2)
