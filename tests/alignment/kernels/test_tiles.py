from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.alignment.kernels.tiles import CHUNK, Sheet, Strip, give, pitch_of, strip_of, take
from tests.alignment.kernels.sheets import KINDS, SEEDS, SIGNS, lanes, ranges, sheet


@dataclass
class Case:
    """A sheet of the second of three matrices, and a strip of it."""

    sheet: Sheet
    strip: Strip
    opens: np.ndarray
    closes: np.ndarray
    cells: np.ndarray  # (lanes, columns) where the strip's cells lie in memory, in the sheet's direction
    open: np.ndarray  # (lanes, columns) whether they are in their row's range

    def steps(self, chunk: int) -> tuple[int, int]:
        """Where a chunk begins, and its number of tiles."""
        half = len(self.opens) // 2
        return self.strip.begin + chunk * CHUNK * half, min(CHUNK, self.strip.blocks - chunk * CHUNK)

    @property
    def chunks(self) -> range:
        return range(-(-self.strip.blocks // CHUNK))

    def skewed(self, values: np.ndarray, step: int, count: int, otherwise: Any) -> np.ndarray:
        """(count, lanes) of what (lanes, columns) the lanes hold, q steps later in each row."""
        rows = np.full((count, len(self.opens)), otherwise, values.dtype)
        for q, lane in np.ndindex(rows.shape):
            column = step + q - lane
            if lane <= self.strip.last and 0 <= column < self.sheet.columns and self.open[lane, column]:
                rows[q, lane] = values[lane, column]
        return rows


@st.composite
def cases(draw) -> Case:
    kind, sign, rng = draw(KINDS), draw(SIGNS), np.random.default_rng(draw(SEEDS))
    rows, columns = (int(n) for n in rng.integers(1, 4 * lanes(kind), 2))
    height, width = rows + int(rng.integers(0, 9)), columns + int(rng.integers(0, 9))
    costs = rng.random((draw(st.integers(1, 3)), height, width)).astype(kind)
    band = ranges(rng, rows, columns, height) if draw(st.booleans()) else None
    item = len(costs) // 2
    top = int(rng.integers(0, rows))
    part = sheet(costs, sign, top, int(rng.integers(top, rows)) + 1, item=item, rows=rows, columns=columns, band=band)
    row = int(rng.integers(part.top, part.stop))
    opens, closes = np.zeros((2, lanes(kind)), np.int32 if kind == np.float32 else np.int64)
    strip = strip_of(part, row, opens, closes)
    used = np.arange(row, min(row + lanes(kind), part.stop))
    across = np.arange(columns)
    if sign < 0:
        used, across = rows - 1 - used, columns - 1 - across
    cells = (item * height + used[:, None]) * width + across
    allowed = (across >= part.first[used, None]) & (across < part.end[used, None])
    return Case(part, strip, opens, closes, cells, allowed)


def scratch_for(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """A chunk, and room for its rows, full of what must never be used."""
    costs, size = case.sheet.costs, len(case.opens)
    cells = (CHUNK * size * size // 2, size // 2 * pitch_of(costs))
    return np.full(cells[0], np.nan, costs.dtype), np.full(cells[1], np.nan, costs.dtype)


@settings(max_examples=80)
@given(cases())
def test_a_strip_knows_when_its_lanes_are_in_range(case):
    strip, used = case.strip, len(case.cells)
    assert strip.last == used - 1
    opens, closes = case.open.argmax(axis=1), case.open.shape[1] - case.open[:, ::-1].argmax(axis=1)
    np.testing.assert_array_equal(case.opens[:used], opens + np.arange(used))
    np.testing.assert_array_equal(case.closes[:used], closes + np.arange(used))
    assert not case.opens[used:].any()
    assert not case.closes[used:].any()
    assert (strip.begin, strip.stop) == (min(case.opens[:used]), max(case.closes[:used]))
    for step in range(strip.begin, strip.stop):
        always = all(opens[lane] <= step - lane < closes[lane] for lane in range(used))
        assert (strip.inner <= step < strip.outer) == (always and used == len(case.opens))
    half = len(case.opens) // 2
    assert 0 <= strip.blocks * half - (strip.stop - strip.begin) < half


@settings(max_examples=80)
@given(cases())
def test_tiles_bring_in_the_costs_in_range_and_infinity_for_all_others(case):
    part = case.sheet
    costs = np.full_like(part.costs, np.nan)
    costs[case.cells] = part.costs[case.cells]
    part, half = part._replace(costs=costs), len(case.opens) // 2
    for chunk in case.chunks:
        (step, blocks), (skew, scratch) = case.steps(chunk), scratch_for(case)
        take(part, case.strip, step, blocks, case.opens, case.closes, skew, scratch)
        wanted = case.skewed(costs[case.cells], step, blocks * half, np.inf)
        np.testing.assert_array_equal(skew.reshape(-1, 2 * half)[: blocks * half], wanted)


@settings(max_examples=80)
@given(cases())
def test_tiles_are_written_back_to_the_cells_in_range_and_added_up_by_column(case):
    part, half = case.sheet, len(case.opens) // 2
    before = part.costs.copy()
    values = np.arange(1.0, case.cells.size + 1).reshape(case.cells.shape).astype(before.dtype)
    sums = np.ones(part.columns, before.dtype)
    for chunk in case.chunks:
        (step, blocks), (skew, scratch) = case.steps(chunk), scratch_for(case)
        skew[: blocks * half * 2 * half] = case.skewed(values, step, blocks * half, np.nan).reshape(-1)
        give(part, case.strip, step, blocks, case.opens, case.closes, skew, scratch, sums)
    before[case.cells[case.open]] = values[case.open]
    np.testing.assert_array_equal(part.costs, before)
    np.testing.assert_allclose(sums[:: part.sign], 1 + np.where(case.open, values, 0).sum(axis=0), rtol=1e-6)
