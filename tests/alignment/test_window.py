import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.alignment.window import Window
from posediff.errors import BadSetting
from tests.alignment.paths import SEEDS

SIZE = st.integers(1, 25)
RADIUS = st.floats(0, 30) | st.sampled_from([0.0, 0.5, 1.0, 1e9])
SLOPE = st.floats(1, 30) | st.sampled_from([1.0, 1.5, 2.0, 3.0, 1e9])


@st.composite
def windows(draw: st.DrawFn) -> Window:
    rows, columns, radius = draw(SIZE), draw(SIZE), draw(RADIUS)
    kind = draw(st.sampled_from(["around", "sakoe_chiba", "itakura"]))
    if kind == "sakoe_chiba":
        return Window.sakoe_chiba(rows, columns, radius)
    if kind == "itakura":
        return Window.itakura(rows, columns, draw(SLOPE))
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


def from_corner_to_corner(inside: np.ndarray) -> bool:
    return bool(reachable(inside)[-1, -1])


def near_the_line(rows: int, columns: int, radius: float) -> np.ndarray:
    """Cells within a radius of the line between the corners; in a single row or column that line is all of it."""
    line = np.linspace(0, columns - 1, rows)
    return (np.abs(np.arange(columns) - line[:, None]) <= radius + 1e-9) | (min(rows, columns) == 1)


def parallelogram(rows: int, columns: int, slope: float) -> np.ndarray:
    """Cells whose lines to both corners are no steeper than ``slope`` and no flatter than 1 / ``slope``."""
    u = np.linspace(0, 1, rows)[:, None] if rows > 1 else np.full((1, 1), np.nan)
    v = np.linspace(0, 1, columns) if columns > 1 else np.nan
    corners = [(u, v), (1 - u, 1 - v)]
    outside = [(b > slope * a * (1 + 1e-9)) | (a > slope * b * (1 + 1e-9)) for a, b in corners]
    return ~np.broadcast_to(outside[0] | outside[1], (rows, columns))


@given(SIZE, SIZE, st.floats(0, 30))
def test_a_band_that_leaves_a_path_is_taken_as_it_is_and_any_other_is_widened(rows, columns, radius):
    asked = near_the_line(rows, columns, radius)
    made = Window.sakoe_chiba(rows, columns, radius)
    assert made.widened == (not from_corner_to_corner(asked))
    if not made.widened:
        np.testing.assert_array_equal(made.contains(), asked)
    assert made.contains()[asked].all()


@given(SIZE, SIZE, SLOPE)
def test_a_parallelogram_that_leaves_a_path_is_taken_as_it_is_and_any_other_is_widened(rows, columns, slope):
    asked = parallelogram(rows, columns, slope)
    made = Window.itakura(rows, columns, slope)
    assert made.widened == (not from_corner_to_corner(asked))
    if not made.widened:
        np.testing.assert_array_equal(made.contains(), asked)
    assert made.contains()[asked].all()


@given(SIZE, st.sampled_from([1.0, 1.5, 2.0, 2.5, 3.0, 4.0]))
def test_a_square_parallelogram_is_that_of_tslearn(size, slope):
    tslearn_metrics = pytest.importorskip("tslearn.metrics")
    truth = tslearn_metrics.itakura_mask(size, size, slope)
    np.testing.assert_array_equal(Window.itakura(size, size, slope).contains(), truth)


@given(SIZE, st.integers(0, 30))
def test_a_square_band_is_that_of_tslearn(size, radius):
    tslearn_metrics = pytest.importorskip("tslearn.metrics")
    truth = tslearn_metrics.sakoe_chiba_mask(size, size, radius)
    np.testing.assert_array_equal(Window.sakoe_chiba(size, size, radius).contains(), truth)


@given(SIZE, SIZE, RADIUS, SLOPE)
def test_bands_run_backwards_as_they_run_forwards(rows, columns, radius, slope):
    for window in (Window.sakoe_chiba(rows, columns, radius), Window.itakura(rows, columns, slope)):
        np.testing.assert_array_equal(window.contains(), window.contains()[::-1, ::-1])


@given(SIZE, st.floats(1, 30))
def test_a_square_parallelogram_treats_both_sequences_alike(size, slope):
    inside = Window.itakura(size, size, slope).contains()
    np.testing.assert_array_equal(inside, inside.T)


@given(SIZE, SIZE)
def test_a_wide_band_has_every_cell(rows, columns):
    for radius in (columns, np.inf):
        window = Window.sakoe_chiba(rows, columns, radius)
        assert window.contains().all()
        assert not window.widened


@given(st.integers(3, 25), st.integers(3, 25))
def test_a_steep_parallelogram_lacks_only_the_other_cells_of_the_outermost_rows_and_columns(rows, columns):
    window = Window.itakura(rows, columns, 1e6)
    inside = window.contains()
    assert inside[1:-1, 1:-1].all()
    assert inside.sum() == (rows - 2) * (columns - 2) + 2
    assert not window.widened


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (7, [[1, 1, 0, 0, 0, 0, 0], [0, 0, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 1, 1]]),
        (4, [[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1]]),
    ],
)
def test_a_band_is_widened_no_more_than_a_path_needs(columns, expected):
    for window in (Window.sakoe_chiba(3, columns, 0), Window.itakura(3, columns, 1)):
        np.testing.assert_array_equal(window.contains(), expected)
        assert window.widened


@pytest.mark.parametrize(
    ("centre", "radius", "widened"),
    [
        ([0.0, 1.0, 3.0], 1, False),
        ([0.0, 1.0, 3.0], 0.9, True),  # a gap between rows 1 and 2
        ([1.0, 1.0, 3.0], 0.5, True),  # the first corner is outside
        ([0.0, 1.0, 1.5], 1, True),  # and the last
        ([0.0, 1.5, 3.0], 0.4, True),  # an empty row
    ],
)
def test_a_window_around_a_curve_says_whether_it_was_widened(centre, radius, widened):
    assert Window.around(3, 4, np.array(centre), radius).widened == widened


@pytest.mark.parametrize("radius", [-1, -0.001, np.nan])
def test_a_band_of_negative_width_is_refused(radius):
    for make in (Window.sakoe_chiba, lambda n, m, r: Window.around(n, m, np.arange(3.0), r)):
        with pytest.raises(BadSetting, match="half-width"):
            make(3, 3, radius)


@pytest.mark.parametrize("slope", [0.5, -1, np.nan, np.inf])
def test_a_parallelogram_of_no_slope_is_refused(slope):
    with pytest.raises(BadSetting, match="slope"):
        Window.itakura(3, 3, slope)


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
