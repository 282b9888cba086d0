"""How fast posediff starts: whole processes, beside ``python -c "import numpy"`` in the same run.

The three commands take turns, so that a machine that slows down slows all of them; what is reported is the median.
Each runs once before the clock starts, so that byte code and numba's cache are warm, as they are for every user but
the first.

    python benchmarks/start_up.py --repeats 15 --out start_up.json
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from record import provenance

ROOT = Path(__file__).resolve().parent.parent
FRAMES = 100
TARGETS = {"import numpy": 1.0, "posediff --help": 2.0, "posediff compare": 10.0}
UNWANTED = ("torch", "matplotlib", "numba", "tslearn", "pandas")


def main() -> int:
    """Measure, print the table, and exit with 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=15, help="timed runs of each command")
    parser.add_argument("--out", type=Path, help="JSON file for the result")
    options = parser.parse_args()
    if options.repeats < 1:
        parser.error(f"--repeats is {options.repeats}, expected 1 or more")

    with tempfile.TemporaryDirectory() as folder:
        files = write_pair(Path(folder))
        commands = {
            "import numpy": [sys.executable, "-c", "import numpy"],
            "posediff --help": [sys.executable, "-m", "posediff", "--help"],
            "posediff compare": [sys.executable, "-m", "posediff", "compare", *files],
        }
        seconds = interleaved(commands, options.repeats)
        imported = unwanted_imports(files)

    medians = {name: statistics.median(times) for name, times in seconds.items()}
    ratios = {name: median / medians["import numpy"] for name, median in medians.items()}
    print(f"{'process':<18}{'median':>10}{'ratio':>8}{'at most':>9}")
    for name, median in medians.items():
        print(f"{name:<18}{1000 * median:>7.0f} ms{ratios[name]:>8.2f}{TARGETS[name]:>9.0f}")
    print(f"imported by compare without need: {', '.join(imported) or 'nothing'}")

    met = not imported and all(ratios[name] <= most for name, most in TARGETS.items())
    if options.out:
        result = {
            "frames": FRAMES,
            "repeats": options.repeats,
            "median_s": medians,
            "ratios": ratios,
            "targets": TARGETS,
            "unwanted_imports": imported,
            "met": met,
            **provenance(),
        }
        options.out.write_text(json.dumps(result, indent=2) + "\n")
    return 0 if met else 1


def write_pair(folder: Path) -> list[str]:
    """Two performances of a knee bend, 100 frames each, as native files; the second is slower and less deep."""
    files = []
    for name, depth, pace in (("reference", 90.0, 1.0), ("query", 60.0, 0.8)):
        path = folder / f"{name}.json"
        path.write_text(json.dumps(knee_bend(depth, pace)))
        files.append(str(path))
    return files


def knee_bend(depth: float, pace: float) -> dict[str, object]:
    """A person seen from the front who bends the knees by ``depth`` pixels, as a native file holds it."""
    standing = {
        "right_ankle": (-40, 400), "right_knee": (-45, 300), "right_hip": (-40, 200), "left_hip": (40, 200),
        "left_knee": (45, 300), "left_ankle": (40, 400), "pelvis": (0, 200), "thorax": (0, 60), "upper_neck": (0, 40),
        "head_top": (0, 0), "right_wrist": (-80, 220), "right_elbow": (-75, 150), "right_shoulder": (-60, 70),
        "left_shoulder": (60, 70), "left_elbow": (75, 150), "left_wrist": (80, 220),
    }  # fmt: skip
    share = {"right_ankle": 0.0, "left_ankle": 0.0, "right_knee": 0.5, "left_knee": 0.5}
    noise = random.Random(0)
    keypoints = []
    for frame in range(FRAMES):
        down = depth * math.sin(math.pi * min(1.0, pace * frame / (FRAMES - 1))) ** 2
        keypoints.append(
            [
                [200 + x + noise.gauss(0, 0.5), 50 + y + share.get(joint, 1.0) * down + noise.gauss(0, 0.5)]
                for joint, (x, y) in standing.items()
            ]
        )
    return {
        "format": "posediff/1",
        "skeleton": {"name": "mpii16", "joints": list(standing), "bones": [["right_knee", "right_ankle"]]},
        "fps": 25.0,
        "image_size": [400, 500],
        "units": "px",
        "people": [{"id": 0, "frames": list(range(FRAMES)), "keypoints": keypoints}],
    }


def interleaved(commands: dict[str, list[str]], repeats: int) -> dict[str, list[float]]:
    """Wall-clock seconds of every run of every command, taking turns."""
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for turn in range(repeats + 1):
        for name, command in commands.items():
            start = time.perf_counter()
            subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
            if turn:
                seconds[name].append(time.perf_counter() - start)
    return seconds


def unwanted_imports(files: list[str]) -> list[str]:
    """The libraries that a comparison without pictures imports although it does not need them."""
    script = (
        "import sys; from posediff.cli import main\n"
        "main(sys.argv[1:], standalone_mode=False)\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    command = [sys.executable, "-c", script, "compare", *files]
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=True)
    return sorted(set(UNWANTED) & set(run.stderr.split()))


if __name__ == "__main__":
    sys.exit(main())
