import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.differencing.grammar.units import ANGLE, LENGTH, NONE, SPEED, TIME, name, product

UNITS = st.tuples(*[st.integers(-3, 3)] * 3)


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        (NONE, "1"),
        (ANGLE, "deg"),
        (SPEED, "torso/s"),
        (product(NONE, TIME, -1), "1/s"),
        (product(LENGTH, LENGTH), "torso^2"),
        (product(product(ANGLE, LENGTH), product(TIME, TIME), -1), "deg*torso/s^2"),
        ((-1, 0, -2), "1/deg/s^2"),
    ],
)
def test_units_are_called_as_one_would_write_them(unit, text):
    assert name(unit) == text


@given(UNITS, UNITS)
def test_dividing_undoes_multiplying(one, other):
    assert product(product(one, other), other, -1) == one


@given(UNITS, UNITS)
def test_different_units_have_different_names(one, other):
    assert (name(one) == name(other)) == (one == other)
