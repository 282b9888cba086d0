import hashlib

import numpy as np
import pytest

from posediff.annotate.footage.video import content_hash, image_files, open_video
from posediff.errors import BadData, BadSetting
from tests.fixtures.data import data_root
from tests.fixtures.videos import number_of, numbered, quarters, write_images, write_video


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("film") / "film.mp4", numbered(120), b_frames=2, fps=30)


def told(video, **options):
    """Numbers that the frames have, and those that their pictures show."""
    frames = [*video.frames(**options)]
    return [frame.index for frame in frames], [number_of(frame.image) for frame in frames]


def test_a_folder_and_a_file_of_the_same_pictures_give_the_same_frames(tmp_path, film):
    folder = write_images(tmp_path / "images", numbered(120))
    assert told(open_video(folder, fps=30)) == told(open_video(film)) == (list(range(120)), list(range(120)))


@pytest.mark.parametrize("bounds", [(0, 5), (34, 69), (100, None), (None, 3), (119, 500), (50, 51)])
def test_a_range_keeps_the_numbers_of_the_video(tmp_path, film, bounds):
    low, high = bounds
    text = f"#{'' if low is None else low}:{'' if high is None else high}"
    expected = list(range(120))[low:high]
    folder = write_images(tmp_path / "images", numbered(120))
    for location in (film, folder):
        video = open_video(f"{location}{text}", fps=30)
        assert told(video) == (expected, expected)
        assert (video.start, video.end, video.count) == (expected[0], expected[-1] + 1, len(expected))
        np.testing.assert_allclose(video.times, np.array(expected) / 30, atol=1e-9)


def test_every_pass_starts_anew(film):
    video = open_video(f"{film}#10:20")
    assert told(video) == told(video)


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_steps_count_from_the_start_of_the_range(film, threads):
    assert told(open_video(f"{film}#10:31"), step=7, threads=threads)[1] == [10, 17, 24]


def test_only_the_frames_that_are_asked_for_are_yielded(tmp_path, film):
    folder = write_images(tmp_path / "images", numbered(120))
    for location in (film, folder):
        assert told(open_video(location), only=[3, 90, 500, 41])[1] == [3, 41, 90]


@pytest.mark.parametrize(("longest", "shape"), [(32, (24, 32)), (64, (48, 64)), (1000, (48, 64)), (1, (1, 1))])
def test_pictures_are_scaled_down_but_never_up(tmp_path, film, longest, shape):
    folder = write_images(tmp_path / "images", numbered(2))
    for location in (film, folder):
        image = next(open_video(location).frames(longest=longest)).image
        assert image.shape == (*shape, 3)
        assert image.dtype == np.uint8
        assert image.flags["C_CONTIGUOUS"]


def test_the_time_of_any_number_is_known(tmp_path):
    times = [0.0, 0.04, 0.09, 0.2]
    video = open_video(write_video(tmp_path / "v.mp4", numbered(4), times=times))
    assert [video.time_of(number) for number in video.numbers] == pytest.approx(times)
    assert video.time_of(int(video.end) + 10) == pytest.approx((video.end + 10) / video.fps)


def test_a_range_without_frames_is_refused_with_those_that_there_are(film):
    with pytest.raises(BadData, match="no frame lies in 200:300; there are 0 to 119"):
        open_video(f"{film}#200:300")


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(BadData, match="no such file or folder"):
        open_video(tmp_path / "absent.mp4")


@pytest.mark.parametrize("name", ["picture.png", "picture.JPG"])
def test_a_single_image_is_refused(tmp_path, name):
    write_images(tmp_path, [quarters()], name=name)
    with pytest.raises(BadData, match="is a single image"):
        open_video(tmp_path / name)


@pytest.mark.parametrize("fps", [0, -25, float("nan"), float("inf")])
def test_an_absurd_rate_is_refused(film, fps):
    with pytest.raises(BadSetting, match="fps is"):
        open_video(film, fps=fps)


@pytest.mark.parametrize("options", [{"step": 0}, {"longest": 0}, {"threads": -1}])
def test_absurd_settings_are_refused_before_anything_is_decoded(film, options):
    with pytest.raises(BadSetting, match="is"):
        open_video(film).frames(**options)


def test_the_hash_of_a_file_is_that_of_its_bytes(film):
    assert content_hash(film) == hashlib.sha256(film.read_bytes()).hexdigest()


def test_the_hash_changes_with_the_range_and_with_any_image_or_name(tmp_path, film):
    hashes = [content_hash(film), content_hash(f"{film}#0:10"), content_hash(f"{film}#0:11")]
    folder = write_images(tmp_path / "images", numbered(3))
    hashes.append(content_hash(folder))
    (folder / "notes.txt").write_text("not an image")
    assert content_hash(folder) == hashes[-1]
    (folder / "frame_002.png").rename(folder / "frame_003.png")
    hashes.append(content_hash(folder))
    write_images(folder, numbered(1, width=32))
    hashes.append(content_hash(folder))
    assert len(set(hashes)) == len(hashes)


def test_a_hash_of_nothing_is_refused(tmp_path):
    with pytest.raises(BadData, match="no such file"):
        content_hash(tmp_path / "absent.mp4")


def test_images_are_sorted_by_the_numbers_in_their_names(tmp_path):
    for name in ["a10.png", "a9.jpg", "a1.PNG", "b2.webp", ".hidden.png", "a2.txt", "2.bmp"]:
        (tmp_path / name).touch()
    assert [path.name for path in image_files(tmp_path)] == ["2.bmp", "a1.PNG", "a9.jpg", "a10.png", "b2.webp"]


@pytest.mark.parametrize(
    ("name", "count", "size", "fps"),
    [("golf_swing.mp4", 264, (354, 492), 29.97), ("tennis_serve.mp4", 375, (1280, 720), 25.0)],
)
def test_real_videos_have_their_known_frames(name, count, size, fps):
    video = open_video(data_root("video", name))
    assert (video.count, video.size) == (count, size)
    assert video.fps == pytest.approx(fps, abs=1e-3)
    assert sum(1 for _ in video.frames(step=1, longest=64)) == count
    assert video.faults == []


def test_the_real_dives_are_a_folder_of_69_numbered_images():
    video = open_video(data_root("finediving", "pose_examples", "images"))
    assert (video.start, video.end, video.count, video.size) == (0, 69, 69, (455, 256))
    assert video.fps_assumed
