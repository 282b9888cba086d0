"""HP-MCoRe: action quality assessment by hierarchical pose-guided multi-stage contrastive regression."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from posediff.errors import BadSetting
from posediff.models.encoders.together import build_encoders, encode_each
from posediff.models.fusion import Fusion
from posediff.models.heads.stagewise import StagewiseRegression
from posediff.models.losses import stage_contrast
from posediff.models.outputs import Difference, Encoded, Prediction, Sample
from posediff.models.pooling import pool_stages, stage_borders
from posediff.models.segmentation import Segmentation, decode, segmentation_loss
from posediff.models.settings import HPMCoReSettings
from posediff.models.voting import each_pair
from posediff.skeletons import Skeleton


class HPMCoRe(nn.Module):
    """Scores a performance by how it differs, stage by stage, from others whose scores are known.

    The network computes in standard deviations of the training targets: call :meth:`prepare` before training.

    Args:
        settings: the parts of the model.
        skeleton: of the poses.
        dimensions: of the poses, 2 or 3.
        transitions: how many are labelled in the data, of which the settings' ``boundaries`` are some.

    Raises:
        BadSetting: if a boundary is not among the labelled transitions.

    Source: Qi et al. 2025, "Action Quality Assessment via Hierarchical Pose-guided Multi-stage Contrastive Regression".
    """

    scale: Tensor

    def __init__(self, settings: HPMCoReSettings, skeleton: Skeleton, dimensions: int, transitions: int) -> None:
        super().__init__()
        boundaries = settings.segmentation.boundaries
        if max(boundaries, default=-1) >= transitions:
            raise BadSetting(
                f"the stages are divided at the transitions {boundaries} of {transitions} that are labelled",
                f"give boundaries from 0 to {transitions - 1}" if transitions else "give no boundaries",
            )
        self.settings = settings
        self.encoders = build_encoders(settings, skeleton, dimensions)
        moving = [name for name in ("dynamic", "skeletal") if name in self.encoders]
        self.fusion = Fusion(settings.width, settings.fusion) if len(moving) == 2 else None
        streams = (*(["fused"] if moving else []), *(["static"] if "static" in self.encoders else []))
        self.segmentation = Segmentation(settings.width, settings.segmentation) if boundaries else None
        self.head = StagewiseRegression(settings.width, settings.segmentation.stages, settings.decoder, streams)
        self.register_buffer("scale", torch.ones(()))

    def prepare(self, targets: Tensor, groups: Tensor) -> None:
        """Take from the training clips what the network computes by: the standard deviation of the scores.

        Args:
            targets: (N,) scores to be regressed.
            groups: (N,) int64 number of the group within which a clip is compared.
        """
        self.scale.fill_(targets.double().std(correction=0))

    def encode(self, sample: Sample, transitions: Tensor | None = None) -> Encoded:
        """Features by stage.

        Args:
            sample: performances.
            transitions: (B, K - 1) to divide the stages at; None for what the network predicts, which also replaces
                rows with unknown transitions (-1) or empty stages.

        Raises:
            BadSetting: if the sample lacks what an encoder takes.
        """
        features = encode_each(self.encoders, sample)
        first = next(iter(features.values()))
        logits = None if self.segmentation is None else self.segmentation(first)
        used = decode(first[..., :1] if logits is None else logits, self.settings.segmentation.windows)
        if transitions is not None:
            possible = (stage_borders(transitions, first.shape[1]).diff(dim=1) > 0).all(dim=1, keepdim=True)
            used = torch.where(possible, transitions, used)
        steps = self.settings.decoder.steps
        pooled = {name: pool_stages(part, used, steps) for name, part in features.items()}
        return Encoded(self._streams(pooled), used, logits)

    def compare(self, query: Encoded, exemplar: Encoded) -> Difference:
        """How much better each query is than the exemplar of its row."""
        stages = self.head(query.streams, exemplar.streams).stages.to(self.scale.dtype) * self.scale
        return Difference(stages.sum(dim=1), stages)

    def losses(self, batch: dict[str, Sample]) -> dict[str, Tensor]:
        """What training minimises the sum of (eq. 23).

        Args:
            batch: ``query`` and ``exemplar``, pairs by row.

        Returns:
            ``score``: mean squared error of the differences in squared standard deviations of the targets (eq. 21), of
            both directions, which are one where the head is antisymmetric; ``segmentation``: of both performances;
            ``contrast``: sum over the streams. Each is (), its weight applied, and 0 where there is nothing to do.
        """
        both = {name: torch.cat((batch["query"][name], batch["exemplar"][name])) for name in batch["query"]}
        truth = both["transitions"][:, list(self.settings.segmentation.boundaries)]
        encoded = self.encode(both, truth if self.settings.guided_by == "truth" else None)
        count = len(batch["query"]["target"])
        query, exemplar = encoded.select(slice(count)), encoded.select(slice(count, None))

        target = (batch["query"]["target"] - batch["exemplar"]["target"]) / self.scale
        score = functional.mse_loss(self.head(query.streams, exemplar.streams).total.to(target.dtype), target)
        if not self.settings.decoder.antisymmetric:
            back = functional.mse_loss(self.head(exemplar.streams, query.streams).total.to(target.dtype), -target)
            score = (score + back) / 2
        segmentation = score.new_zeros(())
        if encoded.logits is not None:
            loss = segmentation_loss(encoded.logits, truth, self.settings.segmentation)
            segmentation = self.settings.segmentation.weight * loss
        pairs = [(query.streams[name], exemplar.streams[name]) for name in encoded.streams]
        contrast = torch.stack([stage_contrast(*pair, self.settings.contrast) for pair in pairs]).sum()
        return {"score": score, "segmentation": segmentation, "contrast": self.settings.contrast.weight * contrast}

    def vote(self, query: Encoded, bank: Encoded, targets: Tensor, picks: Tensor) -> Prediction:
        """Scores as the mean of what several exemplars say (eq. 24).

        Args:
            query: B performances, encoded.
            bank: N performances whose scores are known, encoded.
            targets: (N,) their scores.
            picks: (B, M) int64 rows of the bank; -1 for none.

        Returns:
            The prediction; NaN for a query without any exemplar.
        """

        def stages_of(rows: Tensor, chosen: Tensor) -> Tensor:
            return self.compare(query.select(rows), bank.select(chosen)).stages

        stages = each_pair(picks, stages_of)
        votes = stages.sum(dim=2) + targets[picks.clamp(min=0)].to(stages.dtype)
        return Prediction(votes.nanmean(dim=1), votes, stages.nanmean(dim=1), query.transitions)

    def _streams(self, pooled: dict[str, Tensor]) -> dict[str, Tensor]:
        """Dynamic and skeletal features as one stream, fused where there are both, and static ones as another."""
        moving = [pooled[name] for name in ("dynamic", "skeletal") if name in pooled]
        fused = [self.fusion(*moving)] if self.fusion is not None else moving
        streams = {"fused": fused[0]} if fused else {}
        return {**streams, "static": pooled["static"]} if "static" in pooled else streams
