"""How well the score of ``compare`` tells correct from incorrect exercises: UI-PRMD, untrained, subjects kept apart.

For every subject, each of the subject's episodes is scored against 18 correct exemplars, two of each of the nine other
subjects, and the five nearest are averaged. The figure is the AUC of correct against incorrect over all subjects, per
movement, then the mean over movements. No setting depends on the movement and nothing is fitted.

    python benchmarks/compare_ui_prmd.py --data-root DATA --movements 1,2,3,5,7 --out ui_prmd.json
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the work is spread over processes instead

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any

from exemplars import SETTINGS, auc, bodies, exemplar_scores, spread
from record import provenance

from posediff.datasets.ui_prmd import Episode, episodes
from posediff.errors import PosediffError
from posediff.io import read_person

EXEMPLARS_A_SUBJECT = 2
TARGET, LEAST = 0.96, 0.93


def chosen_exemplars(episodes: Sequence[Episode], left_out: int) -> list[Episode]:
    """Two correct episodes of every other subject: the first one and the middle one."""
    chosen = []
    for subject in sorted({one.subject for one in episodes} - {left_out}):
        own = [one for one in episodes if one.subject == subject and one.correct]
        chosen += spread(own, EXEMPLARS_A_SUBJECT)
    return chosen


def judge_subject(episodes: Sequence[Episode], subject: int) -> list[dict[str, Any]]:
    """All episodes of one subject scored against the exemplars of the others."""
    exemplars = bodies([read_person(one.path) for one in chosen_exemplars(episodes, subject)])
    rows = []
    for one in episodes:
        if one.subject == subject:
            scores = exemplar_scores(exemplars, read_person(one.path))
            rows.append({"movement": one.movement, "subject": subject, "episode": one.number, "correct": one.correct,
                         **{name: round(value, 4) for name, value in scores.items()}})  # fmt: skip
    return rows


def figures(rows: Sequence[Mapping[str, Any]], name: str = "score") -> dict[str, float]:
    """AUC of a score, by movement."""
    movements = sorted({row["movement"] for row in rows})
    by_label = {
        movement: [[row[name] for row in rows if row["movement"] == movement and row["correct"] is label]
                   for label in (True, False)]
        for movement in movements
    }  # fmt: skip
    return {str(movement): auc(*groups) for movement, groups in by_label.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, required=True, help="folder of UI-PRMD, or one above it")
    parser.add_argument("--movements", default="1,2,3,5,7", help="numbers, separated by commas")
    parser.add_argument("--out", type=Path, help="where to write the result as JSON")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    started, origin = time.monotonic(), provenance()
    wanted = [int(part) for part in options.movements.split(",")]
    try:
        everything = episodes(options.data_root)
    except PosediffError as fault:
        parser.error(f"{fault}: {fault.hint}")
    absent = sorted(set(wanted) - {one.movement for one in everything})
    if absent:
        parser.error(f"{options.data_root} holds no episodes of movements {absent}")
    rows: list[dict[str, Any]] = []
    with ProcessPoolExecutor(options.workers) as pool:
        for movement in wanted:
            own = [one for one in everything if one.movement == movement]
            subjects = sorted({one.subject for one in own})
            for part in pool.map(judge_subject, repeat(own), subjects):
                rows += part
            print(f"movement {movement:2d}: AUC {figures(rows)[str(movement)]:.3f}", file=sys.stderr, flush=True)
    per_movement = figures(rows)
    mean = sum(per_movement.values()) / len(per_movement)
    names = ("score", "accuracy", "timing", "smoothness", "range")
    print(f"{'':12}" + "".join(f"{'m' + movement:>8}" for movement in per_movement) + f"{'mean':>8}")
    for name in names:
        values = list(figures(rows, name).values())
        print(f"{name:12}" + "".join(f"{value:8.3f}" for value in (*values, sum(values) / len(values))))
    print(
        f"mean AUC {mean:.4f} (aim {TARGET}, least {LEAST}), {len(rows)} episodes, {time.monotonic() - started:.0f} s"
    )
    if options.out:
        result = {
            "per_movement": per_movement,
            "mean_auc": mean,
            "dimensions": {name: figures(rows, name) for name in names[1:]},
            "settings": vars(SETTINGS),
            "seconds": round(time.monotonic() - started),
            **origin,
            "episodes": rows,
        }
        options.out.write_text(json.dumps(result, indent=1))
    return 0 if mean >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
