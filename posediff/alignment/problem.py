"""What soft-DTW is asked for: the arguments that arrays and tensors share, and what is wrong with them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from posediff.alignment.bands import NO_BAND, SAKOE_CHIBA, Band
from posediff.alignment.checks import check_settings
from posediff.alignment.window import check_radius
from posediff.errors import BadData, BadSetting

#: Bytes of costs from which on they are made in blocks rather than held.
HELD = 2**30
#: The costs that are known by name, and what the kernels call them.
COSTS = {"squared_euclidean": "squared_euclidean", "cosine": "one_minus_dot"}


class Options(NamedTuple):
    """The keyword arguments of :func:`posediff.alignment.soft_dtw`, which describes them."""

    gamma: Any = 1.0
    lengths_x: Any = None
    lengths_y: Any = None
    band: float | Band | None = None
    penalty: Any = 0.0
    skip: Any = None
    open_begin: bool = False
    open_end: bool = False
    cost_fn: str | Callable[[Any, Any], Any] = "squared_euclidean"
    checkpoint: bool | None = None

    @property
    def hard(self) -> bool:
        """Whether gamma is the number 0: hard DTW."""
        return is_number(self.gamma) and self.gamma == 0

    def in_blocks(self, size: int) -> bool:
        """Whether costs of so many bytes are made in blocks."""
        return size >= HELD if self.checkpoint is None else self.checkpoint

    def own(self, side: int) -> Options:
        """The options for x (side 0) or y (side 1) with itself."""
        lengths = (self.lengths_x, self.lengths_y)[side]
        skips = both_skips(self.skip)
        skip = None if self.skip is None else (skips[side], skips[side])
        return self._replace(lengths_x=lengths, lengths_y=lengths, skip=skip)


def is_tensor(value: object) -> bool:
    """Whether a value is a torch tensor; never imports torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def is_number(value: object) -> bool:
    """Whether a value is one number of Python or numpy, and no array."""
    return isinstance(value, (float, int, np.floating, np.integer))


def on_tensors(x: Any, y: Any, cost: Any) -> bool:
    """Whether the input is tensors rather than arrays, once it is known to be complete.

    Raises:
        BadSetting: where it is neither two sequences nor costs.
    """
    if cost is None:
        if x is None or y is None:
            raise BadSetting("one of the two sequences is missing", "give x and y, or cost alone")
        return is_tensor(x) or is_tensor(y)
    if x is not None or y is not None:
        raise BadSetting("there are both sequences and costs", "give x and y, or cost alone")
    return is_tensor(cost)


def check_shapes(x: tuple[int, ...], y: tuple[int, ...]) -> None:
    """Refuse sequences whose shapes do not go together."""
    for name, shape in (("x", x), ("y", y)):
        if len(shape) not in (2, 3) or 0 in shape[-2:]:
            raise BadData(
                f"{name} has shape {tuple(shape)}, expected (frames, features) or (items, frames, features), "
                "at least one frame and feature",
                "check its axes",
            )
    if len(x) != len(y) or x[:-2] != y[:-2]:
        raise BadData(f"x has shape {tuple(x)}, y has shape {tuple(y)}", "give both as many items")
    if x[-1] != y[-1]:
        raise BadData(f"y has {y[-1]} features, the other {x[-1]}", "describe both alike")


def check_cost_shape(shape: tuple[int, ...], expected: tuple[int, ...] | None = None) -> None:
    """Refuse costs that are no matrices, or not of the shape that the sequences have."""
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise BadData(
            f"the costs have shape {tuple(shape)}, expected (N, M) or (items, N, M), at least one row and column",
            "check their axes",
        )
    if expected is not None and tuple(shape) != expected:
        raise BadData(f"cost_fn gave shape {tuple(shape)} instead of {expected}", "return one cost a pair of frames")


def check_numbers(options: Options) -> None:
    """Refuse a softness or a penalty that is a number and defines no alignment."""
    check_settings(
        options.gamma if is_number(options.gamma) else 1.0, options.penalty if is_number(options.penalty) else 0.0
    )


def check_per_item(values: np.ndarray, name: str, *, positive: bool) -> None:
    """Refuse per-item values of gamma (``positive``) or of the penalty that define no alignment."""
    if not len(values) or ((values.min() > 0 if positive else values.min() >= 0) and values.max() < np.inf):
        return
    good = (values > 0 if positive else values >= 0) & (values < np.inf)
    k = int(good.argmin())
    least = "more than 0; only the number 0 stands for hard DTW" if positive else "0 or more"
    raise BadSetting(f"{name} of item {k} is {values[k]}", f"give {least}")


def check_lengths(lengths: np.ndarray, limit: int, name: str) -> None:
    """Refuse true lengths that a sequence of ``limit`` frames cannot have."""
    good = (lengths >= 1) & (lengths <= limit)
    if not good.all():
        k = int(good.argmin())
        raise BadData(f"lengths_{name}[{k}] is {lengths[k]} of {limit} frames", f"give lengths from 1 to {limit}")


def check_skips(costs: np.ndarray | None, lengths: np.ndarray, name: str) -> None:
    """Refuse costs of skipping that are negative or no number, within the true lengths."""
    if costs is None or (costs >= 0).all():
        return
    bad = ~(costs >= 0) & (np.arange(costs.shape[1]) < lengths[:, None])
    if bad.any():
        k, frame = np.argwhere(bad)[0]
        raise BadSetting(f"skipping frame {frame} of {name} costs {costs[k, frame]} in item {k}", "give 0 or more")


def both_skips(skip: Any) -> tuple[Any, Any]:
    """What skipping a frame of x and of y costs, each None where it is forbidden."""
    if not isinstance(skip, tuple):
        return skip, skip
    if len(skip) != 2:
        raise BadSetting(f"skip has {len(skip)} parts", "give one cost, or (skip_x, skip_y)")
    return skip


def band_key(band: float | Band | None) -> tuple[int, float]:
    """A band as two numbers (see :func:`posediff.alignment.bands.from_key`); a number is the half-width in frames of y.

    Raises:
        BadSetting: for a negative half-width, or something that is no band.
    """
    if band is None:
        return NO_BAND, 0.0
    if is_number(band):
        check_radius(band)  # type: ignore[arg-type]
        return SAKOE_CHIBA, float(band)  # type: ignore[arg-type]
    if not hasattr(band, "key"):
        raise BadSetting(f"the band is {band!r}", "give a half-width in frames of y, SakoeChiba or Itakura")
    return band.key  # type: ignore[union-attr]


def named_cost(cost_fn: str | Callable[[Any, Any], Any]) -> str | None:
    """What the kernels call a cost function, or None where it is one of the user's own.

    Raises:
        BadSetting: for a name that is not known.
    """
    if callable(cost_fn):
        return None
    if cost_fn not in COSTS:
        raise BadSetting(f"cost_fn is {cost_fn!r}", f"give one of {', '.join(COSTS)}, or a function of x and y")
    return COSTS[cost_fn]
