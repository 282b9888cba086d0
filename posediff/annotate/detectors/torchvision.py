"""People found by torchvision's small Faster R-CNN (MobileNetV3-Large 320 FPN)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from posediff.errors import BadData, MissingDependency, PosediffError
from posediff.weights.checkpoints import load_weights, read_checkpoint, torch_device, weights_of
from posediff.weights.files import find, provenance

if TYPE_CHECKING:
    from pathlib import Path

    from posediff.annotate.settings import Settings

DEFAULT = "fasterrcnn_mobilenet_v3_large_320_fpn"

#: Class of a person in COCO, where 0 is the background.
_PERSON = 1
_CLASSES = "roi_heads.box_predictor.cls_score.bias"


class TorchvisionDetector:
    """Faster R-CNN (Ren et al. 2015) on MobileNetV3-Large with a feature pyramid, for pictures of 320 pixels.

    Attributes:
        provenance: back end, version, device, weights' name and SHA-256.
        every: seconds from one detection to the next.
    """

    longest = 960

    def __init__(
        self, weights: str | Path = DEFAULT, *, threshold: float = 0.5, device: str = "auto", threads: int = 0
    ) -> None:
        """Build the network and load its weights.

        Args:
            weights: path of a state dict of this architecture whose first class after the background is a person, or
                the name of the published one.
            threshold: least confidence of a box.
            device: ``auto``, ``cpu`` or ``cuda``.
            threads: that torch uses in this process, 0 for its own choice.

        Raises:
            BadData: if there is no such file, or it holds no such weights.
            BadSetting: if there is no such device.
            MissingDependency: if torchvision is not installed.
            PosediffError: if torchvision does not fit to torch.
        """
        torch, detection = _libraries()
        path = find(weights, **_published(detection)) if weights == DEFAULT else find(weights)
        state = weights_of(read_checkpoint(path), path)
        if _CLASSES not in state or state[_CLASSES].ndim != 1 or len(state[_CLASSES]) < 2:
            raise BadData(f"{path}: lacks the weights {_CLASSES}", f"give the weights of a {DEFAULT}")
        self._device = torch_device(device)
        if threads:
            torch.set_num_threads(threads)
        model = detection.fasterrcnn_mobilenet_v3_large_320_fpn(
            weights=None, weights_backbone=None, num_classes=len(state[_CLASSES]), box_score_thresh=threshold
        )
        load_weights(model, state, path)
        self._model = model.eval().to(self._device)
        self.every = 0.0 if self._device.type == "cuda" else 0.1
        self.provenance: dict[str, object] = {
            "detector": "torchvision",
            "model": DEFAULT,
            "library": "torch",
            "version": torch.__version__,
            "device": self._device.type,
            **provenance(path),
        }

    def detect(self, image: np.ndarray) -> np.ndarray:
        import torch

        picture = torch.from_numpy(np.ascontiguousarray(image)).to(self._device).permute(2, 0, 1).float() / 255
        with torch.inference_mode():
            found = self._model([picture])[0]
        person = found["labels"] == _PERSON
        rows = torch.cat([found["boxes"][person], found["scores"][person, None]], dim=1).cpu().numpy()
        rows = rows[(rows[:, 2] > rows[:, 0]) & (rows[:, 3] > rows[:, 1])]
        return rows[np.argsort(-rows[:, 4], kind="stable")].astype(np.float32)


def make(settings: Settings) -> TorchvisionDetector:
    """The detector that the settings name, its weights loaded."""
    weights = settings.detector_weights or DEFAULT
    return TorchvisionDetector(weights, device=settings.device, threads=settings.threads)


def _published(detection: Any) -> dict[str, str]:
    """Where torchvision's own weights come from; the first digits of their SHA-256 are in the file's name."""
    url = detection.FasterRCNN_MobileNet_V3_Large_320_FPN_Weights.COCO_V1.url
    return {"url": url, "sha256": url.rpartition("-")[2].removesuffix(".pth")}


def _libraries() -> tuple[Any, Any]:
    """Torch and torchvision's detection models."""
    try:
        import torch
        from torchvision.models import detection
    except ImportError:
        raise MissingDependency("torchvision", "torchvision", "finding people with it") from None
    except Exception as error:  # its compiled part does not fit to torch
        raise PosediffError(
            f"torchvision does not fit to the torch that is installed ({str(error).splitlines()[0]})",
            "pip install --force-reinstall torch torchvision, both from the same place",
        ) from None
    return torch, detection
