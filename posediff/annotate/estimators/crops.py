"""Upright pictures of single people: cut out, turned and scaled, and the way back to the whole picture.

Coordinates are OpenCV's: the centre of the pixel in column x and row y lies at (x, y).
"""

from __future__ import annotations

import numpy as np

from posediff.errors import BadData, BadSetting, MissingDependency
from posediff.skeletons import Skeleton

#: How much larger than the tight box a top-down estimator wants its crop.
MARGIN = 1.25

#: What stands where the crop reaches over the picture's edge: black, which is what estimators are trained with.
FILL = (0, 0, 0)

#: Least confidence of a keypoint that says where a body is.
CONFIDENT = 0.3


def usable(boxes: np.ndarray) -> np.ndarray:
    """Which boxes have a place and an area.

    Args:
        boxes: (P, 4) x0, y0, x1, y1 in pixels.

    Returns:
        (P,) bool.
    """
    boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
    return np.isfinite(boxes).all(axis=1) & (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])


def placement(box: np.ndarray, angle: float, size: tuple[int, int], margin: float = MARGIN) -> np.ndarray:
    """The affine map from a crop to the picture it is cut from.

    The box's centre comes to (width / 2, height / 2) of the crop. The box is widened or heightened to the crop's
    aspect ratio, then enlarged by the margin: nothing of it is lost and nothing is stretched. A turned crop holds the
    turned box.

    Args:
        box: (4,) x0, y0, x1, y1 in pixels of the picture.
        angle: degrees by which the body is turned from upright, clockwise in the picture.
        size: width and height of the crop in pixels.
        margin: factor on the box's sides.

    Returns:
        (2, 3) float64: ``picture point = matrix[:, :2] @ crop point + matrix[:, 2]``.

    Raises:
        BadData: if the box has no area.
        BadSetting: if the crop or the margin has no size.
    """
    x0, y0, x1, y1 = (float(value) for value in box)
    width, height = size
    if not usable(np.asarray(box))[0]:
        raise BadData(f"the box {(x0, y0, x1, y1)} has no area", "give x0 < x1 and y0 < y1")
    if min(width, height) < 1 or not margin > 0 or not np.isfinite([margin, angle]).all():
        raise BadSetting(
            f"a crop of {width} x {height}, margin {margin}, angle {angle} cannot be made", "give positive, finite ones"
        )
    scale = margin * max((x1 - x0) / width, (y1 - y0) / height)
    cosine, sine = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turn = scale * np.array([[cosine, -sine], [sine, cosine]])
    centre = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    return np.column_stack([turn, centre - turn @ [width / 2, height / 2]])


def upright(
    image: np.ndarray, box: np.ndarray, angle: float = 0.0, *, size: tuple[int, int], margin: float = MARGIN
) -> tuple[np.ndarray, np.ndarray]:
    """Cut a person out of a picture, upright and scaled to what an estimator takes.

    Interpolates bilinearly; where the crop shrinks the picture by two or more, whole blocks of pixels are averaged
    first, so that thin limbs do not fall between the samples.

    Args:
        image: (H, W, 3) uint8.
        box: (4,) x0, y0, x1, y1 in pixels; it may reach over the picture's edge.
        angle: degrees by which the body is turned from upright, clockwise in the picture.
        size: width and height of the crop in pixels.
        margin: factor on the box's sides, after it has got the crop's aspect ratio.

    Returns:
        The crop, (height, width, 3) uint8, and the (2, 3) map from its points to the picture's, see :func:`placement`.

    Raises:
        BadData: if the box has no area.
        BadSetting: if the crop or the margin has no size.
        MissingDependency: if pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependency("pillow", "annotate", "cutting people out of pictures") from None
    width, height = size
    matrix = placement(box, angle, size, margin)
    corners = to_image(np.array([[0, 0], [width, 0], [0, height], [width, height]], np.float64), matrix)
    bounds = np.array([image.shape[1], image.shape[0]])
    low = np.clip(np.floor(corners.min(axis=0)) - 2, 0, bounds).astype(int)
    high = np.clip(np.ceil(corners.max(axis=0)) + 3, 0, bounds).astype(int)
    if (high <= low).any():
        return np.full((height, width, 3), FILL, np.uint8), matrix
    part = Image.fromarray(np.ascontiguousarray(image[low[1] : high[1], low[0] : high[0]]))
    block = min(int(np.hypot(*matrix[:, 0])), *part.size)
    if block >= 2:
        part = part.reduce(block)
    else:
        block = 1
    # PIL counts from pixels' corners: half a pixel more on both sides of the map.
    linear = matrix[:, :2] / block
    offset = (matrix[:, 2] + 0.5 - low - matrix[:, :2] @ [0.5, 0.5]) / block
    data = tuple(np.column_stack([linear, offset]).ravel().tolist())
    crop = part.transform(size, Image.Transform.AFFINE, data, Image.Resampling.BILINEAR, fillcolor=FILL)
    return np.asarray(crop), matrix


def to_image(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points of a crop as points of the picture.

    Args:
        points: (..., 2) in pixels of the crop.
        matrix: (2, 3) as :func:`upright` gives it.

    Returns:
        (..., 2) in pixels of the picture.
    """
    return np.asarray(points) @ matrix[:, :2].T + matrix[:, 2]


def box_of(keypoints: np.ndarray, scores: np.ndarray, least: float = CONFIDENT) -> np.ndarray:
    """The tight box of the confident keypoints.

    Args:
        keypoints: (J, 2) in pixels, NaN where missing.
        scores: (J,) in [0, 1].
        least: least confidence that counts.

    Returns:
        (4,) float32 x0, y0, x1, y1; NaN where fewer than two keypoints are confident.
    """
    sure = np.isfinite(keypoints).all(axis=1) & (np.asarray(scores) >= least)
    if sure.sum() < 2:
        return np.full(4, np.nan, np.float32)
    points = keypoints[sure]
    return np.concatenate([points.min(axis=0), points.max(axis=0)]).astype(np.float32)


def trunk_angle(keypoints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """By how much the trunk, from the hips to the shoulders, is turned from upright.

    Args:
        keypoints: (..., J, 2) in pixels, y downwards.
        skeleton: that of the keypoints.

    Returns:
        (...) degrees in (-180, 180], clockwise as seen in the picture; NaN where the trunk is missing or has no length.
    """
    keypoints = np.asarray(keypoints, np.float64)
    low, high = (
        keypoints[..., [skeleton.index(joint) for joint in joints], :].mean(axis=-2)
        if joints
        else np.full((*keypoints.shape[:-2], 2), np.nan)
        for joints in skeleton.torso
    )
    along = high - low
    angle = np.degrees(np.arctan2(along[..., 0], -along[..., 1]))
    angle = np.where(angle <= -180, 180.0, angle)  # straight down from -0.0 is the same direction
    return np.where(np.hypot(along[..., 0], along[..., 1]) > 0, angle, np.nan)
