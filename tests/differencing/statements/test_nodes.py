from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.differencing.statements.nodes import (
    LARGEST,
    Fault,
    compose,
    entries,
    expression,
    mapping,
    name,
    number,
    string,
)
from posediff.errors import BadData, BadSetting


def written(folder, text):
    path = folder / "file.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def fields(folder, text):
    root, whole = compose(written(folder, text))
    return {key.value: value for key, value in root.value}, whole


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"# nothing\n", "is empty"),
        (b"a: [1, 2", "line 1, column 9: is not valid YAML"),
        (b"a: 'open\n", "is not valid YAML"),
        (b"a: 1\n  b: 2\n", "line 2, column 4: is not valid YAML"),
        (b"a: \xff\n", "is not UTF-8 text (invalid start byte at byte 3)"),
        ("a: 1\n".encode("utf-16"), "is not UTF-8 text"),
        (b"a: \x07\n", "is not valid YAML"),
        (b"a: 1\n---\nb: 2\n", "is not valid YAML"),
        (b"[" * 3000, "nested too deeply"),
        (b"a: &x [1]\nb: *x\n", "line 1, column 4: is used again by an alias"),
        (b"a: &x [*x]\n", "is used again by an alias"),
        (b"a: *x\n", "line 1, column 4: is not valid YAML (found undefined alias 'x')"),
        (b"#" * (LARGEST + 1), "holds more than 1,048,576 bytes"),
    ],
)
def test_what_cannot_be_read_is_told_with_the_file_and_the_place(tmp_path, content, said):
    path = written(tmp_path, content)
    with pytest.raises(BadData) as caught:
        compose(path)
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_aliases_that_would_unfold_to_billions_are_refused_at_once(tmp_path):
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    with pytest.raises(BadData, match="alias"):
        compose(written(tmp_path, "\n".join(["a0: &a0 [x]", *levels])))


@pytest.mark.parametrize("path", ["missing.yaml", "."])
def test_a_path_without_a_file_is_told(tmp_path, path):
    with pytest.raises(BadData, match=r"no such file|is a folder"):
        compose(tmp_path / path)


@given(st.binary(max_size=60))
def test_any_bytes_give_a_node_or_bad_data(tmp_path_factory, content):
    path = Path(tmp_path_factory.getbasetemp()) / "any.yaml"
    path.write_bytes(content)
    try:
        root, _ = compose(path)
    except BadData:
        return
    assert root.id in ("scalar", "sequence", "mapping")


@pytest.mark.parametrize(
    "bare", ["yes", "No", "on", "3", "0.5", "null", "~", "2024-01-01", "!!python/name:os.system x"]
)
def test_what_yaml_does_not_read_as_text_is_no_text_until_it_is_quoted(tmp_path, bare):
    found, _ = fields(tmp_path, f"id: {bare}\nquoted: '{bare}'\n")
    with pytest.raises(Fault, match="which YAML reads as"):
        string(found["id"], "id")
    assert string(found["quoted"], "id") == bare


def test_a_mapping_is_held_to_its_fields(tmp_path):
    path = written(tmp_path, "colour: red\nshap: round\n")
    with pytest.raises(Fault, match="a thing has no field 'shap'") as caught:
        mapping(compose(path)[0], "a thing", ("colour", "shape"))
    assert (caught.value.place, caught.value.hint) == ((2, 1), "did you mean shape?")
    with pytest.raises(Fault, match="a thing lacks size"):
        mapping(compose(path)[0], "a thing", ("colour", "size"), ("shap",))
    with pytest.raises(Fault, match="has the field 'a' twice"):
        mapping(compose(written(tmp_path, "a: 1\na: 1\n"))[0], "a thing", ("a",))
    with pytest.raises(Fault, match="is a list, expected fields"):
        mapping(compose(written(tmp_path, "[a]"))[0], "a thing", ("a",))
    with pytest.raises(Fault, match="no field 'a list'"):
        mapping(compose(written(tmp_path, "? [a]\n: b\n"))[0], "a thing", ("a",))


def test_lists_have_entries_and_names_are_plain(tmp_path):
    found, _ = fields(tmp_path, "empty: []\ntext: a\ngood: front_2\nbad: Front Knee\n")
    for key in ("empty", "text"):
        with pytest.raises(Fault, match="expected a list"):
            entries(found[key], key)
    assert name(found["good"], "a role") == "front_2"
    with pytest.raises(Fault, match="'Front Knee'"):
        name(found["bad"], "a role")


@pytest.mark.parametrize("wrong", ["-0.1", ".nan", ".inf", "1e999", "yes", "'3'", "[1]", "0x10", "1:30"])
def test_a_number_is_finite_and_not_negative(tmp_path, wrong):
    found, _ = fields(tmp_path, f"right: 5e-2\nwrong: {wrong}\n")
    assert number(found["right"], "least") == 0.05
    with pytest.raises(Fault, match="expected a number of 0 or more"):
        number(found["wrong"], "least")


def first_x(text, *, line):
    """Refuses a text at its first x, by counting lines and columns itself."""
    before = text[: text.index("x")]
    row, column = before.count("\n"), len(before) - (before.rfind("\n") + 1)
    raise BadSetting(f"line {line + row}, column {column + 1}: x is wrong", "write y")


@pytest.mark.parametrize(
    "document",
    [
        "m: a + x",
        "m:   a + x",
        "m: 'a + x'",
        'm: "a + x"',
        "m: a +\n    x\n",
        "m: 'a +\n    x'\n",
        "m: |\n  a +\n    x\n",
        "m: >-\n    a\n     + x\n",
        "m: |2\n   a + x\n",
        "m:\n  a\n\n  + x",
        "m: a + x # why",
        "# é\nm: é + x\n",
        "m: a\r\n  + x\r\n",
    ],
)
def test_faults_within_a_text_are_told_where_they_stand_in_the_file(tmp_path, document):
    found, whole = fields(tmp_path, document)
    row = next(number for number, line in enumerate(document.splitlines()) if "x" in line)
    with pytest.raises(Fault, match="measure: x is wrong") as caught:
        expression(found["m"], "measure", whole, first_x)
    assert caught.value.place == (row + 1, document.splitlines()[row].index("x") + 1)


@pytest.mark.parametrize("document", [r'm: "a \x2b x"', "m: !!str a + x", "m: &anchor a + x"])
def test_a_text_that_stands_differently_in_the_file_is_read_as_yaml_means_it(tmp_path, document):
    found, whole = fields(tmp_path, document)
    read = expression(found["m"], "measure", whole, lambda text, line: (text.strip(), line))
    assert read == ("a + x", 1)
