import gzip
from pathlib import Path
from typing import Any

import pytest

from posediff.errors import BadData
from posediff.io import content, read, write
from posediff.io.content import Content
from tests.fixtures.files import made_up


def refused(location: Any, **options: Any) -> BadData:
    """What is said of a location that cannot be read."""
    with pytest.raises(BadData) as error:
        read(location, **options)
    return error.value


def test_what_cannot_be_read_is_refused_in_one_line(tmp_path: Path) -> None:
    contents = {
        "empty.json": (b"", "is empty"),
        "list.json": (b"[1, 2]", "JSON of no known format"),
        "cut.json": (b'{"format": "posediff/1", ', "is not valid JSON"),
        "text.txt": (b"hello", "text"),
        "latin.json": (b'{"a": "\xff"}', "not valid JSON"),
        "film.mp4": (b"\x00\x00\x00\x18ftypmp42" + bytes(99), "a video file"),
        "photo.json": (b"\x89PNG\r\n\x1a\n" + bytes(99), "an image"),
        "program": (b"\x7fELF" + bytes(99), "a binary file"),
        "half.gz": (b"\x1f\x8b\x08\x00" + bytes(9), "cannot be read"),
    }
    for name, (data, said) in contents.items():
        (tmp_path / name).write_bytes(data)
        error = refused(tmp_path / name)
        assert said in str(error)
        assert str(error).startswith(str(tmp_path / name))
        assert "\n" not in str(error)


@pytest.mark.parametrize("location", ["no/such/file.json", "a\0b", "x" * 5000, "/dev/null"])
def test_a_path_to_nothing_readable_is_refused(location: str) -> None:
    assert "\n" not in str(refused(location))


def test_a_video_of_any_size_is_told_by_its_first_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Content, "data", property(lambda self: pytest.fail("the whole file was read")))
    (tmp_path / "film.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42" + bytes(99))
    assert Content(tmp_path / "film.mp4").kind == "video"


def test_a_gzipped_file_is_read_as_what_it_holds(tmp_path: Path) -> None:
    write(tmp_path / "a.json", made_up())
    (tmp_path / "b").write_bytes(gzip.compress((tmp_path / "a.json").read_bytes()))
    assert Content(tmp_path / "b").kind == "json"
    assert read(tmp_path / "b")[0].keypoints.shape == made_up().keypoints.shape


def test_a_file_that_unfolds_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "LARGEST", 10_000)
    (tmp_path / "bomb").write_bytes(gzip.compress(b"[" + b" " * 20_000))
    assert "more than 10,000 bytes" in str(refused(tmp_path / "bomb"))


def test_a_byte_order_mark_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert Content(tmp_path / "a.json").document == {"a": 1}
