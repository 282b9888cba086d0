"""Alignment by its definition: every monotone path and every chain of matches, one by one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, localcontext

import numpy as np
from hypothesis import strategies as st

Path = list[tuple[int, int]]

#: Seeds of random numbers; hypothesis then need not draw every number itself.
SEEDS = st.integers(0, 10_000)


def every_path(rows: int, columns: int) -> Iterator[Path]:
    """All paths from (0, 0) to (rows - 1, columns - 1) by steps along either axis or both."""

    def onwards(path: Path) -> Iterator[Path]:
        i, j = path[-1]
        if (i, j) == (rows - 1, columns - 1):
            yield path
        for cell in ((i + 1, j + 1), (i + 1, j), (i, j + 1)):
            if cell[0] < rows and cell[1] < columns:
                yield from onwards([*path, cell])

    yield from onwards([(0, 0)])


def path_cost(path: Path, costs: np.ndarray, penalty: float = 0.0) -> float:
    """Sum of a path's costs and of the penalties of its steps along one axis."""
    steps = np.diff(np.array(path), axis=0)
    return float(sum(costs[cell] for cell in path) + penalty * (steps.sum(axis=1) == 1).sum())


def least(costs: np.ndarray, penalty: float = 0.0) -> float:
    """Cost of the best path."""
    return min(path_cost(path, costs, penalty) for path in every_path(*costs.shape))


def gibbs(costs: np.ndarray, gamma: float, penalty: float = 0.0) -> tuple[float, np.ndarray]:
    """Soft-DTW value and expected alignment with fifty digits: paths weighted by ``exp(-cost / gamma)``."""
    with localcontext() as context:
        context.prec = 50
        paths = [path for path in every_path(*costs.shape) if np.isfinite(path_cost(path, costs, penalty))]
        exact = [sum((Decimal(float(costs[cell])) for cell in path), Decimal(penalty) * stairs(path)) for path in paths]
        best = min(exact)
        weights = [((best - cost) / Decimal(gamma)).exp() for cost in exact]
        total = sum(weights)
        expected = np.zeros(costs.shape)
        for path, weight in zip(paths, weights, strict=True):
            for cell in path:
                expected[cell] += float(weight / total)
        return float(best - Decimal(gamma) * total.ln()), expected


def stairs(path: Path) -> int:
    """How many steps of a path go along one axis only."""
    return sum((a[0] + 1, a[1] + 1) != b for a, b in zip(path[:-1], path[1:], strict=True))


def every_alignment(rows: int, columns: int) -> Iterator[Path]:
    """All chains of matches, each at or behind the one before it in both sequences; the empty one first."""

    def onwards(chain: Path) -> Iterator[Path]:
        yield chain
        i, j = chain[-1] if chain else (0, 0)
        for cell in itertools.product(range(i, rows), range(j, columns)):
            if not chain or cell != chain[-1]:
                yield from onwards([*chain, cell])

    yield from onwards([])


@dataclass(frozen=True)
class Problem:
    """What an alignment pays for, in the words of the reference kernel; rows and columns where matches are allowed."""

    costs: np.ndarray
    first: np.ndarray
    end: np.ndarray
    gamma: float
    penalty: float
    skip_x: np.ndarray | None
    skip_y: np.ndarray | None
    open_begin: bool
    open_end: bool

    @property
    def allowed(self) -> np.ndarray:
        """Costs, infinite outside of the columns of a row."""
        columns = np.arange(self.costs.shape[1])
        return np.where((columns >= self.first[:, None]) & (columns < self.end[:, None]), self.costs, np.inf)

    @property
    def skips(self) -> tuple[np.ndarray, np.ndarray]:
        """Costs of skipping, infinite where that is forbidden."""
        given = zip((self.skip_x, self.skip_y), self.costs.shape, strict=True)
        x, y = (np.full(frames, np.inf) if skip is None else skip for skip, frames in given)
        return x, y

    def skipped(self, chain: Path) -> tuple[list[int], list[int]]:
        """Frames of x and of y that a chain of matches leaves out and pays for."""
        (rows, columns), matched = self.costs.shape, [j for _, j in chain]
        begin, end = 0, columns
        if self.open_begin:
            begin = matched[0] if matched else columns
        if self.open_end:
            end = matched[-1] + 1 if matched else 0
        return sorted(set(range(rows)) - {i for i, _ in chain}), sorted(set(range(begin, end)) - set(matched))

    def cost(self, chain: Path) -> Decimal:
        """What a chain of matches pays."""
        skipped_x, skipped_y = self.skipped(chain)
        skip_x, skip_y = self.skips
        paid = [*(self.allowed[cell] for cell in chain), *skip_x[skipped_x], *skip_y[skipped_y]]
        return sum((Decimal(float(cost)) for cost in paid), Decimal(self.penalty) * bends(chain))


def problems(rows: int, columns: int, most: int | None = None) -> st.SearchStrategy[Problem]:
    """Problems with all combinations of features; with integer costs up to ``most``, or real ones for None."""

    def build(seed: int, gamma: float, penalty: float, forbidden: bool, kinds: tuple[bool, ...]) -> Problem:
        rng = np.random.default_rng(seed)

        def draw(*shape: int) -> np.ndarray:
            values = rng.random(shape) if most is None else rng.integers(0, most, shape).astype(float)
            return np.where(rng.random(shape) < 0.15, np.inf, values) if forbidden else values

        n, m = rng.integers(1, rows + 1), rng.integers(1, columns + 1)
        first, end, ranged = np.zeros(n, np.int64), np.full(n, m), kinds[0]
        if ranged:
            first, end = rng.integers(0, 2, n).clip(max=m), m - rng.integers(0, 2, n)
        skip_x, skip_y = draw(n) if kinds[1] else None, draw(m) if kinds[2] else None
        return Problem(draw(n, m), first, end, gamma, penalty, skip_x, skip_y, kinds[3], kinds[4])

    kinds = st.tuples(*[st.booleans()] * 5)
    gammas, penalties = st.sampled_from([0.01, 0.1, 1.0, 10.0]), st.sampled_from([0.0, 0.25, 1.0])
    return st.builds(build, SEEDS, gammas, penalties, st.booleans(), kinds)


def bends(chain: Path) -> int:
    """How many matches of a chain share a frame with the one before them."""
    return sum(a[0] == b[0] or a[1] == b[1] for a, b in itertools.pairwise(chain))


def gibbs_chains(problem: Problem) -> tuple[float, np.ndarray, np.ndarray, np.ndarray, float]:
    """Value, expected matches and skips and number of steps with fifty digits; as :func:`gibbs`, over all chains."""
    expected, skipped = np.zeros(problem.costs.shape), [np.zeros(frames) for frames in problem.costs.shape]
    with localcontext() as context:
        context.prec = 50
        costs = [(problem.cost(chain), chain) for chain in every_alignment(*problem.costs.shape)]
        best = min(cost for cost, _ in costs)
        if not best.is_finite():
            return np.inf, expected, *skipped, 0.0
        gamma = Decimal(problem.gamma)
        weights = [(((best - cost) / gamma).exp(), chain) for cost, chain in costs if cost.is_finite()]
        total = sum(weight for weight, _ in weights)
        steps = 0.0
        for weight, chain in weights:
            share = float(weight / total)
            for cell in chain:
                expected[cell] += share
            for probability, frames in zip(skipped, problem.skipped(chain), strict=True):
                probability[frames] += share
            steps += share * bends(chain)
        return float(best - gamma * total.ln()), expected, *skipped, steps
