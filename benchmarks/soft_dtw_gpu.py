"""How fast and exact soft-DTW is on a CUDA device, beside other implementations of it on the same device.

Forward and forward + backward from two sequences with squared Euclidean costs, timed by the device's own clock; all
implementations take turns. Beside each time stand the errors of the values and gradients that were timed, against
posediff in float64 on the CPU, and the most memory that was held. What the device did in one call of posediff is
written by torch's profiler into a text file beside the result. Without a CUDA device nothing is measured.

    python benchmarks/soft_dtw_gpu.py --peer-path DIR --out soft_dtw_gpu.json

DIR holds peers as source: softdtw_cuda/ (sdtw-cuda-torch) or soft_dtw_cuda.py (pytorch-softdtw-cuda).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from record import provenance
from soft_dtw_adapter import matmul_costs

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

#: Batch, length of both sequences, features; and the most milliseconds that forward + backward may take.
SIZES = {(32, 1024, 64): None, (64, 1024, 64): 0.6, (64, 4096, 64): 12.0, (1, 8192, 64): None}
#: Items of each batch whose values and gradients are compared with the truth.
COMPARED = 2


def main() -> int:
    """Measure, print the table, and exit with 1 where a target is missed, with 2 where there is no device."""
    options = parse()
    if not torch.cuda.is_available():
        print("NOT MEASURED: torch finds no CUDA device here, so there is no time to report.", file=sys.stderr)
        return 2
    sys.path[1:1] = options.peer_path
    losses, absent = losses_of(options.gamma)
    rows = []
    for size, target in SIZES.items():
        rows += measure(size, target, losses, options)
        for row in rows[-len(losses) :]:
            print(line(row), flush=True)
    met = all(row["met"] is not False for row in rows)
    if options.out:
        device = torch.cuda.get_device_properties(0)
        result = {"device": str(device), "torch": torch.__version__, "gamma": options.gamma, "absent": absent}
        options.out.write_text(json.dumps({**result, "rows": rows, "met": met, **provenance()}, indent=2) + "\n")
        options.out.with_suffix(".profile.txt").write_text(profile(losses["posediff"], (64, 1024, 64)))
    return 0 if met else 1


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--gamma", type=float, default=1.0)
    parser.add_argument("--repeats", type=int, default=30, help="timed calls of each implementation")
    parser.add_argument("--peer-path", action="append", default=[], metavar="DIR", help="folder with peers as source")
    parser.add_argument("--out", type=Path, help="JSON file for the result; the profile goes beside it")
    options = parser.parse_args()
    if options.repeats < 1:
        parser.error(f"--repeats is {options.repeats}, expected 1 or more")
    return options


def losses_of(gamma: float) -> tuple[dict[str, Loss], list[str]]:
    """What is there to measure, and the names of the peers that are not installed."""
    from posediff.alignment import soft_dtw

    def sdtw_cuda_torch() -> Loss:
        import softdtw_cuda

        return softdtw_cuda.SoftDTW(gamma=gamma)

    def pytorch_softdtw_cuda() -> Loss:
        import soft_dtw_cuda

        return soft_dtw_cuda.SoftDTW(use_cuda=True, gamma=gamma, dist_func=matmul_costs)

    def pysdtw() -> Loss:
        import pysdtw

        return pysdtw.SoftDTW(gamma=gamma, use_cuda=True)

    losses: dict[str, Loss] = {"posediff": lambda x, y: soft_dtw(x, y, gamma=gamma)}
    absent = []
    peers = {"sdtw-cuda-torch": sdtw_cuda_torch, "pytorch-softdtw-cuda": pytorch_softdtw_cuda, "pysdtw": pysdtw}
    for name, make in peers.items():
        try:
            losses[name] = make()
        except ImportError:
            absent.append(name)
    return losses, absent


def measure(
    size: tuple[int, int, int], target: float | None, losses: dict[str, Loss], options: argparse.Namespace
) -> list[dict[str, Any]]:
    """Milliseconds, errors and memory of each implementation at one size."""
    batch, length, features = size
    torch.manual_seed(0)
    x, y = torch.randn(batch, length, features), torch.randn(batch, length, features)
    truth = solved(losses["posediff"], x[:COMPARED].double(), y[:COMPARED].double())
    x, y = x.cuda(), y.cuda()
    rows: dict[str, dict[str, Any]] = {}
    for name, loss in losses.items():
        row: dict[str, Any] = {"name": name, "size": size, "forward_ms": [], "both_ms": [], "failed": None, "met": None}
        rows[name] = row
        try:
            for _ in range(2):  # compiles, and fills the allocator
                torch.cuda.reset_peak_memory_stats()
                before = torch.cuda.memory_allocated()
                found = solved(loss, x, y)
                row["bytes_a_cell"] = (torch.cuda.max_memory_allocated() - before) / (batch * length**2)
            names = ("value_error", "x_error", "y_error")
            row |= {key: error(part, true) for key, part, true in zip(names, found, truth, strict=True)}
        except Exception as fault:  # a peer that cannot run at this size must not end the others' run
            row["failed"] = f"{type(fault).__name__}: {str(fault).splitlines()[0] if str(fault) else ''}"
    for _ in range(options.repeats):
        for name, row in rows.items():
            if row["failed"] is None:
                row["forward_ms"].append(milliseconds(lambda loss=losses[name]: values(loss, x, y)))
                row["both_ms"].append(milliseconds(lambda loss=losses[name]: solved(loss, x, y)))
    for row in rows.values():
        for key in ("forward_ms", "both_ms"):
            row[key] = statistics.median(row[key]) if row[key] else None
    if target is not None:
        took = rows["posediff"]["both_ms"]
        rows["posediff"] |= {"target_ms": target, "met": took is not None and took <= target}
    return list(rows.values())


def values(loss: Loss, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Forward alone."""
    with torch.no_grad():
        return loss(x, y)


def solved(loss: Loss, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Values and the gradients of both sequences."""
    x, y = x.detach().requires_grad_(), y.detach().requires_grad_()
    found = loss(x, y)
    return (found.detach(), *torch.autograd.grad(found.sum(), (x, y)))


def error(found: torch.Tensor, true: torch.Tensor) -> float:
    """The largest difference relative to the largest true number, on the items that are compared."""
    return float((found[:COMPARED].cpu().double() - true).abs().max() / true.abs().max())


def milliseconds(call: Callable[[], Any]) -> float:
    """How long the device works on a call; it is kept busy before, so that launching is not counted twice."""
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    call()
    begin.record()
    call()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end)


def profile(loss: Loss, size: tuple[int, int, int]) -> str:
    """Torch's table of what ran on the device in one forward and backward."""
    from torch.profiler import ProfilerActivity

    x, y = torch.randn(*size, device="cuda"), torch.randn(*size, device="cuda")
    solved(loss, x, y)
    with torch.profiler.profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as record:
        solved(loss, x, y)
        torch.cuda.synchronize()
    return str(record.key_averages().table(sort_by="cuda_time_total", row_limit=30)) + "\n"


def line(row: dict[str, Any]) -> str:
    """One row of the table."""
    start = f"{'x'.join(map(str, row['size'])):<14}{row['name']:<24}"
    if row["failed"] is not None:
        return f"{start}{row['failed']}"
    errors = " ".join(f"{row[key]:.1e}" for key in ("value_error", "x_error", "y_error"))
    judged = "" if row["met"] is None else f"  target {row['target_ms']} ms {'met' if row['met'] else 'MISSED'}"
    times = f"forward {row['forward_ms']:9.3f} ms  both {row['both_ms']:9.3f} ms"
    return f"{start}{times}  errors {errors}  {row['bytes_a_cell']:5.1f} bytes a cell{judged}"


if __name__ == "__main__":
    sys.exit(main())
