from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from posediff.errors import BadData
from tests.fixtures.benchmarks import load
from tests.fixtures.data import data_root

pytest.importorskip("torch")

MOVEMENTS, SUBJECTS = (1, 2), 6


@pytest.fixture(scope="module")
def benchmark():
    return load("ui_prmd_cross_subject")


@pytest.fixture(scope="module")
def data(benchmark):
    """Two movements by six subjects, whose faulty episodes are louder; no fold of movement 2 has subject 5."""
    from posediff.datasets.ui_prmd import Episode
    from posediff.engine.judging import Measured

    rng = np.random.default_rng(0)
    owners = np.arange(SUBJECTS)
    cases = []
    for movement in MOVEMENTS:
        for subject in range(SUBJECTS):
            for correct in (True, False):
                for number in range(3):
                    fold = "" if (movement, subject) == (2, 5) else str(subject % 3)
                    size = 0.5 if correct else 3.0
                    beside = Measured(
                        (size * rng.normal(size=(SUBJECTS, 4, 3))).astype(np.float32),
                        rng.normal(size=(SUBJECTS, 6)).astype(np.float32),
                        (50 - 10 * size + owners).astype(np.float32),
                    )
                    episode = Episode(movement, subject, number, correct, Path("none"))
                    cases.append(benchmark.Case(episode, fold, beside))
    examples = {
        movement: [Episode(movement, subject, 0, True, Path("none")) for subject in owners.tolist()]
        for movement in MOVEMENTS
    }
    return benchmark.Set(cases, examples, MOVEMENTS)


def test_nobody_who_is_tested_is_learnt_from_in_any_movement(benchmark, data):
    for fold in "012":
        tested = {case.episode.subject for case in benchmark.tested(data, fold)}
        learnt = {case.episode.subject for case in benchmark.learnt(data, (fold,))}
        assert tested
        assert learnt
        assert not tested & learnt
    # Subject 5 is tested by fold 2 in movement 1 alone, and left out of learning in both.
    assert 5 not in {case.episode.subject for case in benchmark.learnt(data, ("2",))}
    assert (2, 5) in {(case.episode.movement, case.episode.subject) for case in benchmark.learnt(data, ("0",))}


def test_examples_are_of_other_people_and_never_the_episode_itself(benchmark, data):
    first = next(case for case in data.cases if case.episode.subject == 3 and case.episode.number == 0)
    beside = first.beside.residuals
    found = data.nearest(first, {1, 2, 3}, 5).residuals
    assert len(found) == 2
    assert {one.tobytes() for one in found} == {beside[1].tobytes(), beside[2].tobytes()}
    second = next(case for case in data.cases if case.episode.subject == 3 and case.episode.number == 1)
    assert np.array_equal(data.nearest(second, {3}, 5).residuals, second.beside.residuals[[3]])
    with pytest.raises(BadData, match="no good example"):
        data.nearest(first, {3}, 5)


def test_faulty_episodes_are_told_apart_and_figures_are_those_of_scikit_learn(benchmark, data, monkeypatch):
    monkeypatch.setitem(benchmark._SHARED, "data", data)
    found = benchmark.outer(("1", 0, "both"))
    rows = benchmark.rows_of(benchmark.tested(data, "1"), found, 0)
    probability, correct = (np.array([row[name] for row in rows]) for name in ("probability", "correct"))
    assert benchmark.figures(rows)["all"] == [
        pytest.approx(np.mean((probability >= 0.5) == correct)),
        pytest.approx(roc_auc_score(correct, probability)),
    ]
    assert roc_auc_score(correct, probability) > 0.9


def test_who_votes_is_chosen_without_the_tested_fold(benchmark, data, monkeypatch):
    monkeypatch.setitem(benchmark._SHARED, "data", data)
    asked = []

    def odds(data, train, test, name, seed, networks):
        asked.append(({case.episode.subject for case in train}, {case.episode.subject for case in test}))
        sign = 1 if name == "all" else -1  # the networks of single movements are always wrong
        return np.array([sign if case.episode.correct else -sign for case in test])

    monkeypatch.setattr(benchmark, "log_odds", odds)
    said, correct = benchmark.inner(("0", "1"))
    assert (said["all"] > 0.5).tolist() == (said["own"] < 0.5).tolist() == correct.astype(bool).tolist()
    away = {case.episode.subject for case in benchmark.tested(data, "0")}
    for train, test in asked:
        assert not train & test
        assert not away & (train | test)
    with ThreadPoolExecutor(1) as pool:
        assert benchmark.choose(["0", "1", "2"], pool) == dict.fromkeys("012", "all")


def test_episodes_of_the_published_folds_have_displacements(benchmark):
    floors = load("ui_prmd_floors")
    root = data_root("ui_prmd")
    one = next(one for one in benchmark.episodes(root) if one.movement == 1)
    found = floors.displacement(one.path)
    assert found.shape == (4 * 22 * 3,)
    mean, _, least, most = found.reshape(4, 22, 3)
    assert (least <= mean + 1e-9).all()
    assert (mean <= most + 1e-9).all()
    assert np.abs(found.reshape(4, 22, 3)[:, 0]).max() < 1e-9  # the pelvis is the origin
