"""NumPy arrays, never unpickled: ``.npy`` with the keypoints alone, ``.npz`` with all that a person has.

An array is T x J x columns, and its columns are
  2: x, y
  3: x, y, confidence where every number in the last column lies within 0 to 1; else x, y, z
  4: x, y, z, confidence
A ``.npz`` may say so itself, with ``columns`` = ``xy``, ``xyc``, ``xyz`` or ``xyzc``. NaN, or confidence 0, is missing.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.io.checks import Fault
from posediff.io.content import LARGEST, Content
from posediff.io.joints import counted, named
from posediff.io.losses import EVERYTHING
from posediff.io.native import plain
from posediff.io.people import by_score, given
from posediff.io.registry import Format
from posediff.sequence import ASSUMED_FPS, PoseSequence, Stage
from posediff.skeletons import Skeleton

COLUMNS = ("xy", "xyc", "xyz", "xyzc")


def read_npy(content: Content, skeleton: str | None = None) -> list[PoseSequence]:
    """The one person of an array.

    Raises:
        BadData: if the skeleton is not named.
    """
    keypoints, scores = columns(parsed(content.data, content.path.name))
    body = counted(keypoints.shape[1], skeleton)
    units = "px" if keypoints.shape[2] == 2 else "normalized"
    return [PoseSequence(keypoints, body, units=units, source={"fps_assumed": True}, **given(scores=scores))]


def columns(values: np.ndarray, names: str | None = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Coordinates and confidence of a (T, J, 2 to 4) array, by the rule above.

    Args:
        values: the array.
        names: what its columns are, one of :data:`COLUMNS`; by default the rule tells.

    Raises:
        Fault: if it has another shape.
    """
    if values.ndim != 3 or values.shape[2] not in (2, 3, 4):
        raise Fault(f"the array has shape {values.shape}, expected (frames, joints, 2 to 4)")
    if names is None:
        last = values[..., -1]
        unit = bool(((last >= 0) & (last <= 1) | np.isnan(last)).all())
        names = {2: "xy", 3: "xyc" if unit else "xyz", 4: "xyzc"}[values.shape[2]]
    if names not in COLUMNS or len(names) != values.shape[2]:
        raise Fault(f"columns is {names!r} for {values.shape[2]} columns, expected one of {', '.join(COLUMNS)}")
    if not names.endswith("c"):
        return values, None
    return by_score(values, len(names) - 1)


def read_npz(content: Content, skeleton: str | None = None) -> list[PoseSequence]:
    """The one person of an archive: what :func:`render_npz` writes, or any archive with ``keypoints``."""
    values = _members(content)
    if "keypoints" not in values and len(values) == 1:
        values = {"keypoints": next(iter(values.values()))}
    if "keypoints" not in values:
        raise Fault(f"it has no array 'keypoints', only {', '.join(sorted(values)) or 'none'}")
    _numeric(values)
    stated = _text(values, "columns")
    if stated is None and "scores" in values:
        stated = {2: "xy", 3: "xyz"}.get(values["keypoints"].shape[-1])
    keypoints, scores = columns(values["keypoints"], stated)
    fps = _numbers(values, "fps", 1)
    size = _numbers(values, "image_size", 2)
    person = _numbers(values, "person", 1)
    return [
        PoseSequence(
            keypoints,
            _skeleton(values, keypoints.shape[1], skeleton),
            fps=fps[0] if fps else ASSUMED_FPS,
            boxes=values.get("boxes"),
            image_size=(int(size[0]), int(size[1])) if size else None,
            units=_text(values, "units") or ("px" if keypoints.shape[2] == 2 else "normalized"),
            stages=_stages(values),
            person=int(person[0]) if person else 0,
            source=_source(values) | ({} if fps else {"fps_assumed": True}),
            **given(scores=values.get("scores", scores), status=values.get("status"), frames=values.get("frames")),
        )
    ]


def render_npy(people: Sequence[PoseSequence], path: Path) -> dict[Path, bytes]:
    """T x J x (x, y, confidence), or (x, y, z, confidence)."""
    (person,) = people
    return {path: _saved(np.concatenate([person.keypoints, _confidence(person)], axis=2))}


def render_npz(people: Sequence[PoseSequence], path: Path) -> dict[Path, bytes]:
    """An archive with one array for everything that the person has."""
    (person,) = people
    values: dict[str, Any] = {
        "keypoints": person.keypoints,
        "columns": "xy" if person.dimensions == 2 else "xyz",
        "scores": person.scores,
        "status": person.status,
        "frames": person.frames,
        "fps": person.fps,
        "units": person.units,
        "person": person.person,
        "skeleton": person.skeleton.name,
        "joints": list(person.skeleton.joints),
        "bones": np.array(person.skeleton.bones, dtype=np.str_).reshape(-1, 2),
        "stage_names": np.array([stage.name for stage in person.stages], dtype=np.str_),
        "stage_frames": np.array([(s.start, s.end) for s in person.stages], dtype=np.int64).reshape(-1, 2),
        "source": json.dumps(plain(person.source)),
    }
    if person.boxes is not None:
        values["boxes"] = person.boxes
    if person.image_size is not None:
        values["image_size"] = person.image_size
    file = io.BytesIO()
    np.savez_compressed(file, **values)
    return {path: file.getvalue()}


def parsed(data: bytes, name: str) -> np.ndarray:
    """An array of numbers or text from the bytes of a ``.npy``, its claims checked against its size.

    Raises:
        Fault: if it is damaged, or holds Python objects.
    """
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)  # type: ignore[no-untyped-call]
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = header(file)  # type: ignore[no-untyped-call]
    except Exception as error:  # NumPy raises whatever a damaged header makes it stumble on
        raise Fault(f"{name} is no NumPy array ({type(error).__name__})") from None
    if dtype.kind not in "iufbU":
        raise Fault(f"{name} holds {dtype}, expected numbers")
    body = data[file.tell() :]
    if any(size < 0 for size in shape) or math.prod(shape) * dtype.itemsize != len(body):
        raise Fault(f"{name} is cut off: {len(body)} bytes are not {shape} of {dtype}")
    flat = np.frombuffer(body, dtype) if body else np.zeros(0, dtype)
    return flat.reshape(shape, order="F" if fortran else "C")


def _members(content: Content) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(io.BytesIO(content.data)) as archive:
            infos = [info for info in archive.infolist() if info.filename.endswith(".npy")]
            if sum(info.file_size for info in infos) > LARGEST:
                raise Fault(f"it unfolds to more than {LARGEST:,} bytes")
            return {info.filename[:-4]: parsed(archive.read(info), info.filename) for info in infos}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise Fault(f"it is a damaged archive ({error})") from None


def _numeric(values: dict[str, np.ndarray]) -> None:
    for name in ("keypoints", "scores", "status", "frames", "boxes", "fps", "image_size", "person", "stage_frames"):
        if name in values and values[name].dtype.kind not in "iuf":
            raise Fault(f"{name} holds {values[name].dtype}, expected numbers")


def _text(values: dict[str, np.ndarray], name: str) -> str | None:
    if name not in values:
        return None
    if values[name].dtype.kind != "U" or values[name].size != 1:
        raise Fault(f"{name} is an array of {values[name].dtype}, expected one text")
    return str(values[name].reshape(())[()])


def _numbers(values: dict[str, np.ndarray], name: str, count: int) -> list[float]:
    if name not in values:
        return []
    numbers: list[float] = values[name].astype(np.float64).ravel().tolist()
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise Fault(f"{name} is {numbers!r:.40}, expected {count} finite numbers")
    return numbers


def _texts(values: dict[str, np.ndarray], name: str, columns: int) -> list[list[str]]:
    array = values.get(name, np.zeros(0, np.str_))
    if array.size % columns or (array.size and array.dtype.kind != "U"):
        raise Fault(f"{name} has shape {array.shape} of {array.dtype}, expected texts")
    rows: list[list[str]] = array.reshape(-1, columns).tolist() if array.size else []
    return rows


def _skeleton(values: dict[str, np.ndarray], count: int, skeleton: str | None) -> Skeleton:
    joints = [row[0] for row in _texts(values, "joints", 1)]
    name = _text(values, "skeleton")
    if not joints:
        return counted(count, skeleton or name)
    if len(joints) != count:
        raise Fault(f"joints has {len(joints)} names, the keypoints are of {count} joints")
    if "bones" in values and name is not None:
        bones = tuple((one, other) for one, other in _texts(values, "bones", 2))
        return Skeleton(name, tuple(joints), bones)
    return named(joints, skeleton)


def _stages(values: dict[str, np.ndarray]) -> tuple[Stage, ...]:
    names = [row[0] for row in _texts(values, "stage_names", 1)]
    frames = values.get("stage_frames", np.zeros((0, 2), np.int64))
    if frames.shape != (len(names), 2) or frames.dtype.kind not in "iu":
        raise Fault(f"stage_frames has shape {frames.shape} for {len(names)} stage_names")
    return tuple(Stage(name, start, end) for name, (start, end) in zip(names, frames.tolist(), strict=True))


def _source(values: dict[str, np.ndarray]) -> dict[str, Any]:
    try:
        source = json.loads(_text(values, "source") or "{}")
    except (ValueError, RecursionError):
        raise Fault("source is no JSON") from None
    return source if isinstance(source, dict) else {}


def _confidence(person: PoseSequence) -> np.ndarray:
    """(T, J, 1); a keypoint that is known but has confidence 0 gets the smallest, or it would be read as missing."""
    return np.where(person.present, np.maximum(person.scores, np.float32(1e-6)), np.float32(0))[..., None]


def _saved(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


FORMATS = {
    "npy": Format(
        name="npy",
        title="a NumPy array",
        kind=("npy",),
        sniff=lambda content: True,
        read=read_npy,
        render=render_npy,
        holds=frozenset({"scores", "3d"}),
    ),
    "npz": Format(
        name="npz",
        title="a NumPy archive",
        kind=("zip",),
        sniff=lambda content: True,
        read=read_npz,
        render=render_npz,
        holds=EVERYTHING - {"people"},
    ),
}
