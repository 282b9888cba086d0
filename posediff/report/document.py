"""A comparison as a JSON document, and the folder that holds it with its pictures and its page."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

import posediff
from posediff.compare.comparison import Alignment, Comparison, Difference, Segment
from posediff.errors import CannotWrite
from posediff.language import phrases
from posediff.sequence import PoseSequence

FORMAT = "posediff.comparison/1"


class Besides(Protocol):
    """What is told of a pair besides its comparison: scores of a network, answers to questions."""

    def document(self) -> dict[str, Any]:
        """Further fields of the JSON document, as plain types."""

    def lines(self) -> list[str]:
        """Lines for a terminal."""

    def section(self) -> str:
        """A section of the page."""


def document(comparison: Comparison, *besides: Besides) -> dict[str, Any]:
    """The comparison as plain JSON types, as ``annotations/comparison-1.schema.json`` describes it.

    Frame ranges are ``[first, end]`` in the numbering of the files, ``end`` exclusive; the alignment's indices count
    from 0. What is unknown is ``null``: every number is finite.

    Args:
        comparison: what was measured.
        besides: what else is told of the same performances.
    """
    result: dict[str, Any] = {
        "format": FORMAT,
        "reference": _performance(comparison.reference),
        "query": _performance(comparison.query),
        "score": _number(comparison.score, 2),
        "scores": _scores(comparison.scores),
        "summary": phrases.summary(comparison),
        "alignment": _alignment(comparison.alignment),
        "segments": [_segment(segment) for segment in comparison.segments],
        "differences": [_difference(difference, comparison) for difference in comparison.differences],
        "exemplars": [{"path": str(path), "score": _number(score, 2)} for path, score in comparison.exemplars],
        "notes": [str(note) for note in comparison.notes],
        "provenance": {
            "posediff": posediff.__version__,
            "settings": plain(comparison.settings),
            "reference": plain(comparison.reference.source),
            "query": plain(comparison.query.source),
        },
    }
    for part in besides:
        result |= part.document()
    return result


def dumps(comparison: Comparison, *besides: Besides) -> str:
    """The document as JSON text, on one line."""
    return json.dumps(document(comparison, *besides), ensure_ascii=False, allow_nan=False)


def write_report(comparison: Comparison, folder: str | Path, *besides: Besides) -> list[Path]:
    """Write ``comparison.json``, the plots as PNG and ``report.html`` into a folder, which is made if need be.

    Everything is made in a temporary folder first and then moved, so a failure leaves nothing half-written. Other
    files in the folder stay as they are.

    Args:
        comparison: what was measured.
        folder: where to.
        besides: what else is told of the same performances.

    Returns:
        The files written.

    Raises:
        CannotWrite: if the folder cannot be made or written.
    """
    from posediff.report.html import page
    from posediff.report.plots import cards, pictures

    target = Path(folder)
    drawn = pictures(comparison)
    html = page(comparison, drawn, cards(comparison), *besides)
    texts = {"comparison.json": dumps(comparison, *besides), "report.html": html}
    contents = {**{name: text.encode("utf-8", "replace") for name, text in texts.items()}, **drawn}
    try:
        return _write_all(contents, target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotWrite(
            f"cannot write the report to {target}: {reason}", "give --out a folder that can be written"
        ) from error


def plain(value: Any) -> Any:
    """A value as JSON can hold it: numbers finite or None, containers as dict and list, all else as text."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (np.bool_, np.number)):
        return plain(value.item())
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(f"{value:.9g}") if math.isfinite(value) else None
    if isinstance(value, (Sequence, set, frozenset)) and not isinstance(value, (bytes, bytearray)):
        return [plain(item) for item in (sorted(value, key=str) if isinstance(value, (set, frozenset)) else value)]
    return str(value)


def _performance(sequence: PoseSequence) -> dict[str, Any]:
    return {
        "path": str(sequence.source.get("path") or ""),
        "frames": len(sequence),
        "fps": _number(sequence.fps, 4),
        "first_frame": int(sequence.frames[0]) if len(sequence) else None,
        "skeleton": sequence.skeleton.name,
        "dimensions": sequence.dimensions,
        "person": int(sequence.person),
    }


def _alignment(alignment: Alignment) -> dict[str, Any]:
    return {
        "path": [[int(i), int(j)] for i, j in alignment.path],
        "correspondence": _numbers(alignment.correspondence, 3),
        "uncertainty": _numbers(alignment.uncertainty, 4),
        "cost": _number(alignment.cost, 6),
        "divergence": _number(alignment.divergence, 6),
        "gamma": _number(alignment.gamma, 9),
        "band": None if alignment.band is None else int(alignment.band),
    }


def _segment(segment: Segment) -> dict[str, Any]:
    return {
        "statement": phrases.segment_statement(segment),
        "name": segment.name,
        "reference": _pair(segment.reference),
        "query": _pair(segment.query),
        "score": _number(segment.score, 2),
        "scores": _scores(segment.scores),
        "timing_offset_s": _number(segment.timing_offset_s, 4),
    }


def _difference(difference: Difference, comparison: Comparison) -> dict[str, Any]:
    return {
        "statement": phrases.statement(difference, comparison),
        "measure": difference.measure,
        "joints": list(difference.joints),
        "segment": difference.segment,
        "reference_frames": _pair(difference.reference_frames),
        "query_frames": _pair(difference.query_frames),
        "peak": _pair(difference.peak),
        "values": _numbers(difference.values, 3),
        "more_in": difference.more_in,
        "magnitude": _number(difference.magnitude, 3),
        "unit": difference.unit,
        "noise": _number(difference.noise, 3),
        "confidence": _number(difference.confidence, 4),
        "importance": _number(difference.importance, 4),
    }


def _scores(scores: Mapping[str, float]) -> dict[str, float | None]:
    return {str(name): _number(score, 2) for name, score in scores.items()}


def _pair(frames: tuple[int, int]) -> list[int]:
    return [int(frame) for frame in frames]


def _numbers(values: Sequence[float] | np.ndarray, digits: int) -> list[float | None]:
    return [_number(value, digits) for value in values]


def _number(value: float, digits: int) -> float | None:
    number = float(value)
    return round(number, digits) + 0.0 if math.isfinite(number) else None  # + 0.0 turns -0.0 into 0.0


def _write_all(contents: Mapping[str, bytes], target: Path) -> list[Path]:
    """Write the files whole: into a temporary folder on the same file system, then move them into place."""
    near = next(folder for folder in (target, *target.absolute().parents) if folder.exists())
    scratch = Path(tempfile.mkdtemp(prefix=".posediff-", dir=near))
    try:
        made = scratch / "report"
        made.mkdir()
        for name, content in contents.items():
            (made / name).write_bytes(content)
        if target.exists():
            for name in contents:
                (made / name).replace(target / name)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.rename(target)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return [target / name for name in contents]
