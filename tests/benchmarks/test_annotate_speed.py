from types import SimpleNamespace

import numpy as np
import pytest

from posediff.annotate.batch.run import Summary
from posediff.annotate.batch.tasks import Outcome
from tests.fixtures.benchmarks import load


@pytest.fixture(scope="module")
def benchmark():
    return load("annotate_speed")


def test_a_time_is_kept_for_every_round_and_the_first_can_be_forgotten(benchmark):
    times = benchmark.Times()
    assert [times.measure("sum", lambda value=value: value + 1) for value in range(4)] == [1, 2, 3, 4]
    first, *others = times.wall["sum"]
    times.drop_first()
    assert times.wall["sum"] == others
    assert len(times.cpu["sum"]) == 3
    assert times.medians()["sum"]["wall_s"] == sorted(others)[1]
    assert first >= 0


def test_a_ratio_sums_over_videos_before_it_divides(benchmark):
    rows = [
        {"medians": {"annotate": {"wall_s": ours}, "peer": {"wall_s": theirs}}}
        for ours, theirs in ((3.0, 1.0), (8.0, 10.0))
    ]
    assert benchmark.ratio_to(rows, "peer", "wall_s") == pytest.approx(1.0)


def test_ranges_take_turns_differ_and_lie_within_their_videos(benchmark, tmp_path):
    inputs = benchmark.ranges([tmp_path / "a.mp4", tmp_path / "b.mp4"], [30, 40], 4, 20)
    real = [one for one in inputs if not one.name.startswith(benchmark.WARM)]
    assert [one.location.partition("/a.mp4")[2] or one.location.partition("/b.mp4")[2] for one in real] == [
        "#0:20", "#0:20", f"#{benchmark.SHIFT}:{benchmark.SHIFT + 20}", f"#{benchmark.SHIFT}:{benchmark.SHIFT + 20}",
    ]  # fmt: skip
    assert len({one.location for one in inputs}) == len({one.name for one in inputs}) == 6
    assert inputs[:2] == [one for one in inputs if one.name.startswith(benchmark.WARM)]


def test_videos_that_are_too_short_for_the_ranges_are_refused(benchmark, tmp_path):
    with pytest.raises(benchmark.BadSetting, match=r"a\.mp4"):
        benchmark.ranges([tmp_path / "a.mp4"], [25], 2, 20)


def test_the_time_without_loading_begins_with_the_first_real_video(benchmark, monkeypatch):
    clock = iter([5.0, 6.0, 9.0, 10.0])  # asked at the begin of the two real videos and at their ends
    monkeypatch.setattr(benchmark, "time", SimpleNamespace(perf_counter=lambda: next(clock)))

    def run(jobs, plan, *, on_event, **settings):
        outcomes = [Outcome(name, "", "done") for name in ("warm0", "video0", "video1")]
        for one in outcomes:
            on_event(benchmark.Started(one.name))
        for one in outcomes:
            on_event(benchmark.Finished(one))
        return Summary(tuple(outcomes), 20.0)

    monkeypatch.setattr(benchmark, "run", run)
    assert benchmark.batch([], 2, 0) == {"with_loading": 20.0, "without_loading": 5.0}


def test_a_video_that_failed_is_no_measurement(benchmark, monkeypatch):
    failed = Summary((Outcome("video0", "golf.mp4", "failed", message="broken"),), 1.0)
    monkeypatch.setattr(benchmark, "run", lambda *args, **settings: failed)
    with pytest.raises(benchmark.PosediffError, match=r"golf\.mp4: failed: broken"):
        benchmark.batch([], 1, 0)


def test_cores_are_given_back(benchmark):
    os = benchmark.os
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system cannot pin processes")
    before = os.sched_getaffinity(0)
    with benchmark.on_cores(1):
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
