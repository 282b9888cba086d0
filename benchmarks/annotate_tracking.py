"""Whether the athlete is followed among spectators: real dives, planted detections.

The labelled boxes of two real dives are made into a detector's output: jittered by 10 %, left out in 20 % of the
frames, given any confidence from 0.3 to 0.95, and shuffled among 5 to 10 spectators a frame with confidence up to 0.95.
Only the first frame's labelled box is told. A frame counts where the track's box has an IoU of 0.5 with the label.
The floor is the nearest neighbour of HP-MCoRe (eq. 25) from frame to frame; both see the same boxes. The camera's
motion is either unknown or measured in the pictures.

    python benchmarks/annotate_tracking.py --data-root DATA/finediving/pose_examples --out annotate_tracking.json
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the work is spread over processes instead

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from record import provenance

from posediff.annotate.boxes import corner_distance, iou
from posediff.annotate.trackers.athlete import track_athlete
from posediff.annotate.trackers.camera import CameraMotion, small_grey

SIZE = (455, 256)
DIVES = {"first": slice(0, 34), "second": slice(34, 69)}
SPECTATORS = ("world", "image", "uniform", "walk", "path", "mixed", "flicker")
SIZES = {"similar": (0.85, 1.15), "any": (0.3, 1.5)}
LABELS, JITTERS, CAMERAS = ("square", "tight"), ("uniform", "normal"), ("unknown", "measured")
TARGET = 0.95


@dataclass(frozen=True)
class Dive:
    """One real dive.

    Attributes:
        labels: (T, 4) boxes of the diver, by kind of label.
        motion: (T, 2) the camera's shift per frame, as measured in the pictures.
    """

    labels: dict[str, np.ndarray]
    motion: np.ndarray


def dives(root: Path) -> dict[str, Dive]:
    """The two labelled dives, the camera's motion measured in their pictures."""
    from PIL import Image

    items = json.loads((root / "annotations.json").read_text())
    centres, halves = np.array([one["center"] for one in items]), 100 * np.array([[one["scale"]] for one in items])
    joints = np.array([one["joints"] for one in items], dtype=float)
    labels = {
        "square": np.concatenate([centres - halves, centres + halves], axis=1),
        "tight": np.concatenate([joints.min(axis=1), joints.max(axis=1)], axis=1),
    }
    found = {}
    for name, part in DIVES.items():
        camera = CameraMotion(SIZE)
        pictures = (np.asarray(Image.open(root / "images" / one["image"])) for one in items[part])
        motion = np.array([camera.shift(small_grey(picture)) for picture in pictures])
        found[name] = Dive({kind: boxes[part] for kind, boxes in labels.items()}, motion)
    return found


def jittered(boxes: np.ndarray, kind: str, amount: float, rng: np.random.Generator) -> np.ndarray:
    """(N, 4) boxes whose corners are moved by a part of the box's size."""
    noise = rng.uniform(-amount, amount, boxes.shape) if kind == "uniform" else rng.normal(0, amount, boxes.shape)
    sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    moved = boxes + noise * sides
    return np.concatenate([np.minimum(moved[:, :2], moved[:, 2:] - 2), moved[:, 2:]], axis=1)


def spectators(
    kind: str,
    sizes: tuple[float, float],
    labels: np.ndarray,
    motion: np.ndarray,
    rng: np.random.Generator,
    number: int | None = None,
) -> list[np.ndarray]:
    """(N, 4) boxes of 5 to 10 spectators for every frame.

    ``world`` sit still while the camera pans, ``image`` stay where they are in the picture, ``uniform`` are elsewhere
    in every frame, ``walk`` wander, ``path`` stay in the picture where the diver passes, ``mixed`` are one or two of
    each, and ``flicker`` are many of each of whom 5 to 10 are found, others in every frame.
    """
    kinds = [one for one in SPECTATORS if one not in ("mixed", "flicker")]
    if kind == "mixed":
        groups = [spectators(one, sizes, labels, motion, rng, int(rng.integers(1, 3))) for one in kinds]
        return [np.concatenate(boxes) for boxes in zip(*groups, strict=True)]
    if kind == "flicker":
        groups = [spectators(one, sizes, labels, motion, rng) for one in kinds]
        frames = [np.concatenate([rng.permutation(group[k])[:2] for group in groups]) for k in range(len(labels))]
        return [rng.permutation(boxes)[: rng.integers(5, 11)] for boxes in frames]
    panned = np.cumsum(motion, axis=0)
    diver = np.median(labels[:, 2:] - labels[:, :2], axis=0)
    number = int(rng.integers(5, 11)) if number is None else number
    if kind == "world":  # as many more as the pan uncovers
        spread = np.array(SIZE) + np.ptp(panned, axis=0)
        number = int(number * spread.prod() / np.prod(SIZE)) + 1
        centres = rng.uniform(-panned.max(axis=0), np.array(SIZE) - panned.min(axis=0), (number, 2)) + panned[:, None]
    elif kind == "path":
        at = labels[rng.integers(len(labels), size=number)]
        offset = rng.normal(0, 0.6, (number, 2)) * (at[:, 2:] - at[:, :2])
        centres = np.repeat(((at[:, :2] + at[:, 2:]) / 2 + offset)[None], len(labels), axis=0)
    else:
        centres = rng.uniform(0, SIZE, (len(labels) if kind == "uniform" else 1, number, 2))
        centres = centres + rng.normal(0, 5 if kind == "walk" else 0, (len(labels), number, 2)).cumsum(axis=0)
        if kind == "walk":  # turned back at the edges
            centres = np.abs((centres + SIZE) % (2 * np.array(SIZE)) - SIZE)
    half = rng.uniform(*sizes, (number, 1)) * diver / 2
    boxes = np.concatenate([centres - half, centres + half], axis=2)
    inside = ((centres > 0) & (centres < SIZE)).all(axis=2)
    seen = [jittered(boxes[k][inside[k]], "normal", 0.03, rng) for k in range(len(labels))]
    return [rng.permutation(one)[:10] for one in seen]


def scene(
    labels: np.ndarray, motion: np.ndarray, kind: str, sizes: str, jitter: str, seed: int, dropped: float = 0.2
) -> list[np.ndarray]:
    """(N, 5) detections of every frame of a dive, the diver's among them."""
    rng = np.random.default_rng(seed)
    found = jittered(labels, jitter, 0.1, rng)
    kept = rng.permutation(len(labels)) >= round(dropped * len(labels))
    frames = []
    for row, others in enumerate(spectators(kind, SIZES[sizes], labels, motion, rng)):
        diver = np.append(found[row], rng.uniform(0.3, 0.95))[None][: int(kept[row])]
        crowd = np.column_stack([others, rng.uniform(0.1, 0.95, len(others))])
        frames.append(rng.permutation(np.concatenate([diver, crowd])))
    return frames


def nearest(detections: Sequence[np.ndarray], start: np.ndarray) -> np.ndarray:
    """(T, 4) the box nearest to the last one by eq. 25, frame by frame; the last one again where there is none."""
    boxes = [start]
    for found in detections[1:]:
        near = corner_distance(boxes[-1][None], found)[0]
        boxes.append(found[near.argmin(), :4] if len(found) else boxes[-1])
    return np.array(boxes)


def hits(boxes: np.ndarray, labels: np.ndarray) -> float:
    """Part of the frames whose box has an IoU of 0.5 with the label."""
    return float(np.mean([iou(box[None], label[None])[0, 0] >= 0.5 for box, label in zip(boxes, labels, strict=True)]))


def followed(labels: np.ndarray, detections: Sequence[np.ndarray], motion: np.ndarray | None) -> float:
    """Hits of the athlete's tracker; a frame without a box is none."""
    frames = np.arange(len(labels))
    track = track_athlete(detections, frames=frames, start=labels[0], start_index=0, motion=motion, image_size=SIZE)
    boxes = np.zeros((len(labels), 4))
    boxes[track.frames] = track.boxes[:, :4]
    return hits(boxes, labels)


def cases() -> Iterator[tuple[str, ...]]:
    """Every combination of dive, label, spectators, their sizes, and jitter."""
    return product(DIVES, LABELS, SPECTATORS, SIZES, JITTERS)


def judge(case: tuple[str, ...], dive: Dive, seeds: int) -> dict[str, Any]:
    """Hits of one case over all seeds."""
    name, label, kind, sizes, jitter = case
    labels = dive.labels[label]
    scenes = [scene(labels, dive.motion, kind, sizes, jitter, seed) for seed in range(seeds)]
    found = {
        "nearest": [hits(nearest(one, labels[0]), labels) for one in scenes],
        "unknown": [followed(labels, one, None) for one in scenes],
        "measured": [followed(labels, one, dive.motion) for one in scenes],
    }
    row = {"dive": name, "label": label, "spectators": kind, "sizes": sizes, "jitter": jitter}
    return row | {way: {"mean": float(np.mean(one)), "least": float(np.min(one)),
                        "reached": float(np.mean(np.array(one) >= TARGET))} for way, one in found.items()}  # fmt: skip


def main() -> int:
    """Follow the diver in every case, print the table, and exit with 1 where a mean misses the target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, required=True, help="folder of annotations.json and images")
    parser.add_argument("--seeds", type=int, default=50, help="scenes of each case")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, help="where to write the result as JSON")
    options = parser.parse_args()
    if not (options.data_root / "annotations.json").exists():
        parser.error(f"{options.data_root} holds no annotations.json")
    if options.seeds < 1:
        parser.error(f"--seeds is {options.seeds}, expected 1 or more")
    origin, found = provenance(), dives(options.data_root)
    rows = []
    print(f"{'dive':<8}{'label':<8}{'spectators':<12}{'sizes':<9}{'jitter':<9}{'nearest':>8}"
          f"{'unknown':>9}{'least':>7}{'measured':>10}{'least':>7}")  # fmt: skip
    everything = list(cases())
    with ProcessPoolExecutor(options.workers) as pool:
        chosen = [found[case[0]] for case in everything]
        for row in pool.map(judge, everything, chosen, [options.seeds] * len(everything)):
            rows.append(row)
            print(f"{row['dive']:<8}{row['label']:<8}{row['spectators']:<12}{row['sizes']:<9}{row['jitter']:<9}"
                  f"{row['nearest']['mean']:>8.3f}{row['unknown']['mean']:>9.3f}{row['unknown']['least']:>7.3f}"
                  f"{row['measured']['mean']:>10.3f}{row['measured']['least']:>7.3f}", flush=True)  # fmt: skip
    least = {camera: min(row[camera]["mean"] for row in rows) for camera in CAMERAS}
    print(f"lowest mean: {', '.join(f'{value:.3f} (camera {camera})' for camera, value in least.items())}")
    met = min(least.values()) >= TARGET
    if options.out:
        result = {"seeds": options.seeds, "target": TARGET, "met": met, "lowest_means": least, "cases": rows, **origin}
        options.out.write_text(json.dumps(result, indent=2) + "\n")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
