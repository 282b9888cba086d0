"""Hard dynamic time warping, and the place of a short sequence in a long one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from posediff.alignment import arrays
from posediff.alignment.bands import Band
from posediff.alignment.problem import Options, on_tensors
from posediff.alignment.soft_dtw import value

if TYPE_CHECKING:
    from posediff.alignment.soft_dtw import Array, CostFunction, PerFrame


class Subsequence(NamedTuple):
    """Where a sequence x is found inside y; with an axis of items if the input had one.

    Attributes:
        value: soft-DTW with an open begin and end.
        start, end: frames of y, ``end`` exclusive, that the best alignment matches; both 0 where it matches none.
    """

    value: Any
    start: Any
    end: Any


def dtw(
    x: Array | None = None,
    y: Array | None = None,
    *,
    cost: Array | None = None,
    lengths_x: Any = None,
    lengths_y: Any = None,
    band: float | Band | None = None,
    penalty: float | Array = 0.0,
    skip: PerFrame | tuple[PerFrame, PerFrame] = None,
    open_begin: bool = False,
    open_end: bool = False,
    cost_fn: CostFunction = "squared_euclidean",
) -> Any:
    """Least sum of costs over monotone alignments; tensors are differentiable along the best one.

    Arguments, result and errors as for :func:`posediff.alignment.soft_dtw`.

    Source: Sakoe & Chiba 1978.
    """
    ways = (0.0, lengths_x, lengths_y, band, penalty, skip, open_begin, open_end, cost_fn)
    return value(x, y, cost, Options(*ways))


def dtw_path(
    x: Array | None = None,
    y: Array | None = None,
    *,
    cost: Array | None = None,
    band: float | Band | None = None,
    penalty: float = 0.0,
    skip: PerFrame | tuple[PerFrame, PerFrame] = None,
    open_begin: bool = False,
    open_end: bool = False,
    cost_fn: CostFunction = "squared_euclidean",
) -> tuple[Any, Any]:
    """The best monotone alignment of one pair of sequences and its cost.

    Arguments and errors as for :func:`posediff.alignment.soft_dtw`, without an axis of items. Of equally good paths
    the one is taken that, seen from the end, prefers the diagonal, then the step along x.

    Returns:
        (L, 2) int64 pairs (i, j) of matched frames in order, and the sum of all costs and penalties.
    """
    options = Options(0.0, None, None, band, penalty, skip, open_begin, open_end, cost_fn)
    if on_tensors(x, y, cost):
        from posediff.alignment import tensors

        return tensors.path(x, y, cost, options)
    return arrays.path(x, y, cost, options)


def subsequence(
    x: Array | None = None,
    y: Array | None = None,
    *,
    cost: Array | None = None,
    gamma: float | Array = 1.0,
    lengths_x: Any = None,
    lengths_y: Any = None,
    penalty: float | Array = 0.0,
    skip: PerFrame | tuple[PerFrame, PerFrame] = None,
    cost_fn: CostFunction = "squared_euclidean",
) -> Subsequence:
    """The best place of all of x inside y.

    Arguments and errors as for :func:`posediff.alignment.soft_dtw`; the value is that with both ends open, the frames
    are those of the best single alignment.
    """
    options = Options(gamma, lengths_x, lengths_y, None, penalty, skip, True, True, cost_fn)
    if on_tensors(x, y, cost):
        from posediff.alignment import tensors

        return Subsequence(*tensors.places(x, y, cost, options))
    return Subsequence(*arrays.places(x, y, cost, options))
