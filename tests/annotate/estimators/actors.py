"""A body that turns, and estimators whose truth is known."""

import numpy as np

from posediff.annotate.estimators import Poses
from posediff.skeletons import COCO17

BLANK = np.zeros((8, 8, 3), np.uint8)

_UPRIGHT = {
    "nose": (0, -45), "eye": (3, -47), "ear": (5, -45), "shoulder": (10, -30), "elbow": (16, -15), "wrist": (18, 0),
    "hip": (6, 0), "knee": (7, 25), "ankle": (8, 50),
}  # fmt: skip


def body(angle=0.0, centre=(100.0, 100.0), scale=1.0):
    """(17, 2) somebody who raises one arm, turned clockwise."""
    rows = []
    for joint in COCO17.joints:
        side, _, name = joint.rpartition("_")
        x, y = _UPRIGHT[name]
        rows.append((-x if side == "right" else x, y))
    points = np.array(rows, float)
    points[COCO17.index("left_wrist")] = [14, -55]
    turn = np.radians(angle)
    clockwise = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return scale * points @ clockwise.T + np.array(centre)


def box_around(points):
    return np.concatenate([points.min(axis=0), points.max(axis=0)])


class Actor:
    """Sees the true poses in crops that are upright within some degrees, elsewhere a sure but wrong upright one."""

    skeleton = COCO17

    def __init__(self, reach=40.0, blind=0.2):
        self.provenance = {"pose": "actor"}
        self.truth, self.angles = np.empty((0, 17, 2)), np.empty(0)
        self.reach, self.blind, self.crops = reach, blind, 0

    def show(self, *angles, centres=None):
        """Put on stage people turned by these angles; gives their boxes."""
        centres = centres or [(100.0 + 300 * one, 100.0) for one in range(len(angles))]
        self.truth = np.array([body(angle, centre) for angle, centre in zip(angles, centres, strict=True)])
        self.angles = np.array(angles, float)
        return np.array([box_around(pose) for pose in self.truth])

    def estimate(self, image, boxes, angles):
        self.crops += len(boxes)
        keypoints, scores = np.empty((len(boxes), 17, 2)), np.empty((len(boxes), 17))
        middles = self.truth.mean(axis=1)
        for row, (box, angle) in enumerate(zip(boxes, angles, strict=True)):
            one = np.linalg.norm(middles - (box[:2] + box[2:]) / 2, axis=1).argmin()
            off = abs((self.angles[one] - angle + 180) % 360 - 180)
            seen = off <= self.reach
            keypoints[row] = self.truth[one] if seen else body(angle, (box[:2] + box[2:]) / 2)
            scores[row] = 0.95 if seen else self.blind
        return Poses(keypoints.astype(np.float32), scores.astype(np.float32))
