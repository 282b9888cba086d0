"""Settings made of plain dicts and back, strictly: every key is known, every value of the type that is declared."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from functools import cache
from math import isfinite
from typing import (
    Any,
    ClassVar,
    Literal,
    NamedTuple,
    Protocol,
    TypeVar,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from posediff.errors import BadSetting, suggestion

T = TypeVar("T")


class Choosing(Protocol):
    """A class of settings that says in ``type`` which class its other keys belong to; ``usual`` where it does not."""

    usual: ClassVar[str]
    name: str
    settings: Any

    @classmethod
    def settings_of(cls, name: str) -> type:
        """The class of the other keys."""


class Member(NamedTuple):
    """A setting of a class.

    Attributes:
        kind: the type that it is declared as.
        default: its value where nothing is said; ``dataclasses.MISSING`` if it has none, or it is made anew each time.
    """

    kind: Any
    default: Any


def build(kind: type[T], value: object, where: str = "") -> T:
    """Settings of a class, as a plain value describes them.

    Lists stand for tuples and whole numbers for others. A class with ``settings_of`` takes its settings' keys beside
    its own ``type``.

    Args:
        kind: a dataclass, or any type that a field of one may be declared as.
        value: a mapping with its settings, or a value of that type.
        where: the value's place, such as ``model.skeletal``, for the messages.

    Raises:
        BadSetting: naming the place of a key that is unknown or missing, or of a value of another type.
    """
    return cast(T, _built(kind, value, where))


def plain(settings: object) -> Any:
    """Settings as dicts, lists, numbers and text; :func:`build` reads them again."""
    if _chooses(type(settings)):
        chosen = cast(Choosing, settings)
        return {"type": chosen.name, **plain(chosen.settings)}
    if dataclasses.is_dataclass(settings):
        return {field.name: plain(getattr(settings, field.name)) for field in dataclasses.fields(settings)}
    if isinstance(settings, Mapping):
        return {str(key): plain(value) for key, value in settings.items()}
    if isinstance(settings, (tuple, list)):
        return [plain(value) for value in settings]
    return settings


def members(kind: Any, value: object) -> dict[str, Member]:
    """The settings of a class by name.

    Args:
        kind: a dataclass.
        value: the mapping that describes one; its ``type`` counts where the class has several kinds of settings.

    Raises:
        BadSetting: if its type is not known.
    """
    if not _chooses(kind):
        hints = _hints(kind)
        fields = (field for field in dataclasses.fields(kind) if field.init)
        return {field.name: Member(hints[field.name], field.default) for field in fields}
    name = value.get("type", kind.usual) if isinstance(value, Mapping) else kind.usual
    chosen = members(kind.settings_of(name), {}) if name and isinstance(name, str) else {}
    return {"type": Member(str, dataclasses.MISSING), **chosen}


def inner(kind: Any) -> Any:
    """The class of settings in a declared type such as ``Settings | None``, or None if there is none."""
    options = get_args(kind) if _is_union(kind) else (kind,)
    return next((option for option in options if isinstance(option, type) and dataclasses.is_dataclass(option)), None)


def _built(kind: Any, value: object, where: str) -> Any:
    if _is_union(kind):
        return _one_of(kind, value, where)
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _settings(kind, value, where)
    origin = get_origin(kind)
    if origin is tuple and isinstance(value, (list, tuple)):
        return _tuple(kind, value, where)
    if isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(value, Mapping):
        key, entry = get_args(kind)
        return {_built(key, one, where): _built(entry, two, f"{where}.{one}") for one, two in value.items()}
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not _fits(kind, value):
        raise BadSetting(f"{where} is {value!r}, expected {words(kind)}", "correct the setting")
    return value


def _fits(kind: Any, value: object) -> bool:
    """Whether a value is of a type without parts."""
    if kind is Any:
        return True
    if get_origin(kind) is Literal:
        return any(type(value) is type(choice) and value == choice for choice in get_args(kind))
    if not isinstance(kind, type) or (isinstance(value, bool) and kind is not bool):
        return False
    return isinstance(value, kind) and not (isinstance(value, float) and not isfinite(value))


def _settings(kind: Any, value: object, where: str) -> Any:
    if not isinstance(value, Mapping):
        raise BadSetting(f"{where} is {value!r}, expected a dict of settings", f"give {where} = dict(...)")
    if _chooses(kind):
        name = value.get("type", kind.usual)
        if not name or not isinstance(name, str):
            raise BadSetting(f"{where}.type is {name!r}, expected a name", f'give {where} = dict(type="...", ...)')
        rest = {key: one for key, one in value.items() if key != "type"}
        return kind(name, _settings(kind.settings_of(name), rest, where))
    known = members(kind, value)
    for key in value:
        if key not in known:
            place = f"{where}.{key}" if where else str(key)
            raise BadSetting(f"{place}: there is no such setting", suggestion(str(key), known))
    missing = [field.name for field in dataclasses.fields(kind) if _is_required(field) and field.name not in value]
    if missing:
        names = ", ".join(f"{where}.{name}" if where else name for name in missing)
        raise BadSetting(f"{names} is missing", "it has no default: say it in the configuration")
    given = {key: _built(known[key].kind, one, f"{where}.{key}" if where else key) for key, one in value.items()}
    try:
        return kind(**given)
    except BadSetting as error:
        raise BadSetting(f"{where}: {error}" if where else str(error), error.hint) from None


def _one_of(kind: Any, value: object, where: str) -> Any:
    options = get_args(kind)
    if value is None and type(None) in options:
        return None
    options = tuple(option for option in options if option is not type(None))
    if isinstance(value, Mapping) and inner(kind) is not None:
        return _built(inner(kind), value, where)
    for option in options:
        try:
            return _built(option, value, where)
        except BadSetting:
            continue
    raise BadSetting(f"{where} is {value!r}, expected {words(kind)}", "correct the setting")


def _tuple(kind: Any, value: list[Any] | tuple[Any, ...], where: str) -> tuple[Any, ...]:
    parts = get_args(kind)
    if parts[-1:] == (...,):
        parts = (parts[0],) * len(value)
    if len(parts) != len(value):
        raise BadSetting(f"{where} is {value!r}, expected {words(kind)}", f"give {len(parts)} values")
    return tuple(
        _built(part, one, f"{where}[{number}]") for number, (part, one) in enumerate(zip(parts, value, strict=True))
    )


def words(kind: Any) -> str:
    """A declared type in words."""
    if _is_union(kind):
        return " or ".join(words(option) for option in get_args(kind))
    if get_origin(kind) is Literal:
        return " or ".join(repr(choice) for choice in get_args(kind))
    if get_origin(kind) is tuple:
        parts = get_args(kind)
        return f"a list, each {words(parts[0])}" if parts[-1:] == (...,) else f"({', '.join(map(words, parts))})"
    known = {bool: "True or False", int: "a whole number", float: "a number", str: "text", type(None): "None"}
    return known.get(kind, "a dict of settings" if inner(kind) else getattr(kind, "__name__", str(kind)))


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in (Union, types.UnionType)


def _is_required(field: dataclasses.Field[Any]) -> bool:
    none = dataclasses.MISSING
    return field.init and field.default is none and field.default_factory is none


def _chooses(kind: Any) -> bool:
    return hasattr(kind, "settings_of")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)
