"""Kinect text as UI-PRMD has it: a table of positions and a table of angles, 22 joints, 30 frames a second.

``x_positions.txt`` holds the waist in absolute centimetres and every other joint as an offset from its parent, in the
parent's axes; ``x_angles.txt`` holds the joints' rotations relative to the parent in degrees. Both tables are needed:
the other one is found by its name, beside the one given or in the neighbouring folder ``Positions`` or ``Angles``.
Either may be gzipped.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from posediff.errors import BadData, BadSetting
from posediff.io.content import Content
from posediff.io.native import shortest
from posediff.io.registry import Format
from posediff.sequence import PoseSequence
from posediff.skeletons import KINECT22

FPS = 30.0
_COLUMNS = 3 * len(KINECT22.joints)

#: The joint that every joint's offset and rotation are relative to: the nearer end of its bone.
PARENTS = {outer: inner for inner, outer in KINECT22.bones}


def absolute_positions(offsets: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Forward kinematics: positions of all joints in the axes of the Kinect.

    A joint's local rotation is ``Rz(z) Rx(x) Ry(y)``; its rotation in the room is its parent's times its own, and it
    lies at its parent's position plus its offset turned by its parent's rotation. Of all orders of the three
    rotations this is the only one that keeps the feet in place while the body squats.

    Args:
        offsets: (T, 22, 3) centimetres, as in the table of positions.
        angles: (T, 22, 3) degrees, as in the table of angles.

    Returns:
        (T, 22, 3) centimetres, y up.

    Source:
        Vakanski et al. 2018, A data set of human body movements for physical rehabilitation exercises.
    """
    local = local_rotations(angles)
    positions = np.array(offsets, np.float64)
    rotations = np.empty_like(local)
    for joint in KINECT22.joints:  # parents come before their children
        index = KINECT22.index(joint)
        if joint not in PARENTS:
            rotations[:, index] = local[:, index]
            continue
        parent = KINECT22.index(PARENTS[joint])
        rotations[:, index] = rotations[:, parent] @ local[:, index]
        positions[:, index] = positions[:, parent] + (rotations[:, parent] @ offsets[:, index, :, None])[..., 0]
    return positions


def local_rotations(angles: np.ndarray) -> np.ndarray:
    """(..., 3) angles about x, y, z in degrees as (..., 3, 3) matrices ``Rz Rx Ry``."""
    (cx, cy, cz), (sx, sy, sz) = (np.moveaxis(f(np.radians(angles)), -1, 0) for f in (np.cos, np.sin))
    rows = [
        [cz * cy - sz * sx * sy, -sz * cx, cz * sy + sz * sx * cy],
        [sz * cy + cz * sx * sy, cz * cx, sz * sy - cz * sx * cy],
        [-cx * sy, sx, cx * cy],
    ]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def sniff(content: Content) -> bool:
    """Whether the first line is 66 numbers."""
    try:
        line = content.head.lstrip().split(b"\n", 1)[0]
        return len([float(number) for number in line.replace(b",", b" ").split()]) == _COLUMNS
    except ValueError:
        return False


def read(content: Content, skeleton: str | None = None) -> list[PoseSequence]:
    """The one person of a pair of tables.

    Raises:
        BadData: if the other table is not to be found, or the two differ in length.
    """
    other = _companion(content.path)
    positions, angles = (other, content) if _is_angles(content.path) else (content, other)
    offsets, turns = table(positions), table(angles)
    if len(offsets) != len(turns):
        raise BadData(
            f"{positions.path} has {len(offsets)} frames, {angles.path} has {len(turns)}",
            "give tables that belong together",
        )
    return [
        PoseSequence(
            absolute_positions(offsets, turns),
            KINECT22,
            fps=FPS,
            units="cm",
            source={"angles": str(angles.path), "steps": ["absolute_positions(Rz Rx Ry)"]},
        )
    ]


def table(content: Content) -> np.ndarray:
    """A table's (T, 22, 3) numbers, separated by commas or spaces.

    Raises:
        BadData: if it is no table of 66 columns of numbers.
    """
    text = content.text
    try:
        if not text.strip():
            raise ValueError("it holds no numbers")
        values = np.loadtxt(io.StringIO(text), delimiter="," if "," in text else None, comments=None, ndmin=2)
    except ValueError as error:
        raise BadData(f"{content.path}: {error}", "a table holds numbers only, and as many in each line") from None
    if values.shape[1] != _COLUMNS:
        raise BadData(f"{content.path}: has {values.shape[1]} columns, expected {_COLUMNS}", "3 numbers for each joint")
    if np.isinf(values).any():
        raise BadData(f"{content.path}: line {np.argwhere(np.isinf(values))[0][0] + 1} holds an infinite number", "")
    return values.reshape(len(values), -1, 3)


def render(people: Sequence[PoseSequence], path: Path) -> dict[Path, bytes]:
    """Both tables, with all rotations zero, so that an offset is the plain difference of two joints.

    Raises:
        BadSetting: if the path is named like a table of angles.
    """
    (person,) = people
    if _is_angles(path):
        raise BadSetting(f"{path} is named like a table of angles", "name the table of positions")
    positions = shortest(person.keypoints)
    offsets = positions.copy()
    for joint, parent in PARENTS.items():
        offsets[:, KINECT22.index(joint)] -= positions[:, KINECT22.index(parent)]
    angles = _companions(path)[0]
    return {angles: _as_text(np.zeros_like(offsets), angles), path: _as_text(offsets, path)}


def orphans(person: PoseSequence) -> list[str]:
    """What is lost for want of a parent: an offset says nothing where the joint it is from is missing."""
    known = dict(zip(person.skeleton.joints, person.present.T, strict=True))
    alone = sum(int((known[joint] & ~known[parent]).sum()) for joint, parent in PARENTS.items())
    return [f"kinect holds no keypoint whose parent joint is missing: {alone} of them"] if alone else []


def _is_angles(path: Path) -> bool:
    return "angles" in path.name.lower()


def _companions(path: Path) -> list[Path]:
    """Where the other table of a pair may lie, the likeliest place first."""
    here, there = ("angles", "positions") if _is_angles(path) else ("positions", "angles")
    if here in path.name.lower():
        start = path.name.lower().rindex(here)
        word = there if path.name[start].islower() else there.capitalize()
        name = path.name[:start] + word + path.name[start + len(here) :]
    else:
        name = f"{path.name.split('.')[0]}_{there}.{path.name.partition('.')[2] or 'txt'}"
    folder = path.parent
    if folder.name.lower() == here:
        word = there if folder.name.islower() else there.capitalize()
        return [folder.parent / word / name, folder / name]
    return [folder / name]


def _companion(path: Path) -> Content:
    places = _companions(path)
    for place in places:
        if place.is_file():
            return Content(place)
    kind = "positions" if _is_angles(path) else "angles"
    raise BadData(
        f"{path}: the table of {kind} that belongs to it is not at {' or '.join(map(str, places))}",
        "a position is an offset turned by its parent's angles: put both tables side by side",
    )


def _as_text(values: np.ndarray, path: Path) -> bytes:
    rows = (",".join(map(repr, row)) for row in values.reshape(len(values), -1).tolist())
    text = ("\n".join(rows) + "\n").encode()
    return gzip.compress(text, mtime=0) if path.suffix == ".gz" else text


FORMATS = {
    "kinect": Format(
        name="kinect",
        title="Kinect text tables of UI-PRMD",
        kind=("text",),
        sniff=sniff,
        read=read,
        render=render,
        holds=frozenset({"3d"}),
        skeletons=("kinect22",),
        requires="3d",
        units="cm",
        also_loses=orphans,
    )
}
