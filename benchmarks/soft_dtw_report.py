"""The tables of benchmarks/soft_dtw.py as text, and which of its targets are met."""

from __future__ import annotations

import math
from typing import Any

from soft_dtw_peers import PEERS
from soft_dtw_timing import SIDE

#: Best peer's time over posediff's, forward + backward from sequences.
PAIR_RATIOS = {"16x96x64": 8.0, "8x512x64": 10.0, "2x2048x64": 10.0, "1x8192x64": 15.0}
#: The same for given costs, at every size.
COSTS_RATIOS = {"forward": 100.0, "both": 50.0}
VALUE_ERROR = 1e-5
GRADIENT_ERROR = 1e-3
BYTES_A_CELL = {"posediff": 8.0, "posediff, checkpoint": 1.0}
#: Vector operations that a cell needs, each counted like a multiply-add. Forward: the exponential of the cost (range 4,
#: polynomial 6), three terms brought to a common exponent (4 each) that is found (2), added (2) and weighted (2).
#: Backward: sums likewise, with the same exponentials (18), and their product at the level of the whole (6).
OPERATIONS = {"forward": 28, "both": 52}
PARTS = {"forward": "forward", "both": "forward + backward"}


def print_table(table: str, threads: int, measured: dict[str, Any]) -> None:
    """Print one table of a number of threads."""
    title = {
        "pair": "from two sequences, ms",
        "costs": "for given costs, ms",
        "accuracy": "relative error of the value / of the gradient, costs given",
        "memory": "bytes a cell, forward + backward",
        "first": "first call in a process, s",
    }[table]
    print(f"\n{title}; {threads} thread{'s' * (threads > 1)}")
    PRINT[table](measured)


def print_times(source: str, measured: dict[str, Any]) -> None:
    """Times, ratios, shares of the machine and errors, one column a size."""
    sizes = measured["sizes"]
    names = list(dict.fromkeys(name for size in sizes.values() for name in size["forward"]))
    line("", sizes)
    for part, label in PARTS.items():
        print(label)
        for name in names:
            line("  " + name, [milliseconds(size[part].get(name)) for size in sizes.values()])
        line("  best peer / posediff", [number(ratio(size, part)) for size in sizes.values()])
        for label, share in shares(source, part, measured).items():
            line("  " + label, share)
    line(
        f"product of {SIDE} x {SIDE}, GFLOP/s",
        [f"{2 * SIDE**3 / size['product'] / 1e9:.0f}" for size in sizes.values()],
    )
    for error in ("value_error", "gradient_error"):
        print(error.replace("_", " "))
        for name in names:
            line("  " + name, [small(size[error].get(name)) for size in sizes.values()])
    print_left_out(measured, sizes)


def shares(source: str, part: str, measured: dict[str, Any]) -> dict[str, list[str]]:
    """How near posediff is to what the machine can do, from a matrix product measured in turns with it."""
    rows: dict[str, list[str]] = {}
    for name, size in measured["sizes"].items():
        batch, length, features = map(int, name.split("x"))
        seconds = size[part].get("posediff")
        if seconds is None:
            continue
        rate = SIDE**3 / size["product"]  # multiply-adds a second
        cells = batch * length**2
        if source == "pair":
            products = 1 if part == "forward" else 3
            rows.setdefault("share of its matrix products", []).append(
                f"{100 * cells * features * products / rate / seconds:.0f} %"
            )
        else:
            rows.setdefault("Gcell/s", []).append(f"{cells / seconds / 1e9:.2f}")
            rows.setdefault("share of the operations", []).append(
                f"{100 * cells * OPERATIONS[part] / rate / seconds:.0f} %"
            )
    return rows


def print_accuracy(measured: dict[str, Any]) -> None:
    """Errors, one column an input and gamma."""
    problems = measured["problems"]
    line("", problems)
    for name in dict.fromkeys(name for problem in problems.values() for name in problem["value_error"]):
        pairs = [(one["value_error"].get(name), one["gradient_error"].get(name)) for one in problems.values()]
        line("  " + name, [f"{small(value)} / {small(gradient)}" for value, gradient in pairs])
    print_left_out(measured, problems)


def print_memory(measured: dict[str, Any]) -> None:
    """Bytes a cell, or why there are none, by length."""
    for name, lengths in measured.items():
        for length, found in lengths.items():
            text = f"{found['bytes_a_cell']:.2f}" if "bytes_a_cell" in found else found["reason"]
            print(f"  {name:<28}{length:>6}  {text}")


def print_first(measured: dict[str, float]) -> None:
    """Seconds by state of the cache."""
    for name, seconds in measured.items():
        print(f"  {name:<28}{seconds:>9.3f}")


PRINT = {
    "pair": lambda measured: print_times("pair", measured),
    "costs": lambda measured: print_times("costs", measured),
    "accuracy": print_accuracy,
    "memory": print_memory,
    "first": print_first,
}


def print_left_out(measured: dict[str, Any], problems: dict[str, Any]) -> None:
    """What did not run, where, and why."""
    where: dict[tuple[str, str], list[str]] = {}
    for problem, one in problems.items():
        for left_out in one["skipped"].items():
            where.setdefault(left_out, []).append(problem)
    for (name, reason), names in where.items():
        print(f"{name}: {'' if len(names) == len(problems) else 'not at ' + ', '.join(names) + ': '}{reason}")
    for name, reason in measured["absent"].items():
        print(f"{name}: {reason}")


def line(name: str, entries: Any) -> None:
    """One line of a table."""
    print(f"{name:<32}" + "".join(f"{entry:>20}" for entry in entries))


def milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{1000 * seconds:.2f}"


def number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def small(value: float | None) -> str:
    return "-" if value is None else f"{value:.0e}"


def ratio(size: dict[str, Any], part: str) -> float | None:
    """Time of the fastest other soft-DTW over posediff's; None where there is no other, 0 where posediff failed."""
    rivals = [size[part][peer.name] for peer in PEERS if peer.rival and peer.name in size[part]]
    return min(rivals) / size[part].get("posediff", math.inf) if rivals else None


def judge(tables: dict[str, Any]) -> list[dict[str, Any]]:
    """Every target that the tables speak of: what it is about, what was reached, and whether it is met.

    ``met`` is None where there was nothing to compare with, or no way to measure.
    """
    targets: list[dict[str, Any]] = []

    def add(what: str, reached: float | None, bound: float, at_least: bool = False) -> None:
        met = None if reached is None else bool(reached >= bound if at_least else reached <= bound)
        targets.append({"what": what, "reached": reached, "target": bound, "at_least": at_least, "met": met})

    for title, measured in tables.items():
        table = title.split(",")[0]
        if table in ("pair", "costs"):
            for name, size in measured["sizes"].items():
                for part, label in PARTS.items():
                    bound = COSTS_RATIOS[part] if table == "costs" else PAIR_RATIOS[name]
                    if table == "costs" or part == "both":
                        add(f"{title}: {name}, {label}", ratio(size, part), bound, at_least=True)
        elif table == "accuracy":
            for name, problem in measured["problems"].items():
                add(f"{title}: {name}, value", problem["value_error"].get("posediff", math.inf), VALUE_ERROR)
                add(f"{title}: {name}, gradient", problem["gradient_error"].get("posediff", math.inf), GRADIENT_ERROR)
        elif table == "memory":
            for name, bound in BYTES_A_CELL.items():
                for length, found in measured[name].items():
                    add(f"{title}: {name}, {length}", found.get("bytes_a_cell"), bound)
    return targets


def print_targets(targets: list[dict[str, Any]]) -> None:
    """Print what was aimed at and what was reached."""
    print("\ntargets")
    words = {True: "met", False: "MISSED", None: "not measured"}
    for target in targets:
        reached = "-" if target["reached"] is None else f"{target['reached']:.3g}"
        bound = f"{'at least' if target['at_least'] else 'at most'} {target['target']:g}"
        print(f"  {target['what']:<56}{reached:>10}  {bound:<16}{words[target['met']]}")
