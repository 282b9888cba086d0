from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.datasets.augment import AugmentSettings
from posediff.datasets.clips import Clip
from posediff.datasets.exemplars import Exemplars
from posediff.datasets.references import references
from posediff.datasets.samples import InputSettings, Samples
from posediff.errors import BadData, BadSetting
from posediff.sequence import PoseSequence
from posediff.skeletons import MPII16

torch = pytest.importorskip("torch")

from torch.utils.data import DataLoader  # noqa: E402

from posediff.datasets.pairs import EpochSampler, Pairs, collate, draws  # noqa: E402

ALL = AugmentSettings(0.5, 20, 0.2, 0.05, 0.3, 0.2)


def pairs_of(actions, augment=None, seed=0):
    rng = np.random.default_rng(0)
    clips = [Clip(str(at), float(at), action=action, transitions=(3,), frames=8) for at, action in enumerate(actions)]
    sequences = {clip.key: PoseSequence(rng.normal(size=(8, 16, 2)), MPII16) for clip in clips}
    samples = Samples(clips, InputSettings(frames=8), difficulty=True, sequences=sequences)
    return Pairs(samples, Exemplars(clips, "action", seed), augment, seed)


def with_others(choice, measure=None, augment=None):
    """Pairs of six clips with the best ones, or with their average."""
    plain = pairs_of("a" * 6)
    exemplars = Exemplars(plain.samples.clips, choice=choice, best=2)
    averages = None
    if choice == "barycentre":
        averages = references(plain.samples, exemplars, plain.samples.clips, difficulty=True)
    return Pairs(plain.samples, exemplars, augment, 0, references=averages, measure=measure)


def same(one, other):
    assert {side: [*sample] for side, sample in one.items()} == {side: [*sample] for side, sample in other.items()}
    return all(
        torch.equal(tensor, other[side][name]) for side, sample in one.items() for name, tensor in sample.items()
    )


def test_every_clip_comes_with_another_one_of_its_action():
    pairs = pairs_of("ababcab")
    assert len(pairs) == 6  # c is alone
    batch = pairs.__getitems__([*range(6)])
    query, exemplar = (batch[side]["index"].tolist() for side in ("query", "exemplar"))
    assert query == [0, 1, 2, 3, 5, 6]
    assert all(a != b and "ababcab"[a] == "ababcab"[b] for a, b in zip(query, exemplar, strict=True))
    assert batch["query"]["target"].tolist() == query
    assert batch["exemplar"]["poses"].shape == (6, 8, 16, 2)


def test_another_epoch_brings_other_partners_and_other_changes():
    pairs = pairs_of("a" * 12, ALL)
    first, later = pairs.__getitems__([*range(12)]), pairs.__getitems__([*range(36, 48)])
    assert torch.equal(first["query"]["index"], later["query"]["index"])
    assert not torch.equal(first["exemplar"]["index"], later["exemplar"]["index"])
    assert not torch.equal(first["query"]["poses"], later["query"]["poses"])


@given(st.lists(st.integers(0, 59), min_size=1, max_size=8), st.sampled_from([None, ALL]))
def test_an_item_is_the_same_in_any_batch(numbers, augment):
    pairs = pairs_of("a" * 12, augment)
    batch = pairs.__getitems__(numbers)
    for row, number in enumerate(numbers):
        assert same(
            {side: {name: tensor[row] for name, tensor in sample.items()} for side, sample in batch.items()},
            pairs[number],
        )


def test_exemplars_may_be_averages():
    batch = with_others("barycentre").__getitems__([*range(6)])
    assert batch["query"]["target"].tolist() == [0, 1, 2, 3, 4, 5]
    assert batch["exemplar"]["target"].tolist() == [4.5, 4.5, 4.5, 4.5, 4, 3.5]
    assert batch["exemplar"]["poses"].shape == batch["query"]["poses"].shape
    first, again = with_others("barycentre", augment=ALL)[3], with_others("barycentre", augment=ALL)[3]
    assert same(first, again)


@pytest.mark.parametrize("choice", ["random", "best", "barycentre"])
def test_what_is_measured_of_a_pair_stands_in_its_row_on_both_sides(choice):
    def measure(query, members):
        return np.array([query, sum(members), len(members), np.nan])

    pairs = with_others(choice, measure, ALL)
    batch = pairs.__getitems__([3, 17, 5])
    found = batch["query"]["dimensions"]
    assert (found.dtype, found.shape) == (torch.float32, (3, 4))
    assert found[:, 0].tolist() == batch["query"]["index"].tolist()
    if choice == "barycentre":
        assert found[:, 1:3].tolist() == [[9, 2], [7, 2], [7, 2]]
    else:
        assert found[:, 1].tolist() == batch["exemplar"]["index"].tolist()
    assert found[:, 3].isnan().all()
    assert torch.equal(batch["exemplar"]["dimensions"].nan_to_num(), found.nan_to_num())
    assert "dimensions" not in with_others(choice)[0]["query"]


def test_the_seed_decides_the_changes():
    one, two = (pairs_of("aa", ALL, seed)[0]["query"]["poses"] for seed in (1, 2))
    assert not torch.equal(one, two)
    assert torch.equal(one, pairs_of("aa", ALL, 1)[0]["query"]["poses"])


def test_query_and_exemplar_are_changed_each_on_its_own():
    numbers = [draws(1, epoch, np.arange(100), side) for epoch in range(50) for side in (0, 1)]
    assert len(np.unique(np.concatenate(numbers))) == 50 * 2 * 100


@pytest.mark.parametrize("augment", [None, ALL])
def test_other_processes_load_the_same(augment):
    pairs = pairs_of("a" * 10, augment)
    sampler = EpochSampler(len(pairs), 4, seed=3)
    sampler.set_epoch(2)

    def loaded(workers):
        return [*DataLoader(pairs, batch_size=4, sampler=sampler, collate_fn=collate, num_workers=workers)]

    here, elsewhere = loaded(0), loaded(2)
    assert [len(batch["query"]["index"]) for batch in here] == [4, 4, 2]
    assert all(same(one, other) for one, other in zip(here, elsewhere, strict=True))


def batches(length, batch, rank, world, epoch):
    sampler = EpochSampler(length, batch, 7, rank, world)
    sampler.set_epoch(epoch)
    items = [*sampler]
    assert len(items) == len(sampler)
    return [items[start : start + batch] for start in range(0, len(items), batch)]


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 4), st.integers(0, 3))
def test_processes_share_the_batches_of_one(length, batch, world, epoch):
    single = batches(length, batch * world, 0, 1, epoch)
    shared = [batches(length, batch, rank, world, epoch) for rank in range(world)]
    assert sorted(chain(*single)) == [*range(epoch * length, (epoch + 1) * length)]
    assert {len(one) for one in shared} == {len(single)}
    for number, whole in enumerate(single):
        parts = [one[number] for one in shared]
        together = [*chain(*parts)]
        assert len({len(part) for part in parts}) == 1
        assert set(together) == set(whole)
        assert len(together) - len(whole) < world
        if number < len(single) - 1:
            assert sorted(together) == sorted(whole)


def test_every_epoch_has_an_order_of_its_own():
    orders = [[item % 30 for batch in batches(30, 5, 0, 1, epoch) for item in batch] for epoch in range(3)]
    assert len({tuple(order) for order in orders}) == 3
    assert orders[0] == [item % 30 for batch in batches(30, 5, 0, 1, 0) for item in batch]


def test_what_cannot_be_used_is_refused():
    with pytest.raises(BadData, match="no clip has another one") as caught:
        pairs_of("abc")
    assert caught.value.hint.endswith("data.exemplars.by=none")
    with pytest.raises(BadSetting, match="seed is -1"):
        pairs_of("aa", seed=-1)
    for wrong in ({"length": 0}, {"batch": 0}, {"seed": -1}, {"rank": 2, "world": 2}, {"rank": -1}):
        with pytest.raises(BadSetting, match="length="):
            EpochSampler(**{"length": 4, "batch": 2, "seed": 0, **wrong})
