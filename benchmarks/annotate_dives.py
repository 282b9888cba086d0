"""How well ``annotate`` finds the diver and his joints: two real dives with human labels, frame by frame.

Rows are a pose back end, a way of getting its boxes, and a way of meeting bodies that are not upright. Boxes are

- ``square``, ``tight``: the labelled box in every frame, as it is, without a tracker: MPII's square of center and
  scale, or the tight box of the labelled joints;
- ``first``: the square of the first frame only (``--init-box``), then the back end's own detector and the tracker;
- ``crowd``: the square of the first frame, and a file of boxes: the labelled squares jittered by 10 %, left out in 20 %
  of the frames and shuffled among 5 to 10 spectators a frame; the mean over some seeds;
- ``largest``, ``moving``: the back end's own detector and a way to choose a person, without any label;
- ``whole``: the whole picture.

``track`` is the share of frames in which the tracker's box, between detections interpolated, has an IoU of 0.5 with the
labelled square, and ``box`` the same of the box in which the joints were looked for, which the poses before lead;
``/t`` is against the tight box, which a tight track can reach and a square one cannot, and the other way round. ``PCK``
is the share of labelled joints within 0.1 of the labelled square's diagonal, of the joints that the back end can make;
one that is missing is wrong. It is told for the poses as the back end gives them, and after ``finish``. ``seen`` is the
share of frames with a pose.

The figures are not held out. The size of MediaPipe's crops, the filter of ``trunk``, and the settings of the tracker
were chosen while looking at these same two dives; what they are worth on other dives is not told here.

    python benchmarks/annotate_dives.py --data-root DATA --out annotate_dives.json
    python benchmarks/annotate_dives.py --data-root DATA --pose mmpose --weights F.pth --config C.py
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from annotate_tracking import DIVES, dives, scene
from record import provenance

from posediff.annotate.boxes import Track, iou, write_boxes
from posediff.annotate.estimate import estimate
from posediff.annotate.footage.video import Video, open_video
from posediff.annotate.pipeline import Engines, finished, located, on_skeleton
from posediff.annotate.settings import ROTATIONS, Settings
from posediff.errors import PosediffError
from posediff.sequence import PoseSequence

if TYPE_CHECKING:
    from posediff.annotate.estimators import Estimator
    from posediff.skeletons import Skeleton

#: Where the boxes come from: the labels, a file with many others, the back end's own detector.
LABELLED, CROWD, SEEN = ("square", "tight"), "crowd", ("first", "largest", "moving")
WAYS = (*LABELLED, CROWD, *SEEN, "whole")
FIGURES = ("track", "track_tight", "box", "box_tight", "pck_raw", "pck_finished", "seen")
OVERLAP, NEAR = 0.5, 0.1
SKELETON = "mpii16"


@dataclass(frozen=True)
class Dive:
    """One real dive.

    Attributes:
        video: its pictures.
        boxes: (T, 4) labelled boxes, ``square`` and ``tight``.
        joints: (T, 16, 2) labelled joints, NaN where the label says that there is none.
        motion: (T, 2) the camera's shift per frame, as measured in the pictures.
    """

    video: Video
    boxes: dict[str, np.ndarray]
    joints: np.ndarray
    motion: np.ndarray


def read_dives(root: Path) -> dict[str, Dive]:
    """The two dives of a folder of ``annotations.json`` and ``images``."""
    items = json.loads((root / "annotations.json").read_text())
    joints = np.array([one["joints"] for one in items], float)
    joints[np.array([one["joints_vis"] for one in items]) == 0] = np.nan
    return {
        name: Dive(
            open_video(f"{root / 'images'}#{DIVES[name].start}:{DIVES[name].stop}"),
            one.labels,
            joints[DIVES[name]],
            one.motion,
        )
        for name, one in dives(root).items()
    }


def found_boxes(way: str, dive: Dive, settings: Settings, engines: Engines, seed: int = 0) -> list[Track]:
    """The tracks of one way of getting boxes.

    Raises:
        PosediffError: if the detector cannot be loaded, or finds nobody.
    """
    numbers = dive.video.numbers
    if way in LABELLED:
        return [Track(0, numbers, np.column_stack([dive.boxes[way], np.ones(len(numbers))]).astype(np.float32))]
    if way != CROWD:
        return located(dive.video, engines, settings)[0]
    boxes = scene(dive.boxes["square"], dive.motion, "mixed", "similar", "uniform", seed)
    with tempfile.TemporaryDirectory() as folder:
        write_boxes(Path(folder) / "boxes.json", boxes, numbers)
        settings = dataclasses.replace(settings, boxes=str(Path(folder) / "boxes.json"))
        return located(dive.video, engines, settings)[0]


def settings_of(way: str, base: Settings, dive: Dive) -> Settings:
    """The settings by which a user asks for one way of getting boxes."""
    if way in ("first", CROWD):
        box = ",".join(f"{value:.2f}" for value in dive.boxes["square"][0])
        return dataclasses.replace(base, init_box=f"{box}@{dive.video.start}")
    if way == "whole":
        return dataclasses.replace(base, detector="whole")
    return dataclasses.replace(base, person=way) if way in ("largest", "moving") else base


def interpolated(track: Track, numbers: np.ndarray) -> np.ndarray:
    """(T, 4) boxes of a track in some frames, NaN in those before and after it."""
    sides = [np.interp(numbers, track.frames, side, left=np.nan, right=np.nan) for side in track.boxes[:, :4].T]
    return np.column_stack(sides)


def overlapping(boxes: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """(T,) whether each box has an IoU of 0.5 with the labelled one; one that is missing has not."""
    pairs = zip(np.nan_to_num(boxes), labels, strict=True)
    return np.array([iou(box[None], label[None])[0, 0] >= OVERLAP for box, label in pairs])


def near(joints: np.ndarray, labels: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """(T, J) 1 where a joint lies within 0.1 of the box's diagonal of its label, else 0; NaN where there is no label.

    Args:
        joints: (T, J, 2) found, NaN where missing, which counts as wrong.
        labels: (T, J, 2), NaN where there is none.
        boxes: (T, 4) labelled boxes.
    """
    diagonal = np.linalg.norm(boxes[:, 2:] - boxes[:, :2], axis=1)
    away = np.linalg.norm(joints - labels, axis=2)
    right = np.where(np.isfinite(joints).all(axis=2), away <= NEAR * diagonal[:, None], False).astype(float)
    return np.where(np.isfinite(labels).all(axis=2), right, np.nan)


def possible(skeleton: Skeleton) -> np.ndarray:
    """(16,) which joints of MPII can be made from those of a back end."""
    count = len(skeleton.joints)
    whole = PoseSequence(keypoints=np.ones((1, count, 2), np.float32), skeleton=skeleton, fps=25.0)
    return on_skeleton([whole], SKELETON)[0].present[0]


def at(sequence: PoseSequence, numbers: np.ndarray) -> np.ndarray:
    """(T, J, 2) keypoints in some frames, NaN in those that the sequence lacks."""
    keypoints = np.full((len(numbers), sequence.keypoints.shape[1], 2), np.nan)
    _, here, there = np.intersect1d(numbers, sequence.frames, return_indices=True)
    keypoints[here] = sequence.keypoints[there]
    return keypoints


def judged(dive: Dive, found: Sequence[Track], estimator: Estimator, settings: Settings) -> dict[str, np.ndarray]:
    """Figures of every frame, or of every joint of it, for the first of some tracks; wrong where there is none."""
    numbers, joints = dive.video.numbers, possible(estimator.skeleton)
    absent = np.full((len(numbers), len(joints), 2), np.nan)
    raw, done, boxes, looked = absent, absent, np.full((len(numbers), 4), np.nan), np.full((len(numbers), 4), np.nan)
    seen = np.zeros(len(numbers))
    if found:
        person = estimate(dive.video, found[:1], estimator, rotation=settings.rotation)[0]
        seen = person.present.any(axis=1).astype(float)
        converted = on_skeleton([person], SKELETON)
        raw, done = at(converted[0], numbers), at(finished(converted, settings)[0], numbers)
        boxes, looked = interpolated(found[0], numbers), np.asarray(person.boxes)
    square, tight = dive.boxes["square"], dive.boxes["tight"]
    return {
        "track": overlapping(boxes, square),
        "track_tight": overlapping(boxes, tight),
        "box": overlapping(looked, square),
        "box_tight": overlapping(looked, tight),
        "pck_raw": near(raw, dive.joints, square)[:, joints],
        "pck_finished": near(done, dive.joints, square)[:, joints],
        "seen": seen,
    }


def mean_of(parts: Sequence[dict[str, np.ndarray]]) -> dict[str, float]:
    """Each figure over all frames and joints of some dives."""
    return {name: float(np.nanmean(np.concatenate([one[name].ravel() for one in parts]))) for name in FIGURES}


def rows_of(base: Settings, found: dict[str, Dive], ways: Sequence[str], seeds: int) -> Iterator[dict[str, Any]]:
    """Every row of one back end: for each way and rotation the two dives and both of them."""
    shared = Engines(base)
    for way in ways:
        runs: dict[str, list[tuple[str, dict[str, np.ndarray]]]] = {rotation: [] for rotation in ROTATIONS}
        notes: list[str] = []
        for name, dive in found.items():
            settings = settings_of(way, base, dive)
            engines = Engines(settings)
            for seed in range(seeds if way == CROWD else 1):
                try:
                    people = found_boxes(way, dive, settings, engines, seed)
                except PosediffError as fault:
                    people, notes = [], [*notes, f"boxes {way}, dive {name}: {fault}"]
                for rotation in ROTATIONS:
                    turned = dataclasses.replace(settings, rotation=rotation)
                    runs[rotation].append((name, judged(dive, people, shared.estimator, turned)))
        for rotation, results in runs.items():
            for name in [*found, "both"]:
                parts = [one for dive, one in results if name in (dive, "both")]
                row = {"pose": base.pose, "boxes": way, "rotation": rotation, "dive": name, **mean_of(parts)}
                yield row | ({"notes": notes} if notes else {})


def line(row: dict[str, Any]) -> str:
    """One row of the table."""
    figures = "".join(f"{row[name]:>9.3f}" for name in FIGURES)
    return f"{row['pose']:<11}{row['boxes']:<9}{row['rotation']:<10}{row['dive']:<8}{figures}"


def back_ends(options: argparse.Namespace) -> list[Settings]:
    """Settings of MediaPipe and of the back end that is named."""
    common = {"threads": 1, "detect_every": options.detect_every, "min_score": options.min_score}
    chosen = Settings(
        pose=options.pose,
        weights=options.weights,
        config=options.config,
        detector=options.detector,
        detector_weights=options.detector_weights,
        **common,
    )
    return [chosen] if options.pose == "mediapipe" else [Settings(**common), chosen]


def main() -> int:
    """Annotate the dives in every way and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, required=True, help="folder of finediving/pose_examples")
    parser.add_argument("--pose", default="mediapipe", help="a pose back end that joins in")
    parser.add_argument("--weights", help="its weights")
    parser.add_argument("--config", help="its configuration")
    parser.add_argument("--detector", default="auto", help="the detector that goes with it")
    parser.add_argument("--detector-weights", help="the weights of that")
    parser.add_argument("--boxes", nargs="+", choices=WAYS, default=[*WAYS], help="ways of getting boxes")
    parser.add_argument(
        "--detect-every", type=int, default=0, help="frames between detections, 0 for the detector's own"
    )
    parser.add_argument("--min-score", type=float, default=Settings.min_score, help="of keypoints that are finished")
    parser.add_argument("--seeds", type=int, default=5, help="files of boxes with spectators")
    parser.add_argument("--out", type=Path, help="where to write the result as JSON")
    options = parser.parse_args()
    root = options.data_root / "finediving" / "pose_examples"
    if not (root / "annotations.json").exists():
        parser.error(f"{root} holds no annotations.json")
    if options.seeds < 1:
        parser.error(f"--seeds is {options.seeds}, expected 1 or more")
    origin, begun, found = provenance(), time.perf_counter(), read_dives(root)
    print(f"{'pose':<11}{'boxes':<9}{'rotation':<10}{'dive':<8}"
          f"{'track':>9}{'/t':>9}{'box':>9}{'/t':>9}{'PCK raw':>9}{'PCK fin':>9}{'seen':>9}")  # fmt: skip
    rows, models = [], {}
    try:
        for base in back_ends(options):
            models[base.pose] = Engines(base).estimator.provenance
            for row in rows_of(base, found, options.boxes, options.seeds):
                rows.append(row)
                print(line(row), flush=True)
            for note in dict.fromkeys(
                note for row in rows if row["pose"] == base.pose for note in row.get("notes", ())
            ):
                print(f"note: {base.pose}, {note}")
    except PosediffError as fault:
        parser.exit(fault.exit_code, f"{fault}\n{fault.hint}\n")
    if options.out:
        result = {
            "seeds": options.seeds,
            "detect_every": options.detect_every,
            "min_score": options.min_score,
            "seconds": round(time.perf_counter() - begun, 1),
            "models": models,
            **origin,
        }
        options.out.write_text(json.dumps({**result, "rows": rows}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
