"""Triton's interpreter, in a process of its own: triton decides when it is imported first whether it interprets."""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from typing import Any

import numpy as np

#: Small enough that strips, chunks and runs are several for a handful of rows and columns.
SMALL = {"LANES": 2, "CHUNK": 4, "RUN": 2}


@cache
def interpreter() -> ProcessPoolExecutor:
    """The process, started when it is needed first."""
    pool, before = ProcessPoolExecutor(1, mp_context=get_context("spawn")), os.environ.get("TRITON_INTERPRET")
    os.environ["TRITON_INTERPRET"] = "1"
    try:
        pool.submit(os.getpid).result()
    finally:
        os.environ.pop("TRITON_INTERPRET")
        if before is not None:
            os.environ["TRITON_INTERPRET"] = before
    return pool


def interpreted(function: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """What a function returns where triton interprets."""
    return interpreter().submit(function, *given, **named).result()


class AtOnce:
    """A kernel whose programs are run by two processes at the same time, in memory that they share."""

    def __init__(self, kernel: Any) -> None:
        self.kernel = kernel

    def __getitem__(self, grid: tuple[int]) -> Callable[..., None]:
        def launch(*given: Any, **named: Any) -> None:
            shared = [part.share_memory_() if hasattr(part, "share_memory_") else part for part in given]
            shares = [grid[0] // 2, grid[0] - grid[0] // 2]
            forked = get_context("fork")
            processes = [forked.Process(target=self.kernel[share,], args=shared, kwargs=named) for share in shares]
            for process in processes:
                process.start()
            for process in processes:
                process.join(60)
                process.kill()
            assert [process.exitcode for process in processes] == [0, 0]

        return launch


def solve(
    costs: np.ndarray,
    rows: Any,
    columns: Any,
    gamma: Any,
    penalty: Any = None,
    band: Any = (None, None),
    *,
    constants: Any = SMALL,
    in_place: bool = False,
    at_once: bool = False,
    **options: Any,
) -> tuple[np.ndarray, np.ndarray | None]:
    """``triton.solve`` for arrays, with other numbers of lanes and steps; ``at_once``: strips run side by side."""
    import torch
    import triton.language as tl

    from posediff.alignment.kernels import triton, triton_cells, triton_kernels

    for name, number in constants.items():
        for module in (triton, triton_cells, triton_kernels):
            if hasattr(module, name):
                setattr(module, name, tl.constexpr(number))

    triton.sweeps = AtOnce(triton_kernels.sweeps) if at_once else triton_kernels.sweeps

    def tensor(given: Any, kind: torch.dtype) -> torch.Tensor | None:
        return None if given is None else torch.as_tensor(np.array(given), dtype=kind)

    given = torch.from_numpy(costs.astype(np.float32))
    first, end = (tensor(part, torch.int32) for part in band)
    value, expected = triton.solve(
        given,
        first,
        end,
        tensor(rows, torch.int64),
        tensor(columns, torch.int64),
        tensor(gamma, torch.float64),
        tensor(penalty, torch.float64),
        out=given if in_place else None,
        **options,
    )
    if in_place:
        assert expected is given
    return value.numpy(), None if expected is None else expected.numpy()
