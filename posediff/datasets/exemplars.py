"""Exemplars: which performances a performance is compared with, in training and in testing.

Every choice is a hash of what it depends on, so that it is the same in any order, in any batch, in any number of
processes, and with any version of a random number generator.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal, get_args

import numpy as np

from posediff.datasets.clips import Clip
from posediff.datasets.labels import drawn
from posediff.errors import BadData, BadSetting, listed, suggestion

#: What a performance and its exemplars have in common: the dive number, the difficulty, or nothing.
By = Literal["action", "difficulty", "none"]
#: Which of the clips that it has this in common with are its exemplars: any, the best ones, or their average.
Choice = Literal["random", "best", "barycentre"]


def group(clip: Clip, by: By) -> Hashable:
    """What a clip has in common with its exemplars. Clips of which it is unknown are a group of their own.

    Raises:
        BadSetting: if ``by`` is none of :data:`By`.
    """
    if by not in get_args(By):
        raise BadSetting(f"exemplars by {by!r}", suggestion(str(by), get_args(By)))
    return {"action": clip.action, "difficulty": clip.difficulty, "none": None}[by]


class Exemplars:
    """Training clips as exemplars; positions count in them.

    Args:
        clips: the training clips.
        by: what a performance and its exemplars have in common.
        seed: of every choice.
        choice: ``random`` takes any of the group; ``best`` one of the ``best`` clips with the highest targets but the
            performance itself, where equal ones are chosen for every performance anew; ``barycentre`` the average of
            these, see :meth:`pools`, where equal ones are chosen for all alike.
        best: how many.
        targets: (N,) by which clips are the best; by default their scores.

    Raises:
        BadSetting: if ``by`` is none of :data:`By` or ``choice`` none of :data:`Choice`.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        by: By = "action",
        seed: int = 0,
        *,
        choice: Choice = "random",
        best: int = 5,
        targets: np.ndarray | None = None,
    ) -> None:
        if choice not in get_args(Choice):
            raise BadSetting(f"exemplars are the {choice!r} ones", suggestion(str(choice), get_args(Choice)))
        self.clips = tuple(clips)
        self.by = by
        self.seed = seed
        self.choice, self.best = choice, best
        self._targets = np.array([clip.score for clip in clips]) if targets is None else np.asarray(targets, np.float64)
        self._keys = _hashes([clip.key for clip in self.clips])
        self._positions = {clip.key: position for position, clip in enumerate(self.clips)}
        groups = [group(clip, by) for clip in self.clips]
        self._groups = {name: number for number, name in enumerate(dict.fromkeys(groups))}
        self._group = np.array([self._groups[name] for name in groups], np.int64)
        # Positions group by group, where each group starts among them, and which of its group a clip is.
        self._order = np.argsort(self._group, kind="stable")
        self._sizes = np.bincount(self._group, minlength=len(self._groups))
        self._starts = np.cumsum(self._sizes) - self._sizes
        self._rank = np.empty_like(self._order)
        self._rank[self._order] = np.arange(len(self._order)) - self._starts[self._group[self._order]]
        self._pools: dict[tuple[Hashable, str], np.ndarray] = {}

    @property
    def groups(self) -> np.ndarray:
        """(N,) int64 number of the group within which each clip is compared."""
        return self._group

    @property
    def usable(self) -> np.ndarray:
        """(U,) int64 positions of the clips that have a partner; the others cannot be trained on in pairs."""
        return np.flatnonzero(self._sizes[self._group] > 1)

    def partners(self, positions: np.ndarray, epoch: int) -> np.ndarray:
        """Another clip of the same group for each clip, or of its best ones; all equally likely over the epochs.

        Args:
            positions: (B,) of the clips, all of them :attr:`usable`.
            epoch: another one gives other partners.

        Returns:
            (B,) int64 positions.

        Raises:
            BadData: if a clip is alone in its group.
        """
        positions = np.asarray(positions, np.int64)
        groups = self._group[positions]
        others = self._sizes[groups] - 1
        if (others < 1).any():
            alone = [self.clips[position].key for position in positions[others < 1]]
            raise BadData(f"{len(alone)} clips have no partner by {self.by}: {listed(alone)}", _HINT)
        numbers = _mixed(_mixed(positions.astype(np.uint64)) ^ _mixed(_number(f"partners {self.seed} {epoch}")))
        if self.choice != "random":
            pools = [self._pool(self.clips[position]) for position in positions]
            chosen = [pool[number % len(pool)] for pool, number in zip(pools, numbers.tolist(), strict=True)]
            return np.array(chosen, np.int64)
        step = 1 + (numbers % others.astype(np.uint64)).astype(np.int64)
        rank = (self._rank[positions] + step) % self._sizes[groups]
        return np.asarray(self._order[self._starts[groups] + rank])

    def picks(self, queries: Sequence[Clip], count: int) -> np.ndarray:
        """The exemplars that vote on the score of each performance.

        A query has the same ones whatever other queries there are, and is never its own exemplar. Where there are fewer
        than ``count`` candidates, the first is repeated, as in the published protocol.

        Args:
            queries: the performances.
            count: M.

        Returns:
            (Q, M) int64 positions.

        Raises:
            BadData: if a query has no candidate at all.
            BadSetting: if ``count`` is below 1.
        """
        if count < 1:
            raise BadSetting(f"{count} exemplars for each performance", "give 1 or more")
        picks = np.zeros((len(queries), count), np.int64)
        lonely = []
        for row, (query, own) in enumerate(zip(queries, _hashes([query.key for query in queries]), strict=True)):
            candidates = self._others(query) if self.choice == "random" else self._pool(query)
            if not len(candidates):
                lonely.append(query.key)
                continue
            numbers = self._numbers(candidates, own)
            chosen = candidates[np.argsort(numbers, kind="stable")[:count]]
            picks[row] = np.concatenate([chosen, np.full(count - len(chosen), chosen[0])])
        if lonely:
            raise BadData(f"{len(lonely)} clips have no exemplar by {self.by}: {listed(lonely)}", _HINT)
        return picks

    def pools(self, queries: Sequence[Clip]) -> list[tuple[int, ...]]:
        """Positions of the best clips that each performance is compared with; a group has at most ``best`` + 1 sets.

        Args:
            queries: the performances.

        Returns:
            One tuple for each, the best first; empty for a performance without any candidate.
        """
        return [tuple(self._pool(query).tolist()) for query in queries]

    def _pool(self, query: Clip) -> np.ndarray:
        """Positions of the best of a performance's candidates."""
        name = group(query, self.by), query.key
        if name not in self._pools:
            others = self._others(query)
            ties = "" if self.choice == "barycentre" else query.key
            numbers = self._numbers(others, np.uint64(drawn(ties)))
            ranked = others[np.lexsort((numbers, -self._targets[others]))]
            self._pools[name] = ranked[: self.best]
        return self._pools[name]

    def _numbers(self, candidates: np.ndarray, own: np.uint64) -> np.ndarray:
        """(C,) what the candidates of the query with the hash ``own`` are ordered by."""
        return _mixed(self._keys[candidates] ^ _mixed(own ^ _number(f"picks {self.seed}")))

    def _others(self, query: Clip) -> np.ndarray:
        """Positions of all clips of a performance's group but itself."""
        members = self._members(group(query, self.by))
        return members[members != self._positions.get(query.key, -1)]

    def _members(self, name: Hashable) -> np.ndarray:
        """Positions of the clips of a group."""
        if name not in self._groups:
            return np.zeros(0, np.int64)
        start = self._starts[self._groups[name]]
        return self._order[start : start + self._sizes[self._groups[name]]]


_HINT = "take exemplars of any kind: data.exemplars.by=none"


def _number(text: str) -> np.uint64:
    return np.uint64(drawn(text))


def _hashes(keys: Sequence[str]) -> np.ndarray:
    return np.array([drawn(key) for key in keys], np.uint64)


def _mixed(values: np.ndarray | np.uint64) -> np.ndarray:
    """The finalizer of splitmix64 (Steele et al. 2014): random-looking numbers, different for different values."""
    values = np.asarray(values, np.uint64).reshape(-1) + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
