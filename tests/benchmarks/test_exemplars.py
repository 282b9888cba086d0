import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from posediff.motion.synthetic import Fault, Performer, generate
from tests.fixtures.benchmarks import load
from tests.fixtures.data import data_root


@pytest.mark.parametrize("seed", range(3))
def test_auc_agrees_with_scikit_learn_also_with_ties(seed):
    values = np.random.default_rng(seed).integers(0, 6, 30)
    labels = np.arange(30) < 12
    found = load("exemplars").auc(values[labels], values[~labels])
    assert found == pytest.approx(roc_auc_score(labels, values))


def test_a_faulty_performance_scores_below_a_sound_one():
    exemplars = load("exemplars")
    good = [generate("squat", performer=Performer.random(np.random.default_rng(seed))) for seed in range(4)]
    bad = generate("squat", faults=(Fault("left_knee", 35, "bottom"), Fault("trunk_lean", 25, "bottom")))
    bodies = exemplars.bodies(good[:3])
    assert exemplars.exemplar_scores(bodies, good[3])["score"] > exemplars.exemplar_scores(bodies, bad)["score"]


def test_every_episode_is_found_and_exemplars_come_from_other_subjects():
    benchmark = load("compare_ui_prmd")
    episodes = [one for one in benchmark.episodes(data_root("ui_prmd")) if one.movement == 1]
    assert len(episodes) == 200
    chosen = benchmark.chosen_exemplars(episodes, left_out=3)
    assert len(chosen) == 18
    assert all(one.correct and one.subject != 3 for one in chosen)
