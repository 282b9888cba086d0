"""JIGSAWS (Gao et al. 2014): eight surgeons suture, tie knots and pass needles with a da Vinci robot.

A trial is called ``Suturing_B001``: the task, the letter of the surgeon, the number of the repetition. Its score is the
global rating, of six elements from 1 to 5. Every trial has 76 numbers 30 times a second, from which the two
instruments are made as a skeleton of their own, ``instruments10``. They are read when they are asked for.

Trials that have no rating are left out, as in the published lists of the four folds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from posediff.datasets.clips import Clip, Collection
from posediff.datasets.labels import with_files
from posediff.datasets.unpickle import load_plain
from posediff.errors import BadData, BadSetting, listed, suggestion
from posediff.io.checks import Fault, shown
from posediff.io.content import Content
from posediff.sequence import PoseSequence
from posediff.skeletons.catalogue import INSTRUMENTS10

TASKS = ("Suturing", "Needle_Passing", "Knot_Tying")
#: The elements of the global rating, in the order of the table.
ELEMENTS = (
    "respect_for_tissue",
    "suture_and_needle_handling",
    "time_and_motion",
    "flow_of_operation",
    "overall_performance",
    "quality_of_final_product",
)
LOWEST, HIGHEST = 1, 5
RANGE = (LOWEST * len(ELEMENTS), HIGHEST * len(ELEMENTS))

FPS = 30.0
#: Numbers of one manipulator: place 3, rotation 9, velocities 3 and 3, angle of the gripper 1.
WIDTH = 19
#: First number of the left manipulator; the right one follows.
FIRST = {"master": 0, "slave": 2 * WIDTH}
#: Centimetres from the tip to the points that stand for its axes, and to the ends of its jaws.
LENGTH = 1.0

_TRIAL = re.compile(r"(?P<task>[A-Za-z_]+)_(?P<surgeon>[A-Z])(?P<repetition>\d{3})")
_HINT = "give the files as they were published"

Manipulators = Literal["slave", "master"]


@dataclass(frozen=True)
class JIGSAWSSettings:
    """Where JIGSAWS lies, and what is tested on.

    Attributes:
        root: folder that holds ``Suturing``, ``Needle_Passing`` and ``Knot_Tying``, or those of them that are used.
        tasks: which of them.
        protocol: ``four_fold``: the four lists that USDL and those after it use; the same surgeons are on both sides.
            ``user_out``: one surgeon is tested on. ``super_trial_out``: one repetition of every surgeon is.
        fold: which is tested on: 1 to 4, the letter of the surgeon, or the number of the repetition.
        splits: the pickle of the four lists by task, ``splits.pkl`` of USDL, which ``four_fold`` needs.
        manipulators: ``slave`` for the instruments, ``master`` for what the surgeon's hands hold, ``none`` for neither,
            where there are pictures alone.
        images: folder that holds a folder of pictures for each trial, ``Suturing_B001_capture1``; empty for none.
        capture: 1 for the left camera, 2 for the right one.
    """

    root: str
    tasks: tuple[str, ...] = TASKS
    protocol: Literal["four_fold", "user_out", "super_trial_out"] = "four_fold"
    fold: str = "1"
    splits: str = ""
    manipulators: Literal["slave", "master", "none"] = "slave"
    images: str = ""
    capture: Literal[1, 2] = 1

    def __post_init__(self) -> None:
        for task in self.tasks:
            if task not in TASKS:
                raise BadSetting(f"JIGSAWSSettings: there is no task {task!r}", suggestion(task, TASKS))
        if not self.tasks:
            raise BadSetting("JIGSAWSSettings: tasks is empty", f"choose from: {', '.join(TASKS)}")
        if self.protocol == "four_fold" and not self.splits:
            raise BadSetting(
                "JIGSAWSSettings: the protocol four_fold needs splits, the published pickle of the four lists",
                "name it, or choose the protocol user_out, which needs no file",
            )


def load(settings: JIGSAWSSettings) -> Collection:
    """The trials of the chosen tasks, one fold for testing.

    Raises:
        BadSetting: if there is no such fold.
        BadData: if ratings are missing or wrong, or trials have no kinematics or pictures.
    """
    root = Path(settings.root)
    clips: dict[str, Clip] = {}
    for task in dict.fromkeys(settings.tasks):
        clips |= _rated(root, task)
    fold_of = _folds(settings, clips)
    names = sorted(set(fold_of.values()))
    if settings.fold not in names:
        raise BadSetting(
            f"JIGSAWS: there is no fold {settings.fold!r} of {settings.protocol}", f"there are: {', '.join(names)}"
        )
    if len(names) == 1:
        raise BadData(
            f"{root}: no trial is for training, all are in fold {names[0]!r} of {settings.protocol}",
            "give more trials, or choose another protocol",
        )
    used = {key: clips[key] for key in fold_of}
    folder = f"{{trial}}_capture{settings.capture}"
    used = with_files(used, "images", settings.images, (folder,), lambda clip: {"trial": clip.key})
    train, test = (
        tuple(clip for key, clip in used.items() if (fold_of[key] == settings.fold) is tested)
        for tested in (False, True)
    )
    return Collection(
        name="JIGSAWS",
        train=train,
        test=test,
        score_range=(float(RANGE[0]), float(RANGE[1])),
        sequences={} if settings.manipulators == "none" else _Kinematics(root, used, settings.manipulators),
    )


def read_kinematics(path: str | Path, manipulators: Manipulators = "slave") -> PoseSequence:
    """The two instruments of a trial as a skeleton in centimetres.

    Of each there are the tip, points at 1 cm from it along its x and z axes, and the ends of two jaws of 1 cm, which
    open about its y axis from its z axis by half the gripper's angle each. The y axis follows from the others, and
    without it the mirror image of an instrument is one, too. That jaws open about y, that places are metres and angles
    radians is assumed: the data set does not say.

    Args:
        path: a text of 76 numbers a line, those of a rotation matrix row by row.
        manipulators: which pair.

    Returns:
        T frames of 10 joints, 30 frames a second.

    Raises:
        BadData: if it is no such text.
    """
    text = Content(Path(path)).text
    try:
        rows = [np.array(line.split(), float) for line in text.splitlines() if line.strip()]
    except ValueError as error:
        raise BadData(f"{path}: {error}", _HINT) from None
    for number, row in enumerate(rows, 1):
        if len(row) != 4 * WIDTH or not np.isfinite(row).all():
            what = f"{len(row)} numbers" if len(row) != 4 * WIDTH else "a number that is not finite"
            raise BadData(f"{path}: row {number} has {what}, expected {4 * WIDTH} finite ones", _HINT)
    if not rows:
        raise BadData(f"{path}: holds no numbers", _HINT)
    values, first = np.stack(rows), FIRST[manipulators]
    sides = [_instrument(values[:, first + side * WIDTH : first + (side + 1) * WIDTH]) for side in (0, 1)]
    return PoseSequence(
        np.concatenate(sides, axis=1),
        INSTRUMENTS10,
        fps=FPS,
        units="cm",
        source={"path": str(path), "steps": [f"instruments({manipulators})"]},
    )


def _instrument(values: np.ndarray) -> np.ndarray:
    """(T, 19) numbers of one manipulator as (T, 5, 3) points."""
    tip = 100 * values[:, :3]
    x, _, z = np.moveaxis(values[:, 3:12].reshape(-1, 3, 3), 2, 0)
    half = values[:, WIDTH - 1, None] / 2
    jaws = [np.cos(half) * z + sign * np.sin(half) * x for sign in (1, -1)]
    return np.stack([tip, *(tip + LENGTH * away for away in (x, z, *jaws))], axis=1)


class _Kinematics(Mapping[str, PoseSequence]):
    """Trials by key, each read when it is asked for: all together are some hundred megabytes of text."""

    def __init__(self, root: Path, clips: Mapping[str, Clip], manipulators: Manipulators) -> None:
        folder = Path("kinematics", "AllGestures")
        self._paths = {key: root / clip.action / folder / f"{key}.txt" for key, clip in clips.items()}
        self._manipulators = manipulators
        if missing := [str(path) for path in self._paths.values() if not path.is_file()]:
            raise BadData(f"{root}: {len(missing)} of {len(clips)} trials have no kinematics: {listed(missing)}", _HINT)

    def __getitem__(self, key: str) -> PoseSequence:
        return read_kinematics(self._paths[key], self._manipulators)

    def __contains__(self, key: object) -> bool:
        return key in self._paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def _rated(root: Path, task: str) -> dict[str, Clip]:
    """The trials of a task that have a rating, in the order of the table."""
    path = root / task / f"meta_file_{task}.txt"
    clips: dict[str, Clip] = {}
    faults = []
    for number, line in enumerate(Content(path).text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            clip = _clip(root, task, line.split())
            if clip.key in clips:
                raise Fault(f"{clip.key} is rated already")
            clips[clip.key] = clip
        except (Fault, BadData) as error:
            faults.append(f"line {number}: {error}")
    if faults or not clips:
        raise BadData(f"{path}: {listed(faults, '; ') or 'rates no trial'}", _HINT)
    return clips


def _clip(root: Path, task: str, cells: list[str]) -> Clip:
    if len(cells) != 3 + len(ELEMENTS):
        raise Fault(f"has {len(cells)} columns, expected trial, skill, rating and its {len(ELEMENTS)} elements")
    match = _TRIAL.fullmatch(cells[0])
    if match is None or match["task"] != task:
        raise Fault(f"the trial is {shown(cells[0])}, expected one such as {task}_B001")
    rating, *elements = (_whole(cell) for cell in cells[2:])
    if not all(LOWEST <= element <= HIGHEST for element in elements):
        raise Fault(f"the elements of the rating are {elements}, expected {LOWEST} to {HIGHEST} each")
    if not RANGE[0] <= rating <= RANGE[1]:
        raise Fault(f"the rating is {rating}, expected {RANGE[0]} to {RANGE[1]}")
    gestures = _gestures(root / task / "transcriptions" / f"{cells[0]}.txt")
    return Clip(
        key=cells[0],
        score=float(rating),
        action=task,
        performer=match["surgeon"],
        extra={
            "skill": cells[1],
            "repetition": int(match["repetition"]),
            **dict(zip(ELEMENTS, elements, strict=True)),
            **({"gestures": gestures} if gestures else {}),
        },
    )


def _whole(cell: str) -> int:
    if not re.fullmatch(r"\d{1,3}", cell):
        raise Fault(f"the rating has {shown(cell)}, expected a whole number")
    return int(cell)


def _gestures(path: Path) -> tuple[tuple[int, int, str], ...]:
    """First frame, last frame and name of every gesture, frames counted from 1; none where they are not transcribed."""
    if not path.is_file() or path.stat().st_size == 0:
        return ()
    rows = [line.split() for line in Content(path).text.splitlines() if line.strip()]
    if not all(len(row) == 3 and row[0].isdecimal() and row[1].isdecimal() for row in rows):
        raise BadData(f"{path}: expected first frame, last frame and name of a gesture in every line", _HINT)
    return tuple((int(first), int(last), name) for first, last, name in rows)


def _folds(settings: JIGSAWSSettings, clips: Mapping[str, Clip]) -> dict[str, str]:
    """The fold of every trial."""
    if settings.protocol == "user_out":
        return {key: clip.performer for key, clip in clips.items()}
    if settings.protocol == "super_trial_out":
        return {key: str(clip.extra["repetition"]) for key, clip in clips.items()}
    return _published(settings, clips)


def _published(settings: JIGSAWSSettings, clips: Mapping[str, Clip]) -> dict[str, str]:
    """The fold of every trial that the published lists have."""
    path = Path(settings.splits)
    table: Any = load_plain(path)
    fold_of: dict[str, str] = {}
    for task in dict.fromkeys(settings.tasks):
        lists = table.get(task) if isinstance(table, dict) else None
        if not isinstance(lists, list) or not all(isinstance(part, list) for part in lists):
            raise BadData(f"{path}: has no lists of trials of the task {task}", "give the splits of USDL")
        for number, part in enumerate(lists, 1):
            for key in part:
                if not isinstance(key, str) or key not in clips:
                    raise BadData(f"{path}: fold {number} of {task} has {shown(key)}, which is not rated", _HINT)
                if key in fold_of:
                    raise BadData(f"{path}: {key} is in fold {fold_of[key]} and in fold {number} of {task}", _HINT)
                fold_of[key] = str(number)
    return fold_of
