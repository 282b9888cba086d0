import numpy as np
import pytest

from posediff.datasets import reading
from posediff.datasets.clips import Clip
from posediff.datasets.reading import each_clip, each_sequence
from posediff.errors import BadData
from posediff.io import read, write
from posediff.sequence import PoseSequence
from posediff.skeletons import MPII16


def person(start, count, number=0):
    """Somebody whose every coordinate is the frame number."""
    frames = np.arange(start, start + count)
    keypoints = np.tile(frames[:, None, None], (1, 16, 2)).astype(float)
    return PoseSequence(keypoints, MPII16, frames=frames, person=number)


def first(_, sequence):
    return int(sequence.frames[0]), len(sequence), sequence.person


def test_clips_of_one_file_are_read_once_and_come_in_order(tmp_path, monkeypatch):
    for name in ("a", "b"):
        write(tmp_path / name, person(0, 60))
    places = ["a#10:30", "b#5:", "a#:7", "b", "a#30:60"]
    clips = [Clip(str(at), 1.0, poses=f"{tmp_path}/{place}") for at, place in enumerate(places)]
    reads = []
    monkeypatch.setattr(reading, "read", lambda path, read=reading.read: reads.append(path.name) or read(path))
    assert each_sequence(clips, first, {}) == [(10, 20, 0), (5, 55, 0), (0, 7, 0), (0, 60, 0), (30, 30, 0)]
    assert reads == ["a", "b"]


def test_a_clip_chooses_its_person(tmp_path):
    write(tmp_path / "a", [person(0, 5, 3), person(0, 9, 4)])
    assert each_sequence([Clip("a", 1.0, poses=str(tmp_path / "a"), person=4)], first, {}) == [(0, 9, 4)]
    with pytest.raises(BadData, match=r"'a': .*several people: .*3.*4") as caught:
        each_sequence([Clip("a", 1.0, poses=str(tmp_path / "a"))], first, {})
    assert caught.value.hint == "say who in the column person of the table, or keep one person in the file"


def test_a_file_that_names_no_skeleton_is_to_be_converted_first(tmp_path):
    path = tmp_path / "a.npy"
    np.save(path, np.random.default_rng(0).uniform(0, 9, (5, 16, 2)))
    with pytest.raises(BadData, match="does not name them") as caught:
        each_sequence([Clip("a", 1.0, poses=str(path))], first, {})
    command = f"posediff convert {path} {tmp_path / 'a.native.json'} --to native --skeleton "
    assert caught.value.hint.startswith(f"convert it first: {command}NAME; those of 16 joints are: ")
    *_, source, target, _, form, _ = command.split()
    write(target, read(source, skeleton="mpii16"), format=form)
    assert each_sequence([Clip("a", 1.0, poses=target)], first, {}) == [(0, 5, 0)]


def test_the_only_person_in_a_range_needs_no_choice(tmp_path):
    write(tmp_path / "a", [person(0, 5, 3), person(5, 9, 4)])
    assert each_sequence([Clip("a", 1.0, poses=f"{tmp_path}/a#6:8")], first, {}) == [(6, 2, 4)]


def test_a_clip_lasts_as_long_as_its_range_where_nobody_is_seen_at_its_ends(tmp_path):
    write(tmp_path / "a", person(20, 10))

    def shown(_, sequence):
        return sequence.frames[sequence.present.all(axis=1)].tolist(), sequence.frames[[0, -1]].tolist()

    places = ["#10:28", "#22:40", "#:25", "#22:24"]
    clips = [Clip(place, 1.0, poses=f"{tmp_path}/a{place}") for place in places]
    assert each_sequence(clips, shown, {}) == [
        ([*range(20, 28)], [10, 27]),
        ([*range(22, 30)], [22, 39]),
        ([*range(20, 25)], [20, 24]),
        ([22, 23], [22, 23]),
    ]


def test_sequences_in_memory_are_not_looked_for():
    clips = [Clip("a", 1.0), Clip("b", 1.0, poses="nowhere")]
    assert each_sequence(clips, first, {"a": person(2, 3), "b": person(4, 5)}) == [(2, 3, 0), (4, 5, 0)]


def test_all_faults_are_one_error(tmp_path):
    write(tmp_path / "a", person(0, 5))
    places = ["missing", "", "a#7:9", "a", "gone"]
    clips = [Clip(f"clip{at}", 1.0, poses=place and f"{tmp_path}/{place}") for at, place in enumerate(places)]
    with pytest.raises(BadData, match="4 of 5 clips cannot be used") as caught:
        each_sequence(clips, first, {})
    for reason in (
        "'clip0': .*missing: no such file",
        "'clip1': it has no skeleton",
        "'clip2': .*7:9.*0 to 4",
        "1 more",
    ):
        assert caught.match(reason)
    assert caught.value.hint == "check the path"


def test_each_clip_gives_its_own_result():
    assert each_clip([Clip("a", 1.0), Clip("b", 2.0)], lambda clip: clip.score, [1, 0]) == [1.0, 2.0]
