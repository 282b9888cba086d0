import numpy as np
import pytest

from posediff.compare.comparison import Segment
from posediff.report.style import MOST_SEGMENTS, drawable, limits, mark_segments, new_figure, png, tidy
from tests.fixtures.comparisons import DIMENSION_SCORES, comparison, squat


def test_a_dollar_in_a_name_starts_no_formula_and_long_names_are_cut():
    assert drawable("$x$\n") == "\\$x\\$ "
    assert drawable("a" * 50, 10) == "a" * 9 + "…"


def numbered(count):
    cuts = np.linspace(0, 40, count + 1).astype(int).tolist()
    pairs = enumerate(zip(cuts[:-1], cuts[1:], strict=True), start=1)
    return tuple(Segment(f"segment {n}", cut, cut, 80.0, DIMENSION_SCORES, 0.0) for n, cut in pairs)


def marked(segments):
    axes = new_figure(10, 3).subplots()
    mark_segments(axes, comparison(segments=segments))
    return axes


def test_a_picture_has_the_pixels_of_its_inches():
    picture = png(new_figure(2.0, 1.0))
    assert (int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")) == (320, 160)


def test_the_same_picture_has_the_same_bytes():
    assert png(new_figure(1.0, 1.0)) == png(new_figure(1.0, 1.0))


def test_the_limits_lie_half_a_frame_around_the_frames():
    assert limits(squat(11, frames=np.arange(100, 111), fps=50.0)) == pytest.approx((1.99, 2.21))


def test_the_boundaries_of_the_segments_are_half_a_frame_before_their_first_frame():
    places = [line.get_xdata()[0] for line in marked(comparison().segments).lines]
    assert places == pytest.approx([12.5 / 25, 26.5 / 25])


def test_numbered_segments_keep_their_numbers_where_there_is_little_room():
    assert [text.get_text() for text in marked(numbered(10)).texts] == [*map(str, range(1, 11)), "segment"]


def test_too_many_segments_are_not_marked():
    assert not marked(numbered(40) + numbered(MOST_SEGMENTS)).lines


def test_axes_are_plain():
    axes = new_figure(2, 2).subplots()
    tidy(axes, x="time (s)", y="degrees")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("time (s)", "degrees")
    assert not axes.spines["top"].get_visible()
