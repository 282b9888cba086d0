"""What estimators get wrong for a frame or a few: lone jumps of a joint, and left taken for right."""

from __future__ import annotations

import numpy as np

from posediff.errors import BadData
from posediff.motion.normalize import torso_length
from posediff.sequence import PoseSequence, Status
from posediff.skeletons import Skeleton

#: A joint that jumps away and back by more than this many torso lengths ...
OUTLIER_JUMP = 0.5
#: ... and by this many times the steps before, after and across is an outlier; fast movement speeds up and slows down.
OUTLIER_RATIO = 3.0

#: Most frames that left and right are taken to be exchanged for.
LONGEST_SWAP = 5
#: Exchanged sides fit their neighbours at least this many times better the other way round ...
SWAP_RATIO = 3.0
#: ... and by at least this many torso lengths a joint.
SWAP_GAIN = 0.15
#: Least pairs of joints that must be seen to tell.
FEWEST_PAIRS = 2

#: Joints that are exchanged together, apart from all others: estimators often mix up the legs alone.
_LEGS = ("hip", "knee", "ankle", "heel", "foot", "foot_index", "toes", "big_toe", "small_toe")


def remove_outliers(sequence: PoseSequence) -> PoseSequence:
    """Keypoints that jump away for a single frame and back become missing, save verified ones.

    Args:
        sequence: T frames without absent frame numbers; unchanged where nothing shows how large the body is.
    """
    wild = outliers(sequence.keypoints.astype(float), body_length(sequence)) & (sequence.status != Status.VERIFIED)
    keypoints = np.where(wild[..., None], np.float32(np.nan), sequence.keypoints)
    return sequence.replace(keypoints=keypoints, step=f"remove_outliers(): {wild.sum()} keypoints")


def outliers(tracks: np.ndarray, length: float) -> np.ndarray:
    """Where a joint is away for one frame.

    The step to the place and the step back must both be longer than :data:`OUTLIER_JUMP` body lengths, and
    :data:`OUTLIER_RATIO` times as long as the step before, the step after and the way from the frame before to the one
    after, of which the first two may be unknown.

    Args:
        tracks: (T, J, D) float64, NaN where missing.
        length: of the torso; NaN finds nothing.

    Returns:
        (T, J) bool.
    """
    found = np.zeros(tracks.shape[:2], bool)
    if len(tracks) < 3:
        return found
    steps = np.linalg.norm(np.diff(tracks, axis=0), axis=2)
    across = np.linalg.norm(tracks[2:] - tracks[:-2], axis=2)
    unknown = np.full((1, tracks.shape[1]), np.nan)
    earlier, later = np.concatenate([unknown, steps[:-2]]), np.concatenate([steps[2:], unknown])
    usual = np.fmax(np.fmax(earlier, later), across)
    jump = np.minimum(steps[:-1], steps[1:])
    found[1:-1] = (jump > OUTLIER_JUMP * length) & (jump > OUTLIER_RATIO * usual)
    return found


def swap_back(sequence: PoseSequence) -> PoseSequence:
    """Put left and right right where they are exchanged for a few frames.

    Legs and the rest of the body are judged apart. Between two frames of discontinuity, at most :data:`LONGEST_SWAP`
    apart, the joints must fit the straight line from before to after much better when exchanged. Limbs that cross go on
    along that line, so they are not taken for exchanged. Frames with verified joints are left.

    Args:
        sequence: T frames without absent frame numbers; unchanged where nothing shows how large the body is.
    """
    order = np.arange(len(sequence.skeleton.joints))
    length = body_length(sequence)
    sources = np.tile(order, (len(sequence), 1))
    for left, right in _groups(sequence.skeleton):
        verified = (sequence.status[:, [*left, *right]] == Status.VERIFIED).any(axis=1)
        tracks = sequence.keypoints.astype(float)
        rows = swapped(np.stack([tracks[:, left], tracks[:, right]], axis=1), length)
        rows = rows[~verified[rows]]
        sources[np.ix_(rows, [*left, *right])] = [*right, *left]
    changed = (sources != order).any(axis=1)
    index = np.arange(len(sequence))[:, None], sources
    return sequence.replace(
        keypoints=sequence.keypoints[index],
        scores=sequence.scores[index],
        status=sequence.status[index],
        step=f"swap_back(): {changed.sum()} frames",
    )


def swapped(sides: np.ndarray, length: float) -> np.ndarray:
    """Rows in which the two sides are exchanged.

    Args:
        sides: (T, 2, P, D) float64 places of P joints on the left and on the right, NaN where missing.
        length: of the torso; NaN finds nothing.

    Returns:
        (N,) int rows, in order.
    """
    breaks = np.flatnonzero(_better_exchanged(sides[:-1], sides[1:], length)) + 1
    rows: list[int] = []
    after = 0
    for start, end in zip(breaks[:-1], breaks[1:], strict=True):
        if start < after or end - start > LONGEST_SWAP:
            continue
        inside = np.arange(start, end)
        part = ((inside - (start - 1)) / (end - (start - 1)))[:, None, None, None]
        line = sides[start - 1] * (1 - part) + sides[end] * part
        if _better_exchanged(line, sides[start:end], length).all():
            rows += inside.tolist()
            after = end + 1
    return np.array(rows, np.int64)


def body_length(sequence: PoseSequence) -> float:
    """Length of the torso in the sequence's units, NaN where no frame shows it."""
    try:
        return torso_length(sequence)
    except BadData:
        return float("nan")


def _better_exchanged(expected: np.ndarray, sides: np.ndarray, length: float) -> np.ndarray:
    """(T,) bool: where sides (T, 2, P, D) are much nearer to the expected ones when they are exchanged."""
    kept = np.linalg.norm(sides - expected, axis=3).sum(axis=1)
    exchanged = np.linalg.norm(sides[:, ::-1] - expected, axis=3).sum(axis=1)
    seen = np.isfinite(kept) & np.isfinite(exchanged)
    pairs = seen.sum(axis=1)
    near, far = (np.where(seen, cost, 0).sum(axis=1) for cost in (exchanged, kept))
    gain = far - near > 2 * SWAP_GAIN * length * pairs
    return np.asarray((pairs >= FEWEST_PAIRS) & gain & (far > SWAP_RATIO * near))


def _groups(skeleton: Skeleton) -> list[tuple[list[int], list[int]]]:
    """Indices of the left and the right joints of the legs, and of the rest of the body."""
    legs = [pair for pair in skeleton.mirror_pairs if pair[0].removeprefix("left_") in _LEGS]
    groups = legs, [pair for pair in skeleton.mirror_pairs if pair not in legs]
    return [([skeleton.index(a) for a, _ in pairs], [skeleton.index(b) for _, b in pairs]) for pairs in groups if pairs]
