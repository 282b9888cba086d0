"""Comparison of performances: alignment, segments, residuals, scores and differences, in numbers only."""

from posediff.compare.comparison import Alignment, Comparison, Difference, Residuals, Segment
from posediff.compare.references import compare_with_references
from posediff.compare.run import compare
from posediff.compare.settings import Settings

__all__ = [
    "Alignment",
    "Comparison",
    "Difference",
    "Residuals",
    "Segment",
    "Settings",
    "compare",
    "compare_with_references",
]
