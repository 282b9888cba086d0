"""UI-PRMD (Vakanski et al. 2018): rehabilitation exercises before a Kinect, done correctly and incorrectly.

Ten subjects did ten movements ten times in each way. An episode is called ``m01/s02/e03``, the incorrect one
``m01/s02/e03-inc``; its score is 1 where it is correct, else 0. It is compared with others of its movement, and nobody
is both learnt from and tested on. Folds are read from a JSON file, ``{movement: {fold: [{"movement": 1, "subject": 5,
"episode": 2, "correct": true}, ...]}}``, such as those of EGCN (Yu et al. 2022); episodes that it leaves out are not
used. Without a file there are five folds of two subjects each, in the same order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from posediff.datasets.clips import Clip, Collection
from posediff.errors import BadData, BadSetting, listed, suggestion
from posediff.io.checks import Fault, get, shown
from posediff.io.content import Content
from posediff.io.documents import objects

#: The table of positions of an episode; its table of angles is found by :mod:`posediff.io.kinect`.
NAME = re.compile(r"m(\d+)_s(\d+)_e(\d+)_positions(_inc)?\.txt(\.gz)?")

#: Folds where no file says otherwise: subjects by the remainder, 5 and 10 in the first, 4 and 9 in the last.
FOLDS = 5

_HINT = "correct the folds, or leave them out for five folds of two subjects each"


@dataclass(frozen=True)
class UIPRMDSettings:
    """Where UI-PRMD lies, and what is tested on.

    Attributes:
        root: folder that holds ``Segmented Movements`` and ``Incorrect Segmented Movements``, or one above it.
        folds: JSON file of the folds; empty for five folds of two subjects each, of all episodes.
        movements: numbers; by default all that are found and that the folds have.
        fold: name of the fold whose episodes are for testing; those of the others are for training.
    """

    root: str
    folds: str = ""
    movements: tuple[int, ...] = ()
    fold: str = "1"


@dataclass(frozen=True)
class Episode:
    """One performance of an exercise."""

    movement: int
    subject: int
    number: int
    correct: bool
    path: Path

    @property
    def key(self) -> str:
        """What its clip is called."""
        ending = "" if self.correct else "-inc"
        return f"m{self.movement:02d}/s{self.subject:02d}/e{self.number:02d}{ending}"


def episodes(root: Path) -> list[Episode]:
    """All Kinect episodes anywhere below a folder: by movement and subject, the correct ones first.

    Raises:
        BadData: if there are none, or one is there twice.
    """
    found: dict[str, Episode] = {}
    for path in sorted(root.rglob("*_positions*.txt*")):
        match = NAME.fullmatch(path.name)
        if match and "Kinect" in path.parts:
            movement, subject, number = (int(part) for part in match.groups()[:3])
            one = Episode(movement, subject, number, match[4] is None, path)
            if found.setdefault(one.key, one) is not one:
                raise BadData(f"{path}: is the same episode as {found[one.key].path}", "keep one of them")
    if not found:
        raise BadData(f"{root} holds no UI-PRMD episodes", "name the folder that holds 'Segmented Movements'")
    return sorted(found.values(), key=lambda one: (one.movement, one.subject, not one.correct, one.number))


def folds(settings: UIPRMDSettings) -> dict[int, dict[str, list[Episode]]]:
    """The episodes of every fold, by movement and by the name of the fold; a fold may be empty.

    Raises:
        BadData: if episodes or movements are missing, or the folds are not to be understood.
    """
    found = episodes(Path(settings.root))
    there = sorted({one.movement for one in found})
    document = None if not settings.folds else _document(Path(settings.folds))
    if document is not None:
        there = [movement for movement in there if str(movement) in document]
    wanted = settings.movements or tuple(there)
    if not wanted:
        raise BadData(f"{settings.folds}: has none of the movements in {settings.root}", _HINT)
    for movement in wanted:
        if movement not in there:
            place = settings.root if all(one.movement != movement for one in found) else settings.folds
            raise BadData(f"{place}: has no movement {movement}", f"there are: {', '.join(map(str, there))}")
    own = {movement: [one for one in found if one.movement == movement] for movement in wanted}
    if document is None:
        return {movement: _by_subject(found) for movement, found in own.items()}
    try:
        return {movement: _as_told(document[str(movement)], movement, found) for movement, found in own.items()}
    except Fault as fault:
        raise BadData(f"{settings.folds}: {fault}", _HINT) from None


def divided(folds: Mapping[str, Sequence[Episode]], fold: str) -> tuple[list[Episode], list[Episode]]:
    """The episodes of one movement for training, which are those of all other folds, and those for testing."""
    return [one for name, part in folds.items() if name != fold for one in part], list(folds.get(fold, ()))


def load(settings: UIPRMDSettings) -> Collection:
    """The clips of all movements, one fold for testing.

    Raises:
        BadSetting: if there is no such fold.
        BadData: if nothing is for testing or for training, somebody is on both sides, or as :func:`folds` does.
    """
    by_movement = folds(settings)
    names = list(dict.fromkeys(name for parts in by_movement.values() for name in parts))
    if settings.fold not in names:
        raise BadSetting(f"UI-PRMD: there is no fold {settings.fold!r}", suggestion(settings.fold, names))
    train: list[Episode] = []
    test: list[Episode] = []
    for parts in by_movement.values():
        for side, part in zip((train, test), divided(parts, settings.fold), strict=True):
            side += part
    place, chosen = settings.folds or settings.root, f"fold {settings.fold!r} of movement {listed(by_movement)}"
    for side, what in ((train, "training"), (test, "testing")):
        if not side:
            raise BadData(f"{place}: no episode is for {what} by {chosen}", "choose another fold or more movements")
    if both := sorted({one.subject for one in train} & {one.subject for one in test}):
        raise BadData(f"{place}: for training and for testing by {chosen} is subject {listed(both)}", _HINT)
    return Collection(
        name="UI-PRMD", train=tuple(map(_clip, train)), test=tuple(map(_clip, test)), score_range=(0.0, 1.0)
    )


def _clip(one: Episode) -> Clip:
    return Clip(
        key=one.key,
        score=float(one.correct),
        action=f"m{one.movement:02d}",
        poses=str(one.path),
        performer=f"s{one.subject:02d}",
        extra={"movement": one.movement, "subject": one.subject, "episode": one.number, "correct": one.correct},
    )


def _by_subject(found: Sequence[Episode]) -> dict[str, list[Episode]]:
    """Five folds, the first those of the subjects 5 and 10."""
    return {str(part + 1): [one for one in found if one.subject % FOLDS == part] for part in range(FOLDS)}


def _document(path: Path) -> dict[str, Any]:
    document = Content(path).document
    if not isinstance(document, dict):
        raise BadData(f"{path}: is {shown(document)}, expected folds by movement", _HINT)
    return document


def _as_told(parts: Any, movement: int, found: Sequence[Episode]) -> dict[str, list[Episode]]:
    """The folds of one movement as the file has them.

    Raises:
        Fault: at the first episode that is none, or with all that are not there.
    """
    if not isinstance(parts, dict):
        raise Fault(f"{movement} is {shown(parts)}, expected episodes by fold")
    there = {one.key: one for one in found}
    used: dict[str, str] = {}
    missing: list[str] = []
    contradicted: list[str] = []
    told: dict[str, list[Episode]] = {name: [] for name in parts}
    for name, part in parts.items():
        for number, entry in enumerate(objects(part, f"{movement}.{name}")):
            place = f"{movement}.{name}[{number}]"
            one = _entry(entry, movement, place)
            if one.key in used:
                raise Fault(f"{place} is {one.key}, which is in fold {used[one.key]!r} already")
            used[one.key] = name
            if one.key in there:
                told[name].append(there[one.key])
            else:
                other = Episode(one.movement, one.subject, one.number, not one.correct, one.path)
                (contradicted if other.key in there else missing).append(one.key)
    if contradicted:
        raise Fault(f"{len(contradicted)} episodes are there only with the other label: {listed(contradicted)}")
    if missing:
        raise Fault(f"{len(missing)} of {len(used)} episodes of movement {movement} are missing: {listed(missing)}")
    return told


def _entry(entry: dict[str, Any], movement: int, place: str) -> Episode:
    own, subject, number = (get(entry, name, int, place) for name in ("movement", "subject", "episode"))
    correct = entry.get("correct")
    if not isinstance(correct, bool):
        raise Fault(f"{place}.correct is {shown(correct)}, expected true or false")
    if own != movement:
        raise Fault(f"{place}.movement is {own}, expected {movement}")
    return Episode(own, subject, number, correct, Path())
