"""VidDiffBench (Burgess et al. 2025): pairs of videos of one action, and whose performance each statement is truer of.

The published table has one row a pair: ``sample_key``, ``action`` (``fitness_0``), ``action_name``,
``action_description``, ``split`` (easy, medium, hard), ``domain``, ``source_dataset``,
``n_differences_open_prediction``, and as JSON texts

- ``videos``: two objects with ``path``, ``frames_trim`` (start, end, step of a slice) and ``fps_original``;
- ``differences_annotated``: the action's statements by key, each with ``name``, ``description``, ``query_string`` and
  ``num_frames``, or null;
- ``differences_gt``: ``a``, ``b``, ``c`` (as true of both) or null (not labelled) by the same keys;
- ``retrieval_frames``: for A and for B the frames where each statement shows, counted from the start of the trimmed
  video, or null.

The first release has no ``domain``: its ``split`` is the domain, and the difficulty stands in
``lookup_action_to_split.json``, the numbers for the open setting in ``n_differences.json``. Neither release says what
the key points of an action are called.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from posediff.errors import BadData, BadSetting, MissingDependency, listed, suggestion
from posediff.io.checks import Fault, get, shown, typed
from posediff.io.content import Content

SPLITS = ("easy", "medium", "hard")
#: Statements that the open setting allows to every labelled one.
OPEN_SHARE = 1.5

Label = Literal["a", "b", "c"]
_LABELS = ("a", "b", "c")
#: Columns that are read; the thumbnails, most of the published file, are not.
_COLUMNS = (
    "sample_key", "action", "action_name", "action_description", "split", "domain", "source_dataset", "videos",
    "differences_annotated", "differences_gt", "retrieval_frames", "n_differences_open_prediction",
)  # fmt: skip
#: Names of the table, the first that are there; a table may be in several parts.
_TABLES = ("*.parquet", "*.arrow", "*.jsonl", "test*.json")
_HINT = "give the files as they were published"


@dataclass(frozen=True)
class Video:
    """One of a pair.

    Attributes:
        path: of a video, or of a folder of images.
        start, end: the frames of it that show the action, end exclusive; None for its own.
        fps: its frames a second; None where unknown.
    """

    path: Path
    start: int | None
    end: int | None
    fps: float | None

    @property
    def location(self) -> str:
        """As posediff reads it: ``path#start:end``."""
        return located(self.path, self.start, self.end)


@dataclass(frozen=True)
class Statement:
    """Something that can be truer of one performance than of another.

    Attributes:
        id: its key in the taxonomy of the action.
        name: a few words.
        text: the whole statement.
        query: the statement as short as it is asked.
    """

    id: str
    name: str
    text: str
    query: str


@dataclass(frozen=True)
class Difference(Statement):
    """A statement about a pair, labelled.

    Attributes:
        label: of whom it is truer, ``c`` for neither.
        frames: where it shows in A and in B, from the start of the trimmed video; empty where that was not labelled.
    """

    label: Label
    frames: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())


@dataclass(frozen=True)
class Action:
    """An action, with its statements by their ids."""

    code: str
    name: str
    description: str
    split: str
    domain: str
    differences: Mapping[str, Statement]


@dataclass(frozen=True)
class VideoPair:
    """Two videos of one action and the labelled differences by their ids.

    Attributes:
        n_open: most statements that may be made in the open setting.
    """

    key: str
    action: str
    split: str
    domain: str
    source: str
    videos: tuple[Video, Video]
    differences: Mapping[str, Difference]
    n_open: int


@dataclass(frozen=True)
class VidDiffBench:
    """The benchmark, its pairs in the published order."""

    pairs: tuple[VideoPair, ...]
    actions: Mapping[str, Action]

    @property
    def missing_videos(self) -> tuple[Path, ...]:
        """The videos that are not there, each once."""
        paths = dict.fromkeys(video.path for pair in self.pairs for video in pair.videos)
        return tuple(path for path in paths if not path.exists())


def load(root: str | Path, splits: Sequence[str] = SPLITS, *, videos: str | Path | None = None) -> VidDiffBench:
    """Read the benchmark's labels; no video is opened.

    Args:
        root: the folder that was downloaded, which holds the table (in it, or in its ``data``) as parquet, arrow, JSON
            lines or JSON; or the table itself.
        splits: those that are wanted.
        videos: what the paths of the videos are relative to; by default the folder.

    Raises:
        BadSetting: for an unknown split.
        BadData: if there is no table, or entries of it are wrong; it names them.
        MissingDependency: if it is parquet or arrow, and pyarrow is not installed.
    """
    for split in splits:
        if split not in SPLITS:
            raise BadSetting(f"there is no split {split!r}", suggestion(split, SPLITS))
    root = Path(root)
    tables = _tables(root)
    rows = [row for path in tables for row in _rows(path)]
    folder = root if root.is_dir() else root.parent
    lookups = [_lookup(folder, name) for name in ("lookup_action_to_split.json", "n_differences.json")]
    actions: dict[str, Action] = {}
    pairs: dict[str, VideoPair] = {}
    faults = []
    for number, row in enumerate(rows):
        try:
            pair, action = _pair(row, lookups, Path(videos) if videos is not None else folder)
            if pair.key in pairs:
                raise Fault("its sample_key occurs before")
        except Fault as fault:
            name = row.get("sample_key") if isinstance(row, Mapping) else None
            faults.append(f"row {number} ({shown(name)}): {fault}")
            continue
        pairs[pair.key] = pair
        known = actions.get(action.code, action).differences
        actions[action.code] = replace(action, differences={**known, **action.differences})
    if faults:
        raise BadData(f"{tables[0]}: {listed(faults, '; ')}", _HINT)
    chosen = tuple(pair for pair in pairs.values() if pair.split in splits)
    if not chosen:
        raise BadData(f"{tables[0]}: has no pair of the splits {', '.join(splits)}", _HINT)
    return VidDiffBench(chosen, {code: action for code, action in actions.items() if action.split in splits})


def located(path: Path, start: int | None, end: int | None) -> str:
    """``path#start:end``, or the path alone where all of it is meant."""
    if start is None and end is None:
        return str(path)
    return f"{path}#{'' if start is None else start}:{'' if end is None else end}"


def _tables(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise BadData(f"{root}: no such file or folder", "name the folder that the data set was downloaded to")
    for folder in (root, root / "data", root / "test"):
        for pattern in _TABLES:
            if found := sorted(folder.glob(pattern)):
                return found
    names = ", ".join(_TABLES)
    raise BadData(f"{root}: neither it nor its data holds a table ({names})", _HINT)


def _rows(path: Path) -> list[Any]:
    if path.suffix in (".parquet", ".arrow"):
        return _arrow_rows(path)
    content = Content(path)
    if path.suffix == ".jsonl":
        rows = []
        for number, line in enumerate(content.text.splitlines(), 1):
            try:
                rows += [json.loads(line)] if line.strip() else []
            except (ValueError, RecursionError) as error:
                raise BadData(f"{path}: line {number} is not valid JSON ({error})", "export it again") from None
        return rows
    if not isinstance(content.document, list):
        raise BadData(f"{path}: is {shown(content.document)}, expected a list of pairs", _HINT)
    return content.document


def _arrow_rows(path: Path) -> list[dict[str, Any]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as parquet
    except ImportError:
        raise MissingDependency("pyarrow", "viddiff", f"reading {path.name}") from None
    try:
        if path.suffix == ".parquet":
            names = parquet.read_schema(path).names
            return parquet.read_table(path, columns=[name for name in _COLUMNS if name in names]).to_pylist()
        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_stream(source).read_all()
            return table.select([name for name in _COLUMNS if name in table.column_names]).to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise BadData(f"{path}: cannot be read ({str(error).splitlines()[0]})", "download it again") from None


def _lookup(folder: Path, name: str) -> Mapping[str, Any]:
    for path in (folder / name, folder / "data" / name):
        if path.is_file():
            document = Content(path).document
            if not isinstance(document, Mapping):
                raise BadData(f"{path}: is {shown(document)}, expected an object", _HINT)
            return document
    return {}


def _pair(row: Any, lookups: Sequence[Mapping[str, Any]], folder: Path) -> tuple[VideoPair, Action]:
    key, code, split = (get(row, name, str) for name in ("sample_key", "action", "split"))
    domain = get(row, "domain", str, default=split)
    if split not in SPLITS:  # the first release
        split = get(lookups[0], code, str, "lookup_action_to_split.json")
    if split not in SPLITS:
        raise Fault(f"split is {split!r}, expected one of {', '.join(SPLITS)}")
    videos, annotated, labels = (_nested(row, name) for name in ("videos", "differences_annotated", "differences_gt"))
    frames = _nested(row, "retrieval_frames") if row.get("retrieval_frames") is not None else [{}, {}]
    for name, value in (("videos", videos), ("retrieval_frames", frames)):
        if len(typed(value, list, name)) != 2:
            raise Fault(f"{name} has {len(value)} entries, expected two")
    taxonomy = {
        name: _statement(name, one)
        for name, one in typed(annotated, dict, "differences_annotated").items()
        if one is not None
    }
    differences = {}
    for name, label in typed(labels, dict, "differences_gt").items():
        if label is None:
            continue
        if label not in _LABELS:
            raise Fault(f"differences_gt.{name} is {shown(label)}, expected a, b, c or null")
        if name not in taxonomy:
            raise Fault(f"differences_gt.{name} is labelled, but differences_annotated has no such statement")
        shows = tuple(_shown_at(side, name, f"retrieval_frames[{n}]") for n, side in enumerate(frames))
        differences[name] = Difference(**vars(taxonomy[name]), label=label, frames=(shows[0], shows[1]))
    n_open = get(row, "n_differences_open_prediction", int, default=None)
    if n_open is None:
        known = lookups[1].get(domain) or {}
        n_open = get(known, code, int, f"n_differences.json.{domain}", math.ceil(OPEN_SHARE * len(differences)))
    first, second = (_video(one, folder, f"videos[{n}]") for n, one in enumerate(videos))
    pair = VideoPair(key, code, split, domain, get(row, "source_dataset", str, default=""), (first, second),
                     differences, n_open)  # fmt: skip
    name, text = (get(row, field, str, default="") for field in ("action_name", "action_description"))
    return pair, Action(code, name, text, split, domain, taxonomy)


def _statement(name: str, one: Any) -> Statement:
    text = get(one, "description", str, f"differences_annotated.{name}")
    short, query = (get(one, field, str, f"differences_annotated.{name}", "") for field in ("name", "query_string"))
    return Statement(name, short or text, text, query or text)


def _nested(row: Mapping[str, Any], name: str) -> Any:
    """A value that the table holds as JSON text, and an export perhaps as it is."""
    value = row.get(name)
    if value is None:
        raise Fault(f"{name} is missing")
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise Fault(f"{name} is not valid JSON ({error})") from None


def _video(one: Any, folder: Path, place: str) -> Video:
    path = get(one, "path", str, place)
    trim = get(one, "frames_trim", list, place, [])
    ends = [None if end is None else typed(end, int, f"{place}.frames_trim") for end in (*trim, None, None)[:2]]
    if any(end is not None and end < 0 for end in ends) or any(step not in (None, 1) for step in trim[2:]):
        raise Fault(f"{place}.frames_trim is {trim}, expected a start and an end from 0 on, and no step")
    return Video(folder / path, ends[0], ends[1], get(one, "fps_original", float, place, None))


def _shown_at(side: Any, name: str, place: str) -> tuple[int, ...]:
    frames = get(side, name, list, place, [])
    return tuple(typed(frame, int, f"{place}.{name}") for frame in frames if frame is not None)
