"""Batches from other processes, whose faults arrive as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from torch.utils.data import DataLoader, Dataset

from posediff.errors import PosediffError


class Loader(DataLoader[Any]):
    """A DataLoader that raises what a worker raised: torch's own puts the worker's traceback into the message.

    Args:
        dataset: of items, or of whole batches (``__getitems__``).
        options: of torch's DataLoader.
    """

    def __init__(self, dataset: Any, **options: Any) -> None:
        super().__init__(_Guarded(dataset), **options)

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]  # torch's is a class of its own
        for batch in super().__iter__():
            if isinstance(batch, PosediffError):
                raise batch
            yield batch


class _Guarded(Dataset[Any]):
    """A data set that gives a fault in place of what it could not load."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        if hasattr(inner, "__getitems__"):  # torch looks for it to fetch a batch at once
            self.__getitems__ = partial(_tried, inner.__getitems__)

    def __len__(self) -> int:
        return len(self._inner)

    def __getitem__(self, number: int) -> Any:
        return _tried(self._inner.__getitem__, number)


def _tried(load: Callable[[Any], Any], what: Any) -> Any:
    try:
        return load(what)
    except PosediffError as fault:
        return fault
