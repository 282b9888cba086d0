import time

import numpy as np
import pytest

from posediff.compare import Settings
from posediff.compare.prepare import prepare
from posediff.differencing.grammar.evaluation import Evaluator
from posediff.differencing.grammar.measures import Names, Unmeasurable, cue, measure, values
from posediff.errors import BadSetting
from posediff.motion.angles import joint_angles
from posediff.motion.synthetic import Recording, Squat, generate
from tests.differencing.bodies import body
from tests.fixtures.performances import perform, without

NAMES = Names(("lowering", "lowest", "standing"), ("front",))
MOMENTS = {"lowering": 15.0, "lowest": 50.0, "standing": 83.0}
TEXTS = (
    "at(height(pelvis, ankle), lowest)",
    "at(knee_angle, lowest)",
    "at(front_knee_angle, lowest)",
    "max(trunk_lean, lowering..standing)",
    "at(forward(knee, ankle), lowest)",
    "mean(outward(knee, ankle), lowering..standing)",
    "max(abs(asymmetry(knee_angle)))",
    "duration(lowering..lowest) / duration(lowest..standing)",
    "max(speed(wrist))",
    "jerk(wrist, lowering..standing)",
    "path(wrist, lowering..standing)",
    "sd(trunk_rotation, lowering..standing)",
)


def squat(**recording):
    one = prepare(generate("squat", recording=Recording(**recording)), Settings())
    facing = np.array([[0.0, 0, -1], [0, 1, 0], [1, 0, 0]])  # generated bodies face +x
    return one.turned(facing) if one.sequence.dimensions == 3 else one


def test_a_measure_knows_its_unit_and_its_key_points_in_order():
    found = measure(
        "change(knee_angle, lowest..standing) / duration(lowering..lowest) + max(rate(knee_angle), last)", NAMES
    )
    assert found.unit == "deg/s"
    assert found.key_points == ("lowest", "standing", "lowering")
    assert found == measure(found.text, NAMES)
    assert hash(found)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("at(knee_angle, lowest)", (50, 50)),
        ("mean(knee_angle, lowering..standing) - at(knee_angle, first)", (0, 83)),
        ("time(standing) + duration(lowering..lowest)", (15, 83)),
        ("max(knee_angle)", (0, 97)),
        ("jerk(wrist, lowest..last)", (50, 97)),
    ],
)
def test_a_measure_knows_where_it_looks(text, span):
    assert measure(text, NAMES).span(squat(), MOMENTS) == span


def test_a_squat_is_as_deep_as_it_was_made():
    pattern = Squat()
    one = squat()
    legs = 0.491 / 0.288  # length of the legs in torso lengths, by the proportions of the performer
    depth = measure("at(height(pelvis, ankle), first) - min(height(pelvis, ankle))")
    assert depth.value(one, {}) == pytest.approx(pattern.depth * legs, rel=0.02)
    assert measure("max(trunk_lean)").value(one, {}) == pytest.approx(0.95 * pattern.lean, abs=1)
    assert measure("time_of_min(height(pelvis, ankle))").value(one, {}) == pytest.approx(2.0, abs=0.03)


@pytest.mark.parametrize("view", ["2d", "3d"])
def test_knee_angles_are_those_of_the_angles_catalogue(view):
    one = squat(view=view)
    names, angles = joint_angles(one.sequence)
    knees = angles[:, [names.index("left_knee_angle"), names.index("right_knee_angle")]]
    found = [measure(text, NAMES).value(one, MOMENTS) for text in ("at(knee_angle, lowest)", "mean(right_knee_angle)")]
    assert found[0] == pytest.approx(knees[50].mean())
    steps = (knees[1:, 1] + knees[:-1, 1]) / 2
    assert found[1] == pytest.approx(steps.mean())


def test_values_of_many_measures_are_those_of_each():
    one, sides = squat(noise=0.01), {"front": "right"}
    measures = [measure(text, NAMES) for text in TEXTS]
    assert values(measures, one, MOMENTS, sides) == [each.value(one, MOMENTS, sides) for each in measures]
    assert values(measures, Evaluator(one, sides), MOMENTS) == values(measures, one, MOMENTS, sides)


def test_what_cannot_be_measured_is_a_reason_among_the_values():
    one = prepare(without(perform(), "left_wrist"), Settings())
    found = values([measure("max(height(wrist))"), measure("max(height(right_wrist))")], one, {})
    assert isinstance(found[0], Unmeasurable)
    assert str(found[0]) == "left_wrist is never seen"
    assert isinstance(found[1], float)


def test_twelve_measures_of_a_hundred_frames_take_a_few_milliseconds():
    measures = [measure(text, NAMES) for text in TEXTS]
    one = squat()
    taken = []
    for _ in range(5):
        start = time.process_time()
        values(measures, one, MOMENTS, {"front": "left"})
        taken.append(time.process_time() - start)
    assert min(taken) < 0.02


def test_noise_changes_a_value_by_as_much_as_it_should():
    measures = [measure(text, NAMES) for text in TEXTS[:2]]
    drawn = np.array(
        [values(measures, prepare(perform(noise=0.01, seed=seed), Settings()), MOMENTS) for seed in range(30)]
    )
    after = 0.01 * np.sqrt(1 / 3)  # a parabola through seven frames leaves a third of the variance
    assert drawn[:, 0].std() == pytest.approx(after * np.sqrt(1.5), rel=0.5)
    assert drawn[:, 1].std() < 2


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("knee_angle", "line 7, column 14", "'knee_angle' is a track, and a measure is a number"),
        ("3 + 4", "line 7, column 14", "'3 + 4' looks at nothing"),
        ("max(\n  knee_angl)", "line 8, column 16", "no track is called 'knee_angl'"),
        ("at(knee_angle,\nlowst)", "line 8, column 14", "no key point is called 'lowst'"),
    ],
)
def test_a_bad_measure_is_told_by_its_place_in_the_file(text, place, message):
    with pytest.raises(BadSetting) as raised:
        measure(text, NAMES, origin="squat.yaml", line=7, column=14)
    assert str(raised.value) == f"squat.yaml, {place}: {message}"
    assert raised.value.hint


@pytest.mark.parametrize(
    ("text", "kind", "share"),
    [
        ("lowest(height(pelvis, ankle))", "lowest", 0.0),
        ("highest(speed(front_wrist))", "highest", 0.0),
        ("falls(height(pelvis, ankle), 0.9)", "falls", 0.9),
        ("rises(knee_angle, 0.1)", "rises", 0.1),
        ("first", "first", 0.0),
        ("last", "last", 0.0),
    ],
)
def test_cues(text, kind, share):
    found = cue(text, NAMES)
    assert (found.text, found.kind, found.share) == (text, kind, share)
    assert found.track(squat(), {"front": "left"}).shape == (98,)


def test_the_track_of_a_cue_is_that_of_its_expression():
    wrist = np.stack([0 * np.arange(9), np.arange(9.0), 0 * np.arange(9)], axis=1)
    np.testing.assert_allclose(
        cue("highest(2 * height(left_wrist))").track(body({"left_wrist": wrist})), 2 * np.arange(9)
    )


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("higest(knee_angle)", 5, "'higest' is no cue"),
        ("knee_angle", 5, "'knee_angle' is no cue"),
        ("1 + 2", 7, "'1 + 2' is no cue"),
        ("lowest", 5, "lowest takes 1 argument, not 0"),
        ("first(knee_angle)", 5, "first takes 0 arguments, not 1"),
        ("falls(knee_angle)", 5, "falls takes 2 arguments, not 1"),
        ("falls(knee_angle, 1.5)", 23, "the share of falls is 1.5, not a number from 0 to 1"),
        ("rises(knee_angle, -1)", 23, "the share of rises is -1, not a number from 0 to 1"),
        ("lowest(max(knee_angle))", 12, "lowest needs a track, and 'max(knee_angle)' is a number"),
        ("lowest(knee_angle - at(knee_angle, standing))", 40, "no key point is called 'standing'"),
        ("lowest(back_knee_angle)", 12, "no side is called 'back', in 'back_knee_angle'"),
    ],
)
def test_a_bad_cue_is_told_by_its_place_in_the_file(text, column, message):
    with pytest.raises(BadSetting) as raised:
        cue(text, NAMES, origin="squat.yaml", line=3, column=5)
    assert str(raised.value) == f"squat.yaml, line 3, column {column}: {message}"
    assert raised.value.hint
