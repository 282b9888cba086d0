"""SkillDiff: how good every segment of a performance is, from what differs between it and an aligned reference."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from posediff.errors import BadData, BadSetting
from posediff.models.encoders.together import build_encoders, encode_each
from posediff.models.heads.differential import DifferentialEncoder, ReadOut, SegmentHead
from posediff.models.outputs import Encoded, Prediction, Sample
from posediff.models.pooling import pool_stages
from posediff.models.skilldiff_alignment import counterparts, timing
from posediff.models.skilldiff_losses import alignment_loss, dimension_loss, ranking_loss, score_loss
from posediff.models.skilldiff_settings import DIMENSIONS, SkillDiffSettings
from posediff.models.voting import each_pair
from posediff.skeletons import Skeleton

#: How far beyond the training scores segments may go, as a share of their range: a sigmoid never reaches its ends.
BEYOND = 0.05


class Assessment(NamedTuple):
    """Performances, each beside a reference.

    Attributes:
        total: (B,) score.
        segments: (B, M) score of every segment, on the same scale.
        weights: (B, M) of the segments, which sum to 1; all 1 where they are deductions.
        embedding: (B, M, d) what differs in every segment, the heads one after the other.
    """

    total: Tensor
    segments: Tensor
    weights: Tensor
    embedding: Tensor


class SkillDiff(nn.Module):
    """Scores the segments of a performance beside an expert's, and by them the whole.

    A segment's score lies between 0, or below the lowest training score if that is negative, and a little above the
    highest one: call :meth:`prepare` before training.

    Args:
        settings: the parts of the model.
        skeleton: of the poses.
        dimensions: of the poses, 2 or 3.
        transitions: how many are labelled in the data; the segments do not depend on them.

    Source: "SkillDiff: Quantifying Fine-Grained Skill Differences from Paired Demonstration Videos", preprint, 2026.
    """

    scale: Tensor
    lowest: Tensor
    highest: Tensor

    def __init__(self, settings: SkillDiffSettings, skeleton: Skeleton, dimensions: int, transitions: int) -> None:
        super().__init__()
        self.settings = settings
        width, heads = settings.width, settings.heads
        self.encoders = build_encoders(settings, skeleton, dimensions)
        self.join = nn.Linear(len(self.encoders) * width, width) if len(self.encoders) > 1 else nn.Identity()
        inputs = _frame_width(settings)
        self.differential = (
            DifferentialEncoder(inputs, settings.hidden, width, heads) if settings.differential else None
        )
        self.head = SegmentHead(width if settings.differential else inputs, settings.total == "weighted")
        named = settings.differential and heads == len(DIMENSIONS)
        self.read_out = ReadOut(width // heads, heads) if named else None
        for name, value in (("scale", 1.0), ("lowest", 0.0), ("highest", 1.0)):
            self.register_buffer(name, torch.tensor(value))

    def prepare(self, targets: Tensor, groups: Tensor) -> None:
        """Take from the training clips between which scores segments lie, and begin with the mean score.

        Args:
            targets: (N,) scores to be regressed.
            groups: (N,) int64 number of the group within which a clip is compared; not used.

        Raises:
            BadSetting: if scores beyond 0 and 1 are to be learnt by ``bce``.
        """
        targets = targets.double()
        least, most = targets.amin(), targets.amax()
        self.scale.fill_(targets.std(correction=0))
        if self.settings.loss.score == "mse":
            beyond = BEYOND * (most - least)
            self.lowest.fill_(torch.where(least < 0, least - beyond, 0.0))
            self.highest.fill_(most + beyond)
        elif least < 0 or most > 1:
            raise BadSetting(
                f"model.loss.score is 'bce', and scores range from {least:g} to {most:g}",
                "give labels or probabilities from 0 to 1, or set model.loss.score=mse",
            )
        share = (targets.mean() - self.lowest) / (self.highest - self.lowest)
        if self.settings.total == "deductions":
            share = 1 - (1 - share) / self.settings.segments
        self.head.start_at(float(share.clamp(0.01, 0.99)))

    def encode(self, sample: Sample, transitions: Tensor | None = None) -> Encoded:
        """Features of every frame, in the stream ``frames``, (B, 1, T, d).

        Args:
            sample: performances.
            transitions: not used: segments are equal in time.

        Raises:
            BadData: if there are fewer frames than segments.
            BadSetting: if the sample lacks what an encoder takes.
        """
        features = self.join(torch.cat(list(encode_each(self.encoders, sample).values()), dim=2))
        batch, frames = features.shape[:2]
        count = self.settings.segments
        if frames < count:
            raise BadData(f"{frames} frames for {count} segments", "give more frames, or fewer model.segments")
        borders = torch.arange(1, count, device=features.device) * frames // count
        return Encoded({"frames": features[:, None]}, borders.expand(batch, -1), None)

    def assess(self, query: Encoded, reference: Encoded) -> Assessment:
        """Score each query beside the reference of its row."""
        frames = self._frames(query.streams["frames"][:, 0], reference.streams["frames"][:, 0])
        embedded = frames if self.differential is None else self.differential(frames)
        pooled = pool_stages(embedded, query.transitions, 1)[:, :, 0]
        share, weights = self.head(pooled)
        segments = self.lowest + (self.highest - self.lowest) * share
        if self.settings.total == "weighted":
            total = (weights * segments).sum(dim=1)
        else:
            total = self.highest + (segments - self.highest).sum(dim=1)
        return Assessment(total, segments, weights, pooled)

    def dimensions(self, query: Encoded, reference: Encoded) -> Tensor:
        """What the heads say of every segment, by :data:`posediff.models.skilldiff_settings.DIMENSIONS`.

        Args:
            query, reference: performances; pairs by row.

        Returns:
            (B, M, H) from 0 to 1, as the reference. They mean what they are called only after training on measured
            dimensions.

        Raises:
            BadSetting: if there is not a head for each dimension.
        """
        if self.read_out is None:
            raise BadSetting(
                f"model.heads is {self.settings.heads}, the dimensions are {', '.join(DIMENSIONS)}",
                f"train with model.heads={len(DIMENSIONS)}",
            )
        embedding = self.assess(query, reference).embedding
        said: Tensor = self.read_out(embedding)
        return said

    def losses(self, batch: dict[str, Sample]) -> dict[str, Tensor]:
        """What training minimises the sum of (section 3.5).

        Args:
            batch: ``query`` and ``exemplar``, pairs by row. ``dimensions`` (B, H) of the queries, where they are there,
                are what the heads are taught; NaN where unknown.

        Returns:
            ``score``, ``ranking``, ``alignment`` and ``dimensions``, each (), its weight applied, and 0 where there is
            nothing to do.
        """
        settings, count = self.settings.loss, len(batch["query"]["target"])
        shared = [name for name in batch["query"] if name in batch["exemplar"]]
        both = {name: torch.cat((batch["query"][name], batch["exemplar"][name])) for name in shared}
        encoded, target = self.encode(both), both["target"] / self.scale
        rows = torch.arange(2 * count if settings.both_ways else count, device=target.device)
        partner = (rows + count) % (2 * count)
        found = self.assess(encoded.select(rows), encoded.select(partner))
        total = found.total / self.scale
        score = score_loss(found.total, both["target"][rows], self.scale, settings.score)
        ranking = ranking_loss(total, target[rows], target[partner], settings.margin)
        return {
            "score": score,
            "ranking": settings.ranking * ranking,
            "alignment": settings.alignment * self._apart(encoded.streams["frames"][:, 0]),
            "dimensions": settings.dimensions * self._taught(found, batch["query"]),
        }

    def vote(self, query: Encoded, bank: Encoded, targets: Tensor, picks: Tensor) -> Prediction:
        """Scores as the mean over several references.

        Args:
            query: B performances, encoded.
            bank: N performances whose scores are known, encoded.
            targets: (N,) their scores.
            picks: (B, M) int64 rows of the bank; -1 for none.

        Returns:
            The prediction, ``stages`` being by how much each segment lifts the score above that of the reference; NaN
            for a query without any reference.
        """

        def parts_and_segments(rows: Tensor, chosen: Tensor) -> Tensor:
            found = self.assess(query.select(rows), bank.select(chosen))
            return torch.stack((self._parts(found, targets[chosen].to(found.total.dtype)), found.segments), dim=1)

        found = each_pair(picks, parts_and_segments)
        votes = found[:, :, 0].sum(dim=2) + targets[picks.clamp(min=0)].to(found.dtype)
        stages, segments = found.nanmean(dim=1).unbind(dim=1)
        return Prediction(votes.nanmean(dim=1), votes, stages, query.transitions, segments)

    def _frames(self, query: Tensor, reference: Tensor) -> Tensor:
        """(B, T, F) what is known of every frame of the queries."""
        settings = self.settings
        if settings.alignment is None and not settings.differential:
            return query
        found = counterparts(query, reference, settings.alignment)
        if not settings.differential:
            return torch.cat((query, found.features), dim=2)
        marks = [timing(found.places, settings.signed)]
        if settings.alignment is not None and settings.alignment.skip is not None:
            marks += [found.skipped, found.missed]
        return torch.cat((query - found.features, query, found.features, torch.stack(marks, dim=2)), dim=2)

    def _parts(self, found: Assessment, known: Tensor) -> Tensor:
        """(B, M) by how much every segment lifts the score above ``known`` (B,): they sum to the difference."""
        if self.settings.total == "weighted":
            return found.weights * (found.segments - known[:, None])
        return found.segments - self.highest + (self.highest - known[:, None]) / self.settings.segments

    def _apart(self, frames: Tensor) -> Tensor:
        """The alignment loss of (2 B, T, D) features, the references of the first half in the second; else 0."""
        settings = self.settings
        if settings.alignment is None or not settings.loss.alignment:
            return self.scale.new_zeros(())
        query, reference = frames.chunk(2)
        return alignment_loss(query, reference, settings.alignment, settings.loss)

    def _taught(self, found: Assessment, query: Sample) -> Tensor:
        """How far the heads are from what is measured of the queries; 0, but not for want of a gradient, if nothing."""
        if self.read_out is None:
            return self.scale.new_zeros(())
        said = self.read_out(found.embedding[: len(query["target"])])
        unknown = said.new_full((len(said), len(DIMENSIONS)), torch.nan)
        return dimension_loss(said, query.get("dimensions", unknown))


def _frame_width(settings: SkillDiffSettings) -> int:
    """How many numbers :meth:`SkillDiff._frames` gives of a frame."""
    if not settings.differential:
        return settings.width * (1 if settings.alignment is None else 2)
    marks = 1 if settings.alignment is None or settings.alignment.skip is None else 3
    return 3 * settings.width + marks
