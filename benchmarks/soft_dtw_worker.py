"""One measurement of benchmarks/soft_dtw.py in a process of its own: prints its result as a line of JSON, the last one.

python benchmarks/soft_dtw_worker.py '{"table": "memory", "peer": "posediff", "length": 2048, ...}'
"""

from __future__ import annotations

import ctypes
import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

from soft_dtw_adapter import OURS, Posediff, Skipped
from soft_dtw_peers import PEERS

#: Length of the problem that loads and compiles everything before memory is measured: long enough for more cores.
SMALL = 512


def main() -> int:
    """Measure what the only argument says."""
    job = json.loads(sys.argv[1])
    sys.path[1:1] = job.get("peer_path", [])
    set_threads(job["threads"])
    if job["table"] == "memory":
        result = measure_memory(job)
    elif job["table"] == "first call":
        result = measure_first_call(job)
    else:
        import soft_dtw_timing

        measure = {"times": soft_dtw_timing.measure_times, "accuracy": soft_dtw_timing.measure_accuracy}
        result = measure[job["table"]](job)
    print("\n" + json.dumps(result))
    return 0


def set_threads(threads: int) -> None:
    """Hold everything that is loaded by now to a number of threads; the environment holds what comes later."""
    import torch

    torch.set_num_threads(threads)
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return
    threadpool_limits(threads)


def measure_memory(job: dict[str, Any]) -> dict[str, Any]:
    """Bytes a cell that forward and backward together need at most beyond the sequences.

    The process's highest resident size is reset just before, when everything is imported and compiled; so it counts
    whoever allocates, torch, numpy or a kernel. What is compiled anew for every length, as by XLA, counts too.

    Args:
        job: ``peer`` by its name, ``length``, ``features``, ``gamma``, ``seed``.
    """
    from soft_dtw_timing import random_pair

    peer = next(one for one in (*OURS, *PEERS) if one.name == job["peer"])
    try:
        peer.load()
    except ImportError as error:
        return {"reason": f"absent: {error}"}
    reset = Path("/proc/self/clear_refs")
    if not reset.exists():
        return {"reason": "the highest resident size can be reset on Linux only"}
    try:
        for length in (SMALL, job["length"]):
            prepared = peer.from_pair(*random_pair(1, length, job["features"], job["seed"]), job["gamma"])
            if prepared.both is None:
                return {"reason": "has no gradient"}
            release()
            reset.write_text("5")
            before = status("VmRSS")
            prepared.both()
            most = status("VmHWM")
    except Skipped as reason:
        return {"reason": str(reason)}
    except Exception as error:  # a peer that fails must not end the run of the others
        return {"reason": f"{type(error).__name__}: {error}"}
    return {"bytes_a_cell": (most - before) / job["length"] ** 2}


def release() -> None:
    """Give freed memory back, so that using it again counts."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def status(field: str) -> int:
    """A size of this process in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def measure_first_call(job: dict[str, Any]) -> dict[str, Any]:
    """Seconds of the first forward and backward call, with all that it imports but torch, and of the second.

    Args:
        job: ``size`` (B, T, D), ``gamma``, ``seed``.
    """
    from soft_dtw_timing import random_pair

    x, y = random_pair(*job["size"], job["seed"])
    calls = []
    for _ in range(2):
        start = time.perf_counter()
        prepared = Posediff().from_pair(x, y, job["gamma"])
        if prepared.both is not None:
            prepared.both()
        calls.append(time.perf_counter() - start)
    return {"first": calls[0], "second": calls[1]}


if __name__ == "__main__":
    sys.exit(main())
