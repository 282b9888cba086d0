"""Reading and writing skeleton files: ``read``, ``read_person``, ``write``, ``to_xarray``, ``from_xarray``."""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Public names and where they live, imported on first use.
_PUBLIC = {
    "read": "posediff.io.registry",
    "read_person": "posediff.io.registry",
    "write": "posediff.io.registry",
    "to_xarray": "posediff.io.movement",
    "from_xarray": "posediff.io.movement",
    "FORMATS": "posediff.io.formats",
}

__all__ = [*_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'posediff.io' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
