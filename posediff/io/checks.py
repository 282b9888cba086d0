"""Values from files, checked: each fault is told with its place in the document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from posediff.errors import BadData

_REQUIRED = object()
_WORDS = {dict: "an object", list: "a list", str: "a text", int: "a whole number", float: "a number"}

#: Largest whole number that every JSON library keeps exactly.
LARGEST_INTEGER = 2**53


class Fault(Exception):
    """One thing that is wrong with a document, told with its place."""


def get(mapping: Any, key: str, kind: type, path: str = "", default: Any = _REQUIRED) -> Any:
    """A value of a JSON object, of the kind that it must have; null counts as absent.

    Raises:
        Fault: if it is of another kind, or absent without a default.
    """
    place = f"{path}.{key}" if path else key
    if not isinstance(mapping, Mapping):
        raise Fault(f"{path or 'the document'} is {shown(mapping)}, expected an object")
    value = mapping.get(key)
    if value is None:
        if default is _REQUIRED:
            raise Fault(f"{place} is missing")
        return default
    return typed(value, kind, place)


def typed(value: Any, kind: type, place: str) -> Any:
    """The value, if it is of that kind: a whole number passes as a number, true and false do not."""
    accepted = (int, float) if kind is float else (kind,)
    if type(value) not in accepted:
        raise Fault(f"{place} is {shown(value)}, expected {_WORDS[kind]}")
    if kind is int and abs(value) > LARGEST_INTEGER:
        raise Fault(f"{place} is {shown(value)}, expected at most {LARGEST_INTEGER}")
    if kind is float and not abs(value) < 1e300:
        raise Fault(f"{place} is {shown(value)}, expected a finite number")
    return value


def array(value: Any, place: str, *shape: int | None) -> np.ndarray:
    """Nested lists of numbers as a float64 array; null, at any level but the first, fills with NaN.

    Args:
        value: the nested lists.
        place: where they stand in the document.
        shape: the length of each axis; None takes that of the first list.

    Raises:
        Fault: at the first value that is no number, no list, or of another length.
    """
    nodes: list[Any] = [value]
    sizes: list[int] = []
    for axis, size in enumerate(shape):
        kinds = set(map(type, nodes))
        allowed = {list} if axis == 0 else {list, type(None)}
        if not kinds <= allowed:
            first = next(i for i, node in enumerate(nodes) if type(node) not in allowed)
            raise Fault(f"{place}{_index(first, sizes)} is {shown(nodes[first])}, expected a list")
        lengths = set(map(len, nodes)) if type(None) not in kinds else {len(n) for n in nodes if n is not None}
        if size is None:
            size = next((len(node) for node in nodes if node is not None), 0)
        if lengths - {size}:
            first = next(i for i, node in enumerate(nodes) if node is not None and len(node) != size)
            raise Fault(f"{place}{_index(first, sizes)} has {len(nodes[first])} values, expected {size}")
        if type(None) in kinds:
            empty = [None] * size
            nodes = [empty if node is None else node for node in nodes]
        nodes = list(chain.from_iterable(nodes))
        sizes.append(size)
    if not set(map(type, nodes)) <= {int, float, type(None)}:
        first = next(i for i, node in enumerate(nodes) if type(node) not in (int, float, type(None)))
        raise Fault(f"{place}{_index(first, sizes)} is {shown(nodes[first])}, expected a number or null")
    try:
        return np.array(nodes, dtype=np.float64).reshape(sizes)
    except OverflowError:
        raise Fault(f"{place} holds a number that is too large") from None


def integers(value: Any, place: str, *shape: int | None) -> np.ndarray:
    """Nested lists of whole numbers as an int64 array.

    Raises:
        Fault: at the first value that is none.
    """
    numbers = array(value, place, *shape)
    with np.errstate(invalid="ignore"):
        whole = (numbers == np.floor(numbers)) & (np.abs(numbers) <= LARGEST_INTEGER)
    if not whole.all():
        first = int(np.flatnonzero(~whole.ravel())[0])
        found = numbers.ravel()[first]
        raise Fault(f"{place}{_index(first, list(numbers.shape))} is {found:g}, expected a whole number")
    return numbers.astype(np.int64)


def _index(flat: int, sizes: Sequence[int]) -> str:
    """Where the flat index lies in nested lists of these sizes, as ``[3][0]``."""
    return "".join(f"[{i}]" for i in np.unravel_index(flat, sizes)) if sizes else ""


def shown(value: Any) -> str:
    """A value as a message repeats it: short, and a container by its kind."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and abs(value) > 10**30:
        return "a huge number"
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def bad(path: Any, faults: Sequence[str], hint: str = "correct the file") -> BadData:
    """All the faults of one file as one error."""
    return BadData(f"{path}: {'; '.join(faults)}", hint)
