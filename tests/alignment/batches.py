"""Random padded batches for the engine, and what it has to make of them, cell by cell in float64."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from hypothesis import strategies as st

from posediff.alignment.bands import Band, Itakura, SakoeChiba, ranges
from posediff.alignment.engine import PairSolution, Solution
from posediff.alignment.kernels import states
from tests.alignment.paths import SEEDS

#: Errors that are allowed: of an entry of the gradient, whose largest is about 1, and of a value in parts of its terms.
ENTRY = {np.float32: 1e-3, np.float64: 1e-9}
VALUE = {np.float32: 1e-6, np.float64: 1e-13}


@dataclass(frozen=True)
class Case:
    """A batch of costs and one of pairs, with NaN as padding, that are drawn from a seed."""

    kind: type
    seed: int
    band: Band | None
    open_begin: bool
    open_end: bool
    penalised: bool
    negative: bool
    forbidden: bool
    squared: bool

    @cached_property
    def sizes(self) -> np.ndarray:
        """(2, B) rows and columns."""
        rng = np.random.default_rng(self.seed)
        return rng.integers(1, rng.integers(2, 100, 2)[:, None], (2, rng.integers(1, 4)))

    @property
    def lengths(self) -> dict[str, np.ndarray]:
        return {"rows": self.sizes[0], "columns": self.sizes[1]}

    @property
    def model(self) -> dict[str, Any]:
        """What a batch of costs is aligned with."""
        rng = np.random.default_rng(self.seed)
        count = self.sizes.shape[1]
        penalty = rng.choice([0.0, 0.3, 2.0], count) if self.penalised else None
        ways = {"band": self.band, "open_begin": self.open_begin, "open_end": self.open_end}
        return {"gamma": rng.choice([1e-3, 1e-2, 0.1, 1.0, 10.0], count), "penalty": penalty, **ways}

    @property
    def pair_model(self) -> dict[str, Any]:
        """What a batch of pairs is aligned with: costs in float32 have errors, which a small gamma makes larger."""
        cost = "squared_euclidean" if self.squared else "one_minus_dot"
        return {**self.model, "gamma": np.maximum(self.model["gamma"], 0.03), "cost": cost}

    @property
    def costs(self) -> np.ndarray:
        rng = np.random.default_rng(self.seed)
        costs = np.full((self.sizes.shape[1], *(self.sizes.max(axis=1) + rng.integers(0, 5, 2))), np.nan, self.kind)
        for k, size in enumerate(self.sizes.T):
            item = rng.uniform(-1.0 if self.negative else 0.0, 1, size) * rng.choice([0.1, 3.0, 20.0])
            if self.forbidden:
                item[rng.random(size) < 0.02] = np.inf
            costs[k, : size[0], : size[1]] = item
        return costs

    @property
    def pair(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(self.seed)
        width = rng.integers(1, 7)
        sides = []
        for lengths in self.sizes:
            side = rng.normal(size=(len(lengths), lengths.max() + rng.integers(0, 5), width)).astype(self.kind)
            side[np.arange(side.shape[1]) >= lengths[:, None]] = np.nan
            sides.append(side)
        return sides[0], sides[1]


class Matmul:
    """A product that notes the shapes of its results."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, a: np.ndarray, b: np.ndarray, out: np.ndarray) -> None:
        self.shapes.append(out.shape)
        np.matmul(a, b, out)


_ANY = st.booleans()
_BANDS = st.sampled_from([None, SakoeChiba(4.0), Itakura(2.0)])
CASES = st.builds(Case, st.sampled_from([np.float32, np.float64]), SEEDS, _BANDS, *[_ANY] * 6)


def truth(costs: np.ndarray, rows: np.ndarray, columns: np.ndarray, **model: Any) -> states.Solution:
    """What the engine has to find."""
    cells = ranges(model.get("band"), rows, columns, costs.shape[1])
    penalty = model.get("penalty")
    penalty = np.zeros(len(costs)) if penalty is None else penalty
    ways = (model.get("open_begin", False), model.get("open_end", False))
    costs = np.where(np.isnan(costs), 0, costs.astype(np.float64))
    return states.solve(costs, cells.first, cells.end, rows, columns, model["gamma"], penalty, None, None, *ways)


def check(made: Solution, wanted: states.Solution, costs: np.ndarray, **model: Any) -> None:
    """Compare what the engine has made of costs."""
    kind = costs.dtype.type
    row_sums, column_sums = wanted.expected.sum(axis=2), wanted.expected.sum(axis=1)
    # A value near 0 has the errors of what it is the sum of: costs, gamma times a logarithm a cell, and penalties.
    size = np.nansum(np.where(np.isfinite(costs), np.abs(costs), 0) * wanted.expected, axis=(1, 2))
    size += model["gamma"] * row_sums.sum(axis=1)
    if model.get("penalty") is not None:
        size += model["penalty"] * sum(costs.shape[1:])
    np.testing.assert_array_less(np.abs(made.value - wanted.value), VALUE[kind] * size)
    assert made.expected.dtype == kind
    np.testing.assert_allclose(made.expected, wanted.expected, atol=ENTRY[kind])
    np.testing.assert_allclose(made.steps, wanted.steps, atol=0.2 * ENTRY[kind] * row_sums.sum(axis=1).max())
    np.testing.assert_allclose(made.row_sums, row_sums, rtol=ENTRY[kind], atol=ENTRY[kind])
    np.testing.assert_allclose(made.column_sums, column_sums, rtol=ENTRY[kind], atol=ENTRY[kind])


def pair_truth(x: np.ndarray, y: np.ndarray, rows: np.ndarray, columns: np.ndarray, **model: Any) -> PairSolution:
    """What the engine has to find for pairs."""
    x, y = np.nan_to_num(x.astype(np.float64)), np.nan_to_num(y.astype(np.float64))
    squared = model.pop("cost", "squared_euclidean") == "squared_euclidean"
    costs = ((x[:, :, None] - y[:, None]) ** 2).sum(axis=3) if squared else 1 - x @ y.transpose(0, 2, 1)
    made = truth(costs, rows, columns, **model)
    expected, turned = made.expected, made.expected.transpose(0, 2, 1)
    if squared:
        grad_x = 2 * (expected.sum(axis=2)[..., None] * x - expected @ y)
        grad_y = 2 * (expected.sum(axis=1)[..., None] * y - turned @ x)
    else:
        grad_x, grad_y = -expected @ y, -turned @ x
    return PairSolution(made.value, grad_x, grad_y, made.steps, (expected * costs).sum(axis=(1, 2)))


def check_pair(made: PairSolution, wanted: PairSolution, kind: type) -> None:
    """Compare what the engine has made of pairs."""
    digits = 5e-3 if kind == np.float32 else 1e-9
    for mine, theirs in zip(made, wanted, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=digits, atol=digits)
    assert made.grad_x.dtype == made.grad_y.dtype == kind
