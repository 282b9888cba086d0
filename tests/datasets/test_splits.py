from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.datasets.clips import Clip
from posediff.datasets.splits import validation_split
from posediff.errors import BadData, BadSetting

#: Clips of up to five actions, at least one of which occurs twice.
CLIPS = (
    st.lists(st.sampled_from("abcde"), min_size=2, max_size=40)
    .filter(lambda actions: len(set(actions)) < len(actions))
    .map(lambda actions: tuple(Clip(f"{n:02d}", n, action=action) for n, action in enumerate(actions)))
)
#: Clips of two to eight performers, of any actions.
PERFORMED = (
    st.lists(st.sampled_from("abcdefgh"), min_size=2, max_size=40)
    .filter(lambda performers: len(set(performers)) > 1)
    .map(lambda performers: tuple(Clip(f"{n:02d}", n, performer=one) for n, one in enumerate(performers)))
)
FRACTIONS = st.floats(0, 1, exclude_max=True)
SEEDS = st.integers(0, 5)


def actions(clips):
    return Counter(clip.action for clip in clips)


@given(clips=CLIPS, fraction=FRACTIONS, seed=SEEDS)
def test_the_parts_are_disjoint_complete_and_in_order(clips, fraction, seed):
    train, validation = validation_split(clips, fraction, seed)
    assert sorted([*train, *validation], key=lambda clip: clip.key) == list(clips)
    assert list(train) == sorted(train, key=lambda clip: clip.key)
    assert list(validation) == sorted(validation, key=lambda clip: clip.key)


@given(clips=CLIPS, fraction=FRACTIONS, seed=SEEDS)
def test_every_action_stays_in_training(clips, fraction, seed):
    train, _ = validation_split(clips, fraction, seed)
    assert set(actions(train)) == set(actions(clips))


@given(clips=CLIPS, fraction=FRACTIONS.filter(lambda fraction: fraction > 0), seed=SEEDS)
def test_as_many_are_chosen_as_were_asked_for(clips, fraction, seed):
    _, validation = validation_split(clips, fraction, seed)
    most = sum(count - 1 for count in actions(clips).values())
    assert len(validation) == min(max(round(fraction * len(clips)), 1), most)


@given(sizes=st.lists(st.integers(4, 30), min_size=1, max_size=5), fraction=st.floats(0.05, 0.5), seed=SEEDS)
def test_every_action_has_its_share_to_within_one_clip(sizes, fraction, seed):
    clips = [Clip(f"{action}{n}", n, action=str(action)) for action, size in enumerate(sizes) for n in range(size)]
    _, validation = validation_split(clips, fraction, seed)
    for action, size in enumerate(sizes):
        assert abs(actions(validation)[str(action)] - fraction * size) <= 1


@given(clips=CLIPS, fraction=FRACTIONS, seed=SEEDS, order=st.randoms())
def test_who_is_chosen_does_not_depend_on_the_order(clips, fraction, seed, order):
    shuffled = list(clips)
    order.shuffle(shuffled)
    first, again = ({clip.key for clip in validation_split(c, fraction, seed)[1]} for c in (clips, shuffled))
    assert first == again


def test_another_seed_chooses_others_and_all_in_the_end():
    clips = [Clip(f"{n:02d}", n, action="ab"[n % 2]) for n in range(20)]
    chosen = [{clip.key for clip in validation_split(clips, 0.2, seed)[1]} for seed in range(60)]
    assert len(set(map(frozenset, chosen))) > 30
    assert set.union(*chosen) == {clip.key for clip in clips}


def performers(clips):
    return {clip.performer for clip in clips}


@given(clips=PERFORMED, fraction=FRACTIONS.filter(lambda fraction: fraction > 0), seed=SEEDS)
def test_nobody_is_learnt_from_and_validated_on(clips, fraction, seed):
    train, validation = validation_split(clips, fraction, seed)
    assert performers(train) & performers(validation) == set()
    assert performers(train)
    assert performers(validation)
    assert sorted([*train, *validation], key=lambda clip: clip.key) == list(clips)


@given(clips=PERFORMED, fraction=FRACTIONS.filter(lambda fraction: fraction > 0), seed=SEEDS)
def test_as_many_performers_are_chosen_as_were_asked_for(clips, fraction, seed):
    _, validation = validation_split(clips, fraction, seed)
    count = len(performers(clips))
    wanted = fraction * count
    assert 1 <= len(performers(validation)) <= count - 1
    assert abs(len(performers(validation)) - wanted) <= (0.5 if 1 <= wanted <= count - 1 else 1)


@given(clips=PERFORMED, fraction=FRACTIONS, seed=SEEDS, order=st.randoms())
def test_which_performers_are_chosen_does_not_depend_on_the_order_or_their_clips(clips, fraction, seed, order):
    shuffled = [clip for one in sorted(performers(clips)) for clip in clips if clip.performer == one][::-1]
    order.shuffle(shuffled)
    single = list({clip.performer: clip for clip in clips}.values())
    first, again, alone = (performers(validation_split(c, fraction, seed)[1]) for c in (clips, shuffled, single))
    assert first == again == alone


def test_every_performer_is_validated_on_in_the_end():
    clips = [Clip(f"{n:02d}", n, performer="abcdefgh"[n % 8]) for n in range(16)]
    chosen = [frozenset(performers(validation_split(clips, 0.25, seed)[1])) for seed in range(60)]
    assert {len(one) for one in chosen} == {2}
    assert frozenset.union(*chosen) == set("abcdefgh")
    assert len(set(chosen)) > 15


@given(clips=CLIPS, fraction=FRACTIONS, seed=SEEDS)
def test_a_single_performer_or_one_that_is_unknown_changes_nothing(clips, fraction, seed):
    expected = [clip.key for clip in validation_split(clips, fraction, seed)[1]]
    alone = [replace(clip, performer="ana") for clip in clips]
    partly = [replace(clip, performer="" if n else "ana") for n, clip in enumerate(clips)]
    for same in (alone, partly):
        assert [clip.key for clip in validation_split(same, fraction, seed)[1]] == expected


def test_no_fraction_is_no_validation():
    clips = (Clip("a", 1.0), Clip("b", 2.0))
    assert validation_split(clips, 0) == (clips, ())


@pytest.mark.parametrize(
    ("clips", "said", "hint"),
    [
        ((), "there are no training clips", "check the label file and the split"),
        ((Clip("a", 1.0),), "there is only one clip, which cannot be divided", "give more clips"),
        (
            (Clip("a", 1.0, action="x"), Clip("b", 1.0, action="y")),
            "none of 2 clips can be kept apart, since each is the only one of its action",
            "give more clips of each action, or leave the actions out",
        ),
    ],
)
def test_clips_of_which_none_can_be_kept_apart_are_told(clips, said, hint):
    for name, start in (("", ""), ("dives.csv", "dives.csv: ")):
        with pytest.raises(BadData) as caught:
            validation_split(clips, 0.5, name=name)
        assert (str(caught.value), caught.value.hint) == (f"{start}{said}", hint)
    if not clips:
        with pytest.raises(BadData, match="there are no training clips"):
            validation_split(clips, 0)


@pytest.mark.parametrize("fraction", [-0.1, 1.0, float("nan")])
def test_a_fraction_that_is_none_is_refused(fraction):
    with pytest.raises(BadSetting, match=f"fraction of {fraction}"):
        validation_split([Clip("a", 1.0)] * 2, fraction)
