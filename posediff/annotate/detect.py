"""The first pass over a video: where people are, and how the camera moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from posediff.annotate.boxes import FrameBoxes, read_boxes
from posediff.annotate.footage.ahead import pictures
from posediff.annotate.trackers.camera import CameraMotion, small_grey
from posediff.errors import BadData

if TYPE_CHECKING:
    from posediff.annotate.detectors import Detector
    from posediff.annotate.footage.video import Frame, Video

#: Pixels of the longer side of pictures that nobody is looked for in.
SMALL = 320

#: Least pixels on a side of the small pictures that the camera's motion is measured on.
LEAST_SIDE = 16

#: Told after each frame: how many are done.
Report = Callable[[int], None]


@dataclass(frozen=True, eq=False)
class Detected:
    """The people of some frames of a video.

    Attributes:
        frames: (K,) int64 numbers of the frames that were looked at, increasing.
        boxes: K arrays (N, 5) of x0, y0, x1, y1 in pixels of the video and confidence.
        shifts: (K, 2) pixels by which the scene moved in the picture since the frame before it in ``frames``; 0 in
            the first, and where nothing is known.
    """

    frames: np.ndarray
    boxes: tuple[np.ndarray, ...]
    shifts: np.ndarray


def detect(
    video: Video,
    detector: Detector | None,
    *,
    boxes: Path | None = None,
    every: int = 0,
    camera: bool = True,
    threads: int = 0,
    report: Report = lambda done: None,
) -> Detected:
    """Look for people in a video.

    Args:
        video: the video, of which one pass is made.
        detector: what finds people; None where a file says it.
        boxes: a file with the boxes of every frame, in place of a detector.
        every: frames from one detection to the next; 0 for as many as the detector allows. A file has them all.
        camera: measure how the camera moves.
        threads: that decode, 0 for as many as the decoder likes.
        report: told the number of frames done.

    Raises:
        BadData: if the video has no frame, or the file belongs to another video.
    """
    listed = None if boxes is None else read_boxes(boxes)
    find, longest, step = _finder(video, detector, every)
    motion = CameraMotion(video.size) if camera else None
    numbers: list[int] = []
    found: list[np.ndarray] = []
    shifts: list[np.ndarray] = []
    for frame in pictures(video, threads=threads, step=step, longest=longest):
        numbers.append(frame.index)
        if listed is None:
            found.append(find(frame))
        shifts.append(_shift(motion, frame, found[-1] if found else None))
        report(len(numbers) * step)
    if not numbers:
        raise BadData(f"{video.path}: holds no frame", "check that the video plays")
    frames = np.array(numbers, np.int64)
    if listed is not None:
        found = _matched(listed, frames, f"{boxes}")
    return Detected(frames, tuple(found), np.array(shifts))


def step(frames: np.ndarray) -> int:
    """Frames from one detection to the next, as a rule; 0 where there is one detection only."""
    return int(np.median(np.diff(frames))) if len(frames) > 1 else 0


def _finder(video: Video, detector: Detector | None, every: int) -> tuple[Callable[[Frame], np.ndarray], int, int]:
    """What finds the people of a frame, how large the frame has to be, and how many frames are stepped on each time."""
    if detector is None:
        return lambda frame: np.empty((0, 5), np.float32), SMALL, 1
    step = every or max(1, round(detector.every * _rate(video)))

    def find(frame: Frame) -> np.ndarray:
        boxes = detector.detect(frame.image)
        scale = video.size[0] / frame.image.shape[1]
        return boxes * np.array([scale, scale, scale, scale, 1], np.float32)

    return find, detector.longest, step


def _rate(video: Video) -> float:
    """Frames a second; where the rate varies there are fewer of them than frame numbers."""
    seconds = float(video.times[-1] - video.times[0])
    return (video.count - 1) / seconds if video.count > 1 and seconds > 0 else video.fps


def _shift(motion: CameraMotion | None, frame: Frame, people: np.ndarray | None) -> np.ndarray:
    """How far the scene has moved; 0 in pictures that are too small to tell."""
    grey = small_grey(frame.image) if motion else np.zeros((0, 0))
    return motion.shift(grey, people) if motion and min(grey.shape) >= LEAST_SIDE else np.zeros(2)


def _matched(listed: FrameBoxes, frames: np.ndarray, path: str) -> list[np.ndarray]:
    """The boxes of a file for each frame: by their order where it has as many as there are frames, else by number."""
    if len(listed.frames) == len(frames) and listed.frames[0] == 0:
        return listed.boxes
    if len(listed.frames) < len(frames) and np.array_equal(listed.frames, np.arange(len(listed.frames))):
        raise BadData(
            f"{path}: has boxes for {len(listed.frames)} frames, and the video has {len(frames)}",
            "give one item a frame, empty where nobody is, or tell their frame numbers",
        )
    row = {int(number): index for index, number in enumerate(listed.frames)}
    known = [int(number) in row for number in frames]
    if not any(known):
        span = f"{listed.frames[0]} to {listed.frames[-1]}" if len(listed.frames) else "none"
        raise BadData(
            f"{path}: has boxes for the frames {span}, and the video has {frames[0]} to {frames[-1]}",
            "give the file that belongs to this video",
        )
    none = np.empty((0, 5), np.float32)
    return [listed.boxes[row[int(number)]] if there else none for number, there in zip(frames, known, strict=True)]
