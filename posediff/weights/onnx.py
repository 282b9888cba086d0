"""ONNX networks that take pictures, run by onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posediff.errors import BadData, BadSetting, MissingDependency
from posediff.weights.files import provenance

_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_HINT = "give an .onnx file as OpenMMLab's RTMPose, RTMDet and YOLOX are exported"


class Network:
    """An ONNX network with one input, float pictures (N, 3, H, W).

    Attributes:
        path: its file.
        size: width and height of the pictures that it takes, None where it takes any.
        outputs: names of its outputs.
        provenance: library, version, device, weights' name and SHA-256.
    """

    def __init__(self, path: Path, *, device: str = "auto", threads: int = 0) -> None:
        """Load a network.

        Args:
            path: the ``.onnx`` file.
            device: ``auto``, ``cpu`` or ``cuda``.
            threads: that one run uses; 0 for onnxruntime's choice, which is one a core.

        Raises:
            BadData: if it is not such a network.
            BadSetting: if there is no such device.
            MissingDependency: if onnxruntime is not installed.
        """
        try:
            import onnxruntime
        except ImportError:
            raise MissingDependency("onnxruntime", "rtmlib", "running ONNX networks") from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3  # errors; they become ours
        try:
            session = onnxruntime.InferenceSession(
                str(path), options, providers=_providers(device, onnxruntime.get_available_providers())
            )
        except BadSetting:
            raise
        except Exception as error:  # onnxruntime has no base class of its own
            raise BadData(f"{path}: is not a network that onnxruntime can run ({_first_line(error)})", _HINT) from None
        used = session.get_providers()[0]
        if device == "cuda" and used != _CUDA:
            raise BadSetting("onnxruntime cannot use the GPU, though it is built for it", _cuda_hint())
        self.path = path
        self.outputs = [output.name for output in session.get_outputs()]
        self._session = session
        self._input, shape = _picture_input(session, path)
        self._single = shape[0] == 1
        self.size = (shape[3], shape[2]) if isinstance(shape[2], int) and isinstance(shape[3], int) else None
        self.provenance: dict[str, object] = {
            "library": "onnxruntime",
            "version": onnxruntime.__version__,
            "device": "cuda" if used == _CUDA else "cpu",
            **provenance(path),
        }

    def run(self, pictures: np.ndarray) -> list[np.ndarray]:
        """What the network makes of some pictures.

        Args:
            pictures: (N, 3, H, W) float, N of 1 or more.

        Returns:
            Its outputs, each (N, ...).

        Raises:
            BadData: if the network fails.
        """
        pictures = np.ascontiguousarray(pictures, np.float32)
        if not self._single or len(pictures) == 1:
            return self._once(pictures)
        parts = [self._once(pictures[row : row + 1]) for row in range(len(pictures))]
        return [np.concatenate(same) for same in zip(*parts, strict=True)]

    def _once(self, pictures: np.ndarray) -> list[np.ndarray]:
        try:
            return [np.asarray(output) for output in self._session.run(None, {self._input: pictures})]
        except Exception as error:
            raise BadData(f"{self.path}: the network failed ({_first_line(error)})", _HINT) from None


def normalised(picture: np.ndarray, mean: Sequence[float], deviation: Sequence[float]) -> np.ndarray:
    """A picture (H, W, 3) as (3, H, W) float32, from each channel its mean taken and divided by its deviation."""
    scaled = (picture.astype(np.float32) - np.array(mean, np.float32)) / np.array(deviation, np.float32)
    return scaled.transpose(2, 0, 1)


def _providers(device: str, available: Sequence[str]) -> list[str]:
    if device == "cuda" and _CUDA not in available:
        raise BadSetting("device is 'cuda', but this onnxruntime cannot use GPUs", _cuda_hint())
    return [name for name in (_CUDA, _CPU) if name in available and (device != "cpu" or name == _CPU)]


def _cuda_hint() -> str:
    return "choose the device cpu, or pip uninstall onnxruntime && pip install onnxruntime-gpu, and see posediff doctor"


def _picture_input(session: Any, path: Path) -> tuple[str, list[Any]]:
    """Name and shape of the one input; what is not fixed is a name or None."""
    inputs = session.get_inputs()
    shapes = [f"{one.type} {one.shape}" for one in inputs]
    if len(inputs) != 1 or inputs[0].type != "tensor(float)" or len(inputs[0].shape) != 4 or inputs[0].shape[1] != 3:
        raise BadData(f"{path}: takes {', '.join(shapes) or 'nothing'}, expected one tensor(float) [N, 3, H, W]", _HINT)
    return inputs[0].name, inputs[0].shape


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
