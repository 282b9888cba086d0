"""posediff's own file; docs/formats.md is its contract."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from posediff.errors import BadData
from posediff.io.checks import Fault, array, bad, get, integers, shown, typed
from posediff.io.content import Content
from posediff.io.losses import EVERYTHING
from posediff.io.registry import Format
from posediff.sequence import UNITS, PoseSequence, Stage
from posediff.skeletons import CATALOGUE, Skeleton

FORMAT = "posediff/1"

#: Frames that are turned into Python objects at a time.
CHUNK = 1000


def sniff(content: Content) -> bool:
    """Whether the document calls itself a posediff file, of whatever version."""
    document = content.document
    name = document.get("format") if isinstance(document, dict) else None
    return isinstance(name, str) and name.startswith("posediff/")


def read(content: Content, skeleton: str | None = None) -> list[PoseSequence]:
    """Every person of a native file.

    Raises:
        BadData: naming every fault and its place in the document.
    """
    document = content.document
    name = get(document, "format", str)
    if name != FORMAT:
        raise BadData(f"format is {shown(name)}, this posediff reads {FORMAT}", "update posediff, or write it again")
    faults = [f"{constant} is no JSON number" for constant in sorted(content.constants)]

    def checked(step: Callable[[], Any], otherwise: Any = None) -> Any:
        """What a step returns, its fault put down."""
        try:
            return step()
        except (Fault, BadData) as fault:
            faults.append(str(fault))
            return otherwise

    common = {
        "skeleton": checked(lambda: skeleton_from(get(document, "skeleton", dict))),
        "fps": checked(lambda: _fps(get(document, "fps", float))),
        "image_size": checked(lambda: _image_size(get(document, "image_size", list, default=None))),
        "units": checked(lambda: _units(get(document, "units", str, default="px"))),
        "stages": checked(lambda: _stages(get(document, "stages", list, default=[]), "stages")),
        "source": checked(lambda: get(document, "source", dict, default={})),
    }
    dimensions = checked(lambda: _dimensions(get(document, "dimensions", int, default=None)))
    people = checked(lambda: get(document, "people", list), [])
    if faults:  # without these a person's faults would be followers
        raise bad(content.path, faults, "docs/formats.md describes the file")

    sequences = []
    ids: set[int] = set()
    for number, person in enumerate(people):
        sequence = checked(partial(_person, person, number, common, dimensions, faults))
        if sequence is not None:
            if sequence.person in ids:
                faults.append(f"people[{number}].id is {sequence.person} for the second time")
            ids.add(sequence.person)
            sequences.append(sequence)
    if faults:
        raise bad(content.path, faults, "docs/formats.md describes the file")
    return sequences


def render(people: Sequence[PoseSequence], path: Path) -> dict[Path, bytes]:
    """The file's bytes; people whose stages or provenance differ from the first one's carry their own."""
    first = people[0]
    members = {
        "format": _dumped(FORMAT),
        "skeleton": _dumped(first.skeleton.as_dict()),
        "fps": _dumped(first.fps),
        "image_size": _dumped(None if first.image_size is None else [int(side) for side in first.image_size]),
        "units": _dumped(first.units),
        "dimensions": _dumped(first.dimensions),
        "source": _dumped(plain(first.source)),
        "people": "[" + ",".join(_person_as_json(person, first) for person in people) + "]",
        "stages": _dumped(_stages_as_list(first)),
    }
    return {path: _object(members).encode()}


def _person(
    person: Any, number: int, common: dict[str, Any], dimensions: int | None, faults: list[str]
) -> PoseSequence | None:
    place = f"people[{number}]"
    joints = len(common["skeleton"].joints)
    before = len(faults)

    def checked(key: str, step: Callable[[Any, str], Any], default: Any = None) -> Any:
        """A value of the person, its fault put down."""
        try:
            value = get(person, key, list, place, default=default)
            return value if value is None else step(value, f"{place}.{key}")
        except Fault as fault:
            faults.append(str(fault))
            return None

    if not isinstance(person, dict):
        raise Fault(f"{place} is {shown(person)}, expected an object")
    if person.get("keypoints") is None:
        raise Fault(f"{place}.keypoints is missing")
    keypoints = checked("keypoints", lambda value, at: _keypoints(value, at, joints, dimensions))
    if keypoints is None:
        return None
    count = len(keypoints)
    scores = checked("scores", lambda value, at: _within(array(value, at, count, joints), at, 0, 1))
    status = checked("status", lambda value, at: _status(integers(value, at, count, joints), at, keypoints))
    boxes = checked("boxes", lambda value, at: _within(array(value, at, count, 4), at, -1e30, 1e30))
    frames = checked("frames", lambda value, at: integers(value, at, count))
    stages = checked("stages", _stages)
    own = {"stages": stages} if stages is not None else {}
    own |= {"source": source} if (source := get(person, "source", dict, place, default=None)) is not None else {}
    identity = get(person, "id", int, place, default=number)
    if len(faults) > before:
        return None
    try:
        return PoseSequence(
            keypoints, scores=scores, status=status, boxes=boxes, frames=frames, person=identity, **(common | own)
        )
    except BadData as error:
        raise Fault(f"{place}: {error}") from None


def _person_as_json(person: PoseSequence, first: PoseSequence) -> str:
    def keypoints(rows: slice) -> list[Any]:
        values = shortest(person.keypoints[rows]).tolist()
        for frame, joint in np.argwhere(~person.present[rows]).tolist():
            values[frame][joint] = None
        return values

    count, boxes = len(person), person.boxes
    members = {
        "id": _dumped(int(person.person)),
        "frames": _dumped(person.frames.tolist()),
        "keypoints": _listed(count, keypoints),
        "scores": _listed(count, lambda rows: shortest(person.scores[rows]).tolist()),
        "status": _listed(count, lambda rows: person.status[rows].tolist()),
    }
    if boxes is not None:
        members["boxes"] = _listed(count, lambda rows: boxes_as_list(boxes[rows]))
    if person.stages != first.stages:
        members["stages"] = _dumped(_stages_as_list(person))
    if person.source != first.source:
        members["source"] = _dumped(plain(person.source))
    return _object(members)


def _listed(count: int, values: Callable[[slice], list[Any]]) -> str:
    """JSON of a list with one value a frame, some frames at a time, since their Python objects take much more."""
    parts = [_dumped(values(slice(start, start + CHUNK)))[1:-1] for start in range(0, count, CHUNK)]
    return "[" + ",".join(parts) + "]"


def _dumped(value: Any) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _object(members: Mapping[str, str]) -> str:
    return "{" + ",".join(f"{_dumped(key)}:{value}" for key, value in members.items()) + "}"


def boxes_as_list(boxes: np.ndarray) -> list[list[float] | None]:
    """(T, 4) boxes as lists, None where there is none."""
    known = np.isfinite(boxes).all(axis=1)
    return [box if there else None for box, there in zip(shortest(boxes).tolist(), known, strict=True)]


def shortest(values: np.ndarray) -> np.ndarray:
    """float32 values as the float64 values with the fewest decimals that round to them.

    JSON then holds ``228.829``, not ``228.82899475097656``, and nothing is lost.
    """
    short = values.astype(np.float64)
    with np.errstate(all="ignore"):
        for decimals in range(8, -1, -1):
            rounded = np.round(values.astype(np.float64), decimals)
            exact = rounded.astype(np.float32) == values
            short[exact] = rounded[exact]
    return short


def plain(value: Any) -> Any:
    """Provenance as JSON can hold it; what JSON has no word for becomes text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, float) and not np.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _stages_as_list(person: PoseSequence) -> list[dict[str, Any]]:
    return [{"name": stage.name, "start": int(stage.start), "end": int(stage.end)} for stage in person.stages]


def skeleton_from(value: dict[str, Any]) -> Skeleton:
    """The skeleton that a native file describes; one that is named like one of the catalogue must be it.

    Raises:
        Fault: if it is not.
    """
    name = get(value, "name", str, "skeleton")
    joints = get(value, "joints", list, "skeleton")
    bones = get(value, "bones", list, "skeleton", default=None)
    names = tuple(typed(joint, str, f"skeleton.joints[{i}]") for i, joint in enumerate(joints))
    known = CATALOGUE.get(name)
    if known is not None and known.joints != names:
        raise Fault(f"skeleton.joints are not those of {name}: give them in its order, or another name")
    if bones is None:
        return known or Skeleton(name, names, ())
    return Skeleton(name, names, tuple(_bone(bone, f"skeleton.bones[{i}]") for i, bone in enumerate(bones)))


def _bone(value: Any, place: str) -> tuple[str, str]:
    if len(typed(value, list, place)) != 2:
        raise Fault(f"{place} has {len(value)} ends, expected 2")
    return typed(value[0], str, f"{place}[0]"), typed(value[1], str, f"{place}[1]")


def _fps(value: float) -> float:
    if not 0 < value <= 100_000:
        raise Fault(f"fps is {shown(value)}, expected a positive number of at most 100000")
    return value


def _image_size(value: list[Any] | None) -> tuple[int, int] | None:
    if value is None:
        return None
    if len(value) != 2 or min(typed(side, int, f"image_size[{i}]") for i, side in enumerate(value)) < 1:
        raise Fault(f"image_size is {value!r:.40}, expected [width, height]")
    return value[0], value[1]


def _units(value: str) -> str:
    if value not in UNITS:
        raise Fault(f"units is {shown(value)}, expected one of {', '.join(UNITS)}")
    return value


def _dimensions(value: int | None) -> int | None:
    if value not in (None, 2, 3):
        raise Fault(f"dimensions is {shown(value)}, expected 2 or 3")
    return value


def _stages(value: list[Any], place: str) -> tuple[Stage, ...]:
    stages = []
    for number, stage in enumerate(value):
        at = f"{place}[{number}]"
        name, start, end = get(stage, "name", str, at), get(stage, "start", int, at), get(stage, "end", int, at)
        if end <= start:
            raise Fault(f"{at} ends at {end}, before it starts at {start}; end is exclusive")
        stages.append(Stage(name, start, end))
    return tuple(stages)


def _keypoints(value: list[Any], place: str, joints: int, dimensions: int | None) -> np.ndarray:
    if not value:
        raise Fault(f"{place} has no frames")
    keypoints = array(value, place, None, joints, dimensions)
    if keypoints.shape[2] == 0:  # nothing but null
        return np.full((len(keypoints), joints, 2), np.nan)
    if keypoints.shape[2] not in (2, 3):
        raise Fault(f"{place} have {keypoints.shape[2]} coordinates, expected 2 or 3")
    partly = np.isnan(keypoints).any(axis=2) & np.isfinite(keypoints).any(axis=2)
    if partly.any():
        frame, joint = np.argwhere(partly)[0]
        raise Fault(f"{place}[{frame}][{joint}] has null beside a number, expected null for the whole point")
    return _within(keypoints, place, -1e30, 1e30)


def _status(status: np.ndarray, place: str, keypoints: np.ndarray) -> np.ndarray:
    _within(status, place, 0, 3)
    present = np.isfinite(keypoints).all(axis=2)
    wrong = np.argwhere((status > 0) != present)
    if len(wrong):
        frame, joint = wrong[0]
        word = "null" if status[frame, joint] else "there"
        raise Fault(f"{place}[{frame}][{joint}] is {status[frame, joint]}, but the keypoint is {word}")
    return status


def _within(values: np.ndarray, place: str, low: float, high: float) -> np.ndarray:
    """The values, NaN or from low to high."""
    wrong = np.argwhere((values < low) | (values > high))
    if len(wrong):
        at = "".join(f"[{i}]" for i in wrong[0])
        raise Fault(f"{place}{at} is {values[tuple(wrong[0])]:g}, expected {low:g} to {high:g}")
    return values


FORMATS = {
    "native": Format(
        name="native",
        title="posediff's own JSON",
        kind=("json",),
        sniff=sniff,
        read=read,
        render=render,
        holds=EVERYTHING,
    )
}
