"""Bodies that are not upright: the crop is turned until the estimator sees them so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from posediff.annotate.estimators import Estimator, Poses
from posediff.annotate.estimators.crops import trunk_angle
from posediff.annotate.estimators.memory import NEW, SURE, PersonMemory, distance, following, forgetting, wrapped
from posediff.errors import BadSetting
from posediff.skeletons import Skeleton

__all__ = ["HOW", "NEW", "Oriented", "PersonMemory", "Seen"]

HOW = ("none", "quarters", "trunk")

#: By how many degrees a trunk may differ from where its turning leads.
TURN = 45.0
#: How far a pose may be from the one before, in lengths of the body.
NEAR = 0.15
#: By how much both grow with each frame since the latest fitting pose.
SLACK = 0.25

#: Directions that are tried where the expected one gives no fitting pose, degrees from it.
_SEARCH = (-25, 25, 45, -45, 90, -90, 135, -135, 180)
_QUARTERS = (0, 90, 180, 270)


#: Least certainty of a new person's pose, and most degrees that it leans in its crop, for no other crop to be tried.
VERY_SURE, UPRIGHT = 0.95, 20.0


class Seen(NamedTuple):
    """The poses of P people in one picture, and what to remember of them.

    Attributes:
        keypoints, scores: as in :class:`~posediff.annotate.estimators.Poses`.
        memories: one a person, for the next frame.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    memories: list[PersonMemory]


class _Candidate(NamedTuple):
    """A person's pose in a crop that was turned by some angle."""

    keypoints: np.ndarray
    scores: np.ndarray
    certain: float
    angle: float


class Oriented:
    """An estimator that is shown every body upright.

    ``none`` shows bodies as they are. ``quarters`` shows four crops, a quarter turn apart, and takes the most certain
    pose that fits its crop and the pose before. ``trunk`` turns the crop by the trunk's direction, which is followed
    with its velocity; at the start, and wherever the expected direction gives no fitting pose, nine others are tried.

    Args:
        estimator: any. Where it has a method ``appraise(image, boxes, angles, trunks)`` that returns poses and their
            certainty, as :class:`~posediff.annotate.estimators.mediapipe.MediaPipe` has, that is used; else the mean
            score of the joints is the certainty.
        how: ``none``, ``quarters`` or ``trunk``.

    Raises:
        BadSetting: if ``how`` is none of them.
    """

    def __init__(self, estimator: Estimator, how: str = "none") -> None:
        if how not in HOW:
            raise BadSetting(f"unknown rotation {how!r}", f"choose one of: {', '.join(HOW)}")
        self.estimator = estimator
        self.how = how

    def estimate(self, image: np.ndarray, boxes: np.ndarray, memories: Sequence[PersonMemory]) -> Seen:
        """Poses of the people in some boxes, given what is remembered of them.

        Args:
            image: (H, W, 3) uint8, RGB.
            boxes: (P, 4) x0, y0, x1, y1 in pixels.
            memories: one a person, :data:`NEW` for somebody new.

        Returns:
            The poses in pixels and the memories for the next frame. A person who is not found has NaN keypoints. Where
            the best pose does not fit the ones before, it is given, and the memory is the old one, a frame older.
        """
        boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
        skeleton = self.estimator.skeleton
        best = self._poses(image, boxes, memories)
        joints = len(skeleton.joints)
        keypoints = np.array([candidate.keypoints for candidate in best], np.float32).reshape(-1, joints, 2)
        scores = np.array([candidate.scores for candidate in best], np.float32).reshape(-1, joints)
        together = zip(memories, best, boxes, strict=True)
        return Seen(keypoints, scores, [_remembered(memory, one, box, skeleton) for memory, one, box in together])

    def _poses(self, image: np.ndarray, boxes: np.ndarray, memories: Sequence[PersonMemory]) -> list[_Candidate]:
        """The best pose of every person."""
        if self.how == "none":
            return [found[0] for found in self._try(image, boxes, memories, [(0.0,)] * len(boxes))]
        if self.how == "quarters":
            return self._best(self._try(image, boxes, memories, [_QUARTERS] * len(boxes)), boxes, memories)
        found = self._try(image, boxes, memories, [(memory.expected,) for memory in memories])
        best = [candidates[0] for candidates in found]
        lost = [one for one, memory in enumerate(memories) if not self._follows(best[one], boxes[one], memory)]
        some = [memories[one] for one in lost]
        turns = [[memory.expected + turn for turn in _SEARCH] for memory in some]
        more = self._try(image, boxes[lost], some, turns)
        pooled = [[best[one], *others] for one, others in zip(lost, more, strict=True)]
        for one, candidate in zip(lost, self._best(pooled, boxes[lost], some), strict=True):
            best[one] = candidate
        return best

    def _follows(self, candidate: _Candidate, box: np.ndarray, memory: PersonMemory) -> bool:
        """Whether a pose is sure and as expected; where nothing is expected, very sure and upright in its crop."""
        skeleton = self.estimator.skeleton
        if memory.known:
            return candidate.certain >= SURE and _fits(candidate, box, memory, skeleton)
        lean = abs(wrapped(float(trunk_angle(candidate.keypoints, skeleton)) - candidate.angle))
        return candidate.certain >= VERY_SURE and bool(lean <= UPRIGHT)

    def _try(
        self, image: np.ndarray, boxes: np.ndarray, memories: Sequence[PersonMemory], angles: Sequence[Sequence[float]]
    ) -> list[list[_Candidate]]:
        """The poses of every person in crops turned by some angles, in one call of the estimator."""
        rows = [(one, angle) for one, turns in enumerate(angles) for angle in turns]
        if not rows:
            return []
        whose = [one for one, _ in rows]
        turned = np.array([angle for _, angle in rows], np.float64)
        trunks = np.array([memories[one].trunk for one in whose])
        poses, certain = _appraise(self.estimator, image, boxes[whose], turned, trunks)
        found: list[list[_Candidate]] = [[] for _ in angles]
        for row, (one, angle) in enumerate(rows):
            found[one].append(_Candidate(poses.keypoints[row], poses.scores[row], float(certain[row]), angle))
        return found

    def _best(
        self, found: Sequence[Sequence[_Candidate]], boxes: np.ndarray, memories: Sequence[PersonMemory]
    ) -> list[_Candidate]:
        """The worthiest pose of every person, the first of equals."""
        best = []
        for candidates, box, memory in zip(found, boxes, memories, strict=True):
            worths = [_worth(candidate, box, memory, self.estimator.skeleton) for candidate in candidates]
            best.append(candidates[int(np.argmax(worths))])
        return best


def _deviations(
    candidate: _Candidate, box: np.ndarray, memory: PersonMemory, skeleton: Skeleton
) -> tuple[float, float]:
    """How far a trunk and a pose are from what is expected, 1 where it is just bearable."""
    slack = 1 + SLACK * memory.age
    off = wrapped(float(trunk_angle(candidate.keypoints, skeleton)) - memory.expected)
    turned = abs(off) / TURN if np.isfinite(off) else 0.0
    return turned / slack, distance(candidate.keypoints, box, memory) / NEAR / slack


def _fits(candidate: _Candidate, box: np.ndarray, memory: PersonMemory, skeleton: Skeleton) -> bool:
    """Whether a pose can be the next one; where nothing is known, all can."""
    return not memory.known or max(_deviations(candidate, box, memory, skeleton)) <= 1


def _worth(candidate: _Candidate, box: np.ndarray, memory: PersonMemory, skeleton: Skeleton) -> float:
    """Certainty of a pose, less where its trunk is not upright in its crop, and where it is not what is expected."""
    lean = wrapped(float(trunk_angle(candidate.keypoints, skeleton)) - candidate.angle) / TURN
    squares = lean**2 if np.isfinite(lean) else 0.0
    if memory.known:
        squares += sum(value**2 for value in _deviations(candidate, box, memory, skeleton))
    return float(candidate.certain * np.exp(-0.5 * squares))


def _remembered(memory: PersonMemory, candidate: _Candidate, box: np.ndarray, skeleton: Skeleton) -> PersonMemory:
    """What to remember of a person after one more frame."""
    if candidate.certain < SURE or not _fits(candidate, box, memory, skeleton):
        return forgetting(memory)
    return following(memory, candidate.keypoints, candidate.scores, candidate.certain, skeleton)


def _appraise(
    estimator: Estimator, image: np.ndarray, boxes: np.ndarray, angles: np.ndarray, trunks: np.ndarray
) -> tuple[Poses, np.ndarray]:
    appraise = getattr(estimator, "appraise", None)
    if appraise is not None:
        poses, certain = appraise(image, boxes, angles, trunks)
        return poses, certain
    poses = estimator.estimate(image, boxes, angles)
    there = np.isfinite(poses.keypoints).all(axis=2)
    return poses, np.where(there, poses.scores, 0).mean(axis=1)
