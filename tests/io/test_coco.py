import json
from pathlib import Path

import numpy as np
import pytest

from posediff.errors import BadData
from posediff.io import read, read_person, write
from posediff.skeletons import COCO17
from tests.fixtures.files import flat, made_up, saved
from tests.fixtures.sequences import with_missing


def test_coco_annotations_name_their_joints_and_images(tmp_path: Path) -> None:
    document = {
        "images": [
            {"id": 901, "file_name": "clip/000007.jpg", "width": 640, "height": 480},
            {"id": 902, "file_name": "clip/000008.jpg", "width": 640, "height": 480},
        ],
        "annotations": [
            {
                "id": 1,
                "image_id": 902,
                "category_id": 1,
                "keypoints": [1, 2, 2, 0, 0, 0, 5, 6, 1],
                "bbox": [1, 2, 10, 20],
            }
        ],
        "categories": [{"id": 1, "name": "arm", "keypoints": ["l_wrist", "elbow-left", "Neck"], "skeleton": [[1, 2]]}],
    }
    person = read_person(saved(tmp_path / "a.json", document))
    assert person.skeleton.joints == ("left_wrist", "left_elbow", "neck")
    assert person.skeleton.bones == (("left_wrist", "left_elbow"),)
    assert person.frames.tolist() == [7, 8]
    assert person.present.tolist() == [[False] * 3, [True, False, True]]
    assert person.boxes is not None
    assert person.boxes[1].tolist() == [1, 2, 11, 22]
    assert person.image_size == (640, 480)


def test_coco_results_hold_scores(tmp_path: Path) -> None:
    document = [{"image_id": n, "category_id": 1, "keypoints": flat(17, 5, 0.25), "score": 0.9} for n in (3, 4)]
    person = read_person(saved(tmp_path / "a.json", document))
    assert (person.frames.tolist(), person.scores[0, 0], person.skeleton) == ([3, 4], 0.25, COCO17)


def test_coco_track_ids_are_people(tmp_path: Path) -> None:
    document = [
        {"image_id": n, "category_id": 1, "keypoints": flat(17, x), "track_id": t}
        for n, x, t in ((0, 5, 8), (0, 90, 4), (1, 90, 8), (1, 5, 4))
    ]
    people = {person.person: person for person in read(saved(tmp_path / "a.json", document))}
    assert people[8].keypoints[:, 0, 0].tolist() == [5, 90]


def test_scores_and_status_are_kept_in_keys_of_their_own(tmp_path: Path) -> None:
    person = made_up()
    lost = write(tmp_path / "a.json", person, format="coco")
    back = read_person(tmp_path / "a.json")
    np.testing.assert_array_equal(back.scores, person.scores)
    np.testing.assert_array_equal(back.status, person.status)
    assert not any("scores" in sentence or "status" in sentence for sentence in lost)
    annotation = json.loads((tmp_path / "a.json").read_text())["annotations"][0]
    assert annotation["keypoints"][2::3] == [2, 0, *[2] * 14]


def test_an_image_without_the_person_has_no_annotation(tmp_path: Path) -> None:
    boxes = np.tile([1.0, 2.0, 201.0, 202.0], (6, 1))
    boxes[[2, 3]] = np.nan
    person = with_missing(made_up(boxes=boxes), [2, 4])
    write(tmp_path / "a.json", person, format="coco")
    document = json.loads((tmp_path / "a.json").read_text())
    assert [image["id"] for image in document["images"]] == [3, 4, 5, 6, 7, 8]
    assert [annotation["image_id"] for annotation in document["annotations"]] == [3, 4, 6, 7, 8]
    assert document["annotations"][3]["bbox"] == [1, 2, 200, 200]
    back = read_person(tmp_path / "a.json")
    np.testing.assert_array_equal(back.present, person.present)
    assert back.boxes is not None
    assert np.isnan(back.boxes[2]).all()


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [("keypoint_status", [7] * 16, "keypoint_status holds 7"), ("keypoint_scores", [1.0] * 3, "keypoint_scores.* 3")],
)
def test_added_keys_that_are_wrong_are_told(key: str, value: list[float], said: str, tmp_path: Path) -> None:
    write(tmp_path / "a.json", made_up(frames=1), format="coco")
    document = json.loads((tmp_path / "a.json").read_text())
    document["annotations"][0][key] = value
    with pytest.raises(BadData, match=said):
        read(saved(tmp_path / "b.json", document))
