"""From videos to skeletons: detect, follow, estimate, fill in, and let a person correct."""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: Public names and where they live, imported on first use.
_PUBLIC = {
    "Settings": "posediff.annotate.settings",
    "open_video": "posediff.annotate.footage.video",
    "quality": "posediff.annotate.finish.quality",
    "skeletons_of": "posediff.annotate.cache",
}

__all__ = [*_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'posediff.annotate' has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
