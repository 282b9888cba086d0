"""What a second worker brings; ``annotate_speed.py`` says how it is measured."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from posediff.annotate.batch.inputs import Input
from posediff.annotate.batch.messages import Event, Finished, Started
from posediff.annotate.batch.run import run
from posediff.annotate.footage.video import open_video
from posediff.annotate.job import Plan
from posediff.annotate.settings import Settings
from posediff.errors import BadSetting, PosediffError

AIM = 1.7

#: Frames of the videos that only have the models loaded, and by how many frames the ranges of others are shifted.
SHORT, SHIFT = 4, 8
WARM = "warm"


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


def batch(inputs: Sequence[Input], settings: Settings, workers: int, cores: int) -> dict[str, float]:
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

    plan = Plan(settings)
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


def workers(paths: Sequence[Path], settings: Settings, count: int, frames: int, rounds: int) -> dict[str, Any]:
    """Print and return what a second worker brings."""
    inputs = ranges(paths, [open_video(path).count for path in paths], count, frames)
    kinds = ("free", "pinned") if hasattr(os, "sched_setaffinity") else ("free",)
    seconds: dict[str, dict[int, list[dict[str, float]]]] = {kind: {1: [], 2: []} for kind in kinds}
    for number in range(rounds):
        for kind in kinds:
            for number_of in (1, 2) if number % 2 == 0 else (2, 1):
                seconds[kind][number_of].append(
                    batch(inputs, settings, number_of, number_of if kind == "pinned" else 0)
                )
    print(f"\nworkers, {count} videos of {frames} frames\n{'':<26}{'one':>9}{'two':>9}{'ratio':>7}")
    found: dict[str, Any] = {"videos": count, "frames": frames, "aim": AIM}
    for kind, counts in seconds.items():
        for part in ("without_loading", "with_loading"):
            one, two = (statistics.median(row[part] for row in counts[key]) for key in (1, 2))
            found.setdefault(kind, {})[part] = {"one_s": one, "two_s": two, "ratio": one / two}
            print(f"{kind + ', ' + part.replace('_', ' '):<26}{one:>7.2f} s{two:>7.2f} s{one / two:>7.2f}")
    found["met"] = all(found[kind]["without_loading"]["ratio"] >= AIM for kind in kinds)
    print(f"at least {AIM} wanted")
    return {**found, "rounds": {kind: {str(n): rows for n, rows in one.items()} for kind, one in seconds.items()}}
