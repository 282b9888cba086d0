import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from posediff.alignment import costs
from posediff.alignment.costs import (
    diagonal_slice,
    from_matrix,
    robust_matrix,
    robust_mean,
    squared_euclidean,
)
from posediff.alignment.kernels.diagonal import DiagonalCosts
from tests.alignment.paths import SEEDS

SIZE = st.integers(1, 7)
HELD = pytest.mark.parametrize("cells", [10_000, 0], ids=["matrix", "runs"])


def matrix(runs: DiagonalCosts, rows: int, columns: int) -> np.ndarray:
    """All costs, put together from the runs of whole anti-diagonals."""
    made = np.full((rows, columns), np.nan)
    for d in range(rows + columns - 1):
        first, end = max(0, d - columns + 1), min(rows, d + 1)
        made[np.arange(first, end), d - np.arange(first, end)] = runs(d, first, end)
    return made


def random_tracks(seed: int, n: int, m: int, features: int = 3) -> tuple[np.ndarray, ...]:
    """Two sequences and weights of them, some of which are 0."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, features)), rng.normal(size=(m, features))
    weights = [rng.random(v.shape) * (rng.random(v.shape) < 0.6) for v in (x, y)]
    return x, y, *weights


@HELD
@settings(max_examples=25)
@given(n=SIZE, m=SIZE, seed=SEEDS)
def test_squared_euclidean_costs_are_scipy_s(cells, n, m, seed):
    x, y, *_ = random_tracks(seed, n, m)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(costs, "MATRIX_CELLS", cells)
        made = matrix(squared_euclidean(x, y), n, m)
    np.testing.assert_allclose(made, cdist(x, y, "sqeuclidean"), rtol=1e-9, atol=1e-12)


@HELD
def test_a_common_offset_does_not_cost_digits(cells, monkeypatch):
    monkeypatch.setattr(costs, "MATRIX_CELLS", cells)
    x, y, *_ = random_tracks(0, 6, 8)
    made = matrix(squared_euclidean(x + 1e6, y + 1e6), 6, 8)
    np.testing.assert_allclose(made, cdist(x, y, "sqeuclidean"), rtol=1e-6, atol=1e-8)


def robust_loop(x: np.ndarray, y: np.ndarray, wx: np.ndarray, wy: np.ndarray) -> np.ndarray:
    """The robust mean by its words."""
    made = np.ones((len(x), len(y)))
    for i, j in np.ndindex(made.shape):
        weights = [a * b for a, b in zip(wx[i], wy[j], strict=True)]
        parts = [np.hypot(1, np.linalg.norm(a - b)) - 1 for a, b in zip(x[i], y[j], strict=True)]
        if sum(weights) > 0:
            made[i, j] = sum(w * p for w, p in zip(weights, parts, strict=True)) / sum(weights)
    return made


@HELD
@settings(max_examples=25)
@given(n=SIZE, m=SIZE, seed=SEEDS)
def test_robust_means_are_those_of_loops(cells, n, m, seed):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(n, 4, 2)), rng.normal(size=(m, 4, 2))
    _, _, wx, wy = random_tracks(seed, n, m, features=4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(costs, "MATRIX_CELLS", cells)
        made = matrix(robust_mean(x, y, wx, wy), n, m)
    np.testing.assert_allclose(made, robust_loop(x, y, wx, wy), rtol=1e-8, atol=1e-11)


def test_a_robust_cost_is_half_the_square_of_what_is_small_and_the_size_of_what_is_large():
    weight = np.ones((1, 1))
    small, large = (
        robust_matrix(np.zeros((1, 1, 2)), np.array([[[d, 0.0]]]), weight, weight)[0, 0] for d in (1e-3, 1e6)
    )
    np.testing.assert_allclose([small, large], [0.5e-6, 1e6], rtol=1e-5)


@given(SIZE, SIZE)
def test_a_diagonal_slice_finds_the_cells_of_its_anti_diagonal(rows, columns):
    cells = np.arange(rows * columns).reshape(rows, columns)
    for d in range(rows + columns - 1):
        low, high = max(0, d - columns + 1), min(rows, d + 1)
        for first in range(low, high):
            for end in range(first, high + 1):
                truth = [cells[i, d - i] for i in range(first, end)]
                assert cells.reshape(-1)[diagonal_slice(d, first, end, columns)].tolist() == truth


def test_runs_of_a_matrix_may_come_from_any_memory_layout():
    made = np.random.default_rng(0).random((5, 4))
    for layout in (made, np.asfortranarray(made), made[::-1][::-1]):
        np.testing.assert_array_equal(matrix(from_matrix(layout), 5, 4), made)
