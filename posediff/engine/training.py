"""Training: an experiment becomes a network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import torch

from posediff.datasets.clips import Collection
from posediff.datasets.pairs import EpochSampler, collate
from posediff.engine.checkpoints import Checkpoint, Progress, load, network_of, require_resumable, save
from posediff.engine.config import FORMAT, expanded, resolved
from posediff.engine.data import (
    Questions,
    Training,
    for_testing,
    for_training,
    labels_hash,
    load_clips,
    without_exemplars,
)
from posediff.engine.evaluation import floor_figures
from posediff.engine.experiment import Experiment
from posediff.engine.hooks import Course, EpochSeeds, Losses, seed_everything
from posediff.engine.loader import Loader
from posediff.engine.metrics import are_labels
from posediff.engine.models import make_model
from posediff.engine.narration import Narrator, in_words
from posediff.engine.optimization import make_optimizer, make_schedule
from posediff.engine.processes import Launcher, Process, join
from posediff.engine.provenance import provenance
from posediff.engine.runner import QuietRunner
from posediff.engine.scalars import forget_after, make_visualizer
from posediff.errors import BadData, BadSetting
from posediff.io.files import write_files

EXPERIMENT, LOG, LAST, BEST = "experiment.json", "log.txt", "last.pth", "best.pth"
#: What to do where a training cannot be resumed.
ANEW = "train anew in another --work-dir"


class Outcome(NamedTuple):
    """What came of a training.

    Attributes:
        work_dir: folder with ``best.pth``, ``last.pth``, ``experiment.json``, ``log.txt`` and ``scalars.jsonl``.
        leads: whether this is the process that writes and tells.
        progress: how far it came, with the best figures on the validation clips.
        floor: figures of the labels alone on the same clips.
        ended_early: whether it was ended for want of improvement.
    """

    work_dir: Path
    leads: bool
    progress: Progress
    floor: dict[str, float | None]
    ended_early: bool

    @property
    def best(self) -> Path:
        """The checkpoint of the best epoch."""
        return self.work_dir / BEST


def train(
    experiment: Experiment,
    work_dir: Path,
    *,
    resume: bool = False,
    launcher: Launcher = "none",
    hooks: Sequence[Any] = (),
    stream: TextIO | None = None,
) -> Outcome:
    """Train the model of an experiment, and choose its best epoch on clips taken from the training split.

    What is random in an epoch depends on the seed and the epoch alone, so that training that was stopped, however
    abruptly, and is resumed goes on with the same losses from the last finished epoch (on the CPU, bit for bit).

    Args:
        experiment: all settings.
        work_dir: folder for what is written.
        resume: whether to go on from ``last.pth`` there, if there is one.
        launcher: what started this process, see :func:`posediff.engine.processes.join`.
        hooks: mmengine's hooks to call besides.
        stream: where progress is told, as a rule stderr; None for nowhere.

    Raises:
        BadData: if clips, weights or the checkpoint cannot be used.
        BadSetting: if settings do not go together, or ``work_dir`` holds another training.
        CannotWrite: if the file system refuses.
        PosediffError: if the loss, a weight or a predicted score is no longer a finite number.
    """
    settings = experiment.training
    process = join(launcher, settings.device)
    if settings.threads is not None:
        torch.set_num_threads(settings.threads)
    resumed = _resumed(experiment, work_dir, resume)
    progress = Progress() if resumed is None else resumed.progress
    collection = load_clips(experiment.data)
    asked, data = _data(experiment, collection)
    labels = labels_hash(data)
    if resumed is not None and (resumed.task != data.task or resumed.labels != labels):
        raise BadData(
            f"{work_dir / LAST}: the training clips have changed since: other clips, or other scores, actions, "
            "difficulties or stages",
            ANEW,
        )
    network = _network(experiment, data, resumed, process, work_dir)
    loader = _loader(experiment, data, process)
    optimizer = make_optimizer(network, experiment.optimizer, amp=settings.amp, device=process.device)
    schedule = make_schedule(optimizer, experiment.schedule, epochs=settings.epochs, steps=len(loader))
    narrator = Narrator(stream, work_dir / LOG) if process.leads else Narrator(None)

    def keep(progress: Progress, is_best: bool) -> None:
        if not process.leads:
            return
        weights, origin = network.state_dict(), provenance()
        if is_best:  # before the last one, so that a kill between the two loses an epoch, and not the best one
            save(
                work_dir / BEST, Checkpoint(weights, experiment, data.task, progress, provenance=origin, labels=labels)
            )
        states = optimizer.state_dict(), [one.state_dict() for one in schedule]
        save(work_dir / LAST, Checkpoint(weights, experiment, data.task, progress, *states, origin, labels))

    if process.leads:
        _prepare(experiment, work_dir, progress.epoch)
        _announce(narrator, experiment, data, network, progress.epoch)
        if lonely := without_exemplars(experiment.data, collection):
            narrator.tell(f"warning: posediff test will fail: {lonely}")
    course = Course(experiment, progress, keep, narrator)
    if not course.is_over:
        runner = QuietRunner(
            network,
            process,
            loader,
            asked,
            resumed=resumed,
            settings=settings,
            work_dir=str(work_dir),
            optim_wrapper=optimizer,
            param_scheduler=schedule or None,
            visualizer=make_visualizer(experiment.name, experiment.logging.backends, work_dir),
            custom_hooks=[
                EpochSeeds(settings.seed, process.rank),
                Losses(experiment.logging.every, process, narrator),
                course,
                *hooks,
            ],
        )
        try:
            runner.train()
        except KeyboardInterrupt:
            if (work_dir / LAST).exists():
                narrator.tell("--resume goes on after the last finished epoch")
            raise
        finally:
            runner.visualizer.close()
    floor, done = floor_figures(data.validation), course.progress
    return Outcome(work_dir, process.leads, done, floor, ended_early=done.epoch < settings.epochs)


def _resumed(experiment: Experiment, work_dir: Path, resume: bool) -> Checkpoint | None:
    """The checkpoint to go on from, if there is one and it is asked for."""
    path = work_dir / LAST
    if not path.exists():
        return None
    if not resume:
        raise BadSetting(f"{work_dir}: holds a training already", "go on with --resume, or name another --work-dir")
    checkpoint = load(path, ANEW)
    require_resumable(checkpoint, experiment, path)
    return checkpoint


def _data(experiment: Experiment, collection: Collection) -> tuple[dict[str, Questions], Training]:
    """What is evaluated, by name, and what is learnt from."""
    settings, model = experiment.data, experiment.model.settings
    data = for_training(settings, model, collection, experiment.training.seed)
    if experiment.training.choose_by == "auc" and not are_labels(data.validation.scores):
        raise BadSetting("training.choose_by is auc, and scores are not 0 and 1", "set training.choose_by=srcc")
    asked = {"validation": data.validation}
    if experiment.training.report_test:
        asked["test"] = for_testing(settings, model, collection, data.task)
    return asked, data


def _network(
    experiment: Experiment, data: Training, resumed: Checkpoint | None, process: Process, work_dir: Path
) -> torch.nn.Module:
    """The network on its device, new or as far as it was trained."""
    if resumed is not None:
        network = network_of(resumed, work_dir / LAST)
    else:
        seed_everything(experiment.training.seed)
        network = make_model(experiment.model.name, expanded(experiment.model.settings), data.task)
        targets, groups = data.pairs.samples.targets, data.pairs.exemplars.groups
        network.prepare(torch.from_numpy(targets), torch.from_numpy(groups))  # type: ignore[operator]  # a method
    if process.world > 1 and process.device.type == "cuda":
        network = torch.nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    return network.to(process.device)


def _loader(experiment: Experiment, data: Training, process: Process) -> Loader:
    settings = experiment.training
    return Loader(
        data.pairs,
        batch_size=settings.batch_size,
        sampler=EpochSampler(len(data.pairs), settings.batch_size, settings.seed, process.rank, process.world),
        collate_fn=collate,
        num_workers=settings.workers,
        persistent_workers=settings.workers > 0,
        pin_memory=process.device.type == "cuda",
        generator=torch.Generator(),  # its own, so that what it draws does not change what the network draws
    )


def _prepare(experiment: Experiment, work_dir: Path, epoch: int) -> None:
    """Write the settings, and leave of what was written before what the checkpoint knows."""
    document = {"format": FORMAT, "experiment": resolved(experiment), "provenance": provenance()}
    write_files({work_dir / EXPERIMENT: f"{json.dumps(document, indent=2)}\n".encode()})
    forget_after(work_dir, epoch)


def _announce(narrator: Narrator, experiment: Experiment, data: Training, network: torch.nn.Module, epoch: int) -> None:
    """Say what is trained, on what, and what labels alone can do."""
    weights = sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
    narrator.tell(
        f"{experiment.name}: {experiment.model.name}, {weights:,} weights, {len(data.pairs)} clips to train on"
    )
    if data.alone:
        by = experiment.data.exemplars.by
        narrator.tell(f"training clips that are left out, since no other one has the same {by}: {data.alone}")
    queries = data.validation.queries
    floor = in_words(floor_figures(data.validation))
    narrator.tell(f"{len(queries)} clips for validation; what their labels alone say: {floor}")
    if epoch:
        narrator.tell(f"resumed after epoch {epoch}")
