import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.differencing.helpers.schema import mismatch, obj, parsed

ITEM = obj(
    query={"type": "string", "minLength": 2, "maxLength": 4},
    says={"type": "string", "enum": ["more", "less"]},
    size={"type": ["number", "null"], "minimum": 0, "maximum": 1},
    count={"type": "integer"},
)
SCHEMA = obj(items={"type": "array", "items": ITEM, "minItems": 1, "maxItems": 2}, sure={"type": "boolean"})

GOOD = {"items": [{"query": "knee", "says": "more", "size": 0.5, "count": 2}], "sure": True}

scalars = st.sampled_from([None, True, False, 0, 1, 2, 0.5, 1.0, -1, "", "a", "knee", "more", "less", "longer"])
right = {"query": ["knee", "more"], "says": ["more", "less"], "size": [None, 0, 0.5, 1], "count": [2, 1.0, -1]}
usual = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in right.items()})
changed = st.builds(lambda item, name, value: {**item, name: value}, usual, st.sampled_from([*right, "other"]), scalars)
lacking = st.builds(lambda item, lost: {k: v for k, v in item.items() if k != lost}, usual, st.sampled_from([*right]))
documents = st.one_of(
    st.fixed_dictionaries({"items": st.lists(usual, max_size=3), "sure": st.booleans()}),
    st.fixed_dictionaries({"items": st.lists(st.one_of(usual, changed, lacking), max_size=2), "sure": st.booleans()}),
    st.fixed_dictionaries({"items": st.one_of(st.lists(usual), scalars)}, optional={"sure": scalars, "x": scalars}),
    scalars,
)


@given(documents)
def test_what_fits_is_what_jsonschema_says(document):
    fits = jsonschema.Draft202012Validator(SCHEMA).is_valid(document)
    assert (mismatch(document, SCHEMA) == "") == fits


@given(scalars, st.lists(scalars, min_size=1, max_size=3))
def test_true_is_no_number_and_one_is_not_true(value, allowed):
    for schema in ({"enum": allowed}, *({"type": kind} for kind in ("number", "integer", "boolean", "string"))):
        assert (mismatch(value, schema) == "") == jsonschema.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"sure": "yes"}, 'the answer.sure is "yes", expected boolean'),
        ({"items": []}, "the length of the answer.items is 0, expected 1 or more"),
        ({"items": [{**GOOD["items"][0], "says": "most"}]}, 'the answer.items[0].says is "most", expected one of'),
        ({"items": [{**GOOD["items"][0], "size": 7}]}, "the answer.items[0].size is 7, expected 1 or less"),
        ({"more": 1}, "the answer has 'more', which is not asked for"),
    ],
)
def test_a_fault_is_told_with_its_place(change, told):
    assert mismatch(GOOD, SCHEMA) == ""
    assert mismatch({**GOOD, **change}, SCHEMA).startswith(told)


@pytest.mark.parametrize(
    "text",
    ['{"a": 1}', ' \n{"a": 1}\n', '```json\n{"a": 1}\n```', '```\n{"a": 1}```', '<think>or {"a": 2}?</think>{"a": 1}'],
)
def test_an_answer_is_found_in_what_models_put_around_it(text):
    assert parsed(text) == {"a": 1}


@pytest.mark.parametrize("text", ["", "The knee.", '{"a": 1', '{"a": NaN}', '{"a": Infinity}', "[" * 100_000])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        parsed(text)


@given(st.recursive(scalars, lambda inner: st.lists(inner, max_size=3)))
def test_any_value_comes_back(value):
    assert parsed(json.dumps(value)) == value
