import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.alignment.bands import NO_BAND, Itakura, SakoeChiba, from_key, ranges
from posediff.alignment.window import Window
from posediff.errors import BadSetting

SIZE = st.integers(1, 25)
SLOPE = st.floats(1, 30) | st.sampled_from([1.0, 1.5, 2.0, 1e9])
BAND = st.builds(SakoeChiba, st.floats(0, 30)) | st.builds(Itakura, SLOPE)


def test_a_parallelogram_has_a_slope_of_two_by_default():
    assert Itakura() == Itakura(2.0)


@given(SIZE, SIZE, st.floats(0, 30), SLOPE)
def test_bands_are_the_windows_of_their_names(rows, columns, radius, slope):
    pairs = [
        (SakoeChiba(radius).window(rows, columns), Window.sakoe_chiba(rows, columns, radius)),
        (Itakura(slope).window(rows, columns), Window.itakura(rows, columns, slope)),
    ]
    for made, expected in pairs:
        np.testing.assert_array_equal(made.contains(), expected.contains())
        assert made.widened == expected.widened


@pytest.mark.parametrize("radius", [-1, -0.001, np.nan, "3", None])
def test_a_radius_that_no_band_can_have_is_refused(radius):
    with pytest.raises(BadSetting, match=f"half-width of {radius}"):
        SakoeChiba(radius)


@pytest.mark.parametrize("slope", [0.99, -2, np.nan, np.inf, "3", None])
def test_a_slope_that_no_parallelogram_can_have_is_refused(slope):
    with pytest.raises(BadSetting, match=f"slope of {slope}"):
        Itakura(slope)


@given(BAND)
def test_a_band_survives_as_a_key(band):
    kind, value = band.key
    assert type(kind) is int
    assert type(value) is float
    assert from_key(kind, value) == band


def test_no_band_has_a_key_of_its_own():
    assert from_key(NO_BAND, 0.0) is None


def test_a_key_of_no_band_is_refused():
    with pytest.raises(BadSetting, match="kind 7"):
        from_key(7, 1.0)


LENGTHS = st.lists(st.tuples(SIZE, SIZE), min_size=1, max_size=6)


@given(BAND | st.none(), LENGTHS, st.integers(0, 5))
def test_ranges_are_those_of_every_window_and_empty_on_padding(band, lengths, padding):
    rows, columns = np.array(lengths).T
    height = rows.max() + padding
    made = ranges(band, rows, columns, height)
    assert made.first.shape == made.end.shape == (len(lengths), height)
    assert made.first.dtype == made.end.dtype == np.int64
    windows = [Window.full(n, m) if band is None else band.window(n, m) for n, m in lengths]
    for k, (n, m) in enumerate(lengths):
        np.testing.assert_array_equal(made.first[k, :n], windows[k].first)
        np.testing.assert_array_equal(made.end[k, :n], windows[k].end)
        assert (made.first[k, n:] == m).all()
        assert (made.end[k, n:] == m).all()
    assert made.widened == any(window.widened for window in windows)


def test_windows_of_equal_lengths_are_computed_once(monkeypatch):
    sizes = []
    window = SakoeChiba.window
    monkeypatch.setattr(SakoeChiba, "window", lambda band, *size: sizes.append(size) or window(band, *size))
    ranges(SakoeChiba(2), np.array([5, 4, 5, 4]), np.array([6, 6, 6, 6]), 5)
    assert sorted(sizes) == [(4, 6), (5, 6)]
