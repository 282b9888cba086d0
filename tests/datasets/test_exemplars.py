from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.datasets.clips import Clip
from posediff.datasets.exemplars import Exemplars, group
from posediff.datasets.finediving import FineDivingSettings, load
from posediff.datasets.mtl_aqa import MTLAQASettings
from posediff.datasets.mtl_aqa import load as load_mtl_aqa
from posediff.errors import BadData, BadSetting
from tests.fixtures.data import data_root

BY = st.sampled_from(["action", "difficulty", "none"])
SEEDS = st.integers(0, 3)
CLIPS = st.lists(
    st.tuples(st.sampled_from(["407c", "205b", ""]), st.sampled_from([3.2, 1.5, None])), min_size=1, max_size=25
).map(lambda kinds: tuple(Clip(f"{n}/1", n, action=a, difficulty=d) for n, (a, d) in enumerate(kinds)))


def same(one, other, by):
    """Whether two clips may be compared, said once more in other words."""
    return by == "none" or getattr(one, by) == getattr(other, by)


@given(clips=CLIPS, by=BY, seed=SEEDS, epoch=st.integers(0, 1000))
def test_a_partner_is_another_clip_of_the_group(clips, by, seed, epoch):
    exemplars = Exemplars(clips, by, seed)
    positions = exemplars.usable
    for position, partner in zip(positions, exemplars.partners(positions, epoch), strict=True):
        assert partner != position
        assert same(clips[position], clips[partner], by)


@given(clips=CLIPS, by=BY)
def test_usable_are_those_that_have_a_partner(clips, by):
    having = [n for n, clip in enumerate(clips) if any(same(clip, other, by) for other in clips if other is not clip)]
    assert Exemplars(clips, by).usable.tolist() == having


@given(clips=CLIPS, by=BY, seed=SEEDS, epoch=st.integers(0, 1000), data=st.data())
def test_partners_do_not_depend_on_the_batch(clips, by, seed, epoch, data):
    exemplars = Exemplars(clips, by, seed)
    partners = dict(zip(exemplars.usable.tolist(), exemplars.partners(exemplars.usable, epoch).tolist(), strict=True))
    batch = data.draw(st.lists(st.sampled_from(sorted(partners)), max_size=8)) if partners else []
    assert Exemplars(clips, by, seed).partners(np.array(batch, int), epoch).tolist() == [partners[p] for p in batch]


def test_over_the_epochs_all_the_others_are_partners_equally_often():
    clips = [Clip(f"{n}", n, action="ab"[n % 2]) for n in range(14)]
    exemplars = Exemplars(clips)
    epochs = 7000
    drawn = np.stack([exemplars.partners(np.arange(14), epoch) for epoch in range(epochs)])
    for position in range(14):
        counts = Counter(drawn[:, position].tolist())
        assert set(counts) == {other for other in range(position % 2, 14, 2) if other != position}
        expected = epochs / 6
        chi_squared = sum((count - expected) ** 2 / expected for count in counts.values())
        assert chi_squared < 30  # 5 degrees of freedom: p = 1.5e-5
    assert abs(np.corrcoef(drawn[:-1, 0], drawn[1:, 0])[0, 1]) < 0.05
    assert abs(np.corrcoef(drawn[:, 0], drawn[:, 2])[0, 1]) < 0.05


def test_another_seed_gives_other_partners():
    clips = [Clip(f"{n}", n) for n in range(50)]
    first, second = (Exemplars(clips, "none", seed).partners(np.arange(50), 0) for seed in (0, 1))
    assert (first != second).sum() > 35


def test_a_clip_that_is_alone_has_no_partner():
    clips = [Clip("a", 1.0, action="x"), Clip("b", 1.0, action="y"), Clip("c", 1.0, action="y")]
    exemplars = Exemplars(clips)
    assert exemplars.usable.tolist() == [1, 2]
    with pytest.raises(BadData, match="1 clips have no partner by action: a") as caught:
        exemplars.partners(np.array([1, 0]), 0)
    assert "data.exemplars.by=none" in caught.value.hint


@given(clips=CLIPS, by=BY, seed=SEEDS, count=st.integers(1, 12), data=st.data())
def test_picks_are_different_clips_of_the_group(clips, by, seed, count, data):
    query = Clip("q", 1.0, action=data.draw(st.sampled_from(clips)).action, difficulty=clips[0].difficulty)
    candidates = [n for n, clip in enumerate(clips) if same(query, clip, by)]
    if not candidates:
        with pytest.raises(BadData, match=f"1 clips have no exemplar by {by}: q"):
            Exemplars(clips, by, seed).picks([query], count)
        return
    (picks,) = Exemplars(clips, by, seed).picks([query], count).tolist()
    there = min(count, len(candidates))
    assert len(picks) == count
    assert len(set(picks[:there])) == there
    assert set(picks) <= set(candidates)
    assert picks[there:] == picks[:1] * (count - there)


@given(clips=CLIPS.filter(lambda clips: len(clips) > 1), seed=SEEDS, count=st.integers(1, 5), order=st.randoms())
def test_picks_do_not_depend_on_other_queries_nor_on_the_order_of_the_exemplars(clips, seed, count, order):
    queries = [*clips, *(Clip(f"q{n}", 0.0) for n in range(5))]
    shuffled, others = list(clips), list(queries)
    order.shuffle(shuffled)
    order.shuffle(others)
    together = Exemplars(clips, "none", seed).picks(queries, count)
    elsewhere = Exemplars(shuffled, "none", seed).picks(others, count)
    for query, picks in zip(queries, together, strict=True):
        again = elsewhere[others.index(query)]
        assert [clips[p].key for p in picks] == [shuffled[p].key for p in again]


@given(clips=CLIPS.filter(lambda clips: len(clips) > 1), seed=SEEDS, count=st.integers(1, 30))
def test_a_query_is_never_its_own_exemplar(clips, seed, count):
    picks = Exemplars(clips, "none", seed).picks(clips, count)
    assert (picks != np.arange(len(clips))[:, None]).all()


def test_all_exemplars_are_picked_equally_often():
    clips = [Clip(f"{n}", n) for n in range(20)]
    queries = [Clip(f"query {n}", n) for n in range(4000)]
    counts = np.bincount(Exemplars(clips, "none").picks(queries, 5).ravel(), minlength=20)
    assert abs(counts - 1000).max() < 150  # 5.5 standard deviations
    first = np.bincount(Exemplars(clips, "none").picks(queries, 5)[:, 0], minlength=20)
    assert abs(first - 200).max() < 80


def test_another_seed_gives_other_picks():
    clips = [Clip(f"{n}", n) for n in range(50)]
    first, second = (Exemplars(clips, "none", seed).picks([Clip("q", 1.0)], 10)[0] for seed in (0, 1))
    assert len(set(first) & set(second)) < 8


def test_queries_without_any_exemplar_are_told_at_once():
    exemplars = Exemplars([Clip("a", 1.0, action="x")])
    queries = [Clip(f"q{n}", 1.0, action="y") for n in range(5)]
    with pytest.raises(BadData, match="6 clips have no exemplar by action: q0, q1, q2 and 3 more") as caught:
        exemplars.picks([*queries, Clip("a", 1.0, action="x")], 10)
    assert "data.exemplars.by=none" in caught.value.hint


SCORED = st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3)), min_size=2, max_size=25).map(
    lambda kinds: tuple(Clip(f"{n}/1", score, action=action) for n, (action, score) in enumerate(kinds))
)


@given(clips=SCORED, best=st.integers(1, 6), seed=SEEDS, epoch=st.integers(0, 100), count=st.integers(1, 8))
def test_the_best_are_those_that_no_other_one_is_better_than(clips, best, seed, epoch, count):
    exemplars = Exemplars(clips, "action", seed, choice="best", best=best)
    positions = exemplars.usable
    partners = exemplars.partners(positions, epoch)
    picks = exemplars.picks([clips[position] for position in positions], count)
    for position, partner, row in zip(positions, partners, picks.tolist(), strict=True):
        others = [c.score for n, c in enumerate(clips) if n != position and c.action == clips[position].action]
        least = sorted(others, reverse=True)[:best][-1]
        for chosen in {int(partner), *row}:
            assert chosen != position
            assert clips[chosen].action == clips[position].action
            assert clips[chosen].score >= least
        assert len(set(row)) == min(count, best, len(others))


@given(clips=SCORED, seed=SEEDS, choice=st.sampled_from(["best", "barycentre"]), order=st.randoms())
def test_the_best_do_not_depend_on_the_order_of_the_clips(clips, seed, choice, order):
    shuffled = list(clips)
    order.shuffle(shuffled)
    queries = [*clips, Clip("q", 0.0, action="a")]
    one, other = (
        [[some[p].key for p in pool] for pool in Exemplars(some, "action", seed, choice=choice, best=3).pools(queries)]
        for some in (clips, shuffled)
    )
    assert one == other


def test_of_equal_ones_different_queries_get_different_ones():
    clips = [Clip(f"{n}", float(n % 2)) for n in range(60)]
    exemplars = Exemplars(clips, "none", choice="best", best=5)
    queries = [Clip(f"q{n}", 0.0) for n in range(300)]
    picks = exemplars.picks(queries, 5)
    assert (picks % 2 == 1).all()
    counts = np.bincount(picks.ravel(), minlength=60)[1::2]
    assert abs(counts - 50).max() < 40  # 5.9 standard deviations
    assert len({tuple(sorted(row)) for row in picks.tolist()}) > 250


def test_over_the_epochs_all_the_best_are_partners():
    clips = [Clip(f"{n}", n) for n in range(12)]
    exemplars = Exemplars(clips, "none", choice="best", best=3)
    drawn = np.stack([exemplars.partners(np.arange(12), epoch) for epoch in range(900)])
    assert Counter(drawn[:, 0].tolist()).keys() == {9, 10, 11}
    assert Counter(drawn[:, 10].tolist()).keys() == {8, 9, 11}
    assert min(Counter(drawn[:, 0].tolist()).values()) > 220
    assert abs(np.corrcoef(drawn[:, 0], drawn[:, 1])[0, 1]) < 0.15


def test_targets_decide_who_is_the_best():
    clips = [Clip("a", 9.0), Clip("b", 1.0), Clip("c", 5.0)]
    exemplars = Exemplars(clips, "none", choice="best", best=1, targets=np.array([1.0, 2.0, 3.0]))
    assert exemplars.picks([Clip("q", 0.0), clips[2]], 2).tolist() == [[2, 2], [1, 1]]


@given(clips=SCORED, best=st.integers(1, 6))
def test_a_group_has_one_set_for_an_average_and_one_for_each_clip_in_it(clips, best):
    exemplars = Exemplars(clips, "action", choice="barycentre", best=best)
    queries = [*clips, *(Clip(f"q{n}", 0.0, action="ab"[n % 2]) for n in range(6))]
    pools = exemplars.pools(queries)
    for action in "ab":
        assert len({pool for pool, query in zip(pools, queries, strict=True) if query.action == action}) <= best + 1
    for query, pool in zip(queries, pools, strict=True):
        scores = [clips[position].score for position in pool]
        assert scores == sorted(scores, reverse=True)
        assert query.key not in {clips[position].key for position in pool}


def test_what_cannot_be_chosen_by_is_refused():
    with pytest.raises(BadSetting, match="exemplars by 'actoin'") as caught:
        Exemplars([Clip("a", 1.0)], "actoin")
    with pytest.raises(BadSetting, match="exemplars are the 'bset' ones"):
        Exemplars([Clip("a", 1.0)], choice="bset")
    assert caught.value.hint == "did you mean action?"
    with pytest.raises(BadSetting, match="0 exemplars"):
        Exemplars([Clip("a", 1.0)]).picks([], 0)


def test_no_clips_have_no_partners():
    exemplars = Exemplars([])
    assert exemplars.usable.tolist() == []
    assert exemplars.partners(np.zeros(0, int), 0).tolist() == []
    assert exemplars.picks([], 3).shape == (0, 3)


def test_clips_of_which_nothing_is_known_are_a_group():
    assert group(Clip("a", 1.0), "action") == group(Clip("b", 2.0), "action") != group(Clip("c", 1, "x"), "action")
    assert group(Clip("a", 1.0, "x"), "none") == group(Clip("b", 2.0, "y", 3.0), "none")


def test_choices_are_the_same_in_every_version():
    clips = [Clip(f"01/{n}", n) for n in range(100)]
    exemplars = Exemplars(clips, "none", seed=3)
    assert exemplars.partners(np.arange(5), epoch=7).tolist() == [27, 79, 36, 34, 47]
    assert exemplars.picks([Clip("02/1", 1.0)], 5).tolist() == [[33, 56, 17, 51, 87]]


def test_what_finediving_offers():
    dives = load(FineDivingSettings(str(data_root("finediving", "Annotations"))))
    exemplars = Exemplars(dives.train)
    alone = sorted({*range(len(dives.train))} - {*exemplars.usable.tolist()})
    assert sorted(dives.train[position].action for position in alone) == ["109b", "201a", "201c", "303c", "5237d"]
    picks = exemplars.picks(dives.test, 10)
    assert sum(len(set(row)) < 10 for row in picks.tolist()) == 31
    assert all(dives.train[p].action == clip.action for clip, row in zip(dives.test, picks, strict=True) for p in row)
    with pytest.raises(BadData, match="1 clips have no exemplar by difficulty: 07/7"):
        Exemplars(dives.train, "difficulty").picks(dives.test, 10)


def test_what_mtl_aqa_offers():
    dives = load_mtl_aqa(MTLAQASettings(str(data_root("mtl_aqa"))))
    exemplars = Exemplars(dives.train)
    assert len(dives.train) - len(exemplars.usable) == 16
    assert sum(len(set(row)) < 10 for row in exemplars.picks(dives.test, 10).tolist()) == 42
