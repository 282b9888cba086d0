import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.alignment.kernels.transpose import gather, scatter
from tests.alignment.paths import SEEDS

KINDS = st.sampled_from([np.float32, np.float64])
SIGNS = st.sampled_from([1, -1])


@numba.njit
def _gather(source, offset, stride, target, target_offset, target_stride):
    gather(source, offset, stride, target, target_offset, target_stride)


@numba.njit
def _scatter(source, offset, stride, target, target_offset, target_stride):
    scatter(source, offset, stride, target, target_offset, target_stride)


def side(kind: type) -> int:
    return 64 // np.dtype(kind).itemsize


def cells(size: int, offset: int, stride: int) -> np.ndarray:
    """Where the cells of a tile lie whose rows are ``stride`` apart."""
    return offset + stride * np.arange(size)[:, None] + np.arange(size)


@pytest.mark.parametrize("move", [_gather, _scatter])
@settings(max_examples=40)
@given(kind=KINDS, seed=SEEDS, signs=st.tuples(SIGNS, SIGNS))
def test_a_tile_is_transposed_and_nothing_beside_it_is_touched(move, kind, seed, signs):
    rng, size = np.random.default_rng(seed), side(kind)
    strides = rng.integers(size, 3 * size, 2) * signs
    offsets = rng.integers(0, size, 2) - np.minimum(strides * (size - 1), 0)
    source, target = rng.random((2, 6 * size * size)).astype(kind)
    expected = target.copy()
    expected[cells(size, offsets[1], strides[1])] = source[cells(size, offsets[0], strides[0])].T
    move(source, offsets[0], strides[0], target, offsets[1], strides[1])
    np.testing.assert_array_equal(target, expected)
