"""Optimizer, learning rate and precision, as mmengine's wrappers and schedulers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.optim import AmpOptimWrapper, CosineAnnealingLR, LinearLR, OptimWrapper

from posediff.engine.experiment import OptimizerSettings, ScheduleSettings
from posediff.errors import BadSetting

#: Part of the learning rate that a warm-up begins with.
START = 0.01
#: What encoders call the networks that begin from published weights.
BACKBONES = {"i3d", "backbone"}


def make_optimizer(
    network: torch.nn.Module, settings: OptimizerSettings, *, amp: bool, device: torch.device
) -> OptimWrapper:
    """The optimizer of all weights of a network that are trained.

    Args:
        network: the network.
        settings: of the optimizer.
        amp: whether to compute in 16 bits where they do.
        device: where the network is.

    Raises:
        BadSetting: if nothing of the network is trained.
    """
    weights = _groups(network, settings)
    if not weights:
        raise BadSetting("every part of the model is frozen: there is nothing to train", "train one of its parts")
    common: dict[str, Any] = {"lr": settings.lr, "weight_decay": settings.weight_decay}
    optimizer: torch.optim.Optimizer
    if settings.type == "SGD":
        optimizer = torch.optim.SGD(weights, momentum=settings.momentum, **common)
    else:
        optimizer = getattr(torch.optim, settings.type)(weights, betas=settings.betas, **common)
    clip = None if settings.clip is None else {"max_norm": settings.clip}
    if not amp:
        return OptimWrapper(optimizer, clip_grad=clip)
    if device.type == "cuda":
        return AmpOptimWrapper(optimizer=optimizer, clip_grad=clip, dtype="float16")
    return Bfloat16(optimizer, clip_grad=clip)


def _groups(network: torch.nn.Module, settings: OptimizerSettings) -> list[dict[str, Any]]:
    """The weights that are trained, those of backbones last where they have a learning rate of their own."""
    rates: dict[float, list[torch.nn.Parameter]] = {settings.lr: []}
    for name, weight in network.named_parameters():
        if weight.requires_grad:
            own = settings.backbone_lr if BACKBONES & {*name.split(".")} else None
            rates.setdefault(own or settings.lr, []).append(weight)
    return [{"params": weights, "lr": rate} for rate, weights in rates.items() if weights]


class Bfloat16(OptimWrapper):  # type: ignore[misc]  # mmengine is not typed
    """Computes in bfloat16 on the CPU, which needs no scaling of the loss; mmengine's own asks for a GPU."""

    @contextmanager
    def optim_context(self, model: torch.nn.Module) -> Iterator[None]:
        with super().optim_context(model), torch.autocast("cpu", torch.bfloat16):
            yield


def make_schedule(optimizer: OptimWrapper, settings: ScheduleSettings, *, epochs: int, steps: int) -> list[Any]:
    """What changes the learning rate: mmengine's schedulers.

    Args:
        optimizer: from :func:`make_optimizer`.
        settings: of the schedule.
        epochs: of the training.
        steps: in an epoch.
    """
    schedule: list[Any] = []
    warmup = settings.warmup * steps
    if warmup > 1:  # a single step would be taken at START, and no other follows that makes up for it
        schedule.append(LinearLR(optimizer, start_factor=START, end=warmup, by_epoch=False))
    if settings.type != "constant":
        fall = settings.period if settings.type == "cyclic_cosine" else epochs - settings.warmup
        schedule.append(CosineAnnealingLR(optimizer, T_max=fall, eta_min=settings.lowest, begin=settings.warmup))
    return schedule
