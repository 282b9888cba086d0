"""JSON that has to have a certain shape: what a language model is asked for, checked when it comes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def obj(**properties: Mapping[str, Any]) -> dict[str, Any]:
    """Schema of an object that has all of these properties and no others, as strict servers want it."""
    return {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}


def mismatch(value: Any, schema: Mapping[str, Any], place: str = "") -> str:
    """Why a JSON value does not fit a schema, with its place; empty where it does.

    Args:
        value: as ``json.loads`` gives it.
        schema: of the keywords type, enum, properties, required, additionalProperties (false), items, minItems,
            maxItems, minimum, maximum, minLength and maxLength of JSON Schema 2020-12; others are passed over.
        place: where the value lies in the whole.
    """
    return next(_faults(value, schema, place or "the answer"), "")


def parsed(text: str) -> Any:
    """The JSON value in a language model's reply, without a code fence or thoughts around it.

    Raises:
        ValueError: if there is none, or it is not all there.
    """
    text = text.rpartition("</think>")[2].strip()
    if text.startswith("```") and text.endswith("```"):
        text = text[3:-3].strip().removeprefix("json")
    try:
        return json.loads(text, parse_constant=_refused)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _faults(value: Any, schema: Mapping[str, Any], place: str) -> Iterator[str]:
    kinds = schema.get("type", list(_TYPES))
    if not any(_is(value, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
        yield f"{place} is {_shown(value)}, expected {kinds if isinstance(kinds, str) else ' or '.join(kinds)}"
        return
    if "enum" in schema and not any(_equal(value, one) for one in schema["enum"]):
        yield f"{place} is {_shown(value)}, expected one of {', '.join(map(_shown, schema['enum']))}"
    if isinstance(value, dict):
        yield from _members(value, schema, place)
    elif isinstance(value, list):
        yield from _size(len(value), schema, "minItems", "maxItems", f"the length of {place}")
        for number, item in enumerate(value):
            yield from _faults(item, schema.get("items", {}), f"{place}[{number}]")
    elif isinstance(value, str):
        yield from _size(len(value), schema, "minLength", "maxLength", f"the length of {place}")
    elif _is(value, "number"):
        yield from _size(value, schema, "minimum", "maximum", place)


def _members(value: dict[str, Any], schema: Mapping[str, Any], place: str) -> Iterator[str]:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{place} lacks {name!r}"
    for name, member in value.items():
        if name in known:
            yield from _faults(member, known[name], f"{place}.{name}")
        elif schema.get("additionalProperties", True) is False:
            yield f"{place} has {name!r}, which is not asked for"


def _size(value: float, schema: Mapping[str, Any], least: str, most: str, place: str) -> Iterator[str]:
    if least in schema and value < schema[least]:
        yield f"{place} is {value}, expected {schema[least]} or more"
    if most in schema and value > schema[most]:
        yield f"{place} is {value}, expected {schema[most]} or less"


def _is(value: Any, kind: str) -> bool:
    if isinstance(value, bool):  # which Python counts among the numbers
        return kind == "boolean"
    whole = kind != "integer" or not isinstance(value, float) or value.is_integer()
    return isinstance(value, _TYPES[kind]) and whole


def _equal(one: Any, other: Any) -> bool:
    """Whether two plain values are the same in JSON, where true is not 1."""
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")
