"""What happens around the steps of training: seeds, losses, figures, checkpoints, and the end."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf, isfinite
from typing import Any

import numpy as np
import torch
import torch.distributed
from mmengine.hooks import Hook

from posediff.annotate.batch.progress import duration
from posediff.engine.checkpoints import Progress
from posediff.engine.evaluation import is_better
from posediff.engine.experiment import Experiment
from posediff.engine.narration import Narrator, in_words, losses_in_words
from posediff.engine.processes import Process
from posediff.errors import PosediffError


def seed_everything(*numbers: int) -> None:
    """Seed all generators of random numbers by some numbers together."""
    seed = int(np.random.SeedSequence(numbers).generate_state(1)[0])
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002  # what libraries draw from
    torch.manual_seed(seed)


def not_finite(network: torch.nn.Module) -> str:
    """Name of the first weight or running statistic that is NaN or infinite; empty if there is none."""
    state = [*network.named_parameters(), *network.named_buffers()]
    if not state:
        return ""
    fine = torch.stack([tensor.detach().isfinite().all() for _, tensor in state]).tolist()
    return next((name for (name, _), good in zip(state, fine, strict=True) if not good), "")


def diverged(epoch: int, what: str) -> PosediffError:
    """What ends training whose numbers have left all bounds.

    Args:
        epoch: in which, from 1.
        what: is no number.
    """
    before = "; last.pth is of the epoch before" if epoch > 1 else ""
    return PosediffError(
        f"training has diverged: {what} is not finite",
        f"lower optimizer.lr, or limit the gradient by optimizer.clip{before}",
    )


class EpochSeeds(Hook):  # type: ignore[misc]  # mmengine is not typed
    """Makes what is random in an epoch a function of the seed, the epoch and the process, and of nothing before it.

    Args:
        seed: of the training.
        rank: number of this process.
    """

    priority = "VERY_HIGH"

    def __init__(self, seed: int, rank: int) -> None:
        self._seed, self._rank = seed, rank

    def before_train_epoch(self, runner: Any) -> None:
        seed_everything(self._seed, runner.epoch, self._rank)
        runner.train_dataloader.sampler.set_epoch(runner.epoch)


class Losses(Hook):  # type: ignore[misc]  # mmengine is not typed
    """Averages the losses of an epoch over its pairs, and writes those of the latest steps now and then.

    Args:
        every: steps from one writing to the next.
        process: this one.
        narrator: tells them on a terminal.
    """

    def __init__(self, every: int, process: Process, narrator: Narrator) -> None:
        self._every, self._process, self._narrator = every, process, narrator
        self._begin()

    def before_train_epoch(self, runner: Any) -> None:
        self._begin()

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Mapping[str, torch.Tensor] | None = None
    ) -> None:
        self._names = list(outputs or {})
        self._waiting.append((len(data_batch["query"]["index"]), torch.stack(list((outputs or {}).values()))))
        steps = len(runner.train_dataloader)
        if (batch_idx + 1) % self._every == 0:
            means = self._mean(self._flushed())
            rate = runner.optim_wrapper.param_groups[0]["lr"]
            values = {f"train/{name}": value for name, value in means.items()}
            where = {"epoch": runner.epoch + 1, "train/lr": rate}
            runner.visualizer.add_scalars({**where, **values}, step=runner.iter + 1)
        self._narrator.show(lambda: f"epoch {runner.epoch + 1}/{runner.max_epochs}: step {batch_idx + 1}/{steps}")

    def after_train_epoch(self, runner: Any) -> None:
        self._flushed()
        sums = self._sums.to(self._process.device)
        if self._process.world > 1:
            torch.distributed.all_reduce(sums)
        runner.losses = self._mean(sums)
        epoch = runner.epoch + 1
        if not isfinite(runner.losses["loss"]):
            raise diverged(epoch, f"the loss of epoch {epoch}")
        wrong = not_finite(runner.network)
        if wrong:
            raise diverged(epoch, f"{wrong} after epoch {epoch}")

    def _begin(self) -> None:
        self._waiting: list[tuple[int, torch.Tensor]] = []
        self._sums = torch.zeros(0)

    def _flushed(self) -> torch.Tensor:
        """Number of pairs, and sums of their losses, of the steps since the last call; the epoch's go on adding up."""
        if not self._waiting:
            return torch.zeros_like(self._sums)
        counts = torch.tensor([count for count, _ in self._waiting], dtype=torch.float64)
        values = torch.stack([value for _, value in self._waiting]).cpu().double()
        self._waiting = []
        sums = torch.cat([counts.sum()[None], counts @ values])
        self._sums = self._sums + sums if len(self._sums) else sums
        return sums

    def _mean(self, sums: torch.Tensor) -> dict[str, float]:
        count, *totals = sums.tolist()
        return {name: total / count for name, total in zip(self._names, totals, strict=True)}


class Course(Hook):  # type: ignore[misc]  # mmengine is not typed
    """Tells and keeps what every epoch came to, chooses the best one, and ends training that no longer improves.

    Args:
        experiment: that is trained.
        progress: from where it goes on.
        keep: writes a checkpoint, given the progress and whether it is the best.
        narrator: tells it.
    """

    priority = "LOWEST"

    def __init__(
        self,
        experiment: Experiment,
        progress: Progress,
        keep: Callable[[Progress, bool], None],
        narrator: Narrator,
    ) -> None:
        self.progress = progress
        self._experiment, self._keep, self._narrator = experiment, keep, narrator
        self._figures: dict[str, dict[str, float | None]] = {}
        self._begun, self._since = time.monotonic(), progress.epoch

    @property
    def is_over(self) -> bool:
        """Whether there is nothing left to train, or it no longer helps."""
        training, progress = self._experiment.training, self.progress
        return progress.epoch >= training.epochs or progress.waited >= (training.patience or inf)

    def after_val_epoch(self, runner: Any, metrics: dict[str, dict[str, float | None]] | None = None) -> None:
        self._figures = metrics or {}

    def after_round(self, runner: Any) -> None:
        """After an epoch and its evaluation, if there was one."""
        epoch = runner.epoch
        found, self._figures = self._figures, {}
        improved = bool(found) and self._take(epoch, found, runner.errors["validation"])
        self.progress = replace(self.progress, epoch=epoch)
        self._record(runner, epoch, found)
        self._narrator.tell(self._line(runner, epoch, found, improved))
        self._keep(self.progress, improved)
        runner.train_loop.stop_training = self.is_over

    def _take(self, epoch: int, found: dict[str, dict[str, float | None]], errors: tuple[float, ...]) -> bool:
        """Take figures, and errors on the validation clips, into account; whether they are the best."""
        by, old = self._experiment.training.choose_by, self.progress
        new = found["validation"]
        improved = not old.best or is_better(by, new[by], old.best.get(by))
        on_test = dict(old.on_test)
        for name, value in found.get("test", {}).items():
            if is_better(name, value, on_test.get(name)):
                on_test[name] = value
        self.progress = replace(old, waited=old.waited + 1, on_test=on_test)
        if improved:
            self.progress = replace(self.progress, best_epoch=epoch, best=new, waited=0, errors=errors)
        return improved

    def _record(self, runner: Any, epoch: int, found: dict[str, dict[str, float | None]]) -> None:
        values: dict[str, float] = {f"epoch/{name}": value for name, value in runner.losses.items()}
        for kind, figures in found.items():
            values |= {f"{kind}/{name}": value for name, value in figures.items() if value is not None}
        runner.visualizer.add_scalars({"epoch": epoch, **values}, step=runner.iter)

    def _line(self, runner: Any, epoch: int, found: dict[str, dict[str, float | None]], improved: bool) -> str:
        parts = [f"epoch {epoch}/{runner.max_epochs}: {losses_in_words(runner.losses)}"]
        if "validation" in found:
            parts.append(f"validation: {in_words(found['validation'])}" + (" (best)" if improved else ""))
        if "test" in found:
            parts.append(f"test, not used to choose: {in_words(found['test'])}")
        left = (time.monotonic() - self._begun) / (epoch - self._since) * (runner.max_epochs - epoch)
        return " | ".join([*parts, f"{duration(left)} left"] if left else parts)
