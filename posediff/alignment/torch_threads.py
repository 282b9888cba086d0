"""A batch in parts, one a core: each part's matrix products and kernels run on the same core, close to its data.

torch would run each product on all cores and leave its threads spinning for a while, in the way of the kernels' own.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import torch

from posediff.alignment.engine import PairSolution, parts
from posediff.errors import PosediffError

#: Cells of a batch from which its parts are worth handing out.
SHARED_CELLS = 50_000

_pools: dict[int, ThreadPoolExecutor] = {}
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)  # a fork has none of its parent's threads


def solve_parts(
    solve: Callable[..., PairSolution],
    x: np.ndarray,
    y: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    gamma: np.ndarray,
    penalty: np.ndarray | None,
    threads: int,
) -> PairSolution:
    """What ``solve`` gives for a batch, in parts where that is worth it.

    Args:
        solve: :func:`posediff.alignment.engine.solve_pair` with its keywords but ``threads``.
        x, y, rows, columns, gamma, penalty: as there.
        threads: cores to use.
    """
    given = (x, y, rows, columns, gamma, penalty)
    if threads == 1 or len(x) < threads or len(x) * x.shape[1] * y.shape[1] < SHARED_CELLS:
        return solve(*given, threads=threads)

    def one(part: tuple[int, int]) -> PairSolution:
        return solve(*(None if side is None else side[slice(*part)] for side in given), threads=1)

    try:
        made = list(_workers(threads).map(one, parts(rows, columns, threads)))
    except PosediffError:  # once more, for a message that counts the items of the whole batch
        return solve(*given, threads=threads)
    fields: list[Any] = [None if field[0] is None else np.concatenate(field) for field in zip(*made, strict=True)]
    return PairSolution(*fields)


def _workers(count: int) -> ThreadPoolExecutor:
    """Threads on which torch uses one core each."""
    if count not in _pools:
        before, all_here = torch.get_num_threads(), Barrier(count)

        def settle(_: int) -> None:
            torch.get_num_threads()  # a thread takes over the general number at its first question, so this comes first
            torch.set_num_threads(1)
            all_here.wait()  # so that no thread does this for two

        pool = ThreadPoolExecutor(count, "posediff-torch")
        list(pool.map(settle, range(count)))
        torch.set_num_threads(before)  # it also says what threads that are yet to come will use
        _pools[count] = pool
    return _pools[count]
