"""Bands: which cells of a cost matrix of any size an alignment may use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.alignment.window import Window, check_radius, check_slope
from posediff.errors import BadSetting

NO_BAND, SAKOE_CHIBA, ITAKURA = range(3)


class BandWidened(UserWarning):
    """A band was too narrow for a path from corner to corner and was widened."""


@dataclass(frozen=True)
class SakoeChiba:
    """Cells within ``radius`` columns (frames of y) of the line from corner to corner.

    Args:
        radius: in frames of y, 0 or more.

    Raises:
        BadSetting: if ``radius`` is negative.

    Source: Sakoe & Chiba 1978; the line follows the corners where the lengths differ.
    """

    radius: float

    def __post_init__(self) -> None:
        check_radius(self.radius)

    @property
    def key(self) -> tuple[int, float]:
        """The band as two numbers, for :func:`from_key`."""
        return SAKOE_CHIBA, float(self.radius)

    def window(self, rows: int, columns: int) -> Window:
        """The band in an N x M matrix, widened where it would leave no path."""
        return Window.sakoe_chiba(rows, columns, self.radius)


@dataclass(frozen=True)
class Itakura:
    """The parallelogram between lines of ``slope`` and 1 / ``slope`` from both corners.

    Args:
        slope: how many times faster than on average either sequence may pass, measured from either end; 1 or more.

    Raises:
        BadSetting: if ``slope`` is less than 1 or not finite.

    Source: Itakura 1975; both sequences count as of length 1 where the lengths differ.
    """

    slope: float = 2.0

    def __post_init__(self) -> None:
        check_slope(self.slope)

    @property
    def key(self) -> tuple[int, float]:
        """The band as two numbers, for :func:`from_key`."""
        return ITAKURA, float(self.slope)

    def window(self, rows: int, columns: int) -> Window:
        """The parallelogram in an N x M matrix, widened where it would leave no path."""
        return Window.itakura(rows, columns, self.slope)


Band = SakoeChiba | Itakura


@dataclass(frozen=True, eq=False)
class Ranges:
    """The columns that every row of every matrix in a padded batch may use.

    Attributes:
        first, end: (B, N) int64; ``end`` is exclusive. Rows of padding have none: both are the number of columns.
        widened: whether the band had to be widened for any of the matrices.
    """

    first: np.ndarray
    end: np.ndarray
    widened: bool


def from_key(kind: int, value: float) -> Band | None:
    """The band of a key, or None for the kind ``NO_BAND``.

    Raises:
        BadSetting: if there is no such kind of band.
    """
    if kind == NO_BAND:
        return None
    if kind not in (SAKOE_CHIBA, ITAKURA):
        raise BadSetting(f"there is no band of kind {kind}", "take the key of a band")
    return SakoeChiba(value) if kind == SAKOE_CHIBA else Itakura(value)


def ranges(band: Band | None, rows: np.ndarray, columns: np.ndarray, height: int) -> Ranges:
    """The ranges of columns of every row in a padded batch.

    Args:
        band: a band, or None for every cell within the lengths.
        rows, columns: (B,) int64 true lengths, 1 or more.
        height: N, the rows of the padded batch.
    """
    if band is None:
        inside = np.arange(height) < rows[:, None]
        return Ranges(np.where(inside, 0, columns[:, None]), np.repeat(columns[:, None], height, axis=1), widened=False)
    sizes, item = np.unique(np.stack([rows, columns], axis=1), axis=0, return_inverse=True)
    windows = [band.window(int(n), int(m)) for n, m in sizes]
    first, end = (np.repeat(sizes[:, 1:], height, axis=1) for _ in range(2))
    for k, window in enumerate(windows):
        first[k, : window.rows], end[k, : window.rows] = window.first, window.end
    item = item.reshape(-1)
    return Ranges(first[item], end[item], widened=any(window.widened for window in windows))
