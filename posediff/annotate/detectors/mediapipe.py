"""The detector that needs no download: MediaPipe's BlazePose detector, on the whole picture and on tiles of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from posediff.annotate import mediapipe_graphs as graphs
from posediff.annotate.estimators.mediapipe import MediaPipe

if TYPE_CHECKING:
    from posediff.annotate.settings import Settings

#: Shares of the picture's shorter side that the tiles' sides have, from coarse to fine.
TILES = (1.0, 0.6)

#: By how much neighbouring tiles overlap, of their side.
OVERLAP = 0.4

#: Two boxes are one person's if they overlap by SAME of their union, or if INSIDE of the smaller one lies in the other
#: and it is no smaller than HALF of that: somebody whom a tile cuts. A smaller one is somebody farther away.
SAME, INSIDE, HALF = 0.4, 0.85, 0.2

#: By how much the box around a pose is enlarged: the top of the head and the fingers have no keypoints.
GROWTH = 1.1

#: Share of its confidence that a detection keeps in which the pose model sees nobody.
DOUBTED = 0.5

#: How much larger than its circle MediaPipe has the pose model's crop.
_CROP = 1.25

_NODES = """
node {{
  calculator: "ImageToTensorCalculator"
  input_stream: "IMAGE:image" output_stream: "TENSORS:input" output_stream: "LETTERBOX_PADDING:padding"
  options {{ [mediapipe.ImageToTensorCalculatorOptions.ext] {{
    output_tensor_width: 224 output_tensor_height: 224 keep_aspect_ratio: true
    output_tensor_float_range {{ min: -1.0 max: 1.0 }} border_mode: BORDER_ZERO
  }} }}
}}
node {{
  calculator: "InferenceCalculator" input_stream: "TENSORS:input" output_stream: "TENSORS:answers"
  options {{ [mediapipe.InferenceCalculatorOptions.ext] {{
    model_path: "mediapipe/modules/{model}" delegate {{ xnnpack {{ num_threads: {threads} }} }}
  }} }}
}}
node {{
  calculator: "SsdAnchorsCalculator" output_side_packet: "anchors"
  options {{ [mediapipe.SsdAnchorsCalculatorOptions.ext] {{
    num_layers: 5 min_scale: 0.1484375 max_scale: 0.75 input_size_height: 224 input_size_width: 224
    anchor_offset_x: 0.5 anchor_offset_y: 0.5 strides: 8 strides: 16 strides: 32 strides: 32 strides: 32
    aspect_ratios: 1.0 fixed_anchor_size: true
  }} }}
}}
node {{
  calculator: "TensorsToDetectionsCalculator"
  input_stream: "TENSORS:answers" input_side_packet: "ANCHORS:anchors" output_stream: "DETECTIONS:all"
  options {{ [mediapipe.TensorsToDetectionsCalculatorOptions.ext] {{
    num_classes: 1 num_boxes: 2254 num_coords: 12 box_coord_offset: 0 keypoint_coord_offset: 4 num_keypoints: 4
    num_values_per_keypoint: 2 sigmoid_score: true score_clipping_thresh: 100.0 reverse_output_order: true
    x_scale: 224.0 y_scale: 224.0 h_scale: 224.0 w_scale: 224.0 min_score_thresh: {least}
  }} }}
}}
node {{
  calculator: "NonMaxSuppressionCalculator" input_stream: "all" output_stream: "best"
  options {{ [mediapipe.NonMaxSuppressionCalculatorOptions.ext] {{
    min_suppression_threshold: 0.3 overlap_type: INTERSECTION_OVER_UNION algorithm: WEIGHTED
  }} }}
}}
node {{
  calculator: "DetectionLetterboxRemovalCalculator"
  input_stream: "DETECTIONS:best" input_stream: "LETTERBOX_PADDING:padding" output_stream: "DETECTIONS:people"
}}
"""


class MediaPipeDetector:
    """MediaPipe's detector of BlazePose (Bazarevsky et al. 2020), made precise by its pose model if that is asked for.

    The detector finds faces and upper bodies, and says in which circle around the hips the whole person lies and how
    the person leans. The box is the square around the circle. A look at the whole picture finds people who are large in
    it; tiles find smaller ones, and each costs as much as the whole picture.

    A quick detector looks at tiles only where the whole picture shows nobody. A thorough one always does, and has the
    pose model look at each circle once, which costs twice as much again: the box is then the tight one around the pose,
    all of it, hidden joints too. Where that sees nobody, as often with bodies upside down, the box stays the square,
    with half the confidence. Boxes reach over the picture's edge where people do.

    Args:
        thorough: whether everybody is to be found, and tightly.
        tiles: sides of the square tiles, in lengths of the picture's shorter side; none for the whole picture only.
        least: least confidence of a detection.
        threads: how many threads one picture may use.

    Raises:
        MissingDependency: if MediaPipe is not installed.
        PosediffError: if it cannot be loaded, or comes without its models.
        BadSetting: if ``threads`` is below 1.
    """

    def __init__(
        self, *, thorough: bool = True, tiles: tuple[float, ...] = TILES, least: float = 0.5, threads: int = 1
    ) -> None:
        self.provenance = {**graphs.provenance("detector", graphs.DETECTOR), "thorough": thorough}
        self.every = 0.2 if thorough else 0.5
        self.longest = 1280 if thorough else 480
        self.thorough = thorough
        self.tiles = tiles
        nodes = _NODES.format(model=graphs.DETECTOR, threads=graphs.checked_threads(threads), least=least)
        self._graph = graphs.Graph(nodes, ["image"], ["people"])
        self._pose = MediaPipe(threads=threads, margin=_CROP) if thorough else None

    def detect(self, image: np.ndarray) -> np.ndarray:
        height, width = image.shape[:2]
        found = [self._look(image)]
        for x, y, side in _tiles(width, height, self.tiles) if self.thorough or not len(found[0]) else ():
            people = self._look(image[y : y + side, x : x + side])
            people[:, :2] += np.array([x, y])
            found.append(people)
        circles = np.concatenate(found)
        boxes = _squares(circles)
        if self._pose is not None:
            boxes = _tight(self._pose, image, boxes, circles[:, 3])
        return merged(boxes).astype(np.float32)

    def _look(self, image: np.ndarray) -> np.ndarray:
        """(N, 5) x, y and radius of circles in one picture, degrees by which people lean, and confidence."""
        library = graphs.library()
        answer = self._graph.run(image=library.image(image)).get("people")
        people = library.getter.get_proto_list(answer) if answer is not None else []
        size = np.array([image.shape[1], image.shape[0]])
        rows = []
        for person in people:
            hips, rim = (np.array([point.x, point.y]) * size for point in person.location_data.relative_keypoints[:2])
            x, y = rim - hips
            rows.append([*hips, np.hypot(x, y), np.degrees(np.arctan2(x, -y)), person.score[0]])
        return np.array(rows, np.float64).reshape(-1, 5)

    def close(self) -> None:
        """Free the model; closing twice does nothing."""
        self._graph.close()
        if self._pose is not None:
            self._pose.close()

    def __enter__(self) -> MediaPipeDetector:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def make(settings: Settings) -> MediaPipeDetector:
    """The detector that the settings name.

    Raises:
        BadSetting: if they ask for weights, which it brings itself.
    """
    graphs.refuse(settings.detector_weights)
    one = settings.person == "largest" and settings.init_box is None
    return MediaPipeDetector(thorough=not one, threads=settings.threads or 1)


def _squares(circles: np.ndarray) -> np.ndarray:
    """(N, 5) boxes around circles, and confidence."""
    hips, radius, confidence = circles[:, :2], circles[:, 2:3], circles[:, 4:]
    return np.concatenate([hips - radius, hips + radius, confidence], axis=1)


def _tight(pose: MediaPipe, image: np.ndarray, boxes: np.ndarray, lean: np.ndarray) -> np.ndarray:
    """(N, 5) tight boxes and confidence of the people in some squares, who lean by some degrees."""
    poses, certain = pose.appraise(image, boxes[:, :4], lean, np.full(len(boxes), np.nan))
    seen = np.isfinite(poses.keypoints).all(axis=(1, 2))
    low, high = poses.keypoints[seen].min(axis=1), poses.keypoints[seen].max(axis=1)
    tight = boxes[:, :4].copy()
    tight[seen] = np.concatenate([low - (high - low) * (GROWTH - 1) / 2, high + (high - low) * (GROWTH - 1) / 2], 1)
    return np.column_stack([tight, boxes[:, 4] * np.where(seen, certain, DOUBTED)])


def merged(boxes: np.ndarray) -> np.ndarray:
    """Boxes of different people, the most confident first: of those that are one person's only the first is kept.

    Args:
        boxes: (N, 5) x0, y0, x1, y1 and confidence.

    Returns:
        (M, 5) some of the rows.
    """
    left = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    kept = []
    while len(left):
        first, left = left[0], left[1:]
        kept.append(first)
        left = left[~_same(first, left)]
    return np.array(kept).reshape(-1, 5)


def _same(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which of some boxes are the same person's as one."""
    sides = np.minimum(box[2:4], others[:, 2:4]) - np.maximum(box[:2], others[:, :2])
    shared = np.prod(np.clip(sides, 0, None), axis=1)
    areas = np.prod(others[:, 2:4] - others[:, :2], axis=1)
    area = np.full_like(areas, np.prod(box[2:4] - box[:2]))
    smaller, larger = np.minimum(area, areas), np.maximum(area, areas)
    return (shared >= SAME * (area + areas - shared)) | ((shared >= INSIDE * smaller) & (smaller >= HALF * larger))


def _tiles(width: int, height: int, sides: tuple[float, ...]) -> Iterator[tuple[int, int, int]]:
    """Left, top and side of square tiles that cover a picture and overlap; none where one would be all of it."""
    for share in sides:
        side = max(1, round(share * min(width, height)))
        if side < max(width, height):
            yield from ((x, y, side) for y in _starts(height, side) for x in _starts(width, side))


def _starts(length: int, side: int) -> list[int]:
    """Where tiles begin along one side of the picture, evenly spread."""
    count = 1 + int(np.ceil((length - side) / (side * (1 - OVERLAP)))) if length > side else 1
    return [round(start) for start in np.linspace(0, max(0, length - side), count)]
