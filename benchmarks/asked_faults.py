"""Whether statements about faulty exercises are answered as their data sets describe the faults: real skeletons.

Of every movement there are statements that its fault implies, written from the data set's description before any
result was seen (``ui_prmd_queries``, ``front_raise_queries.yaml``). Every pair is a correct performance of one person,
A, and a faulty one of another, B; a statement is right where it is truer of B. ``accuracy`` takes the sign of the
difference, since "same" is no choice here; ``told`` is the share of pairs in which noise does not explain the
difference, ``told right`` the accuracy among them. Pairs share performances, so that the binomial test, over as many
pairs as there are people, is given besides the one over all pairs.

    python benchmarks/asked_faults.py --data-root DATA --pairs 200 --out asked_faults.json
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the work is spread over processes instead

import argparse
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from record import provenance

from posediff.compare import Settings, compare
from posediff.datasets.ui_prmd import episodes
from posediff.differencing.differencer import DifferencingSettings, ask
from posediff.differencing.metrics import binomial
from posediff.differencing.statements.taxonomy import Taxonomy, load
from posediff.errors import PosediffError
from posediff.io import read_person

HERE = Path(__file__).parent
MOVEMENTS = {1: "deep_squat", 2: "hurdle_step", 3: "inline_lunge", 5: "sit_to_stand", 7: "shoulder_abduction"}
#: People choose their side: the better of the query and its mirror image counts.
SETTINGS = Settings(mirror="auto")
LEAST = 0.75


def ui_prmd_pairs(root: Path, movement: int, count: int, rng: np.random.Generator) -> list[tuple[Path, Path, int]]:
    """Paths of a correct and a faulty episode of different people, and who does the faulty one."""
    found = [one for one in episodes(root) if one.movement == movement]
    correct, faulty = ([one for one in found if one.correct is wanted] for wanted in (True, False))
    pairs = []
    while len(pairs) < count:
        b = faulty[len(pairs) % len(faulty)] if count >= len(faulty) else faulty[rng.integers(len(faulty))]
        others = [one for one in correct if one.subject != b.subject]
        pairs.append((others[rng.integers(len(others))].path, b.path, b.subject))
    return pairs


def front_raise_pairs(root: Path) -> list[tuple[Path, Path, int]]:
    """Every good front raise beside every bad one; who does them is not known, so each bad one counts as somebody."""
    good, bad = (sorted(root.rglob(f"frontraise_{kind}_*.npy")) for kind in ("good", "bad"))
    return [(a, b, number) for number, b in enumerate(bad) for a in good]


def judged(given: tuple[Path, Path, int, str, str | None]) -> list[dict[str, Any]]:
    """What is answered of a pair."""
    first, second, person, path, skeleton = given
    taxonomy = load(path)
    try:
        comparison = compare(*(read_person(one, skeleton=skeleton) for one in (first, second)), SETTINGS)
        found = ask(comparison, taxonomy, settings=DifferencingSettings(draws=16)).answers
    except PosediffError as fault:
        return [{"id": one.id, "person": person, "reason": str(fault)} for one in taxonomy.differences]
    signs = {one.id: one.sign for one in taxonomy.differences}
    return [
        {"id": answer.id, "person": person, "reason": answer.reason, "answer": answer.answer,
         "advantage": signs[answer.id] * answer.difference, "values": answer.values}
        for answer in found
    ]  # fmt: skip


def figures(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Accuracy, the share that is told, and the binomial tests of one statement."""
    known = [row for row in rows if not row["reason"]]
    if not known:
        return {"accuracy": None, "answered": 0, "reason": rows[0]["reason"]}
    right = np.array([row["advantage"] > 0 for row in known])
    told = np.array([row["answer"] != "same" for row in known])
    people = sorted({row["person"] for row in known})
    who = np.array([row["person"] for row in known])
    by_person = [right[who == person].mean() for person in people]
    better = int(np.sum(np.array(by_person) > 0.5))
    return {
        "accuracy": float(right.mean()),
        "answered": len(known),
        "of": len(rows),
        "told": float(told.mean()),
        "told right": float(right[told].mean()) if told.any() else None,
        "p": binomial(int(right.sum()), len(right)),
        "people": len(people),
        "people right": better,
        "p by people": binomial(better, len(people)),
        "medians": np.nanmedian([row["values"] for row in known], axis=0).tolist(),
    }


def table(name: str, taxonomy: Taxonomy, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Print and return the figures of one movement."""
    result = {}
    for question in taxonomy.differences:
        found = figures([row for row in rows if row["id"] == question.id])
        result[question.query] = found
        if found["accuracy"] is None:
            print(f"{name:20} {question.query:52} not answered: {found['reason']}")
            continue
        a, b = found["medians"]
        print(f"{name:20} {question.query:52} {found['accuracy']:6.3f}  told {found['told']:.2f}  p {found['p']:.1e}  "
              f"{found['people right']:2}/{found['people']:<2} people, p {found['p by people']:.3f}  "
              f"medians {a:.3g} | {b:.3g} {question.measure.unit if question.measure else ''}")  # fmt: skip
    return result


def mean(found: Iterable[Mapping[str, Any]]) -> float:
    """Mean accuracy of statements, those that could not be answered as chance."""
    return float(np.mean([0.5 if one["accuracy"] is None else one["accuracy"] for one in found]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", type=Path, required=True, help="folder above UI-PRMD and the front raises")
    parser.add_argument("--pairs", type=int, default=200, help="of every movement of UI-PRMD")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    started, origin, result = time.monotonic(), provenance(), {}
    rng = np.random.default_rng(options.seed)
    tasks: dict[str, tuple[Path, list[tuple[Path, Path, int]], str | None]] = {}
    for number, name in MOVEMENTS.items():
        pairs = ui_prmd_pairs(options.data_root, number, options.pairs, rng)
        tasks[name] = HERE / "ui_prmd_queries" / f"{name}.yaml", pairs, None
    tasks["front_raise"] = HERE / "front_raise_queries.yaml", front_raise_pairs(options.data_root), "openpose18"
    with ProcessPoolExecutor(options.workers) as pool:
        for name, (path, pairs, skeleton) in tasks.items():
            given = [(*pair, str(path), skeleton) for pair in pairs]
            rows = [row for part in pool.map(judged, given, chunksize=4) for row in part]
            result[name] = table(name, load(path), rows)
    ui_prmd = mean(one for name in MOVEMENTS.values() for one in result[name].values())
    front = mean(result["front_raise"].values())
    seconds = time.monotonic() - started
    print(f"mean accuracy: UI-PRMD {ui_prmd:.3f}, front raises {front:.3f}; least {LEAST}; {seconds:.0f} s")
    if options.out:
        summary = {"UI-PRMD": ui_prmd, "front raises": front, "statements": result}
        options.out.write_text(json.dumps({**summary, **origin}, indent=1))
    return 0 if min(ui_prmd, front) >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
