import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from posediff.models.encoders.interpolation import shrink, stretch  # noqa: E402

SIZES = st.integers(1, 9)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=8, unique=True), st.integers(1, 12), st.integers(0, 99))
def test_features_are_interpolated_as_numpy_does(times, count, seed):
    random = np.random.default_rng(seed)
    times, wanted = np.array(times, float), random.uniform(-3, 33, count)
    features = random.normal(size=(2, len(times), 3))
    order = np.argsort(times)
    expected = np.empty((2, count, 3))
    for row, column in np.ndindex(2, 3):
        expected[row, :, column] = np.interp(wanted, times[order], features[row, order, column])
    np.testing.assert_allclose(stretch(torch.from_numpy(features), times, wanted), expected, atol=1e-12)


def test_of_features_at_one_time_the_mean_is_taken():
    features = torch.tensor([[0.0], [2.0], [4.0], [8.0]])
    times = np.array([0.0, 1.0, 1.0, 2.0])
    assert stretch(features, times, np.array([0, 0.5, 1, 1.5])).ravel().tolist() == [0, 1.5, 3, 5.5]


@given(SIZES, SIZES, st.integers(1, 6))
def test_a_map_is_averaged_over_cells_of_equal_size(height, width, side):
    maps = np.random.default_rng(height * 10 + width).normal(size=(2, height, width))
    # Every pixel repeated side times: borders of cells then lie between pixels, where torch's pooling is exact.
    fine = torch.from_numpy(maps.repeat(side, axis=1).repeat(side, axis=2))
    expected = torch.nn.functional.adaptive_avg_pool2d(fine, side)
    np.testing.assert_allclose(shrink(torch.from_numpy(maps), side), expected, atol=1e-12)


@given(SIZES, st.integers(1, 4), st.integers(1, 4))
def test_shrinking_in_two_steps_is_shrinking_in_one(size, side, factor):
    maps = torch.randn(3, size, size, dtype=torch.float64, generator=torch.Generator().manual_seed(size))
    torch.testing.assert_close(shrink(shrink(maps, side * factor), side), shrink(maps, side))


def test_gradients_pass():
    features = torch.randn(2, 4, 3, dtype=torch.float64, requires_grad=True)
    times, wanted = np.array([5.0, 13, 13, 21]), np.arange(0.0, 26, 5)
    assert torch.autograd.gradcheck(lambda values: stretch(values, times, wanted), features)
    assert torch.autograd.gradcheck(lambda values: shrink(values, 2), features)


def test_what_was_computed_without_gradients_can_be_used_with_them():
    features, times = torch.randn(3, 2, dtype=torch.float64), np.arange(3.0)
    with torch.inference_mode():
        stretch(features, times, times + 0.25)
        shrink(features[None], 2)
    features.requires_grad_()
    (stretch(features, times, times + 0.25).sum() + shrink(features[None], 2).sum()).backward()
    assert features.grad is not None
