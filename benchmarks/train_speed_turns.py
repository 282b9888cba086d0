"""Timing in turns, for the parts of ``train_speed.py``."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


def in_turns(steps: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Wall and CPU seconds of every round after two that are not counted; the order turns round by round."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in steps}
    for turn in range(-2, rounds):
        for name in list(steps)[:: -1 if turn % 2 else 1]:
            wall, cpu = time.perf_counter(), time.process_time()
            steps[name]()
            if turn >= 0:
                seconds[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    return seconds
