import copy

import pytest

from posediff.errors import BadData

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from posediff.models.encoders.i3d import CENTRE, I3D, STEP, load_i3d  # noqa: E402

#: Inception-V1's table of channels (Szegedy et al. 2015, table 1), under I3D's names: 1x1, 3x3 reduce, 3x3, 5x5 reduce,
#: 5x5 (which I3D makes 3x3), pool proj.
TABLE = {
    "3b": (64, 96, 128, 16, 32, 32),
    "3c": (128, 128, 192, 32, 96, 64),
    "4b": (192, 96, 208, 16, 48, 64),
    "4c": (160, 112, 224, 24, 64, 64),
    "4d": (128, 128, 256, 24, 64, 64),
    "4e": (112, 144, 288, 32, 64, 64),
    "4f": (256, 160, 320, 32, 128, 128),
    "5b": (256, 160, 320, 32, 128, 128),
    "5c": (384, 192, 384, 48, 128, 128),
}
#: What the two published checkpoints call the convolutions of a block, in order, and the normalisation.
PUBLISHED = {
    "pytorch-i3d": ("Conv3d_{}", "Mixed_{}", "b0 b1a b1b b2a b2b b3b", "bn", "logits"),
    "kinetics_i3d_pytorch": (
        "conv3d_{}",
        "mixed_{}",
        "branch_0 branch_1.0 branch_1.1 branch_2.0 branch_2.1 branch_3.1",
        "batch3d",
        "conv3d_0c_1x1",
    ),
}


def units():
    """Place, channels in and out, and kernel of every convolution; a place is a stem's name, or block and index."""
    found = [("1a_7x7", 3, 64, 7), ("2b_1x1", 64, 64, 1), ("2c_3x3", 64, 192, 3)]
    channels = 192
    for block, (one, narrow, three, narrower, five, pooled) in TABLE.items():
        sizes = [(channels, one, 1), (channels, narrow, 1), (narrow, three, 3)]
        sizes += [(channels, narrower, 1), (narrower, five, 3), (channels, pooled, 1)]
        found += [((block, index), *size) for index, size in enumerate(sizes)]
        channels = one + three + five + pooled
    return found


def published(style):
    """A checkpoint as it is published, with random numbers, and those numbers by unit."""
    stem, block, branches, norm, classifier = PUBLISHED[style]
    random = torch.Generator().manual_seed(1)
    state, tensors = {}, []
    for place, channels, out, kernel in units():
        name = (
            stem.format(place) if isinstance(place, str) else f"{block.format(place[0])}.{branches.split()[place[1]]}"
        )
        unit = {f"{name}.conv3d.weight": torch.randn(out, channels, kernel, kernel, kernel, generator=random) * 0.05}
        for value in ("weight", "bias", "running_mean", "running_var"):
            unit[f"{name}.{norm}.{value}"] = torch.rand(out, generator=random)
        state |= unit
        tensors.append([*unit.values()])
    state |= {
        f"{classifier}.conv3d.weight": torch.zeros(400, 1024, 1, 1, 1),
        f"{classifier}.conv3d.bias": torch.zeros(400),
    }
    return state, tensors


def reference(tensors, clip):
    """The published network, layer by layer, from the weights of its convolutions in order."""
    weights = iter(tensors)

    def conv(given, padding="same", stride=1):
        weight, gamma, beta, mean, variance = next(weights)
        made = functional.conv3d(given, weight, stride=stride, padding=padding)
        shape = (-1, 1, 1, 1)
        made = (made - mean.view(shape)) / (variance.view(shape) + 1e-3).sqrt() * gamma.view(shape) + beta.view(shape)
        return made.clamp(min=0)

    def pool(given, kernel, stride, pads):
        return functional.max_pool3d(functional.pad(given, pads, value=-torch.inf), kernel, stride)

    def block(given):
        one, narrow = conv(given), conv(given)
        three = conv(narrow)
        five = conv(conv(given))
        return torch.cat([one, three, five, conv(pool(given, 3, 1, (1, 1, 1, 1, 1, 1)))], dim=1)

    features = conv(functional.pad(clip, (2, 3, 2, 3, 2, 3)), padding=0, stride=2)
    features = pool(features, (1, 3, 3), (1, 2, 2), (0, 1, 0, 1))
    features = pool(conv(conv(features)), (1, 3, 3), (1, 2, 2), (0, 1, 0, 1))
    features = pool(block(block(features)), 3, 2, (0, 1, 0, 1, 0, 1))
    for _ in "bcdef":
        features = block(features)
    return block(block(pool(features, 2, 2, (0, 0))))


@pytest.fixture(scope="module")
def model():
    return I3D().eval()


def test_the_parameters_are_as_many_as_in_the_published_table(model):
    expected = sum(channels * out * kernel**3 + 2 * out for _, channels, out, kernel in units())
    assert sum(parameter.numel() for parameter in model.parameters()) == expected == 12_287_264


@pytest.mark.parametrize("style", PUBLISHED)
def test_every_published_weight_arrives_and_makes_the_published_features(style, tmp_path):
    state, tensors = published(style)
    torch.save(state, tmp_path / "i3d.pt")
    model = I3D()
    load_i3d(model, tmp_path / "i3d.pt")
    convolutions = [module for module in model.modules() if isinstance(module, torch.nn.Conv3d)]
    norms = [module for module in model.modules() if isinstance(module, torch.nn.BatchNorm3d)]
    assert len(convolutions) == len(norms) == len(tensors) == 57
    with torch.no_grad():
        clip = torch.rand(1, 3, 16, 64, 64, generator=torch.Generator().manual_seed(2)) * 2 - 1
        expected = reference(tensors, clip)
        found = model.eval()(clip)
        assert (found - expected).abs().max() < 1e-3 * expected.std()
    for convolution, norm, (weight, *rest) in zip(convolutions, norms, tensors, strict=True):
        assert torch.equal(convolution.weight, weight)
        for mine, its in zip((norm.weight, norm.bias, norm.running_mean, norm.running_var), rest, strict=True):
            assert torch.equal(mine, its)


def test_its_own_weights_are_read_back(model, tmp_path):
    torch.save({"state_dict": model.state_dict()}, tmp_path / "own.pt")
    other = I3D()
    load_i3d(other, tmp_path / "own.pt")
    assert all(torch.equal(one, two) for one, two in zip(model.parameters(), other.parameters(), strict=True))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda state: state.pop("Mixed_4c.b2b.bn.running_var"), "lacks the weights"),
        (lambda state: state.update({"Conv3d_1a_7x7.conv3d.weight": torch.zeros(64, 2, 7, 7, 7)}), "do not fit"),
        (lambda state: [state.pop(name) for name in [*state][1:]], "lacks the weights .* and 281 more"),
    ],
)
def test_a_wrong_checkpoint_is_told_in_one_line(change, says, tmp_path):
    state, _ = published("pytorch-i3d")
    change(state)
    torch.save(state, tmp_path / "i3d.pt")
    with pytest.raises(BadData, match=says) as caught:
        load_i3d(I3D(), tmp_path / "i3d.pt")
    assert "i3d.pt" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "Kinetics" in caught.value.hint


def test_weights_that_are_not_there_are_told(tmp_path):
    with pytest.raises(BadData, match=r"nowhere\.pt") as caught:
        load_i3d(I3D(), tmp_path / "nowhere.pt")
    assert "Kinetics" in caught.value.hint


@pytest.mark.parametrize(
    ("size", "expected"), [((16, 64, 64), (2, 2, 2)), ((8, 32, 64), (1, 1, 2)), ((17, 33, 63), (3, 2, 2))]
)
def test_sizes_are_divided_and_rounded_up(model, size, expected):
    with torch.no_grad():
        assert model(torch.zeros(1, 3, *size)).shape == (1, 1024, *expected)


def test_the_odd_pixel_of_the_padding_is_at_the_end(model):
    first = copy.deepcopy(model.conv_1a)
    torch.nn.init.ones_(first.conv.weight)
    with torch.no_grad():
        seen = first(torch.ones(1, 3, 16, 16, 16))[0, 0] * (1 + 1e-3) ** 0.5 / 3
    # 5 are missing to 8 steps of 2 by a kernel of 7: 2 before and 3 after, so that it sees 5 of 7 pixels, and 4.
    assert round(seen[0, 0, 0].item()) == 5**3
    assert round(seen[-1, -1, -1].item()) == 4**3
    assert round(seen[0, -1, 3].item()) == 5 * 4 * 7


def test_a_step_is_centred_on_the_frame_that_is_said():
    model = I3D().eval()
    for module in model.modules():
        if isinstance(module, torch.nn.Conv3d):
            torch.nn.init.constant_(module.weight, 1 / module.weight[0].numel())
    clip = torch.rand(1, 3, 112, 32, 32, generator=torch.Generator().manual_seed(0)).requires_grad_()
    step = 6
    model(clip)[:, :, step].sum().backward()
    seen = clip.grad.abs().sum((0, 1, 3, 4)).nonzero().ravel()
    assert (seen[0] + seen[-1]).item() / 2 == step * STEP + CENTRE
    assert 0 < seen[0] < seen[-1] < 111


def test_gradients_reach_every_parameter():
    model = I3D().eval()
    model(torch.randn(1, 3, 8, 32, 32)).sum().backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []
