from pathlib import Path
from typing import Any

import numpy as np

from posediff.io import read, read_person
from posediff.sequence import PoseSequence
from posediff.skeletons import COCO17
from tests.fixtures.files import flat, saved


def instance(x: float, scores: list[float] | None = None) -> dict[str, Any]:
    """A person in MMPose's results."""
    points = np.array(flat(17, x)).reshape(17, 3)[:, :2].tolist()
    return {
        "keypoints": points,
        "keypoint_scores": scores or [0.5] * 17,
        "bbox": [[x, 0, x + 20, 90]],
        "bbox_score": 0.9,
    }


def test_mmpose_results_with_and_without_meta_and_of_one_image(tmp_path: Path) -> None:
    frames = [{"frame_id": 1, "instances": [instance(5)]}, {"frame_id": 2, "instances": []}]
    for document in ({"meta_info": {}, "instance_info": frames}, frames):
        person = read_person(saved(tmp_path / "r.json", document))
        assert person.skeleton == COCO17
        assert person.frames.tolist() == [1, 2]
        assert person.boxes is not None
        assert person.boxes[0].tolist() == [5, 0, 25, 90]
        assert person.present.sum(axis=1).tolist() == [17, 0]
    assert len(read_person(saved(tmp_path / "image.json", [instance(5)]))) == 1


def test_mmpose_score_zero_is_missing_and_a_score_above_one_is_clipped(tmp_path: Path) -> None:
    document = [{"frame_id": 0, "instances": [instance(5, [0.0, 1.25, *[0.5] * 15])]}]
    person = read_person(saved(tmp_path / "r.json", document))
    assert (person.present[0, 0], person.scores[0, 1]) == (False, 1)
    assert person.source["steps"] == ["clip(scores, from 1.25 to 1)"]


def test_mmpose_in_three_dimensions_is_turned_y_up(tmp_path: Path) -> None:
    points = [[float(joint), 1.0, 2.0] for joint in range(17)]
    document = [{"frame_id": 0, "instances": [{"keypoints": points, "keypoint_scores": [1.0] * 17}]}]
    person = read_person(saved(tmp_path / "r.json", document), skeleton="h36m17")
    assert (person.units, person.skeleton.name) == ("m", "h36m17")
    np.testing.assert_array_equal(person.keypoints[0, 3], [3, 2, -1])


def test_several_people_without_ids_are_linked_by_where_they_are(tmp_path: Path) -> None:
    """Two people walk at their own height, and are listed in another order in every other frame."""
    frames = []
    for number in range(10):
        pair = [instance(5 + 3 * number), instance(300 - 3 * number)]
        frames.append({"frame_id": number, "instances": pair[:: 1 if number % 2 else -1]})
    people = read(saved(tmp_path / "r.json", frames))
    starts = sorted((person.keypoints[0, 0, 0], person.keypoints[-1, 0, 0]) for person in people)
    assert starts == [(5, 32), (300, 273)]
    assert all(isinstance(person, PoseSequence) and person.source["linked"] for person in people)
