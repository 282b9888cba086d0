import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.alignment.window import Window
from posediff.errors import BadSetting
from tests.alignment.paths import SEEDS

SIZE = st.integers(1, 25)
RADIUS = st.floats(0, 30) | st.sampled_from([0.0, 0.5, 1.0, 1e9])


@st.composite
def windows(draw: st.DrawFn) -> Window:
    rows, columns, radius = draw(SIZE), draw(SIZE), draw(RADIUS)
    if draw(st.booleans()):
        return Window.sakoe_chiba(rows, columns, radius)
    centre = np.random.default_rng(draw(SEEDS)).uniform(-5, columns + 5, rows)
    return Window.around(rows, columns, centre, radius)


def reachable(inside: np.ndarray) -> np.ndarray:
    """The cells that a monotone path from (0, 0) can come to, cell by cell."""
    reached = np.zeros_like(inside)
    for i, j in np.ndindex(inside.shape):
        before = [(i - 1, j - 1), (i - 1, j), (i, j - 1)]
        start = (i, j) == (0, 0)
        reached[i, j] = inside[i, j] and (start or any(min(cell) >= 0 and reached[cell] for cell in before))
    return reached


@given(windows())
def test_a_path_leads_through_every_cell_of_a_window(window):
    inside = window.contains()
    np.testing.assert_array_equal(reachable(inside), inside)
    np.testing.assert_array_equal(reachable(inside[::-1, ::-1]), inside[::-1, ::-1])
    assert inside[0, 0]
    assert inside[-1, -1]


@given(windows())
def test_bounds_never_decrease(window):
    assert (np.diff(window.first) >= 0).all()
    assert (np.diff(window.end) >= 0).all()


@given(windows())
def test_every_anti_diagonal_is_one_run_of_rows(window):
    inside = window.contains()
    firsts, ends = window.diagonals()
    assert len(firsts) == len(ends) == window.rows + window.columns - 1
    for d, (first, end) in enumerate(zip(firsts, ends, strict=True)):
        rows = [i for i in range(window.rows) if 0 <= d - i < window.columns and inside[i, d - i]]
        assert rows == list(range(first, end))


@given(windows())
def test_the_ends_of_a_run_move_by_at_most_one_row_a_diagonal(window):
    for bound in window.diagonals():
        assert set(np.diff(bound)) <= {0, 1}


@given(SIZE, SIZE)
def test_the_full_window_has_every_cell(rows, columns):
    assert Window.full(rows, columns).contains().all()


@given(SIZE, st.integers(0, 30), st.floats(0, 0.99))
def test_a_square_band_is_what_lies_within_the_radius_of_the_diagonal(size, whole, part):
    offset = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
    np.testing.assert_array_equal(Window.sakoe_chiba(size, size, whole + part).contains(), offset <= whole)


@given(SIZE, SIZE, st.floats(0, 30))
def test_a_band_has_every_cell_within_the_radius_of_the_line_between_the_corners(rows, columns, radius):
    line = np.linspace(0, columns - 1, rows)
    near = np.abs(np.arange(columns) - line[:, None]) <= radius - 1e-9
    assert Window.sakoe_chiba(rows, columns, radius).contains()[near].all()


def test_a_band_is_widened_no_more_than_a_path_needs():
    inside = Window.sakoe_chiba(3, 7, 0).contains()
    np.testing.assert_array_equal(inside, [[1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0, 1]])


@pytest.mark.parametrize("radius", [-1, -0.001, np.nan])
def test_a_band_of_negative_width_is_refused(radius):
    with pytest.raises(BadSetting, match="half-width"):
        Window.sakoe_chiba(3, 3, radius)


@pytest.mark.parametrize(
    ("first", "end"),
    [
        ([0, 3, 3], [2, 4, 5]),  # a gap between rows
        ([0, 2, 1], [3, 4, 5]),  # a bound that falls
        ([0, 0, 0], [3, 2, 5]),
        ([1, 1, 1], [5, 5, 5]),  # a corner outside
        ([0, 0, 0], [4, 4, 4]),
        ([0, 2, 2], [2, 2, 5]),  # an empty row
        ([0, 0], [5, 5, 5]),
        ([], []),
    ],
)
def test_bounds_that_leave_no_path_are_refused(first, end):
    with pytest.raises(BadSetting, match="5 columns leaves no path"):
        Window(np.array(first, np.int64), np.array(end, np.int64), 5)
