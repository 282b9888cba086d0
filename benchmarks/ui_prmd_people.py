"""How many people have to be learnt from: UI-PRMD across subjects, with 1, 2, 4 and 8 of them.

As ``ui_prmd_cross_subject.py`` has it, with networks of single movements alone; who is learnt from is drawn for every
fold and seed, the same people for all methods. With one person only, episodes are compared with his own other ones.
Beside the networks on aligned residuals there are the trees on displacements, which regress directly.

    python benchmarks/ui_prmd_people.py --data-root DATA --folds folds.json --movements 1,2,3,5,7 --out OUT

writes ``people.json`` and the plot ``ui_prmd_people.png`` into OUT.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the work is spread over processes instead

import json
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import ui_prmd_cross_subject as across
from record import provenance
from ui_prmd_floors import tree_floor

PEOPLE = (1, 2, 4, 8)
NETWORKS, TREES = "networks on aligned residuals", "trees on displacements"


def predicted(task: tuple[str, int, int]) -> dict[str, list[dict[str, Any]]]:
    """What both methods say of the episodes of one fold, having learnt from so many people."""
    fold, count, seed = task
    data: across.Set = across._SHARED["data"]
    rows: dict[str, list[dict[str, Any]]] = {NETWORKS: [], TREES: []}
    for movement in data.movements:
        test, train = (
            [case for case in part if case.episode.movement == movement]
            for part in (across.tested(data, fold), across.learnt(data, (fold,)))
        )
        if not test:
            continue
        people = sorted({case.episode.subject for case in train})
        order = np.random.default_rng((seed, movement, int(fold) if fold.isdigit() else 0)).permutation(people)
        train = [case for case in train if case.episode.subject in order[:count].tolist()]
        odds = across.log_odds(data, train, test, "own", seed)
        for name, found in ((NETWORKS, 1 / (1 + np.exp(-odds))), (TREES, tree_floor(data, train, test))):
            rows[name] += across.rows_of(test, found, seed)
    return rows


def curves(found: Mapping[tuple[int, int], Mapping[str, Sequence[dict[str, Any]]]]) -> dict[str, dict[str, Any]]:
    """Accuracy and AUC of all episodes by method and number of people: means over the seeds, and their deviations."""
    result: dict[str, dict[str, Any]] = {NETWORKS: {}, TREES: {}}
    for name, curve in result.items():
        for count in sorted({count for count, _ in found}):
            pairs = [across.figures(rows[name])["all"] for (people, _), rows in found.items() if people == count]
            curve[str(count)] = {"mean": np.mean(pairs, axis=0).tolist(), "deviation": np.std(pairs, axis=0).tolist()}
    return result


def draw(found: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Both curves as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, panels = pyplot.subplots(1, 2, figsize=(8, 3.2), sharey=True, layout="constrained")
    for number, (panel, what) in enumerate(zip(panels, ("accuracy", "AUC"), strict=True)):
        for name, color, marker in ((NETWORKS, "#0b6e99", "o"), (TREES, "#b3541e", "s")):
            counts = [int(count) for count in found[name]]
            values, spread = ([point[kind][number] for point in found[name].values()] for kind in ("mean", "deviation"))
            panel.errorbar(counts, values, spread, label=name, color=color, marker=marker, capsize=3)
        panel.set(xscale="log", xlabel="people learnt from", title=what)
        panel.set_xticks(counts, [str(count) for count in counts])
        panel.minorticks_off()
        panel.grid(alpha=0.3)
    panels[0].legend(frameon=False, loc="lower right")
    figure.savefig(path, dpi=110)


def main() -> int:
    parser = across.arguments(__doc__)
    options = parser.parse_args()
    started, origin = time.monotonic(), provenance()
    data = across.asked(parser, options)
    across._SHARED["data"] = data
    names = sorted({case.fold for case in data.cases})
    tasks = [(fold, count, seed) for count in PEOPLE for seed in range(options.seeds) for fold in names]
    found: dict[tuple[int, int], dict[str, list[dict[str, Any]]]] = {}
    with ProcessPoolExecutor(options.workers) as pool:
        for (_, count, seed), rows in zip(tasks, pool.map(predicted, tasks), strict=True):
            whole = found.setdefault((count, seed), {NETWORKS: [], TREES: []})
            for name in whole:
                whole[name] += rows[name]
    told = curves(found)
    for name, curve in told.items():
        line = "  ".join("{}: {:.3f} / {:.3f}".format(count, *point["mean"]) for count, point in curve.items())
        print(f"{name:32}{line}")
    options.out.mkdir(parents=True, exist_ok=True)
    draw(told, options.out / "ui_prmd_people.png")
    result = {"curves": told, "seeds": options.seeds, "seconds": round(time.monotonic() - started), **origin}
    (options.out / "people.json").write_text(json.dumps(result, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
