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
import sys
from pathlib import Path
from typing import Any

from annotate_speed_memory import LENGTHS, memory
from annotate_speed_overhead import overhead
from annotate_speed_workers import workers
from record import provenance

from posediff.annotate.settings import Settings
from posediff.errors import PosediffError

PARTS = ("overhead", "workers", "memory")
VIDEOS = ("video/golf_swing.mp4", "video/tennis_serve.mp4")
#: Of the workers that are compared: everything in one thread each.
SETTINGS = Settings(threads=1)


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
    paths = [(options.data_root or Path()) / name for name in VIDEOS]
    if {"overhead", "workers"} & {*options.only}:
        missing = [path for path in paths if not path.exists()]
        if missing:
            parser.error(f"{missing[0]} is not there; --data-root names the folder that holds {VIDEOS[0]}")
    result: dict[str, Any] = {"cores": os.cpu_count(), "rounds": options.rounds, **provenance()}
    measures = {
        "overhead": lambda: overhead(paths, Settings(), options.frames, options.rounds),
        "workers": lambda: workers(paths, SETTINGS, options.videos, options.frames, options.rounds),
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
