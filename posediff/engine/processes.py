"""The processes that train together: how one finds the others, and what they exchange."""

from __future__ import annotations

import atexit
import os
import subprocess
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple, TypeVar, get_args

import torch
import torch.distributed

from posediff.errors import BadSetting
from posediff.weights.checkpoints import torch_device

Launcher = Literal["none", "pytorch", "slurm"]
LAUNCHERS: tuple[str, ...] = get_args(Launcher)

T = TypeVar("T")
R = TypeVar("R")

_PORT = "29500"


class Process(NamedTuple):
    """One of the processes.

    Attributes:
        rank: its number among all.
        world: how many there are.
        device: where it computes.
    """

    rank: int
    world: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether it is the one that writes."""
        return self.rank == 0


def join(launcher: Launcher, device: str) -> Process:
    """Take part in the group of processes that a launcher has started, until this one ends.

    Args:
        launcher: what started the processes: ``none`` for a single one, ``pytorch`` for torchrun, ``slurm`` for srun.
        device: ``cpu``, ``cuda``, or ``auto``; processes on CUDA talk by NCCL, others by Gloo.

    Raises:
        BadSetting: if CUDA is asked for and not there, or a variable that the launcher sets is missing.
    """
    place = torch_device(device)
    if launcher == "none":
        return Process(0, 1, place)
    rank, world, local = (_of_torchrun if launcher == "pytorch" else _of_slurm)()
    if place.type == "cuda":
        place = torch.device("cuda", local)
        torch.cuda.set_device(place)
    if not torch.distributed.is_initialized():
        backend = "nccl" if place.type == "cuda" else "gloo"
        torch.distributed.init_process_group(backend, init_method="env://", rank=rank, world_size=world)
        atexit.register(torch.distributed.destroy_process_group)
    return Process(rank, world, place)


def shared(work: Sequence[T], function: Callable[[T], R], process: Process) -> list[R]:
    """Results of a function, each process computing its part; all have all of them, in order.

    Args:
        work: arguments, the same in every process.
        function: what is computed; its results travel between processes, so tensors have to be on the CPU then.
        process: this one.
    """
    own = {number: function(work[number]) for number in range(process.rank, len(work), process.world)}
    parts: list[dict[int, R]] = [own]
    if process.world > 1:
        parts = [{}] * process.world
        torch.distributed.all_gather_object(parts, own)
    results = {number: result for part in parts for number, result in part.items()}
    return [results[number] for number in range(len(work))]


def _of_torchrun() -> tuple[int, int, int]:
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_PORT")
    rank, world, local, _ = (_number(name, "torchrun") for name in names)
    _variable("MASTER_ADDR", "torchrun")
    return rank, world, local


def _of_slurm() -> tuple[int, int, int]:
    rank, world, local = (_number(f"SLURM_{name}", "srun") for name in ("PROCID", "NTASKS", "LOCALID"))
    if "MASTER_ADDR" not in os.environ:
        os.environ["MASTER_ADDR"] = _first_host(_variable("SLURM_NODELIST", "srun"))
    os.environ.setdefault("MASTER_PORT", _PORT)
    return rank, world, local


def _first_host(nodes: str) -> str:
    """The first of the machines that a job runs on."""
    command = ["scontrol", "show", "hostnames", nodes]
    try:
        hosts = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
        return hosts[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        raise BadSetting(f"{' '.join(command)} names no machine", "set MASTER_ADDR to the first machine's") from None


def _number(name: str, by: str) -> int:
    text = _variable(name, by)
    if not text.isdecimal():
        raise BadSetting(f"the environment variable {name} is {text!r}, expected a number", f"start it with {by}")
    return int(text)


def _variable(name: str, by: str) -> str:
    if name not in os.environ:
        hint = "torchrun --nproc-per-node 2 -m posediff train ..." if by == "torchrun" else "srun posediff train ..."
        raise BadSetting(f"the environment variable {name} is not set, so {by} did not start this", f"use {hint}")
    return os.environ[name]
