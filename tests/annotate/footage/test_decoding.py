import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.annotate.footage import decoding
from posediff.annotate.footage.decoding import open_file, turned
from posediff.annotate.footage.video import open_video
from posediff.errors import BadData
from tests.fixtures.videos import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    damaged,
    number_of,
    numbered,
    quarters,
    truncated,
    write_video,
)


def told(video, **options):
    frames = [*video.frames(**options)]
    return [frame.index for frame in frames], [number_of(frame.image) for frame in frames]


def noisy(count):
    """Numbered frames whose every part takes some bytes, so that damage hits what it should."""
    noise = np.random.default_rng(0)
    frames = numbered(count, width=160, height=120)
    return [np.clip(frame + noise.integers(-20, 20, frame.shape), 0, 255).astype(np.uint8) for frame in frames]


def corners(image):
    """The colours of the four quarters: upper left, upper right, lower left, lower right."""
    height, width = image.shape[:2]
    at = [
        (height // 4, width // 4),
        (height // 4, -width // 4),
        (-height // 4, width // 4),
        (-height // 4, -width // 4),
    ]
    named = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE}
    return [min(named, key=lambda name: np.abs(image[y, x].astype(int) - named[name]).sum()) for y, x in at]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("v.mp4", {"b_frames": 3}),
        ("v.mp4", {"codec": "mpeg4"}),
        ("v.mkv", {"b_frames": 2, "audio": True}),
        ("v.avi", {"codec": "mpeg4"}),
        ("v.avi", {"codec": "mjpeg"}),
        ("v.webm", {"codec": "libvpx-vp9"}),
        ("v.ts", {}),
        ("v.h264", {}),
    ],
)
def test_every_container_and_codec_gives_all_frames_with_their_numbers(tmp_path, name, options):
    video = open_file(write_video(tmp_path / name, numbered(40), **options))
    assert told(video) == (list(range(40)), list(range(40)))
    assert video.fps == 25
    assert video.faults == []
    assert video.fps_assumed == (name == "v.h264")


def test_a_lossless_video_comes_back_bit_for_bit(tmp_path):
    frames = [np.random.default_rng(seed).integers(0, 256, (48, 64, 3)).astype(np.uint8) for seed in range(4)]
    video = open_file(write_video(tmp_path / "v.mp4", frames, codec="libx264rgb"))
    for frame, written in zip(video.frames(), frames, strict=True):
        np.testing.assert_array_equal(frame.image, written)


def test_the_rate_of_ntsc_is_exact(tmp_path):
    video = open_file(write_video(tmp_path / "v.mp4", numbered(100), fps=30000 / 1001))
    assert video.fps == 30000 / 1001
    np.testing.assert_allclose(video.times, np.arange(100) * 1001 / 30000, atol=1e-9)


@given(st.lists(st.integers(2, 30), min_size=3, max_size=20))
def test_times_of_a_varying_rate_are_exact_and_numbers_tell_them(tmp_path_factory, intervals):
    times = np.concatenate([[0], np.cumsum(intervals)]) / 100
    path = tmp_path_factory.getbasetemp() / "varying.mp4"
    video = open_file(write_video(path, numbered(len(times)), times=times, b_frames=1))
    frames = [*video.frames()]
    assert [number_of(frame.image) for frame in frames] == list(range(len(times)))
    np.testing.assert_allclose([frame.time for frame in frames], times, atol=1e-6)
    np.testing.assert_allclose(np.array([frame.index for frame in frames]) / video.fps, times, atol=0.51 / video.fps)


def test_dropped_frames_leave_their_numbers_out(tmp_path):
    kept = np.delete(np.arange(30), [4, 5, 17])
    video = open_file(write_video(tmp_path / "v.mp4", [numbered(30)[at] for at in kept], times=kept / 25))
    assert told(video) == (kept.tolist(), kept.tolist())
    assert video.variable
    assert video.fps == 25


def test_a_video_that_starts_late_starts_at_zero(tmp_path):
    video = open_file(write_video(tmp_path / "v.mkv", numbered(10), times=3 + np.arange(10) / 25))
    assert [frame.time for frame in video.frames()] == pytest.approx(np.arange(10) / 25)
    assert video.faults == []


def test_a_given_rate_counts_the_frames_in_order(tmp_path):
    times = np.array([0, 1, 2, 5, 6, 9]) / 25
    video = open_file(write_video(tmp_path / "v.mp4", numbered(6), times=times), fps=100)
    assert told(video) == (list(range(6)), list(range(6)))
    np.testing.assert_allclose(video.times, np.arange(6) / 100)


# A counter-clockwise quarter turn brings the upper right corner to the upper left.
@pytest.mark.parametrize(
    ("degrees", "seen"),
    [
        (0, ["red", "green", "blue", "white"]),
        (90, ["green", "white", "red", "blue"]),
        (180, ["white", "blue", "green", "red"]),
        (270, ["blue", "red", "white", "green"]),
    ],
)
def test_the_picture_is_turned_as_a_player_turns_it(tmp_path, degrees, seen):
    video = open_file(write_video(tmp_path / "v.mp4", [quarters()] * 2, rotation=degrees))
    image = next(video.frames()).image
    assert corners(image) == seen
    assert video.size == image.shape[1::-1] == ((64, 48) if degrees % 180 == 0 else (48, 64))
    assert next(video.frames(longest=32)).image.shape[:2] == ((24, 32) if degrees % 180 == 0 else (32, 24))


# What a telephone held upright writes for its picture, which lies on its side: the matrix in the track header.
def test_a_telephone_s_portrait_video_stands_upright():
    upright = turned(np.rot90(quarters()), np.array([[0, 1], [-1, 0]]))
    np.testing.assert_array_equal(upright, quarters())


@pytest.mark.parametrize("along", [1, -1])
@pytest.mark.parametrize("across", [1, -1])
@pytest.mark.parametrize("swapped", [False, True])
def test_every_display_matrix_moves_pixels_as_the_standard_says(along, across, swapped):
    transform = np.diag([along, across])[:: -1 if swapped else 1]
    image = np.arange(2 * 3 * 3).reshape(2, 3, 3)
    result = turned(image, transform)
    points = np.array([(x, y) for y in range(2) for x in range(3)])
    moved = points @ transform  # x' = a x + c y, y' = b x + d y
    moved -= moved.min(axis=0)
    for (x, y), (to_x, to_y) in zip(points, moved, strict=True):
        np.testing.assert_array_equal(result[to_y, to_x], image[y, x])


@pytest.mark.parametrize("name", ["v.mkv", "v.ts", "v.mp4"])
def test_a_video_that_is_cut_off_gives_what_is_there(tmp_path, name):
    whole = write_video(tmp_path / name, noisy(100), faststart=name == "v.mp4")
    video = open_file(truncated(whole, 0.6, tmp_path / f"cut_{name}"))
    numbers, shown = told(video)
    assert numbers[:-1] == shown[:-1] == list(range(len(numbers) - 1))  # the last one may be damaged
    assert 40 < len(numbers) < 75
    if name != "v.ts":  # which never knows its length
        assert video.faults[0].startswith(f"stopped at frame {numbers[-1]} of about 100: ")


def test_a_file_cut_off_in_front_of_its_index_is_refused(tmp_path):
    whole = write_video(tmp_path / "v.mp4", noisy(30))
    with pytest.raises(BadData, match="is no video that can be read"):
        open_file(truncated(whole, 0.6, tmp_path / "cut.mp4"))


@pytest.mark.parametrize("name", ["v.mp4", "v.mkv", "v.ts"])
def test_damage_costs_frames_but_does_not_shift_the_others(tmp_path, name):
    whole = write_video(tmp_path / name, noisy(100))
    video = open_file(damaged(whole, tmp_path / f"bad_{name}", start=0.4, end=0.45))
    numbers, shown = told(video)
    assert numbers[:30] == list(range(30))
    good = [(number, seen) for number, seen in zip(numbers, shown, strict=True) if number < 35 or number > 95]
    assert all(number == seen for number, seen in good)
    assert video.faults
    again = told(video)
    assert again == (numbers, shown)
    assert len(video.faults) == len(set(video.faults))


def test_the_faults_of_a_range_are_those_within_it(tmp_path):
    whole = write_video(tmp_path / "v.mkv", noisy(60))
    video = open_file(truncated(whole, 0.6, tmp_path / "cut.mkv"))
    keep = video.numbers < 10
    video.numbers, video.times = video.numbers[keep], video.times[keep]
    assert told(video)[0] == list(range(10))
    assert video.faults == []


def test_a_video_of_one_pixel_works(tmp_path):
    video = open_file(write_video(tmp_path / "v.mkv", [np.full((1, 1, 3), 200, np.uint8)] * 3, codec="ffv1"))
    assert [frame.image.tolist() for frame in video.frames()] == [[[[200, 200, 200]]]] * 3
    assert video.size == (1, 1)


def test_a_video_whose_pictures_are_all_broken_is_refused(tmp_path):
    whole = write_video(tmp_path / "v.mp4", noisy(10), faststart=True)
    data = bytearray(whole.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = bytes(len(data) - start)
    (tmp_path / "bad.mp4").write_bytes(bytes(data))
    with pytest.raises(BadData, match="none of its frames can be decoded"):
        open_file(tmp_path / "bad.mp4")


def test_a_consumer_that_stops_early_closes_the_file(tmp_path):
    path = write_video(tmp_path / "v.mp4", numbered(30))
    frames = open_file(path).frames()
    next(frames)
    frames.close()
    assert list(frames) == []


@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.sampled_from(["mp4", "mkv", "ts", "avi"]))
@settings(max_examples=40)
def test_whatever_the_damage_frames_come_in_order_or_the_file_is_refused(films, seed, count, kind):
    noise = np.random.default_rng(seed)
    data = bytearray(films[kind].read_bytes())
    for at in noise.integers(len(data) if seed % 2 else 2000, size=count):
        data[at] = noise.integers(256)
    path = films[kind].with_name(f"damaged.{kind}")
    path.write_bytes(bytes(data))
    try:
        video = open_file(path)
        numbers = [frame.index for frame in video.frames(longest=16)]
    except BadData:
        return
    assert (np.diff(numbers) > 0).all()
    assert len(numbers) == video.count or video.faults


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    names = {"mp4": {"faststart": True, "b_frames": 2}, "mkv": {"audio": True}, "ts": {}, "avi": {"codec": "mpeg4"}}
    return {kind: write_video(folder / f"film.{kind}", noisy(20), **options) for kind, options in names.items()}


@pytest.mark.parametrize("late", [0.0, 0.8, 100.0])
def test_a_container_that_seeks_too_far_is_read_from_its_start(tmp_path, monkeypatch, late):
    def seek(container, stream, seconds):
        container.seek(int((seconds + Fraction(late)) / stream.time_base), stream=stream, any_frame=False)

    monkeypatch.setattr(decoding, "seek", seek)
    path = write_video(tmp_path / "v.mp4", numbered(120), gop=10, b_frames=2)
    assert told(open_video(f"{path}#81:90")) == (list(range(81, 90)), list(range(81, 90)))


def test_what_an_edit_list_hides_is_not_counted(tmp_path):
    # Times below zero make the writer hide the first frames by an edit list.
    path = write_video(tmp_path / "v.mp4", numbered(20), times=np.arange(-6, 14) / 25)
    numbers, shown = told(open_file(path))
    assert numbers == list(range(len(shown)))
    assert shown == list(range(6, 20))


def test_a_picture_whose_size_changes_is_scaled_to_the_first_and_told(tmp_path):
    one = write_video(tmp_path / "one.h264", numbered(4))
    other = write_video(tmp_path / "other.h264", numbered(4, width=128, height=64))
    (tmp_path / "both.h264").write_bytes(one.read_bytes() + other.read_bytes())
    video = open_file(tmp_path / "both.h264")
    frames = [*video.frames()]
    assert {frame.image.shape for frame in frames} == {(48, 64, 3)}
    assert [number_of(frame.image) for frame in frames] == [0, 1, 2, 3, 0, 1, 2, 3]
    assert video.faults == ["the size of the picture changes at frame 4: scaled to that of the first"]


def test_a_video_can_be_sent_to_another_process(tmp_path):
    video = open_file(write_video(tmp_path / "v.mp4", numbered(6)))
    assert told(pickle.loads(pickle.dumps(video))) == told(video)
