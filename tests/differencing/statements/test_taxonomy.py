from contextlib import suppress
from pathlib import Path

import pytest

from posediff.differencing.statements import taxonomy
from posediff.differencing.statements.taxonomy import built_in, find, is_of, load
from posediff.errors import BadData, BadSetting

SQUAT = """\
action: deep_squat
aliases: [back squat]
description: >
  Down
  and up.
sides:
  front: max(forward(side_ankle, pelvis))
  back: not front
key_points:
  - name: lowering
    text: the knees start to bend
    cue: falls(height(pelvis, ankle), 0.9)
  - {name: lowest, text: lowest position, cue: "lowest(height(pelvis, ankle))"}
differences:
  - id: depth
    query: the squat is deeper
    where: lowest
    measure: at(height(pelvis, ankle), lowest)
    says: less
    least: 0.05
  - id: knee
    query: the front knee bends more
    where: lowering..lowest
    measure: |
      min(front_knee_angle,
          lowering..lowest)
    says: less
  - id: descent
    query: the descent is slower
    where: all
    measure: duration(lowering..lowest)
  - id: gaze
    query: the eyes look further down
    where: lowest
"""


@pytest.fixture
def write(tmp_path):
    def written(text: str) -> Path:
        path = tmp_path / "squat.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def refusal(path: Path) -> BadData:
    with pytest.raises(BadData) as caught:
        load(path)
    assert "\n" not in str(caught.value)
    return caught.value


def test_everything_that_a_taxonomy_says_is_read(write):
    path = write(SQUAT)
    squat = load(path)
    assert (squat.action, squat.title, squat.aliases) == ("deep_squat", "Deep squat", ("back squat",))
    assert (squat.description, squat.path) == ("Down and up.", path)
    assert [(side.role, side.rule and side.rule.text, side.other_of) for side in squat.sides] == [
        ("front", "max(forward(side_ankle, pelvis))", ""),
        ("back", None, "front"),
    ]
    assert [(point.name, point.text, point.cue.kind, point.cue.share) for point in squat.key_points] == [
        ("lowering", "the knees start to bend", "falls", 0.9),
        ("lowest", "lowest position", "lowest", 0.0),
    ]
    assert [(one.id, one.where, one.sign, one.least) for one in squat.differences] == [
        ("depth", ("lowest", "lowest"), -1, 0.05),
        ("knee", ("lowering", "lowest"), -1, 0.0),
        ("descent", ("first", "last"), 1, 0.0),
        ("gaze", ("lowest", "lowest"), 1, 0.0),
    ]
    assert [one.measure and one.measure.text for one in squat.differences] == [
        "at(height(pelvis, ankle), lowest)",
        "min(front_knee_angle, lowering..lowest)",
        "duration(lowering..lowest)",
        None,
    ]
    assert squat.differences[0].query == "the squat is deeper"
    assert squat.differences[2].measure.key_points == ("lowering", "lowest")


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "said"),
    [
        ("action: deep_squat", "action: Deep Squat", 1, 9, "action is 'Deep Squat'"),
        ("aliases:", "alias:", 2, 1, "no field 'alias'"),
        ("[back squat]", "[]", 2, 10, "aliases is an empty list"),
        ("[back squat]", "[yes]", 2, 11, "which YAML reads as true or false"),
        ("front: max", "left: max", 7, 3, "a role is called 'left'"),
        ("max(forward(side_ankle, pelvis))", "max(forward(left_ankle))", 7, 10, "the same for both sides"),
        ("max(forward(side_ankle, pelvis))", "max(side_lean(pelvis, thorax))", 7, 10, "the same for both sides"),
        ("max(forward(side_ankle, pelvis))", "max(forward(side_ankel))", 7, 22, "side_ankel"),
        ("not front", "not font", 8, 9, "no role is called 'font'"),
        ("not front", "not back", 8, 9, "the roles go in a circle: back not back"),
        ("name: lowering", "name: lowest", 13, 12, "a key point of line 10 is called 'lowest' too"),
        ("name: lowering", "name: first", 10, 11, "has a meaning already"),
        ("name: lowering", "name: knee", 10, 11, "has a meaning already"),
        ("    text: the knees start to bend\n", "", 10, 5, "a key point lacks text"),
        ("0.9)", "1.9)", 12, 39, "1.9"),
        ("falls(", "drops(", 12, 10, "'drops' is no cue"),
        ("lowest(height(pelvis, ankle))", "lowest(height(pelvis, ankel))", 13, 71, "'ankel'"),
        ("id: knee", "id: depth", 21, 9, "a difference of line 15 is called 'depth' too"),
        ("id: depth", "id: 3", 15, 9, "id is '3', which YAML reads as a number"),
        ("    where: lowest\n    measure", "    measure", 15, 5, "a difference lacks where"),
        ("where: lowest\n    measure", "where: bottom\n    measure", 17, 12, "no key point is called 'bottom'"),
        ("where: lowering..lowest", "where: lowest..lowering", 23, 12, "expected a key point"),
        ("where: lowering..lowest", "where: lowering..lowest..last", 23, 12, "expected a key point"),
        ("measure: at(height(pelvis,", "measure: at(height(pelvs,", 18, 24, "'pelvs'"),
        ("          lowering..lowest)", "          lowring..lowest)", 26, 11, "'lowring'"),
        ("min(front_knee", "min(frnt_knee", 25, 11, "frnt"),
        ("duration(lowering..lowest)", "knee_angle", 31, 14, "is a track"),
        ("says: less\n    least", "says: fewer\n    least", 19, 11, "says is 'fewer', expected more or less"),
        ("least: 0.05", "least: -1", 20, 12, "least is '-1', expected a number of 0 or more"),
        ("least: 0.05", "lest: 0.05", 20, 5, "no field 'lest'"),
        ("    measure: duration(lowering..lowest)", "    says: less", 31, 11, "says is there without a measure"),
    ],
)
def test_a_fault_is_told_with_its_line_and_column(write, old, new, line, column, said):
    assert SQUAT.count(old) >= 1
    path = write(SQUAT.replace(old, new, 1))
    error = refusal(path)
    assert str(error).startswith(f"{path}, line {line}, column {column}: ")
    assert said in str(error)
    assert error.hint


def test_roles_that_are_each_other_s_opposite_are_refused(write):
    error = refusal(write(SQUAT.replace("front: max(forward(side_ankle, pelvis))", "front: not back")))
    assert "line 7, column 10: the roles go in a circle: front not back not front" in str(error)


def test_entries_of_one_line_are_told_apart(write):
    first = SQUAT.index("  - name: lowering")
    one_line = "  [{name: lowest, text: low, cue: first}, {name: lowest, text: low, cue: last}]\n"
    text = SQUAT[:first] + one_line + SQUAT[SQUAT.index("differences:") :]
    assert "line 10, column 50: a key point of line 10 is called 'lowest' too" in str(refusal(write(text)))


def test_the_faults_of_several_entries_are_told_together_in_the_order_of_the_file(write):
    text = SQUAT.replace("0.9)", "1.9)").replace("at(height(pelvis", "at(height(pelvs").replace("0.05", "0.05 m")
    text = text.replace("where: lowering..", "where: lowring..")
    message = str(refusal(write(text)))
    places = [message.index(f"line {line}, column") for line in (12, 18, 23)]
    assert places == sorted(places)
    assert "line 20" not in message  # another fault of the same entry
    assert "'lowering'" not in message  # a broken cue does not make its name unknown


@pytest.mark.parametrize(
    "text", ["[1, 2]", "just words", "action: squat", "action: squat\nkey_points: []\ndifferences: []"]
)
def test_a_document_of_another_shape_is_refused(write, text):
    assert "line 1" in str(refusal(write(text))) or "is an empty list" in str(refusal(write(text)))


def test_a_file_that_is_cut_off_anywhere_is_read_or_refused(write):
    whole = load(write(SQUAT))
    for length in range(0, len(SQUAT), 3):
        with suppress(BadData):
            assert load(write(SQUAT[:length])).key_points == whole.key_points


@pytest.mark.parametrize("action", built_in())
def test_the_built_in_taxonomies_are_whole(action):
    one = find(action)
    assert one.action == action
    assert one.description
    assert one.aliases
    assert 8 <= sum(question.measure is not None for question in one.differences) <= 15


def test_no_two_built_in_taxonomies_share_a_name():
    names = [name.casefold() for one in map(find, built_in()) for name in {one.action, one.title.lower(), *one.aliases}]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("written", ["squat", "SQUAT", "deep squat", "Deep_Squat", "deep-squat", " bodyweight  squat "])
def test_an_action_is_found_by_its_name_or_an_alias(written):
    assert find(written).action == "squat"


def test_a_taxonomy_is_of_the_action_that_it_names():
    squat = find("squat")
    assert is_of(squat, "Deep-Squat")
    assert not is_of(squat, "lunge")


def test_an_unknown_action_is_told_what_there_is():
    with pytest.raises(BadSetting, match="no built-in taxonomy is for the action 'sqat'") as caught:
        find("sqat")
    assert caught.value.hint.startswith("did you mean squat?")
    assert all(action in caught.value.hint for action in built_in())


def test_an_installed_package_has_its_own_folder(tmp_path, monkeypatch, write):
    write(SQUAT).rename(tmp_path / "deep_squat.yaml")
    monkeypatch.setattr(taxonomy, "FOLDERS", (tmp_path / "absent", tmp_path))
    assert built_in() == ("deep_squat",)
    assert find("back squat").path == tmp_path / "deep_squat.yaml"
