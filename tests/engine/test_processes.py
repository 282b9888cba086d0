import os
import socket
import stat
import subprocess
import sys
import textwrap

import pytest
import torch

from posediff.engine.processes import Process, join, shared
from posediff.errors import BadSetting

ALONE = Process(0, 1, torch.device("cpu"))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def start(script, world=2, names=("RANK", "WORLD_SIZE", "LOCAL_RANK"), **more):
    """What each of several processes prints that run a script as a launcher would start them."""
    common = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "OMP_NUM_THREADS": "1", **more}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script)],
            env={**os.environ, **common, **dict(zip(names, (str(rank), str(world), str(rank)), strict=True))},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(world)
    ]
    results = [one.communicate(timeout=120) for one in running]
    assert [one.returncode for one in running] == [0] * world, "".join(errors for _, errors in results)
    return [out for out, _ in results]


def test_one_process_is_alone_and_leads():
    assert join("none", "cpu") == ALONE
    assert ALONE.leads


def test_work_of_one_process_is_done_in_order():
    assert shared([3, 1, 2], lambda number: number * 10, ALONE) == [30, 10, 20]
    assert shared([], str, ALONE) == []


SHARE = """
from posediff.engine.processes import join, shared
process = join("slurm", "cpu")
assert join("slurm", "cpu") == process
done = []
result = shared([3, 1, 2], lambda n: done.append(n) or n * 10, process)
print(process.rank, process.world, process.leads, done, result)
"""


def test_work_is_divided_and_all_have_all_results():
    first, second = start(SHARE, names=("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID"))
    assert first.strip() == "0 2 True [3, 2] [30, 10, 20]"
    assert second.strip() == "1 2 False [1] [30, 10, 20]"


@pytest.fixture
def nothing_set(monkeypatch):
    """No variable of a launcher."""
    for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name in ("PROCID", "NTASKS", "LOCALID", "NODELIST"):
        monkeypatch.delenv(f"SLURM_{name}", raising=False)


@pytest.mark.parametrize(
    ("launcher", "variable", "hint"), [("pytorch", "RANK", "torchrun"), ("slurm", "SLURM_PROCID", "srun")]
)
def test_a_launcher_that_did_not_start_it_is_told(nothing_set, launcher, variable, hint):
    with pytest.raises(BadSetting, match=f"{variable} is not set") as caught:
        join(launcher, "cpu")
    assert hint in caught.value.hint


def test_a_variable_that_is_no_number_is_told(nothing_set, monkeypatch):
    monkeypatch.setenv("RANK", "first")
    with pytest.raises(BadSetting, match="RANK is 'first', expected a number"):
        join("pytorch", "cpu")


def test_under_slurm_the_first_machine_is_where_all_meet(nothing_set, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    for name, value in {"PROCID": "0", "NTASKS": "1", "LOCALID": "0", "NODELIST": "node[3-4]"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    with pytest.raises(BadSetting, match="names no machine"):
        join("slurm", "cpu")
    scontrol = tmp_path / "scontrol"
    scontrol.write_text("#!/bin/sh\necho 127.0.0.1\necho node4\n")
    scontrol.chmod(scontrol.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)  # as if all had met already
    assert join("slurm", "cpu") == ALONE
    assert os.environ["MASTER_ADDR"] == "127.0.0.1"
