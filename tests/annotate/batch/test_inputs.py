import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.annotate.batch.inputs import Input, expand, natural, shard
from posediff.annotate.batch.records import Output, Record, Records, written
from posediff.errors import BadData, BadSetting


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*arguments: str, **options: Path) -> dict[str, str]:
    return {one.location.replace(os.sep, "/"): one.name for one in expand(arguments, **options)}


def test_files_keep_the_order_in_which_they_are_named(here):
    touch(here, "b.mp4", "a.mp4", "c.odd")
    assert found("b.mp4", "c.odd", "a.mp4") == {"b.mp4": "b", "c.odd": "c", "a.mp4": "a"}
    assert [one.location for one in expand(["b.mp4", "a.mp4"])] == ["b.mp4", "a.mp4"]


def test_a_folder_is_searched_in_natural_order_and_keeps_its_sub_folders(here):
    touch(here, "v/clip10.mp4", "v/clip2.MP4", "v/deep/er/x.mov", "v/notes.pdf", "v/.hidden.mp4", "v/.git/y.mp4")
    assert [one.location for one in expand(["v"])] == ["v/clip2.MP4", "v/clip10.mp4", "v/deep/er/x.mov"]
    assert [one.name for one in expand(["v"])] == ["clip2", "clip10", "deep/er/x"]


def test_names_in_a_folder_do_not_depend_on_what_else_is_in_it(here):
    touch(here, "v/dives/a.mp4")
    assert found("v") == {"v/dives/a.mp4": "dives/a"}


def test_folders_that_are_named_together_tell_their_videos_apart(here):
    touch(here, "v/one/a.mp4", "v/two/a.mp4")
    assert found("v/one", "v/two") == {"v/one/a.mp4": "one/a", "v/two/a.mp4": "two/a"}
    assert found("v/one/a.mp4", "v/two/a.mp4") == {"v/one/a.mp4": "one/a", "v/two/a.mp4": "two/a"}


def test_a_folder_of_images_is_one_input(here):
    touch(here, "dive/000.jpg", "dive/001.jpg", "dive/labels.json")
    assert found("dive") == {"dive": "dive"}
    os.chdir("dive")
    assert found(".") == {".": "dive"}


def test_image_folders_in_a_folder_are_inputs_each(here):
    touch(here, "d/cover.png", "d/dive2/0.jpg", "d/dive10/0.png", "d/deep/dive/0.webp", "d/a.avi", "d/empty/x.txt")
    assert found("d") == {"d/a.avi": "a", "d/deep/dive": "deep/dive", "d/dive2": "dive2", "d/dive10": "dive10"}


def test_a_pattern_is_expanded_and_passes_over_what_is_no_video(here):
    touch(here, "v/1/a.mp4", "v/2/a.mp4", "v/2/a.txt", "v/b.mp4", "v/3/0.jpg")
    assert found("v/*/*.mp4") == {"v/1/a.mp4": "1/a", "v/2/a.mp4": "2/a"}
    assert found("v/*") == {"v/1/a.mp4": "1/a", "v/2/a.mp4": "2/a", "v/3": "3", "v/b.mp4": "b"}
    assert found("v/**") == found("v/*") == found("v")


def test_a_file_that_is_literally_called_like_a_pattern_is_meant_itself(here):
    touch(here, "a[1].mp4", "a1.mp4")
    assert found("a[1].mp4") == {"a[1].mp4": "a[1]"}


def test_a_range_goes_into_location_and_name(here):
    touch(here, "v/a.mp4", "v/b.mp4", "w/0.jpg")
    assert found("v/a.mp4#34:69", "v/a.mp4#:5", "v/a.mp4#7:") == {
        "v/a.mp4#34:69": "a_34-69",
        "v/a.mp4#:5": "a_0-5",
        "v/a.mp4#7:": "a_7-end",
    }
    assert found("v#0:9") == {"v/a.mp4#0:9": "a_0-9", "v/b.mp4#0:9": "b_0-9"}
    assert found("v/*.mp4#0:9") == found("v#0:9")
    assert found("w#0:9") == {"w#0:9": "w_0-9"}


@pytest.mark.parametrize("name", ["list.txt", "@list.txt", "@videos"])
def test_a_list_counts_from_its_own_folder(here, name):
    touch(here, "data/v/a.mp4", "data/b.mp4")
    (here / "data" / name.removeprefix("@")).write_text("\ufeff# dives\n\n v/a.mp4 \nb.mp4#3:9\r\nv/*.mp4\n")
    argument = f"@data/{name[1:]}" if name.startswith("@") else f"data/{name}"
    assert found(argument) == {"data/v/a.mp4": "v/a", "data/b.mp4#3:9": "b_3-9"}


def test_the_same_file_counts_once_however_it_is_written(here):
    touch(here, "v/a.mp4")
    assert [one.location for one in expand(["v/a.mp4", "./v/../v/a.mp4", str(here / "v/a.mp4"), "v"])] == ["v/a.mp4"]


def test_links_that_lead_in_a_circle_end(here):
    touch(here, "v/a.mp4")
    (here / "v" / "again").symlink_to(here / "v", target_is_directory=True)
    assert found("v") == {"v/a.mp4": "a"}


def test_everything_that_is_missing_is_named_at_once(here):
    touch(here, "a.mp4", "empty/x.pdf", "list.txt")
    (here / "list.txt").write_text("gone.mp4\na.mp4\nother.txt\n")
    touch(here, "other.txt")
    with pytest.raises(BadData) as error:
        expand(["a.mp4", "no.mp4", "empty", "*.mov", "list.txt", "x\0y"])
    for name in ("no.mp4: no such", "empty: holds no", "*.mov: matches no", "gone.mp4: no such", "a list in a list"):
        assert name in str(error.value)
    assert "a.mp4:" not in str(error.value).replace("gone.mp4:", "")


@pytest.mark.parametrize("content", [b"", b"# nothing\n", b"\xff\xfe\x00bad"])
def test_a_list_of_nothing_is_an_error(here, content):
    (here / "list.txt").write_bytes(content)
    with pytest.raises(BadData, match=r"list\.txt"):
        expand(["list.txt"])


def test_outputs_in_the_folder_of_videos_are_no_inputs(here):
    touch(here, "v/a.mp4", "v/out/a.overlay.mp4", "v/out/a.labels/0.jpg")
    assert found("v", out=here / "v/out") == found("v/**", out=here / "v/out") == {"v/a.mp4": "a"}


@pytest.mark.parametrize("argument", ["v", "v/*.mp4", "v/**", "v/a.overlay.mp4"])
def test_outputs_beside_the_videos_are_no_inputs(here, argument):
    touch(here, "v/a.mp4", "v/a.overlay.mp4", "v/a.labels/0.jpg")
    outputs = (*written(here / "v", "a.overlay.mp4"), *written(here / "v", "a.labels"))
    Records(here / "v").add(Record("a", "a.mp4", "0" * 64, {}, outputs))
    assert found("v/a.mp4", argument, out=here / "v") == {"v/a.mp4": "a"}
    assert found("v") == {"v/a.mp4": "a"}


def test_nothing_gives_nothing():
    assert expand([]) == []


@given(st.lists(st.text(max_size=5), max_size=30, unique=True), st.integers(1, 8), st.randoms())
def test_shards_are_disjoint_complete_and_the_same_for_everybody(names, count, chance):
    inputs = [Input(name, name) for name in names]
    shuffled = list(inputs)
    chance.shuffle(shuffled)
    parts = [shard(inputs, f"{part}/{count}") for part in range(1, count + 1)]
    assert sorted(one.name for part in parts for one in part) == sorted(names)
    assert [shard(shuffled, f"{part}/{count}") for part in range(1, count + 1)] == parts
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("part", ["0/4", "5/4", "1/0", "1", "a/b", "", "1/2/3", "-1/4", "1.0/2", "١/٢"])
def test_a_shard_that_is_none_is_refused(part):
    with pytest.raises(BadSetting, match="the shard is"):
        shard([], part)


def test_numbers_sort_by_their_value():
    names = ["a10b", "a2b", "A1b", "a2", "b", "10", "9"]
    assert sorted(names, key=natural) == ["9", "10", "A1b", "a2", "a2b", "a10b", "b"]


@given(st.lists(st.text(alphabet="a1²٣-. ", max_size=6)), st.randoms())
def test_any_names_can_be_sorted(names, chance):
    shuffled = list(names)
    chance.shuffle(shuffled)
    assert sorted(shuffled, key=natural) == sorted(names, key=natural)


def test_folders_that_were_written_for_a_person_to_edit_are_no_inputs(here):
    touch(here, "v/a.mp4", "v/result/a.check/0.png", "v/mine/0.png")
    Records(here / "v" / "result").add(Record("a", "a.mp4", "0" * 64, {}, (Output("a.check", 0, ""),)))
    assert found("v") == {"v/a.mp4": "a", "v/mine": "mine"}
    assert found("v/**") == {"v/a.mp4": "a", "v/mine": "mine"}
    assert list(found("v/result/a.check")) == ["v/result/a.check"]
