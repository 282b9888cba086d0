"""Finding the joints of people whose boxes are known: one small protocol and the table of those who fulfil it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from posediff.skeletons import Skeleton

if TYPE_CHECKING:
    from posediff.annotate.settings import Settings

#: Every pose back end, the function that makes it from settings, and the detector that comes with it.
ESTIMATORS = {
    "mediapipe": ("posediff.annotate.estimators.mediapipe:make", "mediapipe"),
    "rtmlib": ("posediff.annotate.estimators.rtmlib:make", "rtmlib"),
    "mmpose": ("posediff.annotate.estimators.mmpose:make", "torchvision"),
}


#: Confidence below which a keypoint counts as missing, and that of the back ends for which it is another one:
#: MediaPipe's tells whether a joint can be seen, and joints that are hidden are often in their right places.
DOUBTFUL = 0.3
DOUBTFUL_OF = {"mediapipe": 0.1}


class Poses(NamedTuple):
    """The poses of P people in one picture.

    Attributes:
        keypoints: (P, J, 2) float32 pixels of the picture, NaN where there is none.
        scores: (P, J) float32 confidence in [0, 1].
    """

    keypoints: np.ndarray
    scores: np.ndarray


class Estimator(Protocol):
    """Finds the joints of people whose boxes are known.

    Attributes:
        skeleton: that of the poses, the back end's own.
        provenance: what made the poses: back end, version, weights' name and SHA-256.
    """

    skeleton: Skeleton
    provenance: dict[str, object]

    def estimate(self, image: np.ndarray, boxes: np.ndarray, angles: np.ndarray) -> Poses:
        """Poses of the people in some boxes.

        Args:
            image: (H, W, 3) uint8, RGB.
            boxes: (P, 4) x0, y0, x1, y1 in pixels, tight around the bodies; they may reach over the picture's edge.
            angles: (P,) degrees by which each body is turned from upright, clockwise as seen in the picture: the crop
                is turned back by as much, so that the estimator sees the body upright.

        Returns:
            Poses in the picture's pixels, one for each box, all NaN where the estimator sees nobody.
        """
        ...


def load(settings: Settings) -> Estimator:
    """The pose back end that the settings name, its weights loaded.

    Raises:
        MissingDependency: if its library is not installed.
        BadData: if its weights cannot be read.
    """
    module, function = ESTIMATORS[settings.pose][0].split(":")
    estimator: Estimator = getattr(import_module(module), function)(settings)
    return estimator
