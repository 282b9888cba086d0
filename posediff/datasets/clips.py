"""Clip: one scored performance, as the label files of a dataset describe it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

from posediff.errors import BadData, listed
from posediff.sequence import PoseSequence


@dataclass(frozen=True)
class Clip:
    """One scored performance. Nothing of it is loaded yet.

    Attributes:
        key: unique name in its dataset, e.g. ``01/1``; features, frames and skeletons are found by it.
        score: the final score.
        action: what was performed, e.g. the dive number ``407c``; empty where unknown.
        difficulty: factor that the execution was multiplied with, or None where the score is the execution.
        transitions: first label frame of every stage but the first, increasing; None where unknown.
        frames: number of label frames, which ``transitions`` counts from 0; None where they are frame numbers of the
            skeleton file, or there are none. The skeleton file may have another number of frames for the same time.
        judges: scores of the judges, where published.
        poses: path of the skeleton file as :func:`posediff.io.read_person` takes it (``file#start:end``), or empty.
        person: id in that file, or None where it holds one person.
        images: path of the folder with the clip's pictures, or empty; ``folder#start:end`` for those of a longer video,
            counted from 0 in the order of their numbers.
        performer: who performed it; empty where unknown. Where it is known of all clips of a data set, all of one
            performer are either learnt from or for validation.
        extra: whatever else the label file says, for tables.

    Raises:
        BadData: naming every fault at once.
    """

    key: str
    score: float
    action: str = ""
    difficulty: float | None = None
    transitions: tuple[int, ...] | None = None
    frames: int | None = None
    judges: tuple[float, ...] = ()
    poses: str = ""
    person: int | None = None
    images: str = ""
    performer: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        faults = []
        if not isfinite(self.score):
            faults.append(f"its score is {self.score}")
        if self.difficulty is not None and not (isfinite(self.difficulty) and self.difficulty > 0):
            faults.append(f"its difficulty is {self.difficulty}, expected above 0")
        if self.transitions is not None:
            limits = (0, *self.transitions, *([] if self.frames is None else [self.frames]))
            if any(b <= a for a, b in zip(limits, limits[1:], strict=False)):
                among = "" if self.frames is None else f" among {self.frames} frames"
                faults.append(f"its stages begin at {list(self.transitions)}{among}, expected in order and not empty")
        if faults:
            raise BadData(f"clip {self.key!r}: {'; '.join(faults)}", "correct its row in the label file")

    @property
    def execution(self) -> float:
        """The score without the difficulty: what is regressed where difficulties are known."""
        return self.score if self.difficulty is None else self.score / self.difficulty


@dataclass(frozen=True)
class Collection:
    """The clips of a dataset and its published split.

    Attributes:
        name: of the dataset.
        train, test: clips of the split; validation is taken from ``train`` by :mod:`posediff.datasets.splits`.
        stages: names of the stages, in order.
        score_range: lowest and highest score for relative errors, or None for that of the test clips.
        sequences: skeletons that are in memory and in no file, by clip key.
    """

    name: str
    train: tuple[Clip, ...]
    test: tuple[Clip, ...]
    stages: tuple[str, ...] = ()
    score_range: tuple[float, float] | None = None
    sequences: Mapping[str, PoseSequence] = field(default_factory=dict)

    def __post_init__(self) -> None:
        keys = [clip.key for clip in (*self.train, *self.test)]
        twice = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
        if twice:
            raise BadData(f"{self.name}: clips listed twice: {listed(twice)}", "list every clip once, in one split")
