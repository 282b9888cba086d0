"""Soft-DTW of a batch on a CUDA device, in Triton.

Works with the partition functions ``Z[i,j] = w[i,j] (Z[i-1,j-1] + Z[i-1,j] + Z[i,j-1])`` with ``w = exp(-D / gamma)``,
each held as a float32 mantissa and an int32 exponent: one exp2 of the cost a cell, no logarithm, and no difference of
large numbers that is exponentiated later, so that the expected alignment ``alpha beta / Z`` keeps its digits at small
gamma. ``alpha`` runs from the begin, ``beta`` from the end.

**Two launches.** The *sweeps* of alpha and beta are bound by the latency of N + M dependent steps; they run at the same
time and do nothing else. A program is one warp and has a strip of 64 rows: a lane owns two rows, and in a step computes
the 2 x 4 cells whose costs two aligned 16-byte loads bring; lane l is one such tile behind lane l - 1, from which
shuffles fetch the row above. The last row of a strip reaches the next strip through global memory. No diagonal costs a
launch or a barrier, and lengths have no limit. Kept are these last rows and, every ``CHUNK`` steps, the state of the
lanes. The *gradient* then has no sequential part: a program recomputes alpha over a chunk from the state at its start,
keeps it in a small scratch that stays in the cache, and lets beta run back over it. That is twice the arithmetic, but
all warps are busy with it, and cheaper than to write and read a partition function of 8 bytes a cell. Beside the costs
and the expected alignment, which may take the costs' place, the memory is 0.3 of the cost matrix and 26 MB on an H200.

**Strips wait for one another without fences.** A word of the row that is handed on is 64 bits, mantissa and exponent,
and written whole and once; the buffer starts with an exponent that no cell has. A reader asks for the words again until
none has it. No other memory has to become visible in any order: relaxed atomic writes and volatile reads suffice.
Programs draw tickets, and a ticket's strip waits for those of smaller tickets alone. Who holds a smaller ticket runs
already, so the waiting ends, in whatever order the device starts programs and however few fit on it at a time.

**Ends and step penalties need nothing inside.** ``value(D, p) = value(D + 2 p, 0) - p (N + M)``. An open begin is an
entry row above the first with q^(j+1) in column j, ``q = exp(-p / gamma)``; every start is then counted 1 + q times.
Rows below the last one lead to one exit cell and make the number of rows even: a single cell of cost 0 in column M,
which only a diagonal step reaches, or for an open end first a row of weight q in all columns, which adds them up.

The speed has not been measured on a device. Compiled for compute capability 9.0, a step of 32 x 8 cells is about 300
instructions, a little more on the way back of the gradient; nothing spills, and where M is a multiple of 4 no loop uses
shared memory. The tests run in Triton's interpreter, where strips run one after another, but for one
test in which processes share them.
"""

from __future__ import annotations

import math
import os

import torch

from posediff.errors import BadData, BadSetting, MissingDependency

try:
    import triton  # type: ignore[import-not-found,import-untyped,unused-ignore]

    from posediff.alignment.kernels.triton_cells import CHUNK, LANES, UNSET_WORD
    from posediff.alignment.kernels.triton_kernels import RUN, gradients, sweeps, values
except ImportError as error:
    raise MissingDependency("triton", "train", "soft-DTW on a CUDA device") from error
if tuple(map(int, triton.__version__.split(".")[:2])) < (3, 4):  # compiles no functions that return tuples of tuples
    raise MissingDependency("triton 3.4", "train", "soft-DTW on a CUDA device")

#: Programs of the gradient for each multiprocessor: enough to hide latency, and their scratch fits the cache.
RESIDENT = 12


def solve(
    costs: torch.Tensor,
    first: torch.Tensor | None,
    end: torch.Tensor | None,
    rows: torch.Tensor,
    columns: torch.Tensor,
    gamma: torch.Tensor,
    penalty: torch.Tensor | None = None,
    *,
    open_begin: bool = False,
    open_end: bool = False,
    gradient: bool = True,
    out: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Soft-DTW values and expected alignments of a batch of cost matrices, without waiting for the device.

    With closed ends the expected number of steps that are not diagonal is ``2 expected.sum() - rows - columns``.

    Args:
        costs: (B, N, M) float32 on a CUDA device, the last dimension contiguous; infinite where a cell is forbidden.
            What lies outside of the lengths and the band is not looked at. Fast where M is a multiple of 4.
        first, end: (B, N) range of columns of each row that may be used, or None for all.
        rows, columns: (B,) integer lengths from 1 to N and to M.
        gamma: (B,) softness above 0.
        penalty: (B,) cost of a step that is not diagonal, 0 or more, or None.
        open_begin: whether a path may begin in any column of the first row.
        open_end: whether it may end in any column of the last one.
        gradient: whether the expected alignment is wanted.
        out: where to write it; may be ``costs``.

    Returns:
        (B,) float64 values, and (B, N, M) expected alignments, 0 outside of lengths and band. A value is NaN where a
        cost is NaN, infinite where there is no path, and minus infinity where the costs are too large for gamma: a
        single one above 2.9e6 gamma, or their sum along the path above 5.5e8 gamma. :func:`check` raises these.

    Raises:
        BadData: for costs of another type, layout or device.
    """
    checked(costs)
    new, unit = costs.new_empty, _unit(costs)
    (batch, height, width), lanes = costs.shape, LANES.value
    strips, wide = -(-(height + 2) // (2 * lanes)), 4 * ((width + 6) // 4)
    chunks = -(-(wide // 4 + lanes) // CHUNK.value)
    runs, ways = -(-chunks // RUN.value), 2 if gradient else 1
    lines = torch.full((ways, batch, strips, wide), UNSET_WORD.value, dtype=torch.int64, device=costs.device)
    forward = new((batch, strips, chunks, 6, lanes) if gradient else 0, dtype=torch.int64)
    backward = new((batch, strips, runs, 6, lanes) if gradient else 0, dtype=torch.int64)
    counters = torch.zeros(batch + 1, dtype=torch.int32, device=costs.device)
    value = new(batch, dtype=torch.float64)
    if first is not None and end is not None:
        first, end = first.to(torch.int32).contiguous(), end.to(torch.int32).contiguous()
    where = costs, costs.stride(1) // unit, costs.stride(0) // unit
    items = rows, columns, gamma, penalty, lines
    sizes = batch, height, width, strips, chunks, wide
    ends = {"OPEN_BEGIN": open_begin, "OPEN_END": open_end, "num_warps": 1}
    with torch.cuda.device(costs.device if costs.is_cuda else -1):
        sweeps[(ways * batch * strips,)](
            *where, first, end, *items, forward, backward, counters[1:], counters, *sizes,
            KEEP=gradient, UNIT=unit, **ends,
        )  # fmt: skip
        values[(batch,)](value, *items, counters[1:], strips, wide, **ends)
        if not gradient:
            return value, None
        out = torch.empty_like(costs) if out is None else out
        out_unit, tasks = _unit(out), batch * strips * runs
        programs = min(tasks, _resident(costs.device))
        scratch = new((programs, CHUNK.value * 8, lanes), dtype=torch.int64)
        gradients[(programs,)](
            *where, out, out.stride(1) // out_unit, out.stride(0) // out_unit, first, end, *items, forward, backward,
            scratch, *sizes, tasks, UNIT=unit, OUT_UNIT=out_unit, **ends,
        )  # fmt: skip
    return value, out


def check(value: torch.Tensor) -> None:
    """Raise for the values with which :func:`solve` marks what it could not solve; waits for the device.

    Raises:
        BadData: where a cost is NaN, or no path exists.
        BadSetting: where the costs are too large for gamma.
    """
    for item, number in enumerate(value.tolist()):
        if math.isnan(number):
            raise BadData(f"a cost of item {item} is NaN", "fill or drop missing frames before aligning")
        if number == math.inf:
            raise BadData(f"no path leads through the costs of item {item}", "widen the band, or allow more cells")
        if number == -math.inf:
            raise BadSetting(
                f"gamma is too small for the costs of item {item}",
                "let gamma be above 4e-7 of the largest cost and 2e-9 of a path's total",
            )


def checked(costs: torch.Tensor) -> None:
    """Raise ``BadData`` for costs that the kernels cannot read."""
    if costs.ndim != 3 or costs.dtype != torch.float32 or costs.stride(2) != 1:
        raise BadData(
            f"costs are {costs.dtype} of shape {tuple(costs.shape)} with strides {costs.stride()}",
            "give float32 of shape (B, N, M) with a contiguous last dimension",
        )
    if not costs.is_cuda and os.environ.get("TRITON_INTERPRET") != "1":
        raise BadData(f"costs are on the device {costs.device}", "move them to a CUDA device")


def _unit(matrix: torch.Tensor) -> int:
    """4 where all rows begin at a multiple of four floats and end at one, else 1."""
    return 4 if all(number % 4 == 0 for number in (matrix.shape[2], *matrix.stride()[:2])) else 1


def _resident(device: torch.device) -> int:
    """How many programs of the gradient a device is given; few for the interpreter, so that each has several tasks."""
    return RESIDENT * torch.cuda.get_device_properties(device).multi_processor_count if device.type == "cuda" else 3
