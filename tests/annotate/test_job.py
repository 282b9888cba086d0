import json
import shutil

import numpy as np
import pytest

import tests.fixtures.engines
from posediff import Status, read_person
from posediff.annotate.batch.inputs import expand
from posediff.annotate.batch.run import run
from posediff.annotate.job import Plan, boxes_of, corrections_of
from posediff.annotate.outputs import Wanted, path_of
from posediff.annotate.raw import read_raw
from posediff.annotate.settings import Settings
from posediff.errors import BadData, BadSetting, MissingDependency
from tests.fixtures.engines import PLACES
from tests.fixtures.videos import walker_boxes, walkers, write_video

COUNT = 16

engines = tests.fixtures.engines.engines


@pytest.fixture
def walk(tmp_path):
    (tmp_path / "in").mkdir()
    return write_video(tmp_path / "in" / "walk.mp4", walkers(COUNT, people=1))


def settings_with(**others):
    return Settings(**{"pose": "places", "detector": "blobs", "cutoff": 0, **others})


def annotate(folder, out, settings=None, wanted=None, **options):
    inputs = expand([str(folder)])
    plan = Plan(
        settings or settings_with(),
        wanted or Wanted(),
        boxes=boxes_of(options.pop("boxes"), inputs) if "boxes" in options else {},
        corrections=corrections_of(options.pop("corrections"), inputs) if "corrections" in options else {},
    )
    return run(plan.jobs(inputs), plan, out=out, **options)


def truth(rows):
    x0, y0, x1, y1 = walker_boxes(COUNT, people=1)[0][rows].T[:, :, None]
    return np.stack([x0 + PLACES[:, 0] * (x1 - x0), y0 + PLACES[:, 1] * (y1 - y0)], axis=2)


def test_a_video_becomes_a_skeleton_file(engines, walk, tmp_path):
    summary = annotate(walk, tmp_path / "out")
    person = read_person(tmp_path / "out" / "walk.json")
    assert summary.exit_code == 0
    np.testing.assert_allclose(person.keypoints, truth(range(COUNT)), atol=2)
    assert person.fps == 25
    assert person.image_size == (320, 240)
    assert summary.outcomes[0].quality["people"][0]["coverage"] == 1
    assert person.source["settings"]["pose"] == "places"


def test_everything_that_can_be_written_is(engines, walk, tmp_path):
    out = tmp_path / "out"
    formats = ("native", "finediving-pose", "hp-mcore", "coco", "labelme")
    summary = annotate(walk, out, wanted=Wanted(formats, overlay=True, contact_sheet=True, check=3))
    assert summary.exit_code == 0, summary.outcomes[0].message
    native = read_person(out / "walk.json")
    for name in ("walk.finediving-pose.json", "Pose/walk/pred_comp_0.npz", "walk.coco.json", "walk.labelme"):
        np.testing.assert_allclose(read_person(out / name).keypoints, native.keypoints, atol=1e-3)
    assert len([*(out / "walk.labelme").glob("*.jpg")]) == COUNT
    assert len([*(out / "walk.check").glob("*.json")]) == len([*(out / "walk.check").glob("*.jpg")]) == 3
    assert (out / "walk.png").read_bytes().startswith(b"\x89PNG")
    assert (out / "walk.overlay.mp4").stat().st_size > 1000


def test_smoothing_anew_estimates_nothing_anew(engines, walk, tmp_path, monkeypatch):
    out = tmp_path / "out"
    annotate(walk, out)
    monkeypatch.setattr("tests.fixtures.engines.Places.estimate", None)
    summary = annotate(walk, out, settings_with(cutoff=2.0))
    assert summary.outcomes[0].state == "done"
    assert any("smooth" in step for step in read_person(out / "walk.json").source["steps"])


def test_a_damaged_file_of_raw_poses_is_made_again(engines, walk, tmp_path):
    out = tmp_path / "out"
    annotate(walk, out)
    (raw,) = (out / "raw").glob("*.npz")
    raw.write_bytes(raw.read_bytes()[:200])
    assert annotate(walk, out, settings_with(cutoff=2.0)).exit_code == 0
    assert read_raw(raw)


def test_corrected_frames_are_verified_and_the_frames_between_follow(engines, walk, tmp_path):
    out = tmp_path / "out"
    annotate(walk, out, wanted=Wanted(("native", "labelme")))
    label = out / "walk.labelme" / "00000007.json"
    document = json.loads(label.read_text())
    for shape in document["shapes"]:
        if shape["label"] == "right_wrist":
            shape["points"] = [[1.0, 2.0]]
    label.write_text(json.dumps(document))
    before = label.read_bytes()

    summary = annotate(walk, out, wanted=Wanted(("native", "labelme")), corrections=out)
    person = read_person(out / "walk.json")
    wrist = person.skeleton.index("right_wrist")
    assert summary.exit_code == 0
    assert person.keypoints[7, wrist].tolist() == [1, 2]
    assert person.status[7, wrist] == Status.VERIFIED
    assert (person.status == Status.VERIFIED).sum() == 1
    assert label.read_bytes() == before
    assert any("left as it is" in fault for fault in summary.outcomes[0].faults)


def test_corrections_of_no_video_are_told(tmp_path, walk):
    with pytest.raises(BadData, match="no corrected frames"):
        corrections_of(tmp_path, expand([str(walk)]))


def test_every_video_has_its_boxes_file(engines, tmp_path):
    from posediff.annotate.boxes import write_boxes

    videos, boxes = tmp_path / "in", tmp_path / "boxes"
    videos.mkdir()
    for name, person in (("a", 0), ("b", 1)):
        write_video(videos / f"{name}.mp4", walkers(COUNT))
        truth = walker_boxes(COUNT)[person]
        write_boxes(boxes / f"{name}.json", [np.array([[*box, 0.9]]) for box in truth])
    summary = annotate(videos, tmp_path / "out", boxes=boxes)
    assert summary.exit_code == 0
    first, second = (read_person(tmp_path / "out" / f"{name}.json") for name in "ab")
    np.testing.assert_allclose(
        first.keypoints[:, :, 0].mean(axis=1), walker_boxes(COUNT)[0][:, [0, 2]].mean(axis=1), atol=2
    )
    np.testing.assert_allclose(
        second.keypoints[:, :, 0].mean(axis=1), walker_boxes(COUNT)[1][:, [0, 2]].mean(axis=1), atol=2
    )


def test_boxes_that_are_missing_are_named(tmp_path, walk):
    shutil.copy(walk, walk.with_name("other.mp4"))
    inputs = expand([str(walk.parent)])
    (tmp_path / "boxes").mkdir()
    with pytest.raises(BadData, match=r"other\.json.*walk\.json"):
        boxes_of(tmp_path / "boxes", inputs)
    with pytest.raises(BadSetting, match="2 videos"):
        boxes_of(tmp_path / "boxes.json", inputs)


def test_an_empty_video_is_that_video_s_fault(engines, walk, tmp_path):
    write_video(walk.with_name("empty.mp4"), [np.full((64, 64, 3), 90, np.uint8)] * 5)
    walk.with_name("broken.mp4").write_bytes(b"no video at all")
    summary = annotate(walk.parent, tmp_path / "out")
    found = {outcome.name: outcome for outcome in summary.outcomes}
    assert summary.exit_code == 4
    assert found["walk"].state == "done"
    assert found["empty"].code == found["broken"].code == 3
    assert "nobody was found in the 5 frames" in found["empty"].message
    assert not (tmp_path / "out" / "empty.json").exists()


def test_a_person_who_leaves_is_told(engines, tmp_path):
    frames = walkers(40, people=1)[:20] + [np.full((240, 320, 3), 90, np.uint8)] * 60
    summary = annotate(write_video(tmp_path / "leave.mp4", frames), tmp_path / "out")
    assert any("lost after frame" in fault for fault in summary.outcomes[0].faults)


def test_a_back_end_that_is_missing_ends_the_batch_before_it_begins(monkeypatch, walk, tmp_path):
    def make(settings):
        raise MissingDependency("nothing", "annotate", "this")

    monkeypatch.setattr("posediff.annotate.estimators.load", make)
    with pytest.raises(MissingDependency):
        annotate(walk, tmp_path / "out", Settings(pose="rtmlib", detector="whole"))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("01/7", "Pose/01/pred_comp_7.npz"),
        ("fina/men/7", "Pose/fina/men/pred_comp_7.npz"),
        ("dive", "Pose/dive/pred_comp_0.npz"),
    ],
)
def test_clips_of_hp_mcore_are_called_by_competition_and_number(name, path):
    assert path_of("hp-mcore", name) == path


def test_two_videos_of_one_file_are_refused(tmp_path):
    for name in ("a.mp4", "a/0.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    plan = Plan(Settings(), Wanted(("hp-mcore",)))
    with pytest.raises(BadSetting, match=r"Pose/a/pred_comp_0"):
        plan.jobs(expand([str(tmp_path)]))
