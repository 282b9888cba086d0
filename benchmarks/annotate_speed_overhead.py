"""What annotating a video costs beside the bare pose engine; ``annotate_speed.py`` says how it is measured."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from posediff.annotate.estimate import estimate
from posediff.annotate.finish.quality import quality
from posediff.annotate.footage.video import content_hash, open_video
from posediff.annotate.mediapipe_graphs import hushed
from posediff.annotate.pipeline import Engines, finished, look, on_skeleton, tracks
from posediff.annotate.settings import Settings
from posediff.io import write

STAGES = ("open", "look", "tracks", "estimate", "finish", "write")
AIM = 1.10


@dataclass
class Times:
    """Seconds of every round, by the name of what was measured: on the wall, and of all threads of the process."""

    wall: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, list[float]] = field(default_factory=dict)

    def measure(self, name: str, task: Callable[[], Any]) -> Any:
        """Do a task and keep its time."""
        wall, cpu = time.perf_counter(), time.process_time()
        found = task()
        self.wall.setdefault(name, []).append(time.perf_counter() - wall)
        self.cpu.setdefault(name, []).append(time.process_time() - cpu)
        return found

    def drop_first(self) -> None:
        """Forget the first round."""
        for rounds in (*self.wall.values(), *self.cpu.values()):
            del rounds[0]

    def medians(self) -> dict[str, dict[str, float]]:
        """Median of the rounds for everything that was measured."""
        return {
            name: {"wall_s": statistics.median(wall), "cpu_s": statistics.median(self.cpu[name])}
            for name, wall in self.wall.items()
        }


class Counted:
    """A model whose work is counted: pictures that are looked at for people, or boxes in which a pose is looked for."""

    def __init__(self, model: Any) -> None:
        self.model, self.count = model, 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.model, name)
        if name not in ("detect", "estimate", "appraise"):
            return found

        def call(image: np.ndarray, *rest: Any) -> Any:
            self.count += 1 if name == "detect" else len(rest[0])
            return found(image, *rest)

        return call


def annotated(location: str, engines: Engines, out: Path, times: Times) -> np.ndarray:
    """Annotate a video as a job does, each stage timed; returns the (T, 4) boxes that were looked in."""
    settings = engines.settings

    def opened() -> Any:
        content_hash(location)
        return open_video(location)

    video = times.measure("open", opened)
    detected = times.measure("look", lambda: look(video, engines, settings))
    found = times.measure("tracks", lambda: tracks(detected, video, settings))
    raw = times.measure("estimate", lambda: estimate(video, found, engines.estimator, rotation=settings.rotation))

    def completed() -> Any:
        people = on_skeleton(raw, settings.skeleton)
        done = finished(people, settings)
        for one, before in zip(done, people, strict=True):
            quality(one, raw=before, total=video.count)
        return done

    done = times.measure("finish", completed)
    times.measure("write", lambda: (write(out / "raw.json", raw), write(out / "native.json", done)))
    return np.asarray(raw[0].boxes)


def compare(location: str, engines: Engines, rounds: int) -> dict[str, Any]:
    """Annotating a video beside the bare loops over its frames."""
    import mediapipe

    frames = [frame.image for frame in open_video(location).frames()]
    times = Times()
    with tempfile.TemporaryDirectory() as folder, mediapipe.solutions.pose.Pose() as pose:
        counted = Engines(engines.settings)
        counted.estimator, counted.detector = Counted(engines.estimator), Counted(engines.detector)
        boxes = annotated(location, counted, Path(folder), Times())
        calls = {"estimates": counted.estimator.count / len(frames), "detections": counted.detector.count / len(frames)}
        boxes = np.where(np.isfinite(boxes), boxes, np.nanmedian(boxes, axis=0))

        def solution() -> None:
            for frame in frames:
                pose.process(frame)

        def bare() -> None:
            for frame, box in zip(frames, boxes, strict=True):
                engines.estimator.estimate(frame, box[None], np.zeros(1))

        tasks: dict[str, Callable[[], Any]] = {
            "annotate": lambda: annotated(location, engines, Path(folder), times),
            "mediapipe": solution,
            "estimator": bare,
            "decode": lambda: sum(1 for _ in open_video(location).frames()),
        }
        for number in range(rounds + 1):
            names = [*tasks]
            for name in names[number % len(names) :] + names[: number % len(names)]:
                if name == "mediapipe":
                    restart(pose, frames[0])
                times.measure(name, tasks[name])
        times.drop_first()  # which has warmed everything up
    return {
        "video": Path(location).name,
        "frames": len(frames),
        "medians": times.medians(),
        "calls_per_frame": calls,
        "rounds": times.wall,
    }


def restart(pose: Any, image: np.ndarray) -> None:
    """Have MediaPipe's solution begin anew, loaded and with its first person found, without its chatter."""
    with hushed():
        pose.reset()
        pose.process(image)


def overhead(paths: Sequence[Path], settings: Settings, frames: int, rounds: int) -> dict[str, Any]:
    """Print and return what annotating costs beside the bare loops."""
    engines = Engines(settings)
    with hushed():
        engines.load()
    rows = []
    for path in paths:
        rows.append(compare(f"{path}#0:{frames}", engines, rounds))
        print(f"\noverhead, {rows[-1]['video']}, {rows[-1]['frames']} frames\n{'':<12}{'wall':>10}{'CPU':>10}")
        calls = ", ".join(f"{value:.2f} {name}" for name, value in rows[-1]["calls_per_frame"].items())
        for part, seconds in rows[-1]["medians"].items():
            kind = f"  {part}" if part in STAGES else part
            print(f"{kind:<12}{seconds['wall_s'] * 1000:>7.0f} ms{seconds['cpu_s'] * 1000:>7.0f} ms")
        print(f"annotate calls the models for {calls} a frame")
    found: dict[str, Any] = {"videos": rows, "aim": AIM}
    for peer in ("mediapipe", "estimator"):
        found[peer] = {kind: ratio_to(rows, peer, kind) for kind in ("wall_s", "cpu_s")}
        each = ", ".join(f"{ratio_to([row], peer, 'wall_s'):.2f}" for row in rows)
        print(f"annotate / {peer:<10}{found[peer]['wall_s']:.2f} wall ({each}), {found[peer]['cpu_s']:.2f} CPU; "
              f"at most {AIM:.2f} wanted")  # fmt: skip
    found["met"] = all(found[peer]["wall_s"] <= AIM for peer in ("mediapipe", "estimator"))
    return found


def ratio_to(rows: Sequence[Mapping[str, Any]], peer: str, kind: str) -> float:
    """Time of annotating over that of a peer, both summed over videos."""
    ours, theirs = (sum(row["medians"][name][kind] for row in rows) for name in ("annotate", peer))
    return float(ours / theirs)
