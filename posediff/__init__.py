"""posediff: skeletons in, differences out."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

#: Public names and where they live. They are imported on first use, so that ``posediff --help`` starts at once.
#: The function ``compare`` is not among them: its package has the same name, ``from posediff.compare import compare``.
_PUBLIC = {
    "PoseSequence": "posediff.sequence",
    "Stage": "posediff.sequence",
    "Status": "posediff.sequence",
    "Skeleton": "posediff.skeletons",
    "PosediffError": "posediff.errors",
    "read": "posediff.io",
    "read_person": "posediff.io",
    "write": "posediff.io",
    "to_xarray": "posediff.io",
    "from_xarray": "posediff.io",
    "compare_with_references": "posediff.compare",
    "Comparison": "posediff.compare",
}

__all__ = [*_PUBLIC, "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'posediff' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
