"""Where a person will be, told by the poses before: for the frames in which no detector looked."""

from __future__ import annotations

import numpy as np

from posediff.annotate.estimators.crops import box_of, usable
from posediff.annotate.estimators.memory import SURE, PersonMemory

#: By how much the box around the keypoints is enlarged: the top of the head and the fingers have none.
GROWTH = 1.1

#: Frames since the latest pose for which it is believed.
OLDEST = 2

#: Farthest that the box may lie from the tracked one, between the centres, in lengths of the tracked one's longer side.
FARTHEST = 1.0


def next_box(memory: PersonMemory, box: np.ndarray) -> np.ndarray:
    """The person's box in the next frame: that of the latest pose, moved on by its velocity.

    Args:
        memory: of the frames before.
        box: (4,) x0, y0, x1, y1 in pixels: where the track has the person, without a detection in this frame.

    Returns:
        (4,) x0, y0, x1, y1. It is ``box`` itself where the pose cannot be trusted: there is none, it is old or not
        certain, or it lies so far from the track that it must be somebody else's.
    """
    tracked = np.asarray(box, np.float64)
    if memory.keypoints is None or memory.scores is None or memory.age > OLDEST or memory.certain < SURE:
        return tracked
    tight = box_of(memory.keypoints, memory.scores).astype(np.float64)
    if not usable(tight)[0]:
        return tracked
    centre = (tight[:2] + tight[2:]) / 2 + memory.velocity * (memory.age + 1)
    half = (tight[2:] - tight[:2]) / 2 * GROWTH
    if usable(tracked)[0]:
        apart = np.linalg.norm(centre - (tracked[:2] + tracked[2:]) / 2)
        if apart > FARTHEST * (tracked[2:] - tracked[:2]).max():
            return tracked
    return np.concatenate([centre - half, centre + half])
