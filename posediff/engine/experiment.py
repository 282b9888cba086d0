"""Everything about an experiment that can be chosen: what a configuration file says, with every default."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from posediff.datasets.augment import AugmentSettings
from posediff.datasets.samples import InputSettings
from posediff.datasets.sources import source
from posediff.engine.models import settings_of
from posediff.errors import BadSetting
from posediff.models.settings import HPMCoReSettings, check


@dataclass(frozen=True)
class Choice:
    """One of several things that have settings of their own; a configuration names it in ``type``, beside these.

    Attributes:
        usual: its name where ``type`` is left out; empty if it may not be.
        name: what ``type`` says.
        settings: its settings, of the class that :meth:`settings_of` gives for the name.
    """

    usual: ClassVar[str] = ""
    name: str
    settings: Any

    @classmethod
    def settings_of(cls, name: str) -> type:
        """The class of the settings of what has this name."""
        raise NotImplementedError


@dataclass(frozen=True)
class ModelChoice(Choice):
    """A model of :data:`posediff.engine.models.MODELS`."""

    usual: ClassVar[str] = "hp_mcore"

    @classmethod
    def settings_of(cls, name: str) -> type:
        return settings_of(name)


@dataclass(frozen=True)
class SourceChoice(Choice):
    """A data set of :data:`posediff.datasets.sources.SOURCES`."""

    @classmethod
    def settings_of(cls, name: str) -> type:
        return source(name)[0]


@dataclass(frozen=True)
class ExemplarSettings:
    """What a performance is compared with.

    Attributes:
        by: what a query and its exemplars have in common: the ``action``, the ``difficulty``, or ``none``.
        count: of the exemplars that vote on a score.
        seed: of their choice.
        choice: which of those that have this in common: ``random`` ones, the ``best`` ones, or the ``barycentre`` of
            the best ones, one exemplar that is their average under soft-DTW, and its score theirs.
        best: how many are the best ones, by what is regressed.
    """

    by: Literal["action", "difficulty", "none"] = "action"
    count: int = 10
    seed: int = 0
    choice: Literal["random", "best", "barycentre"] = "random"
    best: int = 5

    def __post_init__(self) -> None:
        rules = {
            "count is above 0": self.count > 0,
            "seed is 0 or more": self.seed >= 0,
            "best is above 0": self.best > 0,
        }
        check(self, rules)


@dataclass(frozen=True)
class DataSettings:
    """Which performances there are, and what the model sees of them.

    Attributes:
        source: the data set.
        inputs: what is loaded of a clip.
        augment: how training clips are varied; None for not at all.
        exemplars: what a performance is compared with.
        difficulty: whether the execution, score / difficulty, is regressed where difficulties are known.
        validation: fraction of the training clips that are kept apart; epochs are chosen on them.
        seed: of that division.
        dimensions: whether networks are told in training what :mod:`posediff.compare` measures of each pair: timing,
            smoothness, accuracy and range.
    """

    source: SourceChoice
    inputs: InputSettings = field(default_factory=InputSettings)
    augment: AugmentSettings | None = None
    exemplars: ExemplarSettings = field(default_factory=ExemplarSettings)
    difficulty: bool = True
    validation: float = 0.15
    seed: int = 0
    dimensions: bool = False

    def __post_init__(self) -> None:
        check(
            self,
            {"validation is above 0 and below 1": 0 < self.validation < 1, "seed is 0 or more": self.seed >= 0},
        )
        others = [name for name in ("images", "features") if getattr(self.inputs, name)]
        if self.exemplars.choice == "barycentre" and others:
            raise BadSetting(
                f"exemplars.choice is barycentre and inputs.{others[0]} {getattr(self.inputs, others[0])!r}: "
                "there is no average of pictures",
                "take exemplars.choice=best, or a network of skeletons alone",
            )


@dataclass(frozen=True)
class OptimizerSettings:
    """The optimizer.

    Attributes:
        type: which one of torch's.
        lr: learning rate.
        backbone_lr: that of I3D and of the networks of single pictures, where they are trained; None for ``lr``.
        weight_decay: of all weights.
        betas: of Adam and AdamW.
        momentum: of SGD.
        clip: largest norm of the gradient; None for any.
    """

    type: Literal["Adam", "AdamW", "SGD"] = "Adam"
    lr: float = 5e-4
    backbone_lr: float | None = None
    weight_decay: float = 0.0
    betas: tuple[float, float] = (0.9, 0.999)
    momentum: float = 0.9
    clip: float | None = None

    def __post_init__(self) -> None:
        check(
            self,
            {
                "lr is above 0 and at most 1e6": 0 < self.lr <= 1e6,
                "backbone_lr is above 0 and at most 1e6": self.backbone_lr is None or 0 < self.backbone_lr <= 1e6,
                "weight_decay is 0 or more": self.weight_decay >= 0,
                "betas are from 0 to below 1": all(0 <= beta < 1 for beta in self.betas),
                "momentum is from 0 to below 1": 0 <= self.momentum < 1,
                "clip is above 0": self.clip is None or self.clip > 0,
            },
        )


@dataclass(frozen=True)
class ScheduleSettings:
    """The learning rate over the epochs.

    Attributes:
        type: ``constant``; ``cosine`` falls to ``lowest`` at the last epoch; ``cyclic_cosine`` falls within ``period``
            epochs and rises as slowly again, as in the code released with HP-MCoRe.
        period: epochs from the highest to the lowest learning rate of ``cyclic_cosine``.
        warmup: epochs in which it rises from a hundredth, step by step, before.
        lowest: learning rate.
    """

    type: Literal["constant", "cosine", "cyclic_cosine"] = "cyclic_cosine"
    period: int = 20
    warmup: int = 0
    lowest: float = 0.0

    def __post_init__(self) -> None:
        check(
            self,
            {
                "period is above 0": self.period > 0,
                "warmup is 0 or more": self.warmup >= 0,
                "lowest is 0 or more": self.lowest >= 0,
            },
        )


@dataclass(frozen=True)
class TrainingSettings:
    """How it is trained, and what the best epoch is.

    Attributes:
        epochs: at most.
        batch_size: pairs in a step, of each process where there are several.
        workers: processes that load data, beside the one that trains.
        amp: whether numbers of 16 bits are used where they do: float16 on CUDA, bfloat16 on the CPU.
        seed: of the weights, the order, the partners, the augmentation and dropout.
        evaluate_every: epochs from one evaluation on the validation clips to the next.
        patience: evaluations without improvement after which training ends; None for never.
        choose_by: figure on the validation clips by which the best epoch is chosen; ``auc`` where scores are 0 and 1.
        report_test: whether every evaluation is also made on the test clips. Papers report the best epoch there, each
            figure from another epoch if need be. It is told, and never used to choose.
        device: where it runs; ``auto`` for CUDA where it works.
        threads: of the CPU, in each process; None for torch's own choice.
    """

    epochs: int = 200
    batch_size: int = 8
    workers: int = 0
    amp: bool = False
    seed: int = 0
    evaluate_every: int = 1
    patience: int | None = None
    choose_by: Literal["srcc", "relative_l2", "auc"] = "srcc"
    report_test: bool = False
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        check(
            self,
            {
                "epochs is above 0": self.epochs > 0,
                "batch_size is above 0": self.batch_size > 0,
                "workers is 0 or more": self.workers >= 0,
                "seed is 0 or more": self.seed >= 0,
                "evaluate_every is above 0": self.evaluate_every > 0,
                "patience is above 0": self.patience is None or self.patience > 0,
                "threads is above 0": self.threads is None or self.threads > 0,
            },
        )


@dataclass(frozen=True)
class LoggingSettings:
    """What is written about the training while it goes on.

    Attributes:
        every: steps from one line of the losses in ``scalars.jsonl`` to the next.
        backends: where figures go: ``local`` for ``scalars.jsonl``, ``tensorboard``, ``wandb``.
    """

    every: int = 50
    backends: tuple[Literal["local", "tensorboard", "wandb"], ...] = ("local",)

    def __post_init__(self) -> None:
        check(self, {"every is above 0": self.every > 0})


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """An experiment: a configuration file with every default filled in.

    Attributes:
        model: the network.
        data: what it learns from.
        optimizer, schedule, training, logging: how.
        name: what it is called; the name of the configuration file where it says none.
    """

    data: DataSettings
    model: ModelChoice = field(default_factory=lambda: ModelChoice("hp_mcore", HPMCoReSettings()))
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    schedule: ScheduleSettings = field(default_factory=ScheduleSettings)
    training: TrainingSettings = field(default_factory=TrainingSettings)
    logging: LoggingSettings = field(default_factory=LoggingSettings)
    name: str = ""

    def __post_init__(self) -> None:
        if self.schedule.warmup >= self.training.epochs:
            raise BadSetting(
                f"schedule.warmup is {self.schedule.warmup} of {self.training.epochs} epochs",
                "train for longer, or set schedule.warmup=0",
            )
        rate = min(self.optimizer.lr, self.optimizer.backbone_lr or self.optimizer.lr)
        if self.schedule.lowest > rate:
            raise BadSetting(
                f"schedule.lowest is {self.schedule.lowest}, above the learning rate of {rate}", "lower it"
            )
