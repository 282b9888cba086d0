"""Alignment of two sequences in time: soft-DTW, hard DTW, bands and barycentres, in numpy and float64."""

from posediff.alignment.barycenter import barycenter
from posediff.alignment.dtw import dtw, dtw_path
from posediff.alignment.soft_dtw import SoftAlignment, align_costs, soft_alignment, soft_dtw, soft_dtw_divergence
from posediff.alignment.window import Window

__all__ = [
    "SoftAlignment",
    "Window",
    "align_costs",
    "barycenter",
    "dtw",
    "dtw_path",
    "soft_alignment",
    "soft_dtw",
    "soft_dtw_divergence",
]
