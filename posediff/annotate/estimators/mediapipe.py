"""The pose engine that needs no download: MediaPipe's BlazePose on crops that posediff places and turns."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from posediff.annotate import mediapipe_graphs as graphs
from posediff.annotate.estimators import Poses
from posediff.annotate.estimators.crops import usable
from posediff.skeletons import BLAZEPOSE33

if TYPE_CHECKING:
    from posediff.annotate.settings import Settings

#: Side of the square that the model sees, in lengths of the box's longer side. Of 1 to 1.8, what agrees best with
#: MediaPipe's own crops on people who stand.
MARGIN = 1.4

#: The same in lengths of the trunk. The model was trained on crops as large as the body would be if it were stretched,
#: so a crop that is tight around a body in a tuck is too small for it.
TRUNKS = 4.2

#: Largest square, in lengths of the box's longer side, however long the trunk is thought to be.
LARGEST = 3.5

#: Least certainty that the square holds a person, MediaPipe's own threshold.
PRESENT = 0.5

_JOINTS = len(BLAZEPOSE33.joints)

# The model tells 39 points: the 33 of the skeleton, 2 that place MediaPipe's own next crop, and 4 unused ones.
_NODES = """
node {{
  calculator: "ImageToTensorCalculator"
  input_stream: "IMAGE:image" input_stream: "NORM_RECT:roi"
  output_stream: "TENSORS:input" output_stream: "LETTERBOX_PADDING:padding"
  options {{ [mediapipe.ImageToTensorCalculatorOptions.ext] {{
    output_tensor_width: 256 output_tensor_height: 256 keep_aspect_ratio: true
    output_tensor_float_range {{ min: 0.0 max: 1.0 }}
  }} }}
}}
node {{
  calculator: "InferenceCalculator"
  input_stream: "TENSORS:input" output_stream: "TENSORS:answers"
  options {{ [mediapipe.InferenceCalculatorOptions.ext] {{
    model_path: "mediapipe/modules/{model}" delegate {{ xnnpack {{ num_threads: {threads} }} }}
  }} }}
}}
node {{
  calculator: "SplitTensorVectorCalculator"
  input_stream: "answers" output_stream: "points" output_stream: "flag" output_stream: "heatmap"
  options {{ [mediapipe.SplitVectorCalculatorOptions.ext] {{
    ranges {{ begin: 0 end: 1 }} ranges {{ begin: 1 end: 2 }} ranges {{ begin: 3 end: 4 }}
  }} }}
}}
node {{ calculator: "TensorsToFloatsCalculator" input_stream: "TENSORS:flag" output_stream: "FLOAT:presence" }}
node {{
  calculator: "TensorsToLandmarksCalculator"
  input_stream: "TENSORS:points" output_stream: "NORM_LANDMARKS:coarse"
  options {{ [mediapipe.TensorsToLandmarksCalculatorOptions.ext] {{
    num_landmarks: 39 input_image_width: 256 input_image_height: 256
    visibility_activation: SIGMOID presence_activation: SIGMOID
  }} }}
}}
node {{
  calculator: "RefineLandmarksFromHeatmapCalculator"
  input_stream: "NORM_LANDMARKS:coarse" input_stream: "TENSORS:heatmap" output_stream: "NORM_LANDMARKS:fine"
  options {{ [mediapipe.RefineLandmarksFromHeatmapCalculatorOptions.ext] {{ kernel_size: 7 }} }}
}}
node {{
  calculator: "LandmarkLetterboxRemovalCalculator"
  input_stream: "LANDMARKS:fine" input_stream: "LETTERBOX_PADDING:padding" output_stream: "LANDMARKS:landmarks"
}}
"""


class MediaPipe:
    """MediaPipe's full BlazePose model (Bazarevsky et al. 2020) on the boxes that it is given.

    Of every box the model sees the square around its centre, turned with the body. Scores are the model's visibility,
    the probability that a joint is in the picture and not hidden, times its certainty that there is a person. The same
    picture gives the same pose, whatever came before it.

    Args:
        threads: how many threads one picture may use.
        margin: side of the square in lengths of the box's longer side.
        present: least certainty that the square holds a person; below it the pose is NaN.

    Raises:
        MissingDependency: if MediaPipe is not installed.
        PosediffError: if it cannot be loaded, or comes without its models.
        BadSetting: if ``threads`` is below 1.
    """

    skeleton = BLAZEPOSE33

    def __init__(self, *, threads: int = 1, margin: float = MARGIN, present: float = PRESENT) -> None:
        self.provenance = graphs.provenance("pose", graphs.LANDMARKS)
        self.margin = margin
        self.present = present
        nodes = _NODES.format(model=graphs.LANDMARKS, threads=graphs.checked_threads(threads))
        self._graph = graphs.Graph(nodes, ["image", "roi"], ["landmarks", "presence"])

    def estimate(self, image: np.ndarray, boxes: np.ndarray, angles: np.ndarray) -> Poses:
        return self.appraise(image, boxes, angles, np.full(len(boxes), np.nan))[0]

    def appraise(
        self, image: np.ndarray, boxes: np.ndarray, angles: np.ndarray, trunks: np.ndarray
    ) -> tuple[Poses, np.ndarray]:
        """Poses, and how certain the model is that there is a person: a better guide than the joints' scores.

        Args:
            image, boxes, angles: as for :meth:`estimate`.
            trunks: (P,) length of each trunk in pixels where it is known, else NaN. A bent body is seen in a crop as
                large as its trunk asks for.

        Returns:
            The poses, and (P,) float32 certainty in [0, 1].
        """
        boxes = np.asarray(boxes, np.float64).reshape(-1, 4)
        keypoints = np.full((len(boxes), _JOINTS, 2), np.nan, np.float32)
        scores = np.zeros((len(boxes), _JOINTS), np.float32)
        certain = np.zeros(len(boxes), np.float32)
        for place in np.flatnonzero(usable(boxes)):
            square, angle = self._square(boxes[place], trunks[place]), math.radians(float(angles[place]))
            part, corner = _around(image, square, angle)
            roi = _roi(square - [*corner, 0], angle, part.shape)
            answer = self._graph.run(image=graphs.library().image(part), roi=roi)
            certain[place] = graphs.library().getter.get_float(answer["presence"])
            if certain[place] >= self.present:
                points = _points(answer["landmarks"])
                keypoints[place] = _placed(points[:, :2], square, angle)
                scores[place] = points[:, 2] * certain[place]
        return Poses(keypoints, scores), certain

    def close(self) -> None:
        """Free the model; closing twice does nothing."""
        self._graph.close()

    def __enter__(self) -> MediaPipe:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _square(self, box: np.ndarray, trunk: float) -> np.ndarray:
        """Centre and side of the square that the model sees."""
        longer = max(box[2] - box[0], box[3] - box[1])
        by_trunk = min(TRUNKS * trunk, LARGEST * longer) if np.isfinite(trunk) else 0.0
        return np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, max(self.margin * longer, by_trunk)])


def make(settings: Settings) -> MediaPipe:
    """The pose back end that the settings name.

    Raises:
        BadSetting: if they ask for weights or a configuration, which it brings itself, or for a GPU.
    """
    graphs.refuse(settings.weights, settings.config, settings.device)
    return MediaPipe(threads=settings.threads or 1)


def _around(image: np.ndarray, square: np.ndarray, angle: float) -> tuple[np.ndarray, np.ndarray]:
    """The part of a picture that a turned square lies in, so that no more is copied, and the part's corner."""
    half = square[2] / 2 * (abs(math.cos(angle)) + abs(math.sin(angle))) + 2
    size = np.array(image.shape[1::-1])
    low = np.clip(np.floor(square[:2] - half), 0, size - 1).astype(int)
    high = np.clip(np.ceil(square[:2] + half), low + 1, size).astype(int)
    return image[low[1] : high[1], low[0] : high[0]], low


def _roi(square: np.ndarray, angle: float, shape: tuple[int, ...]) -> Any:
    """The square as MediaPipe's rectangle, whose sides are told in widths and heights of the picture."""
    height, width = shape[:2]
    x, y, side = square.tolist()
    mediapipe = graphs.library()
    return mediapipe.creator.create_proto(
        mediapipe.rectangle(
            x_center=x / width, y_center=y / height, width=side / width, height=side / height, rotation=angle
        )
    )


def _points(packet: Any) -> np.ndarray:
    """(33, 3) x, y in widths of the square from its corner, and visibility."""
    landmarks = graphs.library().getter.get_proto(packet).landmark[:_JOINTS]
    return np.array([(point.x, point.y, point.visibility) for point in landmarks])


def _placed(points: np.ndarray, square: np.ndarray, angle: float) -> np.ndarray:
    """Points of the square, 0 to 1, in the picture's pixels."""
    cosine, sine = math.cos(angle), math.sin(angle)
    return square[:2] + square[2] * (points - 0.5) @ np.array([[cosine, sine], [-sine, cosine]])
