import numpy as np
import pytest

from posediff.alignment.bands import Itakura, SakoeChiba, from_key
from posediff.alignment.problem import (
    Options,
    band_key,
    both_skips,
    check_cost_shape,
    check_lengths,
    check_numbers,
    check_per_item,
    check_shapes,
    check_skips,
    is_number,
    is_tensor,
    named_cost,
    on_tensors,
)
from posediff.errors import BadData, BadSetting


def test_only_the_number_0_stands_for_hard_dtw():
    assert Options(gamma=0).hard
    assert Options(gamma=np.float32(0)).hard
    assert not Options(gamma=np.array(0.0)).hard
    assert not Options(gamma=0.1).hard


def test_a_sequence_with_itself_has_its_own_lengths_and_skips_on_both_sides():
    options = Options(lengths_x="of x", lengths_y="of y", skip=(1.0, None), penalty=0.5)
    own_x, own_y = options.own(0), options.own(1)
    assert (own_x.lengths_x, own_x.lengths_y, own_x.skip) == ("of x", "of x", (1.0, 1.0))
    assert (own_y.lengths_x, own_y.lengths_y, own_y.skip) == ("of y", "of y", (None, None))
    assert own_y.penalty == 0.5


@pytest.mark.parametrize("value", [1, 0.5, np.float32(2), np.int64(3)])
def test_scalars_of_python_and_numpy_are_numbers(value):
    assert is_number(value)


@pytest.mark.parametrize("value", [np.ones(()), np.ones(2), "1", None])
def test_arrays_and_other_things_are_not(value):
    assert not is_number(value)
    assert not is_tensor(value)


def test_tensors_are_known():
    torch = pytest.importorskip("torch")
    assert is_tensor(torch.ones(()))
    assert on_tensors(torch.ones(2, 1), np.ones((2, 1)), None)
    assert not is_number(torch.ones(()))


@pytest.mark.parametrize(("shapes", "message"), [
    (((3,), (3, 1)), r"x has shape \(3,\)"),
    (((3, 1), (3, 0)), r"y has shape \(3, 0\)"),
    (((2, 3, 1), (3, 1)), r"x has shape \(2, 3, 1\), y has shape \(3, 1\)"),
    (((2, 3, 1), (2, 3, 2)), "y has 2 features, the other 1"),
])  # fmt: skip
def test_shapes_that_do_not_go_together_are_refused(shapes, message):
    with pytest.raises(BadData, match=message):
        check_shapes(*shapes)


def test_batches_of_different_lengths_and_no_items_at_all_go_together():
    check_shapes((2, 3, 4), (2, 5, 4))
    check_shapes((0, 3, 4), (0, 5, 4))


@pytest.mark.parametrize("shape", [(3,), (3, 0), (1, 2, 3, 4)])
def test_costs_that_are_no_matrices_are_refused(shape):
    with pytest.raises(BadData, match="the costs have shape"):
        check_cost_shape(shape)


def test_numbers_out_of_range_are_refused_and_arrays_left_for_later():
    check_numbers(Options(gamma=np.array([-1.0])))
    with pytest.raises(BadSetting, match="gamma is -1"):
        check_numbers(Options(gamma=-1))


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_the_first_item_whose_gamma_cannot_be_is_named(value):
    with pytest.raises(BadSetting, match=f"gamma of item 1 is {value}"):
        check_per_item(np.array([1.0, value, value]), "gamma", positive=True)


def test_a_penalty_of_0_and_no_items_are_fine():
    check_per_item(np.array([0.0, 1.0]), "penalty", positive=False)
    check_per_item(np.zeros(0), "gamma", positive=True)


@pytest.mark.parametrize("length", [0, -1, 6])
def test_the_first_length_that_cannot_be_is_named(length):
    with pytest.raises(BadData, match=rf"lengths_y\[1\] is {length} of 5 frames"):
        check_lengths(np.array([5, length]), 5, "y")


@pytest.mark.parametrize("cost", [-0.1, np.nan])
def test_the_first_frame_that_costs_too_little_to_skip_is_named_but_in_the_padding(cost):
    costs = np.array([[0.0, np.inf, 1.0], [0.0, cost, 1.0]])
    check_skips(costs, np.array([3, 1]), "x")
    with pytest.raises(BadSetting, match="frame 1 of x costs"):
        check_skips(costs, np.array([3, 2]), "x")


def test_one_cost_of_skipping_holds_for_both():
    assert both_skips(2.0) == (2.0, 2.0)
    assert both_skips((None, 1.0)) == (None, 1.0)
    with pytest.raises(BadSetting, match="skip has 1 parts"):
        both_skips((1.0,))


@pytest.mark.parametrize(
    ("band", "meant"), [(None, None), (3, SakoeChiba(3)), (SakoeChiba(1.5), SakoeChiba(1.5)), (Itakura(3), Itakura(3))]
)
def test_a_band_survives_being_two_numbers(band, meant):
    assert from_key(*band_key(band)) == meant


@pytest.mark.parametrize("band", [-1, np.nan, "narrow"])
def test_what_is_no_band_is_refused(band):
    with pytest.raises(BadSetting, match="band"):
        band_key(band)


def test_costs_have_names_or_are_functions():
    assert named_cost("cosine") == "one_minus_dot"
    assert named_cost(max) is None
    with pytest.raises(BadSetting, match="cost_fn is 'cubic'"):
        named_cost("cubic")
