"""C3D of motion capture, through ezc3d: named points in 3D with rate and units.

C3D leaves the axes open and most laboratories have z up, so it is turned to y up unless ``POINT:Y_SCREEN`` says that y
is up already. A point with a negative residual is missing. Points keep their names; a skeleton of the catalogue is
recognised where the names are its joints'.
"""

from __future__ import annotations

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


def read(content: Content, skeleton: str | None = None) -> list[PoseSequence]:
    """The one person of a recording.

    Raises:
        MissingDependency: if ezc3d is not installed.
    """
    ezc3d = _ezc3d()
    try:
        file = ezc3d.c3d(str(content.path))
    except Exception as error:  # the library raises whatever a damaged file makes it stumble on
        raise Fault(f"ezc3d cannot read it ({str(error)[:120]})") from None
    parameters = file["parameters"]["POINT"]
    points = np.asarray(file["data"]["points"], np.float64)[:3].transpose(2, 1, 0)
    if not points.size:
        raise Fault("it holds no points")
    residuals = np.asarray(file["data"]["meta_points"]["residuals"], np.float64)[0].T
    keypoints = np.where((residuals < 0)[..., None], np.nan, points)
    steps = []
    if _value(parameters, "Y_SCREEN", "") != "+Y":
        keypoints = y_up(keypoints)
        steps.append("y_up(z -> y)")
    names = [str(name) for name in parameters["LABELS"]["value"]][: points.shape[1]]
    rate = float(str(np.float32(_value(parameters, "RATE", 0.0))))  # stored in float32: 29.97, not 29.969999
    units = str(_value(parameters, "UNITS", "mm")).strip().lower()
    first = int(file["header"]["points"]["first_frame"])
    return [
        PoseSequence(
            keypoints,
            named(names, skeleton),
            fps=rate if rate > 0 else ASSUMED_FPS,
            frames=first + np.arange(len(keypoints)),
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


def _value(parameters: Any, name: str, otherwise: Any) -> Any:
    values = parameters[name]["value"] if name in parameters else ()
    return values[0] if len(values) else otherwise


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
