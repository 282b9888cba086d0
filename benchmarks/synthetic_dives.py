"""Whether HP-MCoRe learns generated dives from skeletons, and what its parts are worth there.

Every row is ``configs/synthetic_dives.py`` with the change of one file of ``configs/ablations``; every seed is another
set of 400 dives, another division and another network. The best epoch is chosen on the validation clips; the test clips
are looked at once. The floor is what labels alone give: the mean score of the same dive number.

Figures: SRCC and R-l2 (x 100) of the scores, AIoU@0.75 of the flight and of all stages in percent, SRCC of the stage
scores with the planted deductions of the stage, where the stages are the labelled ones.

    python benchmarks/synthetic_dives.py --seeds 3 --processes 2 --out synthetic_dives.json

Tables III and IX are about pictures. With ``--pictures FOLDER`` every row begins from all three encoders: the network
is also given what ``synthetic_dives_pictures.py`` draws of the skeletons, as features by backbones with random weights,
which are kept in FOLDER.

    python benchmarks/synthetic_dives.py --pictures FOLDER --seeds 3 --cfg-options training.epochs=10
"""

from __future__ import annotations

import argparse
import json
import os
import runpy
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from record import provenance

CONFIGS = Path(__file__).parent.parent / "configs"
FULL = "full"
#: Tables whose rows change what skeletons alone show, and those that are about pictures.
TABLES, OF_PICTURES = (4, 5, 6, 7, 8), (3, 9)


def rows(tables: tuple[int, ...]) -> list[str]:
    """The full model, and the ablations of some of the paper's tables (3 is III)."""
    files = sorted(path.stem for path in (CONFIGS / "ablations").glob("table*.py"))
    chosen = {name for table in tables for name in files if name.startswith(f"table{table}_")}
    return [FULL, *(name for name in files if name in chosen)]


def options_of(name: str, features: Path | None = None) -> list[str]:
    """What an ablation changes, as options of the command line, of all encoders where there is a folder of features."""
    changed = {} if name == FULL else runpy.run_path(str(CONFIGS / "ablations" / f"{name}.py"))["model"]
    own = [f"model.{key}={value!r}" for key, value in flat(changed)]
    if features is None:
        return own
    from synthetic_dives_pictures import pictured

    return [*pictured(features, without={key for key, value in changed.items() if value is None}), *own]


def flat(settings: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Nested settings by dotted names."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def experiment_of(name: str, seed: int, extra: list[str], pictures: Path | None = None) -> Any:
    """A row with one seed, whose features are in a folder of the pictures' one."""
    from posediff.engine.config import load_experiment

    seeds = [f"{key}={seed}" for key in ("data.source.seed", "data.seed", "training.seed")]
    own = options_of(name, pictures and features_of(pictures, seed))
    options = [*own, *seeds, "training.threads=1", "training.device='cpu'", *extra]
    return load_experiment(CONFIGS / "synthetic_dives.py", options)


def features_of(pictures: Path, seed: int) -> Path:
    """The folder of the features of one seed."""
    return pictures / f"seed{seed}"


def prepare(seed: int, extra: list[str], pictures: Path) -> float:
    """Write the features of one seed; the seconds it took."""
    import torch
    from synthetic_dives_pictures import extract

    torch.set_num_threads(1)
    settings = experiment_of(FULL, seed, extra, pictures).data.source.settings
    return extract(features_of(pictures, seed), settings)


def run(name: str, seed: int, extra: list[str], pictures: Path | None = None) -> dict[str, Any]:
    """Train and test one row with one seed."""
    from posediff.datasets.synthetic_dives import load
    from posediff.engine.assessment import assess
    from posediff.engine.training import BEST, train

    experiment = experiment_of(name, seed, extra, pictures)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        outcome = train(experiment, Path(folder))
        seconds = time.perf_counter() - started
        result = assess(experiment, Path(folder, BEST))
    return {
        "row": name,
        "seed": seed,
        **result.figures,
        "stages": stage_srcc(result.found.stages, load(experiment.data.source.settings).test),
        "floor": result.floor,
        "validation": outcome.progress.best,
        "seconds": round(seconds, 1),
    }


def stage_srcc(stages: np.ndarray, clips: Any) -> list[float] | None:
    """SRCC of (Q, K) stage scores with what the clips' stages lost; None where the stages are others."""
    from posediff.engine.metrics import srcc

    lost = np.array([clip.extra["deductions"] for clip in clips])
    if stages.shape != lost.shape:
        return None
    factors = np.array([clip.difficulty for clip in clips])
    return [srcc(stages[:, k] / factors, -lost[:, k]) for k in range(stages.shape[1])]


def told(results: list[dict[str, Any]]) -> str:
    """A line of the table: means over the seeds, standard deviation of the SRCC."""

    def mean(name: str) -> str:
        values = [result[name] for result in results]
        return "-" if None in values else f"{np.mean(values):.2f}"

    srccs = [result["srcc"] for result in results]
    stages = [np.mean(result["stages"]) for result in results if result["stages"]]
    cells = [
        f"{np.mean(srccs):.4f} ± {np.std(srccs):.4f}",
        f"{np.mean([r['relative_l2'] for r in results]):.3f}",
        f"{mean('aiou_75_flight')} / {mean('aiou_75_all')}",
        f"{np.mean(stages):.3f}" if stages else "-",
        f"{np.mean([r['seconds'] for r in results]):.0f} s",
    ]
    return f"{results[0]['row']:22}" + "  ".join(f"{cell:>17}" for cell in cells)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", type=int, nargs="*", help="of the paper, 3 for III; none for full")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="of features of pictures, made where missing")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--cfg-options", nargs="*", default=[], metavar="K=V")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()

    os.environ["OMP_NUM_THREADS"] = "1"
    tables = options.tables if options.tables is not None else OF_PICTURES if options.pictures else TABLES
    names = rows(tuple(tables))
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    settings = {"seeds": [*seeds], "cfg_options": options.cfg_options}
    print(f"{'':22}" + "  ".join(f"{head:>17}" for head in ("SRCC", "R-l2", "AIoU@0.75", "stage SRCC", "time")))
    results: dict[str, list[dict[str, Any]]] = {}
    with ProcessPoolExecutor(options.processes) as pool:
        job = partial(run, extra=options.cfg_options, pictures=options.pictures)
        if options.pictures:
            seconds = [*pool.map(partial(prepare, extra=options.cfg_options, pictures=options.pictures), seeds)]
            settings["extraction"] = [round(one, 1) for one in seconds]
        waiting = {name: [pool.submit(job, name, seed) for seed in seeds] for name in names}
        for name, jobs in waiting.items():
            results[name] = [job.result() for job in jobs]
            print(told(results[name]), flush=True)
            if options.out:  # after every row: the whole takes long
                document = {"benchmark": "synthetic_dives", **settings, **provenance(), "rows": results}
                options.out.write_text(json.dumps(document, indent=1) + "\n")
            if name == FULL:
                floors = [result["floor"] for result in results[name]]
                srcc, error = (np.mean([floor[key] for floor in floors]) for key in ("srcc", "relative_l2"))
                print(f"{'labels alone (floor)':22}{srcc:17.4f}  {error:17.3f}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
