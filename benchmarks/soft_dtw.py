"""How fast, exact and lean soft-DTW is, beside other implementations of it on the same machine.

Five tables: ``pair`` times forward and forward + backward from two sequences, ``costs`` the same for given costs, both
with the errors of what was computed; ``accuracy`` shows the errors over gamma, ``memory`` the bytes a cell, ``first``
what the first call costs. All implementations of a table run in one process and take turns. Each number of threads has
a process of its own, since some can be held to it only by the environment. Peers that are not installed are reported as
absent.

    python benchmarks/soft_dtw.py --threads 1 2 --peer-path DIR --out soft_dtw.json

DIR holds peers that no package brings, as source: softdtw_cuda/, soft_dtw_cuda.py or sdtw_div/.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from record import provenance
from soft_dtw_adapter import OURS
from soft_dtw_peers import PEERS
from soft_dtw_report import judge, print_table, print_targets

WORKER = Path(__file__).with_name("soft_dtw_worker.py")
TABLES = ("pair", "costs", "accuracy", "memory", "first")
#: Batch, length of both sequences, features.
SIZES = ((16, 96, 64), (8, 512, 64), (2, 2048, 64), (1, 8192, 64))
GAMMAS = (1e-3, 0.1, 1.0, 10.0)
#: Length of the pair whose memory is measured, for posediff and for the peers, which need more.
LENGTHS = {"posediff": (4096, 8192), "peers": (2048, 4096)}
#: Starts with a warm cache whose median is reported.
STARTS = 3


def main() -> int:
    """Measure, print the tables, and exit with 1 where a target is missed."""
    options = parse()
    result: dict[str, Any] = {"gamma": options.gamma, "seed": options.seed, "quick": options.quick, "tables": {}}
    for table in options.only:
        for threads in options.threads if table in ("pair", "costs") else options.threads[:1]:
            measured = MEASURE[table](options, threads)
            result["tables"][f"{table}, {threads} thread{'s' * (threads > 1)}"] = measured
            print_table(table, threads, measured)
    result["targets"] = judge(result["tables"])
    print_targets(result["targets"])
    result["met"] = not any(target["met"] is False for target in result["targets"])
    if options.out:
        options.out.write_text(json.dumps({**result, **provenance()}, indent=2) + "\n")
    return 0 if result["met"] or options.quick else 1


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="numbers of threads to measure with")
    parser.add_argument("--only", choices=TABLES, nargs="+", default=TABLES, help="tables to make")
    parser.add_argument("--peer-path", type=Path, action="append", default=[], help="folder with sources of peers")
    parser.add_argument("--gamma", type=float, default=1.0, help="softness of all tables but accuracy")
    parser.add_argument("--seed", type=int, default=0, help="of the generated sequences")
    parser.add_argument("--lengths", type=int, nargs="+", help="of the sizes that are timed; all by default")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each implementation at most")
    parser.add_argument("--budget", type=float, default=60.0, help="seconds for the turns of a size; three at least")
    parser.add_argument("--quick", action="store_true", help="small sizes and few turns: a smoke run; exits with 0")
    parser.add_argument("--out", type=Path, help="JSON file for the result")
    options = parser.parse_args()
    for name, least in (("threads", min(options.threads)), ("rounds", options.rounds)):
        if least < 1:
            parser.error(f"--{name} is {least}, expected 1 or more")
    if options.gamma <= 0:
        parser.error(f"--gamma is {options.gamma}, expected a number above 0")
    for folder in options.peer_path:
        if not folder.is_dir():
            parser.error(f"--peer-path {folder} is no folder")
    return options


def measure_times(source: str, options: argparse.Namespace, threads: int) -> dict[str, Any]:
    """Times and errors of all sizes, from sequences ("pair") or for given "costs"."""
    sizes, rounds = (SIZES[:2], 3) if options.quick else (SIZES, options.rounds)
    sizes = tuple(size for size in sizes if not options.lengths or size[1] in options.lengths)
    job = {"table": "times", "source": source, "sizes": sizes, "rounds": rounds, "budget": options.budget}
    return work(job, options, threads)


def measure_accuracy(options: argparse.Namespace, threads: int) -> dict[str, Any]:
    """Errors over gamma, costs given."""
    job = {"table": "accuracy", "length": 128 if options.quick else 512, "gammas": GAMMAS}
    return work(job, options, threads)


def measure_memory(options: argparse.Namespace, threads: int) -> dict[str, Any]:
    """Bytes a cell of each implementation at each length, or why there are none; each in a fresh process."""
    result: dict[str, Any] = {}
    for group, peers in (("posediff", OURS), ("peers", PEERS)):
        for peer in peers:
            lengths = (1024,) if options.quick else LENGTHS[group]
            jobs = ({"table": "memory", "peer": peer.name, "length": n, "features": SIZES[0][2]} for n in lengths)
            result[peer.name] = {job["length"]: work(job, options, threads) for job in jobs}
    return result


def measure_first(options: argparse.Namespace, threads: int) -> dict[str, Any]:
    """Seconds of the first call in a process: with numba's cache empty, and then with the cache that this left."""
    job = {"table": "first call", "size": SIZES[0]}
    with tempfile.TemporaryDirectory() as folder:
        cache = {"NUMBA_CACHE_DIR": folder}
        empty = work(job, options, threads, cache)
        warm = [work(job, options, threads, cache) for _ in range(STARTS)]
    return {
        "empty cache": empty["first"],
        "warm cache": statistics.median(run["first"] for run in warm),
        "second call": statistics.median(run["second"] for run in warm),
    }


MEASURE = {
    "pair": lambda options, threads: measure_times("pair", options, threads),
    "costs": lambda options, threads: measure_times("costs", options, threads),
    "accuracy": measure_accuracy,
    "memory": measure_memory,
    "first": measure_first,
}


def work(
    job: dict[str, Any], options: argparse.Namespace, threads: int, more: dict[str, str] | None = None
) -> dict[str, Any]:
    """What a fresh process measures with a number of threads."""
    peer_path = [str(folder.resolve()) for folder in options.peer_path]
    job = {**job, "gamma": options.gamma, "seed": options.seed, "threads": threads, "peer_path": peer_path}
    command = [sys.executable, str(WORKER), json.dumps(job)]
    environment = {**os.environ, **thread_environment(threads), **(more or {})}
    run = subprocess.run(command, env=environment, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{' '.join(command)}\nfailed:\n{run.stderr[-4000:]}")
    return json.loads(run.stdout.splitlines()[-1])


def thread_environment(threads: int) -> dict[str, str]:
    """What holds OpenMP, BLAS, numba and XLA to a number of threads."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "NPROC")
    eigen = "false" if threads == 1 else "true"
    return {**dict.fromkeys(names, str(threads)), "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={eigen}"}


if __name__ == "__main__":
    sys.exit(main())
