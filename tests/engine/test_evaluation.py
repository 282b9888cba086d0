from types import SimpleNamespace

import numpy as np
import pytest
import scipy.stats
import torch

from posediff.datasets.finediving import FineDivingSettings, load
from posediff.datasets.floors import group_means
from posediff.engine.data import for_testing, for_training, load_clips
from posediff.engine.evaluation import FIGURES, by_action, figures, floor_figures, is_better, predict
from posediff.engine.models import make_model
from posediff.engine.predictions import Predictions
from posediff.engine.processes import Process
from tests.engine.tiny import TinySettings, experiment
from tests.fixtures.data import data_root

ALONE = Process(0, 1, torch.device("cpu"))


@pytest.fixture(scope="module")
def asked():
    """A network and the test clips of the small experiment."""
    settings = experiment().data
    collection = load_clips(settings)
    task = for_training(settings, TinySettings(), collection, seed=0).task
    torch.manual_seed(0)
    network = make_model("tiny", TinySettings(dropout=0.5), task)
    network.scale.fill_(3.0)
    return network, for_testing(settings, TinySettings(), collection, task)


@torch.no_grad()
def test_scores_are_those_of_comparing_one_by_one(asked):
    network, questions = asked
    found = predict(network, questions, 5, ALONE)
    network.eval()
    for row, clip in enumerate(questions.queries.clips):
        query = network.encode(questions.queries.load([row]))
        votes = []
        for pick in questions.picks[row]:
            exemplar = network.encode(questions.bank.load([pick]))
            known = questions.bank.clips[pick]
            execution = known.score / known.difficulty + float(network.compare(query, exemplar).total)
            votes.append(execution * clip.difficulty)
        assert found.votes[row] == pytest.approx(votes, rel=1e-4)
        assert found.predicted[row] == pytest.approx(np.mean(votes), rel=1e-4)
        assert found.exemplars[row] == tuple(questions.bank.clips[pick].key for pick in questions.picks[row])
    assert found.score.tolist() == [clip.score for clip in questions.queries.clips]


def test_stages_add_up_to_the_difference(asked):
    network, questions = asked
    found = predict(network, questions, 8, ALONE)
    executions = np.array([clip.score / clip.difficulty for clip in questions.bank.clips])
    difficulty = np.array([clip.difficulty for clip in questions.queries.clips])
    known = executions[questions.picks].mean(axis=1) * difficulty
    assert found.stages.sum(axis=1) + known == pytest.approx(found.predicted, rel=1e-4)


def test_every_exemplar_is_encoded_once(asked, monkeypatch):
    network, questions = asked
    encoded = []
    original = network.encode
    monkeypatch.setattr(network, "encode", lambda batch: encoded.extend(batch["index"].tolist()) or original(batch))
    predict(network, questions, 4, ALONE)
    used = np.unique(questions.picks)
    assert encoded[: len(used)] == used.tolist()
    assert encoded[len(used) :] == list(range(len(questions.queries)))


@pytest.mark.parametrize(("size", "workers"), [(1, 0), (100, 0), (4, 1)])
def test_how_clips_are_loaded_changes_nothing(asked, size, workers):
    network, questions = asked
    expected, found = predict(network, questions, 4, ALONE), predict(network, questions, size, ALONE, workers)
    assert found.predicted == pytest.approx(expected.predicted, rel=1e-5)
    assert (found.transitions == expected.transitions).all()


def test_predicting_draws_nothing_that_training_draws_from(asked):
    before = torch.get_rng_state()
    predict(*asked, 4, ALONE)
    assert torch.equal(torch.get_rng_state(), before)


def predictions(**changes):
    """Predictions of four clips, all stages found but one."""
    values = {
        "keys": tuple("abcd"),
        "exemplars": ((),) * 4,
        "score": np.array([1.0, 2.0, 3.0, 5.0]),
        "predicted": np.array([1.5, 1.0, 4.0, 5.0]),
        "votes": np.zeros((4, 1)),
        "stages": np.zeros((4, 3)),
        "transitions": np.array([[2, 8], [2, 8], [2, 8], [5, 8]]),
        "labelled": np.array([[2, 8], [2, 8], [-1, -1], [2, 8]]),
        "floor": np.array([1.0, 1.0, 2.0, 2.0]),
        "frames": 10,
    }
    return Predictions(**{**values, **changes})


def test_figures_are_of_final_scores_and_labelled_stages():
    found = figures(predictions())
    assert list(found) == list(FIGURES)
    assert found["srcc"] == pytest.approx(scipy.stats.spearmanr([1.5, 1, 4, 5], [1, 2, 3, 5]).statistic)
    assert found["relative_l2"] == pytest.approx(100 * (0.25 + 1 + 1) / 4 / 16)
    assert (found["aiou_50_flight"], found["aiou_75_flight"]) == (100, pytest.approx(200 / 3))
    assert found["aiou_50_all"] == pytest.approx(100 * 8 / 9)
    assert figures(predictions(), (0.0, 10.0))["relative_l2"] == pytest.approx(100 * (0.25 + 1 + 1) / 4 / 100)


def test_there_is_no_figure_where_it_is_not_defined():
    constant = figures(predictions(predicted=np.full(4, 2.0)))
    assert constant["srcc"] is None
    assert constant["relative_l2"] is not None
    unlabelled = figures(predictions(labelled=np.full((4, 2), -1)))
    assert {unlabelled[name] for name in FIGURES[2:]} == {None}
    two = figures(predictions(transitions=np.full((4, 1), 3), labelled=np.full((4, 1), 3)))
    assert (two["aiou_50_flight"], two["aiou_50_all"]) == (None, 100)
    one = figures(predictions(transitions=np.zeros((4, 0)), labelled=np.zeros((4, 0))))
    assert one["aiou_50_all"] is None
    equal = figures(predictions(score=np.full(4, 2.0)))
    assert (equal["srcc"], equal["relative_l2"]) == (None, None)


def test_labels_have_figures_of_their_own_besides():
    found = figures(predictions(score=np.array([0.0, 1, 0, 1]), predicted=np.array([0.2, 0.4, 0.5, 0.9])))
    assert (found["accuracy"], found["auc"], found["srcc"] is None) == (0.5, 0.75, False)
    alike = figures(predictions(score=np.ones(4)))
    assert (alike["accuracy"], alike["auc"]) == (1.0, None)
    assert not {"accuracy", "auc"} & set(figures(predictions()))


def test_a_model_with_stages_of_its_own_has_no_figures_of_the_labelled_ones():
    own = figures(predictions(transitions=np.full((4, 7), 3), labelled=np.zeros((4, 0))))
    assert {own[name] for name in FIGURES[2:]} == {None}
    assert own["srcc"] is not None


def by_hand(found, rows):
    truth, predicted = found.score[rows], found.predicted[rows]
    return scipy.stats.spearmanr(predicted, truth).statistic, 100 * np.mean(((predicted - truth) / np.ptp(truth)) ** 2)


def test_figures_by_action_are_averaged_by_z_each_relative_to_its_own_range():
    rng = np.random.default_rng(0)
    score = rng.normal(size=14) * 5
    found = predictions(score=score, predicted=score + rng.normal(size=14) * 3)
    actions = ["b"] * 6 + ["rare"] * 2 + ["a"] * 6
    made = by_action(found, actions)
    assert [*made["actions"]] == ["a", "b"]
    first, second = by_hand(found, slice(8, 14)), by_hand(found, slice(0, 6))
    assert made["actions"]["a"] == {"clips": 6, "srcc": pytest.approx(first[0]), "relative_l2": pytest.approx(first[1])}
    z = [0.5 * np.log((1 + rank) / (1 - rank)) for rank in (first[0], second[0])]
    assert made["mean"]["srcc"] == pytest.approx(np.tanh(np.mean(z)))
    assert made["mean"]["relative_l2"] == pytest.approx((first[1] + second[1]) / 2)


def test_actions_without_figures_leave_them_out_of_the_mean():
    score = np.array([1.0, 2, 3, 5, 5, 5, 1, 2, 3])
    found = predictions(score=score, predicted=np.array([1.0, 3, 2, 4, 5, 6, 3, 1, 2]))
    made = by_action(found, [*"aaabbbccc"])
    assert (made["actions"]["b"]["srcc"], made["actions"]["b"]["relative_l2"]) == (None, None)
    ranks = [0.5, -0.5]
    assert made["mean"]["srcc"] == pytest.approx(np.tanh(np.mean(np.arctanh(ranks))), abs=1e-9)
    perfect = predictions(score=np.array([1.0, 2, 3] * 2), predicted=np.array([1.0, 2, 3, 3, 1, 2]))
    assert by_action(perfect, [*"aaabbb"])["mean"]["srcc"] is None
    assert by_action(found, [*"aaabbccdd"]) is None


def test_the_floor_is_what_labels_alone_say(asked):
    _, questions = asked
    truth = [clip.score for clip in questions.queries.clips]
    found = floor_figures(questions)
    assert found["srcc"] == pytest.approx(scipy.stats.spearmanr(questions.floor, truth).statistic)


def test_the_floor_of_finediving_is_the_published_one():
    folder = data_root("finediving", "Annotations")
    found = load(FineDivingSettings(annotations=str(folder)))
    floor = group_means(found.train, found.test, "action")
    scores = np.array([clip.score for clip in found.test])
    asked = SimpleNamespace(scores=scores, floor=floor, score_range=found.score_range)
    assert {name: round(value, 3) for name, value in floor_figures(asked).items()} == {
        "srcc": 0.588,
        "relative_l2": 1.335,
    }


def test_larger_is_better_but_for_errors_and_any_figure_is_better_than_none():
    assert is_better("srcc", 0.5, 0.4)
    assert not is_better("srcc", 0.4, 0.4)
    assert is_better("relative_l2", 0.3, 0.4)
    assert is_better("srcc", -1.0, None)
    assert not is_better("srcc", None, -1.0)
    assert not is_better("srcc", None, None)
