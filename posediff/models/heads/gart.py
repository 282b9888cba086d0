"""The group-aware regression tree (GART): which group a value lies in, from coarse to fine, and where in it.

Source: Yu et al. 2021, "Group-aware Contrastive Regression for Action Quality Assessment", section 3.2.
"""

from __future__ import annotations

from math import sqrt
from typing import Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from posediff.errors import BadData

#: Numbers in the widest layer that are computed at once when predicting: a limit on memory.
AT_ONCE = 2**25
#: Part of the range of all groups that counts as nothing: differences of float32 scores are no more exact.
NOTHING = 1e-6


class Leaves(NamedTuple):
    """What the tree says of every group.

    Attributes:
        inside: (P, R) logarithm of the probability that the value is in the group.
        outside: (P, R) logarithm of the probability that it is not.
        place: (P, R) where in the group it would be, from 0 at its lower bound to 1 at its upper one.
    """

    inside: Tensor
    outside: Tensor
    place: Tensor


class GART(nn.Module):
    """A binary tree of decisions, lower or upper half of the groups, with a regression in each of its leaves.

    The paper draws the tree with d - 1 layers and gives it 2 ** d leaves, which takes d layers of decisions: so many
    there are here. Every node has weights of its own; those of a layer are computed together.

    Attributes:
        bounds: (R + 1,) of the groups, ascending, in the units of the values; set by :meth:`prepare`.

    Args:
        inputs: numbers in a row.
        width: of the nodes' features.
        depth: d; there are R = 2 ** d groups.
        inference: ``most_probable`` says the value of that leaf (eq. 7), ``expected`` the mean over all leaves.
    """

    bounds: Tensor

    def __init__(
        self, inputs: int, width: int, depth: int, inference: Literal["most_probable", "expected"] = "most_probable"
    ) -> None:
        super().__init__()
        self.inference = inference
        self.root = nn.Sequential(nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.updates = nn.ModuleList(Nodes(2**layer, width, width, gain=sqrt(6)) for layer in range(depth))
        self.decisions = nn.ModuleList(Nodes(2**layer, width, 1) for layer in range(depth))
        self.leaves = Nodes(2**depth, width, 1)
        self.register_buffer("bounds", torch.arange(2**depth + 1, dtype=torch.float32))
        self.rows = max(1, AT_ONCE // (2**depth * width))

    def prepare(self, values: Tensor) -> None:
        """Divide the range of the training values into groups with as many of them in each.

        Args:
            values: (T,).

        Raises:
            BadData: if all are the same.
        """
        self.bounds.copy_(partition(values, len(self.bounds) - 1))

    def forward(self, features: Tensor) -> Tensor:
        """Values (P,) of rows (P, inputs)."""
        return torch.cat([self._values(self.descend(part)) for part in torch.split(features, self.rows)])

    def descend(self, features: Tensor) -> Leaves:
        """What the tree says of rows (P, inputs).

        Probabilities are multiplied along the path as sums of logarithms, and so are their complements,
        1 - P q = (1 - P) + P (1 - q), so that nothing is lost where one of them is tiny.
        """
        nodes = self.root(features)[None]  # (nodes of the layer, P, width)
        inside = features.new_zeros((1, len(features)), dtype=torch.float32)
        outside = torch.full_like(inside, -torch.inf)
        for update, decision in zip(self.updates, self.decisions, strict=True):
            nodes = functional.relu(update(nodes))
            upper = decision(nodes).squeeze(-1).float()
            down, up = functional.logsigmoid(-upper), functional.logsigmoid(upper)
            outside = _children(torch.logaddexp(outside, inside + up), torch.logaddexp(outside, inside + down))
            inside = _children(inside + down, inside + up)
            nodes = nodes.repeat_interleave(2, dim=0)
        place = self.leaves(nodes).squeeze(-1).float().sigmoid()
        return Leaves(inside.T, outside.T, place.T)

    def losses(self, features: Tensor, values: Tensor) -> dict[str, Tensor]:
        """The two parts of eq. 6, each summed over the groups and averaged over the rows.

        Args:
            features: (P, inputs).
            values: (P,) true ones; beyond the outer bounds they count as on them.

        Returns:
            ``classification``: binary cross-entropy of all leaves; ``regression``: squared error of the place in the
            true group, 0 in one without width.
        """
        found, true = self.descend(features), groups_of(values, self.bounds)[:, None]
        low, high = self.bounds[true], self.bounds[true + 1]
        wide = high - low > _tolerance(self.bounds)
        place = ((values[:, None] - low) / torch.where(wide, high - low, 1)).clamp(0, 1)
        others = found.outside.sum(dim=1, keepdim=True) - found.outside.gather(1, true)
        regression = wide * (found.place.gather(1, true) - place).square()
        return {
            "classification": -(found.inside.gather(1, true) + others).mean(),
            "regression": regression.mean(),
        }

    def _values(self, found: Leaves) -> Tensor:
        values = self.bounds[:-1] + found.place * self.bounds.diff()
        if self.inference == "expected":
            return (found.inside.exp() * values).sum(dim=1)
        return values.gather(1, found.inside.argmax(dim=1, keepdim=True)).squeeze(1)


class Nodes(nn.Module):
    """Linear units side by side, each with weights and rows of its own.

    Args:
        count: of the units.
        inputs, outputs: numbers in a row.
        gain: of the initial weights, which are drawn from -gain / sqrt(inputs) to gain / sqrt(inputs).
    """

    def __init__(self, count: int, inputs: int, outputs: int, gain: float = 1.0) -> None:
        super().__init__()
        limit = gain / sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(count, inputs, outputs).uniform_(-limit, limit))
        self.bias = nn.Parameter(torch.zeros(count, 1, outputs))

    def forward(self, rows: Tensor) -> Tensor:
        """(count, P, inputs) to (count, P, outputs)."""
        return torch.baddbmm(self.bias, rows, self.weight)


def partition(values: Tensor, groups: int) -> Tensor:
    """Bounds of groups with the same number of values in each, as nearly as ties allow (eq. 5, counted from 0).

    Args:
        values: (T,), in any order.
        groups: R.

    Returns:
        (R + 1,) ascending bounds, all of them among the values. Where more than T / R values are the same, groups
        have no width.

    Raises:
        BadData: if all values are the same.
    """
    ranks = np.arange(groups + 1) * (len(values) - 1) // groups
    bounds = torch.from_numpy(np.partition(values.cpu().numpy(), ranks)[ranks])
    if not bounds[-1] > bounds[0]:
        raise BadData(f"all {len(values)} values to be regressed are {bounds[0]:g}", "give clips that differ")
    return bounds


def groups_of(values: Tensor, bounds: Tensor) -> Tensor:
    """The group of each value.

    The paper's intervals are open. Here a value on a bound belongs to the group below it; but if groups without width
    lie there, to the middle one of them, so that a score difference that many pairs have is a class of its own. A
    value beyond the outer bounds belongs to the outermost group.

    Args:
        values: (P,).
        bounds: (R + 1,) ascending.

    Returns:
        (P,) int64 from 0 to R - 1.
    """
    tolerance = _tolerance(bounds)
    below = torch.searchsorted(bounds, values - tolerance)
    reached = torch.searchsorted(bounds, values + tolerance, right=True)
    # The groups from ``below - 1`` to ``reached - 1`` touch the value.
    return ((below + reached).div(2, rounding_mode="floor") - 1).clamp(0, len(bounds) - 2)


def _tolerance(bounds: Tensor) -> Tensor:
    return NOTHING * (bounds[-1] - bounds[0])


def _children(lower: Tensor, upper: Tensor) -> Tensor:
    """(N, P) of the lower and of the upper child of every node, as (2 N, P) in the order of the groups."""
    return torch.stack((lower, upper), dim=1).flatten(0, 1)
