"""Stages of any length as the same number of steps."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def pool_stages(features: Tensor, transitions: Tensor, steps: int) -> Tensor:
    """Means over equal parts of every stage; a frame that a border divides counts on both sides by its share.

    Args:
        features: (B, T, D).
        transitions: (B, K - 1) first frame of every stage but the first, strictly increasing from 1 to T - 1.
        steps: S, the parts of a stage; a part may be shorter than a frame.

    Returns:
        (B, K, S, D), differentiable in the features.
    """
    batch, frames, width = features.shape
    borders = stage_borders(transitions, frames).to(torch.float32)
    fractions = torch.arange(steps + 1, device=features.device) / steps
    starts, lengths = borders[:, :-1, None], borders.diff(dim=1)[..., None]
    edges = (starts + lengths * fractions)[..., None]  # (B, K, S + 1, 1)
    # How much of every frame lies in a part. A running sum of the features would lose digits in parts below one frame,
    # and has no deterministic kernel on CUDA.
    inside = (edges - torch.arange(frames, device=features.device)).clamp(0, 1).diff(dim=2)
    shares = (inside * (steps / lengths[..., None])).flatten(1, 2).to(features.dtype)
    return (shares @ features).view(batch, borders.shape[1] - 1, steps, width)


def stage_borders(transitions: Tensor, frames: int) -> Tensor:
    """(B, K + 1) first frame of every stage, and at last the number of frames."""
    return functional.pad(functional.pad(transitions, (1, 0)), (0, 1), value=frames)
