import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from posediff.cli import main
from posediff.io import read, read_person, write
from posediff.skeletons import COCO17
from tests.fixtures.files import made_up


def convert(*arguments: object) -> Result:
    """Run ``posediff convert``."""
    return CliRunner().invoke(main, ["convert", *map(str, arguments)])


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    """A file of two people in COCO's format and skeleton."""
    write(tmp_path / "in.json", [made_up(skeleton=COCO17), made_up(skeleton=COCO17, person=5)], format="coco")
    return tmp_path / "in.json"


def test_the_result_goes_to_stdout_and_what_is_lost_to_stderr(coco: Path, tmp_path: Path) -> None:
    result = convert(coco, tmp_path / "out.json", "--to", "alphapose", "--fps", 50)
    assert result.exit_code == 0
    assert "2 people, 12 frames, coco17, 50 fps" in result.stdout
    assert "alphapose holds no fps" in result.stderr
    assert len(read(tmp_path / "out.json")) == 2


def test_json_is_one_document_and_nothing_else(coco: Path, tmp_path: Path) -> None:
    result = convert(coco, tmp_path / "out.json", "--to", "native", "--person", 5, "--json")
    assert json.loads(result.stdout) == {
        "format": "posediff.conversion/1",
        "in": {"path": str(coco), "format": "coco"},
        "out": {"path": str(tmp_path / "out.json"), "format": "native"},
        "skeleton": "coco17",
        "fps": 25.0,
        "people": [{"id": 5, "frames": 6}],
        "lost": [],
    }


def test_skeleton_converts_and_allow_missing_leaves_out_what_cannot_be_made(coco: Path, tmp_path: Path) -> None:
    refused = convert(coco, tmp_path / "out.json", "--to", "native", "--skeleton", "mpii16")
    assert (refused.exit_code, (tmp_path / "out.json").exists()) == (3, False)
    assert "head_top" in refused.stderr
    assert (
        convert(coco, tmp_path / "out.json", "--to", "native", "--skeleton", "mpii16", "--allow-missing").exit_code == 0
    )
    person = read_person(tmp_path / "out.json", person=2)
    assert person.skeleton.name == "mpii16"
    assert person.present[1, person.skeleton.index("pelvis")]


def test_skeleton_names_the_joints_of_an_array(tmp_path: Path) -> None:
    write(tmp_path / "a.npy", made_up(), format="npy")
    assert convert(tmp_path / "a.npy", tmp_path / "b.json", "--to", "native").exit_code == 3
    assert convert(tmp_path / "a.npy", tmp_path / "b.json", "--to", "native", "--skeleton", "mpii16").exit_code == 0


def test_a_range_of_frames_is_converted(tmp_path: Path) -> None:
    write(tmp_path / "a.json", made_up())
    convert(f"{tmp_path}/a.json#4:6", tmp_path / "b.json", "--to", "native")
    assert read_person(tmp_path / "b.json").frames.tolist() == [4, 5]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("missing.json", "out.json", "--to", "native"), 3),
        (("missing.json", "out.json", "--to", "gif"), 2),
        (("missing.json", "out.json", "--to", "native", "--fps", "-1"), 2),
        (("missing.json", "out.json"), 2),
    ],
)
def test_a_mistake_ends_in_one_line_a_hint_and_its_exit_code(arguments: tuple[str, ...], code: int) -> None:
    result = convert(*arguments)
    assert result.exit_code == code
    assert [line.partition(":")[0] for line in result.stderr.splitlines()] == ["posediff", "hint"]


def test_an_output_that_cannot_be_written_is_exit_code_1(coco: Path, tmp_path: Path) -> None:
    result = convert(coco, coco / "out.json", "--to", "native")
    assert (result.exit_code, result.stdout) == (1, "")
