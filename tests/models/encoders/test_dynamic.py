import numpy as np
import pytest

from posediff.errors import BadData, BadSetting

torch = pytest.importorskip("torch")

from posediff.models.encoders.dynamic import DynamicEncoder, described, snippet_starts  # noqa: E402
from posediff.models.encoders.i3d import I3D  # noqa: E402
from posediff.models.settings import DynamicSettings  # noqa: E402
from posediff.weights.files import sha256_of  # noqa: E402

T, WIDTH = 24, 8
#: Snippets that begin at 0, 4 and 8, so that their steps in time are interleaved.
SETTINGS = DynamicSettings(snippets=3, length=16, frames=T, frozen=True)
FRAMES = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, T, 3, 32, 32), dtype=np.uint8))
MAPS = torch.rand(2, 6, 1024, 2, 2, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    return DynamicEncoder(WIDTH, SETTINGS).eval()


@pytest.fixture(scope="module")
def weights(encoder, tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "i3d.pt"
    torch.save(encoder.i3d.state_dict(), path)
    return str(path)


def statistics(encoder):
    return {name: value.clone() for name, value in encoder.i3d.named_buffers()}


@pytest.mark.parametrize(
    ("frames", "snippets", "expected"),
    [
        (96, 9, [0, 10, 20, 30, 40, 50, 60, 70, 80]),
        (103, 10, [0, 10, 19, 29, 39, 48, 58, 68, 77, 87]),
        (16, 2, [0, 0]),
        (96, 1, [0]),
    ],
)
def test_snippets_are_evenly_spread(frames, snippets, expected):
    assert snippet_starts(frames, snippets, 16).tolist() == expected


def test_a_clip_shorter_than_a_snippet_is_refused(encoder):
    with pytest.raises(BadData, match="15 frames, fewer than a snippet of I3D, 16"):
        encoder({"frames": FRAMES[:, :15]})


def test_the_maps_are_those_of_each_snippet_alone_in_the_order_of_time(encoder):
    expected = {}
    with torch.no_grad():
        for start in (0, 4, 8):
            clip = FRAMES[1, start : start + 16].transpose(0, 1)[None] / 127.5 - 1
            for step, one in enumerate(encoder.i3d(clip)[0].unbind(1)):
                expected[start + 8 * step, start] = one
        maps = encoder.maps(FRAMES)
    assert maps.shape == (2, 6, 1024, 1, 1)
    ordered = [expected[place] for place in sorted(expected, key=lambda place: (place[0], place[1]))]
    torch.testing.assert_close(maps[1], torch.stack(ordered), atol=1e-5, rtol=1e-4)


def test_all_snippets_go_through_i3d_at_once(encoder):
    seen = []
    handle = encoder.i3d.register_forward_hook(lambda module, given, made: seen.append(given[0].shape))
    with torch.no_grad():
        encoder({"frames": FRAMES})
    handle.remove()
    assert seen == [(6, 3, 16, 32, 32)]


def test_every_frame_has_features(encoder):
    with torch.no_grad():
        assert encoder({"frames": FRAMES}).shape == (2, T, WIDTH)


def test_extracted_maps_give_what_the_pictures_give(encoder):
    with torch.no_grad():
        torch.testing.assert_close(encoder({"dynamic": encoder.maps(FRAMES)}), encoder({"frames": FRAMES}))


def test_what_else_is_in_the_batch_does_not_matter_in_training_either():
    encoder = DynamicEncoder(WIDTH, SETTINGS).train()
    with torch.no_grad():
        alone = torch.cat([encoder({"frames": FRAMES[row : row + 1]}) for row in range(2)])
        torch.testing.assert_close(alone, encoder({"frames": FRAMES}), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("cells", [[3, 2, 1, 0], [1, 0, 3, 2]])
def test_where_in_the_picture_something_is_does_not_matter(encoder, cells):
    moved = MAPS.flatten(-2)[..., cells].unflatten(-1, (2, 2))
    with torch.no_grad():
        torch.testing.assert_close(encoder({"dynamic": moved}), encoder({"dynamic": MAPS}))


@pytest.mark.parametrize("step", range(2, 16))
def test_a_step_is_felt_by_the_frames_that_it_is_about(step):
    encoder = DynamicEncoder(3, DynamicSettings(frozen=True)).eval()
    for layer in encoder.mixed:  # plain means, in which nothing but time matters
        layer.norm = torch.nn.Identity()
        for branch in layer.branches:
            torch.nn.init.constant_(branch.weight, 1 / branch.weight[0].numel())
    maps = torch.zeros(1, 18, 1024, 1, 1)
    maps[:, step] = 1
    with torch.no_grad():
        felt = encoder({"dynamic": maps})[0, :, 0].numpy()
    # I3D centres the two steps of a snippet on its frames 5 and 13; linear interpolation makes a triangle of each step,
    # from the one before to the one after, whose centre of mass is the mean of the three.
    centres = np.sort(np.add.outer(np.arange(0, 90, 10), [5, 13]).ravel())
    assert np.average(np.arange(96), weights=felt) == pytest.approx(centres[step - 1 : step + 2].mean(), abs=1)


def test_i3d_stays_as_it_is_where_frozen_while_the_rest_is_trained():
    encoder = DynamicEncoder(WIDTH, SETTINGS)
    before = statistics(encoder)
    encoder({"frames": FRAMES}).sum().backward()
    encoder.train()({"frames": FRAMES})
    assert all(torch.equal(value, before[name]) for name, value in encoder.i3d.named_buffers())
    for of in (lambda parameter: parameter.requires_grad, lambda parameter: parameter.grad is not None):
        assert {name.split(".")[0] for name, parameter in encoder.named_parameters() if of(parameter)} == {"mixed"}
    assert all(parameter.grad is not None for parameter in encoder.mixed.parameters())


def test_i3d_that_is_trained_gets_gradients_and_keeps_the_statistics_of_its_weights(weights):
    encoder = DynamicEncoder(WIDTH, DynamicSettings(snippets=1, weights=weights))
    before = statistics(encoder)
    encoder.train()({"frames": FRAMES[:1]}).square().sum().backward()
    assert [name for name, parameter in encoder.named_parameters() if parameter.grad is None] == []
    assert all(torch.equal(value, before[name]) for name, value in encoder.i3d.named_buffers())


def test_i3d_without_weights_learns_its_statistics():
    encoder = DynamicEncoder(WIDTH, DynamicSettings(snippets=1))
    before = statistics(encoder)
    with torch.no_grad():
        encoder({"frames": FRAMES[:1]})
    assert not torch.equal(encoder.i3d.conv_1a.norm.running_mean, before["conv_1a.norm.running_mean"])


@pytest.mark.parametrize("beside", ["poses", "static"])
def test_how_many_frames_there_are_is_told_by_what_else_is_in_the_sample(beside):
    encoder = DynamicEncoder(WIDTH, SETTINGS).eval()
    with torch.no_grad():
        assert encoder({"dynamic": MAPS, beside: torch.zeros(2, 30, 1)}).shape == (2, 30, WIDTH)


def test_maps_alone_have_the_frames_of_the_settings(encoder):
    with torch.no_grad():
        assert encoder({"dynamic": MAPS}).shape == (2, T, WIDTH)


def test_frames_that_contradict_are_told(encoder):
    with pytest.raises(BadData, match="is 24, 30"):
        encoder({"static": torch.zeros(2, 24, 1), "dynamic": MAPS, "poses": torch.zeros(2, 30, 1)})


def test_maps_of_other_snippets_are_refused(encoder):
    with pytest.raises(BadData, match="5 steps in time, expected 6 of 3 snippets of 16 frames"):
        encoder({"dynamic": MAPS[:, :5]})


def test_a_width_below_the_number_of_kernels_is_refused():
    with pytest.raises(BadSetting, match="width is 2, below the number of kernels, 3"):
        DynamicEncoder(2, SETTINGS)


@pytest.mark.parametrize("kernels", [(1,), (3, 5, 7, 9)])
def test_any_kernels_give_the_width(kernels):
    encoder = DynamicEncoder(10, DynamicSettings(3, 16, frames=T, frozen=True, kernels=kernels)).eval()
    assert encoder({"dynamic": MAPS}).shape == (2, T, 10)


def test_maps_are_described_by_the_snippets_and_the_weights(weights):
    assert described(SETTINGS) == {"backbone": "i3d", "snippets": 3, "length": 16}
    assert described(DynamicSettings(weights=weights))["sha256"] == sha256_of(weights)


def test_weights_are_put_into_i3d(encoder, weights):
    other = DynamicEncoder(WIDTH, DynamicSettings(weights=weights)).i3d
    assert isinstance(other, I3D)
    assert torch.equal(other.mixed_5c[3][1].conv.weight, encoder.i3d.mixed_5c[3][1].conv.weight)


def test_i3d_of_published_weights_keeps_its_statistics_when_training_goes_on(tmp_path):
    torch.save(I3D().state_dict(), tmp_path / "i3d.pth")
    begun = DynamicEncoder(WIDTH, DynamicSettings(weights=str(tmp_path / "i3d.pth")))
    resumed = DynamicEncoder(WIDTH, DynamicSettings())
    assert resumed.train().i3d.training
    resumed.load_state_dict(begun.state_dict())
    assert not resumed.train().i3d.training
    assert resumed.mixed.training
