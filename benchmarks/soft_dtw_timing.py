"""Soft-DTW of posediff and its peers in one process: time, in turns, and the errors of what was computed beside it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from soft_dtw_adapter import Peer, Prepared, Skipped
from soft_dtw_peers import loaded

from posediff.alignment.kernels import diagonal, reference
from posediff.alignment.window import Window

#: Up to this length the truth is the definition, cell by cell; beyond, whole anti-diagonals at once.
BY_CELL = 128
#: Seconds that a turn lasts at least, by repeating what is shorter.
TURN = 0.02
#: Side of the square float32 matrices whose product measures what the machine can do.
SIDE = 1024


def measure_times(job: dict[str, Any]) -> dict[str, Any]:
    """Times and errors for each size, from sequences or from given costs.

    Args:
        job: ``source`` ("pair" or "costs"), ``sizes`` [(B, T, D)], ``gamma``, ``seed``, ``rounds`` and ``budget`` in
            seconds as :func:`interleaved` takes them.

    Returns:
        For each size, written BxTxD: seconds ``forward`` and ``both``, ``value_error``, ``gradient_error`` by peer,
        ``skipped`` with reasons, and ``product``, the seconds of a matrix product of `SIDE`.
    """
    peers, absent = loaded()
    result: dict[str, Any] = {"versions": {peer.name: peer.version() for peer in peers}, "absent": absent, "sizes": {}}
    for size in job["sizes"]:
        arrays = random_pair(*size, job["seed"])
        if job["source"] == "costs":
            arrays = (costs_of(*arrays).astype(np.float32),)
        truth = (true_pair if job["source"] == "pair" else true_costs)(*arrays, job["gamma"])
        prepared, skipped = prepare(peers, arrays, job["gamma"])
        tasks: dict[Any, Callable[[], Any]] = {"product": matrix_product()}
        tasks |= {(name, "forward"): one.forward for name, one in prepared.items()}
        tasks |= {(name, "both"): one.both for name, one in prepared.items() if one.both is not None}
        seconds = interleaved(tasks, job["rounds"], job["budget"])
        times: dict[str, dict[str, float]] = {"forward": {}, "both": {}}
        for name, part in (key for key in seconds if key != "product"):
            times[part][name] = seconds[name, part]
        result["sizes"]["x".join(map(str, size))] = {
            "product": seconds["product"],
            "skipped": skipped,
            **times,
            **errors(prepared, truth),
        }
    return result


def measure_accuracy(job: dict[str, Any]) -> dict[str, Any]:
    """Errors for given costs of a random and of a smooth pair, for each gamma.

    Args:
        job: ``length``, ``gammas``, ``seed``.

    Returns:
        For each input and gamma, written "random 0.1": ``value_error``, ``gradient_error`` by peer, and ``skipped``.
    """
    peers, absent = loaded()
    result: dict[str, Any] = {"absent": absent, "problems": {}}
    for kind, pair in (("random", random_pair), ("smooth", smooth_pair)):
        given = costs_of(*pair(1, job["length"], 64, job["seed"])).astype(np.float32)
        for gamma in job["gammas"]:
            prepared, skipped = prepare(peers, (given,), gamma)
            result["problems"][f"{kind} {gamma:g}"] = {
                "skipped": skipped,
                **errors(prepared, true_costs(given, gamma)),
            }
    return result


def random_pair(batch: int, length: int, features: int, seed: int) -> tuple[np.ndarray, ...]:
    """Two batches of independent normal numbers, (B, T, D) float32."""
    return tuple(np.random.default_rng(seed).standard_normal((2, batch, length, features), dtype=np.float32))


def smooth_pair(batch: int, length: int, features: int, seed: int) -> tuple[np.ndarray, ...]:
    """Two performances of the same smooth movement at different paces, (B, T, D) float32."""
    noise = np.random.default_rng(seed)
    phase, pace = noise.uniform(0, 2 * np.pi, (2, batch, 1, features))
    moment = np.linspace(0, 1, length)[:, None]
    places = (np.sin(phase + (2 + pace) * t) / np.sqrt(features) for t in (moment, moment**1.3))
    return tuple(place.astype(np.float32) for place in places)


def costs_of(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Squared Euclidean costs, (B, N, M) float64."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    norms = (x**2).sum(-1)[:, :, None] + (y**2).sum(-1)[:, None, :]
    norms -= 2 * (x @ y.transpose(0, 2, 1))
    return np.maximum(norms, 0, out=norms)


def prepare(
    peers: list[Peer], arrays: tuple[np.ndarray, ...], gamma: float
) -> tuple[dict[str, Prepared], dict[str, str]]:
    """The peers that run on x and y or on costs, warm; and why the others do not."""
    prepared: dict[str, Prepared] = {}
    reasons: dict[str, str] = {}
    for peer in peers:
        try:
            one = (peer.from_pair if len(arrays) == 2 else peer.from_costs)(*arrays, gamma)
            one.forward()
            if one.both is not None:
                one.both()
            prepared[peer.name] = one
        except Skipped as reason:
            reasons[peer.name] = str(reason)
        except Exception as error:  # a peer that fails must not end the run of the others
            reasons[peer.name] = f"{type(error).__name__}: {(str(error) or 'no message').splitlines()[0]}"
    return prepared, reasons


def interleaved(tasks: dict[Any, Callable[[], Any]], rounds: int, budget: float) -> dict[Any, float]:
    """Median seconds of a call of each task; all take turns, so that a machine that slows down slows all of them.

    Args:
        tasks: what to call, all warm.
        rounds: turns of each task at most.
        budget: seconds for all turns together; at least three turns are taken.
    """
    seconds: dict[Any, list[float]] = {name: [] for name in tasks}
    began = time.perf_counter()
    for turn in range(rounds):
        for name, task in tasks.items():
            first = start = time.perf_counter()
            while start - first < TURN:
                task()
                end = time.perf_counter()
                seconds[name].append(end - start)
                start = end
        if turn >= 2 and time.perf_counter() - began > budget:
            break
    return {name: statistics.median(times) for name, times in seconds.items()}


def matrix_product() -> Callable[[], Any]:
    """A product of two square float32 matrices, warm."""
    import torch

    left, right = torch.randn(2, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    out = left @ right
    return lambda: torch.mm(left, right, out=out)


def errors(prepared: dict[str, Prepared], truth: tuple[np.ndarray, ...]) -> dict[str, dict[str, float]]:
    """Of each peer the largest relative error of a value, and of a gradient relative to its largest entry."""
    value: dict[str, float] = {}
    gradient: dict[str, float] = {}
    for name, one in prepared.items():
        found = [np.asarray(part, np.float64) for part in (one.both() if one.both else (one.forward(),))]
        value[name] = float(np.abs(found[0] / truth[0] - 1).max())
        if one.both:
            parts = zip(found[1:], truth[1:], strict=True)
            gradient[name] = max(float(np.abs(part - true).max() / np.abs(true).max()) for part, true in parts)
    return {"value_error": value, "gradient_error": gradient}


def true_costs(costs: np.ndarray, gamma: float) -> tuple[np.ndarray, np.ndarray]:
    """Values (B,) and expected alignments (B, N, M) in float64."""
    solved = [true_expected(item.astype(np.float64), gamma) for item in costs]
    return np.array([value for value, _ in solved]), np.stack([expected for _, expected in solved])


def true_pair(x: np.ndarray, y: np.ndarray, gamma: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values (B,) and gradients of both batches of sequences in float64."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    value, expected = true_costs(costs_of(x, y), gamma)
    grad_x = 2 * (expected.sum(2)[:, :, None] * x - expected @ y)
    grad_y = 2 * (expected.sum(1)[:, :, None] * y - expected.transpose(0, 2, 1) @ x)
    return value, grad_x, grad_y


def true_expected(costs: np.ndarray, gamma: float) -> tuple[float, np.ndarray]:
    """Value and expected alignment of one (N, M) cost matrix in float64, from stored transition probabilities."""
    rows, columns = costs.shape
    if max(rows, columns) <= BY_CELL:
        return reference.soft_dtw(costs, gamma)
    window = Window.full(rows, columns)
    expected = np.zeros((rows, columns))

    def run(d: int, first: int, end: int) -> tuple[np.ndarray, np.ndarray]:
        i = np.arange(first, end)
        return i, d - i

    def visit(d: int, first: int, end: int, share: np.ndarray) -> None:
        expected[run(d, first, end)] = share

    value, steps = diagonal.forward(lambda *place: costs[run(*place)], window, gamma, 0.0)
    diagonal.backward(steps, window, visit)
    return value, expected
