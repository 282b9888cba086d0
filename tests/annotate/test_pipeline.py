import numpy as np
import pytest

import tests.fixtures.engines
from posediff.annotate import pipeline
from posediff.annotate.boxes import write_boxes
from posediff.annotate.footage.video import open_video
from posediff.annotate.pipeline import Engines, estimated, finished, on_skeleton
from posediff.annotate.settings import Settings
from posediff.errors import BadData, BadSetting
from posediff.sequence import PoseSequence, Status
from posediff.skeletons import BLAZEPOSE33, MPII16
from tests.fixtures.engines import PLACES
from tests.fixtures.videos import walker_boxes, walkers, write_images, write_video

COUNT = 16
SETTINGS = {"pose": "places", "detector": "blobs", "rotation": "none"}

engines = tests.fixtures.engines.engines


@pytest.fixture
def walk(engines, tmp_path):
    return open_video(write_images(tmp_path / "walk", walkers(COUNT)))


def joints(person):
    x0, y0, x1, y1 = walker_boxes(COUNT)[person].T[:, :, None]
    return np.stack([x0 + PLACES[:, 0] * (x1 - x0), y0 + PLACES[:, 1] * (y1 - y0)], axis=2)


def poses(video, **chosen):
    settings = Settings(**{**SETTINGS, **chosen})
    return estimated(video, Engines(settings), settings)


def test_both_passes_give_the_joints_of_everybody(walk):
    people = poses(walk, person="all")
    for person in people:
        errors = [np.abs(person.keypoints - joints(one)).max() for one in (0, 1)]
        assert min(errors) < 1
    assert len(people) == 2
    assert people[0].source["pose"] == "places"
    assert people[0].source["detector"] == {"detector": "blobs"}


@pytest.mark.parametrize("every", [0, 3, 1000])
def test_however_rarely_it_is_looked_for_a_person_has_poses_in_all_frames(walk, every):
    (person,) = poses(walk, init_box=",".join(map(str, walker_boxes(COUNT)[1, 0])), detect_every=every)
    np.testing.assert_allclose(person.keypoints, joints(1), atol=1)


def test_a_clip_that_is_shorter_than_the_step_has_poses_in_all_frames(walk, monkeypatch):
    pytest.importorskip("supervision")
    monkeypatch.setattr("tests.fixtures.engines.Blobs.every", 1.0)
    (person,) = poses(walk)
    assert person.present.any(axis=1).all()


def test_boxes_of_a_file_need_no_detector(walk, tmp_path, monkeypatch):
    monkeypatch.setattr(Engines, "detector", property(lambda self: pytest.fail("it was loaded")))
    write_boxes(tmp_path / "boxes.json", [np.r_[box, 0.9][None] for box in walker_boxes(COUNT)[1]])
    (person,) = poses(walk, boxes=str(tmp_path / "boxes.json"))
    np.testing.assert_allclose(person.keypoints, joints(1), atol=1)
    assert "detector" not in person.source


def test_the_automatic_detector_is_that_of_the_pose_back_end(engines):
    assert Engines(Settings(pose="places")).settings.detector == "blobs"
    assert Engines(Settings(pose="places", detector="whole")).settings.detector == "whole"


def test_the_models_are_loaded_once_and_only_if_they_are_needed(engines, tmp_path, monkeypatch):
    marker = tmp_path / "loaded"
    monkeypatch.setenv("POSEDIFF_TEST_LOADED", str(marker))
    models = Engines(Settings(**SETTINGS))
    assert not marker.exists()
    models.load()
    models.load()
    assert marker.read_text() == "loaded\n"


def test_the_progress_grows_from_nothing_to_everything(walk):
    told = []
    settings = Settings(**SETTINGS, person="all", detect_every=5)
    estimated(walk, Engines(settings), settings, lambda done, total: told.append((done, total)))
    assert {total for _, total in told} == {COUNT}
    done = [done for done, _ in told]
    assert done == sorted(done)
    assert done[-1] == COUNT
    assert 0 < done[0] <= COUNT // 2


def test_whatever_is_wrong_names_the_video(engines, tmp_path):
    empty = open_video(write_images(tmp_path / "empty", [np.full((240, 320, 3), 90, np.uint8)] * 4))
    with pytest.raises(BadData, match=r"empty: nobody was found in the 4 frames") as caught:
        poses(empty)
    assert caught.value.hint
    with pytest.raises(BadSetting, match=r"empty: --init-box names frame 9"):
        poses(empty, init_box="1,2,30,40@9")
    with pytest.raises(BadData, match=r"empty: no pose was found in the boxes of the person"):
        poses(empty, init_box="1,2,30,40")


def test_a_truncated_video_gives_the_poses_of_what_is_there(engines, tmp_path):
    from tests.fixtures.videos import truncated

    noise = np.random.default_rng(0).integers(80, 100, (60, 240, 320, 1), np.uint8)
    frames = [np.where(frame == 90, grain, frame) for frame, grain in zip(walkers(60, step=1.0), noise, strict=True)]
    whole = write_video(tmp_path / "whole.mp4", frames, faststart=True, gop=10)
    video = open_video(truncated(whole, 0.5, tmp_path / "half.mp4"))
    people = poses(video, person="all")
    assert 5 < len(people[0]) < 55
    assert any("cut off" in fault for fault in video.faults)


def test_finishing_takes_out_fills_in_and_smooths_as_the_settings_say():
    keypoints = np.tile(np.arange(30.0)[:, None, None], (1, 16, 2))
    scores = np.full((30, 16), 0.9)
    scores[10:13] = 0.1
    person = PoseSequence(keypoints, MPII16, fps=25, scores=scores)
    plain = Settings(cutoff=0, min_score=0.3, fix_swaps=False)
    (one,) = finished([person], plain)
    assert (one.status[10:13] == Status.INTERPOLATED).all()
    np.testing.assert_allclose(one.keypoints, keypoints, atol=1e-4)
    (left,) = finished([person], Settings(cutoff=0, max_gap=0.04, min_score=0.3, fix_swaps=False))
    assert not left.present[10:13].any()
    (kept,) = finished([person], Settings(cutoff=0, min_score=0.05, fix_swaps=False))
    assert (kept.status == Status.MEASURED).all()


def test_joints_that_the_back_end_does_not_have_are_missing():
    keypoints = np.random.default_rng(0).normal(size=(3, 33, 2))
    (person,) = on_skeleton([PoseSequence(keypoints, BLAZEPOSE33, fps=25)], "mpii16")
    assert person.skeleton.name == "mpii16"
    assert not person.present[:, person.skeleton.index("head_top")].any()
    wrist = person.keypoints[:, person.skeleton.index("left_wrist")]
    np.testing.assert_allclose(wrist, keypoints[:, BLAZEPOSE33.index("left_wrist")], atol=1e-6)


@pytest.mark.parametrize(
    ("chosen", "measured"),
    [
        ({"person": "moving"}, True),
        ({"init_box": "10,10,50,50"}, True),
        ({"detect_every": 1}, True),
        ({}, False),
        ({"person": "moving", "camera": False}, False),
        ({"person": "moving", "detector": "whole"}, False),
    ],
)
def test_the_first_pass_measures_the_camera_where_it_matters(walk, monkeypatch, chosen, measured):
    seen = []
    monkeypatch.setattr(pipeline, "detect", lambda *args, **options: seen.append(options["camera"]))
    settings = Settings(**{**SETTINGS, **chosen})
    pipeline.look(walk, Engines(settings), settings)
    assert seen == [measured]


class Seldom(tests.fixtures.engines.Blobs):
    """Looks at every fifth frame only, unless told otherwise."""

    every = 0.2


@pytest.mark.parametrize(("speed", "looks"), [(0.5, 4), (12, 4 + COUNT)])
def test_an_athlete_who_is_too_fast_for_seldom_looks_is_looked_at_in_every_frame(
    engines, tmp_path, monkeypatch, speed, looks
):
    pytest.importorskip("supervision")
    counted = []
    monkeypatch.setattr(Seldom, "detect", lambda self, image: (counted.append(1), super(Seldom, self).detect(image))[1])
    video = open_video(write_images(tmp_path / "run", walkers(COUNT, people=1, step=speed)))
    settings = Settings(**SETTINGS)
    models = Engines(settings)
    models.detector = Seldom()
    tracks, every = pipeline.located(video, models, settings)
    truth = walker_boxes(COUNT, people=1, step=speed)[0]
    assert len(counted) == looks
    assert every == (1 if looks > COUNT else 5)
    rows = np.searchsorted(video.numbers, tracks[0].frames)
    seen = (tracks[0].boxes[:, 4] > 0) & (truth[rows, 2] <= 320)
    np.testing.assert_allclose(tracks[0].boxes[seen, :4], truth[rows][seen], atol=6)


@pytest.mark.parametrize("every", [0, 1000])
def test_at_a_varying_rate_a_person_has_poses_in_all_frames(engines, tmp_path, every):
    pytest.importorskip("supervision")
    times = np.cumsum(np.where(np.arange(COUNT) % 4, 0.02, 0.06))
    video = open_video(write_video(tmp_path / "walk.mkv", walkers(COUNT, people=1), times=times))
    (person,) = poses(video, detect_every=every)
    assert person.frames.tolist() == video.numbers.tolist()
    assert person.present.any(axis=1).all()
