"""Checkpoints: a network's weights with all that is needed to use them, or to go on training.

They are tensors and plain containers; ``torch.load(path, weights_only=True)`` reads them.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import torch

from posediff.engine.build import build, plain
from posediff.engine.config import from_resolved, resolved
from posediff.engine.experiment import Experiment
from posediff.engine.models import Task, make_model, without_weights
from posediff.errors import BadData, BadSetting
from posediff.io.files import write_files
from posediff.models.settings import check
from posediff.weights.checkpoints import load_weights, read_checkpoint

FORMAT = "posediff.checkpoint/1"

#: What may change when training is resumed; all else decides what is computed.
FREE = (
    *("name", "logging"),
    *(f"training.{name}" for name in ("workers", "device", "threads", "evaluate_every", "patience", "report_test")),
)
#: What a network's weights are bound to when they are used.
BINDING = ("model", "data.inputs", "data.difficulty")
#: What checkpoints of earlier versions lack.
NEW = ("errors",)


@dataclass(frozen=True)
class Progress:
    """How far training has come.

    Attributes:
        epoch: how many epochs are finished.
        best_epoch: number of the best one; 0 before the first evaluation.
        best: its figures on the validation clips.
        waited: evaluations since then.
        on_test: best figures of any epoch on the test clips, each by itself, as papers report them; empty unless
            they are asked for.
        errors: absolute errors on the validation clips after the best epoch, the smallest first, in the units of what
            is regressed.
    """

    epoch: int = 0
    best_epoch: int = 0
    best: dict[str, float | None] = field(default_factory=dict)
    waited: int = 0
    on_test: dict[str, float | None] = field(default_factory=dict)
    errors: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        counts = ("epoch", "best_epoch", "waited")
        rules = {f"{name} is 0 or more": getattr(self, name) >= 0 for name in counts}
        check(self, {**rules, "errors are 0 or more": min(self.errors, default=0) >= 0})


@dataclass(frozen=True)
class Checkpoint:
    """A trained network and where it comes from.

    Attributes:
        model: weights by name.
        experiment: that it was trained in.
        task: what it was made for.
        progress: how far it was trained.
        optimizer, schedule: their states; empty where training cannot go on from here.
        provenance: version, commit, date, torch.
        labels: hash of those that it learnt from, :func:`posediff.engine.data.labels_hash`.
    """

    model: Mapping[str, torch.Tensor]
    experiment: Experiment
    task: Task
    progress: Progress
    optimizer: Mapping[str, Any] = field(default_factory=dict)
    schedule: Sequence[Mapping[str, Any]] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
    labels: str = ""


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all.

    Raises:
        CannotWrite: if the file system refuses; what was there before stays.
    """
    content = {
        "format": FORMAT,
        "model": dict(checkpoint.model),
        "experiment": resolved(checkpoint.experiment),
        **plain(checkpoint.task),
        **plain(checkpoint.progress),
        "labels": checkpoint.labels,
        "optimizer": dict(checkpoint.optimizer),
        "schedule": [dict(state) for state in checkpoint.schedule],
        "provenance": dict(checkpoint.provenance),
    }
    memory = io.BytesIO()
    torch.save(_on_cpu(content), memory)
    write_files({path: memory.getvalue()})


def load(path: Path, hint: str = "give best.pth of a training") -> Checkpoint:
    """Read a checkpoint.

    Args:
        path: the file.
        hint: what to do if it is none.

    Raises:
        BadData: if it is none, is cut off, or its settings are not of this version.
    """
    content = read_checkpoint(path, hint)
    if content.get("format") != FORMAT:
        raise BadData(f"{path}: its format is {content.get('format')!r}, expected {FORMAT!r}", hint)
    by = content["provenance"].get("posediff") if isinstance(content.get("provenance"), dict) else None
    try:
        task, progress = (
            {part.name: content[part.name] for part in fields(kind) if part.name in content or part.name not in NEW}
            for kind in (Task, Progress)
        )
        return Checkpoint(
            model=build(dict[str, torch.Tensor], content["model"], "model"),
            experiment=from_resolved(content["experiment"]),
            task=build(Task, task, "task"),
            progress=build(Progress, progress, "progress"),
            labels=build(str, content["labels"], "labels"),
            optimizer=build(dict[str, Any], content["optimizer"], "optimizer"),
            schedule=build(tuple[dict[str, Any], ...], content["schedule"], "schedule"),
            provenance=build(dict[str, str], content["provenance"], "provenance"),
        )
    except KeyError as error:
        raise BadData(f"{path}: it lacks {error}", hint) from None
    except (BadSetting, BadData) as error:
        raise BadData(f"{path}: {error}", f"it was written by posediff {by}: use that version") from None
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        raise BadData(f"{path}: its settings are damaged ({error})", hint) from None


def network_of(checkpoint: Checkpoint, path: Path) -> torch.nn.Module:
    """The network of a checkpoint, ready to predict.

    Args:
        checkpoint: from :func:`load`.
        path: what to call it.

    Raises:
        BadData: if its weights are not those of its model, or its model does not go with its task.
    """
    choice = checkpoint.experiment.model
    try:
        network = make_model(choice.name, without_weights(choice.settings), checkpoint.task)
    except (BadSetting, BadData) as error:
        raise BadData(f"{path}: its network cannot be made ({error})", error.hint) from None
    load_weights(network, checkpoint.model, path)
    return network.eval()


def require_resumable(checkpoint: Checkpoint, experiment: Experiment, path: Path) -> None:
    """Refuse to go on with other settings than those that training began with.

    The number of epochs may change unless the learning rate depends on it.

    Raises:
        BadSetting: naming the first setting that differs.
        BadData: if the checkpoint holds no state of the optimizer.
    """
    if not checkpoint.optimizer:
        raise BadData(f"{path}: holds no state of the optimizer", "resume from last.pth")
    free = FREE if experiment.schedule.type == "cosine" else (*FREE, "training.epochs")
    found = first_difference(_compared(checkpoint.experiment), _compared(experiment), free=free)
    _refuse(found, path, "resume with the settings that training began with, or take another --work-dir")


def require_fitting(checkpoint: Checkpoint, experiment: Experiment, path: Path) -> None:
    """Refuse to use weights with another model, or with other inputs, than they were trained with.

    Raises:
        BadSetting: naming the first setting that differs.
    """
    found = first_difference(_compared(checkpoint.experiment), _compared(experiment), only=BINDING)
    _refuse(found, path, "give the configuration that it was trained with")


def first_difference(
    old: Any, new: Any, *, free: Iterable[str] = (), only: Iterable[str] = (), where: str = ""
) -> tuple[str, Any, Any] | None:
    """The first setting in which two experiments differ: its name and both values.

    Args:
        old, new: as :func:`posediff.engine.config.resolved` gives them.
        free: settings that may differ, each with all that is in it.
        only: settings that count, each with all that is in it; all if none is named.
        where: the name of what is compared.
    """
    if where and where in free:
        return None
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            name = f"{where}.{key}" if where else str(key)
            inside = not only or any(f"{name}.".startswith(f"{one}.") or one.startswith(f"{name}.") for one in only)
            if inside and (found := first_difference(old.get(key), new.get(key), free=free, only=only, where=name)):
                return found
        return None
    return None if old == new else (where, old, new)


def _compared(experiment: Experiment) -> dict[str, Any]:
    """The settings that count: not the files of weights that training began with."""
    model = replace(experiment.model, settings=without_weights(experiment.model.settings))
    return resolved(replace(experiment, model=model))


def _on_cpu(content: Any) -> Any:
    """The same content, its tensors where every machine can read them."""
    if isinstance(content, torch.Tensor):
        return content.detach().cpu()
    if isinstance(content, Mapping):
        return {key: _on_cpu(value) for key, value in content.items()}
    return [_on_cpu(value) for value in content] if isinstance(content, (list, tuple)) else content


def _refuse(found: tuple[str, Any, Any] | None, path: Path, hint: str) -> None:
    if found is not None:
        name, old, new = found
        raise BadSetting(f"{path}: it was trained with {name} {old!r}, the configuration says {new!r}", hint)
