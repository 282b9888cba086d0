"""Queries beside their exemplars: all pairs are compared in batches, however they are picked."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

#: Pairs that are compared at once: a limit on memory, some hundred megabytes at the default width.
PAIRS_AT_ONCE = 4096


def each_pair(picks: Tensor, compare: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """What is said of every query beside each of its exemplars.

    Args:
        picks: (B, M) int64 rows of the exemplars; -1 for none.
        compare: given (P,) rows of queries and (P,) rows of exemplars, gives (P, ...) floating-point numbers.

    Returns:
        (B, M, ...), NaN where there is no exemplar.
    """
    row, column = (picks >= 0).nonzero(as_tuple=True)
    chosen = picks[row, column]
    parts = zip(torch.split(row, PAIRS_AT_ONCE), torch.split(chosen, PAIRS_AT_ONCE), strict=True)
    found = torch.cat([compare(one, other) for one, other in parts])
    result = found.new_full((*picks.shape, *found.shape[1:]), torch.nan)
    result[row, column] = found
    return result
