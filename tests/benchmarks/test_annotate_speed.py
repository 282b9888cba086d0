from types import SimpleNamespace

import numpy as np
import pytest

from posediff.annotate.batch.run import Summary
from posediff.annotate.batch.tasks import Outcome
from posediff.annotate.settings import Settings
from tests.fixtures.benchmarks import load


@pytest.fixture(scope="module")
def overhead():
    return load("annotate_speed_overhead")


@pytest.fixture(scope="module")
def workers():
    return load("annotate_speed_workers")


class Model:
    """An engine that answers with how often it was asked."""

    skeleton = "blazepose33"

    def detect(self, image):
        return "boxes"

    def estimate(self, image, boxes, angles):
        return f"{len(boxes)} poses"


def test_a_time_is_kept_for_every_round_and_the_first_can_be_forgotten(overhead):
    times = overhead.Times()
    assert [times.measure("sum", lambda value=value: value + 1) for value in range(4)] == [1, 2, 3, 4]
    first, *others = times.wall["sum"]
    times.drop_first()
    assert times.wall["sum"] == others
    assert len(times.cpu["sum"]) == 3
    assert times.medians()["sum"]["wall_s"] == sorted(others)[1]
    assert first >= 0


def test_a_ratio_sums_over_videos_before_it_divides(overhead):
    rows = [
        {"medians": {"annotate": {"wall_s": ours}, "peer": {"wall_s": theirs}}}
        for ours, theirs in ((3.0, 1.0), (8.0, 10.0))
    ]
    assert overhead.ratio_to(rows, "peer", "wall_s") == pytest.approx(1.0)


def test_the_boxes_that_an_estimator_is_given_are_counted_and_the_pictures_of_a_detector(overhead):
    estimator, detector = overhead.Counted(Model()), overhead.Counted(Model())
    assert [estimator.estimate(None, np.zeros((count, 4)), np.zeros(count)) for count in (1, 3)] == [
        "1 poses",
        "3 poses",
    ]
    assert detector.detect(None) == "boxes"
    assert (estimator.count, detector.count, estimator.skeleton) == (4, 1, "blazepose33")
    assert not hasattr(estimator, "appraise")


def test_ranges_take_turns_differ_and_lie_within_their_videos(workers, tmp_path):
    inputs = workers.ranges([tmp_path / "a.mp4", tmp_path / "b.mp4"], [30, 40], 4, 20)
    real = [one for one in inputs if not one.name.startswith(workers.WARM)]
    assert [one.location.partition("/a.mp4")[2] or one.location.partition("/b.mp4")[2] for one in real] == [
        "#0:20", "#0:20", f"#{workers.SHIFT}:{workers.SHIFT + 20}", f"#{workers.SHIFT}:{workers.SHIFT + 20}",
    ]  # fmt: skip
    assert len({one.location for one in inputs}) == len({one.name for one in inputs}) == 6
    assert inputs[:2] == [one for one in inputs if one.name.startswith(workers.WARM)]


def test_videos_that_are_too_short_for_the_ranges_are_refused(workers, tmp_path):
    with pytest.raises(workers.BadSetting, match=r"a\.mp4"):
        workers.ranges([tmp_path / "a.mp4"], [25], 2, 20)


def test_the_time_without_loading_begins_with_the_first_real_video(workers, monkeypatch):
    clock = iter([5.0, 6.0, 9.0, 10.0])  # asked at the begin of the two real videos and at their ends
    monkeypatch.setattr(workers, "time", SimpleNamespace(perf_counter=lambda: next(clock)))

    def run(jobs, plan, *, on_event, **settings):
        outcomes = [Outcome(name, "", "done") for name in ("warm0", "video0", "video1")]
        for one in outcomes:
            on_event(workers.Started(one.name))
        for one in outcomes:
            on_event(workers.Finished(one))
        return Summary(tuple(outcomes), 20.0)

    monkeypatch.setattr(workers, "run", run)
    assert workers.batch([], Settings(), 2, 0) == {"with_loading": 20.0, "without_loading": 5.0}


def test_a_video_that_failed_is_no_measurement(workers, monkeypatch):
    failed = Summary((Outcome("video0", "golf.mp4", "failed", message="broken"),), 1.0)
    monkeypatch.setattr(workers, "run", lambda *args, **settings: failed)
    with pytest.raises(workers.PosediffError, match=r"golf\.mp4: failed: broken"):
        workers.batch([], Settings(), 1, 0)


def test_cores_are_given_back(workers):
    os = workers.os
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system cannot pin processes")
    before = os.sched_getaffinity(0)
    with workers.on_cores(1):
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before


def test_the_engine_that_costs_nothing_keeps_to_its_box():
    still = load("annotate_speed_memory").Still()
    box = still.detect(np.zeros((100, 200, 3), np.uint8))[:, :4]
    poses = still.estimate(np.zeros((100, 200, 3), np.uint8), np.concatenate([box, box + 7]), np.zeros(2))
    assert poses.keypoints.shape == (2, 33, 2)
    for keypoints, (x0, y0, x1, y1) in zip(poses.keypoints, [*box, *(box + 7)], strict=True):
        assert ((keypoints >= [x0, y0]) & (keypoints <= [x1, y1])).all()


def test_the_synthetic_video_has_as_many_frames_as_it_is_told_to_and_is_annotated_in_full(tmp_path):
    av = pytest.importorskip("av")
    memory = load("annotate_speed_memory")
    memory.write_video(tmp_path / "video.mp4", 12)
    with av.open(str(tmp_path / "video.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 12
    assert frames[0].shape == (memory.SIZE[1], memory.SIZE[0], 3)
    assert memory.peak(tmp_path / "video.mp4") > sum(frame.nbytes for frame in frames)
