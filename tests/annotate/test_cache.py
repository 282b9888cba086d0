import os
import shutil

import numpy as np
import pytest

import tests.fixtures.engines
from posediff.annotate import cache
from posediff.annotate.cache import skeletons_of
from posediff.annotate.settings import Settings
from posediff.errors import BadData, MissingDependency
from tests.fixtures.videos import walkers, write_video


def settings(**chosen):
    return Settings(pose="places", detector="blobs", rotation="none", cutoff=0, **chosen)


COUNT = 12

engines = tests.fixtures.engines.engines


@pytest.fixture
def walk(engines, tmp_path, monkeypatch):
    monkeypatch.setenv("POSEDIFF_CACHE", str(tmp_path / "cache"))
    return write_video(tmp_path / "walk.mp4", walkers(COUNT, people=1))


@pytest.fixture
def annotated(monkeypatch):
    """The videos that were really annotated."""
    done = []
    real = cache.estimated

    def spy(video, *arguments):
        done.append(video.path.name)
        return real(video, *arguments)

    monkeypatch.setattr(cache, "estimated", spy)
    return done


def kept(tmp_path):
    return sorted((tmp_path / "cache" / "skeletons").glob("*.json"))


def test_a_video_is_annotated_once(walk, annotated):
    told = []
    (first,) = skeletons_of(walk, settings(), progress=lambda done, total: told.append((done, total)))
    (again,) = skeletons_of(walk, settings())
    assert annotated == ["walk.mp4"]
    assert told[-1] == (COUNT, COUNT)
    np.testing.assert_array_equal(again.keypoints, first.keypoints)
    np.testing.assert_array_equal(again.status, first.status)
    assert (again.fps, again.skeleton, again.image_size) == (first.fps, first.skeleton, first.image_size)


def test_first_and_second_time_say_where_they_are_from(walk, annotated):
    people = [skeletons_of(walk, settings())[0] for _ in range(2)]
    assert [one.source["path"] for one in people] == [str(walk)] * 2
    assert [one.source["format"] for one in people] == ["video"] * 2


def test_a_renamed_video_is_known_by_what_is_in_it(walk, annotated):
    skeletons_of(walk, settings())
    other = walk.rename(walk.with_name("other.mp4"))
    (person,) = skeletons_of(other, settings())
    assert annotated == ["walk.mp4"]
    assert person.source["path"] == str(other)


def test_other_settings_other_ranges_and_other_bytes_are_done_anew(walk, annotated, tmp_path):
    skeletons_of(walk, settings())
    skeletons_of(walk, settings(max_gap=1.0))
    (part,) = skeletons_of(f"{walk}#3:7", settings())
    assert part.frames.tolist() == [3, 4, 5, 6]
    write_video(walk, walkers(COUNT + 4, people=1))
    (longer,) = skeletons_of(walk, settings())
    assert len(longer) == COUNT + 4
    assert len(annotated) == len(kept(tmp_path)) == 4


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"format": "posediff/1", "people": 3}', b"\xff" * 50])
def test_a_damaged_file_is_made_anew(walk, annotated, tmp_path, damage):
    (before,) = skeletons_of(walk, settings())
    (path,) = kept(tmp_path)
    path.write_bytes(damage)
    (after,) = skeletons_of(walk, settings())
    assert len(annotated) == 2
    np.testing.assert_array_equal(after.keypoints, before.keypoints)
    assert path.read_bytes() != damage


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(walk, annotated, tmp_path):
    (tmp_path / "cache").write_text("a file in the folder's place")
    (person,) = skeletons_of(walk, settings())
    assert person.source["path"] == str(walk)
    assert person.present.any()


def test_nobody_in_the_video_is_told_and_not_remembered(walk, tmp_path):
    empty = write_video(tmp_path / "empty.mp4", [np.full((240, 320, 3), 90, np.uint8)] * 4)
    with pytest.raises(BadData, match=r"empty\.mp4: nobody was found"):
        skeletons_of(empty, settings())
    assert kept(tmp_path) == []


def test_what_is_remembered_needs_no_library(walk, annotated, monkeypatch):
    skeletons_of(walk, settings())

    def missing(*arguments, **options):
        raise MissingDependency("PyAV", "annotate", "reading videos")

    monkeypatch.setattr(cache, "open_video", missing)
    assert skeletons_of(walk, settings())[0].present.any()
    shutil.copy(walk, walk.with_name("new.mp4"))
    with open(walk.with_name("new.mp4"), "ab") as file:
        file.write(os.urandom(8))
    with pytest.raises(MissingDependency):
        skeletons_of(walk.with_name("new.mp4"), settings())
