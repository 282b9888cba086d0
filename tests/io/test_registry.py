import random
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.errors import BadData, BadSetting, PosediffError
from posediff.io import FORMATS, read, read_person, write
from posediff.io.registry import get, split_range
from tests.fixtures.data import data_root
from tests.fixtures.files import SUFFIX, made_up, suited

FILES = [name for name in FORMATS if get(name).kind[0] != "folder"]


def refused(location: Any, **options: Any) -> BadData:
    """What is said of a location that cannot be read."""
    with pytest.raises(BadData) as error:
        read(location, **options)
    return error.value


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_found_by_content_whatever_the_file_is_called(name: str, tmp_path: Path) -> None:
    if name == "kinect":
        pytest.skip("a pair of tables is known by its names")
    written = tmp_path / f"file{SUFFIX.get(name, '')}"
    write(written, suited(name), format=name)
    written.rename(tmp_path / "file.bin")
    assert read(tmp_path / "file.bin", skeleton=suited(name).skeleton.name)[0].source["format"] == name


def test_a_frame_range_keeps_frame_numbers_from_start_up_to_end(tmp_path: Path) -> None:
    write(tmp_path / "a.json", made_up(frames=6))  # frames 3 to 8
    for text, expected in {"4:6": [4, 5], "6:": [6, 7, 8], ":5": [3, 4], ":": [3, 4, 5, 6, 7, 8]}.items():
        assert read(f"{tmp_path}/a.json#{text}")[0].frames.tolist() == expected


def test_a_frame_range_may_be_negative(tmp_path: Path) -> None:
    write(tmp_path / "a.json", made_up(frames=6).replace(frames=range(-3, 3), stages=()))
    for text, expected in {"-2:1": [-2, -1, 0], ":-1": [-3, -2], "-1:": [-1, 0, 1, 2]}.items():
        assert read(f"{tmp_path}/a.json#{text}")[0].frames.tolist() == expected


def test_a_file_that_is_named_like_a_range_wins(tmp_path: Path) -> None:
    write(tmp_path / "a.json#0:1", made_up(frames=6))
    assert len(read(tmp_path / "a.json#0:1")[0]) == 6


def test_an_empty_range_is_refused_with_the_frames_there_are(tmp_path: Path) -> None:
    write(tmp_path / "a.json", made_up(frames=6))
    assert "there are 3 to 8" in str(refused(f"{tmp_path}/a.json#50:60"))


def test_a_path_with_a_hash_but_no_range_is_left_alone() -> None:
    assert split_range("a#b.json") == (Path("a#b.json"), None, None)


def test_what_was_read_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "a.json", made_up(frames=6))
    with caplog.at_level("INFO", logger="posediff"):
        read(tmp_path / "a.json")
    assert "a.json' as native: person 2, 6 frames at 30 fps, 'mpii16'" in caplog.text


def test_a_folder_of_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42")
    assert "a folder of no known format" in str(refused(tmp_path))


def test_the_wrong_format_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a.json", made_up())
    assert "not DeepLabCut CSV" in str(refused(tmp_path / "a.json", format="deeplabcut"))


@pytest.mark.parametrize("options", [{"format": "gif"}, {"skeleton": "snake"}, {"fps": 0}, {"fps": float("nan")}])
def test_a_setting_that_is_none_is_refused_before_the_file_is_opened(options: dict[str, Any]) -> None:
    with pytest.raises(BadSetting):
        read("no/such/file.json", **options)


def test_fps_is_assumed_where_the_file_has_none_and_marked(tmp_path: Path) -> None:
    write(tmp_path / "a.json", made_up(), format="mmpose")
    assert (read(tmp_path / "a.json")[0].fps, read(tmp_path / "a.json")[0].source["fps_assumed"]) == (25.0, True)
    assert "fps_assumed" not in read(tmp_path / "a.json", fps=50)[0].source


def test_fps_given_replaces_the_file_s_and_is_put_down(tmp_path: Path) -> None:
    write(tmp_path / "a.json", made_up())
    (person,) = read(tmp_path / "a.json", fps=60)
    assert person.fps == 60
    assert person.source["steps"] == ["fps(30 -> 60)"]


def test_one_of_several_people_must_be_chosen(tmp_path: Path) -> None:
    write(tmp_path / "a.json", [made_up(person=2), made_up(person=5)])
    with pytest.raises(BadData, match="2, 5") as error:
        read_person(tmp_path / "a.json")
    assert "--person" in error.value.hint
    assert read_person(tmp_path / "a.json", person=5).person == 5
    with pytest.raises(BadData, match="has no person 4"):
        read_person(tmp_path / "a.json", person=4)


def test_people_that_do_not_go_into_one_file_are_refused(tmp_path: Path) -> None:
    for people, said in (
        ([], "no people"),
        ([made_up(), made_up()], "share an id"),
        ([made_up(), made_up(person=3, fps=50)], "differ in fps"),
        ([made_up().select(slice(0, 0))], "without frames"),
    ):
        with pytest.raises(BadData, match=said):
            write(tmp_path / "a.json", people)
    assert not [*tmp_path.iterdir()]


def test_a_skeleton_that_the_format_cannot_hold_is_refused_with_those_it_can(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="mpii16") as error:
        write(tmp_path / "a", made_up(), format="openpose")
    assert "body25 or openpose18" in error.value.hint


@pytest.mark.parametrize("name", [name for name in FILES if name not in ("native", "c3d", "sleap")])
@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), data=st.data())
def test_a_damaged_file_of_any_format_is_read_or_refused(
    name: str, seed: int, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / f"damaged_{name}{SUFFIX.get(name, '')}"
    write(path, suited(name).select(slice(0, 2)), format=name)
    whole, chance = path.read_bytes(), random.Random(seed)
    place = chance.randrange(len(whole))
    token = chance.choice([b"", b"-", b"9" * 400, b"null", b'"', b"[]", b"{}", b"1e999", b"\x00", b",", b"NaN"])
    path.write_bytes(whole[:place] + token + whole[place + chance.choice([0, 1, 3]) :])
    with suppress(PosediffError):
        assert read(path, skeleton=suited(name).skeleton.name)


def test_two_real_dives_are_taken_apart_by_their_frames() -> None:
    path = data_root("finediving", "pose_examples", "annotations.json")
    first, second = read_person(f"{path}#0:34"), read_person(f"{path}#34:")
    assert (len(first), len(second)) == (34, 35)
    assert (second.frames[0], second.frames[-1]) == (34, 68)
    assert first.source["path"] == str(path)
