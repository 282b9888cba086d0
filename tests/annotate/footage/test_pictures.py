import sys

import numpy as np
import pytest

from posediff.annotate.footage.pictures import open_folder, read_image
from posediff.errors import BadData, MissingDependency
from tests.fixtures.videos import number_of, numbered, quarters, write_images


def test_the_number_in_a_name_is_the_frame_number(tmp_path):
    folder = write_images(tmp_path, numbered(12), start=95, name="dive_{}.png")
    video = open_folder(folder)
    assert [(frame.index, number_of(frame.image)) for frame in video.frames()] == [(95 + at, at) for at in range(12)]
    assert (video.start, video.end, video.size) == (95, 107, (64, 48))


def test_pictures_are_read_as_they_are(tmp_path):
    truth = np.random.default_rng(0).integers(0, 256, (7, 5, 3)).astype(np.uint8)
    write_images(tmp_path, [truth], name="a0.png")
    write_images(tmp_path, [truth], name="a1.bmp", start=1)
    for frame in open_folder(tmp_path).frames():
        np.testing.assert_array_equal(frame.image, truth)


def test_the_rate_is_assumed_where_it_is_not_given(tmp_path):
    folder = write_images(tmp_path, numbered(3), start=10)
    assumed, given = open_folder(folder), open_folder(folder, 50)
    assert (assumed.fps, assumed.fps_assumed) == (25, True)
    assert (given.fps, given.fps_assumed) == (50, False)
    assert [frame.time for frame in given.frames()] == pytest.approx([0.2, 0.22, 0.24])


def test_steps_are_taken(tmp_path):
    assert [frame.index for frame in open_folder(write_images(tmp_path, numbered(10))).frames(step=4)] == [0, 4, 8]


def test_names_without_numbers_are_counted_and_other_files_passed_over(tmp_path):
    for at, name in enumerate(["first.png", "second.png", "third.png"]):
        write_images(tmp_path, [numbered(3)[at]], name=name)
    (tmp_path / "annotations.json").write_text("{}")
    (tmp_path / "._first.png").write_bytes(b"\0")
    assert [number_of(frame.image) for frame in open_folder(tmp_path).frames()] == [0, 1, 2]


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_camera_s_note_of_its_position_is_followed(tmp_path, orientation):
    image = pytest.importorskip("PIL.Image")
    # EXIF: 3 is to be turned by 180 degrees, 6 clockwise and 8 counter-clockwise by 90.
    stored = np.rot90(quarters(), {1: 0, 3: 2, 6: 1, 8: -1}[orientation])
    exif = image.Exif()
    exif[0x0112] = orientation
    image.fromarray(np.ascontiguousarray(stored)).save(tmp_path / "a_0.png", exif=exif)
    video = open_folder(tmp_path)
    assert video.size == (64, 48)
    np.testing.assert_array_equal(next(video.frames()).image, quarters())


def test_grey_and_transparent_images_become_rgb(tmp_path):
    image = pytest.importorskip("PIL.Image")
    image.new("L", (4, 3), 77).save(tmp_path / "grey.png")
    image.new("RGBA", (4, 3), (10, 20, 30, 128)).save(tmp_path / "clear.png")
    assert np.unique(read_image(tmp_path / "grey.png")).tolist() == [77]
    assert read_image(tmp_path / "clear.png")[0, 0].tolist() == [10, 20, 30]


def test_scaling_keeps_the_mean_of_what_is_scaled_down(tmp_path):
    write_images(tmp_path, [quarters(width=640, height=480)], name="a.png")
    small = read_image(tmp_path / "a.png", 8)
    assert small.shape == (6, 8, 3)
    np.testing.assert_allclose(small.mean(axis=(0, 1)), quarters().mean(axis=(0, 1)), atol=3)


def test_a_broken_image_is_left_out_and_told(tmp_path):
    folder = write_images(tmp_path, numbered(5))
    whole = (folder / "frame_003.png").read_bytes()
    (folder / "frame_003.png").write_bytes(whole[: len(whole) // 2])
    video = open_folder(folder)
    assert [frame.index for frame in video.frames()] == [0, 1, 2, 4]
    assert len(video.faults) == 1
    assert "frame 3 is left out" in video.faults[0]
    assert "frame_003.png" in video.faults[0]


def test_a_folder_of_broken_images_is_refused(tmp_path):
    for at in range(3):
        (tmp_path / f"frame_{at}.png").write_bytes(b"nothing")
    with pytest.raises(BadData, match="none of its images can be read"):
        open_folder(tmp_path)


def test_an_image_of_another_size_is_named(tmp_path):
    write_images(tmp_path, numbered(4))
    write_images(tmp_path, numbered(1, width=32), start=2)
    with pytest.raises(BadData, match=r"frame_002\.png: has 32 x 48 pixels, the others 64 x 48"):
        open_folder(tmp_path)


def test_two_images_of_one_number_are_named(tmp_path):
    write_images(tmp_path, numbered(2))
    write_images(tmp_path, numbered(2), name="frame_{:04d}.jpg")
    with pytest.raises(BadData, match="are both frame 0"):
        open_folder(tmp_path)


def test_images_of_several_videos_are_refused(tmp_path):
    write_images(tmp_path, numbered(2), name="one_{}.png")
    write_images(tmp_path, numbered(2), name="two_{}.png")
    with pytest.raises(BadData, match="of 2 videos"):
        open_folder(tmp_path)


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(BadData, match="holds no images"):
        open_folder(tmp_path)


def test_without_pillow_the_extra_is_named(tmp_path, monkeypatch):
    folder = write_images(tmp_path, numbered(1))
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingDependency, match="reading images needs Pillow"):
        open_folder(folder)
