import numpy as np
import pytest

from posediff.alignment.checks import check_sequence, check_settings
from posediff.errors import BadData, BadSetting


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_first_frame_that_is_not_finite_is_named(value):
    x = np.zeros((5, 2))
    x[3, 1] = x[4, 0] = value
    with pytest.raises(BadData, match="query is not finite in frame 3"):
        check_sequence(x, "query")


@pytest.mark.parametrize("shape", [(), (3,), (0, 2), (3, 0), (2, 2, 2)])
def test_anything_but_frames_by_features_is_refused_with_its_shape(shape):
    with pytest.raises(BadData) as error:
        check_sequence(np.zeros(shape), "x")
    assert f"x has shape {shape}" in str(error.value)


def test_sequences_of_different_features_are_refused():
    with pytest.raises(BadData, match="y has 3 features, the other 2"):
        check_sequence(np.zeros((4, 3)), "y", like=np.zeros((5, 2)))


def test_values_whose_squares_overflow_are_refused():
    with pytest.raises(BadData, match="x reaches 1e\\+200"):
        check_sequence([[1e200, 0.0]], "x")


def test_whole_numbers_become_float64():
    assert check_sequence([[1, 2], [3, 4]], "x").dtype == np.float64


@pytest.mark.parametrize("value", [-1e-9, -1, np.nan, np.inf])
def test_a_softness_that_defines_no_alignment_is_refused(value):
    with pytest.raises(BadSetting, match=f"gamma is {value}"):
        check_settings(value, 0.0)


@pytest.mark.parametrize("value", [-1e-9, -1, np.nan, np.inf])
def test_a_penalty_that_defines_no_alignment_is_refused(value):
    with pytest.raises(BadSetting, match=f"the step penalty is {value}"):
        check_settings(1.0, value)
