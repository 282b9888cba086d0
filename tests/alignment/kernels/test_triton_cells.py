import numpy as np
import pytest

from tests.alignment.kernels.interpreted import interpreted

torch = pytest.importorskip("torch")
triton = pytest.importorskip("triton", minversion="3.8")
tl = pytest.importorskip("triton.language")

from posediff.alignment.kernels import triton_cells  # noqa: E402


@triton.jit
def weight_kernel(costs, scales, mantissa, exponent):
    at = tl.arange(0, 4)
    found = triton_cells.weight(tl.load(costs + at), tl.load(scales + at))
    tl.store(mantissa + at, found[0])
    tl.store(exponent + at, found[1])


@triton.jit
def normalised_kernel(mantissas, exponents, mantissa, exponent):
    at = tl.arange(0, 4)
    found = triton_cells.normalised((tl.load(mantissas + at), tl.load(exponents + at)))
    tl.store(mantissa + at, found[0])
    tl.store(exponent + at, found[1])


@triton.jit
def word_kernel(mantissas, exponents, mantissa, exponent):
    at = tl.arange(0, 4)
    found = triton_cells.unpack(triton_cells.pack((tl.load(mantissas + at), tl.load(exponents + at))))
    tl.store(mantissa + at, found[0])
    tl.store(exponent + at, found[1])


def run(name, *arrays):
    """The pair that one of these kernels finds."""
    mantissa, exponent = torch.zeros(4), torch.zeros(4, dtype=torch.int32)
    globals()[name][(1,)](*map(torch.from_numpy, arrays), mantissa, exponent)
    return mantissa.numpy(), exponent.numpy()


@pytest.mark.parametrize("scale", [0.1443, 1.4427, 1442.7])
def test_a_weight_is_the_power_of_two_in_two_parts(scale):
    costs = np.array([0.0, 0.77, 123.456, 2500.0], np.float32)
    scale = np.float32(scale)
    mantissa, exponent = interpreted(run, "weight_kernel", costs, np.full(4, scale))
    exact = -costs.astype(float) * float(scale)
    np.testing.assert_allclose(np.log2(mantissa.astype(float)) + exponent, exact, rtol=0, atol=2e-7)
    assert (np.abs(np.log2(mantissa)) <= 0.5001).all()


def test_a_forbidden_cell_weighs_nothing_and_nan_stays_nan():
    costs = np.array([np.inf, np.nan, 1.0, -3.0], np.float32)
    mantissa, exponent = interpreted(run, "weight_kernel", costs, np.ones(4, np.float32))
    np.testing.assert_array_equal(mantissa, [0, np.nan, 1, 1])
    assert exponent[0] == -(2**30)
    assert exponent[3] == 3


def test_a_word_holds_a_pair():
    mantissa, exponent = np.array([1.5, 0.0, 2.0**40, np.inf], np.float32), np.array([-7, -(2**29), 2**20, 0], np.int32)
    found = interpreted(run, "word_kernel", mantissa, exponent)
    np.testing.assert_array_equal(found[0], mantissa)
    np.testing.assert_array_equal(found[1], exponent)


def test_a_normalised_pair_is_the_same_number():
    mantissa, exponent = np.array([1.5, 2.0**-20, 3e25, 0.0], np.float32), np.array([0, 5, -9, -12], np.int32)
    found, powers = interpreted(run, "normalised_kernel", mantissa, exponent)
    np.testing.assert_array_equal(
        np.ldexp(found[:3].astype(float), powers[:3]), np.ldexp(mantissa[:3].astype(float), exponent[:3])
    )
    assert ((found[:3] >= 1) & (found[:3] < 2)).all()
    assert found[3] == 0
