"""The pictures that a skeleton was made from, cropped to the person."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from posediff.annotate.footage.video import Video, open_video
from posediff.errors import BadData, MissingDependency
from posediff.io.registry import Location, split_range
from posediff.sequence import PoseSequence

#: Left, upper, right and lower edge, in whole pixels.
Box = tuple[int, int, int, int]

#: Space around the person, as a share of the longer side.
MARGIN = 0.15
#: Longer side of a picture that is sent, in pixels, and most bytes of it.
LONGEST, MOST_BYTES = 512, 200_000

_QUALITIES = (90, 75, 60, 40)
_HINT = "give the video"


@dataclass(frozen=True, eq=False)
class Film:
    """A video, and the person in it.

    Attributes:
        video: the pictures.
        sequence: the person's keypoints as they were read, in pixels of these pictures; without pixels pictures stay
            whole.
    """

    video: Video
    sequence: PoseSequence

    def clips(self, groups: Sequence[Sequence[int]]) -> list[list[np.ndarray]]:
        """Pictures of some groups of frames, those of a group cropped alike, so that movement shows.

        One pass is made over the video, which holds no picture in memory that is not wanted.

        Args:
            groups: frame numbers; one that the video lacks is replaced by the nearest that it has.

        Returns:
            For every group its pictures, (H, W, 3) uint8 RGB; those that cannot be decoded are left out.

        Raises:
            BadData: if none can be decoded.
        """
        wanted = [[self._nearest(frame) for frame in group] for group in groups]
        boxes = [person_box(self.sequence, group, self.video.size) for group in groups]
        found: dict[tuple[int, int], np.ndarray] = {}
        for frame in self.video.frames(only={frame for group in wanted for frame in group}):
            for number, group in enumerate(wanted):
                if frame.index in group:
                    found[number, frame.index] = _cropped(frame.image, boxes[number])
        return [[found[number, frame] for frame in group if (number, frame) in found]
                for number, group in enumerate(wanted)]  # fmt: skip

    def people(self, frames: Sequence[int]) -> Iterator[tuple[int, np.ndarray]]:
        """The person in each of some frames, one at a time: the place in ``frames``, and the picture around the person.

        Args:
            frames: increasing frame numbers; those that the video lacks or that cannot be decoded are left out.

        Raises:
            BadData: while iterating, if none can be decoded.
        """
        places = {frame: place for place, frame in enumerate(frames)}
        for frame in self.video.frames(only=places):
            if frame.index in places:
                box = person_box(self.sequence, [frame.index], self.video.size)
                yield places[frame.index], _cropped(frame.image, box)

    def _nearest(self, frame: int) -> int:
        return int(self.video.numbers[np.argmin(np.abs(self.video.numbers - frame))])


def film_of(sequence: PoseSequence, video: Location | None = None) -> Film:
    """The video that a sequence was made from.

    A file of ``posediff annotate`` names its video in ``source["video"]``, without the folder. It is looked for where
    ``source["path"]`` or ``source["origin"]`` say, if that is the video itself, and beside the file of keypoints.

    Args:
        sequence: as it was read, neither cut nor normalised.
        video: where the video is, instead.

    Raises:
        BadData: if no video is named or found, or it cannot be opened.
        MissingDependency: if PyAV, or for images Pillow, is not installed.
    """
    settings = sequence.source.get("settings")
    fps = settings.get("fps") if isinstance(settings, Mapping) else None
    counted = float(fps) if isinstance(fps, (int, float)) else None  # so that frame numbers mean the same again
    return Film(open_video(video if video is not None else _found(sequence), fps=counted), sequence)


def person_box(sequence: PoseSequence, frames: Sequence[int], size: tuple[int, int]) -> Box | None:
    """The part of a picture that holds a person in all of some frames, with a margin.

    Args:
        sequence: the person, in pixels of pictures of its ``image_size``.
        frames: frame numbers; of one that the sequence lacks, the next one is taken.
        size: (width, height) of the pictures.

    Returns:
        x0, y0, x1, y1 in whole pixels, or None where the keypoints are not in pixels, or there are none.
    """
    if sequence.units != "px" or sequence.dimensions != 2 or not len(sequence):
        return None
    rows = np.minimum(np.searchsorted(sequence.frames, np.asarray(frames, int)), len(sequence) - 1)
    points = [sequence.keypoints[rows].reshape(-1, 2)]
    if sequence.boxes is not None:
        points.append(sequence.boxes[rows].reshape(-1, 2))
    corners = np.concatenate(points).astype(float)
    corners = corners[np.isfinite(corners).all(axis=1)]
    if not len(corners):
        return None
    corners *= np.array(size) / (sequence.image_size or size)
    low, high = corners.min(axis=0), corners.max(axis=0)
    margin = MARGIN * max(float((high - low).max()), 1.0)
    x0, y0 = np.clip(np.floor(low - margin), 0, np.array(size) - 1).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(high + margin), 1, size).astype(int).tolist()
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def spread_frames(frames: tuple[int, int], count: int) -> list[int]:
    """At most ``count`` frame numbers, spread over (first, end); the middle one where one is wanted."""
    first, end = frames
    if count == 1 or end - first <= 1:
        return [(first + max(end - 1, first)) // 2]
    return sorted({int(number) for number in np.linspace(first, end - 1, count).round()})


def jpeg(image: np.ndarray, label: str, *, longest: int = LONGEST, most: int = MOST_BYTES) -> bytes:
    """A picture as a small JPEG with a label in its corner.

    Args:
        image: (H, W, 3) uint8 RGB.
        label: a letter or two.
        longest: larger pictures are scaled down to that many pixels.
        most: bytes; the quality, and then the size, is lowered to stay within.

    Raises:
        MissingDependency: if Pillow is not installed.
    """
    image_of, draw_on, font = _pillow()
    picture = image_of.fromarray(np.ascontiguousarray(image))
    while True:
        small = picture.copy()
        small.thumbnail((longest, longest))
        pen, height = draw_on(small), max(min(small.size) // 8, 10)
        pen.rectangle((0, 0, height * (0.6 + 0.6 * len(label)), 1.3 * height), fill="black")
        pen.text((0.4 * height, 0.05 * height), label, fill="white", font=font(height))
        for quality in _QUALITIES:
            file = io.BytesIO()
            small.save(file, "JPEG", quality=quality)
            if file.tell() <= most or longest <= 32:
                return file.getvalue()
        longest //= 2


def _found(sequence: PoseSequence) -> Path:
    name = sequence.source.get("video")
    if not isinstance(name, str) or not name:
        raise BadData("the file of keypoints names no video", _HINT)
    told = [str(sequence.source[key]) for key in ("path", "origin") if sequence.source.get(key)]
    places = [split_range(one)[0] for one in told]
    for place in [*(one for one in places if one.name == name), *(one.parent / Path(name).name for one in places)]:
        if _exists(place):
            return place
    raise BadData(f"the video {name} is not beside the file of keypoints", _HINT)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # longer than a path can be, or with a zero byte
        return False


def _cropped(image: np.ndarray, box: Box | None) -> np.ndarray:
    """A copy of a part, so that the whole picture need not stay."""
    if box is None:
        return image.copy()
    x0, y0, x1, y1 = box
    return image[y0:y1, x0:x1].copy()


def _pillow() -> Any:
    """What pictures, drawing on them and a font of some height are made with."""
    try:
        from PIL import Image, ImageDraw, ImageFont
    except ImportError:
        raise MissingDependency("Pillow", "annotate", "showing pictures to a model") from None
    return Image, ImageDraw.Draw, ImageFont.load_default
