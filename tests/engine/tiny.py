"""The smallest network that offers what the engine asks of one: a linear model of the mean pose of every stage."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import nn

from posediff.engine.config import from_resolved
from posediff.engine.models import MODELS
from posediff.models.outputs import Difference, Encoded, Prediction

TABLE = ("tests.engine.tiny:Tiny", "tests.engine.tiny:TinySettings")


@dataclass(frozen=True)
class TinySettings:
    width: int = 8
    dropout: float = 0.0
    norm: str = "none"
    weights: str = ""


class Tiny(nn.Module):
    def __init__(self, settings, skeleton, dimensions, transitions):
        super().__init__()
        if settings.weights:
            raise FileNotFoundError(settings.weights)
        self.settings, self.transitions = settings, transitions
        self.embed = nn.Linear(len(skeleton.joints) * dimensions, settings.width)
        self.norm = nn.BatchNorm1d(settings.width) if settings.norm == "batch" else nn.Identity()
        self.dropout = nn.Dropout(settings.dropout)
        self.find = nn.Linear(settings.width, transitions)
        self.head = nn.Linear(settings.width, 1, bias=False)
        self.register_buffer("scale", torch.ones(()))

    def prepare(self, targets, groups):
        self.scale.fill_(targets.double().std(correction=0))

    def encode(self, sample, transitions=None):
        features = torch.tanh(self.embed(sample["poses"].flatten(2)))
        features = self.norm(features.mT).mT
        frames = features.shape[1]
        moments = self.find(features).softmax(dim=1).mul(torch.arange(frames)[:, None].to(features)).sum(dim=1)
        found = moments.round().long().sort(dim=1).values.clamp(1, frames - 1)
        used = found if transitions is None else torch.where(transitions < 0, found, transitions)
        stage = (torch.arange(frames, device=used.device)[None, :, None] >= used[:, None]).sum(dim=2)
        member = nn.functional.one_hot(stage, self.transitions + 1).to(features)
        pooled = torch.einsum("btk,btd->bkd", member, features) / member.sum(dim=1)[..., None].clamp(min=1)
        return Encoded({"all": self.dropout(pooled)[:, :, None]}, used, moments[:, None])

    def compare(self, query, exemplar):
        stages = self.head(query.streams["all"] - exemplar.streams["all"])[:, :, 0, 0] * self.scale
        return Difference(stages.sum(dim=1), stages)

    def losses(self, batch):
        query, exemplar = (self.encode(batch[side], batch[side]["transitions"]) for side in ("query", "exemplar"))
        truth = (batch["query"]["target"] - batch["exemplar"]["target"]) / self.scale
        found = self.compare(query, exemplar).total / self.scale
        late = (query.logits[:, 0] - batch["query"]["transitions"]) / batch["query"]["poses"].shape[1]
        return {"score": nn.functional.mse_loss(found, truth), "segmentation": late.square().mean()}

    def vote(self, query, bank, targets, picks):
        columns = [self.compare(query, bank.select(column)) for column in picks.mT]
        votes = torch.stack([column.total for column in columns], dim=1) + targets[picks]
        stages = torch.stack([column.stages for column in columns]).mean(dim=0)
        return Prediction(votes.mean(dim=1), votes, stages, query.transitions)


def register():
    """Make it a model that configurations can name ``tiny``."""
    MODELS["tiny"] = TABLE


#: A small experiment with it, as a configuration file assigns it.
CONFIG = {
    "model": {"type": "tiny"},
    "data": {
        "source": {"type": "synthetic_dives", "clips": 48},
        "inputs": {"frames": 12},
        "exemplars": {"count": 3},
        "validation": 0.25,
    },
    "optimizer": {"lr": 0.01},
    "training": {"epochs": 2, "batch_size": 8, "device": "cpu"},
    "logging": {"every": 2},
}


def experiment(**changes):
    """The small experiment with some settings changed: ``training__epochs=3``."""
    settings = deepcopy(CONFIG)
    for path, value in changes.items():
        *above, last = path.split("__")
        node = settings
        for part in above:
            node = node.setdefault(part, {})
        node[last] = value
    return from_resolved({"name": "small", **settings})


def config_file(folder, **more):
    """A configuration file of the small experiment."""
    path = folder / "small.py"
    path.write_text("\n".join(f"{name} = {value!r}" for name, value in {**CONFIG, **more}.items()))
    return path
