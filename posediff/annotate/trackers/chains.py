"""Who continues whom: the boxes of all people linked frame by frame, as an account of what is not the athlete."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posediff.annotate.trackers.kalman import (
    RATE,
    Motion,
    Noise,
    begin,
    lengths,
    log_likelihood,
    predict,
    update,
)

#: Noise of detected boxes, and of people's motion.
NOISE = Noise(place=0.08, size=0.14, push=0.03, swell=0.07)

#: Standard deviation of the velocity of a new person in 1/25 s: of the place, as part of the size, and of the log size.
FIRST_SPEED, FIRST_GROWTH = 0.08, 0.08

#: How often a person who is there is detected.
DETECTED = 0.85

#: Misses in a row that count against a chain: who is hidden for longer was not missed again and again by chance.
MOST_MISSES = 3

#: Log odds that a person who was seen once is seen again at all.
NEWCOMER = -1.0

#: Seconds that a person may be missed for; one who was seen only once, much less.
LONGEST_MISSED, NEWCOMER_MISSED = 1.0, 0.16

#: Widths that boxes of strangers are spread over, as log of the ratio of the largest to the smallest; heights likewise.
WIDTHS = 2.0


class Scene(NamedTuple):
    """The boxes of all frames in the order in which they are looked at, the camera's motion taken out.

    Attributes:
        values: for every frame (N, 4) centre x, centre y, log width, log height.
        scores: for every frame (N,) confidence.
        times: (T,) since the first of these frames, in 1/25 s, increasing.
        drift: (T, 2) velocity, in 1/25 s, of what stands still in the picture.
        volume: of all places and sizes that a box could have.
    """

    values: list[np.ndarray]
    scores: list[np.ndarray]
    times: np.ndarray
    drift: np.ndarray
    volume: float

    @property
    def first(self) -> np.ndarray:
        """(T + 1,) number of every frame's first box, all boxes being counted through."""
        return np.cumsum([0, *map(len, self.values)])


class Links(NamedTuple):
    """The chains that D boxes form.

    Attributes:
        evidence: (D,) log density of every box: under the chain that it continues, else that of a stranger's box.
        linked: (D,) whether it continues a chain.
        next: (D,) number of the box that continues it, -1 for none.
        rest: (D,) how many more boxes follow in its chain.
        stranger: log density of boxes that continue nothing.
    """

    evidence: np.ndarray
    linked: np.ndarray
    next: np.ndarray
    rest: np.ndarray
    stranger: float


class _Chains(NamedTuple):
    """Chains that may be continued: what each does, its last box and when that was, its boxes, its misses."""

    motion: Motion
    last: np.ndarray
    seen: np.ndarray
    boxes: np.ndarray
    missed: np.ndarray

    def only(self, rows: np.ndarray) -> _Chains:
        """Some of the chains."""
        return _Chains(Motion(*(part[rows] for part in self.motion)), *(part[rows] for part in self[1:]))


def crowd(scene: Scene) -> float:
    """Log density of boxes if nobody had anything to do with anybody."""
    return float(np.log((np.mean([len(values) for values in scene.values]) + 1) / scene.volume))


def link(scene: Scene) -> Links:
    """Chains of boxes, each box in one of them: the assignment of highest likelihood, frame by frame.

    The first box of the first frame is the athlete's. How many boxes continue nothing is found by linking twice.

    Args:
        scene: the boxes.
    """
    links = _link(scene, crowd(scene))
    links = _link(scene, _strangers(scene, links))
    stranger = _strangers(scene, links)
    return links._replace(evidence=np.where(links.linked, links.evidence, stranger), stranger=stranger)


def _strangers(scene: Scene, links: Links) -> float:
    """Log density of the boxes that continue nothing, found by counting them."""
    count = int(np.sum(~links.linked[len(scene.values[0]) :])) + 1
    return float(np.log(count / len(scene.values) / scene.volume))


def newborn(values: np.ndarray, drift: np.ndarray) -> Motion:
    """The belief about people who were seen once.

    Args:
        values: (N, 4) of their boxes.
        drift: (2,) velocity of what stands still in the picture: a camera that follows somebody makes it likely.
    """
    unit = lengths(values)
    velocity = np.zeros_like(values)
    velocity[..., :2] = drift
    speed = np.array([FIRST_SPEED, FIRST_SPEED, FIRST_GROWTH, FIRST_GROWTH])
    return begin(values, velocity, NOISE.measured * unit, speed * unit)


def step(motion: Motion, steps: float) -> tuple[Motion, np.ndarray]:
    """The belief some steps of 1/25 s later, and (..., 4) the noise of a box that is measured then."""
    ahead = predict(motion, steps, NOISE.pushed * lengths(motion.mean[..., 0]))
    return ahead, NOISE.measured * lengths(ahead.mean[..., 0])


def fits(motion: Motion, noise: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(B, N) log density of N boxes under B beliefs."""
    each = Motion(motion.mean[:, None], motion.covariance[:, None])
    return log_likelihood(each, values[None], noise[:, None]).sum(axis=2)


def _link(scene: Scene, stranger: float) -> Links:
    first = scene.first
    evidence = np.full(first[-1], stranger)
    linked, following = np.zeros(first[-1], bool), np.full(first[-1], -1)
    chains = _born(scene, 0, np.arange(len(scene.values[0])), first)
    for frame in range(1, len(scene.values)):
        now = scene.times[frame]
        patience = RATE * np.where(chains.boxes > 1, LONGEST_MISSED, NEWCOMER_MISSED)
        chains = chains.only(now - chains.seen <= patience)
        ahead, noise = step(chains.motion, now - scene.times[frame - 1])
        values = scene.values[frame]
        found = fits(ahead, noise, values) + _prior(chains)[:, None]
        rows, boxes = _assigned(found, stranger)
        number = first[frame] + boxes
        evidence[number], linked[number], following[chains.last[rows]] = found[rows, boxes], True, number
        after = update(Motion(ahead.mean[rows], ahead.covariance[rows]), values[boxes], noise[rows])
        ahead.mean[rows], ahead.covariance[rows] = after
        missed = chains.missed + 1
        missed[rows] = 0
        chains.last[rows], chains.seen[rows] = number, now
        chains.boxes[rows] += 1
        new = _born(scene, frame, np.setdiff1d(np.arange(len(values)), boxes), first)
        chains = _joined(chains._replace(motion=ahead, missed=missed), new)
    rest = np.zeros(first[-1], int)
    for number in np.flatnonzero(following >= 0)[::-1]:
        rest[number] = rest[following[number]] + 1
    return Links(evidence, linked, following, rest, stranger)


def _prior(chains: _Chains) -> np.ndarray:
    """(B,) log odds of the misses that went before, and of newcomers who are nobody; the athlete is somebody."""
    doubted = (chains.boxes == 1) & (chains.last != 0)
    return np.minimum(chains.missed, MOST_MISSES) * np.log(1 - DETECTED) + np.where(doubted, NEWCOMER, 0)


def _assigned(found: np.ndarray, stranger: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows of the chains and of the boxes that go together; what is likelier a stranger's stays alone."""
    from scipy.optimize import linear_sum_assignment

    rows, boxes = linear_sum_assignment(np.maximum(found - stranger, 0), maximize=True)
    good = found[rows, boxes] > stranger
    return rows[good], boxes[good]


def _born(scene: Scene, frame: int, boxes: np.ndarray, first: np.ndarray) -> _Chains:
    """Chains of one box each."""
    motion = newborn(scene.values[frame][boxes], scene.drift[frame])
    count = len(boxes)
    return _Chains(
        motion,
        first[frame] + boxes,
        np.full(count, scene.times[frame]),
        np.ones(count, int),
        np.zeros(count, int),
    )


def _joined(one: _Chains, other: _Chains) -> _Chains:
    motion = Motion(*(np.concatenate(pair) for pair in zip(one.motion, other.motion, strict=True)))
    return _Chains(motion, *(np.concatenate(pair) for pair in zip(one[1:], other[1:], strict=True)))
