import pytest

from posediff.annotate.batch.copies import copy_output
from posediff.errors import CannotWrite


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.check").mkdir()
    (tmp_path / "a.check" / "0.json").write_text("zero")
    (tmp_path / "a.json").write_text("new")
    return tmp_path


def test_a_file_is_copied_over_what_is_there(folder):
    (folder / "b.json").write_text("old")
    copy_output(folder / "a.json", folder / "b.json")
    copy_output(folder / "a.json", folder / "deep" / "er" / "b.json")
    assert [(folder / name).read_text() for name in ("b.json", "deep/er/b.json")] == ["new", "new"]


def test_a_folder_is_copied_only_where_there_is_none(folder):
    copy_output(folder / "a.check", folder / "b.check")
    (folder / "a.check" / "0.json").write_text("changed")
    copy_output(folder / "a.check", folder / "b.check")
    assert (folder / "b.check" / "0.json").read_text() == "zero"
    assert sorted(path.name for path in folder.iterdir()) == ["a.check", "a.json", "b.check"]


@pytest.mark.parametrize("name", ["a.json", "a.check"])
def test_a_copy_that_cannot_be_written_leaves_nothing(folder, name):
    with pytest.raises(CannotWrite, match="cannot be written"):
        copy_output(folder / name, folder / "a.json" / "x")
    assert sorted(path.name for path in folder.iterdir()) == ["a.check", "a.json"]


def test_what_is_gone_cannot_be_copied(folder):
    with pytest.raises(CannotWrite):
        copy_output(folder / "nothing.json", folder / "b.json")
    assert sorted(path.name for path in folder.iterdir()) == ["a.check", "a.json"]
