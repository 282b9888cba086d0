"""Figures of models as a table for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from posediff.engine.narration import NAMES


def exemplars_in_words(settings: Mapping[str, Any]) -> str:
    """What performances are compared with, as :class:`posediff.engine.experiment.ExemplarSettings` has it."""
    count, best, by = settings["count"], settings["best"], settings["by"]
    kinds = {
        "random": f"up to {count} exemplars",
        "best": f"up to {min(count, best)} of the best exemplars",
        "barycentre": f"the barycentre of up to {best} exemplars",
    }
    return f"{kinds[settings['choice']]} by {by}"


def coverage_in_words(interval: Mapping[str, float | None], clips: int) -> str:
    """How many scores lie in their intervals, or what it would take to say that.

    Args:
        interval: as :class:`posediff.engine.assessment.Assessment` has it.
        clips: how many were tested.
    """
    share, calibrated = f"{100 * (interval['level'] or 0):g} %", interval["calibrated_on"]
    if interval["coverage"] is None:
        return f"no intervals for {share}: they take {interval['needed']} validation clips, {calibrated} are there"
    inside = f"{100 * interval['coverage']:.0f} % of {clips} scores"
    return f"intervals for {share} hold {inside}; they come from {calibrated} validation clips"


def table(rows: Mapping[str, Mapping[str, float | None]]) -> str:
    """Figures in aligned columns; a figure that no row has makes no column.

    Args:
        rows: figures, by what they are of.
    """
    shown = [key for key in NAMES if any(figures.get(key) is not None for figures in rows.values())]
    names = {key: f"{NAMES[key][0]:>6}" for key in shown}
    width = max(map(len, rows))
    lines = [f"{'':{width}}  {'  '.join(names.values())}".rstrip()]
    for name, figures in rows.items():
        cells = []
        for key in shown:
            value = figures.get(key)
            text = "-" if value is None else f"{value:.{NAMES[key][1]}f}"
            cells.append(f"{text:>{len(names[key])}}")
        lines.append(f"{name:{width}}  {'  '.join(cells)}".rstrip())
    return "\n".join(lines)
