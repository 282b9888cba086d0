import numpy as np
import pytest

from posediff.errors import BadData
from posediff.io import from_xarray, to_xarray
from posediff.sequence import PoseSequence
from tests.fixtures.files import made_up

xarray = pytest.importorskip("xarray")


def poses(**names: str) -> "xarray.Dataset":
    """A dataset as movement makes it: 4 frames, 2 individuals, 3 keypoints, one of them unknown throughout."""
    position = np.arange(4 * 2 * 3 * 2, dtype=float).reshape(4, 2, 3, 2)
    position[:, :, 1, 0] = np.nan
    dims = tuple(names.get(name, name) for name in ("time", "space", "keypoints", "individuals"))
    return xarray.Dataset(
        {"position": (dims, position), "confidence": ((dims[0], *dims[2:]), np.full((4, 3, 2), 0.5))},
        coords={
            dims[0]: np.arange(4) / 50,
            dims[1]: ["x", "y"],
            dims[2]: ["snout", "centre", "tail_base"],
            dims[3]: ["Alice", "Bob"],
        },
        attrs={"fps": 50.0, "time_unit": "seconds", "source_software": "SLEAP", "ds_type": "poses"},
    )


def test_people_come_back_as_they_were() -> None:
    one, other = made_up(source={"take": 1}), made_up(frames=4, person=7, boxes=None, stages=(), source={"take": 2})
    assert from_xarray(to_xarray([one, other])) == [one, other]


def test_the_layout_is_that_of_movement() -> None:
    dataset = to_xarray([made_up(dimensions=3), made_up(dimensions=3, person=5)])
    assert dataset["position"].dims == ("time", "space", "keypoints", "individuals")
    assert dataset["confidence"].dims == ("time", "keypoints", "individuals")
    assert dataset["space"].values.tolist() == ["x", "y", "z"]
    assert dataset["individuals"].values.tolist() == ["id_2", "id_5"]
    np.testing.assert_allclose(dataset["time"], made_up().times)
    assert {dataset.attrs[key] for key in ("fps", "time_unit", "ds_type")} == {30.0, "seconds", "poses"}


def test_a_missing_keypoint_is_nan_in_position_and_confidence() -> None:
    dataset = to_xarray(made_up()).isel(time=0, individuals=0).sel(keypoints="right_knee")
    assert np.isnan(dataset["position"]).all()
    assert np.isnan(dataset["confidence"])


@pytest.mark.parametrize("names", [{}, {"keypoints": "keypoint", "individuals": "individual"}])
def test_a_dataset_of_movement_is_read_in_both_spellings(names: dict[str, str]) -> None:
    dataset = poses(**names)
    alice, bob = from_xarray(dataset)
    assert bob.skeleton.joints == ("snout", "centre", "tail_base")
    assert (bob.fps, bob.person, bob.source["individual"]) == (50, 1, "Bob")
    np.testing.assert_array_equal(bob.keypoints[:, 0, 1], dataset["position"].values[:, 1, 0, 1])
    assert not alice.present[:, 1].any()


def test_without_fps_time_is_frame_numbers() -> None:
    dataset = poses().assign_coords(time=[4, 5, 6, 7])
    dataset.attrs = {"time_unit": "frames"}
    person = from_xarray(dataset)[0]
    assert (person.frames.tolist(), person.fps, person.source["fps_assumed"]) == ([4, 5, 6, 7], 25.0, True)


def test_confidence_that_movement_filled_with_nan_is_none() -> None:
    dataset = poses()
    dataset["confidence"] = dataset["confidence"] * np.nan
    person = from_xarray(dataset)[0]
    assert person.scores[person.present].tolist() == [1] * 8


def test_a_dataset_of_boxes_is_refused() -> None:
    with pytest.raises(BadData, match="keypoints"):
        from_xarray(poses().isel(keypoints=0, drop=True))
    with pytest.raises(BadData, match="position"):
        from_xarray(xarray.Dataset())


def test_people_of_different_fps_are_refused() -> None:
    with pytest.raises(BadData, match="fps"):
        to_xarray([made_up(), PoseSequence(made_up().keypoints, made_up().skeleton, person=9, fps=50)])
