"""A comparison as one page that needs nothing else: pictures embedded, no script, every text from a file escaped."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from html import escape

import posediff
from posediff.compare.comparison import Comparison
from posediff.language import phrases
from posediff.language.pairs import Told, grouped
from posediff.report.document import Besides, plain
from posediff.report.plots import PLOTS, Plot
from posediff.report.stylesheet import STYLESHEET
from posediff.report.tables import table

#: Control characters, which HTML forbids and a file's names may hold, as the sign for what cannot be shown.
CONTROLS = dict.fromkeys((*range(9), 11, *range(13, 32), *range(127, 160)), "�")


def page(comparison: Comparison, pictures: Mapping[str, bytes], cards: Sequence[bytes], *besides: Besides) -> str:
    """The report as an HTML document.

    Args:
        comparison: what to show.
        pictures: the plots as PNG files, by file name.
        cards: the skeleton pairs of the first differences as PNG files, in order.
        besides: what else is told of the same performances.
    """
    reference, query = phrases.names(comparison)
    # The cards and the table show what these pictures do.
    told = {"poses.png": bool(cards), "segments.png": bool(comparison.segments)}
    plots = [plot for plot in PLOTS if plot.name in pictures and not told.get(plot.name)]
    parts = (
        _header(comparison, reference, query),
        _scores(comparison),
        *(part.section() for part in besides),
        _differences(comparison, cards),
        _segments(comparison),
        *(_figure(plot, pictures[plot.name]) for plot in plots),
        _exemplars(comparison),
        _notes(comparison),
        _provenance(comparison),
    )
    body = "\n".join(filter(None, parts))
    document = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(query)} compared with {escape(reference)}</title>\n"
        f"<style>{STYLESHEET}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )
    return document.translate(CONTROLS)


def _header(comparison: Comparison, reference: str, query: str) -> str:
    return (
        "<header>\n"
        f'<h1><span class="query">{escape(query)}</span> <small>compared with</small> '
        f'<span class="reference">{escape(reference)}</span></h1>\n'
        f'<p class="facts">query: {phrases.extent(comparison.query)} &middot; '
        f"reference: {phrases.extent(comparison.reference)}</p>\n</header>"
    )


def _scores(comparison: Comparison) -> str:
    bars = "\n".join(_bar(name, score) for name, score in comparison.scores.items())
    percent = _percent(comparison.score)
    return (
        '<section class="scores" aria-label="Scores">\n'
        f'<div class="score" style="--score:{percent}%"><div><strong>{phrases.number(comparison.score)}</strong>'
        "<span>of 100</span></div></div>\n"
        f'<div><p class="summary">{escape(phrases.summary(comparison))} {escape(phrases.weakest(comparison))}</p>\n'
        f'<dl class="bars">\n{bars}\n</dl></div>\n</section>'
    )


def _bar(name: str, score: float) -> str:
    meaning = phrases.DIMENSIONS.get(name, "")
    filled = f'<span class="bar"><span style="width:{_percent(score)}%"></span></span>'
    number = f"<b>{phrases.number(score)}</b>"
    return f"<div><dt>{escape(name)}</dt><dd>{number}{filled}<small>{escape(meaning)}</small></dd></div>"


def _percent(score: float) -> str:
    return f"{min(max(score, 0.0), 100.0):.1f}" if math.isfinite(score) else "0"


def _differences(comparison: Comparison, cards: Sequence[bytes]) -> str:
    if not comparison.differences:
        return (
            f"<section><h2>What is different</h2>\n<p>{phrases.capital(phrases.NO_DIFFERENCE)}: none is large, long "
            "and certain enough to be told. Smaller ones count in the scores.</p></section>"
        )
    told = grouped(comparison.differences)
    shown, rest = told[: len(cards)], told[len(cards) :]
    articles = "\n".join(_card(one, comparison, picture) for one, picture in zip(shown, cards, strict=True))
    further = _further(rest, comparison) if rest else ""
    return (
        "<section><h2>What is different</h2>\n<p>What the query does differently, the most important first; what the "
        "left and the right side do alike is told once. A confidence is the probability that a difference is not noise "
        "of the keypoints.</p>\n"
        f'<div class="cards">\n{articles}\n</div>\n{further}</section>'
    )


def _card(told: Told, comparison: Comparison, picture: bytes) -> str:
    sentence = phrases.statement(told.whole, comparison)
    facts = {
        "Query": _when(told.whole.query_frames, comparison.query.fps),
        "Reference": _when(told.whole.reference_frames, comparison.reference.fps),
        "Size": phrases.sizes(told),
        "Confidence": phrases.certainty(told.whole),
        "Average": phrases.values(told.whole),
    }
    rows = "".join(f"<div><dt>{key}</dt><dd>{escape(value)}</dd></div>" for key, value in facts.items() if value)
    seen = f"Stick figures of reference and query, apart and overlaid: {sentence}"
    return (
        f'<article><h3><span class="rank">{told.rank}</span>{escape(phrases.capital(sentence))}</h3>\n'
        f"{_image(picture, seen)}\n<dl>{rows}</dl></article>"
    )


def _when(frames: tuple[int, int], fps: float) -> str:
    return f"{phrases.times(frames, fps)}, {phrases.frames_named(frames)}"


def _further(told: Sequence[Told], comparison: Comparison) -> str:
    rows = (
        (
            str(one.rank),
            phrases.statement(one.whole, comparison),
            phrases.frame_range(one.whole.query_frames),
            phrases.frame_range(one.whole.reference_frames),
            phrases.sizes(one),
            phrases.percentage(one.whole.confidence),
        )
        for one in told
    )
    head = ("", "Further differences", "Query frames", "Reference frames", "Size", "Confidence")
    return table(head, rows, words=(1,))


def _segments(comparison: Comparison) -> str:
    if not comparison.segments:
        return ""
    dimensions = list(comparison.segments[0].scores)
    rows = []
    for segment in comparison.segments:
        scores = [segment.score, *(segment.scores.get(name, math.nan) for name in dimensions)]
        places = ((segment.query, comparison.query.fps), (segment.reference, comparison.reference.fps))
        rows.append(
            (
                segment.name,
                *(f"{phrases.times(frames, fps)} ({phrases.frame_range(frames)})" for frames, fps in places),
                *map(phrases.number, scores),
                phrases.timing(segment.timing_offset_s),
            )
        )
    head = (
        "Segment",
        "Query (frames)",
        "Reference (frames)",
        "Score",
        *map(phrases.capital, dimensions),
        "Query starts",
    )
    rows_shown = table(head, rows, words=(0,), scores=range(3, 4 + len(dimensions)))
    return (
        "<section><h2>Segment by segment</h2>\n<p>Scores of 0 to 100, the lower the darker. The query starts a segment "
        f"earlier or later than it would at the reference's rhythm.</p>\n{rows_shown}</section>"
    )


def _figure(plot: Plot, picture: bytes) -> str:
    caption = escape(plot.caption)
    image = _image(picture, f"{plot.title}. {plot.caption}")
    return (
        f'<section><h2>{escape(plot.title)}</h2>\n<p>{caption}</p>\n<div class="wide picture">{image}</div></section>'
    )


def _image(picture: bytes, alt: str) -> str:
    return f'<img src="data:image/png;base64,{base64.b64encode(picture).decode()}" alt="{escape(alt)}">'


def _exemplars(comparison: Comparison) -> str:
    if not comparison.exemplars:
        return ""
    rows = ((path, phrases.number(score)) for path, score in comparison.exemplars)
    return f"<section><h2>References, the nearest first</h2>\n{table(('File', 'Score'), rows, words=(0,))}</section>"


def _notes(comparison: Comparison) -> str:
    if not comparison.notes:
        return ""
    items = "".join(f"<li>{escape(note)}</li>" for note in comparison.notes)
    return f"<section><h2>What was assumed</h2>\n<ul>{items}</ul></section>"


def _provenance(comparison: Comparison) -> str:
    facts = {
        "posediff": posediff.__version__,
        "settings": plain(comparison.settings),
        "reference": plain(comparison.reference.source),
        "query": plain(comparison.query.source),
    }
    text = escape(json.dumps(facts, indent=2, ensure_ascii=False))
    return f"<details><summary>How this was made</summary>\n<pre>{text}</pre></details>"
