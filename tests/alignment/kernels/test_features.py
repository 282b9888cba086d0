import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.alignment.kernels import features
from tests.alignment.kernels.sheets import KINDS, SEEDS


def draw(kind: type, seed: int, offset: float = 0.0) -> tuple[np.ndarray, ...]:
    """Padded sequences x and y with NaN as padding, and their lengths."""
    rng = np.random.default_rng(seed)
    count, height, width, size = rng.integers(1, [4, 9, 9, 6])
    x, y = rng.normal(size=(count, height, size)) + offset, rng.normal(size=(count, width, size)) + offset
    rows, columns = rng.integers(1, height + 1, count), rng.integers(1, width + 1, count)
    for k in range(count):
        x[k, rows[k] :] = y[k, columns[k] :] = np.nan
    return x.astype(kind), y.astype(kind), rows, columns


def extended(x: np.ndarray, y: np.ndarray, rows: np.ndarray, columns: np.ndarray, squared: bool):
    wide = [np.full((*side.shape[:2], side.shape[2] + 2), np.nan, x.dtype) for side in (x, y)]
    return features.extend(x, y, rows, columns, squared, *wide), *wide


def costs_of(x: np.ndarray, y: np.ndarray, squared: bool) -> np.ndarray:
    """Costs in float64, by their definition; NaN on padding."""
    x, y = x[:, :, None].astype(np.float64), y[:, None].astype(np.float64)
    return ((x - y) ** 2).sum(axis=3) if squared else 1 - (x * y).sum(axis=3)


@settings(max_examples=50)
@given(KINDS, SEEDS, st.booleans())
def test_products_of_the_features_are_the_costs_and_zero_on_padding(kind, seed, squared):
    x, y, rows, columns = draw(kind, seed)
    finite, wide_x, wide_y = extended(x, y, rows, columns, squared)
    assert finite
    products, costs = wide_x @ wide_y.transpose(0, 2, 1), costs_of(x, y, squared)
    tolerance = 1e-5 if kind == np.float32 else 1e-13
    np.testing.assert_allclose(products[np.isfinite(costs)], costs[np.isfinite(costs)], atol=tolerance)
    assert (products[np.isnan(costs)] == 0).all()
    for k in range(len(x)):
        assert (wide_x[k, rows[k] :] == 0).all()
        assert (wide_y[k, columns[k] :] == 0).all()


@settings(max_examples=30)
@given(SEEDS, st.sampled_from([1e2, 1e3]))
def test_costs_far_from_the_origin_keep_their_digits(seed, offset):
    x, y, rows, columns = draw(np.float32, seed, offset)
    _, wide_x, wide_y = extended(x, y, rows, columns, True)
    costs = costs_of(x, y, True)
    inside = np.isfinite(costs)
    # Squares of values near 1000 have an error of 0.06 in float32.
    np.testing.assert_allclose((wide_x @ wide_y.transpose(0, 2, 1))[inside], costs[inside], atol=1e-4)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("squared", [True, False])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, "large"])
@pytest.mark.parametrize("side", [0, 1])
def test_a_value_that_is_not_finite_or_cannot_be_squared_is_noticed(kind, squared, bad, side):
    sides = [np.ones((2, 5, 3), kind), np.ones((2, 4, 3), kind)]
    lengths = np.array([5, 2]), np.array([4, 3])
    sides[side][1, 1, 2] = np.sqrt(np.finfo(kind).max) * 4 if bad == "large" else bad
    assert not extended(*sides, *lengths, squared)[0]
    sides[side][1, 1, 2] = 0
    sides[side][1, 3, 2] = np.nan
    assert extended(*sides, *lengths, squared)[0]


@settings(max_examples=50)
@given(KINDS, SEEDS, st.booleans())
def test_gradients_and_expected_costs_follow_from_the_products(kind, seed, squared):
    x, y, rows, columns = draw(kind, seed)
    _, wide_x, wide_y = extended(x, y, rows, columns, squared)
    costs = costs_of(x, y, squared)
    rng = np.random.default_rng(seed)
    expected = np.where(np.isfinite(costs), rng.random(costs.shape), 0)
    size = x.shape[2]
    carried = expected @ wide_y[:, :, :size], expected.transpose(0, 2, 1) @ wide_x[:, :, :size]
    sums = expected.sum(axis=2).astype(kind), expected.sum(axis=1).astype(kind)
    gradients, total = [np.full_like(side, np.nan) for side in (x, y)], np.zeros(len(x))
    for k, (wide, gradient) in enumerate(zip((wide_x, wide_y), gradients, strict=True)):
        features.pull_back(wide, carried[k].astype(kind), sums[k], squared, k, gradient, total)
    x, y = np.nan_to_num(x.astype(np.float64)), np.nan_to_num(y.astype(np.float64))
    turned = expected.transpose(0, 2, 1)
    if squared:
        wanted = [
            2 * (expected.sum(axis=2)[..., None] * x - expected @ y),
            2 * (expected.sum(axis=1)[..., None] * y - turned @ x),
        ]
    else:
        wanted = [-expected @ y, -turned @ x]
    tolerance = 1e-4 if kind == np.float32 else 1e-12
    for mine, theirs, lengths in zip(gradients, wanted, (rows, columns), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=tolerance)
        assert all((mine[k, lengths[k] :] == 0).all() for k in range(len(x)))
    np.testing.assert_allclose(total, np.nansum(expected * costs, axis=(1, 2)), atol=10 * tolerance)
