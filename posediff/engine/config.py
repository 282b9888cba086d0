"""Configuration files: mmengine's Python configs, read strictly into an :class:`Experiment`."""

from __future__ import annotations

import ast
import dataclasses
import json
import logging
import os
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, TypeVar

from posediff.engine.build import build, inner, members, plain
from posediff.engine.experiment import Experiment
from posediff.errors import BadData, BadSetting, MissingDependency, suggestion

#: Of the file in a working folder that holds an experiment with every default filled in.
FORMAT = "posediff.experiment/1"

T = TypeVar("T")

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


def load_experiment(path: str | Path, options: Sequence[str] = ()) -> Experiment:
    """The experiment that a configuration file describes.

    The file is one of mmengine's Python configs, with ``_base_`` for what it shares with others, or the
    ``experiment.json`` of a working folder. Names that begin with an underscore are the file's own. Paths in it are
    relative to the folder that the program is run in; ``$NAME`` in them is an environment variable and a leading ``~``
    the home folder, both replaced when the path is used (:func:`expanded`).

    Args:
        path: the file.
        options: settings in place of the file's, ``optimizer.lr=1e-4``; values are Python literals, or text.

    Raises:
        BadData: if the file cannot be read as a configuration.
        BadSetting: if a setting is unknown, missing or of the wrong type, or an option is.
        MissingDependency: if mmengine is not installed.
    """
    settings = read_config(Path(path))
    for option in options:
        settings = _with_option(settings, option)
    settings.setdefault("name", Path(path).stem)
    return build(Experiment, settings)


def resolved(experiment: Experiment) -> dict[str, Any]:
    """The experiment as plain JSON, with every default; :func:`from_resolved` is the inverse."""
    return dict(plain(experiment))


def from_resolved(settings: Mapping[str, Any]) -> Experiment:
    """The experiment that :func:`resolved` wrote.

    Raises:
        BadSetting: if a setting is unknown or of the wrong type.
    """
    return build(Experiment, settings)


def expanded(settings: T) -> T:
    """Settings with the environment variables and the home folder in their texts replaced.

    Raises:
        BadSetting: if a variable is not set.
    """
    if isinstance(settings, str):
        return os.path.expanduser(_VARIABLE.sub(_variable, settings))  # type: ignore[return-value]
    if isinstance(settings, tuple):
        return tuple(expanded(one) for one in settings)  # type: ignore[return-value]
    if not dataclasses.is_dataclass(settings) or isinstance(settings, type):
        return settings
    old = {field.name: getattr(settings, field.name) for field in dataclasses.fields(settings) if field.init}
    new = {name: expanded(value) for name, value in old.items()}
    return settings if new == old else dataclasses.replace(settings, **new)


def read_config(path: Path) -> dict[str, Any]:
    """The settings in a configuration file, not checked yet.

    Raises:
        BadData: if it cannot be read as a configuration.
        MissingDependency: if mmengine is not installed.
    """
    if not path.is_file():
        raise BadData(f"{path}: there is no such file", "give the path of a configuration file")
    if path.suffix == ".json":
        return _read_json(path)
    try:
        from mmengine.config import Config
    except ImportError:
        raise MissingDependency("mmengine", "train", "reading a configuration") from None
    hint = "give a Python file that assigns model, data, optimizer, ... dicts of settings"
    if path.suffix != ".py":
        raise BadData(f"{path}: is not a Python file", hint)
    quiet = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        settings = Config.fromfile(str(path), import_custom_modules=False).to_dict()
    except SyntaxError as error:
        raise BadData(f"{path}: cannot be read: {error.msg} in line {error.lineno}", hint) from None
    except FileNotFoundError as error:
        raise BadData(f"{path}: needs a file that is not there ({error.filename or error})", hint) from None
    except (Exception, SystemExit) as error:  # the file is a program: it can fail in any way
        raise BadData(f"{path}: cannot be read: {type(error).__name__}: {error}", hint) from None
    finally:
        logging.disable(quiet)
    return {key: value for key, value in settings.items() if not key.startswith("_")}


def _read_json(path: Path) -> dict[str, Any]:
    hint = "give a Python configuration, or the experiment.json of a working folder"
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadData(f"{path}: cannot be read ({error})", hint) from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadData(f"{path}: is not of the format {FORMAT}", hint)
    settings = document.get("experiment")
    if not isinstance(settings, dict):
        raise BadData(f"{path}: its experiment is {type(settings).__name__}, expected settings by name", hint)
    return settings


def _variable(match: re.Match[str]) -> str:
    name = match[1] or match[2]
    if name not in os.environ:
        raise BadSetting(f"{match.string!r}: the environment variable {name} is not set", f"export {name}=...")
    return os.environ[name]


def _with_option(settings: dict[str, Any], option: str) -> dict[str, Any]:
    """The settings with one of them replaced, if there is a setting of that name."""
    path, sign, text = option.partition("=")
    parts = path.strip().split(".")
    if not sign or not all(parts):
        raise BadSetting(f"--cfg-options: {option!r} is not KEY=VALUE", "give for instance optimizer.lr=1e-4")
    settings = deepcopy(settings)
    node, kind = settings, Experiment
    for depth, part in enumerate(parts, 1):
        known, where = members(kind, node), ".".join(parts[:depth])
        if part not in known:
            above = where.removesuffix(part)
            raise BadSetting(f"--cfg-options {path}: there is no setting {where}", suggestion(part, known, above))
        if depth == len(parts):
            node[part] = text if known[part].kind is str else _literal(text)
            break
        kind = inner(known[part].kind)
        if kind is None:
            raise BadSetting(f"--cfg-options {path}: {where} has no settings of its own", f"give {where}=...")
        inside = node.setdefault(part, None if known[part].default is None else {})
        if not isinstance(inside, dict):
            rest = path.strip().removeprefix(f"{where}.")
            raise BadSetting(
                f"--cfg-options {path}: {where} is {inside!r}, so it has no {rest}",
                f"""give {where}='{{"{rest}": ...}}'""",
            )
        node = inside
    return settings


def _literal(text: str) -> Any:
    """A Python literal, or else the text itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
