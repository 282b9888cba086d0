"""What a network predicts of clips, and how good that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from posediff.datasets.samples import Samples
from posediff.engine.data import Questions
from posediff.engine.loader import Loader
from posediff.engine.metrics import accuracy, aiou, are_labels, auc, fisher_mean, relative_l2, srcc
from posediff.engine.predictions import Predictions
from posediff.engine.processes import Process, merged
from posediff.models.outputs import Encoded, Prediction, Sample

#: Figures of a model, in the order in which they are told.
FIGURES = ("srcc", "relative_l2", "aiou_50_flight", "aiou_75_flight", "aiou_50_all", "aiou_75_all")
#: Those that are told besides where all scores are labels, 0 or 1.
OF_LABELS = ("accuracy", "auc")
#: Of all of them, the one that is better the smaller it is.
ERRORS = ("relative_l2",)
#: Clips that an action must have for figures of its own.
FEWEST = 3
#: Correlation from which on it is 1 but for rounding.
PERFECT = 1 - 1e-9


def predict(network: Any, asked: Questions, batch_size: int, process: Process, workers: int = 0) -> Predictions:
    """Predict the final scores of clips: every exemplar is encoded once, every query is compared with its own.

    Args:
        network: on the device of the process; it is left in evaluation mode.
        asked: the clips and their exemplars.
        batch_size: clips that are encoded at once.
        process: this one; where there are several, each does a part, and all have the whole result.
        workers: processes that load clips.
    """
    network.eval()
    used = np.unique(asked.picks[asked.picks >= 0])
    rows = np.full(len(asked.bank) + 1, -1)  # the last is what -1, no exemplar, leads to
    rows[used] = np.arange(len(used))
    away = torch.device("cpu") if process.world > 1 else process.device  # where what the others need has to be
    with torch.inference_mode():
        batches = _loaded(asked.bank, used, batch_size, process, workers)
        bank = _joined(merged([_moved(network.encode(batch), away) for batch in batches], process))
        bank = _moved(bank, process.device)
        targets = torch.from_numpy(asked.bank.targets[used]).to(process.device)
        columns = []
        for batch in _loaded(asked.queries, np.arange(len(asked.queries)), batch_size, process, workers):
            picks = torch.from_numpy(rows[asked.picks[batch["index"].cpu().numpy()]]).to(process.device)
            columns.append(_final(network.vote(network.encode(batch), bank, targets, picks), batch))
        columns = merged(columns, process)
    found = {name: np.concatenate([part[name] for part in columns]) for name in columns[0]}
    keys = [clip.key for clip in asked.bank.clips]
    return Predictions(
        keys=tuple(clip.key for clip in asked.queries.clips),
        exemplars=tuple(tuple(keys[pick] for pick in picks if pick >= 0) for picks in asked.picks),
        score=asked.scores,
        labelled=found.pop("labelled")[:, list(asked.boundaries)],
        floor=asked.floor,
        frames=asked.queries.inputs.frames,
        **found,
    )


def figures(found: Predictions, score_range: tuple[float, float] | None = None) -> dict[str, float | None]:
    """How good predictions are, by name (:data:`FIGURES`, :data:`OF_LABELS`); None where there is no such figure.

    Args:
        found: the predictions.
        score_range: lowest and highest score, by default those of the clips.
    """
    known = (found.labelled >= 0).all(axis=1)
    known &= found.labelled.shape == found.transitions.shape  # else the model's stages are none of the labelled ones
    pairs = found.transitions[known], found.labelled[known]
    stages = found.transitions.shape[1] + 1
    result = _of_scores(found.predicted, found.score, score_range)
    for kind in ("flight", "all"):
        there = bool(known.any()) and (stages == 3 if kind == "flight" else stages > 1)
        for threshold in (50, 75):
            value = aiou(*pairs, found.frames, threshold / 100, kind) if there else None  # type: ignore[arg-type]
            result[f"aiou_{threshold}_{kind}"] = value
    return result


def by_action(found: Predictions, actions: Sequence[str]) -> dict[str, Any] | None:
    """Figures of the scores of every action, and their means, as AQA-7 reports them.

    Args:
        found: the predictions.
        actions: of the clips.

    Returns:
        ``actions``: figures by action, with the number of ``clips``, where there are three or more; relative errors are
        relative to the range of the action's scores. ``mean``: Fisher's z mean of the correlations, and the plain mean
        of the others, over those that have one. None where fewer than two actions have as many clips.
    """
    numbers = {name: np.flatnonzero(np.array(actions) == name) for name in sorted(set(actions))}
    several = {name: rows for name, rows in numbers.items() if len(rows) >= FEWEST}
    if len(several) < 2:
        return None
    parts = {name: _of_scores(found.predicted[rows], found.score[rows], None) for name, rows in several.items()}
    names = dict.fromkeys(name for part in parts.values() for name in part)
    return {
        "actions": {name: {"clips": len(several[name]), **part} for name, part in parts.items()},
        "mean": {name: _mean(name, [*parts.values()]) for name in names},
    }


def floor_figures(asked: Questions) -> dict[str, float | None]:
    """How good the labels alone are: the figures of the scores that they give."""
    return _of_scores(asked.floor, asked.scores, asked.score_range)


def is_better(name: str, new: float | None, old: float | None) -> bool:
    """Whether a figure is better than another; one that there is, is better than none."""
    if new is None or old is None:
        return new is not None
    return new < old if name in ERRORS else new > old


def _of_scores(
    predicted: np.ndarray, score: np.ndarray, score_range: tuple[float, float] | None
) -> dict[str, float | None]:
    """SRCC and R-l2, of labels accuracy and AUC too; None where equal scores or a single clip leave one undefined."""
    several = len(score) > 1
    varied = several and np.ptp(score) > 0
    labels = several and are_labels(score)
    of_labels: dict[str, float | None] = {}
    if labels:
        of_labels = {"accuracy": accuracy(predicted, score), "auc": auc(predicted, score) if varied else None}
    return {
        "srcc": srcc(predicted, score) if varied and np.ptp(predicted) > 0 else None,
        "relative_l2": relative_l2(predicted, score, score_range) if varied or (several and score_range) else None,
        **of_labels,
    }


def _mean(name: str, parts: Sequence[Mapping[str, float | None]]) -> float | None:
    """Of a figure over actions; None where it has none, or a correlation is perfect, whose z is infinite."""
    values = [value for part in parts if (value := part.get(name)) is not None]
    if name != "srcc":
        return float(np.mean(values)) if values else None
    return fisher_mean(values) if values and max(map(abs, values)) < PERFECT else None


def _final(found: Prediction, batch: Sample) -> dict[str, np.ndarray]:
    """What is predicted of a batch, the difficulty multiplied back."""
    factor = batch["difficulty"].double()
    scores = {"predicted": found.score, "votes": found.votes, "stages": found.stages}
    scores |= {} if found.segments is None else {"segments": found.segments}
    columns = {name: torch.einsum("b...,b->b...", value.double(), factor) for name, value in scores.items()}
    columns |= {"transitions": found.transitions, "labelled": batch["transitions"], "factor": factor}
    return {name: column.cpu().numpy() for name, column in columns.items()}


def _loaded(
    samples: Samples, positions: np.ndarray, size: int, process: Process, workers: int
) -> Iterator[dict[str, torch.Tensor]]:
    """The batches that this process has to do, every world-th of all, on its device."""
    parts = [positions[start : start + size] for start in range(0, len(positions), size)]
    loader = Loader(
        _Batches(samples, parts[process.rank :: process.world]),
        batch_size=None,
        num_workers=workers,
        pin_memory=process.device.type == "cuda",
        generator=torch.Generator(),  # its own: evaluation draws nothing from what training draws from
    )
    for batch in loader:
        yield {name: tensor.to(process.device, non_blocking=True) for name, tensor in batch.items()}


class _Batches(Dataset[dict[str, torch.Tensor]]):
    """Batches of clips by number."""

    def __init__(self, samples: Samples, parts: list[np.ndarray]) -> None:
        self._samples, self._parts = samples, parts

    def __getitem__(self, number: int) -> dict[str, torch.Tensor]:
        return self._samples.load(self._parts[number])

    def __len__(self) -> int:
        return len(self._parts)


def _joined(parts: list[Encoded]) -> Encoded:
    """Several batches as one, without what only training needs of them."""
    streams = {name: torch.cat([part.streams[name] for part in parts]) for name in parts[0].streams}
    return Encoded(streams, torch.cat([part.transitions for part in parts]), None)


def _moved(encoded: Encoded, device: torch.device) -> Encoded:
    streams = {name: stream.to(device) for name, stream in encoded.streams.items()}
    return Encoded(streams, encoded.transitions.to(device), None)
