"""FineDiving (Xu et al. 2022): 3000 dives with scores, difficulties, dive numbers and sub-actions, frame by frame.

A clip is called ``<competition>/<index>``. Its labels are one code of a sub-action for every frame of the clip, 63 to
273 of them; the 96 frames of the papers are a choice among these, evenly spread. Dives with twists have four or five
sub-actions, which become three stages: the first transition is the first change of the label, the second the last, so
that everything between is the flight.

``steps_transit_frames`` in the same table numbers the last frame before each change, one less than the first frame of
the next sub-action. It says so in 2990 of the 3000 clips. In the others it has numbers out of order, -1, an offset of 0
or 2, or lacks changes, so that the labels of the frames are what is read here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np

from posediff.datasets.clips import Clip, Collection
from posediff.datasets.labels import AS_PUBLISHED, check_dive, check_patterns, gathered, keys, with_files
from posediff.datasets.unpickle import load_plain
from posediff.errors import BadData
from posediff.io.checks import Fault, array, get, integers, typed
from posediff.io.content import Content

#: Of the JSON file that holds all labels and the split (``tools/convert_finediving.py``).
FORMAT = "posediff.finediving/1"
STAGES = ("take-off", "flight", "entry")

FINE, COARSE = "FineDiving_fine-grained_annotation.pkl", "FineDiving_coarse_annotation.pkl"
SPLITS = {"train": "train_split.pkl", "test": "test_split.pkl"}

_HINT = f"{AS_PUBLISHED}, or what tools/convert_finediving.py made of them"


@dataclass(frozen=True)
class FineDivingSettings:
    """Where FineDiving lies.

    Attributes:
        annotations: folder of the published pickles, or the JSON file made of them.
        poses: folder of the skeleton files; empty for none.
        pose_files: how they are called there, tried in order: HP-MCoRe's way, where ``poses`` is its folder ``Pose``,
            and posediff's own, as ``posediff annotate`` writes it for the folder of the pictures.
        images: folder ``FINADiving_MTL_256s``, which holds ``<competition>/<index>/*.jpg``; empty for none.
    """

    annotations: str
    poses: str = ""
    pose_files: tuple[str, ...] = ("{competition}/pred_comp_{index}.npz", "{competition}/{index}.json")
    images: str = ""

    def __post_init__(self) -> None:
        check_patterns(self, self.pose_files, {"competition": "01", "index": 1})


def load(settings: FineDivingSettings) -> Collection:
    """The clips, in the order of the published split lists.

    Raises:
        BadData: if labels are missing or wrong, or files that the settings promise are missing.
    """
    path = Path(settings.annotations)
    labels = read_labels(path)
    split = {part: labels[part] for part in SPLITS}
    clips = gathered(split, labels["clips"], _clip, path)
    clips = with_files(clips, "poses", settings.poses, settings.pose_files, _fields)
    clips = with_files(clips, "images", settings.images, ("{competition}/{index}",), _fields)
    train, test = (tuple(clips[key] for key in split[part]) for part in SPLITS)
    return Collection(name="FineDiving", train=train, test=test, stages=STAGES)


def read_labels(path: Path) -> dict[str, Any]:
    """Labels and split as one document, from the published pickles or from the JSON file.

    Args:
        path: folder of the pickles, or the file.

    Returns:
        ``format``; ``train`` and ``test``: keys in the published order; ``clips`` by key, in order. Of each clip:
        ``action``, ``score``, ``difficulty``, number of ``frames``, names of its ``sub_actions`` and the first frame of
        each in ``starts``, scores of the ``judges``, and its first and last frame in the untrimmed video in
        ``video_frames``; the last two are [] where the coarse table is not there.

    Raises:
        BadData: if the files are missing or of another kind.
    """
    if path.is_dir():
        return _published(path)
    document = Content(path).document
    try:
        if get(document, "format", str) != FORMAT:
            raise Fault(f"format is {document['format']!r}, expected {FORMAT!r}")
        for part in SPLITS:
            for number, key in enumerate(get(document, part, list)):
                typed(key, str, f"{part}[{number}]")
        get(document, "clips", dict)
    except Fault as fault:
        raise BadData(f"{path}: {fault}", _HINT) from None
    return dict(document)


def _clip(key: str, entry: Any) -> Clip:
    place = f"clips.{key}"
    names = tuple(typed(name, str, f"{place}.sub_actions") for name in get(entry, "sub_actions", list, place))
    starts = tuple(integers(entry.get("starts"), f"{place}.starts", len(names)).tolist())
    judges = array(get(entry, "judges", list, place, []), f"{place}.judges", None)
    video = integers(get(entry, "video_frames", list, place, []), f"{place}.video_frames", None)
    if not np.isfinite(judges).all():
        raise Fault(f"{place}.judges are {judges.tolist()}, expected numbers")
    if len(starts) < len(STAGES) or starts[0] != 0 or list(starts) != sorted(set(starts)):
        raise Fault(f"{place}: sub-actions start at {list(starts)}, expected 0 and two or more after it, in order")
    clip = Clip(
        key=key,
        score=float(get(entry, "score", float, place)),
        action=get(entry, "action", str, place).lower(),
        difficulty=float(get(entry, "difficulty", float, place)),
        transitions=(starts[1], starts[-1]),
        frames=get(entry, "frames", int, place),
        judges=tuple(judges.tolist()),
        extra={"sub_actions": names, "starts": starts, "video_frames": tuple(video.tolist())},
    )
    return check_dive(clip)


def _fields(clip: Clip) -> dict[str, object]:
    competition, _, index = clip.key.rpartition("/")
    return {"competition": competition, "index": index}


def _published(folder: Path) -> dict[str, Any]:
    fine = _table(folder / FINE)
    coarse = _table(folder / COARSE) if (folder / COARSE).exists() else {}
    names = _names(folder / FINE, fine)
    clips = {
        key: _entry(folder, pair, fine[pair], coarse.get(pair), names)
        for pair, key in sorted(zip(fine, _keys(fine, folder / FINE), strict=True))
    }
    split = {part: _keys(load_plain(folder / file), folder / file) for part, file in SPLITS.items()}
    return {"format": FORMAT, **split, "clips": clips}


def _keys(clips: Any, path: Path) -> list[str]:
    return keys(clips, (str, Integral), "{}/{}", path)


def _table(path: Path) -> Mapping[Any, Any]:
    table = load_plain(path)
    if not isinstance(table, dict):
        raise BadData(f"{path}: holds a {type(table).__name__}, expected clips by competition and index", _HINT)
    return table


def _names(path: Path, fine: Mapping[Any, Any]) -> dict[int, str]:
    """Names of the sub-actions by code: the most frequent ones, since one clip contradicts all the others."""
    try:
        counts = Counter(
            (int(code), name) for entry in fine.values() for code, name in entry["sub-action_types"].items()
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise BadData(f"{path}: sub-action_types is missing in a clip, expected names by code", _HINT) from None
    return {code: str(name) for (code, name), _ in reversed(counts.most_common())}


def _entry(folder: Path, key: Any, fine: Any, coarse: Any, names: Mapping[int, str]) -> dict[str, Any]:
    try:
        labels = np.asarray(fine["frames_labels"])
        starts = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist()]
        return {
            "action": fine["action_type"].lower(),
            "score": float(fine["dive_score"]),
            "difficulty": float(fine["difficulty"]),
            "frames": len(labels),
            "sub_actions": [names[int(labels[start])] for start in starts],
            "starts": starts,
            "judges": [float(score) for score in coarse["judge_scores"]] if coarse else [],
            "video_frames": [int(coarse["start_frame"]), int(coarse["end_frame"])] if coarse else [],
        }
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise BadData(f"{folder}: clip {key!r} is not labelled as published ({reason})", _HINT) from None
