"""The soft-DTW barycentre of several sequences."""

from __future__ import annotations

from collections.abc import Sequence
from warnings import catch_warnings, simplefilter

import numpy as np

from posediff.alignment.checks import check_sequence
from posediff.errors import BadData, BadSetting


def barycenter(
    sequences: Sequence[np.ndarray], *, gamma: float = 1.0, weights: np.ndarray | None = None, steps: int = 30
) -> np.ndarray:
    """The sequence of least weighted soft-DTW to all of the given ones, through tslearn.

    Args:
        sequences: (T_i, F) arrays of any lengths; the result has the length of the first.
        gamma: softness, in units of the cost, above 0.
        weights: (count,) weights, 0 or more and not all 0; equal by default.
        steps: iterations of the optimiser at most, 1 or more.

    Returns:
        (T_0, F) float64.

    Raises:
        BadData: for no sequence, an empty or non-finite one, or weights that do not fit them.
        BadSetting: for a gamma or a number of steps that is not positive.

    Source: Cuturi & Blondel 2017, section 3.
    """
    if not sequences:
        raise BadData("there is no sequence to average", "give at least one")
    first = check_sequence(sequences[0], "sequence 0")
    arrays = [first, *(check_sequence(s, f"sequence {k}", like=first) for k, s in enumerate(sequences[1:], 1))]
    shares = np.ones(len(arrays)) if weights is None else np.asarray(weights, np.float64)
    if shares.shape != (len(arrays),) or not (shares >= 0).all() or not 0 < shares.sum() < np.inf:
        raise BadData(f"weights are {shares.tolist()} for {len(arrays)} sequences", "give each one of 0 or more")
    if not 0 < gamma < np.inf or steps < 1:
        raise BadSetting(f"gamma is {gamma} and steps are {steps}", "give more than 0 of both")
    if len(arrays) == 1:
        return first.copy()
    with catch_warnings():
        simplefilter("ignore")  # tslearn misses h5py, which serves nothing here
        from tslearn.barycenters import softdtw_barycenter

    result = softdtw_barycenter(arrays, gamma=gamma, weights=shares / shares.sum(), max_iter=steps, init=first.copy())
    return np.asarray(result, np.float64)
