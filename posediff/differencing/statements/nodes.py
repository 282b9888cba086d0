"""YAML read strictly, so that every fault is told with its line and column.

The document is never turned into Python objects: its nodes are checked one by one. Tags construct nothing, aliases are
refused, and a bare ``no`` or ``3`` where a text belongs is a fault, not a boolean or a number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from posediff.errors import BadData, BadSetting, listed, suggestion
from posediff.io.content import Content

#: Most bytes of a file; one written by hand has some thousands.
LARGEST = 2**20

_TEXT = "tag:yaml.org,2002:str"
_KINDS = {"bool": "true or false", "int": "a number", "float": "a number", "null": "nothing", "timestamp": "a date"}
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_HINT = "correct the file"

#: A node of PyYAML, whose types are not looked into.
Node = Any
Parsed = TypeVar("Parsed")


class Fault(Exception):
    """One thing that is wrong at a node."""

    def __init__(self, node: Node, message: str, hint: str = _HINT) -> None:
        super().__init__(message)
        self.place = place(node)
        self.hint = hint


class Faults:
    """All the faults of one file, told as one error.

    Args:
        path: the file, as messages name it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found: list[tuple[tuple[int, int], str, str]] = []

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Keep the fault that ends this block, and go on after it."""
        try:
            yield
        except Fault as fault:
            self._found.append((fault.place, str(fault), fault.hint))

    def told(self) -> None:
        """Raise what was kept, in the order of the file.

        Raises:
            BadData: if there is any.
        """
        if self._found:
            found = sorted(self._found)
            texts = [f"line {line}, column {column}: {message}" for (line, column), message, _ in found]
            raise BadData(f"{self.path}, {listed(texts, '; ')}", found[0][2])


def compose(path: Path) -> tuple[Node, str]:
    """The root node of a YAML file, and the file's text.

    Raises:
        BadData: if the file is missing, no UTF-8, too long, no YAML or empty, or has aliases.
    """
    import yaml

    text = _text(path)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        raise BadData(f"{path}: the YAML is nested too deeply", "check what wrote the file") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = " ".join(filter(None, (error.context, error.problem)))
        raise BadData(
            f"{path}, line {mark.line + 1}, column {mark.column + 1}: is not valid YAML ({reason})",
            "check quotes, brackets and the spaces at the start of the line; is the file whole?",
        ) from None
    except yaml.YAMLError as error:  # a character that YAML does not allow
        reason = " ".join(str(error).split())
        raise BadData(f"{path}: is not valid YAML ({reason})", "remove the character") from None
    if root is None:
        raise BadData(f"{path}: is empty", "write it again")
    faults = Faults(path)
    with faults.kept():
        _without_aliases(root)
    faults.told()
    return root, text


def mapping(node: Node, what: str, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Node]:
    """The values of a mapping's fields.

    Raises:
        Fault: if it is no mapping, or has a field twice, an unknown field, or lacks one.
    """
    if node.id != "mapping":
        raise Fault(node, f"{what} is {shown(node)}, expected fields such as `{required[0]}: ...`")
    fields: dict[str, Node] = {}
    known = [*required, *optional]
    for key, value in node.value:
        if key.id != "scalar" or key.value not in known:
            name = key.value if key.id == "scalar" else shown(key)
            raise Fault(key, f"{what} has no field {name!r}", suggestion(name, known))
        if key.value in fields:
            raise Fault(key, f"{what} has the field {key.value!r} twice", "keep one")
        fields[key.value] = value
    missing = [name for name in required if name not in fields]
    if missing:
        raise Fault(node, f"{what} lacks {listed(missing)}", f"add `{missing[0]}: ...`")
    return fields


def entries(node: Node, what: str) -> list[Node]:
    """The nodes of a list that is not empty."""
    if node.id != "sequence" or not node.value:
        raise Fault(node, f"{what} is {shown(node)}, expected a list with one entry or more")
    return list(node.value)


def string(node: Node, what: str) -> str:
    """A text, its white space folded."""
    if node.id == "scalar" and node.tag != _TEXT:
        kind = _KINDS.get(node.tag.rpartition(":")[2], "something else")
        raise Fault(node, f"{what} is {node.value!r}, which YAML reads as {kind}", f'write "{node.value}"')
    if node.id != "scalar" or not node.value.strip():
        raise Fault(node, f"{what} is {shown(node)}, expected a text")
    return " ".join(node.value.split())


def name(node: Node, what: str) -> str:
    """A name of lower-case letters, digits and underscores."""
    text = string(node, what)
    if not _NAME.fullmatch(text):
        raise Fault(node, f"{what} is {text!r}", "write lower-case letters, digits and _, a letter first")
    return text


def number(node: Node, what: str) -> float:
    """A finite number of 0 or more, plainly written."""
    try:
        value = float(node.value) if node.id == "scalar" and node.style is None else math.nan
    except ValueError:
        value = math.nan
    if not 0 <= value < math.inf:
        raise Fault(node, f"{what} is {shown(node)}, expected a number of 0 or more")
    return value


def expression(node: Node, what: str, text: str, parse: Callable[..., Parsed], **arguments: Any) -> Parsed:
    """What a parser makes of a text, its faults told with their line and column in the file.

    The parser is given the lines as they stand in the file: YAML's own text has lost where its words were.

    Args:
        node: the text's node.
        what: what it is, for messages.
        text: the whole file.
        parse: takes the text, and the ``line`` in which it begins.
        arguments: what else the parser takes.
    """
    string(node, what)
    written, line = _written(node, text)
    try:
        return parse(written, line=line, **arguments)
    except BadSetting as error:
        message = str(error)
        found = re.match(r"line (\d+), column (\d+): ", message)
        fault = Fault(node, f"{what}: {message[found.end() :] if found else message}", error.hint or _HINT)
        if found:  # what is wrong with the whole text is told where the text begins
            begins = line, len(written) - len(written.lstrip(" ")) + 1
            fault.place = max(begins, (int(found[1]), int(found[2])))
        raise fault from None


def place(node: Node) -> tuple[int, int]:
    """Line and column of a node, both counted from 1."""
    return node.start_mark.line + 1, node.start_mark.column + 1


def shown(node: Node) -> str:
    """A node as a message repeats it: short, and a list or a mapping by its kind."""
    if node.id != "scalar":
        return f"{'an empty' if not node.value else 'a'} {'list' if node.id == 'sequence' else 'mapping'}"
    text = repr(node.value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _text(path: Path) -> str:
    if Content(path).is_folder:
        raise BadData(f"{path}: is a folder", "give a file")
    try:
        with open(path, "rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise BadData(f"{path}: holds more than {LARGEST:,} bytes", "is it the right file?")
        return data.decode("utf-8-sig")
    except OSError as error:
        raise BadData(f"{path}: cannot be read ({error.strerror or error})", "check the path") from None
    except UnicodeDecodeError as error:
        raise BadData(f"{path}: is not UTF-8 text ({error.reason} at byte {error.start})", "save it as UTF-8") from None


def _without_aliases(root: Node) -> None:
    """Raise a Fault at a node that is there twice, or within itself: a few aliases could unfold to billions."""
    seen: set[int] = set()
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            raise Fault(node, "is used again by an alias (*)", "write it out where it is used")
        seen.add(id(node))
        if node.id == "sequence":
            waiting += node.value
        elif node.id == "mapping":
            waiting += [part for pair in node.value for part in pair]


def _written(node: Node, text: str) -> tuple[str, int]:
    """A text as it stands in the file, each word in its column, and the line in which it begins."""
    line, column = place(node)
    written = text[node.start_mark.index : node.end_mark.index]
    if node.style in ("|", ">"):
        _, _, written = written.partition("\n")
        line, column = line + 1, 1
    elif node.style in ("'", '"'):
        written, column = written[1:-1], column + 1
    if written.split() != node.value.split():  # an escape, an anchor or a tag: then as YAML understands it
        (line, column), written = place(node), node.value
    return " " * (column - 1) + written, line
