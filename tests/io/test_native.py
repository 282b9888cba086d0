import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.errors import BadData, PosediffError
from posediff.io import read, write
from posediff.io.native import shortest
from posediff.sequence import Stage
from tests.fixtures.files import made_up

SCHEMA = json.loads((Path(__file__).parents[2] / "annotations" / "posediff-1.schema.json").read_text())


def document(**changes: Any) -> dict[str, Any]:
    """The smallest whole file: two frames of two joints."""
    return {
        "format": "posediff/1",
        "skeleton": {"name": "arm", "joints": ["elbow", "wrist"], "bones": [["elbow", "wrist"]]},
        "fps": 25.0,
        "people": [{"id": 0, "keypoints": [[[1, 2], [3.5, 4]], [None, [5, 6]]]}],
    } | changes


def person(**changes: Any) -> dict[str, Any]:
    """The small file with its person changed."""
    return document(people=[document()["people"][0] | changes])


def fault(content: Any, tmp_path: Path) -> str:
    """What is said of a file with this content."""
    path = tmp_path / "file.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(BadData) as error:
        read(path)
    return str(error.value)


def test_null_is_missing_and_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(document()))
    (one,) = read(path)
    np.testing.assert_array_equal(one.keypoints, [[[1, 2], [3.5, 4]], [[np.nan, np.nan], [5, 6]]])
    assert one.scores.tolist() == [[1, 1], [0, 1]]
    assert one.status.tolist() == [[1, 1], [0, 1]]
    assert (one.frames.tolist(), one.boxes, one.units, one.stages) == ([0, 1], None, "px", ())


def test_unknown_keys_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(person(mood="good") | {"weather": {"rain": True}}))
    assert len(read(path)[0]) == 2


def test_a_later_version_is_refused_with_what_is_read(tmp_path: Path) -> None:
    assert "posediff/2" in fault(document(format="posediff/2"), tmp_path)


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    said = fault(document(fps=-1, units="feet", image_size=[0, 5]), tmp_path)
    assert all(word in said for word in ("fps is -1", "units is 'feet'", "image_size"))


def test_the_faults_of_all_people_are_told_at_once(tmp_path: Path) -> None:
    people = [{"keypoints": [[[1, 2]]]}, {"keypoints": [[[1, "2"], None]]}]
    said = fault(document(people=people), tmp_path)
    assert "people[0].keypoints[0] has 1 values, expected 2" in said
    assert "people[1].keypoints[0][0][1] is '2', expected a number or null" in said


#: Faults that the schema can tell too.
FAULTS: dict[str, dict[str, Any]] = {
    "fps is missing": {key: value for key, value in document().items() if key != "fps"},
    "fps is '25'": document(fps="25"),
    "fps is true": document(fps=True),
    "fps is 0": document(fps=0),
    "people is missing": {key: value for key, value in document().items() if key != "people"},
    "skeleton.joints[1] is 3": document(skeleton={"name": "arm", "joints": ["elbow", 3]}),
    "joints named twice": document(skeleton={"name": "arm", "joints": ["elbow", "elbow"]}),
    "skeleton.bones[0] has 1 ends": document(
        skeleton={"name": "a", "joints": ["elbow", "wrist"], "bones": [["elbow"]]}
    ),
    "keypoints has no frames": person(keypoints=[]),
    "keypoints[0][1] has 4": person(keypoints=[[[1, 2], [1, 2, 3, 4]]]),
    "keypoints[0][0] is 'x'": person(keypoints=[["x", None]]),
    "keypoints[0][0][0] is true": person(keypoints=[[[True, 1], None]]),
    "is 1e+31": person(keypoints=[[[1e31, 1], None]]),
    "scores[0][1] is 2": person(scores=[[1, 2], [0, 1]]),
    "status[0][0] is 4": person(status=[[4, 1], [0, 1]]),
    "boxes[0] has 3": person(boxes=[[1, 2, 3], None]),
    "frames[1] is 1.5": person(frames=[0, 1.5]),
    "id is 'me'": person(id="me"),
    "stages[0].start is missing": document(stages=[{"name": "flight", "end": 2}]),
    "source is 'web'": document(source="web"),
    "dimensions is 4": document(dimensions=4),
    "source.steps is 5": document(source={"steps": 5}),
}


@pytest.mark.parametrize("said", FAULTS)
def test_a_fault_is_told_with_its_place_and_the_schema_rejects_it_too(said: str, tmp_path: Path) -> None:
    assert said in fault(FAULTS[said], tmp_path)
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(FAULTS[said])


@pytest.mark.parametrize(
    ("said", "content"),
    {
        "frames do not increase": person(frames=[1, 0]),
        "frames has 3 values, expected 2": person(frames=[1, 2, 3]),
        "ends at 2, before it starts at 2": document(stages=[{"name": "flight", "start": 2, "end": 2}]),
        "id is 0 for the second time": document(people=document()["people"] * 2),
        "null beside a number": person(keypoints=[[[1, None], [1, 2]]]),
        "status[0][0] is 0, but the keypoint is there": person(status=[[0, 1], [0, 1]]),
        "status[1][0] is 1, but the keypoint is null": person(status=[[1, 1], [1, 1]]),
        "skeleton.joints are not those of mpii16": document(skeleton={"name": "mpii16", "joints": ["elbow", "wrist"]}),
        "bones end in joints it lacks": document(
            skeleton={"name": "arm", "joints": ["elbow", "wrist"], "bones": [["elbow", "hand"]]}
        ),
        "holds no people": document(people=[]),
        "NaN is no JSON number": json.dumps(person(keypoints=[[[float("nan"), 1], None]])),
        "Infinity is no JSON number": json.dumps(document(fps=float("inf"))),
        "'fps' occurs twice": json.dumps(document())[:-1] + ', "fps": 30}',
        "nested too deeply": '{"format": "posediff/1", "source": ' + "[" * 200_000,
        "too large": json.dumps(person(keypoints=[[[0, 1], [10**400, 1]]])),
        "fps is a huge number": json.dumps(document(fps=10**400)),
        "is not valid JSON": json.dumps(document())[:-5],
        "expected at most": person(id=2**60),
    }.items(),
)
def test_a_fault_that_no_schema_can_say_is_told(said: str, content: Any, tmp_path: Path) -> None:
    assert said in fault(content, tmp_path)


def test_written_files_validate_against_the_schema(tmp_path: Path) -> None:
    one = made_up()
    other = made_up(dimensions=2, person=5, stages=(), boxes=None)
    for number, people in enumerate(([one], [one, other], [made_up(dimensions=3, image_size=None)])):
        write(tmp_path / f"{number}.json", people)
        jsonschema.validate(json.loads((tmp_path / f"{number}.json").read_text()), SCHEMA)


def test_people_keep_their_own_stages_and_provenance(tmp_path: Path) -> None:
    one = made_up(stages=(Stage("flight", 3, 4),), source={"take": 1})
    other = made_up(stages=(Stage("entry", 5, 8),), source={"take": 2}, person=4)
    write(tmp_path / "two.json", [one, other])
    back = read(tmp_path / "two.json")
    assert [person.stages for person in back] == [one.stages, other.stages]
    assert [person.source["take"] for person in back] == [1, 2]


def test_the_first_file_that_the_keypoints_came_from_is_remembered(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / f"{number}.json", made_up() if not number else read(tmp_path / f"{number - 1}.json"))
    (person,) = read(tmp_path / "2.json")
    assert (person.source["origin"], person.source["path"]) == (str(tmp_path / "0.json"), str(tmp_path / "2.json"))


def test_numbers_are_written_with_the_fewest_decimals_that_give_the_same_float32(tmp_path: Path) -> None:
    values = np.array([228.829, 0.1, 1e-20, 3.4e38, 1 / 3, -0.0], np.float32)
    np.testing.assert_array_equal(shortest(values).astype(np.float32), values)
    assert shortest(values)[0] == 228.829


def test_a_long_file_comes_back_whole(tmp_path: Path) -> None:
    one = made_up(frames=2000, stages=())
    write(tmp_path / "long.json", one)
    assert np.array_equal(read(tmp_path / "long.json")[0].keypoints, one.keypoints, equal_nan=True)


def cut(data: bytes, random: random.Random) -> bytes:
    return data[: random.randrange(len(data))]


def flip(data: bytes, random: random.Random) -> bytes:
    place = random.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << random.randrange(8))]) + data[place + 1 :]


def replace(data: bytes, random: random.Random) -> bytes:
    """A value anywhere in the document becomes something else."""
    document = json.loads(data)
    node, key = random.choice(list(values(document)))
    node[key] = random.choice([None, True, -1, 2**70, 1e300, "x", [], {}, [[]], [None], "posediff/1", 0.5])
    return json.dumps(document).encode()


def values(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every container in a document with every key of it."""
    for key in [*node] if isinstance(node, dict) else range(len(node)):
        yield node, key
        if isinstance(node[key], (dict, list)):
            yield from values(node[key])


@pytest.mark.parametrize("mutate", [cut, flip, replace])
@settings(max_examples=60)
@given(seed=st.integers(0, 10**6))
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    mutate: Callable[[bytes, random.Random], bytes], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.json"
    write(path, [made_up(frames=2), made_up(frames=2, person=9)])
    path.write_bytes(mutate(path.read_bytes(), random.Random(seed)))
    with suppress(PosediffError):
        assert read(path)


def test_text_that_is_no_unicode_comes_back(tmp_path: Path) -> None:
    """A path may hold bytes that Python keeps as lone surrogates."""
    write(tmp_path / "a.json", made_up(source={"video": "dive\udcff.mp4"}))
    assert read(tmp_path / "a.json")[0].source["video"] == "dive\udcff.mp4"
