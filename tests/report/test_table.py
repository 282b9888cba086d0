import numpy as np
import pytest

from posediff.report.table import WIDTH, render
from tests.fixtures.comparisons import DIFFERENCES, comparison, difference, squat, three_segments

LONG = "a very long name that somebody gave to a stage " * 5
CROWDED = comparison(
    reference=squat(source={"path": "folder/" + "r" * 300 + ".json"}),
    query=squat(source={"path": "folder/" + "q" * 300 + ".json"}),
    differences=tuple(difference(segment=LONG, measure=f"{'x' * 150}_{rank}") for rank in range(12)),
    segments=tuple(type(segment)(LONG, *list(vars(segment).values())[1:]) for segment in three_segments()),
    notes=(LONG * 3, "y" * 400),
    exemplars=tuple((f"{'z' * 200}{rank}.json", 91.0) for rank in range(3)),
)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1", "cp437"])
@pytest.mark.parametrize("made", [comparison(), CROWDED], ids=["plain", "crowded"])
def test_no_line_is_wider_than_a_hundred_columns_and_the_stream_can_take_it(made, encoding):
    text = render(made, encoding=encoding)
    text.encode(encoding)
    assert max(map(len, text.splitlines())) <= WIDTH


def test_differences_are_ranked_with_frames_on_both_sides_noise_and_confidence():
    text = render(comparison(), encoding="utf-8")
    assert "  1  left knee 23° more bent from 0.72 to 1.24 s (bottom)\n" in text
    assert "23.1° ± 3.2°, very likely (97%); frames 18–31, in the reference 14–25 (0.56–1.00 s)" in text
    assert text.index("left knee") < text.index("left ankle") < text.index("trunk leans")


def test_an_ascii_terminal_gets_words_for_signs():
    text = render(comparison(), encoding="ascii")
    assert "23.1 deg +/- 3.2 deg" in text
    assert "frames 18-31" in text


@pytest.mark.parametrize(("score", "filled"), [(0.0, 0), (50.0, 12), (100.0, 24), (float("nan"), 0)])
def test_a_bar_is_filled_in_proportion_to_the_score(score, filled):
    line = next(
        line for line in render(comparison(score=score), encoding="utf-8").splitlines() if "█" in line or "░" in line
    )
    assert line.startswith("score")
    assert line.count("█") == filled


def test_every_segment_has_a_row_with_its_timing():
    text = render(comparison(), encoding="utf-8")
    rows = [line.split() for line in text.splitlines() if line.startswith(("descent", "bottom", "ascent"))]
    assert rows[1] == ["bottom", "13–26", "16–33", "64", "58", "84", "95", "61", "0.12", "s", "later"]


def test_both_performances_are_told_with_their_frames_and_times():
    text = render(comparison(query=squat(50, frames=np.arange(100, 150), fps=50.0)), encoding="utf-8")
    assert "(40 frames at 25 fps, 0.00–1.56 s)" in text
    assert "(50 frames at 50 fps, 2.00–2.98 s)" in text


def test_the_same_on_both_sides_is_one_entry_with_the_rank_of_the_first():
    right = difference(measure="right_knee_angle", magnitude=21.0)
    text = render(comparison(differences=(DIFFERENCES[0], right, *DIFFERENCES[1:])), encoding="utf-8")
    assert "  1  both knees 22° more bent" in text
    assert "     left 23.1° ± 3.2°, right 21.0° ± 3.2°" in text
    assert "  3  left ankle" in text


def test_names_from_files_cannot_steer_the_terminal():
    nasty = comparison(
        reference=squat(source={"path": "\x1b[2Jevil.json"}), differences=(difference(segment="a\x1b]0;title\x07"),)
    )
    assert "\x1b" not in render(nasty, encoding="utf-8")


def test_without_differences_it_says_so():
    assert "no single difference stands out" in render(comparison(differences=(), segments=()), encoding="utf-8")


def test_the_notes_and_the_references_are_listed():
    text = render(comparison(differences=DIFFERENCES[:1], exemplars=(("a.json", 90.6),)), encoding="utf-8")
    assert "references, nearest first\n   91  a.json" in text
    assert "notes\n  - Both performances" in text
