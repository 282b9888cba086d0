"""From boxes to people: everybody, or the one who is to be annotated."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from posediff.annotate.boxes import Track, parse_init_box
from posediff.annotate.detect import Detected, step
from posediff.annotate.trackers.athlete import track_athlete
from posediff.annotate.trackers.choice import choose, surest
from posediff.annotate.trackers.people import track_people
from posediff.errors import BadData, BadSetting

#: Share of the frames looked at in which an athlete has to be seen, and the farthest way from one to the next, in
#: lengths of the box's longer side, for the rest to be told by the poses.
ENOUGH, FAST = 0.9, 0.4


def follow(
    detected: Detected,
    *,
    size: tuple[int, int],
    fps: float,
    person: str = "largest",
    init_box: str | None = None,
    span: range | None = None,
) -> list[Track]:
    """The people who are to be annotated.

    Args:
        detected: the boxes of the frames that were looked at.
        size: width and height of the video.
        fps: its frames a second.
        person: ``all``; ``largest``, ``centre`` or ``moving`` for one athlete; or a track's id.
        init_box: where the athlete is, as :func:`parse_init_box` reads it; goes before ``person``.
        span: the video's frame numbers; None for those of ``detected``.

    Returns:
        Tracks over the frames of ``detected``.

    Raises:
        BadData: if nobody was found.
        BadSetting: if there is no such track or frame, or the start lies outside of the picture.
    """
    if init_box is not None:
        place, number = parse_init_box(init_box)
        _inside(place, size, init_box)
        index = 0 if number is None else _index(detected.frames, number, span)
        return [_athlete(detected, place, index, size, fps)]
    if not any(len(boxes) for boxes in detected.boxes):
        raise BadData(
            f"nobody was found in the {len(detected.frames)} frames that were looked at",
            "say where the athlete is with posediff annotate --init-box x0,y0,x1,y1, or try another --detector",
        )
    people = track_people(detected.boxes, detected.frames, image_size=size, fps=fps, motion=detected.shifts)
    if not people:
        raise BadData(
            f"nobody was found in enough of the {len(detected.frames)} frames that were looked at",
            "try a smaller --detect-every or another --detector, or say where the athlete is with --init-box",
        )
    if person == "all":
        return people
    chosen = choose(people, person, image_size=size, motion=detected.shifts, fps=fps, frames=detected.frames)
    if person.isdecimal() or step(detected.frames) > 1:
        return [chosen]
    number, box = surest(chosen)
    index = int(np.searchsorted(detected.frames, number))
    return [dataclasses.replace(_athlete(detected, box, index, size, fps), id=chosen.id)]


def _athlete(detected: Detected, start: np.ndarray, index: int, size: tuple[int, int], fps: float) -> Track:
    return track_athlete(
        detected.boxes,
        frames=detected.frames,
        start=start,
        start_index=index,
        motion=detected.shifts,
        image_size=size,
        fps=fps,
    )


def _inside(place: np.ndarray, size: tuple[int, int], text: str) -> None:
    """Refuse a box or a point of which nothing lies in the picture."""
    low, high = place[:2], place[-2:]
    if (high < 0).any() or (low > size).any():
        raise BadSetting(
            f"--init-box {text} lies outside of the picture", f"the picture is {size[0]} x {size[1]} pixels large"
        )


def _index(frames: np.ndarray, number: int, span: range | None) -> int:
    """Position of the frame that was looked at and is nearest to a frame number of the video."""
    span = span or range(int(frames[0]), int(frames[-1]) + 1)
    if number not in span:
        raise BadSetting(f"--init-box names frame {number}", f"the video's frames are {span.start} to {span.stop - 1}")
    return int(np.argmin(np.abs(frames - number)))


def too_sparse(found: Sequence[Track], detected: Detected) -> bool:
    """Whether an athlete moves too fast, or was seen too rarely, for frames that far apart.

    Args:
        found: the people who are to be annotated, none where nobody was found.
        detected: the boxes of the frames that were looked at.
    """
    if step(detected.frames) <= 1 or len(found) > 1:
        return False
    boxes = found[0].boxes[found[0].boxes[:, 4] > 0] if found else np.empty((0, 5))
    if len(boxes) < ENOUGH * len(detected.frames):
        return True
    sides = (boxes[:, 2:4] - boxes[:, :2]).max(axis=1)
    moved = np.linalg.norm(np.diff((boxes[:, :2] + boxes[:, 2:4]) / 2, axis=0), axis=1)
    return bool((moved > FAST * np.minimum(sides[1:], sides[:-1])).any())
