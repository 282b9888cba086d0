"""The vector operations work only inside compiled functions: each one is written out over arrays here."""

from fractions import Fraction

import numba
import numpy as np
import pytest

from posediff.alignment.kernels.simd import (
    choose,
    exp2_parts,
    exponent_of,
    lane_is,
    lanes_of,
    largest,
    less,
    load,
    positive,
    push_down,
    push_up,
    scale,
    smallest,
    splat,
    store,
    store_lane,
)

FLOATS = (np.float32, np.float64)
NUMBERS = (*FLOATS, np.int32, np.int64)
#: Per float type: its integers, and the exponents of its normal numbers.
INTEGERS = {np.float32: np.int32, np.float64: np.int64}
EXPONENTS = {np.float32: (-126, 127), np.float64: (-1022, 1023)}

floats = pytest.mark.parametrize("kind", FLOATS)
numbers = pytest.mark.parametrize("kind", NUMBERS)


def lanes(kind: type) -> int:
    return 128 // np.dtype(kind).itemsize


def draw(kind: type, count: int, seed: int = 0) -> np.ndarray:
    """Random numbers of both signs, as many as ``count`` vectors hold."""
    return (np.random.default_rng(seed).normal(size=count * lanes(kind)) * 1000).astype(kind)


@numba.njit
def _lanes(array):
    return lanes_of(array)


@numba.njit
def _copy(source, at, target, to):
    store(target, to, load(source, at))


@numba.njit
def _arithmetic(a, b, out):
    x, y = load(a, 0), load(b, 0)
    store(out, 0, x + y)
    store(out, lanes_of(a), x - y)
    store(out, 2 * lanes_of(a), x * y)
    store(out, 3 * lanes_of(a), largest(x, y))
    store(out, 4 * lanes_of(a), smallest(x, y))
    store(out, 5 * lanes_of(a), choose(less(x, y), x, splat(a, 7)))


@numba.njit
def _choices(a, b, out):
    x, y = load(a, 0), load(b, 0)
    one, zero = splat(a, 1.0), splat(a, 0.0)
    store(out, 0, choose(less(x, y), one, zero))
    store(out, lanes_of(a), choose(positive(x), one, zero))
    store(out, 2 * lanes_of(a), smallest(x, y))
    store(out, 3 * lanes_of(a), largest(x, y))


@numba.njit
def _pushed(vector, array, at, out):
    store(out, 0, push_up(load(vector, 0), array, at))
    store(out, lanes_of(vector), push_down(load(vector, 0), array, at))


@numba.njit
def _one_lane(vector, out, at, lane):
    store_lane(out, at, load(vector, 0), lane)


@numba.njit
def _mark(array, lane):
    store(array, 0, choose(lane_is(array, lane), splat(array, 1), splat(array, 0)))


@numba.njit
def _scaled(value, exponent, reference, out):
    for k in range(0, value.size, lanes_of(value)):
        store(out, k, scale(load(value, k), load(exponent, k), load(reference, k)))


@numba.njit
def _exponents(value, out):
    store(out, 0, exponent_of(load(value, 0)))


@numba.njit
def _power(value, factor, offset, mantissa, exponent):
    for k in range(0, value.size, lanes_of(value)):
        part, whole = exp2_parts(load(value, k), splat(value, factor), splat(value, offset))
        store(mantissa, k, part)
        store(exponent, k, whole)


@numbers
def test_a_vector_has_as_many_lanes_as_fit(kind):
    assert _lanes(np.zeros(1, kind)) == lanes(kind)


@numbers
def test_lanes_are_read_and_written_anywhere_and_nothing_beside_them(kind):
    source, target = draw(kind, 3), np.zeros(3 * lanes(kind), kind)
    _copy(source, 5, target, 7)
    expected = np.zeros_like(target)
    expected[7 : 7 + lanes(kind)] = source[5 : 5 + lanes(kind)]
    np.testing.assert_array_equal(target, expected)


@numbers
def test_lanes_are_added_multiplied_and_compared_one_by_one(kind):
    a, b = draw(kind, 1), draw(kind, 1, seed=1)
    out = np.zeros((6, lanes(kind)), kind)
    _arithmetic(a, b, out.reshape(-1))
    truth = [a + b, a - b, a * b, np.maximum(a, b), np.minimum(a, b), np.where(a < b, a, kind(7))]
    np.testing.assert_array_equal(out, truth)


@floats
def test_what_is_not_a_number_counts_as_less_and_passes_through_as_the_second_of_two(kind):
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, np.finfo(kind).smallest_subnormal, 1.0, -1.0]
    a, b = (np.resize(np.array(side, kind), lanes(kind)) for side in (special, [np.nan] + 8 * [1.0]))
    # Every special number meets 1, and NaN meets each.
    for x, y in ((a, np.ones_like(a)), (np.ones_like(a), a), (b, a)):
        out = np.zeros((4, lanes(kind)), kind)
        _choices(x, y, out.reshape(-1))
        either = np.isnan(x) | np.isnan(y)
        np.testing.assert_array_equal(out[0], (x < y) | either)
        np.testing.assert_array_equal(out[1], x > 0)
        np.testing.assert_array_equal(out[2], np.where(either, y, np.minimum(x, y)))
        np.testing.assert_array_equal(out[3], np.where(either, y, np.maximum(x, y)))


@numbers
def test_pushing_moves_every_lane_on_and_lets_one_number_in(kind):
    vector, array = draw(kind, 1), draw(kind, 1, seed=1)
    out = np.zeros((2, lanes(kind)), kind)
    _pushed(vector, array, 3, out.reshape(-1))
    np.testing.assert_array_equal(out, [[array[3], *vector[:-1]], [*vector[1:], array[3]]])


@numbers
def test_one_lane_is_written_and_nothing_beside_it(kind):
    vector = draw(kind, 1)
    for lane in (0, 1, lanes(kind) - 1):
        out = np.zeros(9, kind)
        _one_lane(vector, out, 4, lane)
        np.testing.assert_array_equal(out, [0, 0, 0, 0, vector[lane], 0, 0, 0, 0])


@numbers
def test_a_mask_marks_one_lane(kind):
    for lane in range(lanes(kind)):
        marks = np.full(lanes(kind), 5, kind)
        _mark(marks, lane)
        assert np.flatnonzero(marks).tolist() == [lane]
        assert marks[lane] == 1


@floats
def test_scaling_is_exact_within_the_range_and_zero_where_the_power_is_tiny(kind):
    low, high = EXPONENTS[kind]
    gaps = np.array([0, 1, -1, 20, high, low, low - 1, low - 2, low - 60, -(1 << 20), -(1 << 30)])
    for reference in (0, 1, -12345, 1 << 20, -(1 << 29)):
        exponents = np.maximum(reference + gaps, np.iinfo(np.int32).min)
        for value in (1.0, 1.5, 0.75, 1.999, 0.0):
            row = np.full(lanes(kind), value, kind)
            exponent = np.resize(exponents, row.size).astype(INTEGERS[kind])
            out = np.full_like(row, np.nan)
            _scaled(row, exponent, np.full_like(exponent, reference), out)
            gap = exponent.astype(np.int64) - reference
            truth = np.where(gap < low, 0, np.ldexp(row, np.clip(gap, low, high)))
            np.testing.assert_array_equal(out, truth.astype(kind))


@floats
def test_the_exponent_of_a_number_is_that_of_its_highest_bit(kind):
    low, high = EXPONENTS[kind]
    values = np.ldexp(np.array([1.0, 1.999, 1.0, 1.5, 1.0, 1.0, 1.25], kind), [0, 0, 1, -1, low, high, 33])
    out = np.zeros(lanes(kind), INTEGERS[kind])
    _exponents(np.resize(values, lanes(kind)), out)
    np.testing.assert_array_equal(out, np.resize(np.frexp(values)[1] - 1, lanes(kind)))


@floats
def test_the_exponent_of_zero_is_below_that_of_every_number(kind):
    out = np.zeros(lanes(kind), INTEGERS[kind])
    _exponents(np.zeros(lanes(kind), kind), out)
    assert (out < EXPONENTS[kind][0]).all()


def powers(values: np.ndarray, factor: float, offset: float) -> tuple[np.ndarray, np.ndarray]:
    values = np.resize(values, -(-values.size // lanes(values.dtype)) * lanes(values.dtype))
    mantissa, exponent = np.empty_like(values), np.empty(values.size, INTEGERS[values.dtype.type])
    _power(values, values.dtype.type(factor), values.dtype.type(offset), mantissa, exponent)
    return mantissa, exponent


@floats
@pytest.mark.parametrize("factor", [1.0, -1.4426950408889634, 1e-3, -1443.0])
@pytest.mark.parametrize(("bits", "errors"), [(6, 6), (3, 8), (0, 1000)])
def test_powers_of_two_are_exact_for_exponents_of_any_size(kind, factor, bits, errors):
    # Exponents that fill a mantissa but for some bits; the last of these are as large as any that are used.
    size = 2.0 ** (np.finfo(kind).nmant - 1 - bits)
    exponents = np.random.default_rng(0).uniform(-size, size, 1024)
    values = (exponents / factor).astype(kind)
    mantissa, exponent = powers(values, factor, 0.0)
    # Large products have more digits than a float of either kind.
    wanted = [Fraction(float(value)) * Fraction(float(kind(factor))) for value in values]
    fraction = np.array([float(want - int(whole)) for want, whole in zip(wanted, exponent, strict=True)])
    assert np.abs(fraction).max() < 0.65
    np.testing.assert_allclose(mantissa, np.exp2(fraction), rtol=errors * np.finfo(kind).eps)


@floats
def test_powers_of_two_are_exact_for_small_exponents(kind):
    values = np.linspace(-3, 3, 1024).astype(kind)
    mantissa, exponent = powers(values, 1.0, 0.0)
    truth = np.exp2(values.astype(np.float64))
    np.testing.assert_allclose(mantissa * 2.0**exponent, truth, rtol=5 * np.finfo(kind).eps)


@floats
def test_an_offset_adds_to_the_exponent(kind):
    values = np.linspace(0, 1000, 640).astype(kind)
    mantissa, exponent = powers(values, -1.5, -2.75)
    truth = np.exp2(-1.5 * values.astype(np.float64) - 2.75 - exponent)
    np.testing.assert_allclose(mantissa, truth, rtol=1500 * np.finfo(kind).eps)


@floats
def test_whole_exponents_have_no_fraction(kind):
    values = np.arange(-64, 64).astype(kind)
    mantissa, exponent = powers(values, 3.0, 5.0)
    size = mantissa * 2.0 ** (exponent - 3 * values.astype(int) - 5)
    np.testing.assert_allclose(size, 1, rtol=2 * np.finfo(kind).eps)


@floats
def test_the_power_of_what_is_not_a_number_is_not_a_number(kind):
    assert np.isnan(powers(np.array([np.nan], kind), 2.0, 0.0)[0]).all()
