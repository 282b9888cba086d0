"""Alignment by its definition: every monotone path, one by one."""

from __future__ import annotations

from collections.abc import Iterator
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
