from pathlib import Path

import pytest

from posediff import io
from posediff.io import FORMATS
from posediff.io.losses import EVERYTHING
from posediff.io.registry import get

DOCUMENT = Path(__file__).parents[2] / "docs" / "formats.md"


@pytest.mark.parametrize("name", FORMATS)
def test_every_name_is_a_format_that_says_what_it_holds(name: str) -> None:
    form = get(name)
    assert form.name == name
    assert form.holds <= EVERYTHING


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_documented(name: str) -> None:
    assert f"| `{name}` |" in DOCUMENT.read_text(encoding="utf-8")


def test_every_format_module_is_listed() -> None:
    folder = Path(io.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if "FORMATS = {" in path.read_text(encoding="utf-8")}
    assert modules - {"formats"} == set(FORMATS.values())
