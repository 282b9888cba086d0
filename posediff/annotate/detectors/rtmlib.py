"""People found by RTMDet or YOLOX, in the ONNX files that rtmlib names.

onnxruntime is called here, not rtmlib: its detectors return neither confidences nor classes, scale both axes by the one
rounded ratio, and take no number of threads. Layouts and preprocessing are those of RTMDet (Lyu et al. 2022) and
YOLOX (Ge et al. 2021) as MMDetection trains and MMDeploy exports them: a picture in BGR, scaled to fit the top left of
the network's input, grey (114) elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from posediff.errors import BadData, BadSetting, MissingDependency
from posediff.weights.files import find
from posediff.weights.onnx import Network, normalised

if TYPE_CHECKING:
    from pathlib import Path

    from posediff.annotate.settings import Settings

#: Mean and deviation of the blue, green and red channel that each kind of network expects to be taken out.
KINDS = {
    "rtmdet": ((103.53, 116.28, 123.675), (57.375, 57.12, 58.395)),
    "yolox": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
DEFAULT = "yolox-m"

_PERSON = 0
_STRIDES = (8, 16, 32)
_ANY_SIZE = (640, 640)
_GREY = 114


class RtmlibDetector:
    """RTMDet or YOLOX through onnxruntime.

    Attributes:
        provenance: back end, version, device, weights' name and SHA-256.
        every: seconds from one detection to the next.
    """

    longest = 960

    def __init__(
        self,
        weights: str | Path = DEFAULT,
        *,
        kind: str | None = None,
        threshold: float = 0.3,
        overlap: float = 0.45,
        device: str = "auto",
        threads: int = 0,
    ) -> None:
        """Load a network.

        Args:
            weights: path of an ``.onnx`` file, or a name of :data:`posediff.annotate.weights.KNOWN`.
            kind: of :data:`KINDS`; None to tell it by the file's name.
            threshold: least confidence of a box.
            overlap: intersection over union above which the less confident of two boxes is dropped; only where the
                network does not do so itself.
            device: ``auto``, ``cpu`` or ``cuda``.
            threads: that the network uses, 0 for its own choice.

        Raises:
            BadData: if there is no such file, or it is no such network.
            BadSetting: if the kind is unknown and the file's name does not tell it, or there is no such device.
            MissingDependency: if onnxruntime is not installed.
        """
        network = Network(find(weights), device=device, threads=threads)
        self.kind = _kind(kind, network.path.name)
        self.threshold, self.overlap = threshold, overlap
        self.every = 0.0 if network.provenance["device"] == "cuda" else 0.1
        self.provenance: dict[str, object] = {"detector": "rtmlib", "kind": self.kind, **network.provenance}
        self._network = network
        self._size = network.size or _ANY_SIZE

    def detect(self, image: np.ndarray) -> np.ndarray:
        letter, scale = letterboxed(image, self._size)
        outputs = self._network.run(normalised(letter[:, :, ::-1], *KINDS[self.kind])[None])
        boxes, scores = self._people(outputs)
        boxes = np.clip(boxes / np.tile(scale, 2), 0, np.tile(image.shape[1::-1], 2))
        good = (scores >= self.threshold) & (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
        found = np.column_stack([boxes[good], np.minimum(scores[good], 1)])
        return found[np.argsort(-found[:, 4], kind="stable")].astype(np.float32)

    def _people(self, outputs: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (N, 4) in the letter box and their confidences (N,), whatever the layout."""
        first = outputs[0]
        if first.ndim == 3 and first.shape[0] == 1 and first.shape[2] == 5:
            boxes, scores = first[0, :, :4], first[0, :, 4]
            if len(outputs) > 1 and outputs[1].shape == first.shape[:2]:
                person = outputs[1][0] == _PERSON
                boxes, scores = boxes[person], scores[person]
            return boxes, scores
        if first.ndim == 3 and first.shape[0] == 1 and first.shape[2] > 5:
            boxes, scores = decoded(first[0], self._size, str(self._network.path))
            sure = np.flatnonzero(scores >= self.threshold)
            kept = sure[suppressed(boxes[sure], scores[sure], self.overlap)]
            return boxes[kept], scores[kept]
        shapes = ", ".join(str(output.shape) for output in outputs)
        raise BadData(
            f"{self._network.path}: gives arrays of the shapes {shapes}",
            "expected (1, N, 5) with the boxes' classes (1, N), or YOLOX's (1, N, 5 + classes)",
        )


def make(settings: Settings) -> RtmlibDetector:
    """The detector that the settings name, its weights loaded."""
    weights = settings.detector_weights or DEFAULT
    return RtmlibDetector(weights, device=settings.device, threads=settings.threads)


def letterboxed(image: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """A picture scaled to fit the top left of a grey one.

    Args:
        image: (H, W, 3) uint8.
        size: width and height of the result.

    Returns:
        The result, (height, width, 3) uint8, and by how much (2,) the picture's width and height were scaled.

    Raises:
        MissingDependency: if pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        raise MissingDependency("pillow", "annotate", "scaling pictures") from None
    source = np.array(image.shape[1::-1])
    target = np.maximum(1, np.floor(source * min(size / source) + 1e-9)).astype(int)
    letter = np.full((size[1], size[0], 3), _GREY, np.uint8)
    picture = Image.fromarray(np.ascontiguousarray(image))
    if tuple(target) != picture.size:
        picture = picture.resize((int(target[0]), int(target[1])), Image.Resampling.BILINEAR)
    letter[: target[1], : target[0]] = picture
    return letter, target / source


def decoded(raw: np.ndarray, size: tuple[int, int], path: str = "YOLOX") -> tuple[np.ndarray, np.ndarray]:
    """Boxes of people from YOLOX's own output.

    Args:
        raw: (N, 5 + classes): centre as offset from the cell in cells, logarithm of width and height in cells,
            objectness, and the probability of each class, the first of which is a person.
        size: width and height of the network's input.
        path: what to call the network where it does not fit.

    Returns:
        Corners (N, 4) in pixels of the input, and confidence (N,).

    Raises:
        BadData: if N is not the number of cells.
    """
    cells, strides = [], []
    for stride in _STRIDES:
        rows, columns = np.mgrid[: size[1] // stride, : size[0] // stride]
        cells.append(np.column_stack([columns.ravel(), rows.ravel()]))
        strides.append(np.full(rows.size, stride))
    cell, stride_of = np.concatenate(cells), np.concatenate(strides)[:, None]
    if len(raw) != len(cell):
        raise BadData(
            f"{path}: gives {len(raw)} boxes for {size[0]} x {size[1]} pixels, YOLOX gives {len(cell)}",
            "give a network with the strides 8, 16 and 32, or one that was exported with its own suppression",
        )
    centre = (raw[:, :2] + cell) * stride_of
    half = np.exp(raw[:, 2:4]) * stride_of / 2
    return np.hstack([centre - half, centre + half]), raw[:, 4] * raw[:, 5 + _PERSON]


def suppressed(boxes: np.ndarray, scores: np.ndarray, overlap: float) -> np.ndarray:
    """Rows of the boxes that overlap no more confident one that is kept: greedy non-maximum suppression.

    Args:
        boxes: (N, 4) corners.
        scores: (N,) confidence.
        overlap: intersection over union up to which two boxes are two people.

    Returns:
        (M,) int, the most confident first.
    """
    area = (boxes[:, 2:] - boxes[:, :2]).prod(axis=1)
    rows = np.argsort(-scores, kind="stable")
    kept = []
    while len(rows):
        best, rows = rows[0], rows[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[rows, :2])
        high = np.minimum(boxes[best, 2:], boxes[rows, 2:])
        shared = np.maximum(high - low, 0).prod(axis=1)
        rows = rows[shared <= overlap * (area[best] + area[rows] - shared)]
    return np.array(kept, int)


def _kind(kind: str | None, name: str) -> str:
    """The kind of a network, by what was said or else by its file's name."""
    told = kind or next((known for known in KINDS if known in name.lower()), None)
    if told not in KINDS:
        raise BadSetting(
            f"{name}: the kind of this detector is {told or 'not told by its name'}",
            f"choose one of: {', '.join(KINDS)}, or call the file by its kind, for instance my_yolox.onnx",
        )
    return told
