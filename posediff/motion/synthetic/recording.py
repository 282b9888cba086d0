"""How a performance is recorded: its clock, the camera, noise and dropped keypoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from posediff.errors import BadSetting
from posediff.motion.synthetic.body import turn
from posediff.motion.synthetic.movements import Movement, boundaries
from posediff.sequence import Stage


@dataclass(frozen=True)
class Recording:
    """Everything that may differ between two performances of the same pattern, save the performer's size.

    Attributes:
        fps: frames a second.
        pace: 1.25 is a quarter faster than the pattern; it changes the clock, as slow motion does, gravity included.
        tempo: how much longer than its share a stage takes, by stage name, e.g. ``{"descent": 1.3}``.
        view: ``3d``, or ``2d`` for the picture of a distant camera.
        azimuth: degrees that the camera is turned about the vertical: 0 sees the performer's right side, 90 the front;
            by default where it usually stands in 2D, and 0 in 3D.
        zoom: factor on all coordinates.
        shift: of all coordinates, in pixels (x, y), or in metres (x, y, z).
        image_size: (width, height) in pixels of a 2D view.
        noise: standard deviation of each coordinate, as a fraction of the torso's length.
        drop: probability of a keypoint to be missing.

    Raises:
        BadSetting: naming every setting that cannot be used.
    """

    fps: float = 25.0
    pace: float = 1.0
    tempo: Mapping[str, float] = field(default_factory=dict)
    view: str = "3d"
    azimuth: float | None = None
    zoom: float = 1.0
    shift: tuple[float, ...] = ()
    image_size: tuple[int, int] = (640, 480)
    noise: float = 0.0
    drop: float = 0.0

    def __post_init__(self) -> None:
        positive = {"fps": self.fps, "pace": self.pace, "zoom": self.zoom, **self.tempo}
        faults = [f"{name} is {value}, expected above 0" for name, value in positive.items() if not value > 0]
        if self.view not in ("2d", "3d"):
            faults.append(f"view is {self.view!r}, expected 2d or 3d")
        elif len(self.shift) not in (0, int(self.view[0])):
            faults.append(f"shift has {len(self.shift)} numbers in a {self.view} view")
        if self.noise < 0 or not 0 <= self.drop < 1:
            faults.append(f"noise is {self.noise} and drop is {self.drop}, expected 0 or more, and 0 to below 1")
        if faults:
            raise BadSetting("; ".join(faults), "correct the recording")


def clock(movement: Movement, recording: Recording) -> tuple[np.ndarray, tuple[Stage, ...]]:
    """The time in the pattern of every recorded frame, and the stages in frames.

    Returns:
        (T,) seconds at pace 1, and the stages that hold a frame.

    Raises:
        BadSetting: if ``tempo`` names a stage that the movement lacks.
    """
    from scipy.interpolate import PchipInterpolator

    names = [name for name, _ in movement.stages]
    unknown = sorted(set(recording.tempo) - set(names))
    if unknown:
        raise BadSetting(f"tempo names no stage of the movement: {', '.join(unknown)}", f"stages: {', '.join(names)}")
    stretched = [seconds * recording.tempo.get(name, 1.0) for name, seconds in movement.stages]
    recorded = np.cumsum([0.0, *stretched]) / recording.pace
    count = max(2, round(recorded[-1] * recording.fps))
    t = PchipInterpolator(recorded, boundaries(movement))(np.minimum(np.arange(count) / recording.fps, recorded[-1]))
    edges = np.ceil(recorded * recording.fps - 1e-6).astype(int)
    edges[-1] = count
    limits = zip(names, edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    return t, tuple(Stage(name, start, end) for name, start, end in limits if end > start)


def film(points: np.ndarray, movement: Movement, recording: Recording) -> tuple[np.ndarray, float]:
    """What the camera records of points (T, J, 3) in metres.

    Returns:
        (T, J, 2 or 3) coordinates, in pixels with y down or in metres with y up, and how many of them make a metre.
    """
    usual = movement.azimuth if recording.view == "2d" else 0.0
    turned = turn("y", -(usual if recording.azimuth is None else recording.azimuth))[0]
    points = points @ turned.T
    shift = np.array(recording.shift or (0.0,) * int(recording.view[0]))
    if recording.view == "3d":
        return recording.zoom * points + shift, recording.zoom
    x, y, height = movement.view
    width, tall = recording.image_size
    scale = recording.zoom * tall / height
    centre = turned @ [x, y, 0.0]
    return [width / 2, tall / 2] + scale * (points - centre)[..., :2] * [1, -1] + shift, scale


def spoil(coordinates: np.ndarray, sd: float, drop: float, rng: np.random.Generator) -> np.ndarray:
    """Add Gaussian noise of ``sd`` to coordinates (T, J, D) and set keypoints to NaN with probability ``drop``."""
    noisy = coordinates + sd * rng.standard_normal(coordinates.shape)
    noisy[rng.random(coordinates.shape[:2]) < drop] = np.nan
    return noisy
