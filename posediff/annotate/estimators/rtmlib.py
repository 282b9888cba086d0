"""Joints found by RTMPose, in the ONNX files that rtmlib names.

onnxruntime is called here, not rtmlib: its crops cannot be turned, it takes no number of threads, and it leaves the
order of the channels to the caller. RTMPose (Jiang et al. 2023) is trained on RGB; it gives, for each joint, one row of
bins for x and one for y (SimCC, Li et al. 2022), usually two a pixel. The fullest bin is the joint's place, and the
lower of the two maxima its confidence, as in MMPose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from posediff import skeletons
from posediff.annotate.estimators import Poses
from posediff.annotate.estimators.crops import to_image, upright, usable
from posediff.errors import BadData
from posediff.skeletons import COCO17, HALPE26, MPII16, Skeleton
from posediff.weights.files import find
from posediff.weights.onnx import Network, normalised

if TYPE_CHECKING:
    from pathlib import Path

    from posediff.annotate.settings import Settings

DEFAULT = "rtmpose-m"

#: The skeleton whose joints a network's first ones are, by how many it has in all. 133 are COCO's whole body.
SKELETONS = {16: MPII16, 17: COCO17, 26: HALPE26, 133: COCO17}

#: Mean and deviation of the red, green and blue channel in RTMPose's training.
MEAN, DEVIATION = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


class RtmlibEstimator:
    """RTMPose through onnxruntime.

    Attributes:
        skeleton: by the network's number of joints, or the one that was given.
        provenance: back end, version, device, weights' name and SHA-256.
    """

    def __init__(
        self,
        weights: str | Path = DEFAULT,
        *,
        skeleton: str | None = None,
        device: str = "auto",
        threads: int = 0,
    ) -> None:
        """Load a network.

        Args:
            weights: path of an ``.onnx`` file, or a name of :data:`posediff.annotate.weights.KNOWN`.
            skeleton: name of the skeleton of its joints, needed where their number does not tell it.
            device: ``auto``, ``cpu`` or ``cuda``.
            threads: that the network uses, 0 for its own choice.

        Raises:
            BadData: if there is no such file, it is no such network, or its joints are unknown.
            BadSetting: if there is no such skeleton or device.
            MissingDependency: if onnxruntime is not installed.
        """
        network = Network(find(weights), device=device, threads=threads)
        if network.size is None or len(network.outputs) != 2:
            raise BadData(
                f"{network.path}: has {len(network.outputs)} outputs for pictures of size {network.size or 'any'}",
                "expected RTMPose's bins for x and for y, and pictures of a fixed size",
            )
        self._network, self._size = network, network.size
        blank = np.zeros((1, 3, network.size[1], network.size[0]), np.float32)
        self.skeleton = _skeleton(self._bins(blank)[0].shape[1], skeleton, network.path)
        self.provenance: dict[str, object] = {"pose": "rtmlib", **network.provenance}

    def estimate(self, image: np.ndarray, boxes: np.ndarray, angles: np.ndarray) -> Poses:
        boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
        count = len(self.skeleton.joints)
        keypoints = np.full((len(boxes), count, 2), np.nan, np.float32)
        scores = np.zeros((len(boxes), count), np.float32)
        good = np.flatnonzero(usable(boxes))
        if len(good):
            cut = [upright(image, boxes[row], float(angles[row]), size=self._size) for row in good]
            pictures = np.stack([normalised(crop, MEAN, DEVIATION) for crop, _ in cut])
            places, found = simcc(*self._bins(pictures), self._size)
            for row, (_, matrix), points in zip(good, cut, places, strict=True):
                keypoints[row] = to_image(points[:count], matrix)
            scores[good] = found[:, :count]
        keypoints[scores <= 0] = np.nan
        return Poses(keypoints, scores)

    def _bins(self, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Bins for x (P, J, B) and for y (P, J, C) of some pictures."""
        x, y = self._network.run(pictures)
        if x.ndim != 3 or y.ndim != 3 or x.shape[:2] != y.shape[:2] or len(x) != len(pictures):
            raise BadData(
                f"{self._network.path}: gives the shapes {x.shape} and {y.shape} for {len(pictures)} pictures",
                "expected RTMPose's bins for x and for y, (people, joints, bins)",
            )
        return x, y


def make(settings: Settings) -> RtmlibEstimator:
    """The pose back end that the settings name, its weights loaded."""
    return RtmlibEstimator(settings.weights or DEFAULT, device=settings.device, threads=settings.threads)


def simcc(x: np.ndarray, y: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Joints of crops from their bins (Li et al. 2022, "SimCC").

    Args:
        x, y: (P, J, B) and (P, J, C) how sure the network is of each bin.
        size: width and height of the crops in pixels.

    Returns:
        (P, J, 2) float64 pixels of the crop and (P, J) float32 confidence in [0, 1], 0 where no bin is above 0.
    """
    places = [rows.argmax(axis=2) * (extent / rows.shape[2]) for rows, extent in zip((x, y), size, strict=True)]
    sure = np.minimum(x.max(axis=2), y.max(axis=2))
    return np.stack(places, axis=2), np.nan_to_num(np.clip(sure, 0, 1)).astype(np.float32)


def _skeleton(joints: int, name: str | None, path: Path) -> Skeleton:
    """The skeleton of a network's first joints."""
    if name is None:
        if joints not in SKELETONS:
            raise BadData(
                f"{path}: has {joints} joints, which does not tell its skeleton",
                f"name the skeleton, or give a network with {', '.join(map(str, SKELETONS))} joints",
            )
        return SKELETONS[joints]
    skeleton = skeletons.get(name)
    if len(skeleton.joints) != joints:
        raise BadData(
            f"{path}: has {joints} joints, and {name} has {len(skeleton.joints)}", "name the network's own skeleton"
        )
    return skeleton
