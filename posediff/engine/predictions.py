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


def write_predictions(path: Path, found: Predictions, about: Mapping[str, Any]) -> None:
    """Write predictions as JSON, one clip a line.

    Args:
        path: the file.
        found: the predictions.
        about: what else the file says: configuration, figures, weights, provenance.

    Raises:
        CannotWrite: if the file system refuses.
    """
    head = json.dumps({"format": FORMAT, "frames": found.frames, **about}, allow_nan=False)
    clips = ",\n".join(json.dumps(clip, allow_nan=False) for clip in as_records(found))
    write_files({path: f'{head[:-1]}, "clips": [\n{clips}\n]}}\n'.encode()})


def as_records(found: Predictions) -> list[dict[str, Any]]:
    """Predictions as plain JSON, a dict a clip; unknown values are None."""
    columns = {
        "score": found.score,
        "predicted": found.predicted,
        "floor": found.floor,
        "votes": found.votes,
        "stages": found.stages,
        "transitions": found.transitions,
    }
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
