"""Places in a performance: key points, and spans from one to another."""

from __future__ import annotations

from posediff.differencing.grammar.expressions import Expression, Name, Span

#: Key points that every performance has, and the place that is all of it.
FIRST, LAST, ALL = "first", "last", "all"
RESERVED = (FIRST, LAST, ALL)

#: From one key point to another; the same one twice for a single moment.
Place = tuple[str, str]


def place_of(where: Expression | None) -> Place:
    """The key points that a place reaches from and to; by default those of the whole performance."""
    if isinstance(where, Span):
        return where.first.text, where.last.text
    return (where.text, where.text) if isinstance(where, Name) and where.text != ALL else (FIRST, LAST)


def between(place: Place) -> str:
    """A place in words: ``at release``, ``between release and last``."""
    return f"at {place[0]}" if place[0] == place[1] else f"between {place[0]} and {place[1]}"
