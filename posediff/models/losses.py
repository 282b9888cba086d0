"""Contrastive losses between the stages of two performances."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from posediff.models.settings import ContrastSettings


def stage_contrast(query: Tensor, exemplar: Tensor, settings: ContrastSettings) -> Tensor:
    """How far features of the same stage are from being more alike than those of different stages.

    The critic (eq. 12) is the cosine of all steps of a stage in order, less their mean: without that, what all features
    share makes every pair alike. The positive of a stage is the same stage of the other performance of its pair.

    ``stagewise`` (eq. 13 to 16): its negatives are the other stages of both performances. Eq. 14 prints
    ``exp(-delta / tau)`` for them, which would draw different stages together, and eq. 15 a term of a stage with itself
    and no minus before the logarithm. These are mistakes: the released code has this loss. It is 0 where there is one
    stage.
    ``infonce`` (van den Oord et al. 2018): its negatives are all stages of the other performances of the other pairs in
    the batch. It is 0 for a batch of one pair.
    ``triplet`` (Schroff et al. 2015): the negatives of ``stagewise`` may come no nearer to the cosine of the positive
    than a margin; mean over all triplets.

    Args:
        query, exemplar: (B, K, S, D) features by stage; pairs by row.
        settings: the kind, temperature and margin. The weight is left to the caller.

    Returns:
        () mean over pairs, stages and both directions; 0 for the kind ``none``.
    """
    if settings.kind == "none":
        return query.new_zeros(())
    with torch.autocast(query.device.type, enabled=False):
        one, other = normed(query), normed(exemplar)
        if settings.kind == "infonce":
            return _infonce(one, other, settings.temperature)
        return _by_pair(one, other, settings)


def normed(features: Tensor) -> Tensor:
    """(B, K, S * D) vectors of length 1 and mean 0, in float32 at least, of (B, K, S, D) features."""
    flat = features.flatten(2)
    flat = flat.float() if flat.dtype in (torch.float16, torch.bfloat16) else flat
    return functional.normalize(flat - flat.mean(dim=2, keepdim=True), dim=2)


def _by_pair(one: Tensor, other: Tensor, settings: ContrastSettings) -> Tensor:
    anchors, partners = torch.cat((one, other)), torch.cat((other, one))
    across, within = anchors @ partners.mT, anchors @ anchors.mT  # (2 B, K, K)
    same = torch.eye(anchors.shape[1], dtype=torch.bool, device=anchors.device)
    if settings.kind == "triplet":
        positive = across.diagonal(dim1=1, dim2=2)[..., None]
        hinges = functional.relu(settings.margin - positive + torch.cat((across, within), dim=2))
        negative = ~same.repeat(1, 2).expand_as(hinges)
        return torch.where(negative, hinges, 0).sum() / negative.sum().clamp(min=1)
    logits = torch.cat((across, within.masked_fill(same, -torch.inf)), dim=2) / settings.temperature
    return -logits.log_softmax(dim=2).diagonal(dim1=1, dim2=2).mean()


def _infonce(one: Tensor, other: Tensor, temperature: float) -> Tensor:
    batch, stages = one.shape[:2]
    logits = one.flatten(0, 1) @ other.flatten(0, 1).T / temperature
    pair = torch.arange(batch, device=one.device).repeat_interleave(stages)
    positive = torch.eye(batch * stages, dtype=torch.bool, device=one.device)
    logits = logits.masked_fill((pair[:, None] == pair) & ~positive, -torch.inf)
    return -(logits.log_softmax(dim=1) + logits.log_softmax(dim=0)).diagonal().mean() / 2
