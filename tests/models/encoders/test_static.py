import numpy as np
import pytest

from posediff.errors import BadData, BadSetting

torch = pytest.importorskip("torch")
pytest.importorskip("torchvision")

from posediff.models.encoders.static import MultiBranch, StaticEncoder, described  # noqa: E402
from posediff.models.settings import StaticSettings  # noqa: E402
from posediff.weights.files import sha256_of  # noqa: E402

FRAMES = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 3, 3, 64, 64), dtype=np.uint8))
SMALL = StaticSettings("resnet18", frozen=True)


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return StaticEncoder(8, SMALL).eval()


@pytest.fixture(scope="module")
def weights(encoder, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(encoder.backbone.state_dict(), path)
    return str(path)


def statistics(encoder):
    return {name: value.clone() for name, value in encoder.backbone.named_buffers()}


def test_every_frame_has_features(encoder):
    with torch.no_grad():
        assert encoder({"frames": FRAMES}).shape == (2, 3, 8)


def test_each_picture_is_seen_by_itself(encoder):
    with torch.no_grad():
        together = encoder({"frames": FRAMES})
        for row, step in np.ndindex(2, 3):
            alone = encoder({"frames": FRAMES[row : row + 1, step : step + 1]})
            torch.testing.assert_close(alone[0, 0], together[row, step], atol=1e-5, rtol=1e-4)


def test_extracted_maps_give_what_the_pictures_give(encoder):
    with torch.no_grad():
        torch.testing.assert_close(encoder({"static": encoder.maps(FRAMES)}), encoder({"frames": FRAMES}))


def test_pictures_are_normalised_by_the_colours_of_imagenet(encoder):
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    pictures = (FRAMES[0] / 255 - mean[:, None, None]) / deviation[:, None, None]
    with torch.no_grad():
        torch.testing.assert_close(encoder.maps(FRAMES[:1])[0], encoder.backbone(pictures), atol=1e-4, rtol=1e-4)


def test_a_frozen_backbone_stays_as_it_is_while_the_rest_is_trained():
    encoder = StaticEncoder(8, SMALL)
    before = statistics(encoder)
    encoder({"frames": FRAMES}).sum().backward()
    encoder.train()({"frames": FRAMES})
    assert all(torch.equal(value, before[name]) for name, value in encoder.backbone.named_buffers())
    trained = {name.split(".")[0] for name, parameter in encoder.named_parameters() if parameter.grad is not None}
    assert trained == {"down"}
    assert {name.split(".")[0] for name, parameter in encoder.named_parameters() if parameter.requires_grad} == {"down"}


def test_a_backbone_that_is_trained_gets_gradients_and_keeps_the_statistics_of_its_weights(weights):
    encoder = StaticEncoder(8, StaticSettings("resnet18", weights))
    before = statistics(encoder)
    encoder.train()({"frames": FRAMES}).square().sum().backward()
    assert [name for name, parameter in encoder.named_parameters() if parameter.grad is None] == []
    assert all(torch.equal(value, before[name]) for name, value in encoder.backbone.named_buffers())


def test_a_backbone_without_weights_learns_its_statistics():
    encoder = StaticEncoder(8, StaticSettings("resnet18"))
    before = statistics(encoder)
    encoder({"frames": FRAMES})
    assert not torch.equal(encoder.backbone.bn1.running_mean, before["bn1.running_mean"])


def test_the_branches_see_the_map_at_their_scales():
    torch.manual_seed(1)
    down = MultiBranch(5, 4, (1, 2, 3)).double()
    maps = torch.randn(2, 5, 6, 6, dtype=torch.float64)
    conv, join = down.conv.weight[:, :, 0, 0].detach().numpy(), down.join
    for row, given in zip(down(maps).detach().numpy(), maps.numpy(), strict=True):
        mixed = np.einsum("oc,chw->ohw", conv, given)
        mixed = np.maximum((mixed - mixed.mean()) / np.sqrt(mixed.var() + 1e-5), 0)
        seen = []
        for scale, branch in zip((1, 2, 3), down.branches, strict=True):
            side, corners = 6 // scale, range(0, 6, 6 // scale)
            cells = [[mixed[:, y : y + side, x : x + side].mean((1, 2)) for x in corners] for y in corners]
            kernel = branch.weight.detach().numpy()
            seen.append(np.einsum("ocyx,yxc->o", kernel, np.array(cells)) + branch.bias.detach().numpy())
        expected = join.weight.detach().numpy() @ np.maximum(np.concatenate(seen), 0) + join.bias.detach().numpy()
        np.testing.assert_allclose(row, expected, atol=1e-9)


@pytest.mark.parametrize("size", [1, 2, 7])
def test_maps_of_any_size_can_be_sampled(size):
    assert MultiBranch(5, 4, (1, 2, 3))(torch.randn(3, 5, size, size)).shape == (3, 4)


def test_a_network_that_gives_no_maps_is_refused():
    timm = pytest.importorskip("timm")
    if not timm.is_model("test_vit"):
        pytest.skip("this timm has no small transformer")
    encoder = StaticEncoder(4, StaticSettings("test_vit", frozen=True)).eval()
    with pytest.raises(BadSetting, match="'test_vit' gives") as caught:
        encoder.maps(torch.zeros(1, 1, 3, 160, 160, dtype=torch.uint8))
    assert caught.value.hint


def test_maps_of_another_backbone_are_refused(encoder):
    with pytest.raises(BadData, match="512"):
        encoder({"static": torch.zeros(1, 3, 2048, 2, 2)})


def test_maps_are_described_by_the_backbone_and_its_weights(weights):
    assert described(SMALL) == {"backbone": "resnet18"}
    assert described(StaticSettings("resnet18", weights))["sha256"] == sha256_of(weights)
