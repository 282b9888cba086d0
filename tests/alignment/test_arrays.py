import importlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.alignment import arrays, dtw_path, soft_dtw
from posediff.alignment.bands import BandWidened
from posediff.errors import BadData
from tests.alignment.paths import SEEDS


def tracks(seed: int, n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 2)), rng.normal(size=(m, 2))


SMALL = """
import sys
import numpy as np
from posediff.alignment import dtw_path, soft_dtw, soft_dtw_divergence
x, y = np.ones((30, 2)), np.zeros((40, 2))
soft_dtw(x, y), soft_dtw_divergence(x, y), dtw_path(x, y), soft_dtw(cost=np.zeros((3, 4)))
print([name for name in ("numba", "torch", "tslearn") if name in sys.modules])
"""


def test_small_problems_import_neither_numba_nor_torch():
    result = subprocess.run([sys.executable, "-c", SMALL], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


@settings(max_examples=30)
@given(
    st.integers(1, 12), st.integers(1, 12), SEEDS, st.sampled_from([0.0, 0.3]), st.sampled_from([None, 12.0]),
    st.booleans(),
)  # fmt: skip
def test_small_problems_give_the_same_numbers_without_numba(n, m, seed, gamma, band, by_costs):
    x, y = tracks(seed, n, m)
    given_input = {"cost": ((x[:, None] - y) ** 2).sum(axis=2)} if by_costs else {"x": x, "y": y}
    ways = {**given_input, "band": band, "penalty": 0.1}
    importlib.import_module("numba")
    with pytest.MonkeyPatch.context() as patch:
        compiled, path = soft_dtw(**ways, gamma=gamma), dtw_path(**ways)
        patch.delitem(sys.modules, "numba")
        plain, plain_path = soft_dtw(**ways, gamma=gamma), dtw_path(**ways)
    np.testing.assert_allclose(plain, compiled, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(plain_path[0], path[0])


def test_small_problems_know_lengths_and_widened_bands(monkeypatch):
    monkeypatch.delitem(sys.modules, "numba", raising=False)
    x, y = tracks(0, 4, 9)
    x[3] = np.nan
    with pytest.warns(BandWidened):
        value = soft_dtw(x, y, lengths_x=3, band=0)
    with pytest.warns(BandWidened):
        truth = soft_dtw(x[:3], y, band=0)
    assert value == truth


@pytest.mark.parametrize(
    ("dtype", "made"),
    [(np.float16, np.float32), (np.float32, np.float32), (np.longdouble, np.float64), (int, np.float64)],
)
def test_arrays_become_one_of_two_types(dtype, made):
    assert arrays.floats(np.ones(3, dtype), "x").dtype == made


def test_what_is_no_numbers_is_refused():
    with pytest.raises(BadData, match="x is no array"):
        arrays.floats([[1, 2], [3]], "x")
    with pytest.raises(BadData, match="x has the type"):
        arrays.floats(["a"], "x")


def test_a_tensor_beside_an_array_is_refused():
    torch = pytest.importorskip("torch")
    with pytest.raises(BadData, match="torch tensor"):
        arrays.floats(torch.ones(2), "y")


def test_arrays_of_two_types_are_compared_in_float64():
    x, y = tracks(0, 5, 6)
    value = soft_dtw(np.stack([x, x]).astype(np.float32), np.stack([y, y]))
    assert value.dtype == np.float64
    np.testing.assert_allclose(value, soft_dtw(x.astype(np.float32).astype(float), y), rtol=1e-12)


def test_values_too_large_for_their_type_are_refused():
    x = np.full((1, 3, 1), 1e17)
    arrays.check_finite(x, np.array([3]), "x", single=False)
    with pytest.raises(BadData, match="x reaches 1e\\+17 in frame 0 of item 0"):
        arrays.check_finite(x.astype(np.float32), np.array([3]), "x", single=False)


def test_unit_frames_have_length_1_and_zero_stays_zero():
    made = arrays.unit(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(made, [[0.6, 0.8], [0.0, 0.0]])
