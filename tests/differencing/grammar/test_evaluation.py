import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.compare import Settings
from posediff.differencing.grammar.evaluation import Evaluator
from posediff.differencing.grammar.expressions import parse
from posediff.differencing.grammar.vocabulary import Unmeasurable
from tests.differencing.bodies import body, mirrored, standing

TIME = np.arange(101) / 25
RISING = np.stack([0.4 + 0 * TIME, TIME, 0 * TIME], axis=1)
FALLING = np.stack([-0.4 + 0 * TIME, -2 * TIME, 0 * TIME], axis=1)
#: The left wrist rises by one torso length a second, the right one falls by two, for four seconds.
WRISTS = body({"left_wrist": RISING, "right_wrist": FALLING})
MOMENTS = {"early": 10.0, "late": 60.5}


def number(text, one=WRISTS, moments=MOMENTS, **sides):
    return Evaluator(one, sides).number(parse(text), moments)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("at(height(left_wrist), early)", 0.4),
        ("at(height(left_wrist), late)", 2.42),
        ("at(left_wrist_height, first)", 0.0),
        ("at(height(wrist), late)", -1.21),
        ("at(height(left_wrist, right_wrist), late)", 7.26),
        ("at(asymmetry(height(wrist)), late)", 7.26),
        ("asymmetry(at(height(wrist), late))", 7.26),
        ("at(abs(height(wrist)), late)", 1.21),
        ("at(asymmetry(abs(height(wrist))), late)", -2.42),
        ("at(larger(height(left_wrist), height(right_wrist)), late)", 2.42),
        ("at(smaller(height(wrist), 0), late)", -1.21),
        ("larger(at(height(left_wrist), late), 3)", 3),
        ("mean(height(left_wrist), early..late)", 1.41),
        ("min(height(left_wrist), early..late)", 0.4),
        ("max(height(left_wrist), early)", 0.4),
        ("max(height(left_wrist))", 4),
        ("range(height(left_wrist), early..late)", 2.02),
        ("change(height(right_wrist), early..late)", -4.04),
        ("max(rate(height(left_wrist)))", 1),
        ("median(speed(right_wrist), all)", 2),
        ("duration(early..late)", 2.02),
        ("time(late)", 2.42),
        ("share(first..last)", 1),
        ("share(early..late)", 0.505),
        ("time_of_max(height(left_wrist))", 4),
        ("time_of_min(height(left_wrist), early..late)", 0.4),
        ("path(left_wrist, early..late)", 2.02),
        ("path(wrist, early..late)", 3.03),
        ("path(left_wrist, right_wrist, early..late)", 6.06),
        ("path(left_wrist, early)", 0),
        ("path(left_wrist)", 4),
        ("at(outward(wrist), late)", 0.4),
        ("at(leftward(wrist), late)", 0),
        ("at(distance(left_wrist, right_wrist), first)", 0.8),
        ("2 * (at(left_wrist_height, early) + 1) - 1 / 2", 2.3),
        ("-at(left_wrist_height, early)", -0.4),
        ("max(height(left_wrist) / height(right_wrist), early..late)", -0.5),
    ],
)
def test_numbers_that_are_computed_by_hand(text, expected):
    assert number(text) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("side", "expected"), [("left", 0.4), ("right", -0.8)])
def test_a_role_is_the_side_that_it_is_in_this_performance(side, expected):
    assert number("at(height(racket_wrist), early)", racket=side) == pytest.approx(expected)
    assert number("at(outward(racket_wrist), early)", racket=side) == pytest.approx(0.4)


def test_outward_of_another_joint_is_of_that_on_the_same_side():
    one = standing(left_knee=[0.3, -0.85, 0], right_knee=[-0.5, -0.85, 0])
    assert number("at(outward(left_knee, ankle), first)", one) == pytest.approx(0.1)
    assert number("at(outward(right_knee, ankle), first)", one) == pytest.approx(0.3)
    assert number("at(outward(knee, ankle), first)", one) == pytest.approx(0.2)
    assert number("at(asymmetry(outward(knee, ankle)), first)", one) == pytest.approx(-0.2)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("at(height(racket_wrist), early)", "which side is the racket one is not known"),
        ("at(height(left_wrist), middle)", "middle was not found"),
        ("at(height(left_wrist), lost)", "lost was not found"),
        ("duration(late..early)", "early comes before late"),
        ("mean(height(left_wrist), late..early)", "early comes before late"),
        ("at(height(left_toes), early)", "the skeleton named has no left_toes"),
        ("at(height(toes), early)", "the skeleton named has no left_toes"),
        ("max(1 / height(left_wrist))", "1 / height.left_wrist.. is not a finite number"),
        ("jerk(pelvis)", "pelvis moves too little, or too short, to tell how smoothly between first and last"),
        ("jerk(left_wrist, early)", "left_wrist moves too little, or too short, to tell how smoothly at early"),
        ("max(angle(pelvis, pelvis, left_wrist))", "cannot be told in any frame"),
    ],
)
def test_what_cannot_be_measured_is_told(text, reason):
    with pytest.raises(Unmeasurable, match=reason):
        number(text, moments={**MOMENTS, "lost": np.nan})


def hidden(first, last):
    """The wrists, the left one missing from one frame to another, both included."""
    left = RISING.copy()
    left[first : last + 1] = np.nan
    return body({"left_wrist": left, "right_wrist": FALLING})


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("max(height(left_wrist), early..late)", "between early and late"),
        ("mean(height(wrist), early..late)", "between early and late"),
        ("at(height(left_wrist), late)", "at late"),
        ("at(abs(asymmetry(height(wrist)) / 2), late)", "at late"),
        ("at(-1 - left_wrist_height, late)", "at late"),
        ("path(left_wrist, early..late)", "between early and late"),
        ("jerk(wrist, early..late)", "between early and late"),
        ("change(height(left_wrist), early..late)", "between early and late"),
    ],
)
def test_a_joint_that_is_not_seen_where_a_measure_looks_is_named(text, place):
    with pytest.raises(Unmeasurable, match=f"left_wrist is never seen {place}"):
        number(text, hidden(10, 61))


@pytest.mark.parametrize("text", ["max(height(right_wrist), early..late)", "at(height(left_wrist), first)"])
def test_what_is_missing_elsewhere_does_not_matter(text):
    assert number(text, hidden(10, 61)) == pytest.approx(number(text))


def test_gaps_within_a_place_are_bridged():
    assert number("mean(height(left_wrist), early..late)", hidden(20, 30)) == pytest.approx(1.41)
    assert number("mean(height(left_wrist), early..late)", hidden(11, 61)) == pytest.approx(1.41)  # one end is seen


def test_a_limb_without_length_for_a_moment_is_bridged():
    knee = np.tile([0.2, -0.85, 0.0], (5, 1))
    knee[2] = [0.2, 0, 0]
    one = body({"left_hip": [0.2, 0, 0], "left_knee": knee, "left_ankle": [0.2, -1.7, 0.0]})
    assert number("at(left_knee_angle, middle)", one, {"middle": 2.0}) == pytest.approx(180, abs=1e-3)


def test_moments_outside_are_the_nearest_frames():
    assert number("at(height(left_wrist), before)", moments={"before": -3.0}) == pytest.approx(0)
    assert number("time(after)", moments={"after": 300.0}) == pytest.approx(4)


@given(st.floats(0.5, 4), st.sampled_from([25.0, 30.0, 50.0]))
def test_playing_it_faster_changes_times_and_speeds_only(factor, fps):
    slow, fast = (
        Evaluator(body({"left_wrist": RISING + 0.1 * np.sin(7 * RISING)}, fps=rate)) for rate in (fps, fps * factor)
    )
    for text, power in (
        ("duration(early..late)", -1),
        ("time_of_max(height(left_wrist))", -1),
        ("max(height(left_wrist), early..late)", 0),
        ("share(early..late)", 0),
    ):
        one, other = (each.number(parse(text), MOMENTS) for each in (slow, fast))
        assert other == pytest.approx(one * factor**power)


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("max(abs(asymmetry(height(wrist))))", 1),
        ("at(asymmetry(height(wrist)), late)", -1),
        ("mean(height(wrist), early..late)", 1),
        ("at(leftward(left_wrist, right_wrist), late)", 1),
        ("at(outward(wrist), late)", 1),
        ("path(wrist)", 1),
    ],
)
def test_a_mirror_turns_asymmetries_round_and_leaves_the_rest(text, sign):
    assert number(text, mirrored(WRISTS)) == pytest.approx(sign * number(text))


def test_a_track_is_one_value_for_every_frame():
    found = Evaluator(WRISTS).track(parse("height(left_wrist) - at(height(left_wrist), last)"))
    np.testing.assert_allclose(found, TIME - 4, atol=1e-6)
    with pytest.raises(Unmeasurable, match="not a finite number in every frame"):
        Evaluator(WRISTS).track(parse("1 / height(left_wrist)"))


def test_one_frame_can_be_measured_but_for_what_moves():
    one = standing()
    assert number("mean(height(thorax))", one) == pytest.approx(1)
    for text in ("max(speed(left_wrist))", "share(first..last)"):
        with pytest.raises(Unmeasurable):
            number(text, one)


def test_jerk_knows_how_the_noise_was_smoothed():
    def line(noise):
        wave = np.stack([np.sin(TIME * np.pi / 2), 0 * TIME, 0 * TIME], axis=1)
        kernel = np.linalg.pinv(np.vander(np.arange(-3, 4.0), 3))[2]  # a parabola through a quarter of a second
        jitter = np.random.default_rng(1).normal(0, noise, (107, 3))
        wave += np.stack([np.convolve(axis, kernel, mode="valid") for axis in jitter.T], axis=1)
        return body({"left_wrist": wave}, noise=noise * np.linalg.norm(kernel) / np.sqrt(2))  # the pelvis has none

    text = parse("jerk(left_wrist)")
    clean = Evaluator(line(0.0)).number(text, {})
    told = Evaluator(line(0.01)).number(text, {})
    unsmoothed = Evaluator(line(0.01), settings=Settings(smoothing=0.0)).number(text, {})
    assert clean < told < unsmoothed
    assert told - clean < 0.6 * (unsmoothed - clean)
