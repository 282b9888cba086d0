"""Every format keeps what it claims to hold, and says what it does not."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.errors import BadData
from posediff.io import FORMATS, read, read_person, write
from posediff.io.losses import FEATURES, METRES, front_view, in_units
from posediff.io.registry import get
from posediff.sequence import PoseSequence
from posediff.skeletons import CATALOGUE
from tests.fixtures.files import SUFFIX, made_up, people, suited

NAMES = [*FORMATS]

#: Provenance that every reading sets anew.
NOT_KEPT = {"path", "format", "fps_assumed"}


def there_and_back(person: PoseSequence, name: str, folder: Path) -> tuple[PoseSequence, list[str]]:
    """A person as read back from a file of a format, and what was said to be lost."""
    path = folder / f"{name}{SUFFIX.get(name, '')}"
    lost = write(path, person, format=name)
    return read_person(path, skeleton=person.skeleton.name), lost


def differing(one: PoseSequence, other: PoseSequence) -> set[str]:
    """The features in which two sequences differ."""
    as_written = other if other.dimensions == one.dimensions else front_view(other)
    units = one.units if one.units in METRES and one.dimensions == 3 else other.units
    as_written = in_units(as_written, units)
    same = {
        "keypoints": np.allclose(one.keypoints, as_written.keypoints, rtol=1e-5, atol=1e-4, equal_nan=True),
        "fps": one.fps == other.fps or other.source.get("fps_assumed", False),
        "scores": np.allclose(one.scores, other.scores, atol=1e-6),
        "status": np.array_equal(one.status, other.status),
        "boxes": other.boxes is None or (one.boxes is not None and np.allclose(one.boxes, other.boxes, atol=1e-3)),
        "frames": np.array_equal(one.frames, other.frames),
        "stages": one.stages == other.stages,
        "image_size": one.image_size == other.image_size,
        "units": one.units == units,
        "3d": one.dimensions == other.dimensions,
        "joints": one.skeleton == other.skeleton,
        "person": one.person == other.person,
        "provenance": all(one.source.get(key) == other.source[key] for key in {*other.source} - NOT_KEPT),
    }
    return {name for name, equal in same.items() if not equal}


def told(lost: list[str]) -> set[str]:
    """The features that the sentences name."""
    return {name for name, (_, words) in FEATURES.items() for sentence in lost if f"holds no {words}" in sentence}


@pytest.mark.parametrize("name", [name for name in NAMES if name != "kinect"])
@settings(max_examples=25)
@given(data=st.data())
def test_what_differs_after_a_round_trip_was_told(name: str, data: st.DataObject) -> None:
    person = data.draw(people(get(name)))
    with TemporaryDirectory() as folder:
        back, lost = there_and_back(person, name, Path(folder))
    assert differing(back, person) <= told(lost)


@pytest.mark.parametrize("target", NAMES)
@pytest.mark.parametrize("source", NAMES)
def test_a_second_format_keeps_what_it_holds_of_what_the_first_one_held(
    source: str, target: str, tmp_path: Path
) -> None:
    threefold = "3d" in get(source).holds and "3d" in get(target).holds
    if get(target).requires and not threefold:
        pytest.skip(f"{target} holds 3D only and {source} 2D only")
    person = suited(source, dimensions=3 if threefold else None)
    for folder in ("once", "twice"):
        (tmp_path / folder).mkdir()
    once, _ = there_and_back(person, source, tmp_path / "once")
    choices = get(target).skeletons
    if choices and once.skeleton.name not in choices:
        once = once.convert(CATALOGUE[choices[0]], allow_missing=True)
    twice, lost = there_and_back(once, target, tmp_path / "twice")
    unsaid = differing(twice, once) - told(lost)
    if target == "kinect" and any("parent joint" in sentence for sentence in lost):
        unsaid -= {"keypoints", "scores", "status"}
    assert not unsaid


@pytest.mark.parametrize("name", [name for name in NAMES if "people" in get(name).holds])
def test_several_people_keep_their_ids_and_frames(name: str, tmp_path: Path) -> None:
    first = suited(name)
    second = first.replace(person=7, keypoints=first.keypoints + 500, frames=first.frames + 2, stages=())
    path = tmp_path / f"two{SUFFIX.get(name, '')}"
    write(path, [first, second], format=name)
    back = {person.person: person for person in read(path, skeleton=first.skeleton.name)}
    assert {number: person.frames.tolist() for number, person in back.items()} == {
        2: first.frames.tolist(),
        7: second.frames.tolist(),
    }
    np.testing.assert_array_equal(back[7].keypoints, second.keypoints)


@pytest.mark.parametrize("name", [name for name in NAMES if "people" not in get(name).holds])
def test_a_format_for_one_person_writes_the_first_and_names_the_others(name: str, tmp_path: Path) -> None:
    first = suited(name)
    lost = write(tmp_path / f"two{SUFFIX.get(name, '')}", [first, first.replace(person=7)], format=name)
    assert any("holds one person: 7 left out" in sentence for sentence in lost)


@pytest.mark.parametrize("name", [name for name in NAMES if "3d" not in get(name).holds])
def test_three_dimensions_become_an_upright_front_view(name: str, tmp_path: Path) -> None:
    back, lost = there_and_back(suited(name, dimensions=3), name, tmp_path)
    assert any("front view" in sentence for sentence in lost)
    np.testing.assert_array_equal(back.keypoints, suited(name, dimensions=3).keypoints[..., :2] * [1, -1])


@pytest.mark.parametrize("name", [name for name in NAMES if get(name).requires == "3d"])
def test_two_dimensions_are_refused_by_a_format_of_three(name: str, tmp_path: Path) -> None:
    with pytest.raises(BadData, match="3D only"):
        write(tmp_path / "flat", suited(name, dimensions=2), format=name)


def test_nothing_is_said_to_be_lost_that_is_not_there(tmp_path: Path) -> None:
    plain = PoseSequence(made_up().keypoints, made_up().skeleton, source={"fps_assumed": True})
    assert write(tmp_path / "plain.json", plain, format="mmpose") == []
