"""Pictures of skeletons: stick figures, and joints as dots that can be found again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from posediff.sequence import PoseSequence

SKY, LEFT, RIGHT, MIDDLE = (60, 110, 160), (220, 60, 60), (60, 200, 60), (240, 230, 210)


def stick_figures(sequence: PoseSequence, size: tuple[int, int]) -> list[np.ndarray]:
    """(H, W, 3) uint8 pictures of a sequence that knows its image size, at another size (W, H).

    Left limbs are red, right ones green. A bone with a missing end is not drawn.
    """
    image, draw = pytest.importorskip("PIL.Image"), pytest.importorskip("PIL.ImageDraw")
    places = sequence.keypoints * (np.array(size) / sequence.image_size)
    width = max(1, size[1] // 16)
    pictures = []
    for frame in places:
        picture = image.new("RGB", size, SKY)
        for ends in sequence.skeleton.bones:
            line = frame[[sequence.skeleton.index(joint) for joint in ends]]
            colour = LEFT if ends[1].startswith("left_") else RIGHT if ends[1].startswith("right_") else MIDDLE
            if np.isfinite(line).all():
                draw.Draw(picture).line(line.ravel().tolist(), fill=colour, width=width)
        pictures.append(np.asarray(picture))
    return pictures


def dots(sequence: PoseSequence, joints: Sequence[str], size: tuple[int, int], radius: int) -> list[np.ndarray]:
    """(H, W, 3) uint8 black pictures with up to three joints: a red, a green and a blue disk, whatever lies over it."""
    image, draw = pytest.importorskip("PIL.Image"), pytest.importorskip("PIL.ImageDraw")
    pictures = []
    for frame in sequence.keypoints:
        colours = [image.new("L", size) for _ in range(3)]
        for colour, joint in zip(colours, joints, strict=False):
            x, y = frame[sequence.skeleton.index(joint)]
            draw.Draw(colour).ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        pictures.append(np.asarray(image.merge("RGB", colours)))
    return pictures


def centres(pictures: np.ndarray) -> np.ndarray:
    """(..., 3, 2) places x, y of the centres of the disks in pictures (..., 3, H, W); NaN where there is none."""
    light = pictures.astype(float)
    whole = light.sum(axis=(-2, -1))
    across = (light.sum(axis=-2) * np.arange(light.shape[-1])).sum(axis=-1)
    down = (light.sum(axis=-1) * np.arange(light.shape[-2])).sum(axis=-1)
    with np.errstate(invalid="ignore"):
        return np.stack([across, down], axis=-1) / whole[..., None]
