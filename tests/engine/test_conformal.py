from fractions import Fraction
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.engine.conformal import coverage, half_width, interval, needed
from posediff.errors import BadSetting

ERRORS = st.lists(st.floats(0, 1e6), max_size=40)
LEVELS = st.integers(1, 99).map(lambda number: number / 100)


def counted(errors, level):
    """The smallest error that so many of all errors, and one more that is unknown, do not exceed."""
    exact = Fraction(str(level))
    fitting = [one for one in errors if Fraction(sum(other <= one for other in errors), len(errors) + 1) >= exact]
    return min(fitting, default=None)


@given(ERRORS, LEVELS)
def test_the_half_width_is_found_by_counting(errors, level):
    assert half_width(errors, level) == counted(errors, level)


@given(ERRORS, st.sampled_from([0.5, 0.75, 0.875]))
def test_the_half_width_is_the_quantile_of_the_errors_and_one_without_limit(errors, level):
    augmented = [*errors, inf]
    found = half_width(errors, level)
    assert (inf if found is None else found) == np.quantile(augmented, level, method="inverted_cdf")
    assert (inf if found is None else found) <= np.quantile(augmented, level, method="higher")


@given(LEVELS)
def test_fewer_than_needed_are_too_few(level):
    count = needed(level)
    assert half_width([1.0] * count, level) == 1
    assert half_width([1.0] * (count - 1), level) is None


def test_the_usual_levels_need_so_many():
    assert [needed(level) for level in (0.5, 0.8, 0.9, 0.95, 0.99)] == [1, 4, 9, 19, 99]


@pytest.mark.parametrize(("count", "level"), [(9, 0.9), (25, 0.8), (40, 0.9), (12, 0.7)])
def test_intervals_hold_as_often_as_they_say_and_hardly_more(count, level):
    rng = np.random.default_rng(count)
    errors = rng.gamma(2.0, size=(20_000, count + 1))
    held = np.mean([new <= half_width(known, level) for *known, new in errors])
    slack = 4 * np.sqrt(level * (1 - level) / len(errors))  # standard deviations of the count
    assert level - slack <= held <= level + 1 / (count + 1) + slack


def test_an_interval_is_as_wide_on_either_side_and_in_units():
    found = interval(10.0, [0.5, 1.0, 2.0], 0.5, unit=3.0)
    assert (found.low, found.high, found.calibrated_on, found.needed) == (7.0, 13.0, 3, 1)
    none = interval(10.0, [0.5], 0.9)
    assert (none.low, none.high, none.calibrated_on, none.needed) == (None, None, 1, 9)


def test_coverage_is_the_share_inside_the_ends_included():
    low, high = np.array([0.0, 0.0, 5.0, 1.0]), np.array([1.0, 2.0, 6.0, 1.0])
    assert coverage(low, high, np.array([1.0, 2.1, 4.9, 1.0])) == 0.5


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, float("nan")])
def test_a_level_that_is_no_probability_is_refused(level):
    with pytest.raises(BadSetting, match="the level is"):
        half_width([1.0], level)
    with pytest.raises(BadSetting):
        needed(level)
