"""What measures are made of: heights, distances, leans and speeds of a body over time.

In 3D the axes are the performer's: x to the left, y up, z forward. In pictures they follow from the view.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from posediff.compare.body import Body
from posediff.differencing.grammar.units import ANGLE, LENGTH, SPEED, Unit
from posediff.differencing.grammar.view import View, view
from posediff.differencing.grammar.vocabulary import Unmeasurable
from posediff.motion.angles import ANGLES, interior_angle, twist, unwrap

#: Seconds over which a line is fitted for a rate of change, on three frames or more.
RATE_WINDOW = 0.1
#: Seconds at the start that places in the room are told against.
START = 0.2

#: What a joint is measured against by default.
ROOT = "pelvis"
#: What a rotation of the trunk is read off.
TRUNK = ANGLES["trunk_rotation"].joints

Result = TypeVar("Result")


class Scene:
    """The joints and directions of one body; what was asked for once is remembered, reasons why not included.

    Args:
        body: the performance.
    """

    def __init__(self, body: Body) -> None:
        self.body = body
        self.fps = body.sequence.fps
        self.solid = body.sequence.dimensions == 3
        self._present = body.sequence.present
        self.complete = bool(self._present.all())
        self._known: dict[object, object] = {}

    def once(self, key: object, make: Callable[[], Result]) -> Result:
        """What ``make`` gives, made once."""
        if key not in self._known:
            try:
                self._known[key] = make()
            except Unmeasurable as reason:
                self._known[key] = reason
        found = self._known[key]
        if isinstance(found, Unmeasurable):
            raise found.with_traceback(None)
        return found  # type: ignore[return-value]  # a key belongs to one function

    def joint(self, name: str) -> np.ndarray:
        """(T, D) track of a joint relative to the pelvis, or of the midpoint that stands for it.

        Raises:
            Unmeasurable: if the skeleton lacks it or no frame shows it.
        """
        return self.once(("joint", name), lambda: self._joint(name))

    def _joint(self, name: str) -> np.ndarray:
        columns = self._columns(name)
        if not columns:
            raise Unmeasurable(f"the skeleton {self.body.sequence.skeleton.name} has no {name}")
        if not self.complete and not self.seen(name).any():
            raise Unmeasurable(f"{name} is never seen")
        return self.body.positions[:, columns].mean(axis=1)

    def seen(self, name: str) -> np.ndarray:
        """(T,) bool: whether a frame shows all that a joint is made of."""
        return self._present[:, self._columns(name)].all(axis=1)

    def unseen(self, name: str, start: int, end: int) -> bool:
        """Whether no frame from ``start`` to before ``end`` shows a joint."""
        return not self.complete and not self.seen(name)[start:end].any()

    def noise(self, name: str) -> float:
        """Standard deviation of a coordinate of a joint, in torso lengths."""
        columns = self._columns(name)
        return float(np.sqrt(sum(self.body.noise[column] ** 2 for column in columns)) / len(columns))

    def _columns(self, name: str) -> list[int]:
        skeleton = self.body.sequence.skeleton
        return [skeleton.index(part) for part in skeleton.parts(name)]

    @property
    def view(self) -> View:
        """How a picture shows the body."""
        return self.once("view", lambda: view(self._found))

    def _found(self, name: str) -> np.ndarray | None:
        try:
            return self.joint(name)
        except Unmeasurable:
            return None

    def up(self, line: np.ndarray) -> np.ndarray:
        """(T,) how far lines (T, D) go up."""
        return line[:, 1] if self.solid else -line[:, 1]

    def forward(self, line: np.ndarray) -> np.ndarray:
        """(T,) how far lines go forwards; in pictures only seen from the side."""
        return line[:, 2] if self.solid else line[:, 0] * _sign(self.view.forward)

    def leftward(self, line: np.ndarray) -> np.ndarray:
        """(T,) how far lines go to the performer's left; in pictures only seen from the front or back."""
        return line[:, 0] if self.solid else line[:, 0] * _sign(self.view.leftward)

    def room(self, name: str) -> np.ndarray:
        """(T, 3) track of a joint in the room; not in pictures, where the camera may pan."""
        if not self.solid:
            raise Unmeasurable("where a joint is in the room needs 3D")
        return self.joint(name) + self.body.path / self.body.path_scale

    def rate(self, values: np.ndarray) -> np.ndarray:
        """(T, ...) how fast values change, a second: slopes of lines fitted to about 0.1 s; at the ends, the next ones.

        Raises:
            Unmeasurable: if there is one frame only.
        """
        count = len(values)
        if count < 2:
            raise Unmeasurable("one frame shows no movement")
        half = min(max(1, round(RATE_WINDOW / 2 * self.fps)), (count - 1) // 2)
        if not half:
            return np.repeat(np.diff(values, axis=0), 2, axis=0) * self.fps
        k = np.arange(-half, half + 1.0)
        windows = np.lib.stride_tricks.sliding_window_view(values, 2 * half + 1, axis=0)
        slopes = windows @ (k / (k @ k))
        before, after = np.repeat(slopes[:1], half, axis=0), np.repeat(slopes[-1:], half, axis=0)
        return np.concatenate([before, slopes, after]) * self.fps


def _sign(direction: float | str) -> float:
    if isinstance(direction, str):
        raise Unmeasurable(direction)
    return direction


@dataclass(frozen=True)
class Quantity:
    """A function of joints that gives a track.

    Attributes:
        of: the function; takes the scene and the joints' full names.
        unit: of the track.
        joints: how many it takes, at least and at most; one that is left out is the pelvis.
    """

    of: Callable[..., np.ndarray]
    unit: Unit
    joints: tuple[int, int]


def _line(scene: Scene, start: str, end: str) -> np.ndarray:
    return scene.joint(end) - scene.joint(start)


def _turn(sine: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """Angles that count on past whole turns, the first one between -90 and 270: lines begin upright or hanging."""
    found = unwrap(np.degrees(np.arctan2(sine, cosine)))
    return found - 360.0 * np.floor((found[0] + 90.0) / 360.0)


def height(scene: Scene, a: str, b: str) -> np.ndarray:
    """How much higher a is than b."""
    return scene.up(_line(scene, b, a))


def forward(scene: Scene, a: str, b: str) -> np.ndarray:
    """How far a is in front of b."""
    return scene.forward(_line(scene, b, a))


def leftward(scene: Scene, a: str, b: str) -> np.ndarray:
    """How far a is to the performer's left of b."""
    return scene.leftward(_line(scene, b, a))


def outward(scene: Scene, a: str, b: str) -> np.ndarray:
    """How far a is from b towards the side that a is on."""
    return leftward(scene, a, b) * (1.0 if a.startswith("left_") else -1.0)


def distance(scene: Scene, a: str, b: str) -> np.ndarray:
    """How far a is from b; in pictures, as it looks there."""
    return np.linalg.norm(_line(scene, a, b), axis=1)


def angle(scene: Scene, a: str, b: str, c: str) -> np.ndarray:
    """The angle at b between the lines to a and c, 180 where they are one straight line."""
    return interior_angle(scene.joint(a), scene.joint(b), scene.joint(c))


def lean(scene: Scene, a: str, b: str) -> np.ndarray:
    """Angle of the line from a to b against the vertical, to whatever side: 0 where b is straight above a."""
    line = _line(scene, a, b)
    across = np.hypot(line[:, 0], line[:, 2]) if scene.solid else np.abs(line[:, 0])
    return np.degrees(np.arctan2(across, scene.up(line)))


def forward_lean(scene: Scene, a: str, b: str) -> np.ndarray:
    """How far the line from a up to b leans forwards; turns count on."""
    line = _line(scene, a, b)
    return _turn(scene.forward(line), scene.up(line))


def side_lean(scene: Scene, a: str, b: str) -> np.ndarray:
    """How far the line from a up to b leans to the performer's left; turns count on."""
    line = _line(scene, a, b)
    return _turn(scene.leftward(line), scene.up(line))


def rotation(scene: Scene, a: str, b: str) -> np.ndarray:
    """How far the line from a to b is turned about the vertical from the performer's left, towards the back."""
    if not scene.solid:
        raise Unmeasurable("rotation needs 3D")
    line = _line(scene, a, b)
    return _turn(-line[:, 2], line[:, 0])


def turned(scene: Scene, a: str, b: str) -> np.ndarray:
    """How far the line from a to b has turned since the first frame, seen from the side, whichever way."""
    line = _line(scene, a, b)
    found = _turn(line[:, 2] if scene.solid else line[:, 0], scene.up(line))
    return np.abs(found - found[0])


def speed(scene: Scene, a: str, b: str) -> np.ndarray:
    """How fast a moves relative to b."""
    return np.linalg.norm(scene.rate(_line(scene, b, a)), axis=1)


def lift(scene: Scene, a: str) -> np.ndarray:
    """How much higher a is in the room than at the start, the first :data:`START` seconds."""
    where = scene.room(a)[:, 1]
    return where - where[: _starting(scene)].mean()


def travel(scene: Scene, a: str) -> np.ndarray:
    """How far a is in the room from where it was at the start, heights left out."""
    where = scene.room(a)
    start = where[: _starting(scene)].mean(axis=0)
    return np.hypot(where[:, 0] - start[0], where[:, 2] - start[2])


def _starting(scene: Scene) -> int:
    """Frames at the start. One alone would be a poor zero: at its ends, a smoothed track is at its noisiest."""
    return max(round(START * scene.fps), 1)


def trunk_rotation(scene: Scene) -> np.ndarray:
    """How far the shoulders are turned to the left against the hips."""
    if not scene.solid:
        raise Unmeasurable("trunk_rotation needs 3D")
    return twist(*(scene.joint(name) for name in TRUNK))


QUANTITIES = {
    "angle": Quantity(angle, ANGLE, (3, 3)),
    "height": Quantity(height, LENGTH, (1, 2)),
    "forward": Quantity(forward, LENGTH, (1, 2)),
    "outward": Quantity(outward, LENGTH, (1, 2)),
    "leftward": Quantity(leftward, LENGTH, (1, 2)),
    "distance": Quantity(distance, LENGTH, (2, 2)),
    "forward_lean": Quantity(forward_lean, ANGLE, (2, 2)),
    "side_lean": Quantity(side_lean, ANGLE, (2, 2)),
    "lean": Quantity(lean, ANGLE, (2, 2)),
    "rotation": Quantity(rotation, ANGLE, (2, 2)),
    "turned": Quantity(turned, ANGLE, (2, 2)),
    "speed": Quantity(speed, SPEED, (1, 2)),
    "lift": Quantity(lift, LENGTH, (1, 1)),
    "travel": Quantity(travel, LENGTH, (1, 1)),
    "trunk_rotation": Quantity(trunk_rotation, ANGLE, (0, 0)),
}
