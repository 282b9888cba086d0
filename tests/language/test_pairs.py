import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.language.pairs import grouped
from tests.fixtures.comparisons import difference

LEFT = difference(
    measure="left_hip_angle",
    joints=("left_hip", "left_shoulder", "left_knee"),
    magnitude=52.0,
    noise=3.0,
    confidence=0.99,
    values=(100.0, 48.0),
)
RIGHT = difference(
    measure="right_hip_angle",
    joints=("right_hip", "right_shoulder", "right_knee"),
    reference_frames=(12, 27),
    query_frames=(16, 34),
    peak=(18, 22),
    magnitude=48.0,
    noise=4.0,
    confidence=0.96,
    values=(90.0, 42.0),
)
OTHER = difference(measure="trunk_lean", joints=("thorax", "pelvis"))


def changed(one, **changes):
    return difference(**{**vars(one), **changes})


def test_the_same_on_both_sides_is_told_once_and_the_others_keep_their_ranks():
    assert [told.rank for told in grouped([OTHER, RIGHT, LEFT, OTHER])] == [1, 2, 4]


def test_a_single_difference_is_told_as_it_is():
    (told,) = grouped([LEFT])
    assert told.whole is LEFT
    assert told.sides == (LEFT,)


def test_of_two_sides_the_left_one_comes_first_whichever_is_larger():
    assert grouped([RIGHT, LEFT])[0].sides == grouped([LEFT, RIGHT])[0].sides == (LEFT, RIGHT)


def test_two_sides_are_told_by_their_mean_over_the_frames_of_either():
    whole = grouped([LEFT, RIGHT])[0].whole
    assert (whole.measure, whole.magnitude, whole.values) == ("both_hip_angle", 50.0, (95.0, 45.0))
    assert (whole.reference_frames, whole.query_frames) == ((12, 27), (16, 34))


def test_two_sides_have_the_noise_of_a_mean_and_the_lesser_confidence():
    whole = grouped([LEFT, RIGHT])[0].whole
    assert (whole.noise, whole.confidence) == (2.5, 0.96)


def test_the_moment_shown_is_that_of_the_more_important_side():
    assert grouped([LEFT, RIGHT])[0].whole.peak == LEFT.peak


@pytest.mark.parametrize(
    "twin",
    [
        changed(RIGHT, measure="right_knee_angle"),
        changed(RIGHT, measure="left_hip_angle"),
        changed(RIGHT, more_in="query"),
        changed(RIGHT, magnitude=52.0 / 1.6),
        changed(RIGHT, magnitude=52.0 * 1.6),
        changed(RIGHT, query_frames=(25, 39)),
        changed(RIGHT, query_frames=(60, 70)),
    ],
    ids=["measure", "side", "direction", "smaller", "larger", "time overlaps by half", "another time"],
)
def test_what_is_not_alike_is_told_apart(twin):
    assert len(grouped([LEFT, twin])) == 2


def test_every_side_is_joined_only_once():
    later = changed(RIGHT, magnitude=45.0)
    first, second = grouped([LEFT, RIGHT, later])
    assert first.sides == (LEFT, RIGHT)
    assert second.whole is later


@given(st.lists(st.sampled_from([LEFT, RIGHT, OTHER, changed(LEFT, magnitude=9.0)]), max_size=8))
def test_nothing_is_lost_or_told_twice(differences):
    told = [side for one in grouped(differences) for side in one.sides]
    assert sorted(map(id, told)) == sorted(map(id, differences))
