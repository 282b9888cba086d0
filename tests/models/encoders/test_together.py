import pytest

from posediff.errors import BadSetting
from posediff.models.core_settings import CoReSettings
from posediff.models.settings import DynamicSettings, SkeletalSettings, StaticSettings
from posediff.skeletons import MPII16

torch = pytest.importorskip("torch")

from posediff.models.encoders.dynamic import DynamicEncoder  # noqa: E402
from posediff.models.encoders.skeletal import SkeletalEncoder  # noqa: E402
from posediff.models.encoders.static import StaticEncoder  # noqa: E402
from posediff.models.encoders.together import build_encoders, encode_each  # noqa: E402

FRAMES, WIDTH = 16, 8
PARTS = {
    "skeletal": SkeletalSettings(channels=(8,), strides=(1,)),
    "dynamic": DynamicSettings(snippets=1, frames=FRAMES, frozen=True),
    "static": StaticSettings("resnet18", frozen=True),
}
KINDS = {"dynamic": DynamicEncoder, "skeletal": SkeletalEncoder, "static": StaticEncoder}


def built(*names):
    torch.manual_seed(0)
    chosen = {name: PARTS[name] if name in names else None for name in PARTS}
    return build_encoders(CoReSettings(width=WIDTH, **chosen), MPII16, 2).eval()


def sample():
    generator = torch.Generator().manual_seed(0)
    return {
        "poses": torch.randn(2, FRAMES, 16, 2, generator=generator),
        "confidence": torch.rand(2, FRAMES, 16, generator=generator),
        "dynamic": torch.randn(2, 2, 1024, 2, 2, generator=generator),
        "static": torch.randn(2, FRAMES, 512, 3, 3, generator=generator),
    }


@pytest.mark.parametrize("names", [("static",), ("skeletal", "static"), tuple(PARTS)])
def test_the_encoders_are_those_that_the_settings_ask_for(names):
    found = built(*names)
    assert {name: type(encoder) for name, encoder in found.items()} == {
        name: KINDS[name] for name in KINDS if name in names
    }


@torch.no_grad()
def test_each_is_given_what_it_takes():
    encoders, given = built(*PARTS), sample()
    found = encode_each(encoders, given)
    expected = {
        "dynamic": encoders["dynamic"]({"dynamic": given["dynamic"]}),
        "skeletal": encoders["skeletal"](given["poses"], given["confidence"]),
        "static": encoders["static"]({"static": given["static"]}),
    }
    assert list(found) == ["dynamic", "skeletal", "static"]
    for name, features in expected.items():
        assert features.shape == (2, FRAMES, WIDTH)
        torch.testing.assert_close(found[name], features)


def test_a_sample_without_poses_is_refused():
    with pytest.raises(BadSetting, match="skeletal encoder takes poses; the samples hold dynamic, static") as caught:
        encode_each(built("skeletal"), {name: sample()[name] for name in ("dynamic", "static")})
    assert "set skeletal to None" in caught.value.hint
