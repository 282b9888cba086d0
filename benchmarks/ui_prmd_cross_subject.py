"""Telling correct from incorrect exercises of people never seen before: UI-PRMD, cross-subject folds.

Every episode is measured beside correct episodes of other people (three of each), all of them people to learn from, and
networks learn from what is measured of the five nearest (:mod:`posediff.engine.judging`): ``own`` ones of the episodes
of one movement, ``all`` ones of those of all movements, whose residuals are stretched at random. Which of them vote,
``own``, ``all`` or ``both``, is chosen for every fold inside its training subjects: each of the other folds is left out
in turn, and the largest AUC there wins. Nobody who is tested is learnt from in any movement. Of the others all episodes
are learnt from, also those that the folds leave out; with ``--folds-only`` these are not.

Floors, on the same folds: ``trees``, 500 extremely randomised trees on mean, deviation, least and largest displacement
since the start of every joint, root-centred, turned to the hips, in leg lengths; ``score``, a logistic curve over the
score of ``posediff compare`` alone.

    python benchmarks/ui_prmd_cross_subject.py --data-root DATA --folds folds.json --movements 1,2,3,5,7 --out OUT

writes ``predictions.csv`` (the probability is that of being correct) and ``figures.json`` into OUT.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the work is spread over processes instead

import argparse
import csv
import json
import sys
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from exemplars import spread
from record import provenance
from ui_prmd_floors import score_floor, tree_floor

from posediff.compare.prepare import prepare
from posediff.datasets.ui_prmd import Episode, UIPRMDSettings, episodes, folds
from posediff.engine.judging import COMPARISON, JudgingSettings, Measured, measured, train_judges
from posediff.engine.metrics import accuracy, auc
from posediff.errors import PosediffError
from posediff.io import read_person
from posediff.models.residual_judge import ResidualJudgeSettings

#: Correct episodes of everybody that others are compared with.
EXAMPLES = 3
SETTINGS = {
    "own": JudgingSettings(network=ResidualJudgeSettings(scale=0.0), networks=2),
    "all": JudgingSettings(networks=2),
}
#: Who votes.
CHOICES = {"own": ("own",), "all": ("all",), "both": ("own", "all")}
AIM, LEAST = (0.95, 0.98), (0.92, 0.955)


class Case(NamedTuple):
    """An episode, the fold that tests it (empty if none does), and what is measured of it beside all examples."""

    episode: Episode
    fold: str
    beside: Measured


class Set(NamedTuple):
    """All cases, each movement's examples in the order of the residuals, and the movements."""

    cases: list[Case]
    examples: dict[int, list[Episode]]
    movements: tuple[int, ...]

    def nearest(self, case: Case, people: Collection[int], count: int) -> Measured:
        """A case beside the examples that it is most like, of some people without himself.

        Where he is the only one, it is compared with his own other episodes.
        """
        examples = self.examples[case.episode.movement]
        others = set(people) - {case.episode.subject} or set(people)
        allowed = [one.subject in others and one.key != case.episode.key for one in examples]
        return case.beside.nearest(np.array(allowed), count)


_SHARED: dict[str, Any] = {}


def _measured(task: tuple[Episode, int]) -> Measured:
    return measured(_SHARED["examples"][task[1]], read_person(task[0].path))


def gather(root: str, document: str, movements: tuple[int, ...], left_out: bool, workers: int) -> Set:
    """Measure all episodes of the folds, and with ``left_out`` those that the folds leave out, to learn from."""
    chosen = folds(UIPRMDSettings(root, document, movements))
    everything = episodes(Path(root)) if left_out else []
    tasks: list[tuple[Episode, int]] = []
    names: list[str] = []
    examples: dict[int, list[Episode]] = {}
    for movement, parts in chosen.items():
        named = {one.key: name for name, part in parts.items() for one in part}
        own = [one for part in parts.values() for one in part]
        own += [one for one in everything if one.movement == movement and one.key not in named]
        own.sort(key=lambda one: (one.subject, not one.correct, one.number))
        examples[movement] = list(_examples(own))
        tasks += [(one, movement) for one in own]
        names += [named.get(one.key, "") for one in own]
    _SHARED["examples"] = {
        movement: [prepare(read_person(one.path), COMPARISON) for one in part] for movement, part in examples.items()
    }
    with ProcessPoolExecutor(workers) as pool:
        found = list(pool.map(_measured, tasks, chunksize=4))
    cases = [Case(one, name, beside) for (one, _), name, beside in zip(tasks, names, found, strict=True)]
    return Set(cases, examples, tuple(examples))


def _examples(own: Sequence[Episode]) -> Iterable[Episode]:
    for subject in dict.fromkeys(one.subject for one in own):
        yield from dict.fromkeys(spread([one for one in own if one.subject == subject and one.correct], EXAMPLES))


def tested(data: Set, fold: str) -> list[Case]:
    """The cases of a fold."""
    return [case for case in data.cases if case.fold == fold]


def learnt(data: Set, without: Sequence[str]) -> list[Case]:
    """The cases of all people whom none of the folds ``without`` tests, in any movement."""
    away = {case.episode.subject for case in data.cases if case.fold in without}
    return [case for case in data.cases if case.episode.subject not in away]


def log_odds(
    data: Set, train: Sequence[Case], test: Sequence[Case], name: str, seed: int, networks: int | None = None
) -> np.ndarray:
    """(N,) log odds of the tested cases by the networks of one name, as many as ``networks`` where it is given."""
    settings = SETTINGS[name] if networks is None else replace(SETTINGS[name], networks=networks)
    found = np.full(len(test), np.nan)
    if name == "all":
        found[:] = _judged(data, train, test, settings, seed)
        return found
    for movement in data.movements:
        rows = [number for number, case in enumerate(test) if case.episode.movement == movement]
        own = [case for case in train if case.episode.movement == movement]
        if rows:
            found[rows] = _judged(data, own, [test[row] for row in rows], settings, seed)
    return found


def _judged(
    data: Set, train: Sequence[Case], test: Sequence[Case], settings: JudgingSettings, seed: int
) -> list[float]:
    people = {case.episode.subject for case in train}

    def beside(case: Case) -> Measured:
        return data.nearest(case, people, settings.nearest)

    kinds = np.eye(len(data.movements), dtype=np.float32)
    kind_of = [kinds[data.movements.index(case.episode.movement)] for case in train]
    good = np.array([case.episode.correct for case in train])
    judges = train_judges([beside(case) for case in train], good, settings, seed, np.stack(kind_of))
    return [judges.log_odds(beside(case), kinds[data.movements.index(case.episode.movement)]) for case in test]


def together(parts: dict[str, np.ndarray], choice: str) -> np.ndarray:
    """(N,) probabilities of being correct, by the mean log odds of those who vote."""
    return np.asarray(1 / (1 + np.exp(-np.mean([parts[name] for name in CHOICES[choice]], axis=0))))


def inner(task: tuple[str, str]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Probabilities by every choice, and the labels, of one fold, learnt without that fold and the tested one."""
    fold, left_out = task
    data: Set = _SHARED["data"]
    away = {case.episode.subject for case in tested(data, fold)}
    test = [case for case in tested(data, left_out) if case.episode.subject not in away]
    train = learnt(data, (fold, left_out))
    parts = {name: log_odds(data, train, test, name, seed=0, networks=1) for name in SETTINGS}
    correct = np.array([case.episode.correct for case in test], float)
    return {choice: together(parts, choice) for choice in CHOICES}, correct


def outer(task: tuple[str, int, str]) -> np.ndarray:
    """Probabilities of the cases of one fold."""
    fold, seed, choice = task
    data: Set = _SHARED["data"]
    train, test = learnt(data, (fold,)), tested(data, fold)
    return together({name: log_odds(data, train, test, name, seed) for name in CHOICES[choice]}, choice)


def choose(names: Sequence[str], pool: ProcessPoolExecutor) -> dict[str, str]:
    """Who votes in every fold, by the largest AUC over the other folds, each learnt without it."""
    tasks = [(fold, other) for fold in names for other in names if other != fold]
    parts: dict[str, list[tuple[dict[str, np.ndarray], np.ndarray]]] = {}
    for (fold, _), found in zip(tasks, pool.map(inner, tasks), strict=True):
        parts.setdefault(fold, []).append(found)

    def reached(found: list[tuple[dict[str, np.ndarray], np.ndarray]], choice: str) -> float:
        said, correct = ([part[0][choice] for part in found], [part[1] for part in found])
        return auc(np.concatenate(said), np.concatenate(correct))

    return {fold: max(CHOICES, key=lambda choice: reached(found, choice)) for fold, found in parts.items()}


def figures(rows: Sequence[dict[str, Any]]) -> dict[str, list[float]]:
    """Accuracy and AUC by movement, of all episodes together, and the mean AUC of the movements."""
    result = {}
    for movement in sorted({row["movement"] for row in rows}):
        result[str(movement)] = _pair([row for row in rows if row["movement"] == movement])
    means = np.mean(list(result.values()), axis=0).tolist()
    return {**result, "all": _pair(rows), "mean": means}


def _pair(rows: Sequence[dict[str, Any]]) -> list[float]:
    columns = [np.array([row[name] for row in rows], float) for name in ("probability", "correct")]
    return [accuracy(*columns), auc(*columns)]


def rows_of(cases: Sequence[Case], probabilities: np.ndarray, seed: int) -> list[dict[str, Any]]:
    """Predictions as rows of a table."""
    return [
        {"movement": one.movement, "subject": one.subject, "episode": one.number, "correct": int(one.correct),
         "probability": round(float(value), 6), "seed": seed}
        for (one, _, _), value in zip(cases, probabilities, strict=True)
    ]  # fmt: skip


def told(name: str, by_seed: Sequence[dict[str, list[float]]]) -> str:
    """A line of the table: accuracy / AUC, means over the seeds, and the spread of the figures of all episodes."""
    cells = []
    for column in by_seed[0]:
        values = np.array([found[column] for found in by_seed])
        cells.append("{:.3f} / {:.3f}".format(*values.mean(axis=0)))
    spread = np.std([found["all"] for found in by_seed], axis=0)
    return f"{name:10}" + "".join(f"{cell:>16}" for cell in cells) + "   ± {:.3f} / {:.3f}".format(*spread)


def floor(data: Set, names: Sequence[str], judge: Callable[..., np.ndarray]) -> dict[str, list[float]]:
    """The figures of a floor, movement by movement."""
    rows: list[dict[str, Any]] = []
    for fold in names:
        for movement in data.movements:
            train, test = ([case for case in part if case.episode.movement == movement]
                           for part in (learnt(data, (fold,)), tested(data, fold)))  # fmt: skip
            if test:
                rows += rows_of(test, judge(data, train, test), 0)
    return figures(rows)


def arguments(description: str | None) -> argparse.ArgumentParser:
    """What every benchmark across subjects is asked."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root", required=True, help="folder of UI-PRMD, or one above it")
    parser.add_argument("--folds", default="", help="JSON of the folds; five of two subjects each by default")
    parser.add_argument("--movements", default="", help="numbers, separated by commas; all by default")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    return parser


def asked(parser: argparse.ArgumentParser, options: argparse.Namespace, left_out: bool = False) -> Set:
    """The data that the options name, measured; an end with a message where there is none."""
    movements = tuple(int(part) for part in options.movements.split(",") if part)
    try:
        return gather(options.data_root, options.folds, movements, left_out, options.workers)
    except PosediffError as fault:
        parser.error(f"{fault}: {fault.hint}")


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--folds-only", action="store_true", help="learn from the episodes of the folds alone")
    options = parser.parse_args()
    started, origin = time.monotonic(), provenance()
    data = asked(parser, options, left_out=not options.folds_only)
    print(f"measured {len(data.cases)} episodes, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    _SHARED["data"] = data
    names = sorted({case.fold for case in data.cases if case.fold})
    seeds = range(options.seeds)
    with ProcessPoolExecutor(options.workers) as pool:
        choices = choose(names, pool)
        print(f"chosen, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        tasks = [(fold, seed, choices[fold]) for seed in seeds for fold in names]
        found = list(pool.map(outer, tasks))
    rows = [
        row
        for (fold, seed, _), part in zip(tasks, found, strict=True)
        for row in rows_of(tested(data, fold), part, seed)
    ]
    by_seed = [figures([row for row in rows if row["seed"] == seed]) for seed in seeds]
    floors = {"trees": floor(data, names, tree_floor), "score": floor(data, names, score_floor)}
    print(
        " " * 10 + "".join(f"{'m' + name if name.isdigit() else name:>16}" for name in by_seed[0]) + "   accuracy / AUC"
    )
    print("\n".join([told("networks", by_seed), *(told(name, [values]) for name, values in floors.items())]))
    reached = np.mean([found["all"] for found in by_seed], axis=0).tolist()
    seconds = round(time.monotonic() - started)
    voting = ", ".join(f"fold {fold} {choice}" for fold, choice in choices.items())
    print(f"aim {AIM[0]} / {AIM[1]}, least {LEAST[0]} / {LEAST[1]}; who votes: {voting}; {seconds} s")
    options.out.mkdir(parents=True, exist_ok=True)
    with open(options.out / "predictions.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    told_settings = {name: asdict(settings) for name, settings in SETTINGS.items()}
    result = {
        "networks": by_seed, "mean": reached, **floors, "settings": told_settings, "folds_only": options.folds_only,
        "choices": choices,
        "seconds": seconds, **origin,
    }  # fmt: skip
    (options.out / "figures.json").write_text(json.dumps(result, indent=1) + "\n")
    return 0 if reached[0] >= LEAST[0] and reached[1] >= LEAST[1] else 1


if __name__ == "__main__":
    sys.exit(main())
