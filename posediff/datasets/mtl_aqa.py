"""MTL-AQA (Parmar and Morris 2019), as CoRe publishes its labels: 1412 dives with scores, judges and difficulties.

A clip is called ``<video>/<clip>``, the video with two digits. It is the 103 frames before the labelled ``end_frame``,
counted from 0 in the untrimmed video, as CoRe and those after it take them, and not the labelled range, which has other
lengths. There are no labels of stages.

1369 of the clips are in FineDiving, too, under the same key, and 268 of the 353 test clips are training clips there:
what learnt from one must not be tested on the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any

from posediff.datasets.clips import Clip, Collection
from posediff.datasets.labels import AS_PUBLISHED, check_dive, check_patterns, gathered, keys, with_files
from posediff.datasets.unpickle import load_plain
from posediff.errors import BadData

#: Frames of a clip.
FRAMES = 103

LABELS = "final_annotations_dict_with_dive_number.pkl"
SPLITS = {"train": "train_split_0.pkl", "test": "test_split_0.pkl"}

#: What else the table says of a dive: rotation, somersaults and twists as the dive number has them, and the like.
_EXTRA = ("position", "armstand", "rotation_type", "ss_no", "tw_no", "primary_view", "start_frame", "end_frame")


@dataclass(frozen=True)
class MTLAQASettings:
    """Where MTL-AQA lies.

    Attributes:
        annotations: folder of the published pickles.
        poses: folder of the skeleton files; empty for none.
        pose_files: how they are called there, tried in order. ``{start}`` and ``{end}`` are the clip's frames, so that
            ``{video:02d}.json#{start}:{end}`` finds it in the skeletons of a whole video.
        images: folder of the pictures, ``<video>/*.jpg`` of whole videos; empty for none.
    """

    annotations: str
    poses: str = ""
    pose_files: tuple[str, ...] = ("{video:02d}/pred_comp_{clip}.npz", "{video:02d}/{clip}.json")
    images: str = ""

    def __post_init__(self) -> None:
        check_patterns(self, self.pose_files, {"video": 1, "clip": 1, "start": 0, "end": FRAMES})


def load(settings: MTLAQASettings) -> Collection:
    """The clips, in the order of the published split lists.

    Raises:
        BadData: if labels are missing or wrong, or files that the settings promise are missing.
    """
    folder = Path(settings.annotations)
    table = load_plain(folder / LABELS)
    if not isinstance(table, dict):
        raise BadData(f"{folder / LABELS}: holds a {type(table).__name__}, expected clips by two numbers", AS_PUBLISHED)
    labels = dict(zip(_keys(table, folder / LABELS), table.values(), strict=True))
    split = {part: _keys(load_plain(folder / file), folder / file) for part, file in SPLITS.items()}
    clips = gathered(split, labels, _clip, folder / LABELS)
    clips = with_files(clips, "poses", settings.poses, settings.pose_files, _fields)
    clips = with_files(clips, "images", settings.images, ("{video:02d}#{start}:{end}",), _fields)
    train, test = (tuple(clips[key] for key in split[part]) for part in SPLITS)
    return Collection(name="MTL-AQA", train=train, test=test)


def _clip(key: str, entry: Mapping[str, Any]) -> Clip:
    if entry["end_frame"] < FRAMES:
        raise ValueError(f"end_frame is {entry['end_frame']}, expected {FRAMES} or more")
    clip = Clip(
        key=key,
        score=float(entry["final_score"]),
        action=entry["dive_number"].lower(),
        difficulty=float(entry["difficulty"]),
        frames=FRAMES,
        judges=tuple(float(score) for score in entry["judge_scores"]),
        extra={name: int(entry[name]) for name in _EXTRA},
    )
    return check_dive(clip)


def _fields(clip: Clip) -> dict[str, object]:
    video, number = clip.key.split("/")
    end = int(str(clip.extra["end_frame"]))
    return {"video": int(video), "clip": int(number), "start": end - FRAMES, "end": end}


def _keys(clips: Any, path: Path) -> list[str]:
    return keys(clips, (Integral, Integral), "{:02d}/{}", path)
