"""The processes that train together: how one finds the others, and what they exchange."""

from __future__ import annotations

import atexit
import os
import subprocess
from typing import Literal, NamedTuple, TypeVar, get_args

import torch
import torch.distributed

from posediff.errors import BadSetting
from posediff.weights.checkpoints import torch_device

Launcher = Literal["none", "pytorch", "slurm"]
LAUNCHERS: tuple[str, ...] = get_args(Launcher)

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
    rank, world, local, meeting = (_of_torchrun if launcher == "pytorch" else _of_slurm)()
    if place.type == "cuda":
        place = torch.device("cuda", local)
        torch.cuda.set_device(place)
    if not torch.distributed.is_initialized():
        backend = "nccl" if place.type == "cuda" else "gloo"
        torch.distributed.init_process_group(backend, init_method=meeting, rank=rank, world_size=world)
        atexit.register(torch.distributed.destroy_process_group)
    return Process(rank, world, place)


def merged(own: list[R], process: Process) -> list[R]:
    """Results of all processes, in the order of the work; all have all of them.

    Args:
        own: results of this process, which did every world-th piece of the work, beginning with that of its rank. They
            travel between processes, so tensors have to be on the CPU.
        process: this one.
    """
    if process.world == 1:
        return own
    parts: list[list[R]] = [[]] * process.world
    torch.distributed.all_gather_object(parts, own)
    return [part[number] for number in range(len(parts[0])) for part in parts if number < len(part)]


def _of_torchrun() -> tuple[int, int, int, str]:
    rank, world, local, _ = (_number(name, "torchrun") for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_PORT"))
    _variable("MASTER_ADDR", "torchrun")
    return rank, world, local, "env://"


def _of_slurm() -> tuple[int, int, int, str]:
    rank, world, local = (_number(f"SLURM_{name}", "srun") for name in ("PROCID", "NTASKS", "LOCALID"))
    host = os.environ.get("MASTER_ADDR") or _first_host(_variable("SLURM_NODELIST", "srun"))
    return rank, world, local, f"tcp://{host}:{os.environ.get('MASTER_PORT', _PORT)}"


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
