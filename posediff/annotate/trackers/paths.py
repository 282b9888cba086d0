"""The athlete's likeliest path through the boxes of all frames."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posediff.annotate.trackers.chains import DETECTED, Links, Scene, crowd, fits, link, newborn, step
from posediff.annotate.trackers.kalman import RATE, Motion, update

#: Weight of a box's confidence: its power in the odds that the box is the athlete's, and the confidence of even odds.
CONFIDENCE_POWER, USUAL_CONFIDENCE = 0.25, 0.6

#: Log of how much likelier than chance a lone box has to be the athlete's: it is the nearest of several.
CHANCE = 2.0

#: Log of how unlikely it is that somebody appears, or is left behind, who is found in so many frames from then on.
APPEARING, STAYING = 8.0, 6

#: Log odds lost with every box that a path takes, and the most that a path can have won.
DOUBT, MOST_CREDIT = 1.0, 25.0

#: Paths that are kept from frame to frame, the log likelihood of a step below which it is not tried, and how far behind
#: the best one a path is given up.
PATHS, WORST, HOPELESS = 100, -40.0, 60.0


class _Paths(NamedTuple):
    """Paths that end in one frame, the likeliest first.

    Attributes:
        motion: where each believes the athlete to be.
        score: (B,) log of how likely the boxes of all people are with it, relative to the chains they form.
        credit: (B,) log odds, within bounds, that its boxes are somebody's at all and not found by chance.
        last: (B,) number of its last box.
        one_before: (B,) number of the box before that.
        seen: (B,) time of the last box, in 1/25 s.
        parent: (B,) index of the path that it continues.
        box: (B,) row of this frame's box that it takes, -1 for none.
    """

    motion: Motion
    score: np.ndarray
    credit: np.ndarray
    last: np.ndarray
    one_before: np.ndarray
    seen: np.ndarray
    parent: np.ndarray
    box: np.ndarray


def best_path(scene: Scene, longest_loss: float) -> np.ndarray:
    """The athlete's boxes.

    Everybody's boxes form chains (:func:`link`). A path that follows a chain is as likely as the chain. One that goes
    over to another chain pays for what it leaves behind without explanation, which is why a spectator who is detected
    better than the athlete does not attract it; one that mends a chain that was linked wrongly gains.

    Args:
        scene: the boxes; the first one of the first frame is the athlete's.
        longest_loss: seconds without a box after which the athlete is not found again.

    Returns:
        (T,) row of each frame's box that is the athlete's, -1 for none.
    """
    links, chance, first = link(scene), crowd(scene), scene.first
    motion = newborn(scene.values[0][:1], scene.drift[0])
    zero = np.zeros(1, int)
    paths = _Paths(motion, np.zeros(1), np.array([MOST_CREDIT]), zero, zero - 1, np.zeros(1), zero - 1, zero)
    history = [paths]
    for frame in range(1, len(scene.values)):
        alive = scene.times[frame] - paths.seen <= longest_loss * RATE
        paths = _continued(paths, scene, links, frame, first, chance, alive)
        history.append(paths)
    rows, at = [], 0
    for paths in reversed(history):
        rows.append(int(paths.box[at]))
        at = int(paths.parent[at])
    return np.array(rows[::-1])


def _continued(
    paths: _Paths, scene: Scene, links: Links, frame: int, first: np.ndarray, chance: float, alive: np.ndarray
) -> _Paths:
    """The best paths one frame on: every path goes without a box, and on to each box that is not out of reach."""
    values, scores = scene.values[frame], scene.scores[frame]
    numbers = np.arange(first[frame], first[frame + 1])
    ahead, noise = step(paths.motion, scene.times[frame] - scene.times[frame - 1])
    found = fits(ahead, noise, values)
    following = links.next[paths.last]
    left = links.evidence[following] - links.stranger + _appearing(links, following)
    left = np.where(following >= first[frame], left, 0.0)
    gain = found - _explained(links, numbers, chance) - np.where(following[:, None] == numbers, 0, left[:, None])
    gain += CONFIDENCE_POWER * np.log(np.maximum(scores, 0.01) / USUAL_CONFIDENCE)
    gain[~alive] = -np.inf
    taker, taken = np.nonzero(gain > WORST)

    count, missing = len(paths.score), np.log(1 - DETECTED)
    parent = np.concatenate([np.arange(count), taker])
    box = np.concatenate([np.full(count, -1), taken])
    missed = missing - np.where(following < first[frame + 1], left, 0)
    score = paths.score[parent] + np.concatenate([missed, gain[taker, taken]])
    won = np.concatenate([np.full(count, missing), found[taker, taken] - chance - DOUBT])
    credit = np.clip(paths.credit[parent] + won, -MOST_CREDIT, MOST_CREDIT)
    takes = box >= 0
    last = np.where(takes, first[frame] + box, paths.last[parent])
    one_before = np.where(takes, paths.last[parent], paths.one_before[parent])
    best = _different(score + credit, last, one_before)

    parent, box, takes = parent[best], box[best], takes[best]
    measured = np.full((len(best), 4), np.nan)
    measured[takes] = values[box[takes]]
    motion = update(Motion(ahead.mean[parent], ahead.covariance[parent]), measured, noise[parent])
    seen = np.where(takes, scene.times[frame], paths.seen[parent])
    return _Paths(motion, score[best], credit[best], last[best], one_before[best], seen, parent, box)


def _explained(links: Links, numbers: np.ndarray, chance: float) -> np.ndarray:
    """(N,) log density of a frame's boxes without the athlete: in their chains, at a chain's start, or alone."""
    ground = max(links.stranger, chance)
    alone = np.where(links.next[numbers] >= 0, ground - _appearing(links, numbers), ground + CHANCE)
    return np.where(links.linked[numbers], links.evidence[numbers], alone)


def _appearing(links: Links, numbers: np.ndarray) -> np.ndarray:
    """(N,) how unlikely it is, as a log, that people appear with these boxes, who stay for as long as their chains."""
    return APPEARING * np.minimum(links.rest[numbers] / STAYING, 1.0)


def _different(worth: np.ndarray, last: np.ndarray, one_before: np.ndarray) -> np.ndarray:
    """Rows of the best paths, best first, of those with the same last two boxes only the best."""
    near = np.flatnonzero(worth >= worth.max() - HOPELESS)
    order = near[np.argsort(-worth[near], kind="stable")]
    pairs = last[order].astype(np.int64) * (int(last.max()) + 2) + one_before[order]
    _, rows = np.unique(pairs, return_index=True)
    return order[np.sort(rows)][:PATHS]
