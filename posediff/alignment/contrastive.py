"""A regulariser that keeps the embeddings of a sequence's frames apart in time, in torch."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import torch

from posediff.errors import BadData, BadSetting


def contrastive_idm(
    x: torch.Tensor,
    lengths: torch.Tensor | Sequence[int] | None = None,
    *,
    sigma: float = 10.0,
    margin: float = 2.0,
) -> torch.Tensor:
    """The contrastive inverse difference moment: frames near in time attract, frames far apart repel up to a margin.

    The mean over all pairs of frames i and j, with ``d`` their squared Euclidean distance and ``g = (i - j)^2 + 1``,
    of ``d / g`` where ``|i - j| <= sigma`` and of ``g * max(0, margin - d)`` elsewhere. Added to soft-DTW between
    sequences, it forbids the solution in which all frames are mapped to one point.

    Args:
        x: (N, D) or (B, N, D) embeddings, best of unit norm: then no two are farther apart than 4.
        lengths: (B,) true lengths; all of N by default. What lies beyond has no influence and no gradient.
        sigma: frames up to which two count as near, 0 or more.
        margin: squared distance beyond which far frames do not repel each other, above 0.

    Returns:
        () or (B,), of the type of ``x``; float32 for half precision, in which it is also computed. It grows with the
        square of the length, as ``g`` does: about 1 / N^2 of it is on a par with a distance.

    Raises:
        BadData: if ``x`` is no floating-point tensor of these axes or the lengths do not fit it.
        BadSetting: for a sigma or a margin out of range.

    Source: Haresh et al. 2021, equations 4 and 5, which sum over the pairs. Their published code takes squared
    distances, too, and these defaults, but leaves near frames unweighted and measures i - j in ``g`` as a share of N.
    """
    _check(x, sigma, margin)
    batch = x.unsqueeze(0) if x.dim() == 2 else x
    count, frames = batch.shape[:2]
    true = _lengths(lengths, count, frames, batch.device)
    time = torch.arange(frames, device=batch.device)
    inside = time < true[:, None]
    # No reduced precision here: weights up to N^2 would magnify what cancels in the squares.
    with torch.autocast(batch.device.type, enabled=False):
        distance = _squared_distances(batch if batch.dtype == torch.float64 else batch.float(), inside)
        gap = (time[:, None] - time).to(distance.dtype)
        weight = gap**2 + 1
        pairs = torch.where(gap.abs() > sigma, weight * torch.relu(margin - distance), distance / weight)
        pairs = torch.where(inside[:, :, None] & inside[:, None, :], pairs, 0.0)
        value = pairs.sum(dim=(1, 2)) / true.to(pairs.dtype) ** 2
    return value[0] if x.dim() == 2 else value


def _squared_distances(x: torch.Tensor, inside: torch.Tensor) -> torch.Tensor:
    """(B, N, N) squared Euclidean distances of the frames inside, by a matrix product, never forming N x N x D."""
    x = torch.where(inside[..., None], x, 0.0)
    # Only differences count: near their centre, far fewer digits cancel in the square.
    centre = x.detach().sum(dim=1, keepdim=True) / inside.sum(dim=1)[:, None, None]
    x = x - centre
    square = (x**2).sum(dim=2)
    return torch.relu(square[:, :, None] + square[:, None, :] - 2 * (x @ x.transpose(1, 2)))


def _lengths(given: torch.Tensor | Sequence[int] | None, count: int, frames: int, device: torch.device) -> torch.Tensor:
    """(B,) true lengths on the device."""
    if given is None:
        return torch.full((count,), frames, device=device)
    lengths = torch.as_tensor(given, device=device)
    whole = lengths.shape == (count,) and not (lengths.is_floating_point() or lengths.is_complex())
    # A compiled graph cannot depend on the numbers themselves.
    if not whole or not (torch.compiler.is_compiling() or bool(((lengths >= 1) & (lengths <= frames)).all())):
        raise BadData(
            f"lengths are {lengths.tolist()} for {count} sequences of {frames} frames",
            "give each a whole number from 1 to its frames",
        )
    return lengths


def _check(x: torch.Tensor, sigma: float, margin: float) -> None:
    if not isinstance(x, torch.Tensor):
        raise BadData(f"the embeddings are of type {type(x).__name__}", "give a torch tensor")
    if x.dim() not in (2, 3) or not x.is_floating_point() or not x.numel():
        raise BadData(
            f"the embeddings have shape {tuple(x.shape)} and type {x.dtype}",
            "give (frames, features) or a batch of them, as floating-point numbers",
        )
    if not isinstance(sigma, Real) or not isinstance(margin, Real) or not (sigma >= 0 and 0 < margin < float("inf")):
        raise BadSetting(f"sigma is {sigma} and the margin {margin}", "give 0 frames or more, and a margin above 0")
