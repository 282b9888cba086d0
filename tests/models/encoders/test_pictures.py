import numpy as np
import pytest

from posediff.errors import BadData, BadSetting

torch = pytest.importorskip("torch")

from posediff.models.encoders.pictures import IMAGENET, SIGNED, Normalise, given_maps  # noqa: E402

MAPS = torch.zeros(2, 4, 8, 3, 3)


def test_pixels_become_minus_one_to_one():
    pictures = torch.tensor([0, 255], dtype=torch.uint8).expand(3, 1, 2)
    assert Normalise(SIGNED)(pictures).tolist() == [[[-1, 1]]] * 3


def test_each_colour_has_its_own_mean_and_deviation():
    pictures = np.random.default_rng(0).integers(0, 256, (2, 5, 3, 4, 6), dtype=np.uint8)
    mean, deviation = (np.array(values)[:, None, None] for values in IMAGENET)
    expected = (pictures / 255 - mean) / deviation
    np.testing.assert_allclose(Normalise(IMAGENET)(torch.from_numpy(pictures)), expected, atol=1e-5)


def test_the_numbers_are_no_part_of_what_is_saved():
    assert Normalise(SIGNED).state_dict() == {}


@pytest.mark.parametrize(
    ("pictures", "says"),
    [
        (torch.zeros(1, 3, 8, 8), r"\(1, 3, 8, 8\) of float32"),
        (torch.zeros(1, 8, 8, 3, dtype=torch.uint8), r"\(1, 8, 8, 3\) of uint8"),
        (torch.zeros(3, dtype=torch.uint8), r"\(3,\)"),
    ],
)
def test_what_are_no_pictures_is_refused(pictures, says):
    with pytest.raises(BadData, match=says):
        Normalise(SIGNED)(pictures)


def test_maps_are_taken_before_pictures():
    sample = {"frames": torch.zeros(1), "static": MAPS}
    assert given_maps(sample, "static", 8, frozen=True) is MAPS
    assert given_maps(sample, "dynamic", 8, frozen=True) is None


def test_a_sample_with_neither_is_told_what_it_has():
    with pytest.raises(BadData, match="neither 'frames' nor 'static' but poses"):
        given_maps({"poses": MAPS}, "static", 8, frozen=True)


@pytest.mark.parametrize("maps", [MAPS[:, :, :7], MAPS[0]])
def test_maps_of_another_backbone_are_refused(maps):
    with pytest.raises(BadData, match=r"expected \(B, steps, 8, h, w\)"):
        given_maps({"static": maps}, "static", 8, frozen=True)


def test_maps_cannot_train_a_backbone():
    with pytest.raises(BadSetting, match=r"static\.frozen is False"):
        given_maps({"static": MAPS}, "static", 8, frozen=False)
