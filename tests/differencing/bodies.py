"""Bodies whose joints move as a formula says, in torso lengths, without any preparation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from posediff.compare.body import Body
from posediff.sequence import PoseSequence
from posediff.skeletons import Skeleton
from tests.fixtures.sequences import STANDING


def body(
    tracks: Mapping[str, object],
    *,
    fps: float = 25.0,
    frames: int = 0,
    path: np.ndarray | None = None,
    noise: float = 0,
) -> Body:
    """A body of the named joints, each a (T, D) track or one (D,) position; the pelvis at the origin if not named."""
    places = {joint: np.asarray(track, float) for joint, track in tracks.items()}
    size = next(iter(places.values())).shape[-1]
    places = {"pelvis": np.zeros(size)} | places
    count = max([frames, 1, *(len(place) for place in places.values() if place.ndim == 2)])
    keypoints = np.stack([np.broadcast_to(place, (count, size)) for place in places.values()], axis=1)
    sequence = PoseSequence(keypoints, Skeleton("named", tuple(places), ()), fps=fps, units="normalized")
    return Body(sequence, np.zeros((count, size)) if path is None else path, np.full(len(places), float(noise)))


def standing(frames: int = 1, **changes: object) -> Body:
    """A person who stands, facing +z, some joints elsewhere."""
    return body({**STANDING, **changes}, frames=frames)


def mirrored(one: Body) -> Body:
    """The body in a mirror: x turned round, left and right exchanged."""
    sequence = one.sequence
    order = list(sequence.skeleton.mirror_order)
    flip = np.array([-1.0, 1.0, 1.0])[: sequence.dimensions]
    changed = sequence.replace(keypoints=sequence.keypoints[:, order] * flip, scores=sequence.scores[:, order],
                               status=sequence.status[:, order])  # fmt: skip
    return Body(changed, one.path * flip, one.noise[order])
