"""mmengine's Runner, told what to do by objects in place of its registries, and without its own log and checkpoints."""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.distributed
from mmengine.logging import MMLogger
from mmengine.model import BaseDataPreprocessor, BaseModel, MMDistributedDataParallel
from mmengine.runner import BaseLoop, EpochBasedTrainLoop, Runner

from posediff.engine.checkpoints import Checkpoint
from posediff.engine.data import Questions
from posediff.engine.evaluation import figures, predict
from posediff.engine.experiment import TrainingSettings
from posediff.engine.hooks import diverged
from posediff.engine.processes import Process
from posediff.errors import BadData

#: What mmengine does by default and is done otherwise here, or costs time in every step.
LEFT_OUT = ("runtime_info", "timer", "sampler_seed", "logger", "checkpoint")


class Learner(BaseModel):  # type: ignore[misc]  # mmengine is not typed
    """A network as mmengine trains one.

    Args:
        network: with ``losses(batch)``, of which the sum is minimised.
    """

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__(data_preprocessor=BaseDataPreprocessor(non_blocking=True))
        self.network = network

    def forward(self, query: Any, exemplar: Any, mode: str = "loss") -> dict[str, torch.Tensor]:
        """The losses of a batch of pairs."""
        losses: dict[str, torch.Tensor] = self.network.losses({"query": query, "exemplar": exemplar})  # type: ignore[operator]
        return losses

    def parse_losses(self, losses: dict[str, torch.Tensor]) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Their sum, and all of them for the record."""
        total = torch.stack([loss.float() for loss in losses.values()]).sum()
        return total, {"loss": total.detach(), **{name: loss.detach().float() for name, loss in losses.items()}}


class Epochs(EpochBasedTrainLoop):  # type: ignore[misc]  # mmengine is not typed
    """Epochs of training, each with its evaluation where one is due; ``after_round`` is called after both."""

    def run(self) -> torch.nn.Module:
        self.runner.call_hook("before_train")
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self.runner.agree()
            if self._epoch % self.val_interval == 0 or self._epoch == self._max_epochs:
                self.runner.val_loop.run()
            self.runner.call_hook("after_round")
        self.runner.call_hook("after_train")
        return self.runner.model


class Evaluation(BaseLoop):  # type: ignore[misc]  # mmengine is not typed
    """Scores clips by their exemplars, and hands the figures to the hooks; ``errors`` of the runner has the errors.

    Args:
        runner: whose network it is.
        asked: the clips, by what they are called: ``validation``, ``test``.
        settings: of the training.
    """

    def __init__(self, runner: Any, asked: Mapping[str, Questions], settings: TrainingSettings) -> None:
        super().__init__(runner, dataloader=None)
        self._asked, self._settings = asked, settings

    def run(self) -> dict[str, dict[str, float | None]]:
        metrics = {}
        size, workers = self._settings.batch_size, self._settings.workers
        for name, asked in self._asked.items():
            found = predict(self.runner.network, asked, size, self.runner.process, workers)
            if not np.isfinite(found.predicted).all():
                raise diverged(self.runner.epoch, f"a predicted score after epoch {self.runner.epoch}")
            metrics[name] = figures(found, asked.score_range)
            self.runner.errors[name] = tuple(sorted(found.errors.tolist()))
        self.runner.call_hook("after_val_epoch", metrics=metrics)
        return metrics


class QuietRunner(Runner):  # type: ignore[misc]  # mmengine is not typed
    """A Runner that is made of objects, says nothing by itself, and goes on from posediff's checkpoints.

    Args:
        network: that is trained.
        process: this one.
        loader: of the training pairs.
        asked: the clips that are evaluated, by what they are called.
        resumed: where training goes on, or None; its weights are in the network already.
        settings: of the training.
        others: what mmengine's Runner takes besides: ``work_dir``, ``optim_wrapper``, ``param_scheduler``,
            ``visualizer``, ``custom_hooks``.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        process: Process,
        loader: Any,
        asked: Mapping[str, Questions],
        *,
        resumed: Checkpoint | None,
        settings: TrainingSettings,
        **others: Any,
    ) -> None:
        self.network, self.process, self.losses = network, process, {"loss": float("nan")}
        self.errors: dict[str, tuple[float, ...]] = {}
        self._asked, self._resumed, self._settings = asked, resumed, settings
        super().__init__(
            Learner(network),
            train_dataloader=loader,
            train_cfg={},
            val_dataloader={},
            val_cfg={},
            val_evaluator={},
            default_hooks=dict.fromkeys(LEFT_OUT),
            launcher="none" if process.world == 1 else "pytorch",
            experiment_name=secrets.token_hex(8),  # mmengine keeps one log and one message hub for each name
            default_scope=None,
            **others,
        )

    def agree(self) -> None:
        """Give all processes the first one's running statistics, which each has of its own batches alone."""
        if self.process.world > 1:
            for buffer in self.network.buffers():
                torch.distributed.broadcast(buffer, 0)

    def setup_env(self, env_cfg: Any) -> None:
        self._rank, self._world_size, self._timestamp = self.process.rank, self.process.world, ""

    def set_randomness(self, *_: Any, **__: Any) -> None:
        self._seed, self._deterministic = 0, False

    def build_logger(self, *_: Any, **__: Any) -> MMLogger:
        return MMLogger.get_instance(name=self._experiment_name, log_level="CRITICAL")

    def _log_env(self, env_cfg: Any) -> None:
        pass

    def dump_config(self) -> None:
        pass

    def wrap_model(self, model_wrapper_cfg: Any, model: torch.nn.Module) -> torch.nn.Module:
        model = model.to(self.process.device)
        if self.process.world == 1:
            return model
        device = self.process.device
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of broadcast_buffers, whose new name torch 2.6 lacks
            return MMDistributedDataParallel(  # type: ignore[no-any-return]
                module=model,
                device_ids=[device] if device.type == "cuda" else None,
                broadcast_buffers=False,
                find_unused_parameters=True,  # a batch without labelled stages does not reach the segmentation
            )

    def build_train_loop(self, loop: Any) -> Epochs:
        return Epochs(self, self._train_dataloader, self._settings.epochs, val_interval=self._settings.evaluate_every)

    def build_val_loop(self, loop: Any) -> Evaluation:
        return Evaluation(self, self._asked, self._settings)

    def _init_model_weights(self) -> None:
        pass  # they are made with the network, and libraries' own init_weights would undo those that were loaded

    def load_or_resume(self) -> None:
        """Put optimizer, learning rate and counters where the checkpoint had them."""
        if self._resumed is None:
            return
        try:
            self.optim_wrapper.load_state_dict(dict(self._resumed.optimizer))
            for scheduler, state in zip(self.param_schedulers or [], self._resumed.schedule, strict=True):
                scheduler.load_state_dict(state)
        except Exception as error:  # it is as free as the file that it is from
            why = f"{type(error).__name__}: {error}"
            raise BadData(
                f"{self.work_dir}: the optimizer's state in its checkpoint is damaged ({why})",
                "train anew in another --work-dir",
            ) from None
        self._train_loop._epoch = self._resumed.progress.epoch
        self._train_loop._iter = self._resumed.progress.epoch * len(self.train_dataloader)
