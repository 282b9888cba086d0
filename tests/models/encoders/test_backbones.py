import sys

import pytest

from posediff.errors import BadData, BadSetting, MissingDependency

torch = pytest.importorskip("torch")
models = pytest.importorskip("torchvision.models")

from posediff.models.encoders.backbones import load_backbone  # noqa: E402

PICTURES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def whole():
    """A whole ResNet-18 with random statistics, and the maps before its pooling."""
    network = models.resnet18(weights=None).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
    seen = []
    network.layer4.register_forward_hook(lambda module, given, made: seen.append(made))
    with torch.no_grad():
        network(PICTURES)
    return network, seen[0]


@pytest.mark.parametrize("keep", [lambda name: True, lambda name: not name.startswith("fc.")])
def test_the_maps_are_those_of_the_whole_network_with_these_weights(whole, keep, tmp_path):
    network, maps = whole
    torch.save({name: value for name, value in network.state_dict().items() if keep(name)}, tmp_path / "resnet.pth")
    backbone = load_backbone("resnet18", str(tmp_path / "resnet.pth"))
    with torch.no_grad():
        torch.testing.assert_close(backbone.network.eval()(PICTURES), maps)
    assert backbone.channels == maps.shape[1] == 512


def test_the_default_gives_2048_channels_at_a_32nd_of_the_size():
    backbone = load_backbone("resnet50")
    with torch.no_grad():
        assert backbone.network(PICTURES).shape == (2, backbone.channels, 2, 2) == (2, 2048, 2, 2)


def test_networks_of_timm_can_be_taken(tmp_path):
    timm = pytest.importorskip("timm")
    whole = timm.create_model("regnety_002", pretrained=False).eval()
    torch.save(whole.state_dict(), tmp_path / "regnet.pth")
    backbone = load_backbone("regnety_002", str(tmp_path / "regnet.pth"))
    with torch.no_grad():
        maps = backbone.network.eval()(PICTURES)
        torch.testing.assert_close(maps, whole.forward_features(PICTURES))
    assert maps.shape == (2, backbone.channels, 2, 2) == (2, 368, 2, 2)


def test_pictures_are_normalised_as_the_network_was_trained():
    pytest.importorskip("timm")
    assert load_backbone("resnet18").colours == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert load_backbone("mobilevit_xxs").colours == ((0, 0, 0), (1, 1, 1))


@pytest.mark.parametrize(("name", "guess"), [("resnet5O", "resnet50"), ("regnety-002", "regnety_002")])
def test_a_name_that_is_mistyped_is_answered_with_the_one_that_is_meant(name, guess):
    pytest.importorskip("timm")
    with pytest.raises(BadSetting, match=f"no backbone '{name}'") as caught:
        load_backbone(name)
    assert f"did you mean {guess}?" in caught.value.hint


@pytest.mark.parametrize("name", ["hf-hub:timm/resnet50.a1_in1k", "local-dir:/", "zzz"])
def test_what_is_no_name_is_not_passed_on(name):
    pytest.importorskip("timm")
    with pytest.raises(BadSetting, match="no backbone") as caught:
        load_backbone(name)
    assert caught.value.hint


def test_a_timm_that_is_not_installed_is_told_with_what_needs_none(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingDependency, match="timm, which is not installed") as caught:
        load_backbone("regnety_002")
    assert "resnet50" in str(caught.value)
    assert load_backbone("resnet18").channels == 512


def test_weights_of_another_network_are_refused(whole, tmp_path):
    torch.save(whole[0].state_dict(), tmp_path / "resnet.pth")
    with pytest.raises(BadData, match=r"resnet\.pth"):
        load_backbone("resnet34", str(tmp_path / "resnet.pth"))
    with pytest.raises(BadData, match=r"nowhere\.pth"):
        load_backbone("resnet18", str(tmp_path / "nowhere.pth"))
