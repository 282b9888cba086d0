from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.alignment import engine
from posediff.alignment.bands import Ranges, SakoeChiba
from posediff.alignment.bands import ranges as ranges_of
from posediff.alignment.kernels import cpu, states, whole
from tests.alignment.kernels.sheets import KINDS, SEEDS, SIGNS, lanes, meeting, nothing, sheet

kinds = pytest.mark.parametrize("kind", [np.float32, np.float64])


def prepared(costs: np.ndarray, gamma: float = 1.0, penalty: float = 0.0, **given: Any) -> tuple[Any, Any]:
    """A batch, and the arrays for what is found; by default of full length, without a band and closed."""
    count = len(costs)
    rows = given.get("rows", np.full(count, costs.shape[1]))
    columns = given.get("columns", np.full(count, costs.shape[2]))
    cells = given.get("cells") or ranges_of(given.get("band"), rows, columns, costs.shape[1])
    ways = (given.get("open_begin", False), given.get("open_end", False))
    model = np.full(count, gamma), np.full(count, penalty)
    return engine.prepare(costs, cells, rows, columns, *model, *ways, costs.shape[2])


def truth(costs: np.ndarray, batch: whole.Batch, gamma: float = 1.0, penalty: float = 0.0) -> states.Solution:
    one = np.ones(len(costs))
    where = (costs, batch.first, batch.end, batch.rows, batch.columns)
    return states.solve(*where, gamma * one, penalty * one, None, None, batch.open_begin, batch.open_end)


@st.composite
def problems(draw) -> tuple[np.ndarray, dict[str, Any], dict[str, float]]:
    """Costs with NaN as padding; lengths, a band and open ends; gamma and the penalty."""
    kind, rng = draw(KINDS), np.random.default_rng(draw(SEEDS))
    count, height, width = (int(n) for n in rng.integers([1, 1, 1], [4, 90, 90]))
    how = {
        "rows": rng.integers(1, height + 1, count),
        "columns": rng.integers(1, width + 1, count),
        "band": draw(st.sampled_from([None, SakoeChiba(5.0)])),
        "open_begin": draw(st.booleans()),
        "open_end": draw(st.booleans()),
    }
    costs = np.full((count, height, width), np.nan, kind)
    for k in range(count):
        costs[k, : how["rows"][k], : how["columns"][k]] = rng.random((how["rows"][k], how["columns"][k])) * 3
    return costs, how, {"gamma": draw(st.sampled_from([0.05, 1.0, 8.0])), "penalty": draw(st.sampled_from([0.0, 0.4]))}


@settings(max_examples=20)
@given(KINDS, SIGNS, SEEDS)
def test_a_sheet_is_found_in_its_batch(kind, sign, seed):
    rng = np.random.default_rng(seed)
    costs = rng.random((3, 12, 9)).astype(kind)
    batch, _ = prepared(costs, rows=np.array([12, 7, 3]), columns=np.array([4, 9, 6]))
    for item in range(3):
        top, stop = sorted(rng.integers(0, batch.rows[item] + 1, 2))
        found = whole.sheet_of(batch, item, sign, top, stop)
        size = {"rows": batch.rows[item], "columns": batch.columns[item]}
        wanted = sheet(costs, sign, top, stop, item=item, band=(batch.first[item], batch.end[item]), **size)
        for mine, theirs in zip(found, wanted, strict=True):
            np.testing.assert_array_equal(mine, theirs)


@kinds
def test_costs_are_scaled_in_their_own_type_and_a_penalty_is_paid_by_every_cell(kind):
    batch, _ = prepared(np.zeros((1, 4, 4), kind), 0.5, 0.3)
    how = whole.scaling_of(batch, 0)
    np.testing.assert_allclose(how.factor, np.log2(np.e) / 0.5, rtol=np.finfo(kind).eps)
    np.testing.assert_allclose(how.offset, -0.6 * np.log2(np.e) / 0.5, rtol=np.finfo(kind).eps)


@kinds
@pytest.mark.parametrize("opened", [(False, False), (True, False), (False, True), (True, True)])
def test_each_end_is_entered_as_it_is_opened(kind, opened):
    batch, _ = prepared(np.zeros((1, 4, 6), kind), 1.0, 0.3, open_begin=opened[0], open_end=opened[1])
    for sign, open_here in zip((1, -1), opened, strict=True):
        wanted = cpu.entry(batch.costs, 6, batch.none, open_here, batch.bits[0])
        for mine, theirs in zip(whole.entry_of(batch, 0, sign), wanted, strict=True):
            np.testing.assert_array_equal(mine, theirs)


def random_row(kind: type, rng: np.random.Generator, columns: int, spread: int) -> cpu.Carry:
    """A row of sums, some of them 0."""
    mantissa = rng.uniform(0.5, 2, columns + 3 * lanes(kind)) * (rng.random(columns + 3 * lanes(kind)) < 0.7)
    mantissa[: lanes(kind) - 1] = mantissa[lanes(kind) + columns :] = 0
    exponent = np.where(mantissa > 0, rng.integers(-spread, spread + 1, mantissa.size), nothing(kind)[0])
    return cpu.Carry(mantissa.astype(kind), exponent.astype(nothing(kind).dtype))


@settings(max_examples=40)
@given(KINDS, SEEDS, st.integers(1, 50), st.sampled_from([0, 10, 1000, 1 << 20]))
def test_two_rows_meet_in_the_sum_of_all_ways_from_one_to_the_other(kind, seed, columns, spread):
    rng = np.random.default_rng(seed)
    above, below = (random_row(kind, rng, columns, spread) for _ in range(2))
    above.mantissa[lanes(kind)], above.exponent[lanes(kind)] = 1, spread
    below.mantissa[lanes(kind) + columns - 1], below.exponent[lanes(kind) + columns - 1] = 1, spread
    mantissa, exponent = whole.meet(above, below, columns, lanes(kind))
    wanted, top = meeting(above, below, columns, kind)
    assert exponent == top
    np.testing.assert_allclose(mantissa, wanted, rtol=1e-14)


@kinds
def test_rows_that_do_not_meet_have_the_sum_zero_and_one_that_is_not_a_number_spoils_it(kind):
    nowhere, row = (random_row(kind, np.random.default_rng(k), 9, 5) for k in range(2))
    nowhere.mantissa[:] = 0
    assert whole.meet(nowhere, row, 9, lanes(kind))[0] == 0
    nowhere.mantissa[lanes(kind) + 4] = np.nan
    assert np.isnan(whole.meet(nowhere, row, 9, lanes(kind))[0])


def judged(costs: np.ndarray, gamma: float = 1.0, penalty: float = 0.0) -> int:
    """What becomes of one matrix."""
    batch, results = prepared(costs[None].copy(), gamma, penalty)
    whole.align(batch, 0, 1, batch.costs, False, results)
    return int(results.state[0])


@kinds
def test_what_is_not_a_number_is_noticed_wherever_it_is_in_range(kind):
    for cell in [(0, 0), (0, 39), (39, 0), (20, 20), (39, 39)]:
        for bad in (np.nan, -np.inf):
            costs = np.ones((40, 40), kind)
            costs[cell] = bad
            assert judged(costs) == cpu.NOT_A_NUMBER
    padded = np.full((1, 40, 40), np.nan, kind)
    padded[0, :30, :20] = 1
    batch, results = prepared(padded, rows=np.array([30]), columns=np.array([20]))
    whole.align(batch, 0, 1, padded.reshape(-1), False, results)
    assert results.state[0] == cpu.FINE


@kinds
def test_a_matrix_without_a_path_is_told_from_one_out_of_range(kind):
    costs = np.ones((40, 40), kind)
    assert judged(costs) == cpu.FINE
    costs[20] = np.inf
    assert judged(costs) == cpu.NO_PATH
    assert judged(np.full((40, 40), np.inf, kind)) == cpu.NO_PATH
    out = np.ones((40, 40), kind)
    out[20] = 1e15
    assert judged(out, 1e-3) == cpu.OUT_OF_RANGE


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("cost", "penalty"), [(1e4, 0.0), (3e4, 0.0), (1.0, 1e4), (1.0, 1e5)])
def test_in_float32_large_exponents_are_right_or_not_trusted(cost, penalty, sign):
    costs = (np.random.default_rng(0).random((1, 60, 50)) * sign * cost).astype(np.float32)
    for gamma in (100.0, 1.0, 1e-2, 1e-4):
        batch, results = prepared(costs, gamma, penalty)
        whole.align(batch, 0, 1, batch.costs, False, results)
        if results.state[0] == cpu.FINE:
            value = engine.outcome(batch, results)[0]
            np.testing.assert_allclose(value, truth(costs, batch, gamma, penalty).value, rtol=1e-5)
        else:
            assert results.state[0] in (cpu.OUT_OF_RANGE, cpu.NOT_A_NUMBER)
            assert (cost + penalty) / gamma > 1e5


@pytest.mark.parametrize("cost", [10.0, 40.0, 100.0, 200.0, 400.0, 1000.0])
def test_a_costly_way_around_forbidden_cells_is_found_or_out_of_range(cost):
    costs = np.zeros((14, 10), np.float32)
    costs[:, :4], costs[:12, 4], costs[12:, 4] = cost, np.inf, 1
    batch, results = prepared(costs[None], 1e-3)
    whole.align(batch, 0, 1, batch.costs, False, results)
    if results.state[0] == cpu.FINE:
        value = engine.outcome(batch, results)[0]
        np.testing.assert_allclose(value, truth(costs[None], batch, 1e-3).value, rtol=1e-5)
    else:
        assert results.state[0] == cpu.OUT_OF_RANGE


@kinds
def test_only_what_is_out_of_range_is_cleared(kind):
    costs = np.ones((2, 5, 6), kind)
    first, end = np.array([[0, 1, 2, 9, 9], [0] * 5]), np.array([[3, 4, 5, 9, 9], [6] * 5])
    batch, _ = prepared(costs, rows=np.array([3, 5]), columns=np.array([5, 6]), cells=Ranges(first, end, False))
    whole.clear_item(batch, 0, costs.reshape(-1))
    inside = np.zeros((5, 6))
    inside[0, :3] = inside[1, 1:4] = inside[2, 2:5] = 1
    np.testing.assert_array_equal(costs, [inside, np.ones((5, 6))])


@settings(max_examples=30)
@given(KINDS, SEEDS, st.integers(1, 40), st.sampled_from([0.0, 0.3, 700.0, 20_000.0]))
def test_the_mean_column_weighs_every_way_into_a_row(kind, seed, columns, bits):
    rng, size = np.random.default_rng(seed), lanes(kind)
    row = random_row(kind, rng, columns, 20)
    row.mantissa[size], row.exponent[size] = 1, 0
    # Sums that rise as fast as what leads into them falls, so that all columns count.
    rise = bits * (np.arange(row.exponent.size) - size)
    row = row._replace(exponent=row.exponent + rise.astype(row.exponent.dtype))
    entries = cpu.entry(np.zeros(1, kind), columns, nothing(kind), True, bits)
    ways = np.array([
        float(row.mantissa[size + j]) * 2.0 ** (int(row.exponent[size + j]) - bits * j) for j in range(columns)
    ])  # fmt: skip
    mean = whole.mean_column(row, entries, columns, size)
    np.testing.assert_allclose(mean, (ways * np.arange(columns)).sum() / ways.sum(), rtol=1e-5, atol=1e-5)


@settings(max_examples=40)
@given(problems())
def test_items_are_aligned_one_after_the_other(problem):
    costs, how, model = problem
    batch, results = prepared(costs, **how, **model)
    out = np.full_like(costs, np.nan)
    whole.align(batch, 0, len(costs), out.reshape(-1), True, results)
    wanted = truth(np.nan_to_num(costs), batch, **model)
    digits = 1e-5 if costs.dtype == np.float32 else 1e-12
    value, steps, row_sums, column_sums = engine.outcome(batch, results)
    np.testing.assert_allclose(value, wanted.value, rtol=digits, atol=digits * 300)
    np.testing.assert_allclose(out, wanted.expected, atol=100 * digits)
    np.testing.assert_allclose(steps, wanted.steps, atol=1000 * digits)
    np.testing.assert_allclose(row_sums, wanted.expected.sum(axis=2), atol=300 * digits)
    np.testing.assert_allclose(column_sums, wanted.expected.sum(axis=1), atol=300 * digits)


@settings(max_examples=30)
@given(problems(), st.floats(0, 1))
def test_passes_from_both_ends_find_what_one_pass_finds(problem, share):
    costs, how, model = problem
    batch, results = prepared(costs, **how, **model)
    out = np.full_like(costs, np.nan)
    for item in range(len(costs)):
        rows = batch.rows[item]
        middle = int(share * rows)
        ends = [whole.from_one_end(batch, item, *way, True) for way in ((1, middle), (-1, rows - middle))]
        total = whole.settle(batch, item, ends[0][1], ends[1][1], min(end[2] for end in ends), results)
        for (part, _, _, kept), (_, carry, _, _) in zip(ends, ends[::-1], strict=True):
            whole.write(batch, item, part, carry, kept, *total, out.reshape(-1), results)
        whole.clear_item(batch, item, out.reshape(-1))
    again, found = prepared(costs, **how, **model)
    wanted = np.full_like(costs, np.nan)
    whole.align(again, 0, len(costs), wanted.reshape(-1), True, found)
    digits = 1e-5 if costs.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(out, wanted, atol=100 * digits)
    for mine, theirs in zip(engine.outcome(batch, results), engine.outcome(again, found), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=10 * digits, atol=300 * digits)


@settings(max_examples=30)
@given(problems(), SIGNS)
def test_a_block_in_memory_of_its_own_is_aligned_as_in_the_whole(problem, sign):
    costs, how, model = problem
    batch, results = prepared(costs, **how, **model)
    wanted = np.zeros_like(costs)
    whole.align(batch, 0, len(costs), wanted.reshape(-1), True, results)
    item, rows, columns = 0, int(batch.rows[0]), int(batch.columns[0])
    top = rows // 3
    stop = max(top + 1, 2 * rows // 3)
    low, high = (top, stop) if sign > 0 else (rows - stop, rows - top)
    left, right = int(batch.first[item, low]), int(batch.end[item, high - 1])
    above = whole.from_one_end(batch, item, sign, top, False)[1]
    below = whole.from_one_end(batch, item, -sign, rows - stop, False)[1]
    _, carry, lowest, _ = whole.from_one_end(batch, item, sign, stop, False)
    total = whole.settle(batch, item, carry, below, lowest, results)
    block = np.ascontiguousarray(costs[item, low:high, left:right])
    width = right - left
    origin = -left if sign > 0 else (high - low - 1) * width + columns - 1 - left
    band = (batch.first[item], batch.end[item])
    part = sheet(block[None], sign, top, stop, rows=rows, columns=columns, band=band)._replace(origin=origin)
    row = cpu.turned(below, columns, lanes(costs.dtype.type))
    copy = whole.copy_of(above)
    sums = np.zeros(costs.shape[1], costs.dtype), np.zeros(costs.shape[2], costs.dtype)
    whole.write_block(part, whole.scaling_of(batch, item), copy, row, *total, block.reshape(-1), left, *sums)
    digits = 1e-5 if costs.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(block, wanted[item, low:high, left:right], atol=100 * digits)
    within = np.zeros_like(wanted[item])
    within[low:high] = wanted[item, low:high]
    for axis in (0, 1):
        np.testing.assert_allclose(sums[axis], within.sum(axis=1 - axis), atol=300 * digits)
    np.testing.assert_array_equal(above.mantissa, whole.from_one_end(batch, item, sign, top, False)[1].mantissa)
