import sys

import numpy as np
import pytest

from posediff.datasets.pictures import picture_files, read_pictures, size_of
from posediff.errors import BadData, MissingDependency

Image = pytest.importorskip("PIL.Image")


def save(path, array, **more):
    Image.fromarray(np.asarray(array, np.uint8)).save(path, **more)


def grey(value, size=(8, 8)):
    return np.full((size[1], size[0], 3), value)


def ramp(width, height):
    """A picture whose red is x and whose green is y."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    return np.stack([x, y, 0 * x], axis=2)


def test_names_are_sorted_by_their_numbers(tmp_path):
    for number in (0, 10, 9, 100, 2):
        save(tmp_path / f"frame_{number}.png", grey(number))
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "._frame_3.png").write_bytes(b"")
    assert [path.name for path in picture_files(tmp_path)] == [f"frame_{number}.png" for number in (0, 2, 9, 10, 100)]
    read = read_pictures(tmp_path, np.linspace(0, 1, 5), 8)
    assert read[:, 0, 0, 0].tolist() == [0, 2, 9, 10, 100]


def test_the_nearest_pictures_are_taken(tmp_path):
    for number in range(11):
        save(tmp_path / f"{number}.png", grey(number))
    fewer = read_pictures(tmp_path, np.linspace(0, 1, 4), 8)  # at 0, 3 1/3, 6 2/3, 10
    assert fewer[:, 0, 0, 0].tolist() == [0, 3, 7, 10]
    more = read_pictures(tmp_path, np.linspace(0, 0.2, 10), 8)  # at 0, 2/9, 4/9 ... 2
    assert more[:, 0, 0, 0].tolist() == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2]


def test_a_picture_of_the_right_size_is_read_as_it_is(tmp_path):
    truth = np.random.default_rng(0).integers(0, 256, (6, 6, 3))
    save(tmp_path / "a.png", truth)
    np.testing.assert_array_equal(read_pictures(tmp_path, np.zeros(1), 6)[0], truth.transpose(2, 0, 1))


@pytest.mark.parametrize(("shift", "left"), [(-1, 0), (0, 20), (0.5, 30), (1, 40)])
def test_the_square_lies_where_the_shift_says(tmp_path, shift, left):
    save(tmp_path / "a.png", ramp(100, 60))
    read = read_pictures(tmp_path, np.zeros(1), 60, shift)[0]
    np.testing.assert_array_equal(read[0], np.tile(np.arange(left, left + 60), (60, 1)))
    np.testing.assert_array_equal(read[1], np.tile(np.arange(60)[:, None], (1, 60)))


@pytest.mark.parametrize("size", [(100, 60), (60, 100), (64, 64)])
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_places_move_as_the_formula_says(tmp_path, size, ending):
    save(tmp_path / f"a.{ending}", ramp(*size), **({"quality": 100, "subsampling": 0} if ending == "jpg" else {}))
    side = 15
    read = read_pictures(tmp_path, np.zeros(1), side)[0].astype(float)
    at = np.arange(1, side - 1)  # where the filter does not reach the edge
    for axis, line in enumerate((read[0, side // 2], read[1, :, side // 2])):
        place = (size[axis] - 1) / 2 + (at - (side - 1) / 2) * min(size) / side
        np.testing.assert_allclose(line[1:-1], place, atol=1.5)


def test_the_camera_s_note_of_its_position_is_followed(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise by 90 degrees
    save(tmp_path / "a.png", np.rot90(ramp(30, 20)), exif=exif)
    assert size_of(tmp_path) == (30, 20)
    np.testing.assert_array_equal(read_pictures(tmp_path, np.zeros(1), 20)[0, 0, 0], np.arange(5, 25))


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(BadData, match="holds no pictures"):
        picture_files(tmp_path)
    with pytest.raises(BadData, match=r"nowhere: cannot be listed \(No such file"):
        picture_files(tmp_path / "nowhere")


def test_a_range_of_a_folder_is_counted_from_0(tmp_path):
    for number in (7, 8, 9, 10, 11):
        save(tmp_path / f"{number}.png", grey(number))
    assert [path.stem for path in picture_files(f"{tmp_path}#1:4")] == ["8", "9", "10"]
    assert [path.stem for path in picture_files(f"{tmp_path}#3:")] == ["10", "11"]
    with pytest.raises(BadData, match=r"#5:8: the folder holds 5 pictures"):
        picture_files(f"{tmp_path}#5:8")


@pytest.mark.parametrize("kept", [0, 30, 400])
def test_a_damaged_picture_is_named(tmp_path, kept):
    save(tmp_path / "0.png", grey(1))
    save(tmp_path / "whole.jpg", np.random.default_rng(0).integers(0, 256, (64, 64, 3)))
    (tmp_path / "1.jpg").write_bytes((tmp_path / "whole.jpg").read_bytes()[:kept])
    with pytest.raises(BadData, match=r"1\.jpg: cannot be decoded"):
        read_pictures(tmp_path, np.array([0, 0.5]), 8)


def test_a_library_that_is_missing_is_named(tmp_path, monkeypatch):
    save(tmp_path / "0.png", grey(1))
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(MissingDependency, match="Pillow"):
        read_pictures(tmp_path, np.zeros(1), 8)
