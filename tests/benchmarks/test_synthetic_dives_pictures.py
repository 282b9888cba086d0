import numpy as np
import pytest

from posediff.datasets.synthetic_dives import SyntheticDivesSettings, dive
from tests.fixtures.benchmarks import load

pytest.importorskip("torch")
pytest.importorskip("PIL")

DIVE = dive(SyntheticDivesSettings(noise=0.0, drop=0.0), 0)[1]


@pytest.fixture(scope="module")
def pictures():
    return load("synthetic_dives_pictures")


def painted(pictures, drawn):
    """(T, H, W) bool, where there is something else than the background."""
    return (drawn != np.array(pictures.BACKGROUND)[:, None, None]).any(axis=1)


def test_the_diver_stays_in_a_frame_that_stands_still_and_falls_through_its_height(pictures):
    drawn = pictures.draw(DIVE)
    width, height = pictures.SIZE
    assert drawn.shape == (pictures.FRAMES, 3, height, width)
    found = painted(pictures, drawn)
    assert not found[:, [0, -1]].any()
    assert not found[:, :, [0, -1]].any()
    rows = np.flatnonzero(found.any(axis=(0, 2)))
    assert (rows[0], rows[-1]) == pytest.approx((pictures.MARGIN, height - pictures.MARGIN), abs=2)
    middles = [np.flatnonzero(one.any(axis=1)).mean() for one in found]
    assert middles[-1] - middles[0] > height / 2


def test_place_and_size_in_the_image_do_not_matter(pictures):
    moved = DIVE.replace(keypoints=1.5 * DIVE.keypoints + [40, -25])
    changed = np.abs(pictures.draw(moved).astype(int) - pictures.draw(DIVE)).max(axis=1)
    assert (changed > 30).mean() < 1e-4  # a point on the border of two pixels may fall into the other one


@pytest.mark.parametrize("joint", ["left_knee", "right_wrist"])
def test_a_limb_is_drawn_in_the_colour_of_its_side_and_not_without_its_joint(pictures, joint):
    points = np.full_like(DIVE.keypoints, np.nan)
    ends = next(bone for bone in DIVE.skeleton.bones if bone[1] == joint)
    index = [DIVE.skeleton.index(name) for name in ends]
    points[:, index] = DIVE.keypoints[:, index]
    drawn = pictures.draw(DIVE.replace(keypoints=points))
    colours = {tuple(pixel) for pixel in drawn.transpose(0, 2, 3, 1).reshape(-1, 3)}
    colour = pictures.COLOURS[pictures.kind(joint)]
    assert colour in colours
    assert not {*pictures.COLOURS.values()} - {colour} & colours
    points[:, index[1]] = np.nan
    assert not painted(pictures, pictures.draw(DIVE.replace(keypoints=points))).any()


@pytest.mark.parametrize(
    ("row", "encoders"),
    [
        ("full", {"dynamic", "static", "skeletal"}),
        ("table3_sve", {"static"}),
        ("table3_hse", {"skeletal"}),
        ("table3_dve_hse", {"dynamic", "skeletal"}),
        ("table9_dot", {"dynamic", "static", "skeletal"}),
    ],
)
def test_a_row_reads_what_its_encoders_take_and_nothing_else(pictures, tmp_path, row, encoders):
    pytest.importorskip("mmengine")
    experiment = load("synthetic_dives").experiment_of(row, 3, [], tmp_path)
    found = {name for name in ("dynamic", "static", "skeletal") if getattr(experiment.model.settings, name)}
    read = {*experiment.data.inputs.features} | ({"skeletal"} if experiment.data.inputs.poses else set())
    assert found == read == encoders
    assert experiment.model.settings.fusion.kind == ("dot" if row == "table9_dot" else "weighted")
