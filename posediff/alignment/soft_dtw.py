"""Soft-DTW, its divergence and the expected alignment, of numpy arrays and torch tensors alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from posediff.alignment import arrays
from posediff.alignment.bands import Band
from posediff.alignment.problem import Options, on_tensors
from posediff.errors import BadSetting

if TYPE_CHECKING:
    from torch import Tensor

    Array = np.ndarray | Tensor
    PerFrame = float | Array | None
    CostFunction = str | Callable[[Any, Any], Any]


class SoftAlignment(NamedTuple):
    """The distribution over alignments that soft-DTW defines; with an axis of items before all if the input had one.

    Attributes:
        value: () soft-DTW.
        expected: (N, M) probability that an alignment matches two frames: the derivative of the value by the costs.
        correspondences: (N, M) the same with rows that sum to 1; a row of zeros where a frame of x cannot be matched.
        entropy: (N,) of the rows of ``correspondences``, in nats: how uncertain the frame that belongs to this one is.
        skipped_x: (N,) probability that a frame of x is skipped; None if no frame may be skipped.
        skipped_y: (M,) the same for y; frames before an open begin and behind an open end are free, not skipped.
    """

    value: Any
    expected: Any
    correspondences: Any
    entropy: Any
    skipped_x: Any
    skipped_y: Any


def soft_dtw(
    x: Array | None = None,
    y: Array | None = None,
    *,
    cost: Array | None = None,
    gamma: float | Array = 1.0,
    lengths_x: Any = None,
    lengths_y: Any = None,
    band: float | Band | None = None,
    penalty: float | Array = 0.0,
    skip: PerFrame | tuple[PerFrame, PerFrame] = None,
    open_begin: bool = False,
    open_end: bool = False,
    cost_fn: CostFunction = "squared_euclidean",
    checkpoint: bool | None = None,
) -> Any:
    """Soft-DTW of two sequences, or of a batch of them: the soft minimum of the costs of all monotone alignments.

    Tensors are differentiable, twice, in x, y, cost, gamma, penalty and skip, under torch.func and torch.compile too.
    Computed in the input's type; in float32 for half precision, and in float64 for arrays of whole numbers. On a CUDA
    device, where a check would wait, bad numbers are not refused but give NaN or infinite values.

    Args:
        x: (N, F) or (B, N, F), a numpy array or a torch tensor.
        y: (M, F) or (B, M, F), of the same kind.
        cost: (N, M) or (B, N, M) costs of pairs of frames, instead of x and y; plus infinity forbids a match.
        gamma: softness, in units of the cost, above 0; or one an item (B,). The number 0 gives hard DTW.
        lengths_x, lengths_y: (B,) true lengths; what lies beyond, NaN included, has no influence and no gradient.
        band: the matches to allow: half-width of a Sakoe-Chiba band in frames of y, SakoeChiba or Itakura; None for
            all. The band runs from corner to corner for any lengths, and is widened, with a warning, where it would
            leave no path.
        penalty: cost of a step that is not diagonal; or one an item (B,).
        skip: cost of leaving a frame unmatched: one for all, one a frame (N,) or (B, N), or ``(skip_x, skip_y)`` of
            these; None for never. An alignment then steps over skipped frames without a penalty.
        open_begin, open_end: frames of y before the first, or behind the last match are free: x is found inside y.
        cost_fn: "squared_euclidean", "cosine" (1 minus the cosine; a frame of zeros costs 1), or a function of x and y
            that returns ``cost``. Behind the true lengths it sees the first frame repeated.
        checkpoint: make the costs in blocks, again for the gradient, rather than hold them all, for a cost known by
            name and without ``skip``; by default from 1 GiB on.

    Returns:
        A value, or (B,) values: of a pair of arrays a float, of tensors a tensor.

    Raises:
        BadData: for what is not finite (names the first frame), is empty, does not go together or leaves no alignment.
        BadSetting: for a gamma, penalty, skip or band out of range.

    Source: Cuturi & Blondel 2017, equations 1 and 2.
    """
    ways = (gamma, lengths_x, lengths_y, band, penalty, skip, open_begin, open_end, cost_fn, checkpoint)
    return value(x, y, cost, Options(*ways))


def soft_dtw_divergence(
    x: Array | None = None,
    y: Array | None = None,
    *,
    cost: tuple[Array, Array, Array] | None = None,
    gamma: float | Array = 1.0,
    lengths_x: Any = None,
    lengths_y: Any = None,
    band: float | Band | None = None,
    penalty: float | Array = 0.0,
    skip: PerFrame | tuple[PerFrame, PerFrame] = None,
    cost_fn: CostFunction = "squared_euclidean",
    checkpoint: bool | None = None,
) -> Any:
    """``s(x, y) - (s(x, x) + s(y, y)) / 2``: zero for x = y, unlike soft-DTW itself.

    Args:
        cost: the costs of x with y (N, M), of x with x (N, N) and of y with y (M, M), instead of x and y.
        x, y, gamma, lengths_x, lengths_y, band, penalty, skip, cost_fn, checkpoint: as for :func:`soft_dtw`.

    Returns, Raises: as :func:`soft_dtw`.

    Source: Blondel, Mensch & Vert 2021, equation 8.
    """
    options = Options(gamma, lengths_x, lengths_y, band, penalty, skip, cost_fn=cost_fn, checkpoint=checkpoint)
    if cost is not None and not (isinstance(cost, (tuple, list)) and len(cost) == 3):
        raise BadSetting("the divergence got one matrix of costs", "give those of x with y, x with x and y with y")
    costs = (None, None, None) if cost is None else cost
    own_x, own_y = ((None, None) if one is None and cost is not None else (one, one) for one in (x, y))
    cross = value(x, y, costs[0], options)
    return cross - (value(*own_x, costs[1], options.own(0)) + value(*own_y, costs[2], options.own(1))) / 2


def soft_alignment(
    x: Array | None = None,
    y: Array | None = None,
    *,
    cost: Array | None = None,
    gamma: float | Array = 1.0,
    lengths_x: Any = None,
    lengths_y: Any = None,
    band: float | Band | None = None,
    penalty: float | Array = 0.0,
    skip: PerFrame | tuple[PerFrame, PerFrame] = None,
    open_begin: bool = False,
    open_end: bool = False,
    cost_fn: CostFunction = "squared_euclidean",
) -> SoftAlignment:
    """The expected alignment of two sequences, or of a batch; of tensors differentiable once.

    Arguments and errors as for :func:`soft_dtw`; gamma 0 gives one of the best alignments.

    Source: Blondel, Mensch & Vert 2021, section 2; Cuturi & Blondel 2017, algorithm 2.
    """
    options = Options(gamma, lengths_x, lengths_y, band, penalty, skip, open_begin, open_end, cost_fn)
    if on_tensors(x, y, cost):
        import torch

        from posediff.alignment import tensors

        parts, single = tensors.alignment(x, y, cost, options)
        return _described(parts, single, torch)
    parts, single = arrays.alignment(x, y, cost, options)
    made = _described(parts, single, np)
    return made._replace(value=float(made.value)) if single else made


def value(x: Any, y: Any, cost: Any, options: Options) -> Any:
    """Soft-DTW values of arrays or tensors; arguments and errors as for :func:`soft_dtw`."""
    if on_tensors(x, y, cost):
        from posediff.alignment import tensors

        return tensors.value(x, y, cost, options)
    return arrays.value(x, y, cost, options)


def _described(parts: tuple[Any, ...], single: bool, library: Any) -> SoftAlignment:
    """What an expected alignment says, by numpy or torch; of values, expected, skipped_x and skipped_y of a batch."""
    if single:
        parts = tuple(None if part is None else part[0] for part in parts)
    value, expected, skipped_x, skipped_y = parts
    total = expected.sum(axis=-1, keepdims=True)
    correspondences = expected / library.where(total > 0, total, 1)
    # 0 log 0 is 0, and so is its derivative.
    logarithms = library.log(library.where(correspondences > 0, correspondences, 1))
    entropy = -(correspondences * logarithms).sum(axis=-1)
    return SoftAlignment(value, expected, correspondences, entropy, skipped_x, skipped_y)
