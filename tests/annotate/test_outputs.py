import json
from types import SimpleNamespace

import numpy as np
import pytest

from posediff import read
from posediff.annotate.finish.quality import quality
from posediff.annotate.footage.video import open_video
from posediff.annotate.outputs import Wanted, check_skeleton, path_of, worth_checking, write_outputs
from posediff.errors import BadSetting, CannotWrite
from posediff.sequence import PoseSequence
from posediff.skeletons import MPII16
from tests.fixtures.videos import damaged, walkers, write_images, write_video

COUNT = 12


@pytest.fixture
def video(tmp_path):
    return open_video(write_images(tmp_path / "walk", walkers(COUNT)))


def people(count=COUNT, ids=(0,)):
    rng = np.random.default_rng(0)
    return [
        PoseSequence(rng.uniform(0, 200, (count, 16, 2)), MPII16, fps=25, image_size=(320, 240), person=one)
        for one in ids
    ]


def written(out, video, wanted, chosen=None):
    chosen = chosen or people()
    return write_outputs("a/walk", out, video, chosen, [quality(one, raw=one) for one in chosen], wanted)


def ranked(*frames):
    return SimpleNamespace(check=[SimpleNamespace(frame=frame, reason="jump") for frame in frames])


@pytest.mark.parametrize(
    ("figures", "count", "frames"),
    [
        ([ranked(7, 3, 5)], 2, [3, 7]),
        ([ranked(7, 3, 5), ranked(9, 3, 1)], 2, [7, 9]),
        ([ranked(7, 3, 5), ranked(9, 3, 1)], 3, [3, 7, 9]),
        ([ranked()], 3, [0, 50, 99]),
        ([ranked(98)], 3, [0, 50, 98]),
        ([ranked(*range(100))], 500, list(range(100))),
    ],
)
def test_the_worst_frames_of_everybody_come_first_and_then_the_whole_video(figures, count, frames):
    assert worth_checking(figures, np.arange(100), count) == frames


def test_a_skeleton_that_a_format_cannot_hold_is_refused_by_name():
    check_skeleton(["native", "coco", "labelme"], "blazepose33")
    with pytest.raises(BadSetting, match="hp-mcore cannot hold the skeleton coco17") as caught:
        check_skeleton(["native", "hp-mcore"], "coco17")
    assert "mpii16" in caught.value.hint


@pytest.mark.parametrize("form", ["native", "coco", "finediving-pose", "hp-mcore"])
def test_a_format_is_written_where_its_path_says(video, tmp_path, form):
    result = written(tmp_path / "out", video, Wanted((form,)))
    assert result.files == (path_of(form, "a/walk"),)
    assert result.folders == ()
    np.testing.assert_allclose(read(tmp_path / "out" / result.files[0])[0].keypoints, people()[0].keypoints, atol=1e-2)


def test_a_folder_for_labelme_is_whole_and_somebody_s_own(video, tmp_path):
    out = tmp_path / "out"
    result = written(out, video, Wanted(("labelme",), check=3))
    assert (result.files, result.notes) == ((), ())
    assert result.folders == ("a/walk.labelme", "a/walk.check")
    for path, count in zip(result.folders, (COUNT, 3), strict=True):
        labels, images = (sorted(file.stem for file in (out / path).glob(f"*.{kind}")) for kind in ("json", "jpg"))
        assert labels == images
        assert len(labels) == count
    again = written(out, video, Wanted(("labelme",), check=5))
    assert again.folders == result.folders
    assert [note.split(" ")[0] for note in again.notes] == ["walk.labelme", "walk.check"]
    assert len([*(out / "a" / "walk.check").iterdir()]) == 6


def test_nobody_in_the_frames_to_check_is_told(video, tmp_path):
    alone = [people()[0].select(np.arange(COUNT) == 5)]
    figures = [SimpleNamespace(check=[SimpleNamespace(frame=3, reason="missing")])]
    result = write_outputs("walk", tmp_path, video, alone, figures, Wanted((), check=1))
    assert result.folders == ()
    assert "nobody is in the frames" in result.notes[0]
    assert [path.name for path in tmp_path.iterdir()] == ["walk"]


def test_frames_that_cannot_be_decoded_have_no_file(tmp_path):
    noise = np.random.default_rng(0).integers(0, 60, (40, 240, 320, 3), np.uint8)
    whole = write_video(
        tmp_path / "whole.mp4", [frame + grain for frame, grain in zip(walkers(40), noise, strict=True)]
    )
    video = open_video(damaged(whole, tmp_path / "bad.mp4", start=0.5, end=0.52))
    there = {frame.index for frame in video.frames()}
    assert 10 < len(there) < 40
    written(tmp_path / "out", video, Wanted(("labelme",)), people(40))
    folder = tmp_path / "out" / "a" / "walk.labelme"
    assert {int(file.stem) for file in folder.glob("*.json")} == there
    assert {json.loads(file.read_text())["imagePath"] for file in folder.glob("*.json")} == {
        file.name for file in folder.glob("*.jpg")
    }


def test_a_folder_whose_images_cannot_be_written_is_not_there(video, tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise CannotWrite("no space left", "make room")

    monkeypatch.setattr("posediff.annotate.drawing.images.write_files", full)
    with pytest.raises(CannotWrite):
        written(tmp_path / "out", video, Wanted(("labelme",)))
    assert [*(tmp_path / "out" / "a").iterdir()] == []


def test_a_folder_of_outputs_that_cannot_be_made_is_told(video, tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(CannotWrite, match="cannot be written"):
        written(tmp_path / "out", video, Wanted(("labelme",)))
