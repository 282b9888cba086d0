"""How good predicted scores and stages are, as the literature on action quality assessment reports it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from posediff.errors import BadData, BadSetting


def srcc(pred: np.ndarray, true: np.ndarray) -> float:
    """Spearman's rank correlation, equal values sharing the mean of their ranks.

    Args:
        pred, true: (N,) predicted and true scores.

    Raises:
        BadData: if they are not N >= 2 finite numbers each, or one of them is constant.
    """
    pred, true = _pair(pred, true)
    for name, scores in (("predicted", pred), ("true", true)):
        if np.ptp(scores) == 0:
            raise BadData(f"all {name} scores are {scores[0]:g}: they have no order", "give scores that differ")
    ranks = [_ranks(scores) for scores in (pred, true)]
    first, second = (rank - rank.mean() for rank in ranks)
    return float(first @ second / np.sqrt((first @ first) * (second @ second)))


def relative_l2(pred: np.ndarray, true: np.ndarray, score_range: tuple[float, float] | None = None) -> float:
    """R-l2 as it is reported, so times 100: the mean squared error relative to the range of the scores.

    HP-MCoRe (Qi et al. 2025, eq. 29) prints it without the square, with which the published figures are computed.

    Args:
        pred, true: (N,) predicted and true scores.
        score_range: lowest and highest score; by default those of ``true``.

    Raises:
        BadData: if they are not N >= 2 finite numbers each, or the range is empty.
    """
    pred, true = _pair(pred, true)
    low, high = (float(true.min()), float(true.max())) if score_range is None else score_range
    if not high > low:
        raise BadData(f"the scores range from {low:g} to {high:g}", "give scores that differ, or their range")
    return float(100 * np.mean(((pred - true) / (high - low)) ** 2))


def accuracy(pred: np.ndarray, true: np.ndarray, threshold: float = 0.5) -> float:
    """Share of the labels that predictions are on the right side of the threshold for.

    Args:
        pred: (N,) predicted scores; one on the threshold stands for the label 1.
        true: (N,) labels, 0 or 1.
        threshold: between the labels.

    Raises:
        BadData: if they are not N >= 2 finite numbers each, or a label is neither 0 nor 1.
    """
    pred, true = _labels(pred, true)
    return float(np.mean((pred >= threshold) == (true == 1)))


def auc(pred: np.ndarray, true: np.ndarray) -> float:
    """Area under the ROC curve: the probability that a clip of label 1 is predicted above one of label 0, ties half.

    Args:
        pred: (N,) predicted scores.
        true: (N,) labels, 0 or 1.

    Raises:
        BadData: if they are not N >= 2 finite numbers each, a label is neither 0 nor 1, or all are the same.

    Source: Hanley & McNeil 1982; the Mann-Whitney U divided by the number of pairs.
    """
    pred, true = _labels(pred, true)
    ones = int(true.sum())
    pairs = ones * (len(true) - ones)
    if not pairs:
        raise BadData(f"all labels are {true[0]:g}: there is nothing to tell apart", "give clips of both labels")
    return float((_ranks(pred)[true == 1].sum() - ones * (ones + 1) / 2) / pairs)


def are_labels(scores: np.ndarray) -> bool:
    """Whether scores are labels: each of them 0 or 1."""
    return bool(np.isin(scores, (0, 1)).all())


def fisher_mean(correlations: Sequence[float] | np.ndarray) -> float:
    """Mean of correlations by Fisher's z, as AQA-7 averages those of its actions.

    Args:
        correlations: of the actions, each from -1 to 1; a perfect one makes the mean perfect.

    Raises:
        BadData: if there is none, one is not a correlation, or both 1 and -1 are among them.
    """
    values = np.asarray(correlations, dtype=np.float64)
    if values.ndim != 1 or not len(values) or not (np.abs(values) <= 1).all():
        raise BadData(f"the correlations are {values.tolist()}", "give one or more numbers from -1 to 1")
    if 1 in values and -1 in values:
        raise BadData("the correlations hold both 1 and -1, which have no mean", "look at the classes apart")
    with np.errstate(divide="ignore"):
        return float(np.tanh(np.arctanh(values).mean()))


def interval_iou(pred: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Intersection over union of intervals.

    Args:
        pred, true: (..., 2) begin and end, end exclusive; one that ends before it begins is empty.

    Returns:
        (...) from 0 to 1; 0 where both are empty.

    Raises:
        BadData: if they are not pairs of finite numbers, as many of one as of the other.
    """
    pred, true = (np.asarray(intervals, dtype=np.float64) for intervals in (pred, true))
    if pred.shape != true.shape or pred.shape[-1:] != (2,):
        raise BadData(f"the intervals have shapes {pred.shape} and {true.shape}", "give begin and end of each")
    if not (np.isfinite(pred).all() and np.isfinite(true).all()):
        raise BadData("the intervals hold NaN or infinity", "leave out what is not known")
    lengths = [np.maximum(intervals[..., 1] - intervals[..., 0], 0) for intervals in (pred, true)]
    begin, end = np.maximum(pred[..., 0], true[..., 0]), np.minimum(pred[..., 1], true[..., 1])
    shared = np.maximum(end - begin, 0)
    union = lengths[0] + lengths[1] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def aiou(
    pred_transitions: np.ndarray,
    true_transitions: np.ndarray,
    frames: int,
    threshold: float,
    stages: Literal["flight", "all"] = "flight",
) -> float:
    """AIoU at a threshold, in percent as it is reported: how many stages are found with at least that IoU.

    Args:
        pred_transitions, true_transitions: (N, K - 1) first frame of every stage but the first.
        frames: length of a clip.
        threshold: least IoU, 0.5 or 0.75 as a rule.
        stages: ``flight`` looks at the middle one of three stages alone, as the code published with FineDiving does;
            ``all`` takes the mean over all K.

    Raises:
        BadData: if the shapes differ, there is no clip, or a number is not finite.
        BadSetting: if the threshold is not above 0 and at most 1, or there are not three stages to take the flight of.
    """
    pred, true = (np.asarray(transitions, dtype=np.float64) for transitions in (pred_transitions, true_transitions))
    if pred.shape != true.shape or pred.ndim != 2 or not len(pred):
        raise BadData(f"the transitions have shapes {pred.shape} and {true.shape}", "give (clips, stages - 1) of both")
    if not 0 < threshold <= 1:
        raise BadSetting(f"threshold is {threshold}, expected above 0 and at most 1", "take 0.5 or 0.75")
    limits = [np.column_stack([np.zeros(len(one)), one, np.full(len(one), frames)]) for one in (pred, true)]
    found = interval_iou(*(np.stack([limit[:, :-1], limit[:, 1:]], axis=-1) for limit in limits)) >= threshold
    if stages == "all":
        return float(100 * found.mean())
    if found.shape[1] != 3:
        raise BadSetting(f"there are {found.shape[1]} stages, of which none is the flight", 'take stages="all"')
    return float(100 * found[:, 1].mean())


def _pair(pred: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64, checked."""
    pred, true = np.asarray(pred, dtype=np.float64), np.asarray(true, dtype=np.float64)
    if pred.ndim != 1 or pred.shape != true.shape:
        raise BadData(f"the scores have shapes {pred.shape} and {true.shape}", "give one prediction for each score")
    if len(pred) < 2:
        raise BadData(f"there are {len(pred)} scores, expected at least 2", "give more clips")
    for name, scores in (("predicted", pred), ("true", true)):
        if not np.isfinite(scores).all():
            places = np.flatnonzero(~np.isfinite(scores))
            raise BadData(
                f"{len(places)} {name} scores are not finite, the first is number {places[0]}", "correct them"
            )
    return pred, true


def _labels(pred: np.ndarray, true: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and labels as float64, checked."""
    pred, true = _pair(pred, true)
    if not are_labels(true):
        other = true[~np.isin(true, (0, 1))][0]
        raise BadData(f"a label is {other:g}, expected 0 or 1", "give labels, or take a figure of scores")
    return pred, true


def _ranks(values: np.ndarray) -> np.ndarray:
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[which]
