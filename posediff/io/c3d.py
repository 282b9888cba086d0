"""C3D of motion capture, through ezc3d: named points in 3D with rate and units.

C3D leaves the axes open and most laboratories have z up, so it is turned to y up unless ``POINT:Y_SCREEN`` says that y
is up already. A point with a negative residual is missing. Points keep their names; a skeleton of the catalogue is
recognised where the names are its joints'.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.errors import MissingDependency
from posediff.io.axes import y_up
from posediff.io.checks import Fault
from posediff.io.content import Content
from posediff.io.joints import named
from posediff.io.registry import Format
from posediff.sequence import ASSUMED_FPS, UNITS, PoseSequence

#: Seconds that reading one file may take.
PATIENCE = 60

_CHILD = """
import io, sys
import ezc3d, numpy as np
file = ezc3d.c3d(sys.argv[1])
point = file["parameters"]["POINT"]
texts = lambda name: np.array(point[name]["value"] if name in point else [], dtype=np.str_)
values = io.BytesIO()
np.savez(
    values,
    points=np.asarray(file["data"]["points"], np.float64),
    residuals=np.asarray(file["data"]["meta_points"]["residuals"], np.float64),
    first_frame=int(file["header"]["points"]["first_frame"]),
    rate=np.array(point["RATE"]["value"] if "RATE" in point else [], np.float64)[:1],
    labels=texts("LABELS"), units=texts("UNITS")[:1], y_screen=texts("Y_SCREEN")[:1],
)
sys.stdout.buffer.write(values.getvalue())
"""


def read(content: Content, skeleton: str | None = None) -> list[PoseSequence]:
    """The one person of a recording.

    Raises:
        MissingDependency: if ezc3d is not installed.
    """
    values = _parsed(content.path)
    points = values["points"][:3].transpose(2, 1, 0)
    if not points.size:
        raise Fault("it holds no points")
    keypoints = np.where((values["residuals"][0].T < 0)[..., None], np.nan, points)
    steps = []
    if values["y_screen"].tolist() != ["+Y"]:
        keypoints = y_up(keypoints)
        steps.append("y_up(z -> y)")
    names = values["labels"].tolist()[: points.shape[1]]
    rate = float(str(np.float32(values["rate"].sum())))  # stored in float32: 29.97, not 29.969999
    units = "".join(values["units"].tolist()).strip().lower()
    return [
        PoseSequence(
            keypoints,
            named(names, skeleton),
            fps=rate if rate > 0 else ASSUMED_FPS,
            frames=int(values["first_frame"]) + np.arange(len(keypoints)),
            units=units if units in UNITS else "normalized",
            source={"steps": steps} | ({} if rate > 0 else {"fps_assumed": True}),
        )
    ]


def render(people: Sequence[PoseSequence], path: Path) -> dict[Path, bytes]:
    """A recording with y up.

    Raises:
        MissingDependency: if ezc3d is not installed.
    """
    (person,) = people
    file = _ezc3d().c3d()
    point = file["parameters"]["POINT"]
    point["RATE"]["value"] = [person.fps]
    point["UNITS"]["value"] = [person.units]
    point["LABELS"]["value"] = list(person.skeleton.joints)
    file.add_parameter("POINT", "X_SCREEN", ["+X"])
    file.add_parameter("POINT", "Y_SCREEN", ["+Y"])
    points = np.ones((4, len(person.skeleton.joints), len(person)))
    points[:3] = person.keypoints.transpose(2, 1, 0)
    file["data"]["points"] = points
    file["data"]["meta_points"]["residuals"] = np.expand_dims(np.where(person.present, 0.0, -1.0).T, 0)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "points.c3d"
        file.write(str(target))
        return {path: target.read_bytes()}


def _parsed(path: Path) -> dict[str, np.ndarray]:
    """What ezc3d finds in a file. A damaged file can crash it or hold it for ever, so it reads in a child process."""
    _ezc3d()
    command = [sys.executable, "-c", _CHILD, os.path.abspath(path)]
    try:
        child = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        raise Fault(f"ezc3d does not come to an end with it in {PATIENCE} s") from None
    if child.returncode:
        said = child.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["it crashes"]
        raise Fault(f"ezc3d cannot read it ({said[0][:120]})")
    with np.load(io.BytesIO(child.stdout), allow_pickle=False) as values:
        return dict(values)


def _ezc3d() -> Any:
    try:
        import ezc3d
    except ImportError:
        raise MissingDependency("ezc3d", "c3d", "a C3D file") from None
    return ezc3d


FORMATS = {
    "c3d": Format(
        name="c3d",
        title="C3D motion capture",
        kind=("c3d",),
        sniff=lambda content: True,
        read=read,
        render=render,
        holds=frozenset({"fps", "3d", "units", "joints"}),
        requires="3d",
    )
}
