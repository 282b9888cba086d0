import importlib.util
import sys

import numpy as np
import pytest

from posediff.annotate.detectors import torchvision as module
from posediff.annotate.detectors.torchvision import TorchvisionDetector
from posediff.errors import BadData, MissingDependency, PosediffError


@pytest.fixture(scope="module")
def models():
    """torchvision's detection models, where torchvision fits to torch."""
    try:
        from torchvision.models import detection
    except Exception as error:
        pytest.skip(f"torchvision cannot be imported: {error}")
    return detection


@pytest.fixture(scope="module")
def network(models):
    """A network with random weights that takes many things for people."""
    import torch

    torch.manual_seed(2)
    network = models.fasterrcnn_mobilenet_v3_large_320_fpn(
        weights=None, weights_backbone=None, num_classes=3, box_score_thresh=0.2
    )
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
    with torch.no_grad():
        network.backbone(torch.rand(2, 3, 320, 320))  # else the normalisation makes all places look the same
        network.roi_heads.box_predictor.cls_score.weight.mul_(0.1)  # else it is sure of everything
        network.roi_heads.box_predictor.cls_score.bias[:] = torch.tensor([0.0, 0.5, 0.3])
    network.eval()
    return network


@pytest.fixture(scope="module")
def weights(network, tmp_path_factory):
    import torch

    path = tmp_path_factory.mktemp("weights") / "own.pth"
    torch.save(network.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(0).integers(0, 256, (180, 240, 3), np.uint8)


def test_the_boxes_are_those_of_the_network_s_people_the_surest_first(network, weights, picture):
    import torch

    found = TorchvisionDetector(weights, threshold=0.2, device="cpu").detect(picture)
    with torch.inference_mode():
        truth = network([torch.tensor(picture / 255.0, dtype=torch.float32).permute(2, 0, 1)])[0]
    person = (truth["labels"] == 1).numpy()
    assert 0 < person.sum() < len(person)
    assert (np.diff(found[:, 4]) <= 0).all()
    expected = np.column_stack([truth["boxes"].numpy(), truth["scores"].numpy()])[person]
    np.testing.assert_allclose(found, expected[np.argsort(-expected[:, 4])], atol=1e-3)


def test_a_threshold_leaves_out_doubtful_people(weights, picture):
    everybody = TorchvisionDetector(weights, threshold=0.2, device="cpu").detect(picture)
    between = float(np.median(everybody[:, 4]))
    found = TorchvisionDetector(weights, threshold=between, device="cpu").detect(picture)
    assert 0 < len(found) < len(everybody)
    assert (found[:, 4] >= between).all()


def test_the_published_weights_frozen_normalisation_loads(models, weights, tmp_path):
    import torch

    state = {name: value for name, value in torch.load(weights).items() if not name.endswith("num_batches_tracked")}
    torch.save(state, tmp_path / "frozen.pth")
    loaded = TorchvisionDetector(tmp_path / "frozen.pth", device="cpu")
    assert loaded.provenance["weights"] == "frozen.pth"


def test_weights_of_another_network_are_refused(models, tmp_path):
    import torch

    torch.save({"weight": torch.ones(2)}, tmp_path / "other.pth")
    with pytest.raises(BadData, match="cls_score"):
        TorchvisionDetector(tmp_path / "other.pth", device="cpu")
    torch.save({"roi_heads.box_predictor.cls_score.bias": torch.ones(2)}, tmp_path / "part.pth")
    with pytest.raises(BadData, match="backbone"):
        TorchvisionDetector(tmp_path / "part.pth", device="cpu")


def test_a_torchvision_that_is_not_there_names_the_extra(monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setitem(sys.modules, "torchvision", None)
    monkeypatch.setitem(sys.modules, "torchvision.models", None)
    with pytest.raises(MissingDependency) as caught:
        TorchvisionDetector("x.pth")
    assert "posediff[torchvision]" in caught.value.hint


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
def test_a_torchvision_that_does_not_fit_to_torch_is_told_as_such(monkeypatch, tmp_path):
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms is absent')")
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PosediffError, match="nms is absent"):
        module.TorchvisionDetector("x.pth")


def test_the_published_weights_are_checked_by_the_digits_in_their_name(models, monkeypatch):
    asked = {}
    monkeypatch.setattr(
        module, "find", lambda name, **where: asked.update(where) or (_ for _ in ()).throw(BadData("x"))
    )
    with pytest.raises(BadData):
        TorchvisionDetector()
    assert asked["url"].endswith(f"-{asked['sha256']}.pth")
    assert len(asked["sha256"]) == 8
