from hypothesis import given
from hypothesis import strategies as st

from posediff.datasets.clips import Clip
from posediff.datasets.leaks import place_of, shared


def clip(place, person=None):
    return Clip(f"{place}:{person}", 1.0, poses=place, person=person)


def test_every_spelling_of_a_file_is_one_place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to("a")
    spellings = ["a/x.json", "./a/x.json", "a/../a/x.json", str(tmp_path / "a/x.json"), "link/x.json"]
    assert len({place_of(clip(spelling)) for spelling in spellings}) == 1
    assert len({place_of(clip(f"{spelling}#3:9", 1)) for spelling in spellings}) == 1


def test_a_path_that_is_none_is_a_place_of_its_own(tmp_path):
    (tmp_path / "x").symlink_to("y")
    (tmp_path / "y").symlink_to("x")
    places = {place_of(clip(place)) for place in ("a\0b", str(tmp_path / "x"))}
    assert len(places) == 2


def test_clips_without_a_file_share_nothing():
    assert shared([clip("")], [clip("")]) == []


LIMITS = st.none() | st.integers(0, 9)
SHOWN = st.tuples(st.sampled_from("ab"), LIMITS, LIMITS, st.sampled_from([None, 1, 2]))


def frames_of(file, start, end, person):
    """The frames of everybody that a clip of files with the frames 0 to 9 and two people may show."""
    numbers = range(0 if start is None else start, 10 if end is None else end)
    return {(file, number, who) for number in numbers for who in ([1, 2] if person is None else [person])}


@given(train=st.lists(SHOWN, max_size=4), test=st.lists(SHOWN, max_size=4))
def test_clips_are_paired_where_a_frame_of_somebody_is_in_both(train, test):
    clips = []
    for side in (train, test):
        texts = [("" if a is None else a, "" if b is None else b) for _, a, b, _ in side]
        clips.append([clip(f"{one[0]}#{a}:{b}", one[3]) for one, (a, b) in zip(side, texts, strict=True)])
    expected = [
        (a, b) for b in range(len(test)) for a in range(len(train)) if frames_of(*train[a]) & frames_of(*test[b])
    ]
    assert shared(*clips) == [(clips[0][a], clips[1][b]) for a, b in expected]
