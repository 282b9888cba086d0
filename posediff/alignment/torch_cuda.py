"""The operators of torch on a CUDA device: costs and gradients by matrix products, the alignment by Triton.

Nothing here waits for the device, but for a band. What depends on numbers is therefore not refused but shows in the
values: NaN where the input is NaN, infinity where no alignment exists, minus infinity where costs are too large for
gamma (see the kernel). True lengths are limited to what is possible. What the kernel does not know (float64, skips,
hard DTW, and a penalty with open ends) passes through the CPU.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from posediff.alignment import torch_kernels
from posediff.alignment.bands import NO_BAND, from_key, ranges
from posediff.alignment.solvers import warn_if_widened


def pair(
    x: Tensor, y: Tensor, rows: Tensor | None, columns: Tensor | None, gamma: Tensor, penalty: Tensor | None, *how: Any
) -> tuple[Tensor, ...]:
    """Soft-DTW of sequences; as :func:`posediff.alignment.torch_kernels.pair`, with memory for one matrix of costs."""
    cost, band, width, open_begin, open_end, _, gradient = how
    if not _known(x, penalty, open_begin or open_end):
        return torch_kernels.pair(x, y, rows, columns, gamma, penalty, *how)
    height, breadth = x.shape[1], y.shape[1]
    n, m = _lengths(rows, x, height), _lengths(columns, x, breadth)
    x, y = _filled(x, rows, n), _filled(y, columns, m)
    if cost == "squared_euclidean":
        # Only differences count: near their common centre, far fewer digits cancel in the square.
        centre = (x.mean(dim=1, keepdim=True) + y.mean(dim=1, keepdim=True)) / 2
        x, y = x - centre, y - centre
        squares = (x * x).sum(dim=2), (y * y).sum(dim=2)
        costs = torch.baddbmm(squares[0][:, :, None] + squares[1][:, None], x, y.mT, alpha=-2.0).clamp_(min=0)
    else:
        costs = torch.baddbmm(x.new_ones(()), x, y.mT, alpha=-1.0)
    value, expected = _solve(costs, n, m, gamma, penalty, (band, width, open_begin, open_end), gradient, out=costs)
    if not gradient:
        return value.to(x.dtype), *torch_kernels.pair_nothing(x)
    by_x, by_y = torch.bmm(expected, y), torch.bmm(expected.mT, x)
    in_rows = expected.sum(dim=2)
    mass, cross = in_rows.sum(dim=1, dtype=torch.float64), (by_x * x).sum(dim=(1, 2), dtype=torch.float64)
    if cost == "squared_euclidean":
        in_columns = expected.sum(dim=1)
        own = (in_rows * squares[0]).sum(1, dtype=torch.float64) + (in_columns * squares[1]).sum(1, dtype=torch.float64)
        spent = own - 2 * cross
        by_x, by_y = 2 * (in_rows[:, :, None] * x - by_x), 2 * (in_columns[:, :, None] * y - by_y)
    else:
        spent, by_x, by_y = mass - cross, -by_x, -by_y
    steps = 2 * mass - n - m  # with closed ends, and otherwise not asked for
    if penalty is not None:
        spent = spent + steps * penalty
    return value.to(x.dtype), by_x, by_y, (value - spent) / gamma, steps


def costs(
    costs: Tensor,
    rows: Tensor | None,
    columns: Tensor | None,
    gamma: Tensor | None,
    penalty: Tensor | None,
    skip_x: Tensor | None,
    skip_y: Tensor | None,
    *how: Any,
) -> tuple[Tensor, ...]:
    """Soft-DTW of costs; as :func:`posediff.alignment.torch_kernels.costs`."""
    *ways, gradient, sloping = how
    skipping = skip_x is not None or skip_y is not None
    if gamma is None or skipping or not _known(costs, penalty, ways[2] or ways[3]):
        return torch_kernels.costs(costs, rows, columns, gamma, penalty, skip_x, skip_y, *how)
    n, m = _lengths(rows, costs, costs.shape[1]), _lengths(columns, costs, costs.shape[2])
    value, expected = _solve(costs.contiguous(), n, m, gamma, penalty, ways, gradient)
    if not gradient:
        return value.to(costs.dtype), *torch_kernels.costs_nothing(costs)
    steps = 2 * expected.sum(dim=(1, 2), dtype=torch.float64) - n - m  # with closed ends, as above
    slope = torch.zeros_like(value)
    if sloping:
        spent = torch.where(expected != 0, costs, 0).mul_(expected).sum(dim=(1, 2), dtype=torch.float64)
        slope = (value - spent - (0 if penalty is None else steps * penalty)) / gamma
    none = (costs.new_zeros(shape, dtype=torch.float64) for shape in (costs.shape[:2], costs.shape[::2]))
    return value.to(costs.dtype), expected, *none, slope, steps


def _known(like: Tensor, penalty: Tensor | None, open_ends: bool) -> bool:
    """Whether the kernel can solve this, and the derivative by the penalty follows from the expected alignment."""
    return like.dtype == torch.float32 and not (open_ends and penalty is not None) and _has_triton()


@cache
def _has_triton() -> bool:
    return find_spec("triton") is not None


def _solve(
    costs: Tensor,
    rows: Tensor,
    columns: Tensor,
    gamma: Tensor,
    penalty: Tensor | None,
    ways: Any,
    gradient: bool,
    out: Tensor | None = None,
) -> tuple[Tensor, Any]:
    from posediff.alignment.kernels import triton

    band, width, open_begin, open_end = ways
    first = end = None
    if band != NO_BAND:  # made on the CPU, for which this does wait
        lengths = rows.cpu().numpy(), columns.cpu().numpy()
        cells = ranges(from_key(band, width), *lengths, costs.shape[1])
        warn_if_widened(from_key(band, width), cells.widened)
        first, end = (torch.from_numpy(part).to(costs.device) for part in (cells.first, cells.end))
    ends = {"open_begin": open_begin, "open_end": open_end}
    solved: tuple[Tensor, Any] = triton.solve(
        costs, first, end, rows, columns, gamma, penalty, **ends, gradient=gradient, out=out
    )
    return solved


def _lengths(given: Tensor | None, like: Tensor, limit: int) -> Tensor:
    if given is None:
        return torch.full((len(like),), limit, dtype=torch.int64, device=like.device)
    return given.clamp(1, limit)


def _filled(x: Tensor, given: Tensor | None, lengths: Tensor) -> Tensor:
    """Sequences whose padding repeats their first frame: what stands there, NaN included, must not count."""
    if given is None:
        return x
    inside = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
    return torch.where(inside[:, :, None], x, x[:, :1])
