import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from tslearn.metrics import soft_dtw as tslearn_soft_dtw
from tslearn.metrics import soft_dtw_alignment

from posediff.alignment import (
    BandWidened,
    Itakura,
    SakoeChiba,
    Window,
    soft_alignment,
    soft_dtw,
    soft_dtw_divergence,
)
from posediff.alignment.kernels import reference
from posediff.errors import BadData, BadSetting
from tests.alignment.paths import SEEDS, gibbs

SIZE = st.integers(1, 10)
GAMMAS = st.sampled_from([0.0, 0.05, 1.0, 20.0])
FUNCTIONS = pytest.mark.parametrize("function", [soft_dtw, soft_dtw_divergence, soft_alignment])


def tracks(seed: int, n: int, m: int, features: int = 2) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, features)), rng.normal(size=(m, features))


def padded(sequences: list[np.ndarray], frames: int, filling: float) -> tuple[np.ndarray, list[int]]:
    batch = np.full((len(sequences), frames, sequences[0].shape[1]), filling)
    for item, sequence in zip(batch, sequences, strict=True):
        item[: len(sequence)] = sequence
    return batch, [len(sequence) for sequence in sequences]


# The value


@pytest.mark.parametrize("shape", [(12, 12), (9, 14), (1, 7), (7, 1), (1, 1)])
@pytest.mark.parametrize("gamma", [0.01, 1.0, 10.0])
def test_the_value_is_tslearn_s(shape, gamma):
    x, y = tracks(0, *shape)
    np.testing.assert_allclose(soft_dtw(x, y, gamma=gamma), tslearn_soft_dtw(x, y, gamma=gamma), rtol=1e-9)


@settings(max_examples=25)
@given(st.integers(1, 4), st.integers(1, 4), SEEDS, st.sampled_from([1e-3, 1.0]), st.floats(0, 3))
def test_the_value_is_that_of_all_paths_inside_the_band(n, m, seed, gamma, band):
    x, y = tracks(seed, n, m)
    costs = np.where(Window.sakoe_chiba(n, m, band).contains(), cdist(x, y) ** 2, np.inf)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", BandWidened)
        value = soft_dtw(x, y, gamma=gamma, band=band, penalty=0.2)
    np.testing.assert_allclose(value, gibbs(costs, gamma, 0.2)[0], rtol=1e-9, atol=1e-9)


@settings(max_examples=30)
@given(SIZE, SIZE, SEEDS, GAMMAS, st.sampled_from([None, 0.3, (0.3, None), (None, 0.2)]), st.booleans(), st.booleans())
def test_the_value_with_open_ends_and_skips_is_that_of_the_definition(n, m, seed, gamma, skip, begin, end):
    costs = np.random.default_rng(seed).random((n, m))
    both = skip if isinstance(skip, tuple) else (skip, skip)
    given_skips = [None if one is None else np.full(k, one) for one, k in zip(both, (n, m), strict=True)]
    truth = reference.align(costs, gamma, 0.1, *given_skips, open_begin=begin, open_end=end)
    value = soft_dtw(cost=costs, gamma=gamma, penalty=0.1, skip=skip, open_begin=begin, open_end=end)
    np.testing.assert_allclose(value, truth.value, rtol=1e-9, atol=1e-12)


def test_the_cost_of_skipping_may_differ_between_frames():
    costs, skip_x, skip_y = (np.random.default_rng(0).random(shape) for shape in ((4, 5), 4, 5))
    value = soft_dtw(cost=costs, gamma=0.2, skip=(skip_x, skip_y))
    np.testing.assert_allclose(value, reference.align(costs, 0.2, 0.0, skip_x, skip_y).value, rtol=1e-12)


@given(SIZE, SIZE, SEEDS, GAMMAS)
def test_the_value_does_not_depend_on_the_order_of_the_two(n, m, seed, gamma):
    x, y = tracks(seed, n, m)
    np.testing.assert_allclose(soft_dtw(x, y, gamma=gamma), soft_dtw(y, x, gamma=gamma), rtol=1e-9, atol=1e-12)


@given(SIZE, SIZE, SEEDS)
def test_the_value_does_not_depend_on_where_both_are(n, m, seed):
    x, y = tracks(seed, n, m)
    np.testing.assert_allclose(soft_dtw(x + 1e5, y + 1e5, gamma=0.01), soft_dtw(x, y, gamma=0.01), atol=1e-6)


@given(SIZE, SIZE, SEEDS)
def test_softness_only_lowers_the_value(n, m, seed):
    x, y = tracks(seed, n, m)
    values = [soft_dtw(x, y, gamma=gamma) for gamma in (0.0, 0.1, 1.0, 10.0)]
    assert (np.diff(values) <= 1e-12).all()


@pytest.mark.parametrize("gamma", [0.0, 0.3])
@pytest.mark.parametrize("band", [None, 2, SakoeChiba(2), Itakura(2.0)])
def test_a_padded_batch_gives_the_values_of_its_items_whatever_the_padding_is(gamma, band):
    pairs = [tracks(seed, n, m) for seed, (n, m) in enumerate([(5, 7), (8, 6), (8, 8)])]
    (x, lengths_x), (y, lengths_y) = (padded([pair[side] for pair in pairs], 8, np.nan) for side in (0, 1))
    values = soft_dtw(x, y, lengths_x=lengths_x, lengths_y=lengths_y, gamma=gamma, band=band, penalty=0.1)
    singles = [soft_dtw(*pair, gamma=gamma, band=band, penalty=0.1) for pair in pairs]
    assert values.shape == (3,)
    np.testing.assert_allclose(values, singles, rtol=1e-12)


def test_gamma_and_penalty_may_differ_between_items():
    x, y = (np.stack(side) for side in zip(tracks(0, 5, 6), tracks(1, 5, 6), strict=True))
    values = soft_dtw(x, y, gamma=np.array([0.1, 2.0]), penalty=np.array([0.5, 0.0]))
    singles = [soft_dtw(x[0], y[0], gamma=0.1, penalty=0.5), soft_dtw(x[1], y[1], gamma=2.0)]
    np.testing.assert_allclose(values, singles, rtol=1e-12)


def test_costs_may_be_given_or_be_those_of_a_function():
    x, y = tracks(2, 6, 9)
    truth = tslearn_soft_dtw(np.sqrt(2) * x, np.sqrt(2) * y, gamma=0.4)
    given_costs = soft_dtw(cost=2 * cdist(x, y) ** 2, gamma=0.4)
    of_a_function = soft_dtw(x, y, cost_fn=lambda a, b: 2 * cdist(a, b) ** 2, gamma=0.4)
    np.testing.assert_allclose([given_costs, of_a_function], truth, rtol=1e-9)


def test_the_cosine_cost_is_scipy_s_and_1_for_a_frame_of_zeros():
    x, y = tracks(3, 6, 7)
    np.testing.assert_allclose(
        soft_dtw(x, y, cost_fn="cosine", gamma=0.1), soft_dtw(cost=cdist(x, y, "cosine"), gamma=0.1), rtol=1e-9
    )
    assert soft_dtw(np.zeros((1, 2)), y[:1], cost_fn="cosine") == pytest.approx(1, abs=1e-12)


def test_forbidden_cells_are_avoided():
    costs = np.random.default_rng(0).random((4, 4))
    costs[0, 3] = costs[2, 0] = costs[1, 2] = np.inf
    np.testing.assert_allclose(soft_dtw(cost=costs, gamma=0.1), gibbs(costs, 0.1)[0], rtol=1e-9)


def test_a_float_comes_of_one_pair_and_an_array_of_the_input_s_type_of_a_batch():
    x, y = (np.zeros((2, 3, 1), np.float32) for _ in range(2))
    assert isinstance(soft_dtw(x[0], y[0]), float)
    assert soft_dtw(x, y).dtype == np.float32
    assert soft_dtw(x.astype(int), y.astype(int)).dtype == np.float64
    assert soft_dtw([[0], [1]], [[1], [1]], gamma=0.0) == 1.0


# The divergence


@given(SIZE, SEEDS, GAMMAS)
def test_the_divergence_of_a_sequence_from_itself_is_zero(n, seed, gamma):
    x, _ = tracks(seed, n, 1)
    assert soft_dtw_divergence(x, x, gamma=gamma) == 0


@given(SIZE, SIZE, SEEDS, st.sampled_from([0.05, 1.0, 20.0]))
def test_the_divergence_is_positive_and_symmetric(n, m, seed, gamma):
    x, y = tracks(seed, n, m)
    one, other = soft_dtw_divergence(x, y, gamma=gamma), soft_dtw_divergence(y, x, gamma=gamma)
    assert one > 0
    np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("shape", [(6, 6), (5, 9)])
def test_the_divergence_is_made_of_three_values_of_tslearn(shape):
    x, y = tracks(1, *shape)
    cross, own_x, own_y = (tslearn_soft_dtw(a, b, gamma=0.5) for a, b in ((x, y), (x, x), (y, y)))
    np.testing.assert_allclose(soft_dtw_divergence(x, y, gamma=0.5), cross - (own_x + own_y) / 2, rtol=1e-9)


def test_the_divergence_of_a_padded_batch_is_that_of_its_items():
    pairs = [tracks(seed, n, m) for seed, (n, m) in enumerate([(5, 7), (8, 6)])]
    (x, lengths_x), (y, lengths_y) = (padded([pair[side] for pair in pairs], 8, 9.0) for side in (0, 1))
    ways = {"gamma": 0.4, "skip": (0.8, 0.9)}
    values = soft_dtw_divergence(x, y, lengths_x=lengths_x, lengths_y=lengths_y, **ways)
    np.testing.assert_allclose(values, [soft_dtw_divergence(*pair, **ways) for pair in pairs], rtol=1e-12)


def test_the_divergence_of_costs_takes_all_three():
    x, y = tracks(4, 5, 6)
    costs = tuple(cdist(a, b) ** 2 for a, b in ((x, y), (x, x), (y, y)))
    np.testing.assert_allclose(soft_dtw_divergence(cost=costs), soft_dtw_divergence(x, y), rtol=1e-9)
    with pytest.raises(BadSetting, match="one matrix of costs"):
        soft_dtw_divergence(cost=costs[0])


# The expected alignment


@pytest.mark.parametrize("shape", [(8, 8), (5, 9)])
def test_the_expected_alignment_is_tslearn_s(shape):
    x, y = tracks(2, *shape)
    truth, value = soft_dtw_alignment(x, y, gamma=0.7)
    made = soft_alignment(x, y, gamma=0.7)
    np.testing.assert_allclose(made.expected, truth, atol=1e-9)
    np.testing.assert_allclose(made.value, value, rtol=1e-9)
    np.testing.assert_allclose(made.correspondences, truth / truth.sum(axis=1, keepdims=True), atol=1e-9)


def test_the_entropy_tells_one_way_from_many():
    one_way = np.where(np.eye(5), 0.0, np.inf)
    np.testing.assert_array_equal(soft_alignment(cost=one_way).entropy, np.zeros(5))
    # All three ways through four equal cells are equally likely: a row's cells then have 1 and 1/3, or 1/3 and 1.
    np.testing.assert_allclose(
        soft_alignment(cost=np.zeros((2, 2))).entropy, -(0.75 * np.log(0.75) + 0.25 * np.log(0.25))
    )


@settings(max_examples=20)
@given(st.integers(1, 5), st.integers(1, 5), SEEDS, st.sampled_from([0.0, 0.1, 1.0]))
def test_skipped_frames_are_those_of_the_definition(n, m, seed, gamma):
    costs = np.random.default_rng(seed).random((n, m))
    truth = reference.align(costs, gamma, 0.0, np.full(n, 0.3), np.full(m, 0.2), open_end=True)
    made = soft_alignment(cost=costs, gamma=gamma, skip=(0.3, 0.2), open_end=True)
    for name in ("value", "expected", "skipped_x", "skipped_y"):
        np.testing.assert_allclose(getattr(made, name), getattr(truth, name), atol=1e-9)


def test_a_frame_that_is_surely_skipped_corresponds_to_nothing():
    costs = np.zeros((3, 2))
    costs[1] = np.inf
    made = soft_alignment(cost=costs, skip=(0.1, None), gamma=0.5)
    np.testing.assert_array_equal(made.correspondences[1], 0)
    assert made.entropy[1] == 0
    assert made.skipped_x[1] == pytest.approx(1)


def test_without_skips_nothing_is_said_about_them():
    made = soft_alignment(cost=np.zeros((3, 4)))
    assert made.skipped_x is None
    assert made.skipped_y is None
    assert isinstance(made.value, float)


def test_a_batch_has_an_axis_of_items_everywhere():
    made = soft_alignment(*(np.zeros((2, n, 1)) for n in (3, 4)), skip=1.0)
    assert [part.shape for part in made] == [(2,), (2, 3, 4), (2, 3, 4), (2, 3), (2, 3), (2, 4)]


# What is refused


@FUNCTIONS
def test_a_frame_that_is_not_finite_is_named(function):
    y = np.zeros((5, 2))
    y[3, 0] = np.nan
    with pytest.raises(BadData, match="y is not finite in frame 3"):
        function(np.zeros((4, 2)), y)


def test_of_a_batch_the_item_is_named_too():
    y = np.zeros((3, 5, 2))
    y[2, 3, 0] = np.inf
    with pytest.raises(BadData, match="y is not finite in frame 3 of item 2"):
        soft_dtw(np.zeros((3, 4, 2)), y)


@FUNCTIONS
@pytest.mark.parametrize("setting", ["gamma", "penalty"])
def test_negative_settings_are_refused(function, setting):
    with pytest.raises(BadSetting, match="is -1"):
        function(np.zeros((4, 2)), np.zeros((4, 2)), **{setting: -1})


@FUNCTIONS
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"gamma": np.array(0.0)}, "gamma of item 0 is 0.0"),
        ({"penalty": np.array(-1.0)}, "penalty of item 0 is -1.0"),
        ({"band": -1}, "half-width of -1"),
        ({"band": "wide"}, "the band is 'wide'"),
        ({"skip": -1.0}, "skipping frame 0 of x costs -1.0 in item 0"),
        ({"skip": (1.0, 1.0, 1.0)}, "skip has 3 parts"),
        ({"cost_fn": "manhattan"}, "cost_fn is 'manhattan'"),
    ],
)
def test_settings_out_of_range_are_refused(function, setting, message):
    with pytest.raises(BadSetting, match=message):
        function(np.zeros((4, 2)), np.zeros((4, 2)), **setting)


@FUNCTIONS
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"gamma": np.ones(3)}, r"gamma has shape \(3,\) for 2 items"),
        ({"penalty": np.ones((2, 1))}, r"penalty has shape \(2, 1\) for 2 items"),
        ({"skip": np.ones((2, 3))}, r"skip of x has shape \(2, 3\) for 2 items of 4 frames"),
        ({"lengths_x": [4, 5]}, r"lengths_x\[1\] is 5 of 4 frames"),
        ({"lengths_y": [0, 4]}, r"lengths_y\[0\] is 0 of 4 frames"),
        ({"lengths_y": [1.0, 4.0]}, "lengths_y is float64 of shape"),
        ({"lengths_x": [4]}, r"shape \(1,\) for 2 items"),
        ({"cost_fn": lambda x, y: np.zeros((2, 3, 4))}, r"gave shape \(2, 3, 4\) instead of \(2, 4, 4\)"),
    ],
)
def test_what_does_not_fit_the_batch_is_refused(function, setting, message):
    with pytest.raises(BadData, match=message):
        function(np.zeros((2, 4, 2)), np.zeros((2, 4, 2)), **setting)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros(3), np.zeros((3, 1)), r"x has shape \(3,\)"),
        (np.zeros((3, 1)), np.zeros((0, 1)), r"y has shape \(0, 1\)"),
        (np.zeros((3, 1)), np.zeros((3, 2)), "y has 2 features, the other 1"),
        (np.zeros((2, 3, 1)), np.zeros((3, 3, 1)), r"x has shape \(2, 3, 1\), y has shape \(3, 3, 1\)"),
        (np.zeros((3, 1), complex), np.zeros((3, 1)), "x has the type complex128"),
        (np.full((3, 1), 1e200), np.zeros((3, 1)), "x reaches 1e\\+200 in frame 0, more than can be squared"),
    ],
)
def test_sequences_that_cannot_be_compared_are_refused(x, y, message):
    with pytest.raises(BadData, match=message):
        soft_dtw(x, y)


@pytest.mark.parametrize("gamma", [0.0, 1.0])
@pytest.mark.parametrize("skip", [None, 0.5])
def test_costs_that_are_nan_are_named(gamma, skip):
    costs = np.zeros((2, 3, 4))
    costs[1, 2, 0] = np.nan
    with pytest.raises(BadData, match=r"item 1 .*row 2.* column 0"):
        soft_dtw(cost=costs, gamma=gamma, skip=skip)


@pytest.mark.parametrize("gamma", [0.0, 1.0])
def test_costs_that_leave_no_alignment_are_refused(gamma):
    costs = np.zeros((2, 3, 4))
    costs[1, 1] = np.inf
    with pytest.raises(BadData, match="item 1"):
        soft_dtw(cost=costs, gamma=gamma)


def test_sequences_and_costs_exclude_each_other():
    with pytest.raises(BadSetting, match="one of the two sequences is missing"):
        soft_dtw(np.zeros((3, 1)))
    with pytest.raises(BadSetting, match="both sequences and costs"):
        soft_dtw(np.zeros((3, 1)), np.zeros((3, 1)), cost=np.zeros((3, 3)))
