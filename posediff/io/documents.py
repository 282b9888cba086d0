"""What the JSON formats of other tools share: objects of a list, keypoints as flat numbers, JSON bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from posediff.io.checks import Fault, array, shown
from posediff.io.native import shortest
from posediff.sequence import PoseSequence


def objects(value: Any, place: str) -> list[dict[str, Any]]:
    """A list of JSON objects.

    Raises:
        Fault: at the first item that is none.
    """
    if not isinstance(value, list):
        raise Fault(f"{place or 'the document'} is {shown(value)}, expected a list")
    for number, item in enumerate(value):
        if not isinstance(item, dict):
            raise Fault(f"{place}[{number}] is {shown(item)}, expected an object")
    return value


def column(items: Sequence[dict[str, Any]], key: str, place: str, *shape: int | None) -> np.ndarray:
    """The arrays that all the objects hold under one key, as (N, *shape).

    Raises:
        Fault: where one is missing or of another shape.
    """
    values = [item.get(key) for item in items]
    if None in values:
        raise Fault(f"{place}[{values.index(None)}].{key} is missing")
    return array(values, f"{place}:{key}", len(values), *shape)


def triplets(items: Sequence[dict[str, Any]], key: str, place: str) -> np.ndarray:
    """Flat lists of x, y, score as (N, J, 3).

    Raises:
        Fault: where a list is missing, of another length than the first, or no multiple of 3.
    """
    flat = column(items, key, place, None)
    if flat.shape[1] == 0 or flat.shape[1] % 3:
        raise Fault(f"{place}:{key} has {flat.shape[1]} numbers, expected a multiple of 3")
    return flat.reshape(len(items), -1, 3)


def whole(items: Sequence[dict[str, Any]], key: str) -> np.ndarray | None:
    """(N,) whole numbers of 0 or more that all the objects hold under one key, or None."""
    values = [item.get(key) for item in items]
    values = [value[0] if isinstance(value, list) and len(value) == 1 else value for value in values]
    if not values or not all(type(value) is int and 0 <= value < 2**53 for value in values):
        return None
    return np.array(values, np.int64)


def zeroed(person: PoseSequence) -> np.ndarray:
    """(T, J, D + 1) coordinates and score in the fewest decimals, all 0 where missing.

    A keypoint that is known but has score 0 gets the smallest score, or it would be read as missing.
    """
    scores = np.where(person.present, np.maximum(person.scores, np.float32(1e-6)), 0)
    values = np.concatenate([np.nan_to_num(person.keypoints), scores[..., None]], axis=2, dtype=np.float32)
    return shortest(values)


def dumped(document: Any) -> bytes:
    """A document as compact JSON."""
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode()
