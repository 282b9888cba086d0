"""Alignment of two sequences in time: soft-DTW, hard DTW, bands and barycentres, of numpy arrays and torch tensors."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from posediff.alignment.bands import BandWidened, Itakura, SakoeChiba
from posediff.alignment.barycenter import barycenter
from posediff.alignment.diagonals import DiagonalAlignment, align_costs
from posediff.alignment.dtw import Subsequence, dtw, dtw_path, subsequence
from posediff.alignment.soft_dtw import SoftAlignment, soft_alignment, soft_dtw, soft_dtw_divergence
from posediff.alignment.window import Window

if TYPE_CHECKING:
    from posediff.alignment.contrastive import contrastive_idm
    from posediff.alignment.module import SoftDTW

__all__ = [
    "BandWidened",
    "DiagonalAlignment",
    "Itakura",
    "SakoeChiba",
    "SoftAlignment",
    "SoftDTW",
    "Subsequence",
    "Window",
    "align_costs",
    "barycenter",
    "contrastive_idm",
    "dtw",
    "dtw_path",
    "soft_alignment",
    "soft_dtw",
    "soft_dtw_divergence",
    "subsequence",
]

#: Where the names are that need torch, which is imported with the first of them.
_WITH_TORCH = {"SoftDTW": "module", "contrastive_idm": "contrastive"}


def __getattr__(name: str) -> Any:
    if name not in _WITH_TORCH:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        found = getattr(import_module(f"{__name__}.{_WITH_TORCH[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        from posediff.errors import MissingDependency

        raise MissingDependency("torch", "train", name) from error
    globals()[name] = found
    return found
