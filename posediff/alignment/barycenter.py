"""The soft-DTW barycentre of several sequences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from posediff.alignment.checks import check_sequence
from posediff.alignment.problem import is_tensor
from posediff.errors import BadData, BadSetting

if TYPE_CHECKING:
    import torch

Array = TypeVar("Array", np.ndarray, "torch.Tensor")

#: Cells of cost matrices that are aligned in one go (float64, 32 MB).
CELLS = 4_000_000


def barycenter(
    sequences: Sequence[Array] | Array,
    *,
    lengths: Sequence[int] | np.ndarray | torch.Tensor | None = None,
    gamma: float = 1.0,
    weights: Sequence[float] | np.ndarray | torch.Tensor | None = None,
    init: Array | None = None,
    length: int | None = None,
    steps: int = 30,
    tolerance: float = 1e-3,
) -> Array:
    """The sequence of least weighted soft-DTW to all of the given ones, by L-BFGS in float64.

    Args:
        sequences: (T_i, F) arrays of any lengths, or a padded batch (B, T, F).
        lengths: (B,) true lengths of the batch's sequences; all of T by default.
        gamma: softness, in units of the cost (the squared Euclidean distance of two frames), above 0.
        weights: (B,) weights, 0 or more and not all 0; equal by default.
        init: (L, F) where to begin; the first sequence by default. The optimum is a local one, so this matters.
        length: frames of the result, to which the beginning is resampled linearly; as many as it has by default.
        steps: iterations of the optimiser at most, 1 or more.
        tolerance: relative decrease of the objective, and largest entry of its gradient, at which it stops; 0 or more.

    Returns:
        (length, F) float64 array. For torch tensors a tensor of the first one's type and device, without a gradient.
        One sequence alone, with neither ``init`` nor ``length``, is its own barycentre.

    Raises:
        BadData: for no sequence, an empty or non-finite one, or lengths or weights that do not fit them.
        BadSetting: for a gamma, a number of steps, a length or a tolerance that is not positive.

    Source: Cuturi & Blondel 2017, section 3.
    """
    arrays = _checked(sequences, lengths)
    if not 0 < gamma < np.inf or steps < 1 or not 0 <= tolerance < np.inf:
        raise BadSetting(
            f"gamma is {gamma}, steps are {steps} and the tolerance is {tolerance}",
            "give more than 0 of the first two, and 0 or more of the last",
        )
    shares = np.ones(len(arrays)) if weights is None else np.asarray(_array(weights), np.float64)
    if shares.shape != (len(arrays),) or not (shares >= 0).all() or not 0 < shares.sum() < np.inf:
        raise BadData(f"weights are {shares.tolist()} for {len(arrays)} sequences", "give each one of 0 or more")
    begin = arrays[0] if init is None else check_sequence(_array(init), "init", like=arrays[0])
    if length is not None:
        begin = _resampled(begin, length)
    if len(arrays) > 1 or init is not None or length is not None:
        begin = _optimum(begin, arrays, shares / shares.sum(), gamma, steps, tolerance)
    result: Array = _like(sequences[0], begin.copy())
    return result


def _optimum(
    begin: np.ndarray, arrays: list[np.ndarray], shares: np.ndarray, gamma: float, steps: int, tolerance: float
) -> np.ndarray:
    """(L, F) local minimum of the weighted soft-DTW near ``begin``."""
    from scipy.optimize import minimize

    centre = begin.mean(axis=0)  # only differences count: near 0, fewer digits cancel in their squares
    loss = _objective([one - centre for one in arrays], shares, gamma, begin.shape)
    stop = {"maxiter": steps, "ftol": tolerance, "gtol": tolerance}
    found = minimize(loss, (begin - centre).reshape(-1), method="L-BFGS-B", jac=True, options=stop)
    return np.asarray(found.x.reshape(begin.shape) + centre)


def _objective(
    arrays: list[np.ndarray], shares: np.ndarray, gamma: float, shape: tuple[int, ...]
) -> Callable[[np.ndarray], tuple[float, np.ndarray]]:
    """The weighted soft-DTW of a flattened sequence to all others, and its gradient."""
    from posediff.alignment.engine import solve_pair

    at_once = max(CELLS // (shape[0] * max(map(len, arrays))), 1)
    batches = [(_padded(arrays[k : k + at_once]), shares[k : k + at_once]) for k in range(0, len(arrays), at_once)]

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = 0.0, np.zeros(shape)
        for (others, columns), weights in batches:
            middle = np.ascontiguousarray(np.broadcast_to(flat.reshape(shape), (len(others), *shape)))
            rows, softness = np.full(len(others), shape[0]), np.full(len(others), gamma)
            solved = solve_pair(middle, others, rows, columns, softness)
            value += float(weights @ solved.value)
            if solved.grad_x is not None:
                gradient += np.tensordot(weights, solved.grad_x, axes=1)
        return value, gradient.reshape(-1)

    return loss


def _checked(sequences: Any, lengths: Any) -> list[np.ndarray]:
    """Every sequence as float64, cut to its length."""
    if not len(sequences):
        raise BadData("there is no sequence to average", "give at least one")
    arrays = [np.atleast_1d(_array(one)) for one in sequences]
    if lengths is not None:
        frames = _array(lengths)
        whole = frames.shape == (len(arrays),) and np.issubdtype(frames.dtype, np.integer)
        if not whole or any(not 1 <= n <= len(one) for n, one in zip(frames, arrays, strict=True)):
            raise BadData(
                f"lengths are {frames.tolist()} for {len(arrays)} sequences of {max(map(len, arrays))} frames",
                "give each a whole number from 1 to its frames",
            )
        arrays = [one[:n] for one, n in zip(arrays, frames, strict=True)]
    first = check_sequence(arrays[0], "sequence 0")
    return [first, *(check_sequence(one, f"sequence {k}", like=first) for k, one in enumerate(arrays[1:], 1))]


def _padded(arrays: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Sequences as one (B, T, F) batch and their (B,) lengths."""
    lengths = np.array([len(one) for one in arrays])
    batch = np.zeros((len(arrays), lengths.max(), arrays[0].shape[1]))
    for row, one in zip(batch, arrays, strict=True):
        row[: len(one)] = one
    return batch, lengths


def _resampled(x: np.ndarray, length: int) -> np.ndarray:
    """(length, F) linear interpolation between the first and the last frame."""
    if not isinstance(length, int | np.integer) or length < 1:
        raise BadSetting(f"the length is {length}", "give a whole number of frames, 1 or more")
    at = np.linspace(0, len(x) - 1, length)
    return np.stack([np.interp(at, np.arange(len(x)), column) for column in x.T], axis=1)


def _array(x: Any) -> np.ndarray:
    """Anything as an array; a tensor from any device and of any type."""
    if not is_tensor(x):
        return np.asarray(x)
    x = x.detach().cpu()
    return np.asarray(x.double().numpy() if x.is_floating_point() else x.numpy())


def _like(given: Any, result: np.ndarray) -> Any:
    """The result as what was given: a tensor of its type and device, or an array."""
    if not is_tensor(given):
        return result
    import torch

    return torch.from_numpy(result).to(given.device, given.dtype if given.is_floating_point() else torch.float64)
