"""Finding people in a picture: one small protocol and the table of those who fulfil it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from posediff.annotate.settings import Settings

#: Every detector, and the function that makes it from settings.
DETECTORS = {
    "mediapipe": "posediff.annotate.detectors.mediapipe:make",
    "rtmlib": "posediff.annotate.detectors.rtmlib:make",
    "torchvision": "posediff.annotate.detectors.torchvision:make",
    "whole": "posediff.annotate.detectors.whole:make",
}


class Detector(Protocol):
    """Finds people in a picture.

    Attributes:
        provenance: what found them: back end, version, weights' name and SHA-256.
        every: seconds that may pass from one detection to the next, 0 for every frame.
        longest: pixels of the longer side beyond which a picture gains it nothing.
    """

    provenance: dict[str, object]
    every: float
    longest: int

    def detect(self, image: np.ndarray) -> np.ndarray:
        """Boxes of the people in a picture, the most confident first.

        Args:
            image: (H, W, 3) uint8, RGB.

        Returns:
            (N, 5) float32: x0, y0, x1, y1 in pixels of the picture and confidence in [0, 1]. A box is tight around
            the body as far as the detector knows; estimators add their own margin.
        """
        ...


def load(settings: Settings) -> Detector:
    """The detector that the settings name, its weights loaded.

    Raises:
        MissingDependency: if its library is not installed.
        BadData: if its weights cannot be read.
    """
    module, function = DETECTORS[settings.detector].split(":")
    detector: Detector = getattr(import_module(module), function)(settings)
    return detector
