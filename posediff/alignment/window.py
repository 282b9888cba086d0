"""Which cells of the cost matrix an alignment may use."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import numpy as np

from posediff.errors import BadSetting

#: Share by which rounding may move a sloping bound before a cell on the edge is lost.
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Window:
    """Columns ``first[i]`` to ``end[i]`` (exclusive) of every row i of an N x M matrix.

    Both bounds never decrease, consecutive rows touch, and the corners are inside, so that a path always exists and
    every anti-diagonal meets the window in one run of rows (an empty one, where the window is a diagonal line).

    Attributes:
        first, end: (N,) int64.
        columns: M.
        widened: whether there are cells beyond those asked for, without which there would have been no path.

    Raises:
        BadSetting: if the bounds leave no path.
    """

    first: np.ndarray
    end: np.ndarray
    columns: int
    widened: bool = False

    def __post_init__(self) -> None:
        first, end = self.first, self.end
        corners = len(first) == len(end) > 0 and first[0] == 0 and end[-1] == self.columns
        if not corners or not ((first < end).all() and _rise(first) and _rise(end) and (first[1:] <= end[:-1]).all()):
            raise BadSetting(
                f"a window of {len(first)} rows and {self.columns} columns leaves no path from corner to corner",
                "let both bounds rise from the first cell to the last, with no gap between rows",
            )

    @classmethod
    def full(cls, rows: int, columns: int) -> Window:
        """Every cell."""
        return cls(np.zeros(rows, np.int64), np.full(rows, columns, np.int64), columns)

    @classmethod
    def around(cls, rows: int, columns: int, centre: np.ndarray, radius: float) -> Window:
        """Cells within ``radius`` columns of a curve, widened where needed so that a path exists.

        Args:
            rows, columns: N and M.
            centre: (N,) float, the column of the curve in every row.
            radius: in columns, 0 or more.

        Raises:
            BadSetting: if ``radius`` is negative.
        """
        check_radius(radius)
        whole = np.floor(centre)
        part = centre - whole  # rounded alike in every row, so that a band has one width
        low, high = whole + np.ceil(part - radius), whole + np.floor(part + radius) + 1
        first = np.maximum.accumulate(np.clip(low, 0, columns - 1).astype(np.int64))
        end = np.maximum.accumulate(np.clip(high, 1, columns).astype(np.int64))
        first[0], end[-1] = 0, columns
        end = np.maximum(end, first + 1)
        # A row must begin no later than the row above it ends, or no step leads from one to the other.
        end[:-1] = np.maximum(end[:-1], first[1:])
        end = np.maximum.accumulate(end)
        added = (first < np.maximum(low, 0)) | (end > np.minimum(high, columns))
        return cls(first, end, columns, widened=bool(added.any()))

    @classmethod
    def sakoe_chiba(cls, rows: int, columns: int, radius: float) -> Window:
        """Cells within ``radius`` columns of the line from corner to corner, widened where that leaves no path.

        Args:
            rows, columns: N and M.
            radius: in columns, 0 or more.

        Raises:
            BadSetting: if ``radius`` is negative.

        Source: Sakoe & Chiba 1978.
        """
        check_radius(radius)
        line = np.arange(rows) * (columns - 1) / max(rows - 1, 1)
        whole = np.floor(line)
        return cls._symmetric(whole + np.ceil(line - whole - radius), columns)

    @classmethod
    def itakura(cls, rows: int, columns: int, slope: float) -> Window:
        """The parallelogram between lines of ``slope`` and 1 / ``slope`` from both corners, widened where needed.

        Args:
            rows, columns: N and M.
            slope: how many times faster than on average one sequence may pass, measured from either end; 1 or more.
                Both sequences count as of length 1, so that 1 is the line from corner to corner for any N and M.

        Raises:
            BadSetting: if ``slope`` is less than 1 or not finite.

        Source: Itakura 1975.
        """
        check_slope(slope)
        row, last_row, last = np.arange(rows), max(rows - 1, 1), columns - 1
        slow_from_begin = row * last / (slope * last_row)
        fast_to_end = last - slope * ((rows - 1 - row) * last) / last_row
        return cls._symmetric(np.ceil(np.maximum(slow_from_begin, fast_to_end) * (1 - ROUNDING)), columns)

    @classmethod
    def _symmetric(cls, low: np.ndarray, columns: int) -> Window:
        """A band around the line from corner to corner that is the same when both sequences run backwards.

        Args:
            low: (N,) float64, whole numbers that never decrease: the first column of every row, of any sign. The other
                bound mirrors it. Every row holds the line, though maybe no cell.
            columns: M.
        """
        rows = len(low)
        if min(rows, columns) == 1:  # the line is the whole row or column
            return cls.full(rows, columns)
        first = np.clip(low, 0, columns - 1).astype(np.int64)
        empty = first >= _mirrored(first, columns)
        first -= empty  # the line runs between two cells: both are taken
        gap = first[1:] - _mirrored(first, columns)[:-1]
        first[1:] -= np.maximum(gap + 1, 0) // 2  # and as many of the row above
        return cls(first, _mirrored(first, columns), columns, widened=bool(empty.any() or (gap > 0).any()))

    @property
    def rows(self) -> int:
        return len(self.first)

    def diagonals(self) -> tuple[np.ndarray, np.ndarray]:
        """First row and end row (exclusive) of every anti-diagonal d = i + j; two (N + M - 1,) arrays."""
        numbers = np.arange(self.rows + self.columns - 1)
        rows = np.arange(self.rows)
        # Cell (i, d - i) is inside where i + first[i] <= d < i + end[i]; both sums increase with i.
        return np.searchsorted(rows + self.end, numbers, "right"), np.searchsorted(rows + self.first, numbers, "right")

    def contains(self) -> np.ndarray:
        """(N, M) bool: the cells inside."""
        columns = np.arange(self.columns)
        return (columns >= self.first[:, None]) & (columns < self.end[:, None])


def check_radius(radius: float) -> None:
    """Refuse a half-width that no band can have."""
    if not isinstance(radius, Real) or not radius >= 0:
        raise BadSetting(f"the band has a half-width of {radius}", "give 0 or more")


def check_slope(slope: float) -> None:
    """Refuse a slope that no parallelogram can have."""
    if not isinstance(slope, Real) or not 1 <= slope < np.inf:
        raise BadSetting(f"the parallelogram has a slope of {slope}", "give 1 or more; 1 is the diagonal alone")


def _mirrored(first: np.ndarray, columns: int) -> np.ndarray:
    return columns - first[::-1]


def _rise(bound: np.ndarray) -> bool:
    return bool((bound[1:] >= bound[:-1]).all())
