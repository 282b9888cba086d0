"""How kernels are compiled: for one thread, without the interpreter's lock, and once for all runs."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])

OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
#: Of the sources of all kernels. numba looks at a function's own file only, but what it keeps has the functions of
#: other files inside.
STAMP = sha256(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py")))).hexdigest()


def compiled(function: Function) -> Function:
    """Compile a function when it is first called; the machine code is kept on disk where there is a place for it."""
    return _compiled(function, OPTIONS)


def summing(function: Function) -> Function:
    """The same for a function whose sums may be taken in any order, which on one machine is always the same."""
    return _compiled(function, {**OPTIONS, "fastmath": {"reassoc", "contract", "nsz"}})


def _compiled(function: Function, options: dict[str, Any]) -> Function:
    try:
        dispatcher = numba.njit(function, cache=True, **options)
    except RuntimeError:  # neither the package's folder nor the user's can be written to
        return numba.njit(function, **options)  # type: ignore[no-any-return]
    file: Any = getattr(getattr(dispatcher, "_cache", None), "_cache_file", None)
    if hasattr(file, "_source_stamp"):
        file._source_stamp = STAMP
    return dispatcher  # type: ignore[no-any-return]


def inlined(function: Function) -> Function:
    """A function that is written out where a compiled one calls it: for the inside of loops."""
    return numba.njit(function, inline="always")  # type: ignore[no-any-return]
