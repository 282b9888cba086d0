"""What of a reference belongs to every frame of a query, and how the two differ in time (SkillDiff, section 3.2)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from posediff.alignment import soft_alignment
from posediff.models.skilldiff_settings import AlignmentSettings


class Counterparts(NamedTuple):
    """The reference as seen from the frames of a query.

    Attributes:
        features: (B, T, D) expected features of the frame that belongs to each; of a frame that is skipped, as much
            less as it is likely to be.
        places: (B, T) expected number of that frame, from 0; of a skipped frame, that of the last one before it.
        skipped: (B, T) probability that the frame has no counterpart.
        missed: (B, T) how many frames of the reference are skipped between the counterpart of the frame before and
            this one's, those at the end with the last frame. They sum to all that are skipped.
    """

    features: Tensor
    places: Tensor
    skipped: Tensor
    missed: Tensor


def counterparts(query: Tensor, reference: Tensor, settings: AlignmentSettings | None) -> Counterparts:
    """Align a reference to a query.

    Args:
        query: (B, T, D) features.
        reference: (B, T, D) of another performance.
        settings: of the alignment; None for frames of the same number.
    """
    batch, frames = query.shape[:2]
    numbers = torch.arange(frames, dtype=torch.float32, device=query.device).expand(batch, frames)
    none = torch.zeros_like(numbers)
    if settings is None:
        return Counterparts(reference, numbers, none, none)
    with torch.set_grad_enabled(settings.trained and torch.is_grad_enabled()):
        x, y = comparable(query, settings), comparable(reference, settings)
        found = soft_alignment(x, y, gamma=settings.gamma, skip=settings.skip, band=settings.band)
    share = found.correspondences.float()
    features = share.to(reference.dtype) @ reference
    places = (share * numbers[:, None]).sum(dim=2)
    if settings.skip is None:
        return Counterparts(features, places, none, none)
    skipped, gone = found.skipped_x.float().clamp(0, 1), found.skipped_y.float().clamp(0, 1)
    places = _kept(places, skipped)
    before = _kept((share * gone.cumsum(dim=1)[:, None]).sum(dim=2), skipped)
    missed = torch.diff(before, dim=1, prepend=before.new_zeros(batch, 1))
    missed = torch.cat((missed[:, :-1], missed[:, -1:] + gone.sum(dim=1, keepdim=True) - before[:, -1:]), dim=1)
    return Counterparts(features * (1 - skipped)[..., None].to(features.dtype), places, skipped, missed)


def comparable(features: Tensor, settings: AlignmentSettings) -> Tensor:
    """(B, T, D) features between which distances are taken, in float32 at least."""
    wide = features.float() if features.dtype in (torch.float16, torch.bfloat16) else features
    return functional.normalize(wide, dim=-1) if settings.unit else wide


def timing(places: Tensor, signed: bool) -> Tensor:
    """The offset delta_i = |i / T - pi(i) / T|, shares of the performance by which a frame is early or late.

    Args:
        places: (B, T) number of the reference's frame that belongs to each frame.
        signed: whether it is above 0 where the query is later, and below where it is earlier.

    Returns:
        (B, T).
    """
    frames = places.shape[1]
    offset = (torch.arange(frames, dtype=places.dtype, device=places.device) - places) / frames
    return offset if signed else offset.abs()


def _kept(values: Tensor, skipped: Tensor) -> Tensor:
    """Values that grow with time, those of the frame before in place of those of skipped frames."""
    return torch.where(skipped > 0.5, 0.0, values).cummax(dim=1).values
