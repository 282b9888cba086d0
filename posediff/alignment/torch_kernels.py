"""What the operators of torch compute: tensors become arrays, the kernels run, and the arrays become tensors."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from posediff.alignment import engine, pairs, solvers
from posediff.alignment.bands import NO_BAND, from_key
from posediff.alignment.problem import check_lengths, check_per_item
from posediff.alignment.solvers import Problem, Solution
from posediff.alignment.torch_threads import solve_parts


def pair(
    x: Tensor, y: Tensor, rows: Tensor | None, columns: Tensor | None, gamma: Tensor, penalty: Tensor | None, *how: Any
) -> tuple[Tensor, ...]:
    """Soft-DTW of sequences by their costs' name.

    Args:
        x, y: (B, N, F) and (B, M, F) float32 or float64.
        rows, columns: (B,) int64 true lengths; None for all of N and M.
        gamma, penalty: (B,) float64; None for no penalty.
        how: cost, band and width (its key), open_begin, open_end, checkpoint, gradient.

    Returns:
        Values (B,) and their derivatives by x and y, and by gamma and the penalty (B,) in float64; the latter four
        without elements if not ``gradient``.
    """
    cost, band, width, open_begin, open_end, checkpoint, gradient = how
    a, b = _array(x), _array(y)
    lengths = _lengths(rows, len(a), a.shape[1], "x"), _lengths(columns, len(a), b.shape[1], "y")
    softness = _per_item(gamma, "gamma")
    stepping = None if penalty is None else _per_item(penalty, "penalty")
    ways = {"open_begin": open_begin, "open_end": open_end, "gradient": gradient, "checkpoint": checkpoint}
    how_to: Any = partial(engine.solve_pair, cost=cost, band=from_key(band, width), **ways, matmul=_matmul)
    threads = torch.get_num_threads()
    given = (a, b, *lengths, softness, stepping)
    # Blocks keep all cores busy by themselves, and a band warns once for the whole batch.
    whole = checkpoint or band != NO_BAND
    made = how_to(*given, threads=threads) if whole else solve_parts(how_to, *given, threads)
    value = _tensor(made.value, x, x.dtype)
    if not gradient:
        return value, *pair_nothing(x)
    spent = made.cost if stepping is None else made.cost + made.steps * stepping
    slope = _tensor((made.value - spent) / softness, x)
    return value, _tensor(made.grad_x, x), _tensor(made.grad_y, x), slope, _tensor(made.steps, x)


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
    """Soft-DTW of costs, hard for gamma None.

    Args:
        costs: (B, N, M) float32 or float64, infinite where a match is forbidden.
        rows, columns, gamma, penalty: as for :func:`pair`.
        skip_x, skip_y: (B, N) and (B, M) float64 costs of skipping a frame; None where that is forbidden.
        how: band and width (its key), open_begin, open_end, gradient, sloping.

    Returns:
        Values (B,) and their derivatives by the costs, skip_x, skip_y, gamma (zero if not ``sloping``) and the penalty;
        those without elements if not ``gradient``.
    """
    *ways, gradient, sloping = how
    problem = _problem(_array(costs), rows, columns, gamma, penalty, skip_x, skip_y, *ways)
    made = solvers.solve(problem, gradient=gradient, threads=torch.get_num_threads())
    value = _tensor(made.value, costs, costs.dtype)
    if not gradient:
        return value, *costs_nothing(costs)
    slope = solvers.slope(problem, made) if sloping else np.zeros(len(made.value))
    sides = ((made.skipped_x, costs.shape[:2]), (made.skipped_y, costs.shape[::2]))
    skipped = (_tensor(np.zeros(shape) if part is None else part, costs) for part, shape in sides)
    return value, _tensor(made.expected, costs), *skipped, _tensor(slope, costs), _tensor(made.steps, costs)


def pair_curvature(
    x: Tensor, y: Tensor, rows: Tensor | None, columns: Tensor | None, gamma: Tensor, penalty: Tensor | None, *rest: Any
) -> tuple[Tensor, ...]:
    """The Hessian of :func:`pair` by x, y, gamma and the penalty, times a direction: that of each of them or None."""
    *moves, cost, band, width, open_begin, open_end = rest
    a, b = _array(x, torch.float64), _array(y, torch.float64)
    problem = _problem(np.empty((*a.shape[:2], b.shape[1])), rows, columns, gamma, penalty, None, None,
                       band, width, open_begin, open_end)  # fmt: skip
    a, b = pairs.filled(a, problem.rows), pairs.filled(b, problem.columns)
    move_x, move_y, *others = (None if move is None else _array(move, torch.float64) for move in moves)
    bent = pairs.curvature(problem, a, b, cost, (move_x, move_y), *others)
    return tuple(_tensor(part, x, like.dtype) for part, like in zip(bent, (x, y, gamma, gamma), strict=True))


def costs_curvature(
    costs: Tensor,
    rows: Tensor | None,
    columns: Tensor | None,
    gamma: Tensor | None,
    penalty: Tensor | None,
    skip_x: Tensor | None,
    skip_y: Tensor | None,
    *rest: Any,
) -> tuple[Tensor, ...]:
    """The Hessian of :func:`costs` by costs, skip_x, skip_y, gamma and the penalty, times a direction, as there."""
    moves = [None if move is None else _array(move, torch.float64) for move in rest[:5]]
    problem = _problem(_array(costs, torch.float64), rows, columns, gamma, penalty, skip_x, skip_y, *rest[5:])
    by_costs, by_x, by_y, by_gamma, by_penalty = moves
    bent, slope = solvers.curvature(problem, Solution(np.empty(0), by_costs, by_x, by_y, by_penalty), by_gamma)
    sides = ((bent.skipped_x, costs.shape[:2]), (bent.skipped_y, costs.shape[::2]))
    skipped = (_tensor(np.zeros(shape) if part is None else part, costs) for part, shape in sides)
    return _tensor(bent.expected, costs, costs.dtype), *skipped, _tensor(slope, costs), _tensor(bent.steps, costs)


def _problem(
    costs: np.ndarray,
    rows: Tensor | None,
    columns: Tensor | None,
    gamma: Tensor | None,
    penalty: Tensor | None,
    skip_x: Tensor | None,
    skip_y: Tensor | None,
    band: int,
    width: float,
    open_begin: bool,
    open_end: bool,
) -> Problem:
    return Problem(
        costs,
        _lengths(rows, len(costs), costs.shape[1], "x"),
        _lengths(columns, len(costs), costs.shape[2], "y"),
        None if gamma is None else _per_item(gamma, "gamma"),
        None if penalty is None else _per_item(penalty, "penalty"),
        None if skip_x is None else _array(skip_x),
        None if skip_y is None else _array(skip_y),
        from_key(band, width),
        open_begin,
        open_end,
    )


def _array(tensor: Tensor, dtype: torch.dtype | None = None) -> np.ndarray:
    if dtype is not None or not tensor.is_cpu:
        tensor = tensor.to("cpu", dtype)
    return tensor.detach().contiguous().numpy()


def _tensor(array: Any, like: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    tensor = torch.from_numpy(array)
    if like.is_cpu and (dtype is None or tensor.dtype == dtype):
        return tensor
    return tensor.to(like.device, dtype)


def _per_item(values: Tensor, name: str) -> np.ndarray:
    array = _array(values)
    check_per_item(array, name, positive=name == "gamma")
    return array


def _lengths(lengths: Tensor | None, count: int, limit: int, name: str) -> np.ndarray:
    if lengths is None:
        return np.full(count, limit, np.int64)
    array = _array(lengths)
    check_lengths(array, limit, name)
    return array


def _matmul(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> np.ndarray:
    """A batched matrix product by torch, whose library is faster than numpy's."""
    torch.bmm(torch.from_numpy(a), torch.from_numpy(b), out=torch.from_numpy(out))
    return out


def pair_nothing(x: Tensor) -> list[Tensor]:
    """Derivatives of :func:`pair` that were not asked for."""
    return [x.new_empty((len(x), 0, 0), dtype=kind) for kind in (x.dtype, x.dtype, torch.float64, torch.float64)]


def costs_nothing(costs: Tensor) -> list[Tensor]:
    """Derivatives of :func:`costs` that were not asked for."""
    return [costs.new_empty((len(costs), 0, 0), dtype=kind) for kind in (costs.dtype, *[torch.float64] * 4)]
