"""Judging whether a performance is a good one by examples of both, where there are few of them.

What :mod:`posediff.compare` measures of a performance beside the good examples that it is most like, aligned in time,
turned to one heading and on the better side, is what small networks learn from
(:class:`posediff.models.residual_judge.ResidualJudge`). How somebody is built, where he stands and how fast he goes is
taken out before; a network over skeletons would have to learn that from a handful of people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log, radians
from typing import NamedTuple

import numpy as np
import torch

from posediff.compare.body import Body
from posediff.compare.comparison import DIMENSIONS
from posediff.compare.residuals import measure
from posediff.compare.run import Judged, best, sides
from posediff.compare.settings import Settings
from posediff.engine.hooks import seed_everything
from posediff.errors import BadData
from posediff.models.residual_judge import ResidualJudge, ResidualJudgeSettings
from posediff.models.settings import check
from posediff.motion.resample import sample_track
from posediff.sequence import PoseSequence

#: People choose their side: the better of a performance and its mirror image counts.
COMPARISON = Settings(mirror="auto")


@dataclass(frozen=True)
class JudgingSettings:
    """How good performances are told from bad ones.

    Attributes:
        network: what learns from the residuals.
        nearest: how many good examples a performance is compared with, the most similar ones.
        moments: U, at which residuals are taken.
        epochs, batch_size, lr, weight_decay: of the training, by AdamW; the learning rate rises for a fifth of it.
        networks: how many vote, each with other initial weights.
    """

    network: ResidualJudgeSettings = field(default_factory=ResidualJudgeSettings)
    nearest: int = 5
    moments: int = 32
    epochs: int = 12
    batch_size: int = 64
    lr: float = 1e-3
    weight_decay: float = 1e-2
    networks: int = 1

    def __post_init__(self) -> None:
        counts = ("nearest", "moments", "epochs", "batch_size", "networks")
        rules = {f"{name} is above 0": getattr(self, name) > 0 for name in counts}
        check(self, {**rules, "lr is above 0": self.lr > 0, "weight_decay is 0 or more": self.weight_decay >= 0})


class Measured(NamedTuple):
    """What is measured of one performance beside several good ones.

    Attributes:
        residuals: (E, U, C) float32, in tolerances of :class:`posediff.compare.settings.Settings`: the joints, the
            limbs' directions, the angles, distances of joints and limbs beyond the noise, and the lead in time.
        context: (E, 6) float32: logarithm of the tempo, then the four scores and the whole one, 1 for 20 points.
        similarity: (E,) the score of the comparison.
    """

    residuals: np.ndarray
    context: np.ndarray
    similarity: np.ndarray

    def nearest(self, allowed: np.ndarray, count: int) -> Measured:
        """Beside the ``count`` most similar of the examples that are ``allowed`` (E,).

        Raises:
            BadData: if none is.
        """
        if not allowed.any():
            raise BadData("there is no good example to compare with", "give some of other people")
        rows = np.flatnonzero(allowed)
        rows = rows[np.argsort(-self.similarity[rows], kind="stable")[:count]]
        return Measured(self.residuals[rows], self.context[rows], self.similarity[rows])


def measured(examples: Sequence[Body], query: PoseSequence, moments: int = 32) -> Measured:
    """Measure a performance beside good ones.

    Args:
        examples: E good ones, :func:`posediff.compare.prepare.prepare` made ready with :data:`COMPARISON`.
        query: the performance.
        moments: U.

    Raises:
        BadData: if it cannot be compared.
    """
    both = sides(query, COMPARISON)
    found = [best(example, both, COMPARISON)[0] for example in examples]
    return Measured(
        np.stack([_residuals(one, moments) for one in found]),
        np.stack([_context(one) for one in found]),
        np.array([one.score for one in found], np.float32),
    )


class Judges:
    """Networks that vote on whether performances are good.

    Args:
        networks: trained ones.
    """

    def __init__(self, networks: Sequence[ResidualJudge]) -> None:
        self._networks = tuple(networks)

    def log_odds(self, performance: Measured, kind: np.ndarray | None = None) -> float:
        """Mean log odds over the examples and the networks that it is good.

        Args:
            performance: beside its examples.
            kind: (K,) what else the networks were told in training, such as which movement it is.
        """
        residuals, context = _tensors([performance], None if kind is None else kind[None])
        with torch.inference_mode():
            return float(np.mean([float(network.eval()(residuals, context).mean()) for network in self._networks]))


def train_judges(
    performances: Sequence[Measured],
    good: np.ndarray,
    settings: JudgingSettings,
    seed: int,
    kinds: np.ndarray | None = None,
) -> Judges:
    """Networks that tell good performances from bad ones.

    Args:
        performances: N, each beside its examples.
        good: (N,) whether it is.
        settings: of the training.
        seed: of everything random.
        kinds: (N, K) what else is known of each, such as which movement it is; None for nothing.

    Raises:
        BadData: if all are good, or none is.
    """
    if len(set(np.asarray(good, bool).tolist())) < 2:
        raise BadData("good and bad performances are needed to learn the difference", "give some of both")
    residuals, context = _tensors(performances, kinds)
    labels = np.repeat(np.asarray(good, np.float32), [len(one.similarity) for one in performances])
    return Judges([
        _trained(residuals, context, torch.from_numpy(labels), settings, 1000 * seed + number)
        for number in range(settings.networks)
    ])  # fmt: skip


def _trained(
    residuals: torch.Tensor, context: torch.Tensor, labels: torch.Tensor, settings: JudgingSettings, seed: int
) -> ResidualJudge:
    seed_everything(seed)
    network = ResidualJudge(residuals.shape[2], context.shape[1], settings.network)
    network.prepare(residuals, context)
    size = min(settings.batch_size, len(labels))
    steps = len(labels) // size
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.lr, total_steps=steps * settings.epochs, pct_start=0.2
    )
    network.train()
    for _ in range(settings.epochs):
        order = torch.randperm(len(labels))
        for rows in order[: steps * size].view(steps, size):
            optimizer.zero_grad()
            loss = network.loss(residuals[rows], context[rows], labels[rows])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
    return network.eval()


def _tensors(performances: Sequence[Measured], kinds: np.ndarray | None) -> tuple[torch.Tensor, torch.Tensor]:
    """All pairs of all performances: (P, U, C) residuals and (P, M) context, with the kind where there is one."""
    residuals = np.concatenate([one.residuals for one in performances])
    context = np.concatenate([one.context for one in performances])
    if kinds is not None:
        counts = [len(one.similarity) for one in performances]
        context = np.concatenate([context, np.repeat(kinds.astype(np.float32), counts, axis=0)], axis=1)
    return torch.from_numpy(residuals), torch.from_numpy(context)


def _residuals(judged: Judged, moments: int) -> np.ndarray:
    """(U, C) float32, of the query less the reference."""
    line = judged.line
    rows = np.linspace(0, len(line) - 1, moments)
    places = [sample_track(side, rows) for side in (line.reference, line.query)]
    position, direction = COMPARISON.position_tolerance, radians(COMPARISON.angle_tolerance)
    parts = []
    for name, tolerance in (("joints", position), ("limbs", direction)):
        reference, query = (getattr(body, name).at(at).values for body, at in zip(line.pair, places, strict=True))
        parts.append(((query - reference) / tolerance).reshape(moments, -1))
    angles = np.nan_to_num(measure(line, COMPARISON).residual) / COMPARISON.angle_tolerance
    along = (angles, *judged.between.distances, line.lead[:, None])
    parts += [sample_track(values, rows) for values in along]
    return np.concatenate(parts, axis=1).astype(np.float32)


def _context(judged: Judged) -> np.ndarray:
    reference, query = judged.line.pair
    scores = [judged.scores[name] / 20 for name in DIMENSIONS]
    return np.array([log(query.seconds / reference.seconds), *scores, judged.score / 20], np.float32)
