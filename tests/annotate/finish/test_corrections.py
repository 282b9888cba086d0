import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.annotate.finish.corrections import MOVED, correct, merge, read_corrections
from posediff.annotate.finish.finish import finish
from posediff.errors import BadData
from posediff.io import read_person, write
from posediff.sequence import PoseSequence, Status
from posediff.skeletons import COCO17, MPII16
from tests.fixtures.files import saved
from tests.fixtures.sequences import standing, with_missing, with_noise

KNEE = MPII16.index("left_knee")


def estimates(frames: int = 12, person: int = 0, **attributes: Any) -> PoseSequence:
    """Raw estimates of a body that stands, the torso 100 px long."""
    still = standing(frames=frames, dimensions=2, fps=25, person=person)
    placed = still.replace(keypoints=still.keypoints * 100 + 300 + 400 * person)
    boxes = np.tile([200.0, 100, 400, 500], (frames, 1))
    noisy = with_noise(placed, 1.0).replace(scores=np.full((frames, 16), 0.8), boxes=boxes, image_size=(1280, 720))
    return noisy.replace(**attributes)


def exported(folder: Path, *people: PoseSequence) -> Path:
    """The finished annotation as a folder of LabelMe files."""
    write(folder / "labels", [finish(person) for person in people], format="labelme")
    return folder / "labels"


def edit(folder: Path, frame: int, change: Callable[[dict[str, Any]], None]) -> None:
    """Edit one file as LabelMe would: what it does not know stays."""
    path = folder / f"{frame:08d}.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document, indent=2))


def shape(document: dict[str, Any], label: str, person: int = 0) -> dict[str, Any]:
    return next(one for one in document["shapes"] if (one["label"], one["group_id"]) == (label, person))


def move(label: str, to: list[float], person: int = 0) -> Callable[[dict[str, Any]], None]:
    return lambda document: shape(document, label, person).update(points=[to])


def delete(label: str) -> Callable[[dict[str, Any]], None]:
    return lambda document: document["shapes"].remove(shape(document, label))


def approve(document: dict[str, Any]) -> None:
    document["flags"]["verified"] = True


def test_a_folder_that_nobody_touched_changes_nothing(tmp_path: Path) -> None:
    raw = with_missing(estimates(), [4, 5], ["left_knee"])
    assert read_corrections(exported(tmp_path, raw), MPII16) == []
    assert correct([raw], exported(tmp_path / "again", raw)) == [raw]


def test_a_point_that_was_moved_replaces_the_estimate_and_no_other(tmp_path: Path) -> None:
    raw = estimates()
    folder = exported(tmp_path, raw)
    edit(folder, 5, move("left_knee", [321.5, 400.25]))
    (person,) = correct([raw], folder)
    assert person.keypoints[5, KNEE].tolist() == [321.5, 400.25]
    assert (person.status[5, KNEE], person.scores[5, KNEE]) == (Status.VERIFIED, 1)
    others = np.ones((12, 16), bool)
    others[5, KNEE] = False
    np.testing.assert_array_equal(person.keypoints[others], raw.keypoints[others])
    np.testing.assert_array_equal(person.status[others], raw.status[others])
    assert person.source["steps"][-1] == "merge(corrections): 1 keypoints in 1 frames"


@given(distance=st.floats(0, 0.1))
@settings(max_examples=20, deadline=None)
def test_a_point_counts_as_moved_from_a_hundredth_of_a_pixel_on(
    distance: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    raw = estimates(frames=2)
    folder = exported(tmp_path_factory.mktemp("moved"), raw)
    document = json.loads((folder / "00000001.json").read_text())
    x, y = shape(document, "left_knee")["points"][0]
    edit(folder, 1, move("left_knee", [x + distance, y]))
    moved = abs(x + distance - x) > MOVED
    assert [one.changed.sum() for one in read_corrections(folder, MPII16)] == [1] * moved


def test_a_point_that_was_only_flagged_keeps_the_place_that_was_seen(tmp_path: Path) -> None:
    raw = estimates()
    folder = exported(tmp_path, raw)
    edit(folder, 5, lambda document: shape(document, "left_knee")["flags"].update(verified=True))
    (person,) = correct([raw], folder)
    np.testing.assert_allclose(person.keypoints[5, KNEE], finish(raw).keypoints[5, KNEE])
    assert (person.status == Status.VERIFIED).sum() == 1


def test_interpolation_respects_a_correction(tmp_path: Path) -> None:
    raw = with_missing(estimates(), [3, 4, 5, 6, 7], ["left_knee"])
    folder = exported(tmp_path, raw)
    edit(folder, 5, move("left_knee", [500.0, 100.0]))
    done = finish(correct([raw], folder)[0])
    assert done.keypoints[5, KNEE].tolist() == [500, 100]
    assert done.status[3:8, KNEE].tolist() == [2, 2, 3, 2, 2]
    assert 400 < done.keypoints[4, KNEE, 0] < 500


def test_a_point_that_was_deleted_is_filled_again_from_its_neighbours(tmp_path: Path) -> None:
    raw = estimates()
    keypoints = raw.keypoints.copy()
    keypoints[5, KNEE] += 40
    raw = raw.replace(keypoints=keypoints)
    folder = exported(tmp_path, raw)
    edit(folder, 5, delete("left_knee"))
    (person,) = correct([raw], folder)
    assert not person.present[5, KNEE]
    done = finish(person, smooth="none")
    assert done.status[5, KNEE] == Status.INTERPOLATED
    np.testing.assert_allclose(done.keypoints[5, KNEE], raw.keypoints[[4, 6], KNEE].mean(axis=0), rtol=1e-6)


def test_in_an_approved_image_everything_is_as_it_was_left(tmp_path: Path) -> None:
    raw = estimates()
    folder = exported(tmp_path, raw)
    edit(folder, 5, delete("left_knee"))
    edit(folder, 5, approve)
    done = finish(correct([raw], folder)[0])
    assert done.status[5].tolist() == [Status.MISSING if joint == KNEE else Status.VERIFIED for joint in range(16)]
    np.testing.assert_array_equal(np.delete(done.keypoints[5], KNEE, 0), np.delete(finish(raw).keypoints[5], KNEE, 0))
    assert done.status[[4, 6], KNEE].tolist() == [Status.MEASURED] * 2


def test_correcting_twice_is_correcting_once_and_corrections_survive_a_new_export(tmp_path: Path) -> None:
    raw = estimates()
    folder = exported(tmp_path, raw)
    edit(folder, 3, move("left_wrist", [10.0, 20.0]))
    edit(folder, 5, delete("left_knee"))
    edit(folder, 5, approve)
    (once,) = correct([raw], folder)
    (twice,) = correct([once], folder)
    np.testing.assert_array_equal(twice.keypoints, once.keypoints)
    np.testing.assert_array_equal(twice.status, once.status)
    (again,) = correct([raw], exported(tmp_path / "again", once))
    assert finish(again).source["verified_frames"] == [5]
    np.testing.assert_array_equal(finish(again).status, finish(once).status)
    np.testing.assert_array_equal(again.keypoints[again.status == 3], once.keypoints[once.status == 3])


def test_a_person_drawn_in_a_frame_without_him_is_added(tmp_path: Path) -> None:
    raw = estimates().select(slice(2, 8))
    folder = exported(tmp_path, raw)
    point = {"label": "left_knee", "points": [[7.0, 8.0]], "group_id": None, "shape_type": "point", "flags": {}}
    saved(folder / "00000011.json", {"version": "5.0.1", "flags": {}, "shapes": [point]})
    (person,) = correct([raw], folder)
    assert person.frames.tolist() == [2, 3, 4, 5, 6, 7, 11]
    assert person.keypoints[-1, KNEE].tolist() == [7, 8]
    assert person.present[-1].sum() == 1


def test_boxes_that_were_moved_drawn_or_deleted_are_taken(tmp_path: Path) -> None:
    raw = estimates()
    boxes = np.array(raw.boxes)
    boxes[3] = np.nan
    raw = raw.replace(boxes=boxes)
    folder = exported(tmp_path, raw)
    edit(folder, 5, lambda document: shape(document, "person").update(points=[[50, 60], [10, 20]]))
    edit(folder, 6, delete("person"))
    drawn = {"label": "person", "points": [[1, 2], [3, 4]], "group_id": 0, "shape_type": "rectangle"}
    edit(folder, 3, lambda document: document["shapes"].append(drawn))
    (person,) = correct([raw], folder)
    assert person.boxes is not None
    assert person.boxes[[3, 5]].tolist() == [[1, 2, 3, 4], [10, 20, 50, 60]]
    assert np.isnan(person.boxes[6]).all()
    np.testing.assert_array_equal(person.boxes[7:], raw.boxes[7:])


def test_each_of_several_people_gets_his_own_and_a_new_one_is_made(tmp_path: Path) -> None:
    first, second = estimates(), estimates(person=1)
    folder = exported(tmp_path, first, second)
    edit(folder, 5, move("left_knee", [1.0, 2.0], person=1))
    point = {"label": "head_top", "points": [[7.0, 8.0]], "group_id": 9, "shape_type": "point", "flags": {}}
    edit(folder, 6, lambda document: document["shapes"].append(point))
    people = correct([first, second], folder)
    assert [person.person for person in people] == [0, 1, 9]
    assert people[0] == first
    assert people[1].keypoints[5, KNEE].tolist() == [1, 2]
    assert (people[2].frames.tolist(), people[2].fps, people[2].present.sum()) == ([6], 25, 1)


def test_every_point_of_files_from_elsewhere_counts(tmp_path: Path) -> None:
    raw = estimates()
    point = {"label": "l_knee", "points": [[7.0, 8.0]], "group_id": None, "shape_type": "point", "flags": {}}
    saved(tmp_path / "l" / "dive_5.json", {"shapes": [point]})
    (person,) = correct([raw], tmp_path / "l")
    assert person.keypoints[5, KNEE].tolist() == [7, 8]
    assert (person.status == Status.VERIFIED).sum() == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: shape(d, "left_knee").update(label="left_nee"), "00000005.json: the label 'left_nee' is no joint"),
        (lambda d: d["shapes"].append(shape(d, "left_knee")), "00000005.json: .*left_knee of person 0 .*second time"),
        (lambda d: shape(d, "left_knee").update(points=[[1.0]]), "00000005.json: points of left_knee"),
        (lambda d: d.pop("shapes"), "00000005.json: shapes is missing"),
    ],
)
def test_what_cannot_be_understood_is_told_with_its_file(change: Any, said: str, tmp_path: Path) -> None:
    folder = exported(tmp_path, estimates())
    edit(folder, 5, change)
    with pytest.raises(BadData, match=said):
        read_corrections(folder, MPII16)


def test_a_point_without_person_among_several_is_told(tmp_path: Path) -> None:
    folder = exported(tmp_path, estimates(), estimates(person=4))
    edit(folder, 5, lambda document: shape(document, "left_knee", 4).update(group_id=None))
    with pytest.raises(BadData, match=r"00000005.json: .*\(left_knee\) has no group_id, .* 0, 4"):
        read_corrections(folder, MPII16)


def test_frames_outside_the_video_are_told(tmp_path: Path) -> None:
    folder = exported(tmp_path, estimates())
    assert read_corrections(folder, MPII16, within=range(12)) == []
    with pytest.raises(BadData, match=r"00000011\.json: the video has no frame 11, its frames are 0 to 10"):
        read_corrections(folder, MPII16, within=range(11))


def test_another_skeleton_is_told(tmp_path: Path) -> None:
    folder = exported(tmp_path, estimates())
    with pytest.raises(BadData, match="the skeleton is mpii16, that of the video coco17"):
        read_corrections(folder, COCO17)


def test_what_does_not_belong_together_is_not_merged(tmp_path: Path) -> None:
    folder = exported(tmp_path, estimates())
    edit(folder, 5, move("left_knee", [1.0, 2.0]))
    (found,) = read_corrections(folder, MPII16)
    with pytest.raises(BadData, match="person 0, the estimates of 3"):
        merge(estimates(person=3), found)
    with pytest.raises(BadData, match="mpii16, the estimates of coco17"):
        merge(estimates().convert(COCO17, allow_missing=True), found)
    with pytest.raises(BadData, match="in 3D"):
        merge(standing(frames=3), found)


def test_a_folder_without_labels_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="holds no LabelMe files"):
        read_corrections(tmp_path, MPII16)
    with pytest.raises(BadData, match="nobody to correct"):
        correct([], tmp_path)


def test_the_raw_estimates_can_be_kept_in_a_native_file(tmp_path: Path) -> None:
    raw = estimates()
    write(tmp_path / "raw.json", raw)
    folder = exported(tmp_path, raw)
    edit(folder, 5, move("left_knee", [1.0, 2.0]))
    edit(folder, 6, approve)
    (kept,) = correct([read_person(tmp_path / "raw.json")], folder)
    (direct,) = correct([raw], folder)
    np.testing.assert_array_equal(finish(kept).keypoints, finish(direct).keypoints)
    np.testing.assert_array_equal(finish(kept).status, finish(direct).status)


def test_the_frames_of_a_video_of_another_size_are_refused(tmp_path: Path) -> None:
    folder = exported(tmp_path, estimates())
    edit(folder, 3, move("left_knee", [1, 2]))
    with pytest.raises(BadData, match="1280 x 720 pixels large, the video 640 x 360"):
        correct([estimates(image_size=(640, 360))], folder)
    (person,) = correct([estimates(image_size=None)], folder)
    assert person.keypoints[3, KNEE].tolist() == [1, 2]
