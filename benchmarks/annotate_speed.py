"""What ``annotate`` costs beside the bare pose engine, what a second worker brings, and what memory a frame takes.

``overhead``: annotating two real videos as one job does it (opening and hashing the file, both passes with their
decoding, finishing, the quality figures, and writing the raw and the native file) beside two bare loops over the same
frames decoded beforehand: MediaPipe's own ``solutions.pose.Pose().process(frame)``, and posediff's estimator with one
box a frame. Models are loaded before the clock starts, once for all rounds; rounds take turns in changing order; what
is reported is the median, with the CPU seconds of the process beside the wall's, since annotating decodes in threads
of its own. MediaPipe's solution has found its person before its clock starts. The aim is a ratio of at most 1.10.

``workers``: the same videos, ranges of frames of two real ones, annotated by ``posediff.annotate.batch.run`` with one
process and with two. Every library in them has one thread, but the decoder has as many as it likes. So there are two
kinds of rounds: ``free`` as users have it, and ``pinned``, where one worker has one core and two have two, so that one
worker is as single-threaded as it is called. Two short videos go first: the time from the first real video's begin to
the last one's end is told as without loading, the whole time as with loading; what one of two workers still loads while
the other works counts against them. The aim is a ratio of at least 1.7.

``memory``: peak resident memory of a job over a synthetic video of 1000 and of 8000 pictures, each in a fresh process,
with an engine that costs nothing and finds one person in every frame. The difference per frame is what results cost; a
picture that was kept would cost its size, which is printed beside it.

    python benchmarks/annotate_speed.py --data-root DATA --out annotate_speed.json
    python benchmarks/annotate_speed.py --data-root DATA --only overhead --rounds 3 --frames 60
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from annotate_speed_memory import LENGTHS, memory
from record import provenance

from posediff.annotate.batch.inputs import Input
from posediff.annotate.batch.messages import Event, Finished, Started
from posediff.annotate.batch.run import run
from posediff.annotate.estimate import estimate
from posediff.annotate.finish.quality import quality
from posediff.annotate.footage.video import content_hash, open_video
from posediff.annotate.job import Plan
from posediff.annotate.mediapipe_graphs import hushed
from posediff.annotate.pipeline import Engines, finished, look, on_skeleton, tracks
from posediff.annotate.settings import Settings
from posediff.errors import BadSetting, PosediffError
from posediff.io import write

PARTS = ("overhead", "workers", "memory")
VIDEOS = ("golf_swing", "tennis_serve")
STAGES = ("open", "look", "tracks", "estimate", "finish", "write")
SETTINGS = Settings(threads=1)
MOST_RATIO, LEAST_GAIN = 1.10, 1.7

#: Frames of the videos that only have the models loaded, and by how many frames the ranges of others are shifted.
SHORT, SHIFT = 4, 8
WARM = "warm"


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
        boxes = annotated(location, engines, Path(folder), Times())
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
    return {"video": Path(location).name, "frames": len(frames), "medians": times.medians(), "rounds": times.wall}


def restart(pose: Any, image: np.ndarray) -> None:
    """Have MediaPipe's solution begin anew, loaded and with its first person found, without its chatter."""
    with hushed():
        pose.reset()
        pose.process(image)


def overhead(options: argparse.Namespace) -> dict[str, Any]:
    """Print and return what annotating costs beside the bare loops."""
    engines = Engines(SETTINGS)
    with hushed():
        engines.load()
    rows = []
    for name in VIDEOS:
        rows.append(compare(f"{video_path(options, name)}#0:{options.frames}", engines, options.rounds))
        print(f"\noverhead, {rows[-1]['video']}, {rows[-1]['frames']} frames\n{'':<12}{'wall':>10}{'CPU':>10}")
        for part, seconds in rows[-1]["medians"].items():
            kind = f"  {part}" if part in STAGES else part
            print(f"{kind:<12}{seconds['wall_s'] * 1000:>7.0f} ms{seconds['cpu_s'] * 1000:>7.0f} ms")
    found: dict[str, Any] = {"videos": rows, "aim": MOST_RATIO}
    for peer in ("mediapipe", "estimator"):
        found[peer] = {kind: ratio_to(rows, peer, kind) for kind in ("wall_s", "cpu_s")}
        each = ", ".join(f"{ratio_to([row], peer, 'wall_s'):.2f}" for row in rows)
        print(f"annotate / {peer:<10}{found[peer]['wall_s']:.2f} wall ({each}), {found[peer]['cpu_s']:.2f} CPU; "
              f"at most {MOST_RATIO:.2f} wanted")  # fmt: skip
    found["met"] = all(found[peer]["wall_s"] <= MOST_RATIO for peer in ("mediapipe", "estimator"))
    return found


def ratio_to(rows: Sequence[Mapping[str, Any]], peer: str, kind: str) -> float:
    """Time of annotating over that of a peer, both summed over videos."""
    ours, theirs = (sum(row["medians"][name][kind] for row in rows) for name in ("annotate", peer))
    return float(ours / theirs)


def ranges(paths: Sequence[Path], lengths: Sequence[int], count: int, frames: int) -> list[Input]:
    """Ranges of frames of some videos, taken in turns, no two the same; two short ones first.

    Raises:
        BadSetting: if the videos are too short for as many.
    """
    inputs = [Input(f"{path}#0:{SHORT + number}", f"{WARM}{number}") for number, path in enumerate([*paths][:2])]
    for number in range(count):
        turn, which = divmod(number, len(paths))
        start = SHIFT * turn
        if start + frames > lengths[which]:
            raise BadSetting(f"{paths[which].name} is too short for {count} videos of {frames} frames", "ask for less")
        inputs.append(Input(f"{paths[which]}#{start}:{start + frames}", f"video{number}"))
    return inputs


def batch(inputs: Sequence[Input], workers: int, cores: int) -> dict[str, float]:
    """Seconds of a batch with its models' loading, and from the first real video's begin to the last one's end.

    Raises:
        PosediffError: if a video failed.
    """
    begun: list[float] = []
    ended: list[float] = []

    def hear(event: Event) -> None:
        if isinstance(event, Started) and not event.name.startswith(WARM):
            begun.append(time.perf_counter())
        elif isinstance(event, Finished) and not event.outcome.name.startswith(WARM):
            ended.append(time.perf_counter())

    plan = Plan(SETTINGS)
    with tempfile.TemporaryDirectory() as folder, on_cores(cores):
        summary = run(plan.jobs(inputs), plan, out=Path(folder), workers=workers, isolated=True, on_event=hear)
    bad = [outcome for outcome in summary.outcomes if outcome.state != "done"]
    if bad:
        raise PosediffError(f"{bad[0].path}: {bad[0].state}: {bad[0].message}", bad[0].hint)
    return {"with_loading": summary.seconds, "without_loading": max(ended) - min(begun)}


@contextmanager
def on_cores(count: int) -> Iterator[None]:
    """Processes begun meanwhile have only so many cores; 0 for all, as have all systems that cannot pin."""
    if not count or not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def workers(options: argparse.Namespace) -> dict[str, Any]:
    """Print and return what a second worker brings."""
    paths = [video_path(options, name) for name in VIDEOS]
    inputs = ranges(paths, [open_video(path).count for path in paths], options.videos, options.frames)
    kinds = ("free", "pinned") if hasattr(os, "sched_setaffinity") else ("free",)
    seconds: dict[str, dict[int, list[dict[str, float]]]] = {kind: {1: [], 2: []} for kind in kinds}
    for number in range(options.rounds):
        for kind in kinds:
            for count in (1, 2) if number % 2 == 0 else (2, 1):
                seconds[kind][count].append(batch(inputs, count, count if kind == "pinned" else 0))
    print(f"\nworkers, {options.videos} videos of {options.frames} frames\n{'':<26}{'one':>9}{'two':>9}{'ratio':>7}")
    found: dict[str, Any] = {"videos": options.videos, "frames": options.frames, "aim": LEAST_GAIN}
    for kind, counts in seconds.items():
        for part in ("without_loading", "with_loading"):
            one, two = (statistics.median(row[part] for row in counts[count]) for count in (1, 2))
            found.setdefault(kind, {})[part] = {"one_s": one, "two_s": two, "ratio": one / two}
            print(f"{kind + ', ' + part.replace('_', ' '):<26}{one:>7.2f} s{two:>7.2f} s{one / two:>7.2f}")
    found["met"] = all(found[kind]["without_loading"]["ratio"] >= LEAST_GAIN for kind in kinds)
    print(f"at least {LEAST_GAIN} wanted")
    return {**found, "rounds": {kind: {str(n): rows for n, rows in one.items()} for kind, one in seconds.items()}}


def video_path(options: argparse.Namespace, name: str) -> Path:
    return Path(options.data_root / "video" / f"{name}.mp4")


def main() -> int:
    """Measure what is asked for, print it, and exit with 1 where an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, help="folder of video/golf_swing.mp4; the memory needs none")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=[*PARTS], help="what is measured")
    parser.add_argument("--rounds", type=int, default=7, help="timed rounds")
    parser.add_argument("--frames", type=int, default=200, help="frames of each video")
    parser.add_argument("--videos", type=int, default=8, help="videos of a batch, an even number")
    parser.add_argument("--lengths", type=int, nargs=2, default=LENGTHS, help="frames of the synthetic videos")
    parser.add_argument("--out", type=Path, help="where to write the result as JSON")
    options = parser.parse_args()
    if min(options.rounds, options.frames, options.videos) < 1 or options.lengths[0] == options.lengths[1]:
        parser.error("--rounds, --frames and --videos are 1 or more, and the two --lengths differ")
    if {"overhead", "workers"} & {*options.only}:
        missing = [name for name in VIDEOS if not options.data_root or not video_path(options, name).exists()]
        if missing:
            parser.error(f"--data-root is {options.data_root}: video/{missing[0]}.mp4 is not in it")
    result: dict[str, Any] = {"cores": os.cpu_count(), "rounds": options.rounds, **provenance()}
    measures = {
        "overhead": lambda: overhead(options),
        "workers": lambda: workers(options),
        "memory": lambda: memory(options.lengths),
    }
    try:
        for name in options.only:
            result[name] = measures[name]()
    except PosediffError as fault:
        parser.exit(fault.exit_code, f"{fault}\n{fault.hint}\n")
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    return 0 if all(one.get("met", True) for one in result.values() if isinstance(one, dict)) else 1


if __name__ == "__main__":
    sys.exit(main())
