"""Soft-DTW of numpy arrays: checked, brought into batches, and handed to a kernel."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple

import numpy as np

from posediff.alignment import pairs, solvers
from posediff.alignment.bands import from_key
from posediff.alignment.checks import LARGEST
from posediff.alignment.costs import from_matrix, squared_euclidean
from posediff.alignment.diagonals import hard_path
from posediff.alignment.kernels import diagonal
from posediff.alignment.kernels.diagonal import DiagonalCosts
from posediff.alignment.problem import (
    Options,
    band_key,
    both_skips,
    check_cost_shape,
    check_lengths,
    check_numbers,
    check_per_item,
    check_shapes,
    is_number,
    is_tensor,
    named_cost,
)
from posediff.alignment.solvers import Problem, warn_if_widened
from posediff.alignment.window import Window
from posediff.errors import BadData

#: Cells of one pair up to which numpy alone is faster than importing the compiled kernels first.
SMALL = 250_000
#: Values up to which sums of squares stay finite.
LARGEST_OF = {np.dtype(np.float32): 1e16, np.dtype(np.float64): LARGEST}


class Batch(NamedTuple):
    """Input as a batch.

    Attributes:
        x, y: (B, N, F) and (B, M, F) of one floating type; None where there are costs alone.
        costs: (B, N, M); None where they are to be made of x and y.
        rows, columns: (B,) int64, true lengths.
        single: whether the input had no axis of items.
    """

    x: Any
    y: Any
    costs: Any
    rows: np.ndarray
    columns: np.ndarray
    single: bool


def value(x: Any, y: Any, cost: Any, options: Options) -> float | np.ndarray:
    """Soft-DTW values; arguments and errors as for :func:`posediff.alignment.soft_dtw`."""
    batch = _batch(x, y, cost, options)
    quick = _small(batch, options)
    if quick is not None:
        return diagonal.forward(*quick, float(options.gamma), float(options.penalty))[0]
    plain = batch.costs is None and len(batch.x) > 0 and options.skip is None and not options.hard
    fused = named_cost(options.cost_fn) if plain else None
    if fused is None:
        problem = _problem(batch, options)
        values, kind = solvers.solve(problem, gradient=False).value, problem.costs.dtype
    else:
        values, kind = _fused(batch, options, fused)
    return float(values[0]) if batch.single else values.astype(kind, copy=False)


def alignment(x: Any, y: Any, cost: Any, options: Options) -> tuple[tuple[Any, ...], bool]:
    """Values, expected alignments and skipped frames of x and y of a batch, and whether the input had no axis of items.

    Arguments and errors as for :func:`posediff.alignment.soft_alignment`.
    """
    batch = _batch(x, y, cost, options)
    problem = _problem(batch, options)
    values, *parts, _ = solvers.solve(problem)
    return (values.astype(problem.costs.dtype, copy=False), *parts), batch.single


def path(x: Any, y: Any, cost: Any, options: Options) -> tuple[np.ndarray, float]:
    """The best path and its cost; arguments and errors as for :func:`posediff.alignment.dtw_path`."""
    batch = _batch(x, y, cost, options)
    if not batch.single:
        raise BadData("there is a batch of items", "take the path of one pair of sequences at a time")
    quick = _small(batch, options)
    if quick is not None:
        return hard_path(*quick, float(options.penalty))
    return solvers.path(_problem(batch, options))


def places(x: Any, y: Any, cost: Any, options: Options) -> tuple[Any, Any, Any]:
    """Values, and first and behind the last frame of y that the best alignment matches.

    Arguments and errors as for :func:`posediff.alignment.subsequence`.
    """
    batch = _batch(x, y, cost, options)
    problem = _problem(batch, options)
    best = solvers.solve(problem._replace(gamma=None))
    values = best.value if options.hard else solvers.solve(problem, gradient=False).value
    used = (best.expected != 0).any(axis=1)
    start, end = used.argmax(axis=1), (used.shape[1] - used[:, ::-1].argmax(axis=1)) * used.any(axis=1)
    if batch.single:
        return float(values[0]), int(start[0]), int(end[0])
    return values.astype(problem.costs.dtype, copy=False), start, end


def _batch(x: Any, y: Any, cost: Any, options: Options) -> Batch:
    check_numbers(options)
    if cost is None:
        x, y = floats(x, "x"), floats(y, "y")
        check_shapes(x.shape, y.shape)
        if x.dtype != y.dtype:
            x, y = x.astype(np.float64), y.astype(np.float64)
        single = x.ndim == 2
        x, y = (x[None], y[None]) if single else (x, y)
        (count, height), width, costs = x.shape[:2], y.shape[1], None
    else:
        costs = floats(cost, "the costs")
        check_cost_shape(costs.shape)
        single = costs.ndim == 2
        costs = costs[None] if single else costs
        count, height, width = costs.shape
    rows = _lengths(options.lengths_x, count, height, "x", single)
    columns = _lengths(options.lengths_y, count, width, "y", single)
    if costs is None:
        check_finite(x, rows, "x", single)
        check_finite(y, columns, "y", single)
    return Batch(x, y, costs, rows, columns, single)


def _small(batch: Batch, options: Options) -> tuple[DiagonalCosts, Window] | None:
    """The costs and the window of a problem for which importing the compiled kernels would take longest, or None."""
    x, y, costs, rows, columns, single = batch
    n, m = int(rows[0]), int(columns[0])
    plain = single and n * m <= SMALL and "numba" not in sys.modules
    plain = plain and options.skip is None and not (options.open_begin or options.open_end)
    plain = plain and is_number(options.gamma) and is_number(options.penalty)
    if not plain or (costs is None and options.cost_fn != "squared_euclidean"):
        return None
    band = from_key(*band_key(options.band))
    window = Window.full(n, m) if band is None else band.window(n, m)
    warn_if_widened(band, window.widened)
    if costs is None:
        return squared_euclidean(*(side[0, :length].astype(np.float64) for side, length in ((x, n), (y, m)))), window
    matrix = costs[0, :n, :m].astype(np.float64)
    return (from_matrix(matrix), window) if np.isfinite(matrix).all() else None


def _fused(batch: Batch, options: Options, cost: str) -> tuple[np.ndarray, np.dtype]:
    from posediff.alignment import engine

    x, y, *_ = batch
    if cost == "one_minus_dot":
        x, y = unit(pairs.filled(x, batch.rows)), unit(pairs.filled(y, batch.columns))
    made = engine.solve_pair(
        np.ascontiguousarray(x),
        np.ascontiguousarray(y),
        batch.rows,
        batch.columns,
        per_item(options.gamma, len(x), "gamma"),
        _penalty(options, len(x)),
        cost=cost,
        band=from_key(*band_key(options.band)),
        open_begin=options.open_begin,
        open_end=options.open_end,
        gradient=False,
        checkpoint=options.in_blocks(len(x) * x.shape[1] * y.shape[1] * x.itemsize),
    )
    return made.value, x.dtype


def _problem(batch: Batch, options: Options) -> Problem:
    x, y, costs, rows, columns, single = batch
    if costs is None:
        costs = _costs(pairs.filled(x, rows), pairs.filled(y, columns), options, single)
    count, height, width = costs.shape
    skip_x, skip_y = both_skips(options.skip)
    return Problem(
        np.ascontiguousarray(costs),
        rows,
        columns,
        None if options.hard else per_item(options.gamma, count, "gamma"),
        _penalty(options, count),
        _per_frame(skip_x, (count, height), "x"),
        _per_frame(skip_y, (count, width), "y"),
        from_key(*band_key(options.band)),
        options.open_begin,
        options.open_end,
    )


def _costs(x: np.ndarray, y: np.ndarray, options: Options, single: bool) -> np.ndarray:
    name = named_cost(options.cost_fn)
    if name is not None:
        return pairs.matrix(*((unit(x), unit(y)) if name == "one_minus_dot" else (x, y)), name)
    given = (x[0], y[0]) if single else (x, y)
    made = floats(options.cost_fn(*given), "what cost_fn gave")  # type: ignore[operator]
    check_cost_shape(made.shape, (*given[0].shape[:-1], given[1].shape[-2]))
    return made[None] if single else made


def unit(x: np.ndarray) -> np.ndarray:
    """Frames of length 1; a frame of zeros stays one, so that its cosine with any other is 0."""
    norm = np.linalg.norm(x, axis=-1, keepdims=True)
    return np.asarray(x / np.where(norm > 0, norm, 1))


def floats(values: Any, name: str) -> np.ndarray:
    """An array of float32 or float64: other numbers become float64, half precision float32.

    Raises:
        BadData: for a tensor, or what is no real numbers.
    """
    if is_tensor(values):
        raise BadData(f"{name} is a torch tensor, the other a numpy array", "give both alike")
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise BadData(f"{name} is no array: {error}", "give numbers, in rows of one length") from error
    if array.dtype.kind not in "fiub":
        raise BadData(f"{name} has the type {array.dtype}", "give real numbers")
    if array.dtype.kind != "f":
        return array.astype(np.float64)
    return array.astype({2: np.float32, 4: np.float32}.get(array.dtype.itemsize, np.float64), copy=False)


def check_finite(x: np.ndarray, lengths: np.ndarray, name: str, single: bool) -> None:
    """Refuse values within the true lengths that are not finite or cannot be squared."""
    limit = LARGEST_OF[x.dtype]
    with np.errstate(invalid="ignore"):
        good = (np.abs(x) <= limit).all(axis=2)
    if good.all():
        return
    bad = ~good & (np.arange(x.shape[1]) < lengths[:, None])
    if bad.any():
        k, frame = np.argwhere(bad)[0]
        where = f"in frame {frame}" if single else f"in frame {frame} of item {k}"
        if np.isfinite(x[k, frame]).all():
            largest = np.abs(x[k, frame]).max()
            raise BadData(f"{name} reaches {largest:.3g} {where}, more than can be squared", "choose a larger unit")
        raise BadData(f"{name} is not finite {where}", "fill or leave out missing values first")


def per_item(given: Any, count: int, name: str) -> np.ndarray:
    """Gamma or the penalty as (B,) float64."""
    values = floats(given, name).astype(np.float64, copy=False)
    if values.shape not in ((), (count,)):
        raise BadData(f"{name} has shape {values.shape} for {count} items", "give one number, or one an item")
    values = np.broadcast_to(values, (count,)).copy()
    check_per_item(values, name, positive=name == "gamma")
    return values


def _penalty(options: Options, count: int) -> np.ndarray | None:
    if is_number(options.penalty) and options.penalty == 0:
        return None
    return per_item(options.penalty, count, "penalty")


def _per_frame(given: Any, shape: tuple[int, int], name: str) -> np.ndarray | None:
    if given is None:
        return None
    values = floats(given, f"skip of {name}").astype(np.float64, copy=False)
    if values.shape not in ((), shape[1:], shape):
        raise BadData(
            f"skip of {name} has shape {values.shape} for {shape[0]} items of {shape[1]} frames",
            "give one number, one a frame, or one a frame of each item",
        )
    return np.ascontiguousarray(np.broadcast_to(values, shape))


def _lengths(given: Any, count: int, limit: int, name: str, single: bool) -> np.ndarray:
    if given is None:
        return np.full(count, limit, np.int64)
    lengths = np.asarray(given.cpu() if is_tensor(given) else given)
    if lengths.dtype.kind not in "iu" or lengths.shape not in ((count,), *([()] if single else [])):
        raise BadData(
            f"lengths_{name} is {lengths.dtype} of shape {lengths.shape} for {count} items", "give a whole number each"
        )
    lengths = lengths.reshape(count).astype(np.int64)
    check_lengths(lengths, limit, name)
    return lengths
