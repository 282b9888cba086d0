"""Implementations of soft-DTW behind one interface, and posediff behind it.

An implementation is prepared with numpy arrays, outside the clock, and answers with two functions: one computes the
values, the other the values and the gradients. Both have to have finished when they return.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Prepared:
    """A problem in a peer's own form."""

    forward: Callable[[], Any]
    """Values, (B,) in any form that numpy reads."""
    both: Callable[[], tuple[Any, ...]] | None = None
    """Values and gradients: of x and y (B, N, D), (B, M, D), or of the costs (B, N, M). None: not differentiable."""


class Peer:
    """An implementation; ``from_pair`` and ``from_costs`` raise `Skipped` where it cannot or need not run."""

    name = ""
    precision = "float32"
    package = ""
    rival = True
    """Whether posediff is compared with it: not with itself, and not with hard DTW, which is another function."""

    def load(self) -> None:
        """Import what is needed; an ImportError means that the peer is absent."""
        importlib.import_module(self.package)

    def version(self) -> str:
        """Its version, where its package tells one."""
        try:
            return importlib.metadata.version(self.package.split(".")[0].replace("ott", "ott-jax"))
        except importlib.metadata.PackageNotFoundError:
            return "source"

    def from_pair(self, x: np.ndarray, y: np.ndarray, gamma: float) -> Prepared:
        """Prepare soft-DTW from two sequences, (B, N, D) and (B, M, D) float32, with squared Euclidean costs."""
        raise Skipped("takes no sequences")

    def from_costs(self, costs: np.ndarray, gamma: float) -> Prepared:
        """Prepare soft-DTW from given costs, (B, N, M) float32."""
        raise Skipped("takes no costs")


class Skipped(Exception):
    """Why a peer does not run on a problem."""


def matmul_costs(x: Any, y: Any) -> Any:
    """Squared Euclidean costs of two torch batches by one matrix product, (B, N, M)."""
    import torch

    norms = (x * x).sum(-1)[:, :, None] + (y * y).sum(-1)[:, None, :]
    return torch.baddbmm(norms, x, y.transpose(1, 2), alpha=-2)


def torch_pair(loss: Callable[[Any, Any], Any], x: np.ndarray, y: np.ndarray) -> Prepared:
    """A loss of two torch tensors."""
    import torch

    constant = torch.from_numpy(x), torch.from_numpy(y)
    leaves = [part.clone().requires_grad_() for part in constant]

    def forward() -> Any:
        with torch.no_grad():
            return loss(*constant)

    def both() -> tuple[Any, ...]:
        values = loss(*leaves)
        return (values.detach(), *torch.autograd.grad(values.sum(), leaves))

    return Prepared(forward, both)


def torch_costs(loss: Callable[[Any], Any], costs: np.ndarray) -> Prepared:
    """A loss of a torch tensor of costs."""
    import torch

    constant = torch.from_numpy(costs.copy())
    leaf = constant.clone().requires_grad_()

    def forward() -> Any:
        with torch.no_grad():
            return loss(constant)

    def both() -> tuple[Any, ...]:
        values = loss(leaf)
        return (values.detach(), *torch.autograd.grad(values.sum(), leaf))

    return Prepared(forward, both)


class Posediff(Peer):
    """posediff.alignment.soft_dtw with torch tensors; from sequences, all costs are held, or they are recomputed."""

    package = "posediff.alignment"
    rival = False

    def __init__(self, checkpoint: bool = False):
        self.checkpoint = checkpoint
        self.name = "posediff, checkpoint" if checkpoint else "posediff"

    def from_pair(self, x: np.ndarray, y: np.ndarray, gamma: float) -> Prepared:
        from posediff.alignment import soft_dtw

        return torch_pair(partial(soft_dtw, gamma=gamma, checkpoint=self.checkpoint), x, y)

    def from_costs(self, costs: np.ndarray, gamma: float) -> Prepared:
        from posediff.alignment import soft_dtw

        if self.checkpoint:
            raise Skipped("given costs need not be recomputed")
        return torch_costs(lambda given: soft_dtw(cost=given, gamma=gamma), costs)


class Engine(Peer):
    """posediff's kernels on numpy arrays, without torch but for its number of threads."""

    name = "posediff, numpy"
    package = "posediff.alignment.engine"
    rival = False

    def from_pair(self, x: np.ndarray, y: np.ndarray, gamma: float) -> Prepared:
        import torch

        from posediff.alignment.engine import solve_pair

        batch, threads = len(x), torch.get_num_threads()
        problem = (x, y, np.full(batch, x.shape[1]), np.full(batch, y.shape[1]), np.full(batch, gamma))

        def both() -> tuple[Any, ...]:
            solution = solve_pair(*problem, threads=threads)
            return solution.value, solution.grad_x, solution.grad_y

        return Prepared(lambda: solve_pair(*problem, gradient=False, threads=threads).value, both)

    def from_costs(self, costs: np.ndarray, gamma: float) -> Prepared:
        import torch

        from posediff.alignment.engine import solve

        batch, rows, columns = costs.shape
        threads = torch.get_num_threads()
        problem = (costs, np.full(batch, rows), np.full(batch, columns), np.full(batch, gamma))

        def both() -> tuple[Any, ...]:
            solution = solve(*problem, threads=threads)
            return solution.value, solution.expected

        return Prepared(lambda: solve(*problem, gradient=False, threads=threads).value, both)


OURS = (Posediff(), Posediff(checkpoint=True), Engine())
