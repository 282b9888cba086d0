"""Whether statements about two performances are answered rightly: generated motion of all built-in taxonomies.

Every pair is one performer, filmed by one camera with keypoint noise of 1 % of the torso; the two performances differ
in pace, 0.7 to 1.4, save where the statement is about time. In *planted* pairs one difference is planted, so large
that its measure truly differs by 1 to 5 standard deviations of what the noise does to the difference; in *alike* pairs
nothing is planted, and all statements that are not about time are asked. Standard deviations and sizes come from the
generator: the first by measuring pairs that differ in noise alone, the second by measuring without noise.

``accuracy``: the right one of three answers; ``sign``: the right one of two, where "same" is no choice; ``same``: alike
pairs answered by "same"; ``ECE``: expected calibration error of the probabilities, planted and alike weighing the same.
In the *open set* two to four differences are planted in a pair, and ``posediff compare --propose`` may name one and a
half times as many; recall is the share of the planted ones that are named, and named of the right performance.

Seeds below 1000 are for development; what is reported uses seeds from 1000 on.

    python benchmarks/planted_differences.py --seed 1000 --pairs 60 --out planted_differences.json
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the work is spread over processes instead

import argparse
import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from record import provenance

from posediff.compare import Comparison, Settings, compare
from posediff.compare.prepare import prepare
from posediff.compare.run import judge
from posediff.differencing.differencer import ask
from posediff.differencing.grammar.measures import values
from posediff.differencing.localizing.localizer import localise_pair
from posediff.differencing.metrics import ece
from posediff.differencing.noise import sharpened_pair
from posediff.differencing.open_set import propose
from posediff.differencing.statements.questions import Question, Taxonomy
from posediff.differencing.statements.taxonomy import built_in, find
from posediff.motion.synthetic import MOVEMENTS, VARIATIONS, Performer, Recording, varied
from posediff.sequence import PoseSequence

#: The generated movement of a taxonomy's action, where it has another name.
MOVEMENT = {"golf_swing": "swing", "platform_dive": "dive", "tennis_serve": "serve"}
NOISE, PACE = 0.01, (0.7, 1.4)
SIZES = (1, 2, 3, 4, 5)
#: Pairs that the standard deviation of the noise is estimated by.
REPEATS = 32
TARGETS = {"accuracy": 0.95, "same": 0.90, "ECE": 0.05, "recall": 0.85}


def movement_of(taxonomy: Taxonomy) -> str:
    return MOVEMENT.get(taxonomy.action, taxonomy.action)


def measurable(taxonomy: Taxonomy) -> list[Question]:
    """The statements that can be planted; how large a difference has to be to count is given by the noise here."""
    known = VARIATIONS[movement_of(taxonomy)]
    return [replace(one, least=0.0) for one in taxonomy.differences if one.measure is not None and one.id in known]


def about_time(question: Question) -> bool:
    measure = question.measure
    return measure is not None and ("s" in measure.unit.split("/") or "share(" in measure.text)


class Scene:
    """One performer before one camera: performances of a movement, and what is measured of them."""

    def __init__(self, action: str, view: str, seed: int) -> None:
        rng = np.random.default_rng([seed, 17])
        self.taxonomy = find(action)
        self.movement = MOVEMENTS[movement_of(self.taxonomy)]()
        self.performer = Performer.random(rng)
        self.view = view

    def filmed(self, amounts: Mapping[str, float], pace: float, seed: int, noise: float = NOISE) -> PoseSequence:
        recording = Recording(pace=pace, view=self.view, noise=noise)
        return varied(self.movement, amounts, performer=self.performer, recording=recording, seed=seed)

    def values(self, one: PoseSequence, other: PoseSequence) -> dict[str, tuple[float, float]]:
        """What is measured of a pair, by the ids of the statements; NaN where it cannot be."""
        questions, settings = measurable(self.taxonomy), Settings()
        pair = judge(prepare(one, settings), prepare(other, settings), settings).line
        sides = tuple(self.taxonomy.sides_of(body) for body in pair.pair)
        (first, _), (second, _) = sharpened_pair(pair.pair, settings)
        sharp = first, second
        moments = localise_pair(self.taxonomy.key_points, sharp, pair, sides)
        found = [
            values([question.measure for question in questions], body,
                   {name: moment.position for name, moment in at.items()}, side)
            for body, at, side in zip(sharp, moments, sides, strict=True)
        ]  # fmt: skip
        known = [[value if isinstance(value, float) else math.nan for value in part] for part in found]
        return {question.id: both for question, both in zip(questions, zip(*known, strict=True), strict=True)}

    @cache  # noqa: B019  # scenes live as long as the process
    def deviations(self, pace: float) -> dict[str, float]:
        """Standard deviation of every measure's difference that noise makes, from pairs that differ in noise alone."""
        pairs = ([self.filmed({}, pace, 1000 + 2 * k + side) for side in (0, 1)] for k in range(REPEATS))
        rows = [self.values(*pair) for pair in pairs]
        return {name: float(np.std([row[name][1] - row[name][0] for row in rows], ddof=1)) for name in rows[0]}

    def deviation(self, name: str, paces: Sequence[float]) -> float:
        """The same for two performances of unlike pace, each of which adds its half, from paces that were measured."""
        known = np.log([PACE[0], 1.0, PACE[1]])
        at = [self.deviations(float(np.exp(pace)))[name] for pace in known]
        return float(np.hypot(*np.interp(np.log(paces), known, at)) / math.sqrt(2))

    def amount(self, name: str, difference: float, pace: float) -> float:
        """How much of a variation makes the measure differ by so much, by the secant method."""
        plain = self.filmed({}, pace, 0, noise=0.0)

        def effect(amount: float) -> float:
            one, other = self.values(plain, self.filmed({name: amount}, pace, 0, noise=0.0))[name]
            return other - one

        low, amount = 0.0, 0.5 * math.copysign(1.0, difference)
        reached, before = effect(amount), 0.0
        for _ in range(4):
            if abs(reached - difference) < 0.05 * abs(difference) or reached == before:
                break
            step = (difference - reached) * (amount - low) / (reached - before)
            low, before = amount, reached
            amount = float(np.clip(amount + step, -3, 3))
            reached = effect(amount)
        return amount if abs(reached - difference) < 0.25 * abs(difference) else math.nan


@cache
def scene(action: str, view: str, seed: int) -> Scene:
    return Scene(action, view, seed)


def closed(action: str, view: str, seed: int, index: int) -> list[dict[str, Any]]:
    """One planted and one alike pair."""
    place, rng = scene(action, view, seed), np.random.default_rng([seed, index, len(action)])
    questions = [one for one in measurable(place.taxonomy) if np.isfinite(place.deviations(1.0)[one.id])]
    question = questions[index % len(questions)]
    size, sign = SIZES[(index + index // len(questions)) % len(SIZES)], rng.choice([-1, 1])
    paces = np.exp(rng.uniform(*np.log(PACE), 2))
    if about_time(question):
        paces[1] = paces[0]
    wanted = float(sign * size * place.deviation(question.id, paces.tolist()))
    amount = place.amount(question.id, wanted, float(paces[1]))
    seeds = rng.integers(2**31, size=4).tolist()
    rows = []
    if np.isfinite(amount):
        given = zip(({}, {question.id: amount}), paces.tolist(), seeds[:2], strict=True)
        pair = [place.filmed(amounts, pace, number) for amounts, pace, number in given]
        truth = "b" if wanted * question.sign > 0 else "a"
        rows += answers(place.taxonomy, compare(*pair), [question], truth, size)
    paces = np.exp(rng.uniform(*np.log(PACE), 2))
    alike = [place.filmed({}, float(pace), number) for pace, number in zip(paces, seeds[2:], strict=True)]
    rows += answers(place.taxonomy, compare(*alike), [one for one in questions if not about_time(one)], "same", 0)
    return [{"action": action, "view": view, "index": index, **row} for row in rows]


def answers(
    taxonomy: Taxonomy, comparison: Comparison, questions: Sequence[Question], truth: str, size: int
) -> list[dict[str, Any]]:
    found = ask(comparison, taxonomy, questions).answers
    rows = []
    for question, answer in zip(questions, found, strict=True):
        if answer.answer is None:
            rows.append({"id": question.id, "truth": truth, "size": size, "answer": None, "reason": answer.reason})
            continue
        advantage = question.sign * answer.difference
        rows.append({"id": question.id, "truth": truth, "size": size, "answer": answer.answer,
                     "sign": "b" if advantage > 0 else "a", "probability": answer.probability,
                     "z": advantage / answer.noise})  # fmt: skip
    return rows


def opened(action: str, view: str, seed: int, index: int) -> dict[str, Any]:
    """A pair with two to four planted differences, and what is proposed."""
    place, rng = scene(action, view, seed), np.random.default_rng([seed, index, len(action), 5])
    questions = {one.id: one for one in measurable(place.taxonomy) if np.isfinite(place.deviations(1.0)[one.id])}
    chosen = rng.choice(sorted(questions), int(rng.integers(2, 5)), replace=False).tolist()
    amounts = {name: float(rng.choice([-1, 1]) * rng.uniform(0.6, 1.4)) for name in chosen}
    pace = float(np.exp(rng.uniform(*np.log(PACE))))
    seeds = rng.integers(2**31, size=2).tolist()
    pair = [place.filmed(given, pace, number) for given, number in zip(({}, amounts), seeds, strict=True)]
    count = math.ceil(1.5 * len(chosen))
    said = {answer.id: answer.answer for answer in named(compare(*pair), place.taxonomy, count)}
    truth = {name: "b" if amount > 0 else "a" for name, amount in amounts.items()}
    hits = [name for name, side in truth.items() if said.get(name) == side]
    flipped = [name for name, side in truth.items() if name in said and said[name] != side]
    about = {"action": action, "view": view, "index": index}
    return {**about, "planted": truth, "said": said, "hits": hits, "flipped": flipped}


def named(comparison: Comparison, taxonomy: Taxonomy, count: int) -> Sequence[Any]:
    return propose(comparison, replace(taxonomy, differences=tuple(measurable(taxonomy))), count).answers


def figures(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    planted = [row for row in rows if row["size"] and row["answer"]]
    alike = [row for row in rows if not row["size"] and row["answer"]]
    large = [row for row in planted if row["size"] >= 3]
    result = {"accuracy": right(large), "sign": right(large, "sign"), "same": right(alike)}
    result |= {f"accuracy at {size}": right([row for row in planted if row["size"] == size]) for size in SIZES}
    if planted and alike:
        every = max(1, len(alike) // len(planted))
        both = planted + alike[::every]
        result["ECE"] = ece([row["probability"] for row in both], [row["answer"] == row["truth"] for row in both])
    return result


def right(rows: Sequence[Mapping[str, Any]], name: str = "answer") -> float:
    return float(np.mean([row[name] == row["truth"] for row in rows])) if rows else math.nan


def task(given: tuple[str, str, int, int, bool]) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    action, view, seed, index, open_set = given
    return closed(action, view, seed, index), opened(action, view, seed, index) if open_set else None


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--pairs", type=int, default=60, help="planted and alike, of every action")
    parser.add_argument("--actions", nargs="*", default=list(built_in()))
    parser.add_argument("--closed-only", action="store_true")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    started, origin = time.monotonic(), provenance()
    tasks = [(action, ("3d", "2d")[half], options.seed, index, not options.closed_only)
             for action in options.actions for half in (0, 1) for index in range(options.pairs // 2)]  # fmt: skip
    with ProcessPoolExecutor(options.workers) as pool:
        found = list(pool.map(task, tasks, chunksize=max(1, options.pairs // 2)))
    rows = [row for part, _ in found for row in part]
    pairs = [pair for _, pair in found if pair is not None]
    columns = ["accuracy", "sign", "same", *(f"accuracy at {size}" for size in SIZES), "ECE"]
    print(f"{'':16}" + "".join(f"{name:>16}" for name in columns) + f"{'recall':>10}")
    table = {}
    for action in [*options.actions, "all"]:
        own = [row for row in rows if action in (row["action"], "all")]
        about = [pair for pair in pairs if action in (pair["action"], "all")]
        table[action] = figures(own) | {
            "recall": recall(about),
            "unanswered": sum(row["answer"] is None for row in own),
        }
        print(f"{action:16}" + "".join(f"{table[action].get(name, math.nan):16.3f}" for name in columns)
              + f"{table[action]['recall']:10.3f}")  # fmt: skip
    print(f"targets {TARGETS}; {time.monotonic() - started:.0f} s")
    if options.out:
        result = {"figures": table, **origin, "targets": TARGETS, "rows": rows, "open": pairs}
        options.out.write_text(json.dumps(result, indent=1))
    return 0


def recall(pairs: Sequence[Mapping[str, Any]]) -> float:
    planted = sum(len(pair["planted"]) for pair in pairs)
    return sum(len(pair["hits"]) for pair in pairs) / planted if planted else math.nan


if __name__ == "__main__":
    sys.exit(main())
