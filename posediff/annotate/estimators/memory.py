"""What is remembered of a person from frame to frame: the pose, and how it turns and moves on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from posediff.annotate.estimators.crops import box_of, trunk_angle
from posediff.skeletons import Skeleton

#: Least certainty of a pose that the next ones are judged by.
SURE = 0.5

#: Frames without a fitting pose after which a person's direction counts as unknown.
FORGET = 25

#: Least length of a body, in lengths of its trunk; in a tuck the box is shorter.
_BODY = 3.0
#: Shares of an unexpected turn that go into the direction and into its velocity (an alpha-beta filter).
_ALPHA, _BETA = 0.7, 0.3
#: Share of its velocity that a body keeps in a frame without a fitting pose.
_KEPT = 0.9
#: Shares by which a longer and a shorter trunk change the known length: a trunk that points at the camera looks short.
_GROW, _SHRINK = 0.5, 0.05


@dataclass(frozen=True, eq=False)
class PersonMemory:
    """What is known of a person from the frames before.

    Attributes:
        keypoints: (J, 2) of the latest pose, None before the first.
        scores: (J,) of that pose.
        certain: how certain the pose was.
        angle: degrees by which the body is turned from upright, clockwise.
        since: degrees by which it has turned since that pose.
        spin: degrees that it turns on by in a frame.
        trunk: length of the trunk in pixels, as if seen from the side.
        velocity: (2,) pixels by which the tight box's centre moves in a frame.
        age: frames since that pose in which none fitted.
    """

    keypoints: np.ndarray | None = None
    scores: np.ndarray | None = None
    certain: float = 0.0
    angle: float = 0.0
    since: float = 0.0
    spin: float = 0.0
    trunk: float = float("nan")
    velocity: np.ndarray = field(default_factory=lambda: np.zeros(2))
    age: int = 0

    @property
    def known(self) -> bool:
        """Whether there is a pose young enough to expect the next one from."""
        return self.keypoints is not None and self.age < FORGET

    @property
    def expected(self) -> float:
        """Degrees by which the body should be turned in the next frame, as far as is known."""
        return self.angle + self.spin if self.known else 0.0


#: Of a person who was not seen yet.
NEW = PersonMemory()


def forgetting(memory: PersonMemory) -> PersonMemory:
    """The memory after a frame without a fitting pose: the body turns on, ever more slowly."""
    since = memory.since + memory.expected - memory.angle
    return replace(memory, age=memory.age + 1, angle=memory.expected, since=since, spin=memory.spin * _KEPT)


def following(
    memory: PersonMemory, keypoints: np.ndarray, scores: np.ndarray, certain: float, skeleton: Skeleton
) -> PersonMemory:
    """The memory after a frame with a fitting pose.

    Args:
        memory: of the frames before.
        keypoints, scores: (J, 2) in pixels and (J,) of the pose.
        certain: how certain the pose is.
        skeleton: that of the pose.

    Returns:
        The new memory; a frame older, where too few keypoints are confident to say where the person is.
    """
    tight = box_of(keypoints, scores)
    if not np.isfinite(tight).all():
        return forgetting(memory)
    angle, spin = _turned(memory, float(trunk_angle(keypoints, skeleton)))
    return PersonMemory(
        keypoints=keypoints,
        scores=scores,
        certain=certain,
        angle=angle,
        spin=spin,
        trunk=_lengthened(memory.trunk, trunk_length(keypoints, skeleton)),
        velocity=_moved(memory, tight),
    )


def distance(keypoints: np.ndarray, box: np.ndarray, memory: PersonMemory) -> float:
    """How much a pose differs from the one before, after that has turned on as it should.

    Both are compared about their own centres: boxes jitter, and a box jumps when a limb leaves it.

    Args:
        keypoints: (J, 2) in pixels.
        box: (4,) in which they were found.
        memory: of the frames before.

    Returns:
        The mean over the joints that both have, in lengths of the body; infinite where there are none.
    """
    if memory.keypoints is None:
        return float("inf")
    both = np.isfinite(keypoints).all(axis=1) & np.isfinite(memory.keypoints).all(axis=1)
    size = max(box[2] - box[0], box[3] - box[1], float(np.nan_to_num(_BODY * memory.trunk)))
    if not both.any() or not size > 0:
        return float("inf")
    turn = np.radians(memory.since + memory.expected - memory.angle)
    rotation = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    before, now = memory.keypoints[both], keypoints[both]
    apart = now - now.mean(axis=0) - (before - before.mean(axis=0)) @ rotation
    return float(np.linalg.norm(apart, axis=1).mean() / size)


def trunk_length(keypoints: np.ndarray, skeleton: Skeleton) -> float:
    """Distance from the hips to the shoulders in pixels, NaN where they are missing."""
    low, high = skeleton.torso
    if not low or not high:
        return float("nan")
    ends = [keypoints[[skeleton.index(joint) for joint in joints]].mean(axis=0) for joints in (low, high)]
    return float(np.linalg.norm(ends[1] - ends[0]))


def wrapped(degrees: float) -> float:
    """An angle between -180 and 180 degrees."""
    return float((degrees + 180) % 360 - 180)


def _turned(memory: PersonMemory, angle: float) -> tuple[float, float]:
    """Direction and its velocity after a direction was seen."""
    if not np.isfinite(angle):
        return memory.expected, memory.spin
    if not memory.known:
        return angle, 0.0
    off = wrapped(angle - memory.expected)
    return wrapped(memory.expected + _ALPHA * off), float(memory.spin + _BETA * off)


def _lengthened(known: float, seen: float) -> float:
    if not np.isfinite(seen):
        return known
    if not np.isfinite(known):
        return seen
    return known + (_GROW if seen > known else _SHRINK) * (seen - known)


def _moved(memory: PersonMemory, tight: np.ndarray) -> np.ndarray:
    """Velocity of the tight box's centre."""
    if not memory.known or memory.keypoints is None or memory.scores is None:
        return np.zeros(2)
    before = box_of(memory.keypoints, memory.scores)
    return np.asarray((_centre(tight) - _centre(before)) / (memory.age + 1), np.float64)


def _centre(box: np.ndarray) -> np.ndarray:
    return np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
