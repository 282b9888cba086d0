"""What is reached on UI-PRMD without learning from more than a few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from posediff.io import read_person
from posediff.motion.resample import sample_track

#: Moments at which displacements are taken, and those of them that are the start.
MOMENTS, START = 64, 3


def tree_floor(data: Any, train: Sequence[Any], test: Sequence[Any]) -> np.ndarray:
    """(N,) probabilities by extremely randomised trees on summaries of displacements."""
    from sklearn.ensemble import ExtraTreesClassifier

    trees = ExtraTreesClassifier(500, random_state=0)
    trees.fit(_summaries(train), [case.episode.correct for case in train])
    return np.asarray(trees.predict_proba(_summaries(test))[:, list(trees.classes_).index(True)])


def score_floor(data: Any, train: Sequence[Any], test: Sequence[Any]) -> np.ndarray:
    """(N,) probabilities by the mean score of ``posediff compare`` beside the five nearest examples."""
    from sklearn.linear_model import LogisticRegression

    people = {case.episode.subject for case in train}

    def score(case: Any) -> list[float]:
        return [float(data.nearest(case, people, 5).similarity.mean()) / 10]

    curve = LogisticRegression().fit([score(case) for case in train], [case.episode.correct for case in train])
    return np.asarray(curve.predict_proba([score(case) for case in test])[:, 1])


def _summaries(cases: Sequence[Any]) -> np.ndarray:
    return np.stack([displacement(case.episode.path) for case in cases])


@lru_cache(maxsize=4096)
def displacement(path: Path) -> np.ndarray:
    """Mean, deviation, least and largest displacement of every coordinate since the start, in leg lengths."""
    sequence = read_person(path)
    index = sequence.skeleton.index
    points = sequence.keypoints.astype(float)
    points = points - points[:, [index("pelvis")]]
    left, knee, ankle = (index(f"left_{joint}") for joint in ("hip", "knee", "ankle"))
    across = (points[:START, left] - points[:START, index("right_hip")]).mean(axis=0)
    angle = np.arctan2(across[2], across[0])
    cosine, sine = np.cos(angle), np.sin(angle)
    points = points @ np.array([[cosine, 0, sine], [0, 1, 0], [-sine, 0, cosine]]).T
    thigh, shank = points[:, knee] - points[:, left], points[:, ankle] - points[:, knee]
    leg = np.linalg.norm(thigh, axis=1).mean() + np.linalg.norm(shank, axis=1).mean()
    track = sample_track(points, np.linspace(0, len(points) - 1, MOMENTS)).reshape(MOMENTS, -1) / leg
    moved = track - track[:START].mean(axis=0)
    return np.concatenate([moved.mean(axis=0), moved.std(axis=0), moved.min(axis=0), moved.max(axis=0)])
