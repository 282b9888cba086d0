import pytest
import torch
from torch.nn import functional

from posediff.models.encoders.skeletal_presence import Presence
from posediff.models.encoders.skeletal_temporal import MultiScaleConvolution


def presence_of(missing, frames):
    mask = torch.rand(3, 2, frames, generator=torch.Generator().manual_seed(0)) >= missing
    return Presence.of(mask, ())


def slowly(module, series, mask, after, stride):
    """One joint of one clip, channel by channel in time: (T, C), (T,), (T',) to (T', C)."""
    hidden = series @ module.pointwise.weight[:, :, 0, 0].T
    hidden = torch.relu(module.middle.norm(hidden)) * mask[:, None]
    short, long, highest, same = hidden.T.split(module.sizes)
    scales = [
        functional.conv1d(part[None], convolution.weight[:, :, 0], padding="same")[0, :, ::stride]
        for part, convolution in ((short, module.short), (long, module.long))
    ]
    reach = [highest[:, max(0, t - 1) : t + 2].amax(1) for t in range(0, len(series), stride)]
    return module.end.norm(torch.cat([*scales, torch.stack(reach, 1), same[:, ::stride]]).T) * after[:, None]


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("kernel", [1, 3, 7, 9])
@pytest.mark.parametrize("missing", [0.0, 0.4])
@pytest.mark.parametrize("channels", [8, 11])
def test_quarters_see_different_spans(stride, kernel, missing, channels):
    torch.manual_seed(0)
    module = MultiScaleConvolution(channels, kernel, stride, "layer").double()
    torch.nn.init.normal_(module.middle.norm.bias)
    torch.nn.init.normal_(module.end.norm.bias)
    before = presence_of(missing, 8)
    after = before.strided(stride)
    features = torch.randn(3, 2, 8, channels).double() * before.mask[..., None]
    found = module(features.flatten(0, 2), before, after).view(*after.mask.shape, channels)
    for joint in range(3):
        for clip in range(2):
            expected = slowly(module, features[joint, clip], before.mask[joint, clip], after.mask[joint, clip], stride)
            torch.testing.assert_close(found[joint, clip], expected)


def test_the_longer_convolution_spans_the_kernel():
    module = MultiScaleConvolution(8, 9, 1, "layer")
    assert (module.short.kernel_size, module.long.kernel_size) == ((1, 5), (1, 9))
