"""The differences that matter in an action: its key points, and statements with the measure that decides each."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TypeVar

from posediff.differencing.grammar.measures import Measure, Names, cue, measure
from posediff.differencing.grammar.places import ALL, FIRST, LAST, RESERVED
from posediff.differencing.grammar.vocabulary import JOINTS, PLACEHOLDER, SIDES
from posediff.differencing.statements.nodes import (
    Fault,
    Faults,
    Node,
    compose,
    entries,
    expression,
    mapping,
    name,
    number,
    place,
    string,
)
from posediff.differencing.statements.questions import KeyPoint, Question, Side, Taxonomy
from posediff.errors import BadSetting, suggestion

__all__ = ["KeyPoint", "Question", "Side", "Taxonomy", "built_in", "find", "is_of", "load"]

#: Where the built-in taxonomies lie: in an installed package, or else in a checkout.
FOLDERS = (Path(__file__).parents[2] / "taxonomies", Path(__file__).parents[3] / "annotations" / "taxonomies")

SIGNS = {"more": 1, "less": -1}

_SIDE = re.compile(r"\bside_(?!lean\b)")
Entry = TypeVar("Entry")


def load(path: str | Path) -> Taxonomy:
    """Read a taxonomy.

    Args:
        path: a YAML file.

    Raises:
        BadData: if it is no such file, with the faults of all its entries, each with its line and column.
    """
    path = Path(path)
    root, text = compose(path)
    faults = Faults(path)
    reader = _Reader(path, text, faults)
    with faults.kept():
        taxonomy = reader.taxonomy(root)
    faults.told()
    return taxonomy


def built_in() -> tuple[str, ...]:
    """The actions that have a taxonomy of posediff's own, in the order of the alphabet."""
    return tuple(sorted(path.stem for path in _folder().glob("*.yaml")))


def find(action: str) -> Taxonomy:
    """The built-in taxonomy of an action.

    Args:
        action: its name or an alias, in whatever case, words parted by spaces, ``_`` or ``-``.

    Raises:
        BadSetting: if there is none.
    """
    wanted = _plain(action)
    stem = wanted.replace(" ", "_")
    if stem in built_in():
        return load(_folder() / f"{stem}.yaml")
    names = _names(_folder())
    if wanted in names:
        return names[wanted]
    actions = ", ".join(built_in()) or "none"
    close = suggestion(wanted, names)
    hint = f"{close} There are: {actions}" if close.startswith("did you mean") else f"there are: {actions}"
    raise BadSetting(f"no built-in taxonomy is for the action {action!r}", hint)


@cache
def _names(folder: Path) -> dict[str, Taxonomy]:
    """Every taxonomy of a folder by all its names; read once, since statements in free words are looked for here."""
    taxonomies = [load(path) for path in sorted(folder.glob("*.yaml"))]
    return {_plain(name): one for one in taxonomies for name in (one.action, one.title, *one.aliases)}


def is_of(taxonomy: Taxonomy, action: str) -> bool:
    """Whether a taxonomy is of the action with this name or alias, whose spelling does not count."""
    return _plain(action) in map(_plain, (taxonomy.action, taxonomy.title, *taxonomy.aliases))


class _Reader:
    """Turns the nodes of one file into a taxonomy; the fault of an entry does not hide those of the next."""

    def __init__(self, path: Path, text: str, faults: Faults) -> None:
        self.path = path
        self.text = text
        self.faults = faults
        self.names = Names()

    def taxonomy(self, root: Node) -> Taxonomy:
        fields = mapping(
            root, "the taxonomy", ("action", "key_points", "differences"), ("title", "aliases", "description", "sides")
        )
        action = name(fields["action"], "action")
        texts = {"title": action.replace("_", " ").capitalize(), "description": ""}
        for field in texts:
            if field in fields:
                with self.faults.kept():
                    texts[field] = string(fields[field], field)
        aliases = self._all(fields.get("aliases"), "aliases", lambda node: string(node, "an alias"))
        # names first: an entry may name one that comes later, or whose own entry has a fault
        roles = _roles(fields.get("sides"))
        points = self._all(fields["key_points"], "key_points", _key_point_name, quiet=True)
        sides = self._sides(fields.get("sides"), roles)
        self.names = Names(tuple(points), tuple(roles))
        key_points = self._all(fields["key_points"], "key_points", self._key_point)
        self._once(fields["key_points"], "key point", "name")
        differences = self._all(fields["differences"], "differences", self._question)
        self._once(fields["differences"], "difference", "id")
        title, description = texts.values()
        return Taxonomy(action, title, aliases, description, sides, key_points, differences, self.path)

    def _all(
        self, node: Node | None, what: str, read: Callable[[Node], Entry], quiet: bool = False
    ) -> tuple[Entry, ...]:
        """Every entry of a list that can be read; the faults of the others are kept, or passed over."""
        found: list[Entry] = []
        faults = Faults(self.path) if quiet else self.faults
        with faults.kept():
            for entry in [] if node is None else entries(node, what):
                with faults.kept():
                    found.append(read(entry))
        return tuple(found)

    def _once(self, node: Node, what: str, field: str) -> None:
        """Keep a fault for every name that an entry before has."""
        seen: dict[str, Node] = {}
        for entry in node.value if node.id == "sequence" else ():
            for key, value in entry.value if entry.id == "mapping" else ():
                if key.value == field and value.id == "scalar":
                    first = seen.setdefault(value.value, value)
                    if first is not value:
                        with self.faults.kept():
                            line, _ = place(first)
                            raise Fault(value, f"a {what} of line {line} is called {value.value!r} too", "rename one")

    def _key_point(self, node: Node) -> KeyPoint:
        point = _key_point_name(node)
        fields = mapping(node, "a key point", ("name", "text", "cue"))
        shows = expression(fields["cue"], "cue", self.text, cue, names=self.names)
        return KeyPoint(point, string(fields["text"], "text"), replace(shows, text=string(fields["cue"], "cue")))

    def _question(self, node: Node) -> Question:
        fields = mapping(node, "a difference", ("id", "query", "where"), ("measure", "says", "least"))
        says = string(fields["says"], "says") if "says" in fields else "more"
        if says not in SIGNS:
            raise Fault(fields["says"], f"says is {says!r}, expected more or less")
        for field in ("says", "least"):
            if field in fields and "measure" not in fields:
                raise Fault(fields[field], f"{field} is there without a measure", "add a measure, or take it out")
        return Question(
            name(fields["id"], "id"),
            string(fields["query"], "query"),
            self._place(fields["where"]),
            self._measure(fields["measure"]) if "measure" in fields else None,
            SIGNS[says],
            number(fields["least"], "least") if "least" in fields else 0.0,
        )

    def _measure(self, node: Node) -> Measure:
        found = expression(node, "measure", self.text, measure, names=self.names)
        return replace(found, text=string(node, "measure"))

    def _place(self, node: Node) -> tuple[str, str]:
        text = string(node, "where")
        if text == ALL:
            return FIRST, LAST
        ends = [end.strip() for end in text.split("..")]
        known = [FIRST, *self.names.key_points, LAST]
        for end in ends:
            if end not in known:
                raise Fault(node, f"where is {text!r}: no key point is called {end!r}", suggestion(end, known))
        if len(ends) > 2 or (len(ends) == 2 and known.index(ends[0]) >= known.index(ends[1])):
            raise Fault(node, f"where is {text!r}, expected a key point, or an earlier one .. a later one")
        return ends[0], ends[-1]

    def _sides(self, node: Node | None, roles: Sequence[str]) -> tuple[Side, ...]:
        if node is None:
            return ()
        sides: list[Side] = []
        with self.faults.kept():
            mapping(node, "sides", roles[:1] or ["front"], roles)
            for key, value in node.value:
                with self.faults.kept():
                    sides.append(self._side(name(key, "a role"), key, value, roles))
        others = {side.role: side.other_of for side in sides if side.other_of}
        for side in sides:
            chain = [side.role]
            while chain[-1] in others and chain[-1] not in chain[:-1]:
                chain.append(others[chain[-1]])
            if chain[-1] == side.role and len(chain) > 1:
                with self.faults.kept():
                    value = next(value for key, value in node.value if key.value == side.role)
                    raise Fault(value, f"the roles go in a circle: {' not '.join(chain)}", "give one of them a measure")
        return tuple(sides)

    def _side(self, role: str, key: Node, node: Node, roles: Sequence[str]) -> Side:
        if role in (*SIDES, PLACEHOLDER):
            raise Fault(key, f"a role is called {role!r}", "choose a name such as front, lead or racket")
        text = string(node, role)
        if text.startswith("not "):
            other = text.removeprefix("not ").strip()
            if other not in roles:
                raise Fault(node, f"{role} is {text!r}: no role is called {other!r}", suggestion(other, roles))
            return Side(role, None, other)
        if not _SIDE.search(text):
            raise Fault(node, f"{role} is {text!r}, the same for both sides", "write side_ankle for either ankle")
        found = expression(node, role, self.text, measure, names=Names(roles=(PLACEHOLDER,)))
        return Side(role, replace(found, text=text))


def _key_point_name(node: Node) -> str:
    fields = {key.value: value for key, value in node.value if key.id == "scalar"} if node.id == "mapping" else {}
    if "name" not in fields:
        mapping(node, "a key point", ("name", "text", "cue"))
    found = name(fields["name"], "name")
    if found in RESERVED or found in JOINTS or f"left_{found}" in JOINTS:
        raise Fault(fields["name"], f"a key point is called {found!r}, which has a meaning already", "rename it")
    return found


def _roles(node: Node | None) -> list[str]:
    pairs = node.value if node is not None and node.id == "mapping" else ()
    return [key.value for key, _ in pairs if key.id == "scalar"]


def _folder() -> Path:
    return next((folder for folder in FOLDERS if folder.is_dir()), FOLDERS[-1])


def _plain(action: str) -> str:
    """A name whose spelling does not count: lower case, words parted by single spaces."""
    return " ".join(re.split(r"[\s_-]+", action.casefold().strip()))
