from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from posediff.annotate.drawing.images import write_images
from posediff.annotate.footage.video import open_video
from posediff.errors import BadData, CannotWrite
from posediff.io import write
from tests.fixtures.files import made_up
from tests.fixtures.videos import write_video

PIL = pytest.importorskip("PIL.Image")


@dataclass(frozen=True)
class Shot:
    index: int
    image: np.ndarray


@dataclass
class Film:
    """Pictures whose red grows by 4 a frame, and the numbers of those that were asked for."""

    numbers: range = range(40)
    shown: list[int] = field(default_factory=list)

    def frames(self) -> Iterator[Shot]:
        for number in self.numbers:
            self.shown.append(number)
            image = np.zeros((12, 16, 3), np.uint8)
            image[..., 0] = number * 4
            yield Shot(number, image)


def test_pictures_are_those_of_their_frames(tmp_path: Path) -> None:
    paths = write_images(Film(), [30, 2, 2, 7], tmp_path / "new")
    assert [path.name for path in paths] == ["00000002.jpg", "00000007.jpg", "00000030.jpg"]
    for path, number in zip(paths, (2, 7, 30), strict=True):
        picture = np.asarray(PIL.open(path))
        assert picture.shape == (12, 16, 3)
        assert abs(picture[..., 0].mean() - 4 * number) < 3


def test_the_video_is_read_no_further_than_needed(tmp_path: Path) -> None:
    film = Film()
    write_images(film, [3, 5], tmp_path)
    assert film.shown == [0, 1, 2, 3, 4, 5]
    film.shown.clear()
    assert write_images(film, [], tmp_path) == []
    assert film.shown == []


def test_they_lie_beside_the_labelme_files_that_name_them(tmp_path: Path) -> None:
    person = made_up()
    write(tmp_path / "labels", person, format="labelme")
    write_images(Film(), person.frames.tolist(), tmp_path / "labels")
    names = {path.stem for path in (tmp_path / "labels").glob("*.json")}
    assert names == {path.stem for path in (tmp_path / "labels").glob("*.jpg")}
    assert len(names) == len(person)


def test_frames_of_a_real_video_file_are_written(tmp_path: Path) -> None:
    pictures = [np.full((32, 48, 3), 10 * number, np.uint8) for number in range(10)]
    video = open_video(write_video(tmp_path / "a.mp4", pictures))
    (path,) = write_images(video, [6], tmp_path)
    assert abs(float(np.asarray(PIL.open(path)).mean()) - 60) < 4


def test_a_frame_that_the_video_lacks_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no frame 40"):
        write_images(Film(), [1, 40, 41], tmp_path)


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CannotWrite, match=r"00000001\.jpg"):
        write_images(Film(), [1], tmp_path / "file")
