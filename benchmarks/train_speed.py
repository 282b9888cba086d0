"""How fast training is: the skeletal encoder beside other graph convolutions of the same widths and depth.

``encoder``: forward and backward of the skeletal encoder, joints missing and not, and of minimal stacks of ST-GCN and
HD-GCN blocks (``train_speed_peers.py``) on the same random clips. All run in one process and take turns, in changing
order; what is reported is the median of the rounds, and of their ratios to the encoder's. CPU seconds, of all threads
of the process, stand beside the wall's: they say more where the machine is shared. Several threads on a shared machine
need OMP_WAIT_POLICY=passive, or they spend their time waiting for one another. The aim is that HD-GCN's blocks take
twice the time at least.

The other parts train the model of ``configs/synthetic_dives.py`` on 96 frames: ``loader``, the share of compute in an
epoch that the data loader feeds (aim 95 %); ``voting``, ten exemplars beside one (aim 1.5 times at most); ``epoch``,
where its time goes.

    python benchmarks/train_speed.py --threads 1 2 --out train_speed.json
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from record import provenance
from train_speed_model import epoch, loader, voting
from train_speed_peers import hd_gcn, st_gcn
from train_speed_turns import in_turns

from posediff.models.encoders.skeletal import SkeletalEncoder
from posediff.models.settings import SkeletalSettings
from posediff.skeletons import MPII16

#: Clips, frames, joints and coordinates of a batch.
SIZE = (16, 96, 16, 2)
#: Of the joints, in the rounds where some are missing.
MISSING = 0.1
OURS, RIVAL = "posediff", "HD-GCN"
AIM = 2.0


def main() -> int:
    """Measure what is asked for, print it, and exit with 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=[*PARTS], help="what is measured")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="numbers of threads to measure with")
    parser.add_argument("--repeats", type=int, default=15, help="timed rounds")
    parser.add_argument("--out", type=Path, help="where to write the result as JSON")
    options = parser.parse_args()
    if min(*options.threads, options.repeats) < 1:
        parser.error("--threads and --repeats are 1 or more")
    result: dict[str, Any] = {"torch": torch.__version__, "repeats": options.repeats, **provenance()}
    for name in options.parts:
        result[name] = PARTS[name](options)
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    return 0 if all(result[name]["met"] for name in options.parts) else 1


def encoder(options: argparse.Namespace) -> dict[str, Any]:
    """Times of the encoder and its peers for each number of threads."""
    result: dict[str, Any] = {"size": SIZE, "missing": MISSING, "threads": {}}
    for threads in options.threads:
        torch.set_num_threads(threads)
        measured = summary(in_turns(encoder_steps(SIZE), options.repeats), SIZE[0], OURS)
        result["threads"][threads] = measured
        print(f"encoder, forward and backward at {SIZE}, {threads} thread{'s' * (threads > 1)}:")
        print(f"{'':24}{'samples/s':>12}{'time / ours':>13}{'CPU s':>9}{'CPU / ours':>12}")
        for name, row in measured.items():
            print(
                f"{name:24}{row['samples_per_s']:12.1f}{row['wall_ratio']:13.2f}{row['cpu_s']:9.3f}{row['cpu_ratio']:12.2f}"
            )
    result["met"] = all(measured[RIVAL]["wall_ratio"] >= AIM for measured in result["threads"].values())
    return result


#: A part's name: what measures and prints it. What it returns says under "met" whether its aim was met.
PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "encoder": encoder,
    "loader": loader,
    "voting": voting,
    "epoch": epoch,
}


def encoder_steps(size: tuple[int, int, int, int]) -> dict[str, Callable[[], object]]:
    """A forward and backward pass of the encoder and of its peers, on random clips of a size."""
    torch.manual_seed(0)
    settings = SkeletalSettings()
    poses = torch.randn(size)
    whole = torch.ones(size[:3])
    missing = whole * (torch.rand(size[:3]) >= MISSING)
    ours = SkeletalEncoder(MPII16, size[-1], settings.channels[-1], settings)
    stacks = {name: make(MPII16, size[-1], settings.channels) for name, make in ((RIVAL, hd_gcn), ("ST-GCN", st_gcn))}

    def step(network: torch.nn.Module, *inputs: torch.Tensor) -> Callable[[], object]:
        def run() -> None:
            network.zero_grad()
            network(*inputs).square().mean().backward()

        return run

    return {
        OURS: step(ours, poses, whole),
        f"{OURS}, {MISSING:.0%} missing": step(ours, poses, missing),
        **{name: step(stack, poses) for name, stack in stacks.items()},
    }


def summary(
    seconds: Mapping[str, list[tuple[float, float]]], samples: int, reference: str
) -> dict[str, dict[str, float]]:
    """Medians of the rounds, and of the ratios of each round to the reference in it."""
    result = {}
    for name, rounds in seconds.items():
        pairs = list(zip(rounds, seconds[reference], strict=True))
        wall, cpu = (statistics.median(one[kind] for one in rounds) for kind in (0, 1))
        result[name] = {
            "samples_per_s": samples / wall,
            "wall_s": wall,
            "cpu_s": cpu,
            "wall_ratio": statistics.median(one[0] / ours[0] for one, ours in pairs),
            "cpu_ratio": statistics.median(one[1] / ours[1] for one, ours in pairs),
        }
    return result


if __name__ == "__main__":
    sys.exit(main())
