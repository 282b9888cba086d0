"""The whole picture as one person's box, for videos that are cropped to a person already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from posediff.annotate.settings import Settings


class WholeFrame:
    """Takes the whole picture for one person."""

    every = 0.0
    longest = 320

    def __init__(self) -> None:
        self.provenance: dict[str, object] = {"detector": "whole"}

    def detect(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        return np.array([[0, 0, width, height, 1]], np.float32)


def make(settings: Settings) -> WholeFrame:
    """The detector that the settings name."""
    return WholeFrame()
