"""Where key points are, told by an image-text model that compares every frame with their descriptions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from posediff.errors import BadData, BadSetting, MissingDependency, suggestion
from posediff.weights.checkpoints import load_weights, read_checkpoint, torch_device, weights_of
from posediff.weights.files import find, provenance

if TYPE_CHECKING:
    from posediff.differencing.helpers.pictures import Film
    from posediff.differencing.statements.questions import KeyPoint
    from posediff.sequence import PoseSequence


@dataclass(frozen=True)
class ImageTextSettings:
    """Which image-text model is used.

    Attributes:
        weights: path of its weights, a state dict of open_clip's as ``.pt`` or ``.safetensors``.
        architecture: as open_clip calls it; one whose parts and words all come with open_clip.
        device: ``auto``, ``cpu`` or ``cuda``.
        batch: frames that are encoded together.
    """

    weights: str
    architecture: str = "ViT-B-32"
    device: str = "auto"
    batch: int = 32

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise BadSetting(f"batch is {self.batch}", "give 1 or more")


class ImageTextModel:
    """An image-text model such as CLIP (Radford et al. 2021).

    Attributes:
        provenance: library, architecture, device, weights' name and SHA-256.

    Args:
        settings: which one.

    Raises:
        BadData: if the weights are not there or do not fit.
        BadSetting: if the architecture or the device is none.
        MissingDependency: if open_clip is not installed.
    """

    def __init__(self, settings: ImageTextSettings) -> None:
        open_clip = _open_clip()
        configuration = _configuration(open_clip, settings.architecture)
        path = find(settings.weights, hint="give the path of a file")
        device = torch_device(settings.device)
        custom = configuration.pop("custom_text", False)
        model = (open_clip.CustomTextCLIP if custom else open_clip.CLIP)(**configuration)
        load_weights(model, _weights(path), path)
        self._batch, self._device, self._model = settings.batch, device, model.eval().to(device)
        self._transform = open_clip.image_transform(model.visual.image_size, is_train=False)
        self._tokenize = open_clip.get_tokenizer(settings.architecture)
        self.provenance: dict[str, object] = {
            "library": "open_clip",
            "version": open_clip.__version__,
            "architecture": settings.architecture,
            "device": device.type,
            **provenance(path),
        }

    def log_likelihoods(self, images: Iterable[np.ndarray], texts: Sequence[str]) -> np.ndarray:
        """How well every picture goes with each of some texts, against the others.

        Args:
            images: N of them, (H, W, 3) uint8 RGB of any size; held in memory a batch at a time.
            texts: K descriptions.

        Returns:
            (N, K) float64, log of the softmax over the texts; rows add up to 1 in probability.
        """
        import torch
        from PIL import Image

        rows: list[np.ndarray] = []
        with torch.inference_mode():
            words = self._model.encode_text(self._tokenize(list(texts)).to(self._device), normalize=True)
            for some in _batches(images, self._batch):
                pixels = torch.stack([self._transform(Image.fromarray(image)) for image in some]).to(self._device)
                seen = self._model.encode_image(pixels, normalize=True)
                logits = self._model.logit_scale.exp() * seen @ words.T
                rows.append(logits.double().log_softmax(dim=1).cpu().numpy())
        return np.concatenate(rows) if rows else np.zeros((0, len(texts)))


def image_evidence(
    model: ImageTextModel, key_points: Sequence[KeyPoint], film: Film, sequence: PoseSequence
) -> Mapping[str, np.ndarray]:
    """Log-likelihoods of the key points in every frame of a performance, from what its pictures look like.

    Args:
        model: the image-text model.
        key_points: K of them, with their descriptions.
        film: the pictures.
        sequence: T frames in the video's numbering; the evidence is for these.

    Returns:
        (T,) by key point; where a frame cannot be decoded all are equally likely.

    Raises:
        BadData: if no frame can be decoded.
    """
    result = np.full((len(sequence), len(key_points)), -math.log(max(len(key_points), 1)))
    places: list[int] = []

    def images() -> Iterator[np.ndarray]:
        for place, image in film.people(sequence.frames.tolist()):
            places.append(place)
            yield image

    found = model.log_likelihoods(images(), [point.text for point in key_points])
    result[places] = found
    return {point.name: result[:, column] for column, point in enumerate(key_points)}


def _batches(images: Iterable[np.ndarray], size: int) -> Iterator[list[np.ndarray]]:
    images = iter(images)
    while some := list(islice(images, size)):
        yield some


def _configuration(open_clip: Any, architecture: str) -> dict[str, Any]:
    """What a network is built from; nothing in it may want a download."""
    known = open_clip.list_models()
    if architecture not in known:
        raise BadSetting(f"open_clip has no architecture {architecture!r}", suggestion(architecture, known))
    configuration: dict[str, Any] = open_clip.get_model_config(architecture)
    text, vision = configuration["text_cfg"], configuration["vision_cfg"]
    if "multimodal_cfg" in configuration or text.get("hf_model_name") or text.get("hf_tokenizer_name"):
        raise BadSetting(
            f"the architecture {architecture} needs parts that open_clip would download", "choose one such as ViT-B-32"
        )
    if "timm_model_name" in vision:
        vision["timm_model_pretrained"] = False
    return configuration


def _weights(path: Path) -> dict[str, Any]:
    if path.suffix.lower() != ".safetensors":
        return weights_of(read_checkpoint(path), path)
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return dict(load_file(path))
    except (SafetensorError, OSError) as error:
        raise BadData(f"{path}: cannot be read as safetensors ({error})", "give the file again") from None


def _open_clip() -> Any:
    try:
        import open_clip
    except ImportError:
        raise MissingDependency("open_clip_torch", "vision", "finding key points in pictures") from None
    return open_clip
