"""Which of the people in a video is the athlete."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posediff.annotate.boxes import Track
from posediff.errors import BadData, BadSetting

#: Ways to choose; a track's id is one more.
WAYS = ("largest", "centre", "moving")

#: Distance from the picture's centre, in half diagonals, at which somebody counts for 1/e.
NEAR = 0.5

#: Seconds over which motion is measured: longer than the jitter of boxes, shorter than most movements.
STRIDE = 0.5

#: Fewest ids that a message lists; more are counted.
LISTED = 20


def choose(
    tracks: Sequence[Track],
    how: str | int,
    *,
    image_size: tuple[int, int],
    motion: np.ndarray | None = None,
    fps: float,
    frames: np.ndarray | None = None,
) -> Track:
    """The athlete's track.

    What a way looks for is weighted by the square of how much of somebody was seen (the sum of the confidence over the
    frames), relative to whom most was seen of: a ghost of one frame does not win however large it is.

    Args:
        tracks: everybody's.
        how: ``"largest"`` by the mean area; ``"centre"`` by the distance from the picture's centre; ``"moving"`` by the
            way covered in ``STRIDE`` seconds, in heights of the own box, the camera's motion taken out; or a track's
            id.
        image_size: width and height of the pictures in pixels.
        motion: (T, 2) by how many pixels the background moved since the frame before; None where it is not known.
        fps: frame numbers a second.
        frames: (T,) frame numbers of ``motion``; None where they are 0, 1, 2, ...

    Raises:
        BadData: if there are no tracks.
        BadSetting: if the way is unknown, or no track has that id.
    """
    if not tracks:
        raise BadData("nobody was followed", "say where the athlete is with a start box")
    if how not in WAYS:
        return _by_id(tracks, str(how))
    seen = np.array([track.boxes[:, 4].sum() for track in tracks], dtype=float)
    if how == "largest":
        worth = [_mean(track, _areas(track)) for track in tracks]
    elif how == "centre":
        worth = [_mean(track, _nearness(track, image_size)) for track in tracks]
    else:
        numbers = np.arange(0 if motion is None else len(motion)) if frames is None else np.asarray(frames)
        pan = np.zeros((0, 2)) if motion is None else np.cumsum(motion, axis=0)
        worth = [_way(track, numbers, pan, fps) for track in tracks]
    return tracks[int(np.argmax(np.array(worth) * (seen / max(seen.max(), 1e-9)) ** 2))]


def surest(track: Track) -> tuple[int, np.ndarray]:
    """Frame number and (4,) box that a track is most confident of; of several, the first."""
    row = int(np.argmax(track.boxes[:, 4]))
    return int(track.frames[row]), track.boxes[row, :4].astype(float)


def _by_id(tracks: Sequence[Track], how: str) -> Track:
    for track in tracks:
        if how == str(track.id):
            return track
    known = [f"{track.id} (frames {track.frames[0]} to {track.frames[-1]})" for track in tracks[:LISTED]]
    rest = [f"and {len(tracks) - LISTED} more"] if len(tracks) > LISTED else []
    ids = ", ".join([*known, *rest])
    raise BadSetting(f"there is no person {how!r}", f"choose {', '.join(WAYS)}, or one of the ids {ids}")


def _mean(track: Track, values: np.ndarray) -> float:
    """Mean over the frames, weighted by the confidence, so only over boxes that were seen."""
    weights = track.boxes[:, 4]
    return float((values * weights).sum() / max(float(weights.sum()), 1e-9))


def _areas(track: Track) -> np.ndarray:
    return (track.boxes[:, 2:4] - track.boxes[:, :2]).prod(axis=1)


def _nearness(track: Track, image_size: tuple[int, int]) -> np.ndarray:
    """(T,) from 1 in the picture's centre towards 0."""
    middle = np.array(image_size) / 2
    away = np.hypot(*(_centres(track) - middle).T) / np.hypot(*middle)
    return np.exp(-((away / NEAR) ** 2))


def _way(track: Track, numbers: np.ndarray, pan: np.ndarray, fps: float) -> float:
    """Mean way in STRIDE seconds, in heights of the box, in front of the background."""
    seen = track.boxes[:, 4] > 0
    frames, centres = track.frames[seen], _centres(track)[seen]
    if len(frames) < 2:
        return 0.0
    if len(pan):
        rows = np.clip(np.searchsorted(numbers, frames), 0, len(pan) - 1)
        centres = centres - pan[rows]
    stride = min(STRIDE * fps, float(frames[-1] - frames[0]))
    begin = frames[frames <= frames[-1] - stride]
    places = [np.column_stack([np.interp(at, frames, axis) for axis in centres.T]) for at in (begin, begin + stride)]
    height = np.median((track.boxes[:, 2:4] - track.boxes[:, :2]).max(axis=1))
    return float(np.hypot(*(places[1] - places[0]).T).mean() / max(float(height), 1.0))


def _centres(track: Track) -> np.ndarray:
    return (track.boxes[:, :2] + track.boxes[:, 2:4]) / 2
