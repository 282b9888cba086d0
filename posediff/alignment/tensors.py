"""Soft-DTW of torch tensors: checked, brought into batches, and handed to an operator."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from posediff.alignment import torch_ops
from posediff.alignment.problem import (
    Options,
    band_key,
    both_skips,
    check_cost_shape,
    check_numbers,
    check_shapes,
    is_number,
    named_cost,
)
from posediff.errors import BadData

#: The types that are computed in, and those that are computed in float32.
FULL, HALF = (torch.float32, torch.float64), (torch.float16, torch.bfloat16)


class Batch(NamedTuple):
    """Input as a batch.

    Attributes:
        x, y: (B, N, F) and (B, M, F) of any floating type; None where there are costs alone.
        costs: (B, N, M) float32 or float64; None where they are to be made of x and y.
        rows, columns: (B,) int64, true lengths; None for all of N and M.
        single: whether the input had no axis of items.
    """

    x: Any
    y: Any
    costs: Any
    rows: Tensor | None
    columns: Tensor | None
    single: bool


def value(x: Any, y: Any, cost: Any, options: Options) -> Tensor:
    """Soft-DTW values; arguments and errors as for :func:`posediff.alignment.soft_dtw`."""
    batch = _batch(x, y, cost, options)
    plain = batch.costs is None and len(batch.x) > 0 and options.skip is None and not options.hard
    fused = named_cost(options.cost_fn) if plain else None
    values = solve(batch, options)[0] if fused is None else _fused(batch, options, fused)
    return values.squeeze(0) if batch.single else values


def alignment(x: Any, y: Any, cost: Any, options: Options) -> tuple[tuple[Tensor | None, ...], bool]:
    """Values, expected alignments and skipped frames of x and y, and whether the input had no axis of items.

    Arguments and errors as for :func:`posediff.alignment.soft_alignment`.
    """
    batch = _batch(x, y, cost, options)
    value, expected, skipped_x, skipped_y, *_ = solve(batch, options, expected=True)
    if options.skip is None:
        return (value, expected, None, None), batch.single
    return (value, expected, skipped_x.to(value.dtype), skipped_y.to(value.dtype)), batch.single


def path(x: Any, y: Any, cost: Any, options: Options) -> tuple[Tensor, Tensor]:
    """The best path and its cost; arguments and errors as for :func:`posediff.alignment.dtw_path`."""
    batch = _batch(x, y, cost, options)
    if not batch.single:
        raise BadData("there is a batch of items", "take the path of one pair of sequences at a time")
    value, expected, *_ = solve(batch, options, expected=True)
    return expected.squeeze(0).nonzero(), value.squeeze(0)


def places(x: Any, y: Any, cost: Any, options: Options) -> tuple[Tensor, Tensor, Tensor]:
    """Values, and first and behind the last frame of y that the best alignment matches.

    Arguments and errors as for :func:`posediff.alignment.subsequence`.
    """
    batch = _batch(x, y, cost, options)
    batch = batch._replace(costs=_costs(batch, options))
    values = solve(batch, options)[0]
    with torch.no_grad():
        best = solve(batch, options._replace(gamma=0.0), expected=True)[1]
    used = (best != 0).any(dim=1).to(torch.int64)
    start, end = used.argmax(dim=1), (used.shape[1] - used.flip(1).argmax(dim=1)) * used.amax(dim=1)
    return (values[0], start[0], end[0]) if batch.single else (values, start, end)


def _batch(x: Any, y: Any, cost: Any, options: Options) -> Batch:
    check_numbers(options)
    if cost is None:
        _check_kind(x, y)
        check_shapes(x.shape, y.shape)
        single = x.dim() == 2
        x, y = (x.unsqueeze(0), y.unsqueeze(0)) if single else (x, y)
        count, costs = x.shape[0], None
    else:
        _check_kind(cost, cost)
        check_cost_shape(cost.shape)
        single = cost.dim() == 2
        costs = _widened(cost.unsqueeze(0) if single else cost)
        count = costs.shape[0]
    device = (x if costs is None else costs).device
    rows = _lengths(options.lengths_x, count, "x", single, device)
    columns = _lengths(options.lengths_y, count, "y", single, device)
    return Batch(x, y, costs, rows, columns, single)


def _fused(batch: Batch, options: Options, cost: str) -> Tensor:
    x, y, _, rows, columns, _ = batch
    x, y = _widened(x), _widened(y)
    if cost == "one_minus_dot":
        x, y = unit(_filled(x, rows)), unit(_filled(y, columns))
    count = x.shape[0]
    gamma, penalty = _per_item(options.gamma, count, "gamma", x), _penalty(options, count, x)
    checkpoint = options.in_blocks(count * x.shape[1] * y.shape[1] * x.element_size())
    made = torch_ops.pair(
        x,
        y,
        rows,
        columns,
        gamma,
        penalty,
        cost,
        *band_key(options.band),
        options.open_begin,
        options.open_end,
        checkpoint,
        _differentiable(x, y, gamma, penalty),
    )
    return made[0]


def solve(batch: Batch, options: Options, *, expected: bool = False) -> tuple[Tensor, ...]:
    """What the operator on costs gives: with ``expected`` all of it, otherwise maybe only the values."""
    costs = _costs(batch, options)
    count, height, width = costs.shape
    gamma = None if options.hard else _per_item(options.gamma, count, "gamma", costs)
    penalty = _penalty(options, count, costs)
    given_x, given_y = both_skips(options.skip)
    skip_x, skip_y = _per_frame(given_x, (count, height), "x", costs), _per_frame(given_y, (count, width), "y", costs)
    return torch_ops.costs(
        costs,
        batch.rows,
        batch.columns,
        gamma,
        penalty,
        skip_x,
        skip_y,
        *band_key(options.band),
        options.open_begin,
        options.open_end,
        expected or _differentiable(costs, gamma, penalty, skip_x, skip_y),
        _differentiable(gamma),
    )


def _costs(batch: Batch, options: Options) -> Tensor:
    x, y, costs, rows, columns, single = batch
    if costs is not None:
        return costs
    x, y = _filled(x, rows), _filled(y, columns)
    name = named_cost(options.cost_fn)
    if name is not None:
        return matrix(_widened(x), _widened(y), name)
    given = (x.squeeze(0), y.squeeze(0)) if single else (x, y)
    made = options.cost_fn(*given)  # type: ignore[operator]
    _check_kind(made, made)
    check_cost_shape(made.shape, (*given[0].shape[:-1], given[1].shape[-2]))
    return _widened(made.unsqueeze(0) if single else made)


def matrix(x: Tensor, y: Tensor, cost: str) -> Tensor:
    """(B, N, M) costs of (B, N, F) and (B, M, F) sequences by matrix products, never forming N x M x F."""
    with torch.autocast(x.device.type, enabled=False):
        if cost == "one_minus_dot":
            return 1.0 - unit(x) @ unit(y).transpose(1, 2)
        # Only differences count: near their common centre, far fewer digits cancel in the square.
        centre = ((x.mean(dim=1, keepdim=True) + y.mean(dim=1, keepdim=True)) / 2).detach()
        x, y = x - centre, y - centre
        squares = (x * x).sum(dim=2)[:, :, None] + (y * y).sum(dim=2)[:, None]
        return torch.baddbmm(squares, x, y.transpose(1, 2), alpha=-2.0)


def unit(x: Tensor) -> Tensor:
    """Frames of length 1; a frame of zeros stays one, so that its cosine with any other is 0."""
    norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return x / torch.where(norm > 0, norm, 1.0)


def _filled(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Sequences whose padding repeats their first frame: what stands there, NaN included, must not count."""
    if lengths is None:
        return x
    inside = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
    return torch.where(inside[:, :, None], x, x[:, :1].detach())


def _check_kind(x: Any, y: Any) -> None:
    """Refuse what are not two real floating-point tensors of one type on one device."""
    if not (isinstance(x, Tensor) and isinstance(y, Tensor)):
        other = y if isinstance(x, Tensor) else x
        raise BadData(f"one input is a torch tensor, the other {type(other).__name__}", "give both alike")
    if x.dtype != y.dtype or x.device != y.device:
        raise BadData(f"x is {x.dtype} on {x.device}, y {y.dtype} on {y.device}", "give both one type and device")
    if x.dtype not in FULL and x.dtype not in HALF:
        raise BadData(f"the input is {x.dtype}", "give float16, bfloat16, float32 or float64")


def _widened(x: Tensor) -> Tensor:
    return x.float() if x.dtype in HALF else x


def _differentiable(*inputs: Tensor | None) -> bool:
    """Whether a derivative by any of the inputs may be asked for; wrongly no costs time and nothing else."""
    if not torch.is_grad_enabled():
        return False
    # Tensors that torch.func has wrapped do not know what will be asked for.
    return torch._C._are_functorch_transforms_active() or any(x is not None and x.requires_grad for x in inputs)


def _per_item(given: Any, count: int, name: str, like: Tensor) -> Tensor:
    """Gamma or the penalty as (B,) float64."""
    if is_number(given):
        return torch.full((count,), float(given), dtype=torch.float64, device=like.device)
    values = torch.as_tensor(given, device=like.device).to(torch.float64)
    if values.shape not in ((), (count,)):
        raise BadData(f"{name} has shape {tuple(values.shape)} for {count} items", "give one number, or one an item")
    return values.expand(count)


def _penalty(options: Options, count: int, like: Tensor) -> Tensor | None:
    if is_number(options.penalty) and options.penalty == 0:
        return None
    return _per_item(options.penalty, count, "penalty", like)


def _per_frame(given: Any, shape: tuple[int, int], name: str, like: Tensor) -> Tensor | None:
    if given is None:
        return None
    if is_number(given):
        return torch.full(shape, float(given), dtype=torch.float64, device=like.device)
    values = torch.as_tensor(given, device=like.device).to(torch.float64)
    if values.shape not in ((), shape[1:], shape):
        raise BadData(
            f"skip of {name} has shape {tuple(values.shape)} for {shape[0]} items of {shape[1]} frames",
            "give one number, one a frame, or one a frame of each item",
        )
    return values.expand(shape)


def _lengths(given: Any, count: int, name: str, single: bool, device: torch.device) -> Tensor | None:
    if given is None:
        return None
    lengths = torch.as_tensor(given, device=device)
    whole = not (lengths.is_floating_point() or lengths.is_complex())
    if not whole or lengths.shape not in ((count,), *([()] if single else [])):
        raise BadData(
            f"lengths_{name} is {lengths.dtype} of shape {tuple(lengths.shape)} for {count} items",
            "give a whole number each",
        )
    return lengths.reshape(count).to(torch.int64)
