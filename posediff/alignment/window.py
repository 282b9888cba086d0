"""Which cells of the cost matrix an alignment may use."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posediff.errors import BadSetting


@dataclass(frozen=True, eq=False)
class Window:
    """Columns ``first[i]`` to ``end[i]`` (exclusive) of every row i of an N x M matrix.

    Both bounds never decrease, consecutive rows touch, and the corners are inside, so that a path always exists and
    every anti-diagonal meets the window in one run of rows (an empty one, where the window is a diagonal line).

    Raises:
        BadSetting: if the bounds leave no path.
    """

    first: np.ndarray
    end: np.ndarray
    columns: int

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
        if not radius >= 0:
            raise BadSetting(f"the band has a half-width of {radius}", "give 0 or more")
        whole = np.floor(centre)
        part = centre - whole  # rounded alike in every row, so that a band has one width
        first = np.maximum.accumulate(np.clip(whole + np.ceil(part - radius), 0, columns - 1).astype(np.int64))
        end = np.maximum.accumulate(np.clip(whole + np.floor(part + radius) + 1, 1, columns).astype(np.int64))
        first[0], end[-1] = 0, columns
        end = np.maximum(end, first + 1)
        # A row must begin no later than the row above it ends, or no step leads from one to the other.
        end[:-1] = np.maximum(end[:-1], first[1:])
        return cls(first, np.maximum.accumulate(end), columns)

    @classmethod
    def sakoe_chiba(cls, rows: int, columns: int, radius: float) -> Window:
        """Cells within ``radius`` columns of the line from corner to corner (Sakoe & Chiba 1978)."""
        return cls.around(rows, columns, np.arange(rows) * (columns - 1) / max(rows - 1, 1), radius)

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


def _rise(bound: np.ndarray) -> bool:
    return bool((bound[1:] >= bound[:-1]).all())
