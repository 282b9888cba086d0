import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from posediff.engine.metrics import accuracy, aiou, are_labels, auc, fisher_mean, interval_iou, relative_l2, srcc
from posediff.errors import BadData, BadSetting
from tests.fixtures.data import data_root

scores = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=30).filter(
    lambda rows: all(len(set(column)) > 1 for column in zip(*rows, strict=True))
)


def test_the_figures_of_the_published_predictions_are_those_of_their_paper():
    pred, true = (np.load(data_root("mcore", name)) for name in ("pred.npy", "true.npy"))
    assert srcc(pred, true) == pytest.approx(0.9270, abs=5e-5)
    assert relative_l2(pred, true) == pytest.approx(0.3276, abs=5e-5)


@given(scores)
def test_srcc_is_scipys_with_ties_too(rows):
    pred, true = np.array(rows, dtype=float).T
    assert srcc(pred, true) == pytest.approx(scipy.stats.spearmanr(pred, true).statistic, abs=1e-12)


@given(scores)
def test_srcc_only_sees_the_order(rows):
    pred, true = np.array(rows, dtype=float).T
    assert srcc(np.exp(pred), true) == pytest.approx(srcc(pred, true), abs=1e-12)
    assert srcc(-pred, true) == pytest.approx(-srcc(pred, true), abs=1e-12)


def test_relative_l2_is_the_mean_square_of_the_error_over_the_range_times_100():
    pred, true = np.array([1.0, 5.0, 11.0]), np.array([0.0, 5.0, 10.0])
    assert relative_l2(pred, true) == pytest.approx(100 * (0.1**2 + 0 + 0.1**2) / 3)
    assert relative_l2(pred, true, (0, 100)) == pytest.approx(100 * (0.01**2 + 0 + 0.01**2) / 3)


@pytest.mark.parametrize("metric", [srcc, relative_l2])
@pytest.mark.parametrize(
    ("pred", "true", "message"),
    [
        ([1.0, np.nan], [1.0, 2.0], "predicted scores are not finite, the first is number 1"),
        ([1.0, 2.0], [np.inf, 2.0], "true scores are not finite"),
        ([1.0, 2.0, 3.0], [1.0, 2.0], "shapes"),
        ([1.0], [1.0], "at least 2"),
        ([1.0, 2.0], [3.0, 3.0], "3"),
    ],
)
def test_scores_that_have_no_figure_are_refused(metric, pred, true, message):
    with pytest.raises(BadData, match=message):
        metric(np.array(pred), np.array(true))


def test_constant_predictions_have_no_correlation_but_an_error():
    with pytest.raises(BadData, match="all predicted scores are 2"):
        srcc(np.array([2.0, 2.0]), np.array([1.0, 3.0]))
    assert relative_l2(np.array([2.0, 2.0]), np.array([1.0, 3.0])) == pytest.approx(25)


labels = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1)), min_size=2, max_size=30).filter(
    lambda rows: len({label for _, label in rows}) == 2
)


@given(labels)
def test_auc_counts_pairs_and_is_mann_whitneys(rows):
    pred, true = np.array(rows, dtype=float).T
    found = auc(pred, true)
    pairs = [(one, zero) for one, label in rows if label for zero, other in rows if not other]
    counted = sum(1.0 if one > zero else 0.5 if one == zero else 0.0 for one, zero in pairs) / len(pairs)
    assert found == pytest.approx(counted)
    ranked = scipy.stats.mannwhitneyu(pred[true == 1], pred[true == 0], method="asymptotic").statistic
    assert found == pytest.approx(ranked / len(pairs))
    assert auc(-pred, true) == pytest.approx(1 - found)


@given(labels, st.sampled_from([0.5, 2.0, 3.5]))
def test_accuracy_counts_those_on_the_right_side(rows, threshold):
    pred, true = np.array(rows, dtype=float).T
    right = sum((value >= threshold) == bool(label) for value, label in rows)
    assert accuracy(pred, true, threshold) == pytest.approx(right / len(rows))


def test_what_are_no_labels_has_no_figures_of_labels():
    assert are_labels(np.array([0.0, 1.0, 1.0]))
    assert not are_labels(np.array([0.0, 0.5]))
    for metric in (accuracy, auc):
        with pytest.raises(BadData, match=r"a label is 0\.5, expected 0 or 1"):
            metric(np.array([1.0, 2.0]), np.array([1.0, 0.5]))
    with pytest.raises(BadData, match="all labels are 1"):
        auc(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
    assert accuracy(np.array([1.0, 0.2]), np.array([1.0, 1.0])) == 0.5


def test_fisher_mean_is_the_mean_of_z():
    z = [0.5 * np.log((1 + r) / (1 - r)) for r in (0.2, 0.9)]
    mean = np.mean(z)
    assert fisher_mean([0.2, 0.9]) == pytest.approx((np.exp(2 * mean) - 1) / (np.exp(2 * mean) + 1))
    assert fisher_mean([0.5, 0.5]) == pytest.approx(0.5)
    assert fisher_mean([1.0, 0.3]) == 1


@pytest.mark.parametrize("values", [[], [1.2], [np.nan], [[0.1]], [1.0, -1.0]])
def test_what_is_no_correlation_has_no_mean(values):
    with pytest.raises(BadData):
        fisher_mean(values)


def frame_by_frame(first: tuple[int, int], second: tuple[int, int]) -> float:
    """IoU by counting frames."""
    one, other = set(range(*first)), set(range(*second))
    return len(one & other) / len(one | other) if one | other else 0.0


@given(*[st.tuples(st.integers(0, 12), st.integers(0, 12))] * 2)
def test_interval_iou_counts_frames(first, second):
    assert interval_iou(np.array(first), np.array(second)) == pytest.approx(frame_by_frame(first, second))


def test_aiou_looks_at_the_flight_or_at_all_stages():
    true = np.array([[2, 8], [2, 8]])
    pred = np.array([[2, 8], [5, 8]])  # the second: IoU 0.4 of the take-off, 0.5 of the flight, 1 of the entry
    assert aiou(pred, true, 10, 0.5) == 100
    assert aiou(pred, true, 10, 0.75) == 50
    assert aiou(pred, true, 10, 0.5, "all") == pytest.approx(100 * 5 / 6)
    assert aiou(pred, true, 10, 0.75, "all") == pytest.approx(100 * 4 / 6)


def test_aiou_of_one_transition_has_no_flight():
    assert aiou(np.array([[4]]), np.array([[5]]), 10, 0.75, "all") == 100
    with pytest.raises(BadSetting, match="2 stages"):
        aiou(np.array([[4]]), np.array([[5]]), 10, 0.75)


def test_transitions_that_cannot_be_compared_are_refused():
    with pytest.raises(BadData, match="shapes"):
        aiou(np.zeros((2, 2)), np.zeros((3, 2)), 10, 0.5)
    with pytest.raises(BadData, match="shapes"):
        aiou(np.zeros((0, 2)), np.zeros((0, 2)), 10, 0.5)
    with pytest.raises(BadData, match="NaN"):
        aiou(np.full((1, 2), np.nan), np.zeros((1, 2)), 10, 0.5)
    with pytest.raises(BadSetting, match="threshold"):
        aiou(np.zeros((1, 2)), np.zeros((1, 2)), 10, 0)
