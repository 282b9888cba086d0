"""A table of the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: Sequence[int], scores: Sequence[int] = ()) -> str:
    """A table of escaped texts.

    Args:
        head: names of the columns.
        rows: the cells' texts.
        words: columns that are set to the left; numbers go to the right.
        scores: columns of scores from 0 to 100, shaded the darker the lower.
    """
    kinds = ['class="word"' if column in words else 'class="number"' for column in range(len(head))]
    top = "".join(f'<th scope="col" {kind}>{escape(text)}</th>' for kind, text in zip(kinds, head, strict=True))
    lines = "\n".join(
        "<tr>"
        + "".join(
            f"<td {kind}{_shade(text) if column in scores else ''}>{escape(text)}</td>"
            for column, (kind, text) in enumerate(zip(kinds, row, strict=True))
        )
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead>\n<tbody>{lines}</tbody></table></div>'


def _shade(score: str) -> str:
    """The darker, the further a score is from 100."""
    return f' style="background:rgb(217 95 14 / {(100 - int(score)) * 0.6:.0f}%)"' if score.isdecimal() else ""
