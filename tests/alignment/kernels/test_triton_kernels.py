import os
import re
import subprocess
import sys

import pytest

pytest.importorskip("torch")
pytest.importorskip("triton")

#: Compiles both kernels, with all that they can do, for a device that need not be there, and prints their assembly.
SCRIPT = """
from posediff.alignment.kernels import triton_kernels
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource, compile

FLAGS = {"OPEN_BEGIN": True, "OPEN_END": True, "KEEP": True, "UNIT": 4, "OUT_UNIT": 4}
TYPES = {"costs": "*fp32", "out": "*fp32", "gamma": "*fp64", "penalty": "*fp64", "rows": "*i64", "columns": "*i64"}
TYPES |= {name: "*i32" for name in ("first", "end", "status", "ticket")}
TYPES |= {name: "*i64" for name in ("lines", "forward", "backward", "scratch")}
for kernel in (triton_kernels.sweeps, triton_kernels.gradients):
    names = kernel.arg_names
    flags = {(at,): FLAGS[name] for at, name in enumerate(names) if name in FLAGS}
    types = {name: "constexpr" if name in FLAGS else TYPES.get(name, "i32") for name in names}
    aligned = {(at,): [["tt.divisibility", 16]] for at, name in enumerate(names) if name in TYPES and name != "ticket"}
    source = ASTSource(fn=kernel, signature=types, constexprs=flags, attrs=aligned)
    print("=====")
    print(compile(source, target=GPUTarget("cuda", 90, 32), options={"num_warps": 1}).asm["ptx"])
"""


@pytest.fixture(scope="module")
def assembly(tmp_path_factory):
    """PTX of the sweeps and of the gradients."""
    environment = {**os.environ, "TRITON_CACHE_DIR": str(tmp_path_factory.mktemp("cache"))}
    environment.pop("TRITON_INTERPRET", None)
    path = tmp_path_factory.mktemp("script") / "compile_kernels.py"
    path.write_text(SCRIPT)
    run = subprocess.run([sys.executable, str(path)], env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run.stdout.split("=====")[1:]


def test_four_costs_are_loaded_and_four_expectations_stored_at_once(assembly):
    sweeps, gradients = assembly
    assert "ld.global.v4.b32" in sweeps
    assert not re.search(r"ld\.global\.b32.*\n.*ld\.global\.b32.*\n.*ld\.global\.b32", sweeps)
    assert "st.global.v4.b32" in gradients


def test_lanes_exchange_values_in_registers(assembly):
    sweeps, gradients = assembly
    assert sweeps.count("shfl.sync.idx") >= 2 * 8
    assert not re.search(r"(ld|st)\.shared", gradients)
    # Elsewhere than in the broadcast of the ticket, which precedes everything.
    assert not re.search(r"(ld|st)\.shared", sweeps[sweeps.index("shfl.sync") :])


def test_words_are_handed_on_by_atomic_operations_and_read_past_the_cache_of_the_multiprocessor(assembly):
    sweeps, _ = assembly
    assert len(re.findall(r"(?:red|atom)\.global\.gpu\.relaxed\.max\.s64", sweeps)) == 2 * 4
    assert "ld.volatile.global.b64" in sweeps


def test_nothing_is_kept_in_local_memory(assembly):
    for code in assembly:
        assert ".local" not in code
