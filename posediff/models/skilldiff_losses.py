"""The losses of SkillDiff (section 3.5)."""

from __future__ import annotations

import torch
from torch import Tensor

from posediff.alignment import contrastive_idm, soft_dtw
from posediff.models.skilldiff_alignment import comparable
from posediff.models.skilldiff_settings import AlignmentSettings, LossSettings

#: Probabilities are kept this far from 0 and 1, where a logarithm is infinite.
LEAST = 1e-6


def score_loss(predicted: Tensor, target: Tensor, scale: Tensor, kind: str) -> Tensor:
    """How far scores are off.

    Args:
        predicted, target: (B,).
        scale: () what ``mse`` measures scores in.
        kind: ``mse``, or ``bce``, the cross-entropy of labels or probabilities.

    Returns:
        () mean.
    """
    if kind == "mse":
        return ((predicted - target) / scale).square().mean()
    likely = predicted.clamp(LEAST, 1 - LEAST)
    return -(target * likely.log() + (1 - target) * (1 - likely).log()).mean()


def ranking_loss(predicted: Tensor, target: Tensor, reference: Tensor, margin: float) -> Tensor:
    """Whether scores are in the right order: ``max(0, -(s_a - s_b)(s*_a - s*_b) + epsilon)``.

    The paper prints the product without its minus, which would reward the wrong order. Pairs are all of the batch, and
    each performance with its reference, whose score is known. Pairs of the same true score are left out.

    Args:
        predicted, target: (B,) scores, in standard deviations.
        reference: (B,) true score of the reference of each.
        margin: epsilon.

    Returns:
        () mean over the pairs; 0 without any.
    """
    row, column = torch.triu_indices(len(target), len(target), offset=1, device=target.device)
    found = torch.cat((predicted[row] - predicted[column], predicted - reference))
    truth = torch.cat((target[row] - target[column], target - reference))
    counts = truth != 0
    hinge = torch.relu(margin - found * truth)
    return torch.where(counts, hinge, 0.0).sum() / counts.sum().clamp(min=1)


def alignment_loss(query: Tensor, reference: Tensor, settings: AlignmentSettings, loss: LossSettings) -> Tensor:
    """Soft-DTW of two performances, and what keeps their frames from becoming all alike.

    Args:
        query, reference: (B, T, D) features; pairs by row.
        settings: of the alignment.
        loss: its ``contrast``, ``near`` and ``apart``.

    Returns:
        () mean, of soft-DTW by a frame of either, with the contrastive inverse difference moment by a pair of frames.
    """
    x, y = comparable(query, settings), comparable(reference, settings)
    frames = x.shape[1]
    value = soft_dtw(x, y, gamma=settings.gamma, skip=settings.skip, band=settings.band).mean() / (2 * frames)
    if not loss.contrast:
        return value
    spread = contrastive_idm(torch.cat((x, y)), sigma=loss.near, margin=loss.apart).mean() / frames**2
    return value + loss.contrast * spread


def dimension_loss(predicted: Tensor, measured: Tensor) -> Tensor:
    """Mean squared error of what the heads say of their dimensions.

    Args:
        predicted: (B, M, H) of every segment, from 0 to 1.
        measured: (B, H) of the whole, NaN where unknown.

    Returns:
        () mean over what is known, 0 where nothing is.
    """
    known = ~measured.isnan()
    error = (predicted.mean(dim=1) - measured.nan_to_num()).square()
    return torch.where(known, error, 0.0).sum() / known.sum().clamp(min=1)
