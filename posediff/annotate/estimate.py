"""The second pass over a video: the poses of the people who were followed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from posediff.annotate.boxes import Track
from posediff.annotate.detect import Report, step
from posediff.annotate.estimators.feedback import next_box
from posediff.annotate.estimators.orientation import NEW, Oriented, PersonMemory
from posediff.annotate.footage.ahead import pictures
from posediff.sequence import PoseSequence

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from posediff.annotate.estimators import Estimator
    from posediff.annotate.footage.video import Frame, Video


@dataclass
class _Person:
    """What is known of one person so far.

    Attributes:
        track: where the person is.
        reach: frames before and after the track in which the person is still looked for.
        memory: of the poses before.
    """

    track: Track
    reach: int
    memory: PersonMemory = NEW
    frames: list[int] = field(default_factory=list)
    boxes: list[np.ndarray] = field(default_factory=list)
    keypoints: list[np.ndarray] = field(default_factory=list)
    scores: list[np.ndarray] = field(default_factory=list)

    def box(self, number: int) -> np.ndarray | None:
        """(4,) where to look for the person in a frame, None where the person is not."""
        frames, boxes = self.track.frames, self.track.boxes
        if not frames[0] - self.reach <= number <= frames[-1] + self.reach:
            return None
        there = np.array([np.interp(number, frames, boxes[:, side]) for side in range(4)])
        led = next_box(self.memory, there)
        row = int(np.searchsorted(frames, number))
        if (
            row < len(frames)
            and frames[row] == number
            and boxes[row, 4] > 0
            and not (self.reach > 1 and near(led, there))
        ):
            return there
        return led

    def add(self, number: int, box: np.ndarray, keypoints: np.ndarray, scores: np.ndarray) -> None:
        self.frames.append(number)
        self.boxes.append(np.asarray(box, np.float32))
        self.keypoints.append(np.asarray(keypoints, np.float32))
        self.scores.append(np.asarray(scores, np.float32))


def estimate(
    video: Video,
    tracks: Sequence[Track],
    estimator: Estimator,
    *,
    rotation: str = "none",
    every: int | None = None,
    threads: int = 0,
    report: Report = lambda done: None,
) -> list[PoseSequence]:
    """The poses of some people in a video, as the estimator gives them.

    Where a track was not seen in a frame, the person is looked for where the poses before lead.

    Args:
        video: the video, of which one pass is made.
        tracks: the people.
        estimator: what finds the joints.
        rotation: how bodies that are not upright are met: ``none``, ``quarters`` or ``trunk``.
        every: frames from one detection to the next: so far before and after a track its person is still looked for.
            None for what lies between a track's frames.
        threads: that decode, 0 for as many as the decoder likes.
        report: told the number of frames done.

    Returns:
        One sequence a track, on the estimator's skeleton. A single person has all frames of the video, one of several
        those from the first to the last that the person is looked for in.
    """
    oriented = Oriented(estimator, rotation)
    people = [_Person(track, every or step(track.frames) or 1) for track in tracks]
    numbers: list[int] = []
    for frame in pictures(video, threads=threads):
        numbers.append(frame.index)
        _look(frame, people, oriented)
        report(len(numbers))
    seen = [person for person in people if person.frames]
    whole = numbers if len(people) == 1 else None
    return [_sequence(person, whole or person.frames, video, estimator, rotation) for person in seen]


def near(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether the centres of two boxes are no farther apart than half of the second one's longer side."""
    apart = np.linalg.norm((a[:2] + a[2:] - b[:2] - b[2:]) / 2)
    return bool(apart <= (b[2:] - b[:2]).max() / 2)


def _look(frame: Frame, people: Iterable[_Person], oriented: Oriented) -> None:
    """Estimate the poses of all the people who are in a frame."""
    everybody = [(person, person.box(frame.index)) for person in people]
    inside = [(person, box) for person, box in everybody if box is not None]
    if inside:
        found = oriented.estimate(frame.image, np.array([box for _, box in inside]), [one.memory for one, _ in inside])
        for (person, box), keypoints, scores, memory in zip(inside, *found, strict=True):
            person.memory = memory
            person.add(frame.index, box, keypoints, scores)


def _sequence(
    person: _Person, numbers: Sequence[int], video: Video, estimator: Estimator, rotation: str
) -> PoseSequence:
    """The person's poses over some frames, missing in those where the person was not looked for."""
    rows = np.searchsorted(numbers, person.frames)
    joints = len(estimator.skeleton.joints)
    keypoints = np.full((len(numbers), joints, 2), np.nan, np.float32)
    scores = np.zeros((len(numbers), joints), np.float32)
    boxes = np.full((len(numbers), 4), np.nan, np.float32)
    keypoints[rows], scores[rows], boxes[rows] = person.keypoints, person.scores, person.boxes
    source: dict[str, Any] = {"video": video.path.name, **estimator.provenance, "rotation": rotation, "steps": []}
    if video.fps_assumed:
        source["fps_assumed"] = True
    return PoseSequence(
        keypoints=keypoints,
        skeleton=estimator.skeleton,
        fps=video.fps,
        scores=np.clip(scores, 0, 1),
        boxes=boxes,
        frames=np.array(numbers, np.int64),
        image_size=video.size,
        person=person.track.id,
        source=source,
    )
