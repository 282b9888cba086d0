"""The data sets by name."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from posediff.datasets.clips import Collection
from posediff.errors import BadSetting, suggestion

#: Every data set: its module in posediff.datasets and the class of its settings there.
SOURCES = {
    "finediving": ("finediving", "FineDivingSettings"),
    "mtl_aqa": ("mtl_aqa", "MTLAQASettings"),
    "ui_prmd": ("ui_prmd", "UIPRMDSettings"),
    "aqa7": ("aqa7", "AQA7Settings"),
    "jigsaws": ("jigsaws", "JIGSAWSSettings"),
    "folder": ("folder", "FolderSettings"),
    "synthetic_dives": ("synthetic_dives", "SyntheticDivesSettings"),
}


def source(name: str) -> tuple[type, Callable[[Any], Collection]]:
    """A data set by its name.

    Returns:
        The class of its settings, and the function that loads it.

    Raises:
        BadSetting: if there is none of that name.
    """
    if name not in SOURCES:
        raise BadSetting(f"there is no data set {name!r}", suggestion(name, SOURCES))
    module, settings = SOURCES[name]
    loaded = import_module(f"posediff.datasets.{module}")
    return getattr(loaded, settings), loaded.load
