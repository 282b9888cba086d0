"""What the parts of CoRe + GART are worth on generated dives: the rows of its paper's table 3 and figure 5.

Every row is ``configs/core_synthetic_dives.py`` with the change of a file of ``configs/ablations_core``; every seed is
another set of 400 dives, another division and another network. The best epoch is chosen on the validation clips; the
test clips are looked at once. How many exemplars vote is only changed for testing. Covered is the share of the test
scores within their 90 % intervals.

    python benchmarks/core_ablations.py --seeds 3 --cfg-options training.epochs=10 --out core_ablations.json
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from record import provenance
from synthetic_dives import CONFIGS, FULL, flat

#: Rows that are trained, those of figure 5 (b) left out.
ROWS = (FULL, *sorted(path.stem for path in (CONFIGS / "ablations_core").glob("*.py") if "5b" not in path.stem))
#: Exemplars that vote in testing the full model.
EXEMPLARS = (1, 3, 5, 10)


def run(row: str, seed: int, extra: list[str]) -> list[dict[str, Any]]:
    """Train and test one row with one seed; the full model is tested with several numbers of exemplars."""
    from posediff.engine.assessment import assess
    from posediff.engine.config import load_experiment
    from posediff.engine.training import BEST, train

    changed = {} if row == FULL else runpy.run_path(str(CONFIGS / "ablations_core" / f"{row}.py"))["model"]
    options = [f"model.{key}={value!r}" for key, value in flat(changed)]
    options += [f"{key}={seed}" for key in ("data.source.seed", "data.seed", "training.seed")]
    options += ["training.threads=1", "training.device='cpu'", *extra]
    config = CONFIGS / "core_synthetic_dives.py"
    found = []
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        train(load_experiment(config, options), Path(folder))
        seconds = round(time.perf_counter() - started, 1)
        for count in EXEMPLARS if row == FULL else (10,):
            experiment = load_experiment(config, [*options, f"data.exemplars.count={count}"])
            result = assess(experiment, Path(folder, BEST))
            covered = result.interval["coverage"] if result.interval else None
            name = row if count == 10 else f"{row}, {count} exemplars"
            found.append({"row": name, "seed": seed, **result.figures, "covered": covered, "floor": result.floor,
                          "seconds": seconds})  # fmt: skip
    return found


def told(results: list[dict[str, Any]]) -> str:
    """A line of the table: means over the seeds, standard deviation of the SRCC."""
    srccs, errors = ([result[name] for result in results] for name in ("srcc", "relative_l2"))
    covered = [result["covered"] for result in results if result["covered"] is not None]
    share = f"{100 * np.mean(covered):.1f} %" if covered else "-"
    time_taken = np.mean([result["seconds"] for result in results])
    return (
        f"{results[0]['row']:24}{np.mean(srccs):.4f} ± {np.std(srccs):.4f}{np.mean(errors):9.3f}{share:>10}"
        f"{time_taken:8.0f} s"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="*", default=ROWS, choices=ROWS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cfg-options", nargs="*", default=[], metavar="K=V")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    print(f"{'':24}{'SRCC':15}{'R-l2':>11}{'covered':>10}{'time':>10}")
    table: dict[str, list[dict[str, Any]]] = {}
    for row in options.rows:
        results = [result for seed in range(options.seeds) for result in run(row, seed, options.cfg_options)]
        for name in dict.fromkeys(result["row"] for result in results):
            table[name] = [result for result in results if result["row"] == name]
            print(told(table[name]), flush=True)
        if row == options.rows[0]:
            floors = [[result["floor"][key] for result in results] for key in ("srcc", "relative_l2")]
            print(f"{'labels alone (floor)':24}{np.mean(floors[0]):.4f}{np.mean(floors[1]):18.3f}", flush=True)
        if options.out:  # after every row: the whole takes long
            document = {"benchmark": "core_ablations", "cfg_options": options.cfg_options, **provenance()}
            options.out.write_text(json.dumps({**document, "rows": table}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
