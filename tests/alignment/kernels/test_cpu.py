import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.alignment.kernels import cpu, states
from posediff.alignment.kernels.simd import load, splat, store
from tests.alignment.kernels.sheets import KINDS, SEEDS, fenced, lanes, meeting, nothing, ranges, sheet, softened

LOG2_E = np.log2(np.e)
#: Relative errors that are allowed.
DIGITS = {np.float32: 3e-5, np.float64: 1e-11}


def scaling(kind: type, gamma: float, offset: float = 0.0) -> cpu.Scaling:
    return cpu.Scaling(kind(LOG2_E / gamma), kind(offset), nothing(kind))


def begin(costs: np.ndarray, columns: int) -> cpu.Carry:
    """The row before the first of a matrix that begins in its corner."""
    return cpu.entry(costs.reshape(-1), columns, nothing(costs.dtype.type), False, 0.0)


def logarithms(carry: cpu.Carry, columns: int, kind: type) -> np.ndarray:
    """(columns,) log2 of a row of sums."""
    row = slice(lanes(kind), lanes(kind) + columns)
    with np.errstate(divide="ignore"):
        return np.log2(carry.mantissa[row].astype(np.float64)) + carry.exponent[row]


def truth(costs: np.ndarray, gamma: float) -> tuple[float, np.ndarray]:
    """Soft-DTW and the expected alignment of one matrix."""
    (rows, columns), one = costs.shape, np.ones(1)
    everywhere = np.zeros((1, rows), np.int64), np.full((1, rows), columns)
    lengths = np.array([rows]), np.array([columns])
    made = states.solve(costs[None], *everywhere, *lengths, one * gamma, 0 * one)
    return made.value[0], made.expected[0]


def cut(rng: np.random.Generator, rows: int) -> list[tuple[int, int]]:
    """Runs of rows that follow one another."""
    bounds = np.unique([0, *rng.integers(0, rows + 1, 2), rows]).tolist()
    return list(zip(bounds[:-1], bounds[1:], strict=True))


@st.composite
def problems(draw):
    """A matrix in a padded batch, its size and band, gamma, and random numbers."""
    kind, rng = draw(KINDS), np.random.default_rng(draw(SEEDS))
    rows, columns = (int(n) for n in rng.integers(1, 90, 2))
    costs = np.full((1, rows + 3, columns + 5), np.nan, kind)
    costs[0, :rows, :columns] = rng.random((rows, columns)) * rng.choice([0.1, 1.0, 20.0])
    if draw(st.booleans()):
        costs[0, :rows, :columns][rng.random((rows, columns)) < 0.1] = np.inf
    band = ranges(rng, rows, columns, rows + 3) if draw(st.booleans()) else None
    return costs, rows, columns, band, draw(st.sampled_from([0.01, 0.3, 1.0, 10.0])), rng


@settings(max_examples=60)
@given(problems(), st.sampled_from([1, -1]))
def test_sheet_by_sheet_the_carry_holds_the_sums_of_the_last_row(problem, sign):
    costs, rows, columns, band, gamma, rng = problem
    kind, carry = costs.dtype.type, begin(costs, columns)
    fence = fenced(costs[0, :rows, :columns], band)[::sign, ::sign]
    values = softened(fence, gamma)
    for top, stop in cut(rng, rows):
        part = sheet(costs, sign, top, stop, rows=rows, columns=columns, band=band)
        lowest, _ = cpu.forward(part, scaling(kind, gamma), carry, False)
        assert lowest == fence[top:stop].min()
        sums, digits = logarithms(carry, columns, kind), DIGITS[kind]
        np.testing.assert_allclose(sums, -values[stop - 1] / gamma * LOG2_E, rtol=digits, atol=30 * digits)


@settings(max_examples=40)
@given(problems())
def test_sheets_from_both_ends_give_the_expected_alignment_of_the_whole(problem):
    costs, rows, columns, band, gamma, rng = problem
    kind = costs.dtype.type
    value, expected = truth(fenced(costs[0, :rows, :columns], band), gamma)
    if not np.isfinite(value):
        return
    middle = int(rng.integers(0, rows + 1))
    how, given = scaling(kind, gamma), costs.copy()
    met, passes = [], []
    for sign, count in ((1, middle), (-1, rows - middle)):
        carry, parts = begin(costs, columns), []
        for top, stop in cut(rng, count) if count else []:
            part = sheet(costs, sign, top, stop, rows=rows, columns=columns, band=band)
            parts.append((part, cpu.forward(part, how, carry, True)[1]))
        met.append(carry)
        passes.append(parts)
    z_m, z_e = meeting(*met, columns, kind)
    np.testing.assert_allclose(
        -(np.log2(z_m) + z_e) * gamma / LOG2_E, value, rtol=DIGITS[kind], atol=gamma * DIGITS[kind] * (rows + columns)
    )
    sums = np.full(rows, np.nan, kind), np.zeros(columns, kind)
    for parts, carry in zip(passes, met[::-1], strict=True):
        below = cpu.turned(carry, columns, lanes(kind))
        for part, kept in parts[::-1]:
            cpu.backward(part, how, below, kept, z_m, z_e, part.costs, *sums)
    inside = np.zeros(costs.shape, bool)
    inside[0, :rows, :columns] = np.isfinite(fenced(np.zeros((rows, columns)), band))
    np.testing.assert_allclose(costs[inside], expected[inside[0, :rows, :columns]], atol=200 * DIGITS[kind])
    for axis in (0, 1):
        np.testing.assert_allclose(sums[axis], expected.sum(axis=1 - axis), rtol=30 * DIGITS[kind], atol=DIGITS[kind])
    np.testing.assert_array_equal(costs[~inside], given[~inside])


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("fraction", [0.25, 0.45, 0.55])
def test_mantissas_stay_in_range_where_all_steps_are_diagonal(kind, fraction):
    # On the diagonal every weight has the same fraction, in steps that never meet their neighbours' sums.
    count = 3000
    costs = np.full((1, count, count), np.inf, kind)
    costs[0][np.diag_indices(count)] = 7 + fraction
    how, carry = scaling(kind, LOG2_E), begin(costs, count)
    part = sheet(costs, 1, 0, count)
    _, kept = cpu.forward(part, how, carry, True)
    np.testing.assert_allclose(logarithms(carry, count, kind)[-1], -count * (7 + fraction), rtol=1e-6)
    z_m, z_e = meeting(carry, begin(costs, count), count, kind)
    below = cpu.turned(begin(costs, count), count, lanes(kind))
    sums = np.zeros((2, count), kind)
    cpu.backward(part, how, below, kept, z_m, z_e, part.costs, *sums)
    np.testing.assert_allclose(costs[0], np.eye(count), atol=1e-3)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("keep", [False, True])
def test_a_pass_keeps_nothing_unless_it_is_asked_to(kind, keep):
    costs = np.ones((1, 70, 50), kind)
    carry = begin(costs, 50)
    _, kept = cpu.forward(sheet(costs, 1, 0, 70), scaling(kind, 1.0), carry, keep)
    assert all((array.size > 0) == keep for array in kept)


@settings(max_examples=20)
@given(KINDS, SEEDS, st.sampled_from([0.0, -0.75, -20.0]))
def test_an_offset_is_a_cost_of_every_cell(kind, seed, offset):
    rng = np.random.default_rng(seed)
    costs = rng.random((1, 40, 40)).astype(kind)
    ways = []
    for shift, more in ((offset, 0.0), (0.0, -offset / LOG2_E)):
        carry = begin(costs, 40)
        cpu.forward(sheet(costs + kind(more), 1, 0, 40), scaling(kind, 1.0, shift), carry, False)
        ways.append(logarithms(carry, 40, kind))
    np.testing.assert_allclose(*ways, rtol=DIGITS[kind], atol=DIGITS[kind])


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("bits", [0.0, 0.3, 5.0, 3e4])
def test_an_opened_row_leads_into_every_cell_with_what_the_penalties_before_it_take_off(kind, bits):
    carry = cpu.entry(np.zeros(1, kind), 40, nothing(kind), True, bits)
    sums = logarithms(carry, 41, kind)
    # A cell is entered from above and, as from no cell further left, from the diagonal.
    before = np.append(np.log2(carry.mantissa[lanes(kind) - 1]) + carry.exponent[lanes(kind) - 1], sums[:39])
    np.testing.assert_allclose(np.logaddexp2(before, sums[:40]), -bits * np.arange(40.0), rtol=1e-6, atol=1e-6)


@settings(max_examples=20)
@given(KINDS, st.integers(1, 80), SEEDS)
def test_a_turned_row_is_read_from_its_other_end(kind, columns, seed):
    rng, size = np.random.default_rng(seed), lanes(kind)
    mantissa, exponent = rng.random(columns + 3 * size), rng.integers(-9, 9, columns + 3 * size)
    row = cpu.Carry(mantissa.astype(kind), exponent.astype(nothing(kind).dtype))
    other = cpu.turned(row, columns, size)
    for mine, theirs in zip(row, other, strict=True):
        np.testing.assert_array_equal(theirs[size : size + columns], mine[size : size + columns][::-1])
        assert theirs[size - 1] == mine[size + columns]
        assert theirs[size + columns] == mine[size - 1]
    assert not other.mantissa[: size - 1].any()
    assert not other.mantissa[size + columns + 1 :].any()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_weights_are_powers_of_the_costs_and_zero_beyond_the_largest_exponent(kind):
    how, size = scaling(kind, 0.5, -3.0), lanes(kind)
    ceiling = cpu.ceiling_of(np.zeros(1, kind))
    limit = (ceiling - 3.0) / float(how.factor)
    costs = np.array([0.0, 0.5, 1.0, -2.0, 1000.0, limit * 0.9, limit * 1.1, np.inf], kind)
    skew = np.resize(costs, 2 * size)
    power = np.zeros(2 * size, nothing(kind).dtype)
    lowest = weighed(skew, power, how)
    exact = -costs.astype(np.float64) * float(how.factor) - 3.0
    with np.errstate(divide="ignore"):
        sizes = np.log2(skew[: costs.size].astype(np.float64)) + power[: costs.size]
    np.testing.assert_allclose(sizes[:6], exact[:6], rtol=1e-6)
    assert (skew[: costs.size][6:] == 0).all()
    np.testing.assert_array_equal(lowest, np.minimum(np.resize(costs, 2 * size).reshape(2, -1).min(axis=0), 5))


@numba.njit
def _weighed(skew, power, how, lowest):
    store(lowest, 0, cpu.weigh(skew, power, 2, skew, how, splat(skew, 5.0)))


def weighed(skew: np.ndarray, power: np.ndarray, how: cpu.Scaling) -> np.ndarray:
    lowest = np.zeros(lanes(skew.dtype), skew.dtype)
    _weighed(skew, power, how, lowest)
    return lowest


@numba.njit
def _renewed(mantissa, exponent, none):
    plain, shifted = cpu.renew(load(mantissa, 0), load(exponent, 0), splat(none, none[0]))
    store(mantissa, 0, plain)
    store(exponent, 0, shifted)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_renewing_keeps_a_number_and_brings_its_mantissa_next_to_one(kind):
    none = nothing(kind)
    mantissa = np.resize(np.array([1.0, 3.5e9, 1e-9, 0.0, np.nan, 1e-3], kind), lanes(kind))
    exponent = np.resize(np.array([5, -7, 100, 12, 0, none[0] - 40], none.dtype), lanes(kind))
    before, plain = (mantissa.copy(), exponent.astype(int)), np.isin(np.arange(lanes(kind)) % 6, (0, 1, 2))
    _renewed(mantissa, exponent, none)
    kept = np.ldexp(before[0], before[1] - exponent, where=plain, out=np.zeros_like(mantissa))
    np.testing.assert_array_equal(mantissa[plain], kept[plain])
    assert ((mantissa[plain] >= 1) & (mantissa[plain] < 2)).all()
    np.testing.assert_array_equal(exponent[~plain], none[0])
    assert (mantissa[3::6] == 0).all()
    assert np.isnan(mantissa[4::6]).all()
