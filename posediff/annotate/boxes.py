"""Boxes around people: arrays of corners and confidence, and the files that hold them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from posediff.errors import BadSetting
from posediff.io.checks import LARGEST_INTEGER, Fault, bad, get, integers, shown
from posediff.io.content import Content
from posediff.io.documents import dumped, objects
from posediff.io.files import write_files
from posediff.io.native import shortest

#: Names of the two files, which are also their versions.
BOXES, TRACKS = "posediff.boxes/1", "posediff.tracks/1"

#: Faults of one file that are told one by one; the rest are counted.
MOST_TOLD = 10

#: Largest coordinate that is still taken for a pixel.
FARTHEST = 1e6

_NUMBER = r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*"
_BOX = re.compile(",".join([_NUMBER] * 4))
_POINT = re.compile(",".join([_NUMBER] * 2))


@dataclass(frozen=True, eq=False)
class Track:
    """One person's boxes through a video.

    Attributes:
        id: stable over the video, counted from 0 in the order of appearance.
        frames: (T,) int64 frame numbers, increasing: every frame from the first to the last that the person is in.
        boxes: (T, 5) float32 x0, y0, x1, y1 in pixels and confidence in [0, 1]. Where no detection was, the box is
            interpolated or predicted and its confidence is 0.
    """

    id: int
    frames: np.ndarray
    boxes: np.ndarray


class FrameBoxes(NamedTuple):
    """The boxes of everybody in a video, frame by frame.

    Attributes:
        frames: (T,) int64 frame numbers, increasing.
        boxes: for each of them (N, 5) float32 x0, y0, x1, y1 in pixels and confidence in [0, 1].
    """

    frames: np.ndarray
    boxes: list[np.ndarray]


class Start(NamedTuple):
    """Where a user says that the athlete is.

    Attributes:
        place: (4,) x0, y0, x1, y1 of a box, or (2,) x, y of a click on the athlete, in pixels.
        frame: the frame number that it holds for; None for the first frame.
    """

    place: np.ndarray
    frame: int | None


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of every pair of boxes.

    Args:
        a: (N, 4 or more) x0, y0, x1, y1.
        b: (M, 4 or more) likewise.

    Returns:
        (N, M) in [0, 1]; 0 where a box is empty or turned inside out.
    """
    a, b = _corners(a), _corners(b)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1) for boxes in (a, b)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def corner_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Distance between the corners of every pair of boxes: eq. 25 of HP-MCoRe (Qi et al. 2025).

    Args:
        a: (N, 4 or more) x0, y0, x1, y1.
        b: (M, 4 or more) likewise.

    Returns:
        (N, M) in the unit of the boxes.
    """
    return np.sqrt(((_corners(a)[:, None] - _corners(b)[None]) ** 2).sum(axis=2))


def read_boxes(path: Path | str) -> FrameBoxes:
    """The boxes of a ``posediff.boxes/1`` file.

    Args:
        path: JSON, ``{"format": "posediff.boxes/1", "frames": [[[x0, y0, x1, y1, score], ...], ...]}``. The list's k-th
            item is the video's k-th frame, unless ``numbers`` gives the frame numbers. A score that is left out is 1.

    Raises:
        BadData: naming every fault and its place in the document.
    """
    content = _opened(path, BOXES)
    faults = _constants(content)
    frames = _collected(faults, lambda: get(content.document, "frames", list), [])
    boxes = [_boxes(items, f"frames[{index}]", faults) for index, items in enumerate(frames)]
    numbers = _collected(faults, lambda: get(content.document, "numbers", list, default=None), None)
    rows = np.arange(len(frames))
    if numbers is not None:
        rows = _collected(faults, lambda: _increasing(numbers, "numbers", len(frames)), rows)
    _raise_all(content, faults)
    return FrameBoxes(rows.astype(np.int64), boxes)


def write_boxes(path: Path | str, boxes: Sequence[np.ndarray], frames: np.ndarray | None = None) -> None:
    """Write the boxes of a video as a ``posediff.boxes/1`` file.

    Args:
        path: the file.
        boxes: (N, 5) of every frame.
        frames: (T,) frame numbers; None where they are 0, 1, 2, ...

    Raises:
        CannotWrite: if the file system refuses.
    """
    document: dict[str, Any] = {"format": BOXES}
    if frames is not None and list(frames) != list(range(len(boxes))):
        document["numbers"] = [int(number) for number in frames]
    document["frames"] = [_listed(one) for one in boxes]
    write_files({Path(path): dumped(document)})


def read_tracks(path: Path | str) -> list[Track]:
    """The tracks of a ``posediff.tracks/1`` file, in its order.

    Args:
        path: JSON, ``{"format": "posediff.tracks/1", "tracks": [{"id": 0, "frames": [...], "boxes": [[x0, y0, x1, y1,
            score], ...]}, ...]}``. A score that is left out is 1.

    Raises:
        BadData: naming every fault and its place in the document.
    """
    content = _opened(path, TRACKS)
    faults = _constants(content)
    items = _collected(faults, lambda: objects(get(content.document, "tracks", list), "tracks"), [])
    tracks = [_track(item, f"tracks[{index}]", faults) for index, item in enumerate(items)]
    ids = [track.id for track in tracks if track is not None]
    faults += [
        f"id {number} occurs more than once in tracks" for number in sorted({i for i in ids if ids.count(i) > 1})
    ]
    _raise_all(content, faults)
    return [track for track in tracks if track is not None]


def write_tracks(path: Path | str, tracks: Iterable[Track]) -> None:
    """Write tracks as a ``posediff.tracks/1`` file.

    Raises:
        CannotWrite: if the file system refuses.
    """
    items = [{"id": int(one.id), "frames": one.frames.tolist(), "boxes": _listed(one.boxes)} for one in tracks]
    write_files({Path(path): dumped({"format": TRACKS, "tracks": items})})


def parse_init_box(text: str) -> Start:
    """Where the athlete is, as a user writes it.

    Args:
        text: ``x0,y0,x1,y1@frame`` for a box or ``x,y@frame`` for a click on the athlete, in pixels; without ``@frame``
            it is meant for the first frame.

    Raises:
        BadSetting: if it is neither, or the box has no area.
    """
    hint = "write x0,y0,x1,y1@frame, e.g. 120,40,180,200@0, or x,y@frame; @frame may be left out"
    place, at, number = text.partition("@")
    match = _BOX.fullmatch(place) or _POINT.fullmatch(place)
    if match is None or (at and not re.fullmatch(r"\s*\d{1,15}\s*", number, re.ASCII)):
        raise BadSetting(f"the start box {text!r} cannot be read", hint)
    values = np.array([float(value) for value in match.groups()])
    if not (np.abs(values) <= FARTHEST).all():
        raise BadSetting(f"the start box {text!r} lies outside of any picture", hint)
    if len(values) == 4 and not (values[2:] > values[:2]).all():
        raise BadSetting(f"the start box {text!r} has no area: x1 > x0 and y1 > y0 are needed", hint)
    return Start(values, int(number) if at else None)


def _corners(boxes: np.ndarray) -> np.ndarray:
    boxes = np.asarray(boxes, dtype=np.float64)
    return boxes[:, :4] if boxes.size else boxes.reshape(-1, 4)


def _listed(boxes: np.ndarray) -> list[list[float]]:
    return shortest(np.asarray(boxes, dtype=np.float32)).reshape(-1, 5).tolist()


def _opened(path: Path | str, name: str) -> Content:
    """The file, if its document calls itself by that name."""
    content = Content(Path(path))
    if content.is_folder:
        raise bad(path, ["is a folder"], f"give a JSON file of format {name}")
    document = content.document
    found = document.get("format") if isinstance(document, dict) else None
    if found != name:
        raise bad(path, [f"format is {shown(found)}, expected '{name}'"], f'the file has to begin {{"format": "{name}"')
    return content


def _constants(content: Content) -> list[str]:
    return [f"{constant} is no JSON number" for constant in sorted(content.constants)]


def _collected(faults: list[str], step: Any, otherwise: Any) -> Any:
    """What a step returns, its fault put down."""
    try:
        return step()
    except Fault as fault:
        faults.append(str(fault))
        return otherwise


def _track(item: dict[str, Any], place: str, faults: list[str]) -> Track | None:
    before = len(faults)
    number = _collected(faults, lambda: _whole(get(item, "id", int, place), f"{place}.id"), 0)
    items = _collected(faults, lambda: get(item, "boxes", list, place), None)
    listed = _collected(faults, lambda: get(item, "frames", list, place), None)
    boxes = _boxes(items, f"{place}.boxes", faults) if items is not None else None
    if boxes is None or listed is None:
        return None
    frames = _collected(faults, lambda: _increasing(listed, f"{place}.frames", len(items)), None)
    if not items:
        faults.append(f"{place} has no frames")
    return Track(number, frames, boxes) if len(faults) == before else None


def _boxes(items: Any, place: str, faults: list[str]) -> np.ndarray:
    """(N, 5) float32 boxes of a JSON list; the faults of each box are put down."""
    if not isinstance(items, list):
        faults.append(f"{place} is {shown(items)}, expected a list of boxes")
        return np.zeros((0, 5), np.float32)
    found = [
        _collected(faults, lambda i=i, item=item: _box(item, f"{place}[{i}]"), None) for i, item in enumerate(items)
    ]
    return np.array([box for box in found if box is not None], np.float32).reshape(-1, 5)


def _box(item: Any, place: str) -> list[float]:
    if not isinstance(item, list) or len(item) not in (4, 5):
        raise Fault(f"{place} is {shown(item)}, expected x0, y0, x1, y1 and perhaps a score")
    for index, value in enumerate(item):
        if type(value) not in (int, float) or not abs(value) <= FARTHEST:
            raise Fault(f"{place}[{index}] is {shown(value)}, expected a number of at most {FARTHEST:g}")
    x0, y0, x1, y1, *score = item
    if not (x1 > x0 and y1 > y0):
        raise Fault(f"{place} is {x0:g}, {y0:g}, {x1:g}, {y1:g}: x1 > x0 and y1 > y0 are needed")
    if score and not 0 <= score[0] <= 1:
        raise Fault(f"{place}[4] is {score[0]:g}, expected a score from 0 to 1")
    return [float(value) for value in (x0, y0, x1, y1, *(score or [1]))]


def _increasing(listed: list[Any], place: str, count: int) -> np.ndarray:
    """(count,) frame numbers of 0 or more, each larger than the one before."""
    numbers = integers(listed, place, None)
    if len(numbers) != count:
        raise Fault(f"{place} has {len(numbers)} values, expected {count}")
    if len(numbers) and numbers[0] < 0:
        raise Fault(f"{place}[0] is {numbers[0]}, expected 0 or more")
    wrong = np.flatnonzero(np.diff(numbers) <= 0)
    if len(wrong):
        row = int(wrong[0]) + 1
        raise Fault(f"{place}[{row}] is {numbers[row]} after {numbers[row - 1]}, expected increasing frame numbers")
    return numbers


def _whole(number: int, place: str) -> int:
    if not 0 <= number <= LARGEST_INTEGER:
        raise Fault(f"{place} is {number}, expected 0 or more")
    return number


def _raise_all(content: Content, faults: list[str]) -> None:
    if faults:
        rest = [f"and {len(faults) - MOST_TOLD} more"] if len(faults) > MOST_TOLD else []
        raise bad(content.path, [*faults[:MOST_TOLD], *rest])
