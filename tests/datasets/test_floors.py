import numpy as np
import pytest
from scipy.stats import spearmanr

from posediff.datasets.clips import Clip
from posediff.datasets.finediving import FineDivingSettings
from posediff.datasets.finediving import load as load_finediving
from posediff.datasets.floors import group_means
from posediff.datasets.mtl_aqa import MTLAQASettings
from posediff.datasets.mtl_aqa import load as load_mtl_aqa
from posediff.errors import BadData, BadSetting
from tests.fixtures.data import data_root

TRAIN = [Clip("a", 10.0, "x", 2.0), Clip("b", 20.0, "x", 3.0), Clip("c", 60.0, "y", 2.0)]


@pytest.mark.parametrize(
    ("by", "expected"), [("action", [15.0, 60.0, 30.0]), ("difficulty", [35.0, 20.0, 30.0]), ("none", [30.0] * 3)]
)
def test_a_query_has_the_mean_of_its_group_or_of_all(by, expected):
    queries = [Clip("d", 0.0, "x", 2.0), Clip("e", 0.0, "y", 3.0), Clip("f", 0.0, "z", 4.0)]
    means = group_means(TRAIN, queries, by)
    assert means.dtype == np.float64
    assert means.tolist() == expected


def test_the_scores_of_the_queries_do_not_matter():
    first, second = (group_means(TRAIN, [Clip("d", score, "x")]) for score in (0.0, 99.0))
    assert first == second


def test_nothing_to_take_a_mean_of_is_told():
    with pytest.raises(BadData, match="no training clips"):
        group_means([], TRAIN)
    with pytest.raises(BadSetting, match="by 'number'"):
        group_means(TRAIN, TRAIN, "number")


def figures(dives, by):
    """Spearman's rho, and 100 times the mean squared error relative to the range of the test scores."""
    predicted, true = group_means(dives.train, dives.test, by), np.array([clip.score for clip in dives.test])
    return spearmanr(predicted, true)[0], 100 * np.mean(((predicted - true) / (true.max() - true.min())) ** 2)


def test_the_floors_of_finediving():
    dives = load_finediving(FineDivingSettings(str(data_root("finediving", "Annotations"))))
    assert figures(dives, "action") == pytest.approx((0.588, 1.335), abs=5e-4)
    assert figures(dives, "difficulty") == pytest.approx((0.584, 1.309), abs=5e-4)


def test_the_floors_of_mtl_aqa():
    dives = load_mtl_aqa(MTLAQASettings(str(data_root("mtl_aqa"))))
    assert figures(dives, "action") == pytest.approx((0.596, 2.004), abs=5e-4)
    assert figures(dives, "difficulty") == pytest.approx((0.576, 2.012), abs=5e-4)
    difficulty, scores = zip(*((clip.difficulty, clip.score) for clip in dives.test), strict=True)
    assert spearmanr(difficulty, scores)[0] == pytest.approx(0.560, abs=5e-4)
