"""Testing: a checkpoint on the test clips of an experiment, beside what their labels alone say."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from posediff.engine.checkpoints import Checkpoint, load, network_of, require_fitting
from posediff.engine.config import resolved
from posediff.engine.conformal import USUAL, coverage, half_width, needed
from posediff.engine.data import for_testing, load_clips
from posediff.engine.evaluation import by_action, figures, floor_figures, predict
from posediff.engine.experiment import Experiment
from posediff.engine.predictions import Predictions
from posediff.engine.processes import join
from posediff.engine.provenance import provenance
from posediff.errors import BadData
from posediff.weights.files import sha256_of


class Assessment(NamedTuple):
    """What came of a test.

    Attributes:
        found: the predictions.
        figures: of the model, by name (:data:`posediff.engine.evaluation.FIGURES`); None where there is none.
        floor: of the labels alone, the mean score of the same action.
        by_action: figures of every action and their means; None where there are not several actions.
        interval: the intervals around the predicted scores, as plain JSON: their ``level``; ``half_width``, in the
            units of what is regressed, and ``coverage``, the share of the scores in them, both None where
            ``calibrated_on`` clips are fewer than ``needed``.
        about: experiment, checkpoint and provenance, as plain JSON.
    """

    found: Predictions
    figures: dict[str, float | None]
    floor: dict[str, float | None]
    by_action: dict[str, Any] | None
    interval: dict[str, float | None]
    about: dict[str, Any]


def assess(experiment: Experiment, path: Path, level: float = USUAL) -> Assessment:
    """Test a checkpoint, with all training clips as exemplars.

    Args:
        experiment: that it was trained in; where the data lies and the choice of exemplars may differ.
        path: of the checkpoint.
        level: of the intervals around the predicted scores.

    Raises:
        BadData: if the checkpoint or clips cannot be used, or a predicted score is not finite.
        BadSetting: if it was trained with another model or other inputs, or the level is not above 0 and below 1.
    """
    checkpoint = load(path)
    half = half_width(checkpoint.progress.errors, level)
    require_fitting(checkpoint, experiment, path)
    settings, training = experiment.data, experiment.training
    asked = for_testing(settings, experiment.model.settings, load_clips(settings), checkpoint.task)
    process = join("none", training.device)
    if training.threads is not None:
        torch.set_num_threads(training.threads)
    found = predict(
        network_of(checkpoint, path).to(process.device), asked, training.batch_size, process, training.workers
    )
    wrong = int((~np.isfinite(found.predicted)).sum())
    if wrong:
        raise BadData(
            f"{path}: {wrong} of {len(found.keys)} predicted scores are not numbers",
            "its training has diverged: train with a lower optimizer.lr",
        )
    about = {
        "experiment": resolved(experiment),
        "seed": checkpoint.experiment.training.seed,
        "checkpoint": about_checkpoint(checkpoint, path),
        "provenance": provenance(),
    }
    actions = by_action(found, [clip.action for clip in asked.queries.clips])
    interval = {
        "level": level,
        "half_width": half,
        "coverage": None if half is None else coverage(*found.limits(half), found.score),
        "calibrated_on": len(checkpoint.progress.errors),
        "needed": needed(level),
    }
    return Assessment(found, figures(found, asked.score_range), floor_figures(asked), actions, interval, about)


def about_checkpoint(checkpoint: Checkpoint, path: Path) -> dict[str, Any]:
    """Which weights a result is of."""
    return {
        "path": str(path),
        "sha256": sha256_of(path),
        "epoch": checkpoint.progress.epoch,
        "provenance": dict(checkpoint.provenance),
    }
