"""Parts of ``train_speed.py`` that need a whole model: its loader, votes of exemplars, and the profile of an epoch."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from train_speed_turns import in_turns

from posediff.datasets.augment import AugmentSettings
from posediff.datasets.pairs import EpochSampler, Pairs, collate
from posediff.engine.config import load_experiment
from posediff.engine.data import Training, for_training, load_clips
from posediff.engine.models import make_model

CONFIG = Path(__file__).parent.parent / "configs" / "synthetic_dives.py"
#: Everything that the augmentation of skeletons can do, at once.
ALL_CHANGES = AugmentSettings(flip=0.5, rotate=15.0, scale=0.1, noise=0.01, drop=0.1, crop=0.05)
FED, VOTES = 0.95, 1.5


def loader(options: argparse.Namespace) -> dict[str, Any]:
    """Epochs fed by the data loader beside epochs on batches that lie ready, of a small model: the hardest case."""
    data, network, optimizer = _prepared()
    pairs = Pairs(data.pairs.samples, data.pairs.exemplars, ALL_CHANGES, 0)
    sampler = EpochSampler(len(pairs), 8, 0)
    batches = torch.utils.data.DataLoader(pairs, batch_size=8, sampler=sampler, collate_fn=collate)
    ready = list(batches)

    def epoch(source: Any) -> Callable[[], None]:
        def run() -> None:
            for batch in source:
                _step(network, optimizer, batch)

        return run

    seconds = in_turns({"ready": epoch(ready), "fed": epoch(batches)}, options.repeats)
    share = statistics.median(pure / fed for (_, pure), (_, fed) in zip(seconds["ready"], seconds["fed"], strict=True))
    print(f"loader: {share:.1%} of an epoch's CPU time is compute (aim {FED:.0%}), with every augmentation")
    return {"compute_share": share, "met": share >= FED}


def voting(options: argparse.Namespace) -> dict[str, Any]:
    """Scoring 32 clips by ten exemplars each beside one each, all exemplars encoded before."""
    data, network, _ = _prepared()
    network.eval()
    samples = data.pairs.samples
    with torch.inference_mode():
        bank = network.encode(samples.load(np.arange(len(samples))))
        targets = torch.from_numpy(samples.targets)
        queries = data.validation.queries.load(np.arange(32) % len(data.validation.queries))
        generator = torch.Generator().manual_seed(0)
        picks = torch.randint(len(samples), (32, 10), generator=generator)

        def score(count: int) -> Callable[[], None]:
            def run() -> None:
                network.vote(network.encode(queries), bank, targets, picks[:, :count])

            return run

        seconds = in_turns({"one": score(1), "ten": score(10)}, max(options.repeats, 9))
    ratio = statistics.median(ten / one for (_, one), (_, ten) in zip(seconds["one"], seconds["ten"], strict=True))
    print(f"voting: ten exemplars take {ratio:.2f} times the CPU time of one (aim {VOTES:g} at most)")
    return {"ratio": ratio, "met": ratio <= VOTES}


def epoch(options: argparse.Namespace) -> dict[str, Any]:
    """Where the time of an epoch goes, by the parts of the model."""
    data, network, optimizer = _prepared()
    sampler = EpochSampler(len(data.pairs), 8, 0)
    batches = torch.utils.data.DataLoader(data.pairs, batch_size=8, sampler=sampler, collate_fn=collate)
    spent: dict[str, float] = dict.fromkeys(("load", "forward", "backward", "optimizer"), 0.0)
    parts = _timed_parts(network, spent)
    since = time.process_time()
    for batch in batches:
        since = _told(spent, "load", since)
        loss = torch.stack(list(network.losses(batch).values())).sum()
        since = _told(spent, "forward", since)
        optimizer.zero_grad()
        loss.backward()
        since = _told(spent, "backward", since)
        optimizer.step()
        since = _told(spent, "optimizer", since)
    total = sum(spent[name] for name in ("load", "forward", "backward", "optimizer"))
    print(f"one epoch of {len(data.pairs)} pairs, {total:.1f} CPU s:")
    for name, seconds in spent.items():
        print(f"  {'  of it ' if name in parts else ''}{name:22}{seconds / total:7.1%}")
    return {"cpu_s": total, "share": {name: seconds / total for name, seconds in spent.items()}, "met": True}


def _prepared() -> tuple[Training, Any, torch.optim.Optimizer]:
    """Data, network and optimizer of the generated dives, with 96 frames."""
    torch.manual_seed(0)
    experiment = load_experiment(CONFIG, ["data.source.clips=120", "data.inputs.frames=96"])
    data = for_training(experiment.data, experiment.model.settings, load_clips(experiment.data), 0)
    network = make_model(experiment.model.name, experiment.model.settings, data.task)
    return data, network, torch.optim.AdamW(network.parameters(), 1e-3)


def _step(network: Any, optimizer: torch.optim.Optimizer, batch: Any) -> None:
    loss = torch.stack(list(network.losses(batch).values())).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


def _timed_parts(network: Any, spent: dict[str, float]) -> set[str]:
    """Count what the forward passes of the network's parts take; their names."""
    encoder, segmentation = network.encoders["skeletal"], network.segmentation
    names = {"skeletal encoder": encoder, "segmentation": segmentation, "head": network.head}
    for name, part in names.items():
        spent[name] = 0.0
        begun: list[float] = []
        part.register_forward_pre_hook(lambda *_, begun=begun: begun.append(time.process_time()))

        def after(*_: Any, name: str = name, begun: list[float] = begun) -> None:
            spent[name] += time.process_time() - begun.pop()

        part.register_forward_hook(after)
    return set(names)


def _told(spent: dict[str, float], name: str, since: float) -> float:
    now = time.process_time()
    spent[name] += now - since
    return now
