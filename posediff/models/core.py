"""CoRe: contrastive regression of scores, by a group-aware regression tree or a plain one."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from posediff.errors import BadData
from posediff.models.core_settings import CoReSettings
from posediff.models.encoders.together import build_encoders, encode_each
from posediff.models.heads.gart import GART
from posediff.models.heads.mlp import MLP
from posediff.models.outputs import Encoded, Prediction, Sample
from posediff.models.pooling import pool_stages
from posediff.models.voting import each_pair
from posediff.skeletons import Skeleton


class CoRe(nn.Module):
    """Scores a performance as a whole by how it differs from others whose scores are known.

    With ``contrastive=False`` it is the baseline that regresses the score itself; each exemplar then votes the same.

    Attributes:
        scale: () standard deviation of the training targets, in which the head computes.
        centre: () what its 0 stands for: no difference, or the mean target where the score itself is regressed.
        highest: () largest size of a training target; known scores are told as parts of it.

    Args:
        settings: the parts of the model.
        skeleton: of the poses.
        dimensions: of the poses, 2 or 3.
        transitions: how many are labelled in the data; they are not used.

    Source: Yu et al. 2021, "Group-aware Contrastive Regression for Action Quality Assessment".
    """

    scale: Tensor
    centre: Tensor
    highest: Tensor

    def __init__(self, settings: CoReSettings, skeleton: Skeleton, dimensions: int, transitions: int) -> None:
        super().__init__()
        self.settings = settings
        self.encoders = build_encoders(settings, skeleton, dimensions)
        inputs = settings.width * settings.steps * len(self.encoders)
        if settings.contrastive:
            inputs = 2 * inputs + settings.reference_score
        self.head: GART | MLP
        if settings.head == "gart":
            self.head = GART(inputs, settings.hidden, settings.depth, settings.inference)
        else:
            self.head = MLP(inputs, settings.hidden)
        for name, value in (("scale", 1.0), ("centre", 0.0), ("highest", 1.0)):
            self.register_buffer(name, torch.tensor(value))

    def prepare(self, targets: Tensor, groups: Tensor) -> None:
        """Take from the training clips what the network computes by: scale, and the groups of the tree (eq. 5).

        Args:
            targets: (N,) scores to be regressed.
            groups: (N,) int64 number of the group within which a clip is compared. All ordered pairs of two clips of a
                group count, which takes some 20 bytes each for a moment.

        Raises:
            BadData: if a target is not a finite number, or there is nothing to be told apart.
        """
        wrong = int((~targets.isfinite()).sum())
        if wrong:
            raise BadData(f"{wrong} of {len(targets)} scores are not finite numbers", "correct the labels")
        if not targets.max() > targets.min():
            raise BadData(f"all {len(targets)} clips have the score {targets[0]:g}", "give clips that differ")
        self.scale.fill_(targets.double().std(correction=0))
        self.centre.fill_(0.0 if self.settings.contrastive else targets.double().mean())
        self.highest.fill_(targets.abs().max())
        values = differences(targets, groups) if self.settings.contrastive else targets
        self.head.prepare((values.float() - self.centre) / self.scale)

    def encode(self, sample: Sample, transitions: Tensor | None = None) -> Encoded:
        """Features of whole performances, ``all``: (B, 1, steps, D) of all encoders side by side.

        Args:
            sample: performances.
            transitions: not used.

        Raises:
            BadSetting: if the sample lacks what an encoder takes.
        """
        features = torch.cat(list(encode_each(self.encoders, sample).values()), dim=-1)
        none = torch.zeros(len(features), 0, dtype=torch.int64, device=features.device)
        return Encoded({"all": pool_stages(features, none, self.settings.steps)}, none, None)

    def losses(self, batch: dict[str, Sample]) -> dict[str, Tensor]:
        """What training minimises the sum of.

        Args:
            batch: ``query`` and ``exemplar``, pairs by row. Each pair counts in both orders.

        Returns:
            ``classification`` and ``regression`` of the tree (eq. 6); or ``score``, the mean squared error (eq. 2) in
            squared standard deviations of the targets.
        """
        one, other = batch["query"], batch["exemplar"]
        both = {name: torch.cat((one[name], other[name])) for name in other}
        features, target = self.encode(both).streams["all"].flatten(1), both["target"]
        if not self.settings.contrastive:
            return self.head.losses(features, (target - self.centre) / self.scale)
        partner = torch.arange(len(target), device=target.device).roll(len(one["target"]))
        rows = self._rows(features, features[partner], target[partner])
        return self.head.losses(rows, (target - target[partner]) / self.scale)

    def vote(self, query: Encoded, bank: Encoded, targets: Tensor, picks: Tensor) -> Prediction:
        """Scores as the mean of what several exemplars say (eq. 8 and 9).

        Args:
            query: B performances, encoded.
            bank: N performances whose scores are known, encoded.
            targets: (N,) their scores.
            picks: (B, M) int64 rows of the bank; -1 for none.

        Returns:
            The prediction; NaN for a query without any exemplar.
        """
        features, others = query.streams["all"].flatten(1), bank.streams["all"].flatten(1)
        targets = targets.to(self.scale.dtype)
        if self.settings.contrastive:

            def vote_of(rows: Tensor, chosen: Tensor) -> Tensor:
                known = targets[chosen]
                return known + self.scale * self.head(self._rows(features[rows], others[chosen], known))
        else:
            scores = self.centre + self.scale * self.head(features)

            def vote_of(rows: Tensor, chosen: Tensor) -> Tensor:
                return scores[rows]

        votes = each_pair(picks, vote_of)
        stages = (votes - targets[picks.clamp(min=0)]).nanmean(dim=1, keepdim=True)
        return Prediction(votes.nanmean(dim=1), votes, stages, query.transitions)

    def _rows(self, query: Tensor, exemplar: Tensor, known: Tensor) -> Tensor:
        """What the head is given of pairs (eq. 4)."""
        parts = [exemplar, query]
        if self.settings.reference_score:
            parts.append((known / self.highest).to(query.dtype)[:, None])
        return torch.cat(parts, dim=1)


def differences(targets: Tensor, groups: Tensor) -> Tensor:
    """Score differences (T,) of all ordered pairs of two clips of the same group.

    Args:
        targets: (N,) scores.
        groups: (N,) int64 number of each clip's group.

    Raises:
        BadData: if no group has two clips.
    """
    found = []
    for group in torch.unique(groups):
        own = targets[groups == group]
        apart = ~torch.eye(len(own), dtype=torch.bool, device=own.device)
        found.append((own[:, None] - own)[apart])
    result = torch.cat(found)
    if not len(result):
        raise BadData(f"each of {len(targets)} clips is alone in its group", "compare any: data.exemplars.by=none")
    return result
