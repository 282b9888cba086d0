import random
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.annotate.batch.names import LONGEST_NAME, LONGEST_PART, RESERVED, Wanted, safe_name, unique_names

TRAPS = [
    *("..", ".", "", "/", "\\", "a/../../b", "/etc", "C:", "~", "-", "CON", "con.txt", "records", "Records.x", "\0"),
    *("a ", " .a", "a.", "a\nb", "\udcff", "A", "a", "a.raw", "a" * 300, "ü" * 200),
    *("\u0301", "e\u0301", "\u00e9", "ß", "ss"),
]
odd = st.text() | st.sampled_from(TRAPS)
wanted = st.builds(
    Wanted,
    st.lists(odd, min_size=1, max_size=4).map(tuple),
    st.sampled_from(["", ".mp4", ".avi", ".MP4"]),
    st.sampled_from(["", "3-9"]),
    st.text(max_size=3),
)


def test_a_plain_name_stays_what_it_is():
    assert safe_name(["2021.05 dives", "Müller 3"]) == "2021.05 dives/Müller 3"


@given(st.lists(odd, max_size=60), st.sampled_from(["", "34-69"]))
def test_a_name_never_leads_out_of_its_folder_and_fits_every_file_system(parts, frames):
    name = safe_name(parts, frames)
    out = Path("/out")
    assert out in (out / name).resolve().parents
    assert (out / name).resolve() == out / name
    assert name.isprintable()
    assert not set('<>:"\\|?*') & set(name)
    assert len(name.encode()) <= LONGEST_NAME
    for part in name.split("/"):
        assert 0 < len(part.encode()) <= LONGEST_PART
        assert part[0] not in ". "
        assert part[-1] not in ". "
    assert name.split("/")[0].split(".")[0].lower() not in RESERVED


@given(st.lists(wanted, max_size=12))
def test_names_are_unique_even_where_case_does_not_count(inputs):
    folded = [unicodedata.normalize("NFC", name.casefold()) for name in unique_names(inputs)]
    assert len(set(folded)) == len(inputs)


@given(st.lists(wanted, max_size=8, unique_by=lambda one: (one.key, one.parts, one.suffix)), st.randoms())
def test_who_is_called_what_does_not_depend_on_the_order(inputs, chance):
    inputs = [Wanted(one.parts, one.suffix, one.frames, str(index)) for index, one in enumerate(inputs)]
    shuffled = random.Random(chance.random()).sample(inputs, len(inputs))
    first = dict(zip((one.key for one in inputs), unique_names(inputs), strict=True))
    assert dict(zip((one.key for one in shuffled), unique_names(shuffled), strict=True)) == first


def test_the_mp4_gets_the_plain_name_and_its_rivals_keep_their_suffixes():
    assert unique_names([Wanted(("a",), ".avi"), Wanted(("a",), ".mp4"), Wanted(("a",), ".mov")]) == [
        "a.avi",
        "a",
        "a.mov",
    ]


def test_rivals_of_one_suffix_are_numbered():
    assert unique_names([Wanted(("a",), ".mp4", "", key) for key in "xyz"]) == ["a", "a.mp4", "a.mp4-2"]


def test_a_rival_takes_no_name_that_another_wants_alone():
    assert unique_names([Wanted(("a",), ".mp4"), Wanted(("a",), ".avi"), Wanted(("a.avi",), ".mp4")]) == [
        "a",
        "a.avi",
        "a_avi",
    ]


def test_nobody_s_name_is_another_s_name_and_a_suffix():
    assert unique_names([Wanted(("a",)), Wanted(("a.raw",)), Wanted(("a.json", "b")), Wanted(("c.raw",))]) == [
        "a",
        "a_raw",
        "a_json/b",
        "c.raw",
    ]


def test_of_a_long_name_the_frames_stay():
    names = unique_names([Wanted(("a" * 300,), ".mp4", frames) for frames in ("0-5", "5-9")])
    assert [name[-4:] for name in names] == ["_0-5", "_5-9"]


@pytest.mark.parametrize("name", ["records", "Records", "failures", "raw", "summary"])
def test_posediff_s_own_folders_are_nobody_s_name(name):
    assert safe_name([name, "a"]) == f"_{name}/a"
