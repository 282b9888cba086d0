from pathlib import Path

from posediff.io import read, read_person
from posediff.skeletons import COCO17
from tests.fixtures.files import flat, saved


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
