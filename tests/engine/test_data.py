from dataclasses import replace

import numpy as np
import pytest

from posediff.datasets.clips import Clip, Collection
from posediff.datasets.samples import InputSettings
from posediff.engine.data import (
    features_of,
    for_testing,
    for_training,
    labels_hash,
    load_clips,
    load_samples,
    stage_names,
    without_exemplars,
)
from posediff.engine.models import Task
from posediff.errors import BadData, BadSetting
from posediff.models.settings import DynamicSettings, HPMCoReSettings
from tests.engine.tiny import TinySettings, experiment

MODEL = TinySettings()


@pytest.fixture(scope="module")
def collection():
    """The dives of the small experiment."""
    return load_clips(experiment().data)


def test_validation_clips_are_taken_from_the_training_split_and_are_nowhere_else(collection):
    data = for_training(experiment().data, MODEL, collection, seed=0)
    train = {clip.key for clip in data.pairs.samples.clips}
    validation = {clip.key for clip in data.validation.queries.clips}
    assert train | validation == {clip.key for clip in collection.train}
    assert not train & validation
    assert {clip.key for clip in data.validation.bank.clips} == train


def test_the_network_works_in_standard_deviations_of_the_execution(collection):
    data = for_training(experiment().data, MODEL, collection, seed=0)
    executions = [clip.score / clip.difficulty for clip in data.pairs.samples.clips]
    assert data.task.scale == pytest.approx(np.std(executions), rel=1e-5)
    assert data.task.stages == ("take-off", "flight", "entry")
    assert (data.task.skeleton, data.task.dimensions, data.task.transitions) == ("mpii16", 2, 2)


def test_test_clips_are_asked_about_with_all_training_clips_and_their_own_kind(collection):
    settings = experiment(data__exemplars={"count": 2}).data
    task = for_training(settings, MODEL, collection, seed=0).task
    asked = for_testing(settings, MODEL, collection, task)
    assert [clip.key for clip in asked.bank.clips] == [clip.key for clip in collection.train]
    assert asked.picks.shape == (len(collection.test), 2)
    for query, picks, floor in zip(collection.test, asked.picks, asked.floor, strict=True):
        assert {asked.bank.clips[pick].action for pick in picks} == {query.action}
        same = [clip.score for clip in collection.train if clip.action == query.action]
        assert floor == pytest.approx(np.mean(same))


@pytest.mark.parametrize("choice", ["best", "barycentre"])
def test_exemplars_are_the_best_by_their_executions(collection, choice):
    settings = experiment(data__exemplars={"choice": choice, "best": 2, "count": 4}).data
    task = for_training(settings, MODEL, collection, seed=0).task
    asked = for_testing(settings, MODEL, collection, task)
    for row, query in enumerate(asked.queries.clips):
        same = [clip for clip in collection.train if clip.action == query.action]
        best = sorted(same, key=lambda clip: -clip.execution)[:2]
        chosen = {asked.bank.clips[pick].key for pick in asked.picks[row]}
        if choice == "best":
            assert chosen == {clip.key for clip in best}
        else:
            assert chosen == {f"barycentre of {' + '.join(clip.key for clip in best)}"}
            mean = np.mean([clip.execution for clip in best])
            assert asked.bank.targets[asked.picks[row, 0]] == pytest.approx(mean, rel=1e-5)
    plain = for_testing(experiment().data, MODEL, collection, task)
    assert asked.floor.tolist() == plain.floor.tolist()


def test_clips_that_nothing_can_be_learnt_from_are_refused():
    same = [Clip(f"{number}", 5.0, action="a", images="x") for number in range(12)]
    settings = experiment(data__inputs={"poses": False, "features": ["static"], "features_root": "x"}).data
    with pytest.raises(BadData, match="leave 1 for validation"):
        for_training(settings, MODEL, Collection("few", tuple(same[:4]), ()), seed=0)
    with pytest.raises(BadData, match="there are no test clips"):
        for_testing(settings, MODEL, Collection("few", tuple(same), ()), Task("mpii16", 2, ("a",), 1.0))


def test_the_hash_of_the_labels_tells_what_is_learnt_from(collection):
    def hashed(clips):
        whole = Collection("dives", tuple(clips), collection.test, collection.stages, sequences=collection.sequences)
        return labels_hash(for_training(experiment().data, MODEL, whole, seed=0))

    clips = list(collection.train)
    changes = {"score": clips[3].score + 0.5, "difficulty": clips[3].difficulty + 0.1, "transitions": (3, 9)}
    found = [
        hashed(clips),
        *(hashed([*clips[:3], replace(clips[3], **{k: v}), *clips[4:]]) for k, v in changes.items()),
    ]
    assert len({*found, hashed(clips[1:])}) == 5
    assert hashed(clips) == found[0]


def test_test_clips_that_nothing_can_be_compared_with_are_found_by_the_labels(collection):
    settings = experiment().data
    assert without_exemplars(settings, collection) == ""
    odd = replace(collection.test[0], action="999z")
    lonely = Collection("dives", collection.train, (odd, *collection.test[1:]))
    assert without_exemplars(settings, lonely) == f"1 clips have no exemplar by action: {odd.key}"
    assert without_exemplars(settings, Collection("dives", collection.train, ())) == ""


@pytest.mark.parametrize(("some", "expected"), [((1.0, 2.0), True), ((None, None), False), ((1.0, None), None)])
def test_the_task_says_whether_the_targets_are_executions(collection, some, expected):
    clips = [replace(clip, difficulty=some[number % 2]) for number, clip in enumerate(collection.train)]
    whole = Collection("dives", tuple(clips), collection.test, collection.stages, sequences=collection.sequences)
    settings = experiment().data
    assert for_training(settings, MODEL, whole, seed=0).task.difficulty is expected
    assert for_training(replace(settings, difficulty=False), MODEL, whole, seed=0).task.difficulty is False


def test_a_network_of_executions_is_not_tested_with_exemplars_without_difficulties(collection):
    settings = experiment().data
    task = for_training(settings, MODEL, collection, seed=0).task
    bare = replace(collection, train=(replace(collection.train[0], difficulty=None), *collection.train[1:]))
    with pytest.raises(BadData, match=f"1 of 48 clips have no difficulty: {collection.train[0].key}"):
        for_testing(settings, MODEL, bare, task)


def test_equal_scores_are_refused(collection):
    equal = [Clip(**{**vars(clip), "score": clip.difficulty * 5}) for clip in collection.train]
    flat = Collection("flat", tuple(equal), (), collection.stages, sequences=collection.sequences)
    with pytest.raises(BadData, match="all training clips have the score 5"):
        for_training(experiment().data, MODEL, flat, seed=0)


def test_samples_are_as_the_task_says(collection):
    flat = load_samples(
        experiment().data, MODEL, collection, collection.train[:2], Task("mpii16", 2, ("a", "b", "c"), 1.0)
    )
    assert (flat.dimensions, flat.stages) == (2, 2)
    with pytest.raises(BadData):
        load_samples(
            experiment().data, MODEL, collection, collection.train[:2], Task("mpii16", 3, ("a", "b", "c"), 1.0)
        )


def test_stages_have_the_names_of_the_data_set_or_numbers(collection):
    assert stage_names(collection, 2) == collection.stages
    assert stage_names(collection, 1) == ("stage 1", "stage 2")


def test_a_model_takes_features_of_its_own_encoders():
    inputs = InputSettings(features=("dynamic",), features_root="features", frames=48)
    model = HPMCoReSettings(dynamic=DynamicSettings(snippets=2, frames=48))
    assert features_of(model, inputs) == {"dynamic": {"backbone": "i3d", "snippets": 2, "length": 16}}
    assert features_of(HPMCoReSettings(), inputs) == {}
    with pytest.raises(BadSetting, match=r"model\.dynamic\.frames is 96, data\.inputs\.frames 48"):
        features_of(HPMCoReSettings(dynamic=DynamicSettings()), inputs)
