import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.errors import CannotWrite
from posediff.report import document as module
from posediff.report.document import document, dumps, plain, write_report
from tests.fixtures.comparisons import alignment, comparison, difference, squat, three_segments

SCHEMA = json.loads((Path(__file__).parents[2] / "annotations" / "comparison-1.schema.json").read_text())
NAN = float("nan")


def unknown_throughout():
    """A comparison in which every number that may be unknown is NaN or infinite."""
    one = difference(magnitude=NAN, noise=float("inf"), confidence=NAN, importance=NAN, values=(NAN, NAN))
    return comparison(
        score=NAN,
        differences=(one,),
        settings={"gamma": NAN, "window": np.float32(2), "of": np.arange(2), "p": Path("a")},
    )


@pytest.mark.parametrize(
    "made",
    [
        comparison(),
        comparison(dimensions=2),
        comparison(differences=(), segments=(), notes=()),
        comparison(exemplars=(("a.json", 91.0), ("b.json", 80.5))),
        unknown_throughout(),
    ],
    ids=["3d", "2d", "nothing found", "exemplars", "unknown"],
)
def test_the_document_is_what_the_schema_describes(made):
    jsonschema.Draft202012Validator(SCHEMA).validate(document(made))


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_numbers_are_finite_and_the_text_is_strict_json():
    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    text = dumps(unknown_throughout())
    read = json.loads(text, parse_constant=refuse)
    assert read["score"] is None
    assert read["provenance"]["settings"] == {"gamma": None, "window": 2.0, "of": [0, 1], "p": "a"}


def test_a_difference_keeps_its_facts_and_gets_its_words():
    found = document(comparison())["differences"][0]
    assert found["statement"] == "left knee 23° more bent from 0.72 to 1.24 s (bottom)"
    assert (found["reference_frames"], found["query_frames"], found["peak"]) == ([14, 26], [18, 32], [20, 25])
    assert (found["magnitude"], found["noise"], found["unit"], found["more_in"]) == (23.1, 3.2, "deg", "reference")


def test_the_alignment_holds_the_path_and_one_uncertainty_a_reference_frame():
    one, other = squat(40), squat(50)
    found = document(comparison(reference=one, query=other))["alignment"]
    np.testing.assert_array_equal(found["path"], alignment(one, other).path)
    assert len(found["uncertainty"]) == len(found["correspondence"]) == len(one)


def test_provenance_has_the_steps_of_both_sides():
    source = {"path": "a.json", "steps": ["fill_gaps(max_gap=0.4)"]}
    found = document(comparison(reference=squat(source=source)))
    assert found["reference"]["path"] == "a.json"
    assert found["provenance"]["reference"]["steps"] == ["fill_gaps(max_gap=0.4)"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda items: st.lists(items) | st.dictionaries(st.text() | st.integers(), items) | st.tuples(items, items),
        max_leaves=10,
    )
)
def test_anything_becomes_json(value):
    json.dumps(plain(value), allow_nan=False)


NAMES = {"comparison.json", "report.html", "poses.png", "segments.png", "measures.png", "joints.png", "alignment.png"}


def test_the_folder_holds_the_document_the_page_and_the_plots(tmp_path):
    folder = tmp_path / "new" / "report"
    written = write_report(comparison(), folder)
    assert {path.name for path in folder.iterdir()} == {path.name for path in written} == NAMES
    assert json.loads((folder / "comparison.json").read_text())["format"] == "posediff.comparison/1"
    assert all((folder / name).read_bytes().startswith(b"\x89PNG") for name in NAMES if name.endswith(".png"))
    assert list((tmp_path).iterdir()) == [tmp_path / "new"]


@pytest.fixture
def no_pictures(monkeypatch):
    """Reports without plots, to be quick."""
    monkeypatch.setattr("posediff.report.plots.pictures", lambda _: {"poses.png": b"png"})
    monkeypatch.setattr("posediff.report.plots.cards", lambda _: [])


@pytest.mark.usefixtures("no_pictures")
def test_an_existing_folder_is_brought_up_to_date_and_other_files_stay(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "comparison.json").write_text("old")
    write_report(comparison(), tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert json.loads((tmp_path / "comparison.json").read_text())["score"] == 78.4
    assert {path.name for path in tmp_path.iterdir()} == {"mine.txt", "comparison.json", "report.html", "poses.png"}


@pytest.mark.usefixtures("no_pictures")
def test_a_failure_while_writing_leaves_nothing_behind(tmp_path, monkeypatch):
    whole = Path.write_bytes

    def full_disk(path, content):
        if path.name == "report.html":
            raise OSError(28, "No space left on device")
        return whole(path, content)

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(CannotWrite, match=r"report: No space left on device") as error:
        write_report(comparison(), tmp_path / "report")
    assert error.value.hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_pictures")
def test_a_file_in_the_place_of_the_folder_is_named_and_kept(tmp_path):
    place = tmp_path / "report"
    place.write_text("a file")
    with pytest.raises(CannotWrite, match="report"):
        write_report(comparison(), place)
    assert place.read_text() == "a file"


def test_a_failure_while_drawing_writes_nothing(tmp_path, monkeypatch):
    def broken(_):
        raise MemoryError

    monkeypatch.setattr("posediff.report.plots.pictures", broken)
    with pytest.raises(MemoryError):
        module.write_report(comparison(), tmp_path / "report")
    assert list(tmp_path.iterdir()) == []


def test_segments_are_in_order_with_their_scores():
    found = document(comparison())["segments"]
    assert [segment["name"] for segment in found] == [segment.name for segment in three_segments()]
    assert found[1]["statement"] == "bottom: score 64, starts 0.12 s later, weakest in accuracy (58)"
    assert found[1]["scores"] == {"accuracy": 58.0, "timing": 84.0, "smoothness": 95.0, "range": 61.0}
