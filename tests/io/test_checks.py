from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from posediff.io.checks import Fault, array, get, integers, shown


@settings(max_examples=50)
@given(hnp.arrays(np.float64, hnp.array_shapes(min_dims=1, max_dims=4), elements=st.floats(-1e9, 1e9)))
def test_an_array_of_numbers_is_numpy_s(values: np.ndarray) -> None:
    np.testing.assert_array_equal(array(values.tolist(), "x", *values.shape), values)


def test_null_at_any_level_but_the_first_fills_with_nan() -> None:
    nested = [[[1, 2], None], None, [[None, 4], [5, 6]]]
    nan = np.nan
    expected = [[[1, 2], [nan, nan]], [[nan, nan], [nan, nan]], [[nan, 4], [5, 6]]]
    np.testing.assert_array_equal(array(nested, "x", None, 2, None), expected)
    with pytest.raises(Fault, match="x is null, expected a list"):
        array(None, "x", None)


@pytest.mark.parametrize(
    ("nested", "said"),
    [
        ([[1, 2], [3, "4"]], "x[1][1] is '4', expected a number or null"),
        ([[1, 2], [3, True]], "x[1][1] is true, expected a number or null"),
        ([[1, 2], 3], "x[1] is 3, expected a list"),
        ([[1, 2], [3]], "x[1] has 1 values, expected 2"),
        ([[1, 2], [3, [4]]], "x[1][1] is a list of 1, expected a number or null"),
        ([[1, 2], [3, 10**400]], "x holds a number that is too large"),
    ],
)
def test_a_value_that_is_no_number_is_told_with_its_place(nested: Any, said: str) -> None:
    with pytest.raises(Fault) as fault:
        array(nested, "x", None, 2)
    assert str(fault.value) == said


@pytest.mark.parametrize(("value", "said"), [(1.5, "1.5"), (None, "nan"), (2**60, "1.15")])
def test_a_number_that_is_not_whole_is_told_with_its_place(value: Any, said: str) -> None:
    with pytest.raises(Fault) as fault:
        integers([0, value], "x", 2)
    assert str(fault.value).startswith(f"x[1] is {said}")


def test_true_is_neither_a_whole_number_nor_a_number() -> None:
    for kind in (int, float):
        with pytest.raises(Fault, match="a is true"):
            get({"a": True}, "a", kind)


def test_a_whole_number_is_a_number_and_null_is_absent() -> None:
    assert get({"a": 3}, "a", float) == 3
    assert get({"a": None}, "a", float, default=5) == 5


@pytest.mark.parametrize(
    ("value", "text"),
    [({}, "an object"), ([1], "a list of 1"), (None, "null"), (10**99, "a huge number"), ("a", "'a'")],
)
def test_a_value_is_shown_in_few_words(value: Any, text: str) -> None:
    assert shown(value) == text
    assert len(shown("long " * 99)) == 40
