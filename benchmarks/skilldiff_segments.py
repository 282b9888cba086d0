"""Whether SkillDiff learns generated dives, and whether its lowest segment is where the only fault of a dive is.

Every seed is another set of 400 dives, another division and another network. Then other dives are generated, each with
faults of 15 degrees or more in one stage and none in the others. Nobody has told the network where in a dive points are
lost. Found is a fault whose stage holds the middle of the segment with the lowest score, or of the segment that takes
most from the score beside the references (``stages`` of the predictions), which is the same where segments are
deductions. Floors: a segment at random, and always the longest stage; the ceiling is the share of dives in which any
segment has its middle in the stage.

Rows are the full model and the files of ``configs/ablations_skilldiff``. With ``--validation`` no test clip is looked
at: other dives with one fault are taken, for choosing settings by them.

    python benchmarks/skilldiff_segments.py --seeds 3 --out skilldiff_segments.json
    python benchmarks/skilldiff_segments.py --seeds 1 --rows full direct aligned --cfg-options training.epochs=10
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from record import provenance

CONFIGS = Path(__file__).parent.parent / "configs"
FULL = "full"
#: Mean number of faults in a stage of the dives that are drawn, and their least size in degrees.
FAULTS, LEAST = 0.5, 15.0
#: Added to the seed of the training dives.
VALIDATION, TEST = 500, 1000


def config_of(row: str) -> Path:
    """The configuration of a row."""
    return CONFIGS / ("skilldiff_synthetic_dives.py" if row == FULL else f"ablations_skilldiff/{row}.py")


def planted(settings: Any, seed: int, count: int) -> tuple[list[Any], dict[str, Any], np.ndarray]:
    """Dives with faults in one stage alone.

    Args:
        settings: of the training dives.
        seed: of these dives.
        count: how many.

    Returns:
        Their clips, their skeletons by key, and (count,) the number of the stage.
    """
    from posediff.datasets.synthetic_dives import dive

    settings = replace(settings, seed=seed, faults=FAULTS, amounts=(LEAST, settings.amounts[1]))
    clips, sequences, stages, number = [], {}, [], 0
    while len(clips) < count:
        clip, sequence = dive(settings, number)
        number += 1
        lost = np.array(clip.extra["deductions"])
        if np.count_nonzero(lost) == 1:
            clip = replace(clip, key=f"planted{number:05d}")
            clips.append(clip)
            sequences[clip.key] = sequence
            stages.append(int(lost.argmax()))
    return clips, sequences, np.array(stages)


def inside(transitions: np.ndarray, labelled: np.ndarray, stage: np.ndarray, frames: int) -> np.ndarray:
    """(Q, M) whether the middle of each segment is in a stage of its clip.

    Args:
        transitions: (Q, M - 1) first frame of every segment but the first.
        labelled: (Q, K - 1) the same of the stages.
        stage: (Q,) number of the stage.
        frames: T.
    """
    queries = np.arange(len(stage))
    borders, limits = (
        np.concatenate([np.zeros((len(stage), 1)), part, np.full((len(stage), 1), frames)], axis=1)
        for part in (transitions, labelled)
    )
    middles = (borders[:, :-1] + borders[:, 1:] - 1) / 2
    starts, ends = limits[queries, stage], limits[queries, stage + 1]
    return (middles >= starts[:, None]) & (middles < ends[:, None])


def located(experiment: Any, path: Path, seed: int, count: int) -> dict[str, Any]:
    """How often a network finds the faults of other dives.

    Args:
        experiment: that it was trained in.
        path: of its checkpoint.
        seed: of these dives.
        count: how many.
    """
    from posediff.engine.checkpoints import load, network_of
    from posediff.engine.data import for_testing, load_clips
    from posediff.engine.evaluation import predict
    from posediff.engine.processes import join

    collection, checkpoint = load_clips(experiment.data), load(path)
    clips, sequences, stage = planted(experiment.data.source.settings, seed, count)
    collection = replace(collection, test=tuple(clips), sequences={**collection.sequences, **sequences})
    asked = for_testing(experiment.data, experiment.model.settings, collection, checkpoint.task)
    found = predict(network_of(checkpoint, path), asked, 64, join("none", "cpu"))
    labelled = asked.queries.load(np.arange(count))["transitions"].numpy()
    hits = inside(found.transitions, labelled, stage, found.frames)
    lengths = np.diff(labelled, axis=1, prepend=0, append=found.frames)
    rows = np.arange(count)
    right = {
        "lowest segment": hits[rows, found.segments.argmin(axis=1)],
        "largest loss": hits[rows, found.stages.argmin(axis=1)],
        "random segment (floor)": hits.mean(axis=1),
        "longest stage (floor)": lengths.argmax(axis=1) == stage,
        "ceiling": hits.any(axis=1),
    }
    return {name: {"all": float(part.mean()), "stages": _by_stage(part, stage)} for name, part in right.items()}


def _by_stage(part: np.ndarray, stage: np.ndarray) -> list[float | None]:
    """Means over the dives with a fault in each stage; None without any."""
    return [float(part[stage == k].mean()) if (stage == k).any() else None for k in range(3)]


def run(row: str, seed: int, extra: list[str], count: int, validation: bool) -> dict[str, Any]:
    """Train one row with one seed, and look where it finds faults."""
    from posediff.engine.assessment import assess
    from posediff.engine.config import load_experiment
    from posediff.engine.training import BEST, train

    seeds = [f"{key}={seed}" for key in ("data.source.seed", "data.seed", "training.seed")]
    experiment = load_experiment(config_of(row), [*seeds, "training.threads=1", "training.device='cpu'", *extra])
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        outcome = train(experiment, Path(folder))
        seconds = time.perf_counter() - started
        best = Path(folder, BEST)
        figures = outcome.progress.best if validation else assess(experiment, best).figures
        places = located(experiment, best, seed + (VALIDATION if validation else TEST), count)
    return {
        "row": row,
        "seed": seed,
        "figures": figures,
        "validation": outcome.progress.best,
        "found": places,
        "seconds": round(seconds, 1),
    }


def told(results: list[dict[str, Any]]) -> str:
    """Lines of the table: means over the seeds."""
    srccs, errors = ([one["figures"][name] for one in results] for name in ("srcc", "relative_l2"))
    seconds = np.mean([result["seconds"] for result in results])
    head = f"{_mean(srccs)} ± {np.std(srccs):.4f}" if None not in srccs else "-"
    lines = [f"{results[0]['row']:24} SRCC {head}   R-l2 {_mean(errors)}   {seconds:.0f} s"]
    for name in results[0]["found"]:
        found = [result["found"][name] for result in results]
        stages = " ".join(_mean(column) for column in zip(*(one["stages"] for one in found), strict=True))
        lines.append(f"  {name:24} {_mean([one['all'] for one in found])}   by stage {stages}")
    return "\n".join(lines)


def _mean(values: Sequence[float | None]) -> str:
    """Of what there is."""
    there = [value for value in values if value is not None]
    return f"{np.mean(there):6.4f}" if there else "     -"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="*", default=[FULL], help="full, or names in configs/ablations_skilldiff")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--dives", type=int, default=200, help="with one fault, for each seed")
    parser.add_argument("--validation", action="store_true", help="look at validation clips and dives alone")
    parser.add_argument("--cfg-options", nargs="*", default=[], metavar="K=V")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()

    os.environ["OMP_NUM_THREADS"] = "1"
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    results: dict[str, list[dict[str, Any]]] = {}
    for row in options.rows:
        results[row] = [run(row, seed, options.cfg_options, options.dives, options.validation) for seed in seeds]
        print(told(results[row]), flush=True)
        if options.out:  # after every row: the whole takes long
            document = {"benchmark": "skilldiff_segments", "seeds": [*seeds], "validation": options.validation}
            document |= {"cfg_options": options.cfg_options, **provenance(), "rows": results}
            options.out.write_text(json.dumps(document, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
