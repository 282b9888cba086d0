"""Soft-DTW as a loss for training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from posediff.alignment.bands import Band
from posediff.alignment.problem import band_key, both_skips, is_number, named_cost
from posediff.alignment.soft_dtw import soft_dtw, soft_dtw_divergence
from posediff.errors import BadSetting

if TYPE_CHECKING:
    from posediff.alignment.soft_dtw import CostFunction

REDUCTIONS = ("mean", "sum", "none")


class SoftDTW(nn.Module):
    """Soft-DTW, or its divergence, of batches of sequences.

    Args:
        gamma: softness, in units of the cost, above 0.
        learn_gamma: make it a parameter, ``log_gamma``.
        band, penalty, skip, cost_fn: as for :func:`posediff.alignment.soft_dtw`.
        divergence: the divergence, which is zero for equal sequences, rather than soft-DTW.
        reduction: "mean" or "sum" over the items, or "none".

    Raises:
        BadSetting: for a setting out of range.

    Source: Cuturi & Blondel 2017; Blondel, Mensch & Vert 2021 for the divergence.
    """

    def __init__(
        self,
        gamma: float = 1.0,
        learn_gamma: bool = False,
        band: float | Band | None = None,
        penalty: float = 0.0,
        skip: float | tuple[float | None, float | None] | None = None,
        cost_fn: CostFunction = "squared_euclidean",
        divergence: bool = False,
        reduction: Literal["mean", "sum", "none"] = "mean",
    ) -> None:
        super().__init__()
        if not (is_number(gamma) and 0 < gamma < math.inf):
            raise BadSetting(f"gamma is {gamma}", "give more than 0; the derivative of hard DTW is that of one path")
        if not (is_number(penalty) and 0 <= penalty < math.inf):
            raise BadSetting(f"the step penalty is {penalty}", "give 0 or more; 0 is no penalty")
        if reduction not in REDUCTIONS:
            raise BadSetting(f"reduction is {reduction!r}", f"give one of {', '.join(REDUCTIONS)}")
        band_key(band)
        both_skips(skip)
        named_cost(cost_fn)
        self.log_gamma = nn.Parameter(torch.tensor(math.log(gamma))) if learn_gamma else None
        self._gamma = float(gamma)
        self.band, self.penalty, self.skip, self.cost_fn = band, penalty, skip, cost_fn
        self.divergence, self.reduction = divergence, reduction

    @property
    def gamma(self) -> float | Tensor:
        """The softness; a tensor where it is learned."""
        return self._gamma if self.log_gamma is None else self.log_gamma.exp()

    def forward(self, x: Tensor, y: Tensor, lengths_x: Any = None, lengths_y: Any = None) -> Tensor:
        """The loss.

        Args:
            x, y, lengths_x, lengths_y: as for :func:`posediff.alignment.soft_dtw`.

        Returns:
            () after a reduction, else (B,).
        """
        function = soft_dtw_divergence if self.divergence else soft_dtw
        values = function(
            x,
            y,
            gamma=self.gamma,
            lengths_x=lengths_x,
            lengths_y=lengths_y,
            band=self.band,
            penalty=self.penalty,
            skip=self.skip,
            cost_fn=self.cost_fn,
        )
        if self.reduction == "none":
            return values
        return values.mean() if self.reduction == "mean" else values.sum()

    def extra_repr(self) -> str:
        """The settings that differ from the defaults, and gamma."""
        gamma = self._gamma if self.log_gamma is None else float(self.log_gamma.detach().exp())
        parts = [f"gamma={gamma:.6g}"]
        parts += ["learn_gamma=True"] if self.log_gamma is not None else []
        settings = ("band", "penalty", "skip", "cost_fn", "divergence", "reduction")
        plain = (None, 0.0, None, "squared_euclidean", False, "mean")
        given = [(name, getattr(self, name)) for name in settings]
        parts += [
            f"{name}={setting!r}" for (name, setting), usual in zip(given, plain, strict=True) if setting != usual
        ]
        return ", ".join(parts)
