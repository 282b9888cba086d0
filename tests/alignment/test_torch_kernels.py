import numpy as np
import pytest

from posediff.alignment.kernels import reference
from posediff.errors import BadData, BadSetting

torch = pytest.importorskip("torch")

from posediff.alignment import torch_kernels as kernels  # noqa: E402

WAYS = (0, 0.0, False, False)


def tracks(dtype: torch.dtype = torch.float64) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    return torch.tensor(rng.normal(size=(2, 4, 3)), dtype=dtype), torch.tensor(rng.normal(size=(2, 5, 3)), dtype=dtype)


def per_item(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("penalty", [None, per_item(0.2, 0.4)])
def test_the_derivative_by_gamma_of_pairs_is_that_of_finite_differences(penalty):
    x, y = tracks()
    gamma, step = per_item(0.5, 1.5), 1e-6

    def run(softness: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return kernels.pair(x, y, None, None, softness, penalty, "squared_euclidean", *WAYS, False, True)

    truth = (run(gamma + step)[0] - run(gamma - step)[0]) / 2 / step
    np.testing.assert_allclose(run(gamma)[3], truth, rtol=1e-6)


def test_steps_are_the_definition_s():
    costs = torch.tensor(np.random.default_rng(0).random((2, 3, 5)))
    made = kernels.costs(costs, None, None, per_item(0.3, 1), per_item(0.1, 0.2), None, None, *WAYS, True, True)
    truth = [reference.align(costs[k].numpy(), gamma, penalty) for k, gamma, penalty in ((0, 0.3, 0.1), (1, 1, 0.2))]
    np.testing.assert_allclose(made[0], [one.value for one in truth], rtol=1e-9)
    np.testing.assert_allclose(made[5], [one.steps for one in truth], rtol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_values_and_derivatives_by_the_input_have_its_type_the_rest_is_float64(dtype):
    x, y = tracks(dtype)
    ones = per_item(1, 1)
    made = kernels.pair(x, y, None, None, ones, None, "squared_euclidean", *WAYS, False, True)
    assert [part.dtype for part in made] == [dtype, dtype, dtype, torch.float64, torch.float64]
    bent = kernels.pair_curvature(x, y, None, None, ones, None, x, None, None, None, "squared_euclidean", *WAYS)
    assert [part.dtype for part in bent] == [dtype, dtype, torch.float64, torch.float64]


def test_inputs_need_not_be_contiguous_and_stay_as_they_are():
    x, y = tracks()
    twisted = x.transpose(1, 2).contiguous().transpose(1, 2), y.expand(2, 5, 3)
    before = [side.clone() for side in twisted]
    ways = (None, None, per_item(1, 1), None, "one_minus_dot", *WAYS, False, True)
    for one, other in zip(kernels.pair(*twisted, *ways), kernels.pair(x, y, *ways), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    for side, same in zip(twisted, before, strict=True):
        assert torch.equal(side, same)


def test_what_depends_on_the_numbers_is_checked_inside():
    x, y = tracks()
    ways = ("squared_euclidean", *WAYS, False, True)
    with pytest.raises(BadSetting, match="gamma of item 1 is -1"):
        kernels.pair(x, y, None, None, per_item(1, -1), None, *ways)
    with pytest.raises(BadData, match=r"lengths_y\[0\] is 6 of 5 frames"):
        kernels.pair(x, y, None, torch.tensor([6, 1]), per_item(1, 1), None, *ways)
