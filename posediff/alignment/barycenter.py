"""The soft-DTW barycentre of several sequences."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posediff.alignment.soft_dtw import check
from posediff.errors import BadData


def barycenter(
    sequences: Sequence[np.ndarray], *, gamma: float = 1.0, weights: np.ndarray | None = None, steps: int = 30
) -> np.ndarray:
    """The sequence of least weighted soft-DTW to all of the given ones, through tslearn.

    Args:
        sequences: (T_i, F) arrays of any lengths; the result has the length of the first.
        gamma: softness, in units of the cost.
        weights: (count,) weights; equal by default.
        steps: iterations of the optimiser at most.

    Returns:
        (T_0, F) float64.

    Raises:
        BadData: for no sequence, or an empty or non-finite one.

    Source: Cuturi & Blondel 2017, section 3.
    """
    if not sequences:
        raise BadData("there is no sequence to average", "give at least one")
    first = check(sequences[0], "sequence 0")
    arrays = [first, *(check(s, f"sequence {k}", like=first) for k, s in enumerate(sequences[1:], 1))]
    if len(arrays) == 1:
        return first
    from tslearn.barycenters import softdtw_barycenter

    result = softdtw_barycenter(arrays, gamma=gamma, weights=weights, max_iter=steps, init=first.copy())
    return np.asarray(result, np.float64)
