"""Pairs of clips for training by differences, a batch at a time, and the order in which they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from posediff.datasets.augment import AugmentSettings
from posediff.datasets.exemplars import Exemplars
from posediff.datasets.references import References
from posediff.datasets.samples import Samples
from posediff.errors import BadData, BadSetting

Batch = dict[str, dict[str, torch.Tensor]]
#: Measures a query, by its position, beside the average of others, or beside one: (K,) numbers, NaN where unknown.
Measure = Callable[[int, tuple[int, ...]], np.ndarray]


class Pairs(Dataset[dict[str, dict[str, torch.Tensor]]]):
    """Every usable clip with an exemplar, another one in every epoch.

    Item ``epoch * len(pairs) + i`` is the i-th usable clip in an epoch: what an item is depends on its number and the
    seed alone, not on the process that loads it or on what came before.

    Args:
        samples: the training clips.
        exemplars: who is compared with whom.
        augment: how clips are changed, the query and the exemplar each on its own; None for not at all.
        seed: of the augmentation.
        references: averages that clips are compared with in place of one another.
        measure: what else is said of each pair, in ``dimensions`` (B, K) float32 of both sides.

    Raises:
        BadData: if no clip has a partner.
        BadSetting: if the seed is negative.
    """

    def __init__(
        self,
        samples: Samples,
        exemplars: Exemplars,
        augment: AugmentSettings | None,
        seed: int,
        *,
        references: References | None = None,
        measure: Measure | None = None,
    ) -> None:
        self.samples, self.exemplars, self.augment, self.seed = samples, exemplars, augment, seed
        self.references, self.measure = references, measure
        self.usable = np.asarray(exemplars.usable, np.int64)
        if seed < 0:
            raise BadSetting(f"seed is {seed}", "give 0 or more")
        if not len(self.usable):
            raise BadData(
                "no clip has another one that it can be compared with",
                "take exemplars of any kind: data.exemplars.by=none",
            )

    def __len__(self) -> int:
        return len(self.usable)

    def __getitem__(self, number: int) -> dict[str, dict[str, torch.Tensor]]:
        """One pair, without the batch's dimension."""
        batch = self.__getitems__([number])
        return {side: {name: tensor[0] for name, tensor in sample.items()} for side, sample in batch.items()}

    def __getitems__(self, numbers: Sequence[int]) -> Batch:
        """One batch: ``query`` and ``exemplar``, each as :meth:`Samples.load` gives it."""
        epochs, places = np.divmod(np.asarray(numbers, np.int64), len(self))
        queries = self.usable[places]
        partners, seeds = np.empty_like(queries), np.empty((2, len(queries)), np.uint64)
        for epoch in np.unique(epochs).tolist():
            rows = epochs == epoch
            partners[rows] = self._partners(queries[rows], epoch)
            seeds[:, rows] = [draws(self.seed, epoch, queries[rows], side) for side in (0, 1)]
        others = self.samples if self.references is None else self.references.samples
        batch = {
            name: samples.load(positions, None if self.augment is None else seeds[side], self.augment)
            for side, (name, samples, positions) in enumerate(
                (("query", self.samples, queries), ("exemplar", others, partners))
            )
        }
        if self.measure is None:
            return batch
        members = [(one,) if self.references is None else self.references.members[one] for one in partners.tolist()]
        rows = [self.measure(query, them) for query, them in zip(queries.tolist(), members, strict=True)]
        found = torch.from_numpy(np.stack(rows).astype(np.float32))  # the same from both sides
        return {side: {**sample, "dimensions": found} for side, sample in batch.items()}

    def _partners(self, queries: np.ndarray, epoch: int) -> np.ndarray:
        """(B,) positions among the clips, or among the averages of some."""
        return self.exemplars.partners(queries, epoch) if self.references is None else self.references.rows[queries]


def collate(batch: Batch) -> Batch:
    """Nothing left to do: :class:`Pairs` gives whole batches."""
    return batch


class EpochSampler(Sampler[int]):
    """Item numbers of :class:`Pairs` in a random order, divided between processes.

    The k-th batches of all processes together are the k-th batch of one process with a batch that is as many times as
    large. The last one is kept, however small; where it cannot be divided evenly, its first items are taken twice,
    since all processes must make the same steps.

    Args:
        length: of the pairs.
        batch: items in a batch of one process.
        seed: of the order; it depends on the epoch besides, and on nothing else.
        rank: number of this process.
        world: how many processes there are.

    Raises:
        BadSetting: if these are no such numbers.
    """

    def __init__(self, length: int, batch: int, seed: int, rank: int = 0, world: int = 1) -> None:
        if not (length > 0 and batch > 0 and seed >= 0 and 0 <= rank < world):
            received = f"length={length}, batch={batch}, seed={seed}, rank={rank}, world={world}"
            raise BadSetting(received, "give numbers above 0, a seed of 0 or more and a rank from 0 to world - 1")
        self.length, self.batch, self.seed, self.rank, self.world = length, batch, seed, rank, world
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, from 0; it does not go on by itself."""
        self.epoch = epoch

    def __len__(self) -> int:
        whole, rest = divmod(self.length, self.batch * self.world)
        return whole * self.batch + -(-rest // self.world)

    def __iter__(self) -> Iterator[int]:
        order = np.random.default_rng((self.seed, self.epoch)).permutation(self.length)
        size = self.batch * self.world
        for start in range(0, self.length, size):
            items = order[start : start + size]
            items = np.resize(items, -(-len(items) // self.world) * self.world)
            yield from (self.epoch * self.length + items[self.rank :: self.world]).tolist()


def draws(seed: int, epoch: int, positions: np.ndarray, side: int) -> np.ndarray:
    """(B,) uint64 seeds of the augmentation of the queries at ``positions``, ``side`` 0, or of their exemplars, 1."""
    # Numbers in a row are keys as good as any to a counter-based generator such as Philox.
    start = np.random.SeedSequence((seed, epoch, side)).generate_state(1, np.uint64)
    return np.asarray(start + np.asarray(positions).astype(np.uint64))
