"""Pickles read as data: plain containers, numbers, texts and numpy's arrays; nothing that a file names is run.

Label files are often published as pickles, and a pickle is a program: read by :mod:`pickle` alone, it may call any
function that Python can import. Here every name in it leads to a maker of this module or is refused, so that numpy's
own ways of restoring an array, which trust what the file says of its memory, are not used either.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import re
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from posediff.errors import BadData
from posediff.io.content import Content

_HINT = "give the label file as it was published; posediff reads no pickle that holds more than data"

#: Opcodes that plain data never needs: objects by class, by outside reference, by registered number, and buffers.
_FOREIGN = {"INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "PERSID", "BINPERSID", "EXT1", "EXT2", "EXT4", "NEXT_BUFFER"}

#: Kinds of numbers that an array may hold, as numpy writes them: booleans, numbers, texts and bytes.
_KIND = re.compile(r"b1|[iu][1248]|f[248]|c8|c16|[US][1-9]\d{0,5}")


def load_plain(path: Path) -> Any:
    """What a pickle of plain data holds.

    Args:
        path: a pickle of any protocol of Python 3, or a binary one of Python 2, with arrays of any numpy.

    Returns:
        None, booleans, numbers, texts, bytes, dicts, lists, tuples, sets, and numpy's arrays, scalars and dtypes of
        these; an ``OrderedDict`` becomes a dict.

    Raises:
        BadData: if the file is no whole pickle, or names anything else, which is then neither imported nor run.
    """
    data = Content(path).data
    try:
        _check_opcodes(data)
        return _settled(_Unpickler(io.BytesIO(data), encoding="latin1").load(), {})
    except _Refused as error:
        raise BadData(f"{path}: {error}", _HINT) from None
    except Exception as error:  # damaged bytes break an unpickler in every way there is
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise BadData(f"{path}: cannot be read as a pickle ({reason})", _HINT) from None


class _Refused(Exception):
    """Something in a pickle that is more than data."""


class _Maker:
    """A function that a pickle may call, and can do nothing else to."""

    __slots__ = ("_make",)
    __hash__ = None  # type: ignore[assignment]  # so that it is nowhere but where it is replaced

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, *arguments: Any) -> Any:
        return self._make(*arguments)

    def __setstate__(self, state: Any) -> NoReturn:
        raise _Refused("it changes a function, expected data alone")


class _Dtype:
    """A dtype on its way: numpy calls it by code and then states its byte order."""

    __hash__ = None  # type: ignore[assignment]  # so that it is nowhere but where it is replaced

    def __init__(self, code: Any, *_: Any) -> None:
        if not isinstance(code, str) or not _KIND.fullmatch(code):
            raise _Refused(f"it holds an array of dtype {code!r}, expected numbers or texts")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: Any) -> None:
        _, order, parts, names, fields, *_ = state
        if order not in ("<", ">", "|", "=") or (parts, names, fields) != (None, None, None):
            raise _Refused("it holds an array of records, expected numbers or texts")
        self.dtype = self.dtype.newbyteorder(order)


class _Array:
    """An array on its way: numpy makes an empty one and then states its shape, dtype and bytes."""

    __hash__ = None  # type: ignore[assignment]  # so that it is nowhere but where it is replaced

    def __init__(self, *_: Any) -> None:
        self.array: np.ndarray | None = None

    def __setstate__(self, state: Any) -> None:
        _, shape, dtype, by_columns, data = state
        self.array = _array(data, dtype, shape, "F" if by_columns else "C")


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        place = module.replace("numpy._core.", "numpy.core.").replace("__builtin__", "builtins")
        if (maker := _MAKERS.get((place, name))) is None:
            raise _Refused(f"it names {module}.{name}, expected plain containers, numbers, texts and numpy arrays")
        return maker


def _check_opcodes(data: bytes) -> None:
    """Refuse what plain data never needs, before anything is made of it; the file's end is checked on the way."""
    for count, (opcode, argument, _) in enumerate(pickletools.genops(data)):
        if opcode.name in _FOREIGN:
            raise _Refused(f"it has an object that is not plain data (opcode {opcode.name})")
        if opcode.name in ("PUT", "LONG_BINPUT") and int(argument or 0) > count:
            raise _Refused(f"it asks for {argument} places in memory after {count} steps")


def _array(data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    if not isinstance(dtype, _Dtype) or not all(type(size) is int and size >= 0 for size in shape):
        raise _Refused("it holds an array without dtype and shape")
    data = data.encode("latin1") if isinstance(data, str) else data  # as Python 2 writes bytes
    expected = prod(shape) * dtype.dtype.itemsize
    if len(data) != expected:
        raise _Refused(f"it holds an array of {len(data)} bytes, expected {expected}")
    array: np.ndarray = np.ndarray(tuple(shape), dtype.dtype, bytes(data), order=order).copy(order="K")
    if array.dtype.kind == "U":
        array.tolist()  # fails where a character is none
    return array


def _scalar(dtype: Any, data: Any) -> Any:
    return _array(data, dtype, (), "C")[()]


def _settled(value: Any, known: dict[int, Any]) -> Any:
    """The value with arrays and dtypes in their final form, everything that is shared still shared."""
    if isinstance(value, _Dtype):
        return value.dtype
    if isinstance(value, _Maker) or (isinstance(value, _Array) and value.array is None):
        raise _Refused("it holds a function or an unfinished array, expected data alone")
    if isinstance(value, _Array):
        return value.array
    if type(value) not in (dict, list, tuple):
        return value
    if id(value) not in known:
        known[id(value)] = _UNFINISHED
        if isinstance(value, dict):
            known[id(value)] = {_settled(key, known): _settled(item, known) for key, item in value.items()}
        else:
            known[id(value)] = type(value)([_settled(item, known) for item in value])
    if known[id(value)] is _UNFINISHED:
        raise _Refused("it holds a container that contains itself")
    return known[id(value)]


_UNFINISHED = object()


def _bytes(text: str = "", encoding: str = "latin1") -> bytes:
    """Bytes as protocols 0 to 2 write them: characters, and the encoding that turns them back."""
    return text.encode("latin1")


_CORE = "numpy.core.multiarray"
_MAKERS = {
    ("numpy", "ndarray"): _Maker(_Array),
    ("numpy", "dtype"): _Maker(_Dtype),
    (_CORE, "_reconstruct"): _Maker(_Array),
    (_CORE, "scalar"): _Maker(_scalar),
    ("numpy.core.numeric", "_frombuffer"): _Maker(_array),
    ("builtins", "set"): _Maker(set),
    ("builtins", "frozenset"): _Maker(frozenset),
    ("builtins", "complex"): _Maker(complex),
    ("builtins", "bytes"): _Maker(_bytes),
    ("collections", "OrderedDict"): _Maker(dict),
    ("_codecs", "encode"): _Maker(_bytes),
}
