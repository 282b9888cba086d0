"""Predictions: what a network says of each clip, and the file that keeps it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from posediff.io.files import write_files

FORMAT = "posediff.predictions/1"


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predicted and true scores of Q clips, by M exemplars each. Scores are final: the difficulty is in them.

    Attributes:
        keys: of the clips.
        exemplars: keys of the exemplars of each clip.
        score: (Q,) true score.
        predicted: (Q,) mean vote.
        votes: (Q, M) score by each exemplar, NaN where there is none.
        stages: (Q, K) what each stage contributes, relative to the exemplars.
        transitions: (Q, K - 1) predicted first frame, of ``frames``, of every stage but the first.
        labelled: (Q, K - 1) that of the labels, -1 where unknown.
        floor: (Q,) what labels alone say: the mean score of the exemplars' group.
        frames: T, of every clip.
        segments: (Q, K) score of each stage by itself, on the scale of the whole; None where the model gives none.
        factor: (Q,) difficulty that executions were multiplied with, 1 where scores were predicted; None for all 1.
    """

    keys: tuple[str, ...]
    exemplars: tuple[tuple[str, ...], ...]
    score: np.ndarray
    predicted: np.ndarray
    votes: np.ndarray
    stages: np.ndarray
    transitions: np.ndarray
    labelled: np.ndarray
    floor: np.ndarray
    frames: int
    segments: np.ndarray | None = None
    factor: np.ndarray | None = None

    @property
    def errors(self) -> np.ndarray:
        """(Q,) absolute errors of what the network regresses: executions, where it was trained on these."""
        return np.abs(self.predicted - self.score) / (1.0 if self.factor is None else self.factor)

    def limits(self, half: float) -> tuple[np.ndarray, np.ndarray]:
        """(Q,) lowest and (Q,) highest scores that differ by so much from the predicted ones.

        Args:
            half: by how much, in the units of :attr:`errors`.
        """
        width = half * (np.ones(len(self.keys)) if self.factor is None else self.factor)
        return self.predicted - width, self.predicted + width


def write_predictions(path: Path, found: Predictions, about: Mapping[str, Any], half: float | None = None) -> None:
    """Write predictions as JSON, one clip a line.

    Args:
        path: the file.
        found: the predictions.
        about: what else the file says: configuration, figures, weights, provenance.
        half: how far true scores may be from the predicted ones, see :meth:`Predictions.limits`; None if nothing is
            known of it.

    Raises:
        CannotWrite: if the file system refuses.
    """
    head = json.dumps({"format": FORMAT, "frames": found.frames, **about}, allow_nan=False)
    clips = ",\n".join(json.dumps(clip, allow_nan=False) for clip in as_records(found, half))
    write_files({path: f'{head[:-1]}, "clips": [\n{clips}\n]}}\n'.encode()})


def as_records(found: Predictions, half: float | None = None) -> list[dict[str, Any]]:
    """Predictions as plain JSON, a dict a clip; unknown values are None.

    Args:
        found: the predictions.
        half: see :func:`write_predictions`.
    """
    columns = {
        "score": found.score,
        "predicted": found.predicted,
        "floor": found.floor,
        "votes": found.votes,
        "stages": found.stages,
        "transitions": found.transitions,
    }
    if found.segments is not None:
        columns["segments"] = found.segments
    if half is not None:
        columns["low"], columns["high"] = found.limits(half)
    values = {name: column.tolist() for name, column in columns.items()}
    values["labelled"] = [None if min(row, default=0) < 0 else row for row in found.labelled.tolist()]
    return [
        {
            "key": key,
            **{name: known(column[row]) for name, column in values.items()},
            "exemplars": list(found.exemplars[row]),
        }
        for row, key in enumerate(found.keys)
    ]


def known(value: Any) -> Any:
    """A value, or a list of them, with None in place of NaN and infinity, which JSON lacks."""
    if isinstance(value, list):
        return [known(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value
