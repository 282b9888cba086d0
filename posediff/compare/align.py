"""Which moment of the query belongs to which moment of the reference."""

from __future__ import annotations

from dataclasses import dataclass
from math import radians

import numpy as np

from posediff.alignment import Window, align_costs
from posediff.alignment.costs import from_matrix, robust_matrix, robust_mean
from posediff.compare.body import Body
from posediff.compare.comparison import Alignment
from posediff.compare.heading import common_heading, rotation_to
from posediff.compare.settings import Settings

#: Frames up to which every cell of the band is aligned in one go; longer sequences go from coarse to fine.
DIRECT = 1000
#: Half-width of the window around the coarser solution, in frames of the finer one.
REFINE = 48
#: Steps by which the alignment is made finer than the moments.
FINE_STEPS = 2
#: Change of a rotation matrix (Frobenius norm, about 2 degrees) below which the bodies need not be aligned again.
SAME_HEADING = 0.05
#: Rows up to which the matrix for the picture is kept.
PICTURED = 400


@dataclass(frozen=True, eq=False)
class Timeline:
    """The common time of two performances: at moment u, frame ``reference[u]`` belongs to frame ``query[u]``.

    It treats both alike: exchanging the performances exchanges the two columns and nothing else.

    Attributes:
        reference, query: (U,) float64 fractional indices, never decreasing.
        spread: (U,) float64 standard deviation of the correspondence, in seconds.
        lead: (U,) float64, query's position minus the reference's under an even tempo, as a fraction of the duration.
        pair: the bodies, turned to one heading.
        levels: how many levels of resolution were used; 1 where all was aligned directly.
    """

    reference: np.ndarray
    query: np.ndarray
    spread: np.ndarray
    lead: np.ndarray
    pair: tuple[Body, Body]
    levels: int

    def __len__(self) -> int:
        return len(self.reference)

    @property
    def seconds_a_moment(self) -> float:
        """How long a moment lasts, on the mean of both performances."""
        return sum(body.seconds for body in self.pair) / 2 / len(self)

    def by_reference_frame(self, values: np.ndarray) -> np.ndarray:
        """(N,) values at every frame of the reference, from (U,) values at every moment."""
        order, first = np.unique(self.reference, return_index=True)
        return np.interp(np.arange(len(self.pair[0])), order, values[first])


def timeline(reference: Body, query: Body, settings: Settings) -> Timeline:
    """Align two bodies on a common time, turning them to one heading on the way.

    Tempo is taken out first: both are sampled at as many moments as the longer one has frames. In 3D the heading is
    found under an even tempo, then again under the alignment that it gave.
    """
    count = max(len(reference), len(query))
    even = np.linspace(0, len(reference) - 1, count), np.linspace(0, len(query) - 1, count)
    rotation = rotation_to(reference, query, even)
    for _ in range(2):
        pair = common_heading(reference, query, rotation)
        lead, spread, levels = _aligned(pair, count, settings)
        at_reference, at_query = _positions(lead, count, reference, query)
        before, rotation = rotation, rotation_to(reference, query, (at_reference, at_query))
        if np.linalg.norm(rotation - before) < SAME_HEADING:
            break
    seconds = (reference.seconds + query.seconds) / 2 / count
    steps = max(count - 1, 1)
    return Timeline(at_reference, at_query, spread * seconds, lead / steps, pair, levels)


def describe(line: Timeline, settings: Settings) -> Alignment:
    """The alignment as numbers and a matrix for people, at no more than some hundred rows."""
    reference, query = line.pair
    count = min(len(line), PICTURED)
    (x, wx), (y, wy) = (features(body, np.linspace(0, len(body) - 1, count), settings) for body in line.pair)
    window = _band(count, settings)
    softness = {"gamma": settings.gamma, "penalty": settings.step_penalty}
    costs, *own_costs = (
        robust_matrix(a, b, wa, wb) for a, b, wa, wb in ((x, y, wx, wy), (x, x, wx, wx), (y, y, wy, wy))
    )
    cross, *own = (
        align_costs(from_matrix(matrix), window, **softness, matrix=False).value for matrix in (costs, *own_costs)
    )
    dense = np.linspace(0, len(line) - 1, 2 * (len(reference) + len(query)))
    both = np.stack([np.interp(dense, np.arange(len(line)), side) for side in (line.reference, line.query)], axis=1)
    both[0], both[-1] = 0, (len(reference) - 1, len(query) - 1)
    path = np.unique(np.rint(both).astype(np.int64), axis=0)
    along = np.rint(path / np.maximum([len(reference) - 1, len(query) - 1], 1) * (count - 1)).astype(int)
    return Alignment(
        path=path,
        correspondence=line.by_reference_frame(line.query),
        uncertainty=line.by_reference_frame(line.spread),
        cost=float(costs[along[:, 0], along[:, 1]].mean()),
        divergence=max(cross - sum(own) / 2, 0.0) / count,
        gamma=settings.gamma,
        band=int(np.ceil(settings.band * len(line))),
        costs=costs.astype(np.float32),
    )


def features(body: Body, at: np.ndarray, settings: Settings) -> tuple[np.ndarray, np.ndarray]:
    """What is aligned: how far every joint and limb has moved from its own mean, in tolerances.

    Builds and standing postures differ between people; how a part moves about its own mean is the movement.

    Args:
        body: one performance.
        at: (U,) fractional frame indices.
        settings: for the tolerances.

    Returns:
        (U, P, D) float64 vectors of P parts and (U, P) confidences.
    """
    blocks = ((body.joints.at(at), settings.position_tolerance), (body.limbs.at(at), radians(settings.angle_tolerance)))
    values = [(tracks.values - tracks.values.mean(axis=0)) / tolerance for tracks, tolerance in blocks]
    return np.concatenate(values, axis=1), np.concatenate([tracks.weights for tracks, _ in blocks], axis=1)


def _aligned(pair: tuple[Body, Body], count: int, settings: Settings) -> tuple[np.ndarray, np.ndarray, int]:
    """Lead and spread at every moment, in moments, and the number of levels of resolution."""
    sizes = [count]
    while sizes[0] > DIRECT:
        sizes.insert(0, (sizes[0] + 3) // 4)
    window = _band(sizes[0], settings)
    for level, size in enumerate(sizes):
        (x, wx), (y, wy) = (features(body, np.linspace(0, len(body) - 1, size), settings) for body in pair)
        costs = robust_mean(x, y, wx, wy)
        soft = align_costs(costs, window, gamma=settings.gamma, penalty=settings.step_penalty, matrix=False)
        lead, spread = (part[::2] for part in soft.curve())
        if level + 1 < len(sizes):
            moments = np.arange(size)
            finer = np.linspace(0, size - 1, sizes[level + 1])
            columns = np.interp(finer, moments - lead / 2, moments + lead / 2) * (sizes[level + 1] - 1) / (size - 1)
            window = Window.around(sizes[level + 1], sizes[level + 1], columns, REFINE)
    for _ in range(FINE_STEPS):
        lead = lead + _finer(pair, lead, settings)
    return lead, spread, len(sizes)


def _finer(pair: tuple[Body, Body], lead: np.ndarray, settings: Settings) -> np.ndarray:
    """(U,) change of the lead by which the bodies fit better, as the moments alone cannot tell; at most half a moment.

    One Gauss-Newton step of the robust cost: at 25 frames a second a somersault turns by 30 degrees between two frames,
    so that half a frame would pass for a fault.
    """
    if len(lead) < 2:
        return np.zeros_like(lead)
    places = _positions(lead, len(lead), *pair)
    (x, wx), (y, wy) = (features(body, at, settings) for body, at in zip(pair, places, strict=True))
    slope = (np.gradient(x, axis=0) + np.gradient(y, axis=0)) / 2
    weights = wx * wy
    total = np.maximum(weights.sum(axis=1), 1e-9)
    weights = weights / np.sqrt(1.0 + ((x - y) ** 2).sum(axis=2))
    towards, steep = (smoothed(((part * slope).sum(axis=2) * weights).sum(axis=1) / total) for part in (x - y, slope))
    return np.clip(towards / (steep + settings.step_penalty), -0.5, 0.5)


def smoothed(values: np.ndarray) -> np.ndarray:
    """(U,) mean over every moment and its two neighbours."""
    return np.convolve(np.pad(values, 1, mode="edge"), np.ones(3) / 3, mode="valid")


def _positions(lead: np.ndarray, count: int, reference: Body, query: Body) -> tuple[np.ndarray, np.ndarray]:
    """Frame positions in both performances at every moment."""
    moments = np.arange(count)
    last = max(count - 1, 1)
    both = (moments - lead / 2, len(reference)), (moments + lead / 2, len(query))
    first, second = (
        np.maximum.accumulate(np.clip(place, 0, count - 1)) * (frames - 1) / last for place, frames in both
    )
    return first, second


def _band(count: int, settings: Settings) -> Window:
    return Window.sakoe_chiba(count, count, max(settings.band * count, 1.0))
