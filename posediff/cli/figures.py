"""Figures of models as a table for a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from posediff.engine.narration import NAMES


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
