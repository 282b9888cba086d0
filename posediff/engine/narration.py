"""The course of training in words: a line an epoch, and on a terminal one more that changes."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TextIO

from posediff.errors import CannotWrite

#: Least seconds between two changes of the line on a terminal.
PERIOD = 0.2

#: How figures are called, and the digits that they are told with.
NAMES = {
    "srcc": ("SRCC", 4),
    "relative_l2": ("R-l2 x100", 4),
    "accuracy": ("accuracy", 4),
    "auc": ("AUC", 4),
    "aiou_50_flight": ("AIoU@0.5 flight", 2),
    "aiou_75_flight": ("AIoU@0.75 flight", 2),
    "aiou_50_all": ("AIoU@0.5 all stages", 2),
    "aiou_75_all": ("AIoU@0.75 all stages", 2),
}
#: Those of the stages that fit on a line: at 0.5 and 0.75.
AIOU = ("aiou_50_flight", "aiou_75_flight")


class Narrator:
    """Writes lines to a stream and to a file.

    Args:
        stream: as a rule stderr; None for nothing.
        log: file that lines are added to, with the time; None for none.
        clock: tells the time in seconds.
    """

    def __init__(
        self, stream: TextIO | None, log: Path | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream, self._log, self._clock = stream, log, clock
        self._terminal = stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
        self._last = float("-inf")
        self._shown = 0  # characters of the line that changes

    def tell(self, line: str) -> None:
        """Write a line that stays.

        Raises:
            CannotWrite: if the file cannot be written.
        """
        self._write(f"\r{line:<{self._shown}}\n" if self._shown else f"{line}\n")
        self._shown = 0
        if self._log is None:
            return
        stamp = datetime.now().astimezone().isoformat(timespec="seconds")
        try:
            with open(self._log, "a", encoding="utf-8") as file:
                file.write(f"{stamp} {line}\n")
        except OSError as error:
            raise CannotWrite(f"{self._log}: cannot be written ({error.strerror})", "make room on the disk") from None

    def show(self, make: Callable[[], str]) -> None:
        """Change the line that changes, on a terminal and if it was not just changed.

        Args:
            make: gives the line; it is not called where nothing is written.
        """
        now = self._clock()
        if not self._terminal or now - self._last < PERIOD:
            return
        self._last = now
        line = make()[: shutil.get_terminal_size().columns - 1]
        self._write(f"\r{line:<{self._shown}}")
        self._shown = len(line)

    def _write(self, text: str) -> None:
        if self._stream is None:
            return
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        with suppress(OSError, ValueError):  # nobody reads it any more, which is no reason to end the training
            self._stream.write(text.encode(encoding, "replace").decode(encoding))
            self._stream.flush()


def in_words(figures: Mapping[str, float | None]) -> str:
    """The figures of the scores or labels, and of the flight if there is one, on one line."""
    told = []
    of_labels = (("accuracy", ("accuracy",), 4), ("AUC", ("auc",), 4))
    for label, keys, digits in (("SRCC", ("srcc",), 4), ("R-l2", ("relative_l2",), 4), *of_labels, ("AIoU", AIOU, 1)):
        values = [value for key in keys if (value := figures.get(key)) is not None]
        if values:
            told.append(f"{label} {'/'.join(f'{value:.{digits}f}' for value in values)}")
    return ", ".join(told) or "no figures"


def losses_in_words(losses: Mapping[str, float]) -> str:
    """The loss and what it is made of."""
    parts = ", ".join(f"{name} {value:.4f}" for name, value in losses.items() if name != "loss")
    return f"loss {losses['loss']:.4f} ({parts})"
