import subprocess
import sys
from pathlib import Path

import numpy as np

from posediff.alignment.kernels import compilation
from posediff.alignment.kernels.compilation import compiled, inlined, summing

INNER = "from kernels.compilation import compiled\n@compiled\ndef inner(x):\n    return x + {}\n"
OUTER = (
    "from kernels.compilation import compiled\nfrom kernels.inner import inner\n"
    "@compiled\ndef outer(x):\n    return 2 * inner(x)\n"
)


@inlined
def _twice(x):
    return x + x


@compiled
def _reciprocal(x):
    return 0.5 / _twice(x)


def test_a_compiled_function_computes_with_floats_as_numpy_does():
    assert _reciprocal(0.5) == 0.5
    assert _reciprocal(0.0) == np.inf


@summing
def _total(values):
    total = 0.0
    for value in values:
        total += value
    return total


def test_a_summing_function_may_add_in_any_order_but_keeps_what_is_not_finite():
    values = np.random.default_rng(0).random(1001)
    assert abs(_total(values) - values.sum()) < 1e-10
    for other in (np.nan, np.inf):
        values[500] = other
        np.testing.assert_equal(_total(values), other)


def test_other_threads_run_beside_a_compiled_function():
    assert _reciprocal.targetoptions["nogil"]


def test_a_function_without_a_file_is_compiled_but_not_kept():
    scope = {}
    exec("def nowhere(x):\n    return x + 1", scope)
    function = compiled(scope["nowhere"])
    assert function(1) == 2
    assert not function.stats.cache_hits


def _answer(folder: Path) -> int:
    """What the functions in a folder give in an interpreter of their own."""
    command = [sys.executable, "-c", "from kernels.outer import outer; print(outer(1), sum(outer.stats[1].values()))"]
    return [int(n) for n in subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout.split()]


def test_what_is_kept_on_disk_is_used_until_any_kernel_changes(tmp_path):
    package = tmp_path / "kernels"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "compilation.py").write_bytes(Path(compilation.__file__).read_bytes())
    (package / "outer.py").write_text(OUTER)
    (package / "inner.py").write_text(INNER.format(10))
    assert _answer(tmp_path) == [22, 0]
    assert _answer(tmp_path) == [22, 1]
    (package / "inner.py").write_text(INNER.format(20))
    assert _answer(tmp_path) == [42, 0]
