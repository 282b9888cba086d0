import signal

import numpy as np
import pytest

from posediff.annotate.drawing.overlay import even, write_overlay
from posediff.annotate.footage.video import open_video
from posediff.errors import BadData, BadSetting, CannotWrite
from posediff.sequence import PoseSequence
from tests.fixtures.sequences import POINT, standing
from tests.fixtures.videos import number_of, numbered, quarters, write_images, write_video


def dot(count, at=(100.0, 80.0), **attributes):
    return PoseSequence(np.broadcast_to(np.array(at), (count, 1, 2)), POINT, **attributes)


def frames_of(path):
    return [*open_video(path).frames()]


def parts(folder):
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("encoder", ["", "mpeg4"])
@pytest.mark.parametrize("fps", [25, 30000 / 1001, 24000 / 1001, 29.97, 60, 12.5])
def test_the_rate_and_the_frames_are_those_of_the_video(tmp_path, fps, encoder):
    video = open_video(write_images(tmp_path / "images", numbered(30)), fps=fps)
    write_overlay(video, [], tmp_path / "out.mp4", encoder=encoder)
    written = open_video(tmp_path / "out.mp4")
    assert written.fps == pytest.approx(fps, rel=1e-6)
    assert [number_of(frame.image) for frame in written.frames()] == list(range(30))


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv", "out.mov"])
def test_the_times_of_a_varying_rate_are_kept(tmp_path, name):
    times = np.array([0, 40, 90, 200, 240, 300, 310, 500]) / 1000
    video = open_video(write_video(tmp_path / "v.mp4", numbered(8), times=times))
    write_overlay(video, [], tmp_path / name)
    written = frames_of(tmp_path / name)
    np.testing.assert_allclose([frame.time for frame in written], times, atol=1e-3)
    assert [number_of(frame.image) for frame in written] == list(range(8))


def test_people_are_drawn_where_they_are(tmp_path):
    video = open_video(write_video(tmp_path / "v.mp4", numbered(5, width=320, height=240)))
    write_overlay(video, [dot(3)], tmp_path / "out.mp4")
    plain, drawn = frames_of(tmp_path / "v.mp4"), frames_of(tmp_path / "out.mp4")
    for index in range(5):
        apart = np.abs(plain[index].image.astype(int) - drawn[index].image).max(axis=2)
        assert (apart[76:85, 96:105].max() > 60) == (index < 3)
        assert apart[140:, 200:].max() < 40


def test_a_turned_video_is_written_upright(tmp_path):
    video = open_video(write_video(tmp_path / "v.mp4", [quarters()] * 3, rotation=90))
    write_overlay(video, [], tmp_path / "out.mp4")
    shown, written = next(video.frames()).image, frames_of(tmp_path / "out.mp4")[0].image
    assert written.shape == shown.shape
    assert np.abs(written.astype(int) - shown).mean() < 12


@pytest.mark.parametrize("size", [(33, 47), (1, 1), (64, 47)])
def test_odd_sizes_are_rounded_up(tmp_path, size):
    width, height = size
    video = open_video(write_images(tmp_path / "images", [quarters(width=width, height=height)] * 2))
    write_overlay(video, [], tmp_path / "out.mp4")
    assert open_video(tmp_path / "out.mp4").size == (width + width % 2, height + height % 2)


def test_rounding_up_repeats_the_edge():
    image = np.random.default_rng(0).integers(0, 256, (3, 5, 3)).astype(np.uint8)
    rounded = even(image)
    np.testing.assert_array_equal(rounded[:3, :5], image)
    np.testing.assert_array_equal(rounded[3, :5], image[2])
    np.testing.assert_array_equal(rounded[:3, 5], image[:, 4])


def test_a_range_is_written_alone_and_from_time_zero(tmp_path):
    video = open_video(f"{write_video(tmp_path / 'v.mp4', numbered(30))}#10:20")
    write_overlay(video, [dot(30)], tmp_path / "out.mp4")
    assert [(frame.index, number_of(frame.image)) for frame in frames_of(tmp_path / "out.mp4")] == [
        (at, at + 10) for at in range(10)
    ]


def test_a_smaller_video_has_the_people_in_their_places(tmp_path):
    video = open_video(write_video(tmp_path / "v.mp4", [np.full((240, 320, 3), 128, np.uint8)] * 2))
    write_overlay(video, [dot(2)], tmp_path / "out.mp4", longest=160)
    image = frames_of(tmp_path / "out.mp4")[0].image.astype(int)
    assert image.shape == (120, 160, 3)
    rows, columns = np.nonzero(np.abs(image - 128).max(axis=2) > 60)
    assert abs(columns.mean() - 50) < 6
    assert abs(rows.mean() - 40) < 12


def test_an_ending_that_is_no_video_s_is_refused(tmp_path):
    video = open_video(write_images(tmp_path / "images", numbered(2)))
    with pytest.raises(BadSetting, match=r"cannot be written as '\.txt'"):
        write_overlay(video, [], tmp_path / "out.txt")


def test_an_unknown_encoder_is_refused(tmp_path):
    video = open_video(write_images(tmp_path / "images", numbered(2)))
    with pytest.raises(BadSetting, match="no encoder 'h266'"):
        write_overlay(video, [], tmp_path / "out.mp4", encoder="h266")


def test_a_failure_in_the_middle_leaves_the_file_that_was_there(tmp_path):
    video = open_video(write_images(tmp_path / "images", numbered(2)))
    (tmp_path / "out.mp4").write_text("older")
    with pytest.raises(BadData, match="dimensions"):
        write_overlay(video, [standing(frames=2, units="m")], tmp_path / "out.mp4")
    assert (tmp_path / "out.mp4").read_text() == "older"
    assert parts(tmp_path) == []


def test_a_folder_in_the_way_is_told(tmp_path):
    video = open_video(write_images(tmp_path / "images", numbered(2)))
    (tmp_path / "out.mp4").mkdir()
    with pytest.raises(CannotWrite, match="a folder of that name exists"):
        write_overlay(video, [], tmp_path / "out.mp4")
    assert parts(tmp_path) == []


def test_a_full_disk_is_told_and_nothing_is_left(tmp_path):
    resource = pytest.importorskip("resource")
    noise = np.random.default_rng(0)
    images = [noise.integers(0, 256, (120, 160, 3)).astype(np.uint8) for _ in range(20)]
    video = open_video(write_images(tmp_path / "images", images))
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
        with pytest.raises(CannotWrite, match=r"out\.mp4: cannot be written"):
            write_overlay(video, [], tmp_path / "out.mp4")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["images"]
