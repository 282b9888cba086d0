"""HP-MCoRe's poses: ``Pose/<competition>/pred_comp_<n>.npz``, one archive a clip, 16 MPII joints.

The published training code (Qi et al. 2025) reads one array, ``pred``, of 96 frames x 16 joints x 2 or 3; the
competition and n are the two parts of FineDiving's key of a clip. It passes the numbers on to the network unchecked.
What the third column is, it does not say; here it is confidence, as estimators give it. The published settings leave
the network at HD-GCN's three channels, so three columns are written.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posediff.io.arrays import columns, parsed
from posediff.io.checks import Fault
from posediff.io.content import LARGEST, Content
from posediff.io.documents import zeroed
from posediff.io.people import given
from posediff.io.registry import Format
from posediff.sequence import PoseSequence
from posediff.skeletons import MPII16

#: Frames of a clip, which the training code insists on.
FRAMES = 96

_ARRAY = "pred"
_JOINTS = len(MPII16.joints)
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)


def sniff(content: Content) -> bool:
    """Whether it is an archive with ``pred`` of 16 joints and without ``keypoints``, which a NumPy archive has."""
    try:
        with zipfile.ZipFile(io.BytesIO(content.data)) as archive:
            names = archive.namelist()
            if f"{_ARRAY}.npy" not in names or "keypoints.npy" in names:
                return False
        return _shaped(_pred(content))
    except (*_BROKEN, Fault):
        return False


def read(content: Content, skeleton: str | None = None) -> list[PoseSequence]:
    """The one person of the archive; never unpickled.

    Where there are three columns, confidence 0 is missing; where there are two, (0, 0) is.
    """
    values = _pred(content)
    if not _shaped(values):
        raise Fault(
            f"{_ARRAY} has shape {values.shape} of {values.dtype}, expected (frames, {_JOINTS}, 2 or 3) numbers"
        )
    keypoints, scores = columns(values, "xyc" if values.shape[2] == 3 else "xy")
    if scores is None:
        keypoints = np.where((values == 0).all(axis=2, keepdims=True), np.nan, keypoints)
    return [PoseSequence(keypoints, MPII16, source={"fps_assumed": True}, **given(scores=scores))]


def render(people: Sequence[PoseSequence], path: Path) -> dict[Path, bytes]:
    """``pred``, float32 T x 16 x (x, y, confidence), all 0 where missing."""
    (person,) = people
    file = io.BytesIO()
    np.savez_compressed(file, **{_ARRAY: zeroed(person).astype(np.float32)})
    return {path: file.getvalue()}


def _pred(content: Content) -> np.ndarray:
    try:
        with zipfile.ZipFile(io.BytesIO(content.data)) as archive:
            info = archive.getinfo(f"{_ARRAY}.npy")
            if info.file_size > LARGEST:
                raise Fault(f"it unfolds to more than {LARGEST:,} bytes")
            return parsed(archive.read(info), info.filename)
    except KeyError:
        raise Fault(f"it has no array {_ARRAY!r}") from None
    except _BROKEN as error:
        raise Fault(f"it is a damaged archive ({error})") from None


def _shaped(values: np.ndarray) -> bool:
    return values.ndim == 3 and values.shape[1:] in ((_JOINTS, 2), (_JOINTS, 3)) and values.dtype.kind in "iuf"


def _length(person: PoseSequence) -> list[str]:
    if len(person) == FRAMES:
        return []
    return [
        f"HP-MCoRe reads clips of {FRAMES} frames, these are {len(person)}: resample before, where it is to read them"
    ]


FORMATS = {
    "hp-mcore": Format(
        name="hp-mcore",
        title="poses of HP-MCoRe",
        kind=("zip",),
        sniff=sniff,
        read=read,
        render=render,
        holds=frozenset({"scores"}),
        skeletons=("mpii16",),
        also_loses=_length,
    )
}
