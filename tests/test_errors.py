import pytest

from posediff.errors import BadData, BadSetting, CannotWrite, MissingDependency, PosediffError, listed, suggestion


@pytest.mark.parametrize(("kind", "code"), [(PosediffError, 1), (BadSetting, 2), (BadData, 3), (CannotWrite, 1)])
def test_every_kind_of_fault_has_its_exit_code_its_message_and_its_hint(kind, code):
    error = kind("what is wrong", "what to do")
    assert (error.exit_code, str(error), error.hint) == (code, "what is wrong", "what to do")
    assert isinstance(error, PosediffError)


def test_a_hint_may_be_left_out():
    assert BadData("what is wrong").hint == ""


def test_a_missing_dependency_says_what_it_is_for_and_how_to_install_it():
    error = MissingDependency("ezc3d", "c3d", "reading C3D files")
    assert str(error) == "reading C3D files needs ezc3d, which is not installed"
    assert error.hint == 'pip install "posediff[c3d]"'
    assert error.exit_code == 1


def test_an_unknown_name_is_answered_with_the_one_that_looks_like_it_or_with_all():
    assert suggestion("scroe", ["file", "score"]) == "did you mean score?"
    assert suggestion("frot", ["front"], "bicycle.") == "did you mean bicycle.front?"
    assert suggestion("xyz", ["file", "score"]) == "there are: file, score"
    assert suggestion("103B", ["103b", "105b"]) == "did you mean 103b?"


def test_a_message_repeats_some_names_and_counts_the_others():
    assert listed(["a", "b", "c"]) == "a, b, c"
    assert listed(["a", "b", "c", "d", "e"], "; ") == "a; b; c and 2 more"
