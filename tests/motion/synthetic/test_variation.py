import dataclasses
import json

import numpy as np
import pytest

from posediff.errors import BadSetting
from posediff.motion.synthetic import (
    MOVEMENTS,
    VARIATIONS,
    Fault,
    Performer,
    Recording,
    Squat,
    Variation,
    generate,
    varied,
)
from posediff.motion.synthetic.raises import FrontRaise
from posediff.motion.synthetic.variation import apply

TABLE = {
    "deeper": Variation({"depth": 0.05, "lean": 2.0}),
    "lower chest": Variation({"lean": 10.0}),
    "odd knee": Variation(faults=(("left_knee", "bottom", 12.0),)),
    "slow": Variation(tempo={"descent": 0.3, "ascent": -0.1}),
    "slower": Variation(tempo={"descent": 0.2}),
}


def lasts(sequence):
    return {stage.name: (stage.end - stage.start) / sequence.fps for stage in sequence.stages}


def test_parameters_are_added_in_proportion_to_the_amounts():
    movement, faults, tempo = apply(Squat(), TABLE, {"deeper": 2.0, "lower chest": -0.5})
    assert movement == Squat(depth=pytest.approx(0.48), lean=pytest.approx(38 + 4 - 5))
    assert (faults, tempo) == ((), {})


def test_faults_and_logarithms_of_durations_are_in_proportion_to_the_amounts():
    _, faults, tempo = apply(Squat(), TABLE, {"odd knee": -1.5, "slow": 2.0, "slower": -1.0})
    assert faults == (Fault("left_knee", -18.0, "bottom"),)
    assert tempo == pytest.approx({"descent": np.exp(0.4), "ascent": np.exp(-0.2)})


def test_an_amount_of_nothing_changes_nothing():
    movement, faults, tempo = apply(Squat(lean=30.0), TABLE, dict.fromkeys(TABLE, 0.0))
    assert (movement, faults) == (Squat(lean=30.0), ())
    assert set(tempo.values()) == {1.0}


def test_an_unknown_variation_is_refused_with_the_choices():
    with pytest.raises(BadSetting, match="'deepr'") as error:
        apply(Squat(), TABLE, {"deepr": 1.0})
    assert "deeper" in error.value.hint


@pytest.mark.parametrize("name", MOVEMENTS)
def test_a_movement_without_variations_is_the_movement(name):
    settings = {"performer": Performer(1.6), "recording": Recording(noise=0.01, tempo={}), "seed": 3}
    one, other = generate(name, **settings), varied(name, {}, **settings)
    np.testing.assert_array_equal(one.keypoints, other.keypoints)
    assert one.stages == other.stages


@pytest.mark.parametrize("name", VARIATIONS)
def test_every_variation_of_a_movement_can_be_made_in_either_direction(name):
    plain = varied(name, {}, recording=Recording(fps=10))
    for one in VARIATIONS[name]:
        for amount in (-2.0, 2.0):
            changed = varied(name, {one: amount}, recording=Recording(fps=10))
            assert np.isfinite(changed.keypoints).all()
            assert len(changed) != len(plain) or np.abs(changed.keypoints - plain.keypoints).max() > 0.005


def test_a_pattern_of_its_own_is_varied_from_there():
    pattern = Squat(depth=0.3)
    deeper = apply(pattern, VARIATIONS["squat"], {"depth": 1.0})[0]
    made = varied(pattern, {"depth": 1.0})
    np.testing.assert_array_equal(made.keypoints, generate(deeper).keypoints)


def test_variations_of_tempo_multiply_the_tempo_of_the_recording():
    recording = Recording(fps=100, tempo={"descent": 1.5, "bottom": 2.0})
    plain, slower, faster = (
        lasts(varied("squat", {"slower_descent": amount}, recording=recording)) for amount in (0.0, 1.0, -1.0)
    )
    assert slower["descent"] * faster["descent"] == pytest.approx(plain["descent"] ** 2, rel=0.02)
    assert slower["descent"] > 1.2 * plain["descent"]
    assert slower["bottom"] == pytest.approx(plain["bottom"], abs=0.011)


def test_the_provenance_makes_the_varied_performance_again():
    made = varied("swing", {"hip_turn": 1.0, "slower_backswing": -1.0}, recording=Recording(noise=0.01), seed=4)
    told = json.loads(json.dumps(dict(made.source)))
    again = generate(
        MOVEMENTS[told["movement"].pop("name")](**told["movement"]),
        recording=Recording(**told["recording"]),
        seed=told["seed"],
    )
    np.testing.assert_array_equal(again.keypoints, made.keypoints)


@pytest.mark.parametrize("name", MOVEMENTS)
def test_the_provenance_names_the_movement_and_leaves_out_deviations_of_nothing(name):
    told = generate(name, recording=Recording(fps=10)).source["movement"]
    assert told["name"] == name
    assert MOVEMENTS[name](**{key: value for key, value in told.items() if key != "name"}) == MOVEMENTS[name]()
    assert dataclasses.is_dataclass(MOVEMENTS[name])
    if name == "squat":
        assert set(told) == {"name", "depth", "lean", "stance"}


def test_what_is_zero_against_its_default_is_kept_in_the_provenance():
    plain, still = (generate(movement).source["movement"] for movement in (FrontRaise(), FrontRaise(tremor=0.0)))
    assert still["tremor"] == 0.0
    assert plain["tremor"] != 0.0
