"""The clips of an experiment: those that are learnt from, and those that are asked about, with their exemplars."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from posediff.datasets.clips import Clip, Collection
from posediff.datasets.exemplars import Exemplars
from posediff.datasets.floors import group_means
from posediff.datasets.pairs import Pairs
from posediff.datasets.references import references
from posediff.datasets.samples import InputSettings, Samples
from posediff.datasets.sources import source
from posediff.datasets.splits import validation_split
from posediff.engine.config import expanded
from posediff.engine.dimensions import Dimensions
from posediff.engine.experiment import DataSettings
from posediff.engine.models import Task, boundaries
from posediff.errors import BadData, BadSetting, listed


class Questions(NamedTuple):
    """Clips whose scores are asked for, and what they are compared with.

    Attributes:
        queries: Q clips.
        bank: N clips whose scores are known.
        picks: (Q, M) int64 positions in the bank, -1 for none.
        floor: (Q,) what the labels of the bank alone say: the mean score of the same action.
        boundaries: which of the labelled transitions the model's stages begin at.
        score_range: lowest and highest score for relative errors, or None for that of the queries.
    """

    queries: Samples
    bank: Samples
    picks: np.ndarray
    floor: np.ndarray
    boundaries: tuple[int, ...]
    score_range: tuple[float, float] | None

    @property
    def scores(self) -> np.ndarray:
        """(Q,) true scores of the queries."""
        return np.array([clip.score for clip in self.queries.clips])


class Training(NamedTuple):
    """What is learnt from, and by what the best epoch is chosen.

    Attributes:
        pairs: of training clips.
        validation: clips that are kept apart, asked about with the training clips as exemplars.
        task: what a network for these clips has to know of them.
        alone: how many training clips have no other one that they could be compared with.
    """

    pairs: Pairs
    validation: Questions
    task: Task
    alone: int


def load_clips(settings: DataSettings) -> Collection:
    """The clips of a data set with their labels.

    Raises:
        BadData: if the labels cannot be read.
        BadSetting: if an environment variable in the settings is not set.
    """
    choice = expanded(settings.source)
    _, load = source(choice.name)
    return load(choice.settings)


def for_training(settings: DataSettings, model: Any, collection: Collection, seed: int) -> Training:
    """The training clips of a collection, divided and loaded.

    Args:
        settings: of the data.
        model: settings of the model.
        collection: from :func:`load_clips`.
        seed: of the augmentation.

    Raises:
        BadData: if clips cannot be loaded, are too few, or all have the same score.
    """
    train, validation = validation_split(collection.train, settings.validation, settings.seed, collection.name)
    if len(validation) < 2:
        raise BadData(
            f"{collection.name}: {len(collection.train)} training clips leave {len(validation)} for validation",
            "give more clips, or a larger data.validation",
        )
    samples = load_samples(settings, model, collection, train)
    exemplars = exemplars_of(settings, train)
    averages = None
    if settings.exemplars.choice == "barycentre":
        averages = references(samples, exemplars, train, difficulty=settings.difficulty)
    measure = Dimensions(samples, collection.sequences) if settings.dimensions else None
    pairs = Pairs(samples, exemplars, settings.augment, seed, references=averages, measure=measure)
    scale = float(samples.targets.astype(np.float64).std())
    if not scale > 0:
        raise BadData(f"all training clips have the score {samples.targets[0]:g}", "give clips that differ")
    stages, executions = stage_names(collection, samples.stages), settings.difficulty and has_difficulties(train)
    task = Task(samples.skeleton.name, samples.dimensions, stages, scale, executions)
    asked = questions(settings, model, collection, validation, samples, task)
    return Training(pairs, asked, task, len(train) - len(pairs))


def for_testing(settings: DataSettings, model: Any, collection: Collection, task: Task) -> Questions:
    """The test clips, asked about with all training clips as exemplars.

    Args:
        settings: of the data.
        model: settings of the model.
        collection: from :func:`load_clips`.
        task: what the network was made for.

    Raises:
        BadData: if there is none, clips cannot be loaded, or they have no difficulties and the network needs them.
    """
    if not collection.test:
        raise BadData(f"{collection.name}: there are no test clips", "name them in the split")
    require_difficulties(settings, (*collection.train, *collection.test), task)
    bank = load_samples(settings, model, collection, collection.train, task)
    return questions(settings, model, collection, collection.test, bank, task)


def questions(
    settings: DataSettings, model: Any, collection: Collection, clips: Sequence[Clip], bank: Samples, task: Task
) -> Questions:
    """Clips asked about with those of a bank as exemplars.

    Raises:
        BadData: if clips cannot be loaded, or one has no exemplar.
    """
    by = settings.exemplars.by
    return Questions(
        load_samples(settings, model, collection, clips, task),
        *compared(settings, bank, clips),
        group_means(bank.clips, clips, "action" if by == "none" else by),
        boundaries(model, task.transitions),
        collection.score_range,
    )


def exemplars_of(settings: DataSettings, clips: Sequence[Clip]) -> Exemplars:
    """Clips as exemplars, chosen as the settings say; the best are those with the highest targets."""
    targets = np.array([clip.execution if settings.difficulty else clip.score for clip in clips], np.float64)
    choice = settings.exemplars
    return Exemplars(clips, choice.by, choice.seed, choice=choice.choice, best=choice.best, targets=targets)


def compared(settings: DataSettings, bank: Samples, clips: Sequence[Clip]) -> tuple[Samples, np.ndarray]:
    """What clips are compared with: those of a bank or averages of them, and (Q, M) int64 positions among these.

    Raises:
        BadData: if a clip has no exemplar.
    """
    exemplars = exemplars_of(settings, bank.clips)
    picks = exemplars.picks(clips, settings.exemplars.count)
    if settings.exemplars.choice != "barycentre":
        return bank, picks
    found = references(bank, exemplars, clips, difficulty=settings.difficulty)
    return found.samples, found.rows[:, None]


def labels_hash(data: Training) -> str:
    """SHA-256 of the labels that training depends on, those of the training and validation clips in their order."""
    parts = data.pairs.samples.clips, data.validation.queries.clips
    rows = [[(one.key, one.score, one.action, one.difficulty, one.transitions) for one in part] for part in parts]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def without_exemplars(settings: DataSettings, collection: Collection) -> str:
    """Which test clips could not be scored for want of exemplars, by the labels alone; empty if all can."""
    try:
        exemplars_of(settings, collection.train).picks(collection.test, 1)
    except BadData as error:
        return str(error)
    return ""


def has_difficulties(clips: Sequence[Clip]) -> bool | None:
    """Whether clips have difficulties; None if some have."""
    found = {clip.difficulty is not None for clip in clips}
    return found.pop() if len(found) == 1 else None


def require_difficulties(settings: DataSettings, clips: Sequence[Clip], task: Task) -> None:
    """Refuse clips whose targets are of another kind than those that a network was trained on.

    Args:
        settings: of the data.
        clips: that it is used with.
        task: what the network was made for.

    Raises:
        BadData: if it was trained on executions and a difficulty is missing, or on scores and there is one.
    """
    if not settings.difficulty or task.difficulty is None or has_difficulties(clips) == task.difficulty:
        return
    wrong = [clip.key for clip in clips if (clip.difficulty is not None) != task.difficulty]
    those = f"{len(wrong)} of {len(clips)} clips"
    if task.difficulty:
        raise BadData(
            f"the network was trained on score / difficulty, and {those} have no difficulty: {listed(wrong)}",
            "give the difficulty of every clip",
        )
    raise BadData(
        f"the network was trained on scores without a difficulty, and {those} have one: {listed(wrong)}",
        "leave the difficulties out",
    )


def load_samples(
    settings: DataSettings, model: Any, collection: Collection, clips: Sequence[Clip], task: Task | None = None
) -> Samples:
    """Clips as a model takes them.

    Args:
        settings: of the data.
        model: settings of the model, which extracted features have to fit.
        collection: that they are of.
        clips: some of them.
        task: what the network was made for; by default what the clips are like.

    Raises:
        BadData: if clips cannot be loaded, or are not as the task says.
    """
    inputs, transitions = expanded(settings.inputs), None
    if task is not None:
        inputs, transitions = replace(inputs, dimensions=3 if task.dimensions == 3 else 2), task.transitions
    found = collection.sequences
    expected = features_of(expanded(model), inputs)
    return Samples(
        clips, inputs, difficulty=settings.difficulty, sequences=found, transitions=transitions, expected=expected
    )


def features_of(model: Any, inputs: InputSettings) -> dict[str, dict[str, object]]:
    """What a model takes features of, for each extracted stream that it has an encoder of.

    Raises:
        BadData: if weights that the features have to be of cannot be found.
        BadSetting: if the model counts on another number of frames than are loaded.
    """
    parts = {stream: getattr(model, stream, None) for stream in inputs.features}
    frames = getattr(parts.get("dynamic"), "frames", inputs.frames)
    if frames != inputs.frames:
        raise BadSetting(
            f"model.dynamic.frames is {frames}, data.inputs.frames {inputs.frames}", "set both to the same number"
        )
    found = {}
    for stream, part in parts.items():
        if part is not None:
            encoder = import_module(f"posediff.models.encoders.{stream}")
            found[stream] = encoder.described(part)
    return found


def stage_names(collection: Collection, transitions: int) -> tuple[str, ...]:
    """Names of the labelled stages; numbers where the data set names others or none."""
    if len(collection.stages) == transitions + 1:
        return collection.stages
    return tuple(f"stage {number}" for number in range(1, transitions + 2))
