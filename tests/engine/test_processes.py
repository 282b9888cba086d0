import atexit
import stat

import pytest
import torch

from posediff.engine.processes import Process, join, merged
from posediff.errors import BadSetting

ALONE = Process(0, 1, torch.device("cpu"))


def test_one_process_is_alone_and_leads():
    assert join("none", "cpu") == ALONE
    assert ALONE.leads


def test_results_of_one_process_are_all_that_there_are():
    assert merged([3, 1, 2], ALONE) == [3, 1, 2]


@pytest.mark.parametrize(("world", "count"), [(2, 5), (3, 6), (3, 7), (4, 2), (2, 0)])
def test_results_of_all_processes_are_in_the_order_of_the_work(monkeypatch, world, count):
    def gather(parts, own):
        parts[:] = [list(range(count))[rank::world] for rank in range(world)]

    monkeypatch.setattr(torch.distributed, "all_gather_object", gather)
    assert merged(list(range(count))[::world], Process(0, world, ALONE.device)) == list(range(count))


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
    for name, value in {"PROCID": "1", "NTASKS": "4", "LOCALID": "1", "NODELIST": "node[3-4]"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    with pytest.raises(BadSetting, match="names no machine"):
        join("slurm", "cpu")
    scontrol = tmp_path / "scontrol"
    scontrol.write_text("#!/bin/sh\necho node3\necho node4\n")
    scontrol.chmod(scontrol.stat().st_mode | stat.S_IEXEC)
    calls = []
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda *args, **more: calls.append((*args, more)))
    monkeypatch.setattr(atexit, "register", calls.append)
    assert join("slurm", "cpu") == Process(1, 4, torch.device("cpu"))
    meeting = {"init_method": "tcp://node3:29500", "rank": 1, "world_size": 4}
    assert calls == [("gloo", meeting), torch.distributed.destroy_process_group]
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    assert join("slurm", "cpu") == Process(1, 4, torch.device("cpu"))
    assert len(calls) == 2
