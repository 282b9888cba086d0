"""Averages of clips as exemplars: what the best performances of one movement have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from posediff.alignment import barycenter, soft_alignment, soft_dtw
from posediff.datasets.clips import Clip
from posediff.datasets.exemplars import Exemplars
from posediff.datasets.samples import Samples
from posediff.errors import BadData
from posediff.sequence import PoseSequence

#: Softness of the alignment, as a share of how far the frames of a clip are from their mean, squared.
SOFTNESS = 0.01


class References(NamedTuple):
    """Averages, and which one each performance is compared with.

    Attributes:
        samples: the averages, as clips that are loaded.
        members: positions, among the clips that they are made of, of those in each average, the best first.
        rows: (Q,) int64 the average for each performance; -1 where there is none.
    """

    samples: Samples
    members: tuple[tuple[int, ...], ...]
    rows: np.ndarray


def references(samples: Samples, exemplars: Exemplars, queries: Sequence[Clip], *, difficulty: bool) -> References:
    """The average of the best clips of each performance's group, without the performance itself.

    Args:
        samples: the clips that averages are made of.
        exemplars: of these clips.
        queries: the performances.
        difficulty: whether the targets of the samples are executions where there are difficulties.

    Raises:
        BadData: if no performance has an exemplar.
    """
    pools = exemplars.pools(queries)
    members = tuple(dict.fromkeys(pool for pool in pools if pool))
    if not members:
        raise BadData("no clip has another one that it can be compared with", "set data.exemplars.by=none")
    row = {pool: number for number, pool in enumerate(members)}
    made = [_averaged(samples, pool, difficulty) for pool in members]
    # They are centred, scaled and at evenly spread moments already.
    bare = {"centre": "none", "scale": "none", "max_gap": 0.0, "confidence": True, "dimensions": samples.dimensions}
    loaded = Samples(
        [clip for clip, _ in made],
        replace(samples.inputs, **bare),  # type: ignore[arg-type]  # each value is of its field's type
        difficulty=difficulty,
        sequences={clip.key: sequence for clip, sequence in made},
        transitions=samples.stages,
    )
    return References(loaded, members, np.array([row.get(pool, -1) for pool in pools], np.int64))


def average(
    poses: np.ndarray, confidence: np.ndarray, transitions: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The soft-DTW barycentre of clips in which joints may be missing.

    Gaps are filled to align the clips with their barycentre; then every joint of it is the mean of what the clips
    really show at the moments that belong there, weighted by confidence. Where nothing is missing, that is a step
    towards the condition that a barycentre satisfies. It begins at the clip that is nearest to the others, whose timing
    it keeps by and large.

    Args:
        poses: (N, T, J, D) coordinates.
        confidence: (N, T, J) from 0, missing, to 1.
        transitions: (N, K - 1) first moment of every stage but the first, -1 where unknown.

    Returns:
        (T, J, D) float32 coordinates, 0 where missing; (T, J) float32 mean confidence, a clip that lacks the joint
        counting 0; and (K - 1,) int64 mean transitions, -1 where they are unknown or leave a stage empty.

    Source: Cuturi & Blondel 2017, section 3.
    """
    if len(poses) == 1:
        return poses[0], confidence[0], transitions[0]
    count, moments = poses.shape[:2]
    tracks = filled(poses, confidence > 0).reshape(count, moments, -1)
    spread = float(((tracks - tracks.mean(axis=1, keepdims=True)) ** 2).sum(axis=2).mean())
    gamma = SOFTNESS * (spread or 1.0)
    middle = barycenter(tracks, gamma=gamma, init=tracks[_medoid(tracks, gamma)])
    found = soft_alignment(np.stack([middle] * count), tracks, gamma=gamma)  # rows of the middle, columns of the clips
    weights = np.einsum("nts,nsj->tj", found.expected, confidence.astype(np.float64))
    sums = np.einsum("nts,nsj,nsjd->tjd", found.expected, confidence.astype(np.float64), poses.astype(np.float64))
    points = sums / np.where(weights > 0, weights, 1)[..., None]
    sure = np.clip(np.einsum("nts,nsj->tj", found.correspondences, confidence) / count, 0, 1)
    return points.astype(np.float32), sure.astype(np.float32), _mean_transitions(found.expected, transitions)


def filled(poses: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(N, T, J, D) float64 clips with every missing joint interpolated in time, its ends held.

    A joint that a clip never shows is where the others have it on average, and at the origin if none does.

    Args:
        poses: (N, T, J, D) coordinates.
        known: (N, T, J) where they are known.
    """
    result = np.full(poses.shape, np.nan)
    times = np.arange(poses.shape[1])
    for clip, joint in np.argwhere(known.any(axis=1)):
        there = known[clip, :, joint]
        for axis in range(poses.shape[3]):
            result[clip, :, joint, axis] = np.interp(times, times[there], poses[clip, there, joint, axis])
    seen = np.isfinite(result)
    mean = np.where(seen, result, 0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    return np.where(seen, result, mean)


def _medoid(tracks: np.ndarray, gamma: float) -> int:
    """Which of (N, T, F) clips is nearest to all others."""
    one, other = np.triu_indices(len(tracks), 1)
    costs = np.zeros((len(tracks), len(tracks)))
    costs[one, other] = soft_dtw(tracks[one], tracks[other], gamma=gamma)
    return int((costs + costs.T).sum(axis=1).argmin())


def _mean_transitions(expected: np.ndarray, transitions: np.ndarray) -> np.ndarray:
    """(K - 1,) int64 mean of the clips' transitions, each where it lies in their barycentre."""
    unknown = np.full(transitions.shape[1], -1, np.int64)
    known = (transitions >= 0).all(axis=1)
    if not known.any() or not transitions.shape[1]:
        return unknown
    columns = np.take_along_axis(expected[known], transitions[known][:, None, :], axis=2)
    places = np.einsum("ntk,t->nk", columns, np.arange(expected.shape[1])) / columns.sum(axis=1)
    means = np.rint(places.mean(axis=0)).astype(np.int64)
    limits = np.concatenate([[0], means, [expected.shape[1]]])
    return means if (np.diff(limits) > 0).all() else unknown


def _averaged(samples: Samples, members: tuple[int, ...], difficulty: bool) -> tuple[Clip, PoseSequence]:
    """The average of some clips, and what its labels say."""
    batch = {name: tensor.numpy() for name, tensor in samples.load(np.array(members)).items()}
    points, confidence, transitions = average(batch["poses"], batch["confidence"], batch["transitions"])
    clips = [samples.clips[position] for position in members]
    factors = [clip.difficulty for clip in clips if clip.difficulty is not None]
    factor = float(np.mean(factors)) if len(factors) == len(clips) else None
    targets = [clip.execution if difficulty else clip.score for clip in clips]
    known = len(transitions) and transitions.min() >= 0
    clip = Clip(
        key=f"barycentre of {' + '.join(clip.key for clip in clips)}",
        score=float(np.mean(targets)) * (factor if difficulty and factor is not None else 1.0),
        action=clips[0].action,
        difficulty=factor,
        transitions=tuple(transitions.tolist()) if known else None,
        frames=len(points) if known else None,
    )
    upwards = np.array([1.0, -1.0] if samples.dimensions == 2 else [1.0, 1.0, 1.0], np.float32)  # as files have y
    missing = (confidence == 0)[..., None]
    keypoints = np.where(missing, np.float32(np.nan), points * upwards)
    return clip, PoseSequence(keypoints, samples.skeleton, scores=confidence, units="normalized")
