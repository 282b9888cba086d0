import numpy as np
import pytest

from posediff.compare import compare
from posediff.compare.prepare import prepare
from posediff.errors import BadData, BadSetting
from posediff.motion.normalize import mirrored
from posediff.motion.synthetic import Fault, Performer, Recording, Squat, generate

pytest.importorskip("torch")

from posediff.engine.judging import COMPARISON, JudgingSettings, Measured, measured, train_judges

MOMENTS = 8
PEOPLE = 6


def squat(person, repetition=0, faults=()):
    performer = Performer.random(np.random.default_rng(person))
    recording = Recording(view="3d", noise=0.003, pace=0.9 + 0.05 * repetition)
    return generate(Squat(), performer=performer, recording=recording, faults=faults, seed=10 * person + repetition)


def bad(person, repetition=0):
    return squat(person, repetition, (Fault("left_knee", 25, "bottom"), Fault("trunk_lean", 20, "bottom")))


EXAMPLES = [prepare(squat(person), COMPARISON) for person in range(PEOPLE)]


@pytest.fixture(scope="module")
def performances():
    """Good and bad squats of everybody, beside all examples: person, whether it is good, what is measured."""
    made = [(person, make is squat, make(person, 1)) for person in range(PEOPLE) for make in (squat, bad)]
    return [(person, good, measured(EXAMPLES, one, MOMENTS)) for person, good, one in made]


def others(person):
    return np.arange(PEOPLE) != person


def test_a_performance_beside_itself_and_its_mirror_image_has_no_residuals():
    itself = squat(2)
    for query in (itself, mirrored(itself)):
        found = measured([EXAMPLES[2]], query, MOMENTS)
        assert found.residuals.shape[:2] == (1, MOMENTS)
        assert np.abs(found.residuals).max() < 0.05
        assert found.context[0] == pytest.approx([0, 5, 5, 5, 5, 5], abs=0.02)
        assert found.similarity[0] == pytest.approx(100, abs=0.5)


def test_similarity_and_scores_are_those_of_the_comparison():
    query = bad(1)
    found = measured(EXAMPLES[:2], query, MOMENTS)
    told = compare(squat(0), query, COMPARISON)
    assert found.similarity[0] == pytest.approx(told.score, abs=1e-3)
    assert 20 * found.context[0, 1:5] == pytest.approx([told.scores[name] for name in told.scores], abs=1e-3)


def test_the_most_similar_examples_that_are_allowed_are_taken():
    given = Measured(np.arange(4.0)[:, None, None], np.arange(4.0)[:, None], np.array([70.0, 90, 80, 60]))
    assert given.nearest(np.array([True, True, True, True]), 2).similarity.tolist() == [90, 80]
    assert given.nearest(np.array([True, False, True, True]), 2).residuals[:, 0, 0].tolist() == [2, 0]
    assert len(given.nearest(np.array([False, False, True, False]), 2).similarity) == 1
    with pytest.raises(BadData, match="no good example"):
        given.nearest(np.zeros(4, bool), 2)


def test_people_never_seen_are_judged_rightly(performances):
    settings = JudgingSettings(nearest=2, moments=MOMENTS, epochs=40, batch_size=8, lr=5e-3)
    train = [(p.nearest(others(person) & (np.arange(PEOPLE) < 4), 2), good) for person, good, p in performances[:8]]
    judges = train_judges([one for one, _ in train], np.array([good for _, good in train]), settings, seed=0)
    for _, good, one in performances[8:]:
        assert (judges.log_odds(one.nearest(np.arange(PEOPLE) < 4, 2)) > 0) == good


def test_the_seed_decides_and_kinds_are_told_beside(performances):
    settings = JudgingSettings(nearest=2, moments=MOMENTS, epochs=1, networks=2)
    parts = [one.nearest(others(person), 2) for person, _, one in performances]
    good, kinds = np.array([good for _, good, _ in performances]), np.eye(2)[np.arange(len(parts)) % 2]

    def found(seed):
        return train_judges(parts, good, settings, seed, kinds).log_odds(parts[0], kinds[0])

    assert found(3) == found(3) != found(4)


def test_examples_of_one_kind_alone_teach_nothing(performances):
    with pytest.raises(BadData, match="good and bad"):
        train_judges([performances[0][2]], np.array([True]), JudgingSettings(), seed=0)


@pytest.mark.parametrize("wrong", [{"nearest": 0}, {"epochs": 0}, {"lr": 0.0}, {"networks": 0}, {"weight_decay": -1.0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(BadSetting, match=next(iter(wrong))):
        JudgingSettings(**wrong)
