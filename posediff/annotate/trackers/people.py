"""Following everybody: ByteTrack frame by frame, then what it lost is joined again."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from posediff.annotate.boxes import Track
from posediff.annotate.trackers.chains import LONGEST_MISSED, WIDTHS, fits, newborn, step
from posediff.annotate.trackers.kalman import RATE, Motion, lengths, measured, update
from posediff.errors import BadData, MissingDependency

#: Seconds that ByteTrack remembers a person it has lost, and that may lie between two parts of a track that are joined.
REMEMBERED = LONGEST_MISSED

#: Confidence from which a box may begin a person; ByteTrack adds 0.1.
ACTIVATION = 0.1

#: Largest 1 - IoU x confidence of a person and a box that go together, at 25 frames a second and at 5 or fewer.
MATCHING, COARSE_MATCHING = 0.8, 0.95

#: Fewest boxes of a track; half of the frames are enough in a video of fewer than twice as many.
LEAST_BOXES = 3

#: Standard deviation of the velocity of somebody who was seen once, in body sizes in 1/25 s: for those who are too fast
#: for ByteTrack.
FASTEST = 0.6

#: Log of how much likelier than chance it has to be that one part of a track continues another.
CERTAIN = 2.0


def track_people(
    detections: Sequence[np.ndarray],
    frames: np.ndarray,
    image_size: tuple[int, int],
    fps: float,
    motion: np.ndarray | None = None,
) -> list[Track]:
    """Everybody's boxes over time.

    ByteTrack (Zhang et al. 2022) matches boxes by their overlap, which fails where somebody moves by a body's size
    between two frames, and it does not give out the first box of a person who comes in later. So its tracks and the
    boxes that it left over are joined afterwards, by where a motion of constant velocity would lead.

    Args:
        detections: of every frame (N, 5) boxes of whoever was found, in pixels, with confidence.
        frames: (T,) their frame numbers, increasing; they may leave out frames, evenly.
        image_size: width and height of the pictures in pixels.
        fps: frame numbers a second.
        motion: (T, 2) by how many pixels the background moved since the frame before; None where it is not known.

    Returns:
        Tracks over the given frame numbers, in the order of appearance, with ids from 0. Gaps are filled linearly, with
        confidence 0. People with fewer than ``LEAST_BOXES`` boxes are left out.

    Raises:
        MissingDependency: if supervision is not installed.
        BadData: if the frame numbers do not fit the boxes.
    """
    frames = np.asarray(frames, np.int64)
    if len(frames) != len(detections) or (np.diff(frames) <= 0).any():
        raise BadData(
            f"{len(frames)} frame numbers for the boxes of {len(detections)} frames", "give increasing frame numbers"
        )
    if not len(frames):
        return []
    boxes = [np.asarray(one, np.float64).reshape(-1, 5) for one in detections]
    pan = np.zeros((len(frames), 2)) if motion is None else np.cumsum(np.asarray(motion, np.float64), axis=0)
    still = [_shifted(one, -pan[index]) for index, one in enumerate(boxes)]
    times = (frames - frames[0]) * RATE / fps
    parts = _left_over(_byte_track(still, times), still)
    whole = _joined(parts, still, times, image_size)
    least = min(LEAST_BOXES, (len(frames) + 1) // 2)
    whole = sorted(part for part in whole if len(part) >= least)
    return [_track(number, part, boxes, pan, frames) for number, part in enumerate(whole)]


def _shifted(boxes: np.ndarray, shift: np.ndarray) -> np.ndarray:
    shifted = boxes.copy()
    shifted[:, :4] += np.tile(shift, 2)
    return shifted


def _byte_track(boxes: Sequence[np.ndarray], times: np.ndarray) -> list[list[tuple[int, int]]]:
    """ByteTrack's tracks: for each the (frame index, row) of its boxes."""
    try:
        import supervision
    except ImportError:
        raise MissingDependency("supervision", "annotate", "following several people") from None
    rate = RATE / float(np.median(np.diff(times))) if len(times) > 1 else RATE
    coarse = float(np.clip((RATE - rate) / (RATE - 5), 0, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is deprecated; its successor needs a numpy that mediapipe cannot use
        tracker = supervision.ByteTrack(
            track_activation_threshold=ACTIVATION,
            lost_track_buffer=max(2, round(REMEMBERED * rate)),
            minimum_matching_threshold=MATCHING + coarse * (COARSE_MATCHING - MATCHING),
            frame_rate=30,  # at 30 the buffer counts frames
            minimum_consecutive_frames=1,
        )
        found: dict[int, list[tuple[int, int]]] = {}
        for index, one in enumerate(boxes):
            given = supervision.Detections(
                xyxy=one[:, :4].astype(np.float32),
                confidence=one[:, 4].astype(np.float32),
                data={"row": np.arange(len(one))},
            )
            kept = tracker.update_with_detections(given)
            for person, row in zip(kept.tracker_id, kept.data.get("row", ()), strict=True):
                found.setdefault(int(person), []).append((index, int(row)))
    return list(found.values())


def _left_over(parts: list[list[tuple[int, int]]], boxes: Sequence[np.ndarray]) -> list[list[tuple[int, int]]]:
    """The parts, and each box that is in none as a part of its own."""
    used = {box for part in parts for box in part}
    every = ((index, row) for index, one in enumerate(boxes) for row in range(len(one)))
    return parts + [[box] for box in every if box not in used]


def _joined(
    parts: list[list[tuple[int, int]]], boxes: Sequence[np.ndarray], times: np.ndarray, image_size: tuple[int, int]
) -> list[list[tuple[int, int]]]:
    """The parts joined end to beginning, the surest pairs first, until no pair is sure enough."""
    crowd = (np.mean([len(one) for one in boxes]) + 1) / (image_size[0] * image_size[1] * WIDTHS**2)
    enough = float(np.log(crowd)) + CERTAIN
    for _ in range(len(times)):
        pairs = _pairs(parts, boxes, times, enough)
        before: set[int] = set()
        after: set[int] = set()
        following: dict[int, int] = {}
        for _, one, other in sorted(pairs, reverse=True):
            if one not in before and other not in after:
                before.add(one)
                after.add(other)
                following[one] = other
        if not following:
            return parts
        joined = []
        for start in range(len(parts)):
            if start not in after:
                part, at = list(parts[start]), start
                while at in following:
                    at = following[at]
                    part += parts[at]
                joined.append(part)
        parts = joined
    return parts


def _pairs(
    parts: Sequence[Sequence[tuple[int, int]]], boxes: Sequence[np.ndarray], times: np.ndarray, enough: float
) -> list[tuple[float, int, int]]:
    """Log density, part, and part that may continue it."""
    order = sorted(range(len(parts)), key=lambda one: parts[one][0])
    begins = np.array([times[parts[one][0][0]] for one in order])
    found = []
    for one, part in enumerate(parts):
        end = times[part[-1][0]]
        motion = _belief(part, boxes, times)
        lowest, highest = np.searchsorted(begins, [end, end + REMEMBERED * RATE], side="right")
        for place in range(lowest, highest):
            other = order[place]
            index, row = parts[other][0]
            ahead, noise = step(motion, times[index] - end)
            likely = fits(ahead, noise, measured(boxes[index][row : row + 1]))[0, 0]
            if likely > enough:
                found.append((float(likely), one, other))
    return found


def _belief(part: Sequence[tuple[int, int]], boxes: Sequence[np.ndarray], times: np.ndarray) -> Motion:
    """Where a person is believed to be and to go after the last boxes of a part."""
    last = part[-round(RATE) :]
    values = measured(np.array([boxes[index][row] for index, row in last]))
    motion = newborn(values[:1], np.zeros(2))
    motion.covariance[:, :2, 1, 1] = (FASTEST * lengths(values[:1])[:, :2]) ** 2
    for place in range(1, len(last)):
        motion, noise = step(motion, times[last[place][0]] - times[last[place - 1][0]])
        motion = update(motion, values[place : place + 1], noise)
    return motion


def _track(
    number: int, part: Sequence[tuple[int, int]], boxes: Sequence[np.ndarray], pan: np.ndarray, frames: np.ndarray
) -> Track:
    """A part as a track, its gaps filled linearly in a picture whose background stands still."""
    at = np.array([index for index, _ in part])
    rows = np.arange(at[0], at[-1] + 1)
    seen = np.array([boxes[index][row] for index, row in part])
    still = seen[:, :4] - np.tile(pan[at], 2)
    filled = np.column_stack([np.interp(frames[rows], frames[at], column) for column in still.T])
    confidence = np.zeros(len(rows))
    confidence[at - at[0]] = seen[:, 4]
    whole = np.column_stack([filled + np.tile(pan[rows], 2), confidence])
    return Track(number, frames[rows], whole.astype(np.float32))
