"""Where the stages of clips begin, among the frames that are sampled of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from posediff.datasets.clips import Clip
from posediff.errors import BadData, BadSetting
from posediff.motion.resample import EXACT
from posediff.sequence import PoseSequence


class Stages(NamedTuple):
    """Where the stages of a sequence begin.

    Attributes:
        starts: number of the first frame of every stage but the first.
        first: number of the first frame of the sequence.
        length: how many frames lie from there to the last one; 0 where there is no sequence.
    """

    starts: tuple[int, ...]
    first: int
    length: int


UNKNOWN = Stages((), 0, 0)


def stages_of(sequence: PoseSequence) -> Stages:
    """The stages that a sequence names."""
    first, last = int(sequence.frames[0]), int(sequence.frames[-1])
    return Stages(tuple(sorted({stage.start for stage in sequence.stages})[1:]), first, last - first + 1)


def labelled(clips: Sequence[Clip], stages: Sequence[Stages], frames: int, wanted: int | None = None) -> np.ndarray:
    """The transitions of clips among T frames that are evenly spread over each.

    Args:
        clips: what they say counts. Where a clip has no number of label frames, its transitions are frame numbers of
            the sequence.
        stages: what their sequences say; it counts for a clip that says nothing.
        frames: T.
        wanted: N; by default the number of transitions that clips say, or where none does, that of the sequences if
            they agree, else 0.

    Returns:
        (number of clips, N) int64 first frame of every stage but the first, -1 where unknown.

    Raises:
        BadData: if clips say different numbers of transitions, or some that lie outside.
        BadSetting: if T frames cannot hold so many stages.
    """
    numbers = {len(clip.transitions) for clip in clips if clip.transitions is not None}
    numbers |= set() if wanted is None else {wanted}
    if len(numbers) > 1:
        raise BadData(
            f"clips have {' and '.join(map(str, sorted(numbers)))} labelled transitions", "label as many in every clip"
        )
    numbers = numbers or {len(one.starts) for one in stages}
    count = numbers.pop() if len(numbers) == 1 else 0
    table = np.full((len(clips), count), -1, np.int64)
    for row, clip, (starts, first, among) in zip(table, clips, stages, strict=True):
        if clip.transitions is not None:
            starts = clip.transitions
            first, among = (first, among) if clip.frames is None else (0, clip.frames)
        if not (count and among and len(starts) == count):
            continue
        if first < starts[0] and starts[-1] < first + among:
            row[:] = rescaled([start - first for start in starts], among, frames)
        elif clip.transitions is not None:
            raise BadData(
                f"clip {clip.key!r}: its stages begin at {list(starts)} in frames {first} to {first + among - 1}",
                "give the numbers that the skeleton file gives its frames, those of all stages but the first",
            )
    return table


def rescaled(boundaries: Sequence[int], count: int, frames: int) -> np.ndarray:
    """Starts of stages among so many frames, among so many others that are spread over the same clip.

    Args:
        boundaries: (N,) first frame of every stage but the first, increasing from above 0 to below ``count``.
        count: frames that they count in.
        frames: T, the others.

    Returns:
        (N,) int64: the first of the other frames at or after each start; strictly increasing within 1 to T - 1, so
        that no stage is empty.

    Raises:
        BadSetting: if T frames cannot hold so many stages.
    """
    order = np.arange(1, len(boundaries) + 1)
    if len(boundaries) >= frames:
        raise BadSetting(f"{frames} frames cannot hold {len(boundaries) + 1} stages", "take more frames")
    places = np.ceil(np.asarray(boundaries, float) * (frames - 1) / max(count - 1, 1)).astype(np.int64)
    apart = np.maximum.accumulate(places - order) + order
    return np.minimum(apart, frames - 1 - len(boundaries) + order)


def recut(transitions: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Transitions of clips whose moments are taken from elsewhere.

    Args:
        transitions: (B, N), -1 where unknown.
        moments: (B, T) evenly spread places in 0 to T - 1.

    Returns:
        (B, N) int64: the first moment at or after each transition.
    """
    first, last = moments[:, :1], moments[:, -1:]
    places = np.ceil((transitions - first) * (moments.shape[1] - 1) / (last - first) - EXACT)
    return np.where(transitions < 0, -1, places).astype(np.int64)
