"""Anyone's own data: a CSV file that gives skeleton files their scores.

::

    file,score,action,difficulty,stages,split
    ana_1.json,88.0,407c,3.2,12;57,train
    ana_2.json,61.5,407c,3.2,9;52,test

Only ``file`` and ``score`` are needed. ``file`` is anything that posediff reads, ``match.json#250:400`` its frames 250
to 399, and ``person`` says who, where it holds several people. ``performer`` is the name of who that is in all files.
``difficulty`` and ``performer`` are in every row or in none. ``stages`` are the first frames of all stages but the
first, in the file's own numbering; where the cell is empty, or there is no such column, the stages that the skeleton
file itself names count; they are read with the skeletons and not here. Without ``split`` a fraction of every action is
for testing, or of the performers where there are several, always the same clips. No frame of a person is in both parts.

Columns may be divided by commas, semicolons or tabs, as the header shows; with semicolons or tabs a comma may be the
decimal sign, as spreadsheets write it in many countries.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from posediff.datasets.clips import Clip, Collection
from posediff.datasets.labels import exists
from posediff.datasets.leaks import Place, place_of, shared
from posediff.datasets.splits import validation_split
from posediff.errors import BadData, BadSetting, listed, suggestion
from posediff.io.checks import Fault, shown
from posediff.io.content import Content

COLUMNS = ("file", "score", "action", "difficulty", "stages", "split", "person", "performer")
NEEDED = ("file", "score")
#: Those that are in every row or in none.
WHOLE = ("difficulty", "performer")
PARTS = ("train", "test")

_HINT = f"correct the table; its columns are {', '.join(COLUMNS)}, of which {' and '.join(NEEDED)} are needed"

_LEAK = "put all clips of these frames into one split; where they show different people, say who in the column person"


@dataclass(frozen=True)
class FolderSettings:
    """Where the data lies.

    Attributes:
        csv: the table.
        poses: folder that its files lie in; empty for that of the table.
        stages: names of the stages in order; by default ``stage 1`` and so on, as many as the table has.
        test: fraction of the clips, or of the performers, for testing, where the table has no column ``split``.
        seed: of that choice.
    """

    csv: str
    poses: str = ""
    stages: tuple[str, ...] = ()
    test: float = 0.25
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.test < 1:
            raise BadSetting(f"FolderSettings: test is {self.test}", "give a fraction from 0 to below 1")


def load(settings: FolderSettings) -> Collection:
    """The clips of the table, in its order.

    Raises:
        BadData: naming everything that is wrong, by line.
    """
    path = Path(settings.csv)
    folder = Path(settings.poses) if settings.poses else path.parent
    clips: dict[str, Clip] = {}
    parts: dict[str, list[Clip]] = {part: [] for part in PARTS}
    lines: dict[str, int] = {}
    places: dict[Place, int] = {}
    without: dict[str, list[int]] = {name: [] for name in WHOLE}
    faults: list[str] = []
    rows = list(_rows(path))
    for line, row in rows:
        for name in WHOLE:
            if not row.get(name):
                without[name].append(line)
        try:
            clip = _clip(row, folder)
            first = places.setdefault(place_of(clip), line)
            if first != line:
                raise Fault(f"{clip.key} has a row already, in line {first}")
            if "split" in row and row["split"].lower() not in PARTS:
                raise Fault(f"split is {shown(row['split'])}, expected train or test")
        except (Fault, BadData) as fault:
            faults.append(f"line {line}: {fault}")
            continue
        lines[clip.key], clips[clip.key] = line, clip
        parts[row.get("split", "train").lower()].append(clip)
    for name, empty in without.items():
        if 0 < len(empty) < len(rows):
            faults.append(f"{len(empty)} of {len(rows)} rows have no {name}, the others have one: line {listed(empty)}")
    faults += _unlike([clip for clip in clips.values() if clip.transitions is not None], settings.stages, lines)
    missing = [clip.poses for clip in clips.values() if not exists(clip.poses)]
    if missing:
        faults.append(f"{len(missing)} of {len(clips)} files do not exist: {listed(missing)}")
    if faults:
        raise BadData(f"{path}: {listed(faults, '; ')}", _HINT)

    train, test = tuple(parts["train"]), tuple(parts["test"])
    if "split" not in row:
        train, test = _divided(train, settings, path)
    if not train:
        raise BadData(f"{path}: no clip is for training", "write train into the column split")
    if leaks := shared(train, test):
        told = (f"line {lines[asked.key]} ({asked.key}) and line {lines[learnt.key]}" for learnt, asked in leaks)
        raise BadData(f"{path}: the same frames are for testing and for training: {listed(told)}", _LEAK)
    transitions = max((len(clip.transitions or ()) for clip in clips.values()), default=0)
    names = settings.stages or tuple(f"stage {number}" for number in range(1, transitions + 2) if transitions)
    return Collection(name=path.stem, train=train, test=test, stages=names)


def _divided(
    clips: tuple[Clip, ...], settings: FolderSettings, path: Path
) -> tuple[tuple[Clip, ...], tuple[Clip, ...]]:
    try:
        return validation_split(clips, settings.test, settings.seed, str(path))
    except BadData as error:
        raise BadData(str(error), f"{error.hint}, or say in a column split which clips are for testing") from None


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows that are not blank: number of the line, cells by column."""
    file = io.StringIO(_text(path), newline=None)
    delimiter = max(",;\t", key=next((line for line in file if line.strip()), "").count)
    file.seek(0)
    reader = csv.reader(file, delimiter=delimiter, skipinitialspace=True)
    columns: list[str] = []
    count = 0
    for cells in _read(reader, path):
        cells = [cell.strip() for cell in cells]
        if not any(cells):
            continue
        if not columns:
            columns = _columns(cells, path)
            continue
        if len(cells) != len(columns):
            expected = f"{len(columns)} by the header"
            raise BadData(f"{path}: line {reader.line_num} has {len(cells)} cells, expected {expected}", _HINT)
        count += 1
        row = dict(zip(columns, cells, strict=True))
        if delimiter != ",":
            row |= {name: row[name].replace(",", ".") for name in ("score", "difficulty") if name in row}
        yield reader.line_num, row
    if not count:
        raise BadData(f"{path}: has no rows", _HINT)


def _text(path: Path) -> str:
    try:
        text = Content(path).data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # UTF-16 without a mark of its byte order passes as UTF-8
        raise BadData(f"{path}: is not UTF-8 text", "save it as UTF-8 (in Excel: CSV UTF-8)")
    return text


def _read(reader: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        raise BadData(f"{path}: cannot be read as CSV ({error})", _HINT) from None


def _columns(cells: list[str], path: Path) -> list[str]:
    columns = [cell.lower() for cell in cells]
    for number, (name, cell) in enumerate(zip(columns, cells, strict=True)):
        if name not in COLUMNS:
            raise BadData(f"{path}: unknown column {cell!r}; {suggestion(name, COLUMNS)}", _HINT)
        if name in columns[:number]:
            raise BadData(f"{path}: the column {name!r} is there twice", _HINT)
    if missing := [name for name in NEEDED if name not in columns]:
        raise BadData(f"{path}: lacks the column {' and '.join(missing)}", _HINT)
    return columns


def _clip(row: Mapping[str, str], folder: Path) -> Clip:
    if not row["file"]:
        raise Fault("file is empty")
    file = Path(row["file"].replace("\\", "/")).as_posix()  # written on Windows, read anywhere
    person = _whole(row["person"], "person") if row.get("person") else None
    return Clip(
        key=file if person is None else f"{file}:{person}",
        score=_number(row["score"], "score"),
        action=row.get("action", ""),
        difficulty=_number(row["difficulty"], "difficulty") if row.get("difficulty") else None,
        transitions=_transitions(row["stages"]) if row.get("stages") else None,
        poses=str(folder / file),
        person=person,
        performer=row.get("performer", ""),
    )


def _transitions(cell: str) -> tuple[int, ...]:
    return tuple(_whole(part, "stages") for part in re.split(r"[;,|\s]+", cell.strip(";,| ")))


def _number(cell: str, column: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise Fault(f"{column} is {shown(cell)}, expected a number") from None


def _whole(cell: str, column: str) -> int:
    if not re.fullmatch(r"\d{1,15}", cell):
        raise Fault(f"{column} is {shown(cell)}, expected a whole number")
    return int(cell)


def _unlike(clips: list[Clip], stages: tuple[str, ...], lines: Mapping[str, int]) -> list[str]:
    """Clips with another number of stages than the settings name or, where they name none, than the first clip has."""
    if not clips:
        return []
    expected = len(stages) if stages else len(clips[0].transitions or ()) + 1
    source = "the settings" if stages else f"line {lines[clips[0].key]}"
    return [
        f"line {lines[clip.key]}: has {count} stages, expected {expected} as in {source}"
        for clip in clips
        if (count := len(clip.transitions or ()) + 1) != expected
    ]
