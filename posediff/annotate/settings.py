"""What a user can choose when a video is annotated."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from posediff import skeletons
from posediff.annotate.boxes import parse_init_box
from posediff.annotate.detectors import DETECTORS
from posediff.annotate.estimators import DOUBTFUL, DOUBTFUL_OF, ESTIMATORS
from posediff.annotate.estimators.orientation import HOW
from posediff.annotate.trackers.choice import WAYS
from posediff.errors import BadData, BadSetting
from posediff.io.files import file_hash

ROTATIONS = HOW
PEOPLE = (*WAYS, "all")
DEVICES = ("auto", "cpu", "cuda")

#: Settings that change what is made of the poses, but not the poses that the estimator gives.
FINISHING = ("skeleton", "min_score", "max_gap", "cutoff", "fix_swaps")
#: Settings that change how fast it goes, and nothing else.
SPEED = ("threads",)


@dataclass(frozen=True)
class Settings:
    """How videos are annotated.

    Attributes:
        pose: back end that finds the joints, of :data:`~posediff.annotate.estimators.ESTIMATORS`.
        weights: its weights, a path or a name that it knows; None for its own default.
        config: its configuration file, where it needs one.
        detector: what finds the people, of :data:`~posediff.annotate.detectors.DETECTORS`; ``auto`` is the one that
            comes with the pose back end.
        detector_weights: as for ``weights``.
        boxes: a boxes file in place of a detector.
        init_box: where the athlete is: ``x0,y0,x1,y1@frame``, or a point in him, ``x,y@frame``.
        person: who is annotated, where that is not said by ``init_box``: one of :data:`PEOPLE`, or a track's id.
        detect_every: frames from one detection to the next; 0 for as many as the detector deserves.
        rotation: how bodies that are not upright are met, of :data:`ROTATIONS`.
        camera: make up for a camera that follows the athlete.
        skeleton: name of the skeleton to write.
        min_score: confidence below which a keypoint counts as missing; None for what suits the back end.
        max_gap: longest gap that is interpolated, in seconds.
        cutoff: of the smoothing, in Hz; 0 for none.
        fix_swaps: exchange left and right where they are swapped for a moment.
        fps: frame rate of image folders.
        device: of :data:`DEVICES`.
        threads: of the back ends, 0 for their own choice.
    """

    pose: str = "mediapipe"
    weights: str | None = None
    config: str | None = None
    detector: str = "auto"
    detector_weights: str | None = None
    boxes: str | None = None
    init_box: str | None = None
    person: str = "largest"
    detect_every: int = 0
    rotation: str = "trunk"
    camera: bool = True
    skeleton: str = "mpii16"
    min_score: float | None = None
    max_gap: float = 0.4
    cutoff: float = 6.0
    fix_swaps: bool = True
    fps: float | None = None
    device: str = "auto"
    threads: int = 0

    def __post_init__(self) -> None:
        _one_of("pose back end", self.pose, [*ESTIMATORS])
        _one_of("detector", self.detector, ["auto", *DETECTORS])
        _one_of("rotation", self.rotation, ROTATIONS)
        _one_of("device", self.device, DEVICES)
        if self.person not in PEOPLE and not self.person.isdecimal():
            raise BadSetting(f"person is {self.person!r}", f"choose one of: {', '.join(PEOPLE)}, or a track's id")
        skeletons.get(self.skeleton)
        ranges = {
            "min_score": (self.least_score, 0, 1),
            "max_gap": (self.max_gap, 0, math.inf),
            "cutoff": (self.cutoff, 0, math.inf),
            "detect_every": (self.detect_every, 0, math.inf),
            "threads": (self.threads, 0, math.inf),
        }
        for name, (value, low, high) in ranges.items():
            if not low <= value <= high or math.isinf(value):
                limit = f", up to {high}" if high == 1 else ", and no infinity" if value == high else ""
                raise BadSetting(f"{name} is {value}", f"give {low:g} or more{limit}")
        if self.fps is not None and not 1e-3 <= self.fps <= 100_000:
            raise BadSetting(f"fps is {self.fps}", "give frames a second, 0.001 to 100000")
        if self.init_box is not None:
            parse_init_box(self.init_box)

    @property
    def least_score(self) -> float:
        """Confidence below which a keypoint counts as missing."""
        return DOUBTFUL_OF.get(self.pose, DOUBTFUL) if self.min_score is None else self.min_score

    def resolved(self) -> dict[str, Any]:
        """Everything that decides the result, JSON-able: files are named with the SHA-256 of what they hold.

        Raises:
            BadData: if a file that is named cannot be read.
        """
        values = {key: value for key, value in dataclasses.asdict(self).items() if key not in SPEED}
        values["min_score"] = self.least_score
        for key in ("boxes", "weights", "detector_weights", "config"):
            path = Path(values[key]).expanduser() if values[key] else None
            if path is not None and (key == "boxes" or path.is_file()):  # weights may be the name of known ones
                values[key] = fingerprint(path)
        return values

    def estimation(self) -> dict[str, Any]:
        """The part of :meth:`resolved` that the estimator's poses depend on."""
        return {key: value for key, value in self.resolved().items() if key not in FINISHING}

    @staticmethod
    def of(values: Mapping[str, Any]) -> Settings:
        """The settings of those names; other names are left out."""
        names = {field.name for field in dataclasses.fields(Settings)}
        return Settings(**{key: value for key, value in values.items() if key in names})


def fingerprint(path: Path) -> dict[str, str]:
    """Name and SHA-256 of a file; of a folder, that of its files' names and bytes.

    Raises:
        BadData: if it cannot be read.
    """
    try:
        if not path.is_dir():
            return {"name": path.name, "sha256": _sha256(path, path.stat().st_mtime_ns)}
        files = sorted(file for file in path.rglob("*") if file.is_file())
        parts = [f"{file.relative_to(path).as_posix()} {_sha256(file, file.stat().st_mtime_ns)}" for file in files]
    except OSError as error:
        raise BadData(f"{path}: cannot be read ({error.strerror})", "check the path and its permissions") from None
    return {"name": path.name, "sha256": hashlib.sha256("\n".join(parts).encode()).hexdigest()}


@lru_cache(maxsize=1024)
def _sha256(path: Path, modified: int) -> str:
    """Of a file's bytes; computed once for all the videos of a batch, unless the file is ``modified``."""
    return file_hash(path)


def _one_of(what: str, value: str, choices: Any) -> None:
    if value not in choices:
        raise BadSetting(f"unknown {what} {value!r}", f"choose one of: {', '.join(choices)}")
