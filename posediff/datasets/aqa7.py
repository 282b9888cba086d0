"""AQA-7 (Parmar and Morris 2019) in the form that CoRe and others share: frames and the fourth split.

A clip is called ``diving/001``: the class, and the number of the video within it. It has 103 frames. The seventh class,
trampoline, has longer videos and is left out, as by those who report on six classes.

Classes are judged on scales of their own: a vault has 12 to 17 points, a dive up to 100. So that they can be learnt
together, a score is told in percent of the range of its class, as CoRe does; no figure of a single class depends on it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from posediff.datasets.clips import Clip, Collection
from posediff.datasets.labels import AS_PUBLISHED, check_patterns, gathered, with_files
from posediff.errors import BadData, BadSetting, suggestion
from posediff.io.content import Content

#: Lowest and highest score of each class, in the order of its number, from 1, in the split (released code of CoRe).
RANGES = {
    "diving": (21.6, 102.6),
    "gym_vault": (12.3, 16.87),
    "ski_big_air": (8.0, 50.0),
    "snowboard_big_air": (8.0, 50.0),
    "sync_diving_3m": (46.2, 104.88),
    "sync_diving_10m": (49.8, 99.36),
}
#: How far a score may lie beyond its range, which is that of the clips and no rule of the sport, as a part of it.
BEYOND = 0.5
#: Number of the class that is left out.
TRAMPOLINE = 7

#: Frames of a clip.
FRAMES = 103

#: The file of each part of the split, and the name of its table: rows of class, video, score.
SPLITS = {
    "train": ("split_4_train_list.mat", "consolidated_train_list"),
    "test": ("split_4_test_list.mat", "consolidated_test_list"),
}


@dataclass(frozen=True)
class AQA7Settings:
    """Where AQA-7 lies.

    Attributes:
        root: folder that holds ``Split_4``.
        classes: which are used; the papers train one network for each.
        percent: whether a score is told in percent of the range of its class; else as published, which only one class
            can be.
        poses: folder of the skeleton files; empty for none.
        pose_files: how they are called there, tried in order.
        images: folder of the pictures, ``diving-out/001/*.jpg``; empty for none.
    """

    root: str
    classes: tuple[str, ...] = tuple(RANGES)
    percent: bool = True
    poses: str = ""
    pose_files: tuple[str, ...] = ("{action}-out/{video:03d}.json", "{action}/{video:03d}.json")
    images: str = ""

    def __post_init__(self) -> None:
        for name in self.classes:
            if name not in RANGES:
                raise BadSetting(f"AQA7Settings: there is no class {name!r}", suggestion(name, RANGES))
        if not self.classes:
            raise BadSetting("AQA7Settings: classes is empty", f"choose from: {', '.join(RANGES)}")
        if not self.percent and len(set(self.classes)) > 1:
            raise BadSetting(
                "AQA7Settings: published scores of several classes have nothing in common",
                "choose one class, or set percent to True",
            )
        check_patterns(self, self.pose_files, {"action": "diving", "video": 1})


def load(settings: AQA7Settings) -> Collection:
    """The clips of the chosen classes, in the order of the published split.

    Raises:
        BadData: if the split is missing or wrong, a class has no clips in it, or files that the settings promise are
            missing.
    """
    folder = Path(settings.root) / "Split_4"
    clips: dict[str, Clip] = {}
    split: dict[str, list[str]] = {}
    for part, (file, table) in SPLITS.items():
        rows = {key: row for key, row in _rows(folder / file, table).items() if row[0] in settings.classes}
        there = {action for action, _, _ in rows.values()}
        if missing := [name for name in settings.classes if name not in there]:
            raise BadData(f"{folder / file}: has no clip of the class {missing[0]}", AS_PUBLISHED)
        split[part] = list(rows)
        clips |= gathered({part: split[part]}, rows, partial(_clip, percent=settings.percent), folder / file)
    clips = with_files(clips, "poses", settings.poses, settings.pose_files, _fields)
    clips = with_files(clips, "images", settings.images, ("{action}-out/{video:03d}",), _fields)
    train, test = (tuple(clips[key] for key in split[part]) for part in SPLITS)
    return Collection(name="AQA-7", train=train, test=test)


def _rows(path: Path, name: str) -> dict[str, tuple[str, int, float]]:
    """Class, number of the video and published score by key, without the class that is left out."""
    table = _table(path, name)
    numbers, scores = table[:, :2], table[:, 2]
    good = (numbers == np.floor(numbers)).all(axis=1) & np.isfinite(scores)
    good &= (numbers[:, 0] >= 1) & (numbers[:, 0] <= TRAMPOLINE) & (numbers[:, 1] >= 1) & (numbers[:, 1] < 1e9)
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        raise BadData(
            f"{path}: row {row + 1} is {table[row].tolist()}, expected class (1 to {TRAMPOLINE}), video and score",
            AS_PUBLISHED,
        )
    names = list(RANGES)
    rows: dict[str, tuple[str, int, float]] = {}
    for number, video, score in table.tolist():
        if number != TRAMPOLINE:
            action = names[int(number) - 1]
            key = f"{action}/{int(video):03d}"
            if key in rows:
                raise BadData(f"{path}: {key} is there twice", AS_PUBLISHED)
            rows[key] = action, int(video), score
    return rows


def _table(path: Path, name: str) -> np.ndarray:
    """(N, 3) float64 of a MATLAB file; objects and functions in one stay data."""
    from scipy.io import loadmat

    data = Content(path).data
    try:
        found: Any = loadmat(io.BytesIO(data), variable_names=[name]).get(name)
    except Exception as error:  # damaged bytes break the reader in every way there is
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise BadData(f"{path}: cannot be read as a MATLAB file ({reason})", AS_PUBLISHED) from None
    if found is None:
        raise BadData(f"{path}: has no table {name}", AS_PUBLISHED)
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "iuf" or found.ndim != 2 or found.shape[1] != 3:
        shape = f"of shape {found.shape}" if isinstance(found, np.ndarray) else "of no shape"
        raise BadData(f"{path}: {name} is {shape}, expected rows of three numbers: class, video, score", AS_PUBLISHED)
    return found.astype(np.float64)


def _clip(key: str, row: tuple[str, int, float], *, percent: bool) -> Clip:
    action, video, published = row
    low, high = RANGES[action]
    part = (published - low) / (high - low)
    if not -BEYOND <= part <= 1 + BEYOND:
        raise BadData(f"clip {key!r}: its score is {published}, expected {low} to {high} or nearly so")
    return Clip(
        key=key,
        score=100 * part if percent else published,
        action=action,
        frames=FRAMES,
        extra={"video": video, "published": published},
    )


def _fields(clip: Clip) -> Mapping[str, object]:
    return {"action": clip.action, "video": clip.extra["video"]}
