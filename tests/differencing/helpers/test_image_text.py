import hashlib
import json
import math
import sys

import numpy as np
import pytest

from posediff.differencing.grammar.measures import cue
from posediff.differencing.helpers.image_text import ImageTextModel, ImageTextSettings, image_evidence
from posediff.differencing.statements.questions import KeyPoint
from posediff.errors import BadData, BadSetting, MissingDependency
from posediff.sequence import PoseSequence
from posediff.skeletons import Skeleton

POINTS = (KeyPoint("low", "knees bent", cue("first")), KeyPoint("high", "standing upright", cue("last")))
TEXTS = [point.text for point in POINTS]
DOT = Skeleton("dot", ("head",), ())

TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 16, "heads": 1, "layers": 1},
}


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A network of a size that only tests have, with random weights."""
    open_clip = pytest.importorskip("open_clip")
    torch = pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("clip")
    (folder / "tiny-test.json").write_text(json.dumps(TINY))
    open_clip.add_model_config(folder / "tiny-test.json")
    torch.manual_seed(0)
    model = open_clip.CLIP(**{**TINY, "vision_cfg": dict(TINY["vision_cfg"]), "text_cfg": dict(TINY["text_cfg"])})
    torch.save(model.state_dict(), folder / "tiny.pt")
    return folder / "tiny.pt"


@pytest.fixture(scope="module")
def model(weights):
    return ImageTextModel(ImageTextSettings(str(weights), "tiny-test", "cpu", batch=3))


@pytest.fixture(scope="module")
def images():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 255, (40 + 8 * n, 50, 3), np.uint8) for n in range(7)]


def test_it_is_the_softmax_of_the_scaled_cosines(model, weights, images):
    import open_clip
    import torch
    from PIL import Image

    reference = open_clip.CLIP(**{**TINY, "vision_cfg": dict(TINY["vision_cfg"]), "text_cfg": dict(TINY["text_cfg"])})
    reference.load_state_dict(torch.load(weights, weights_only=True))
    transform = open_clip.image_transform(32, is_train=False)
    tokens = open_clip.SimpleTokenizer(context_length=16)(TEXTS)
    found = model.log_likelihoods(iter(images), TEXTS)
    assert found.shape == (7, 2)
    for row, image in zip(found, images, strict=True):
        with torch.no_grad():
            seen = reference.eval().encode_image(transform(Image.fromarray(image))[None])[0]
            words = reference.encode_text(tokens)
            scale = float(reference.logit_scale.exp())
        logits = [scale * float(seen @ word / seen.norm() / word.norm()) for word in words]
        expected = [logit - math.log(sum(math.exp(other) for other in logits)) for logit in logits]
        np.testing.assert_allclose(row, expected, atol=1e-4)


def test_no_pictures_have_no_rows(model):
    assert model.log_likelihoods([], TEXTS).shape == (0, 2)


def test_the_weights_are_recorded(model, weights):
    assert model.provenance["sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert model.provenance["architecture"] == "tiny-test"


def test_safetensors_are_read_as_well(model, weights, images, tmp_path):
    import torch
    from safetensors.torch import save_file

    save_file(torch.load(weights, weights_only=True), tmp_path / "tiny.safetensors")
    again = ImageTextModel(ImageTextSettings(str(tmp_path / "tiny.safetensors"), "tiny-test", "cpu"))
    np.testing.assert_allclose(again.log_likelihoods(images, TEXTS), model.log_likelihoods(images, TEXTS), atol=1e-5)
    (tmp_path / "bad.safetensors").write_bytes(b"nonsense")
    with pytest.raises(BadData, match="cannot be read as safetensors"):
        ImageTextModel(ImageTextSettings(str(tmp_path / "bad.safetensors"), "tiny-test", "cpu"))


class Frames:
    """A film that lacks one frame."""

    def __init__(self, images, lacks):
        self.images, self.lacks = images, lacks

    def people(self, frames):
        return ((place, self.images[frame]) for place, frame in enumerate(frames) if frame != self.lacks)


def test_evidence_has_a_value_for_every_frame_and_is_even_where_there_is_no_picture(model, images):
    sequence = PoseSequence(np.zeros((4, 1, 2), np.float32), DOT, frames=np.array([1, 2, 3, 4]))
    evidence = image_evidence(model, POINTS, Frames(images, lacks=3), sequence)
    assert {name: values.shape for name, values in evidence.items()} == {"low": (4,), "high": (4,)}
    np.testing.assert_allclose(evidence["low"][2], math.log(0.5))
    expected = model.log_likelihoods([images[frame] for frame in (1, 2, 4)], TEXTS)
    np.testing.assert_allclose(np.stack([*evidence.values()], axis=1)[[0, 1, 3]], expected, atol=1e-5)
    np.testing.assert_allclose(np.exp(evidence["low"]) + np.exp(evidence["high"]), 1)


@pytest.mark.parametrize(
    ("architecture", "told"),
    [
        ("ViT-B-23", "no architecture 'ViT-B-23'"),
        ("hf-hub:someone/something", "no architecture"),
        ("ViT-B-16-SigLIP", "would download"),
        ("roberta-ViT-B-32", "would download"),
        ("coca_ViT-B-32", "would download"),
    ],
)
def test_an_architecture_that_is_none_or_needs_the_network_is_refused(weights, architecture, told):
    with pytest.raises(BadSetting, match=told):
        ImageTextModel(ImageTextSettings(str(weights), architecture))


def test_weights_that_are_not_there_or_of_another_network_are_refused(weights, tmp_path):
    import torch

    with pytest.raises(BadData, match="no weights of that path"):
        ImageTextModel(ImageTextSettings(str(tmp_path / "none.pt"), "tiny-test", "cpu"))
    torch.save({"other": torch.zeros(2)}, tmp_path / "other.pt")
    with pytest.raises(BadData, match="lacks the weights"):
        ImageTextModel(ImageTextSettings(str(tmp_path / "other.pt"), "tiny-test", "cpu"))


def test_a_batch_of_nothing_is_refused():
    with pytest.raises(BadSetting, match="batch is 0"):
        ImageTextSettings("weights.pt", batch=0)


def test_without_open_clip_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "open_clip", None)
    with pytest.raises(MissingDependency) as caught:
        ImageTextModel(ImageTextSettings("weights.pt"))
    assert caught.value.hint == 'pip install "posediff[vision]"'
