import json

import numpy as np
import pytest

from posediff.errors import BadSetting
from posediff.motion.synthetic import MOVEMENTS, Fault, Performer, Recording, generate, planted
from posediff.skeletons import CATALOGUE, Skeleton

NOISY = Recording(noise=0.02, drop=0.03)


@pytest.mark.parametrize("skeleton", CATALOGUE)
def test_every_skeleton_of_the_catalogue_can_be_made_whole(skeleton):
    sequence = generate("dive", skeleton=skeleton)
    assert sequence.skeleton.name == skeleton
    assert sequence.present.all()


@pytest.mark.parametrize("skeleton", CATALOGUE)
def test_no_two_joints_of_a_skeleton_fall_together(skeleton):
    points = generate("squat", skeleton=skeleton).keypoints[0]
    apart = np.linalg.norm(points[:, None] - points[None], axis=2) + np.eye(len(points))
    assert apart.min() > 0.005


def test_the_same_seed_gives_the_same_keypoints_and_another_one_others():
    one, same, other = (generate("swing", recording=NOISY, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.keypoints, same.keypoints)
    assert not np.array_equal(one.present, other.present)


def test_the_seed_touches_nothing_but_noise_and_missing_keypoints():
    np.testing.assert_array_equal(generate("swing", seed=1).keypoints, generate("swing", seed=2).keypoints)


def test_the_provenance_makes_the_same_performance_again():
    fault = Fault("left_elbow", 20.0, "backswing")
    made = generate("swing", performer=Performer(1.6), recording=NOISY, faults=[fault], seed=9)
    told = json.loads(json.dumps(dict(made.source)))
    again = generate(
        MOVEMENTS[told["movement"].pop("name")](**told["movement"]),
        performer=Performer(**told["performer"]),
        recording=Recording(**told["recording"]),
        faults=[Fault(**fault) for fault in told["faults"]],
        seed=told["seed"],
    )
    np.testing.assert_array_equal(again.keypoints, made.keypoints)


def test_a_planted_fault_tells_its_angle_direction_size_and_stage():
    truth = planted("squat", Fault("left_knee", 25.0, "bottom"))
    assert (truth.measure, truth.stage, truth.more_in) == ("left_knee_angle", "bottom", "reference")
    assert truth.peak == pytest.approx(25, abs=0.1)
    assert 20 < truth.magnitude < 25
    assert truth.values[0] - truth.values[1] == pytest.approx(truth.magnitude)


def test_a_planted_fault_lasts_as_long_as_its_stage():
    recording = Recording(fps=100, pace=0.8)
    start, end = planted("squat", Fault("right_elbow", 30.0, "descent"), recording=recording).frames
    assert (start, end) == pytest.approx((75, 212.5), abs=2)


def test_a_planted_fault_counts_only_as_far_as_anatomy_lets_it():
    assert planted("dive", Fault("left_elbow", -30.0, "entry")).peak < 10


def test_noise_changes_nothing_about_what_was_planted():
    fault = Fault("left_knee", 25.0, "bottom")
    assert planted("squat", fault, recording=NOISY) == planted("squat", fault)


def test_in_2d_a_planted_fault_counts_as_the_camera_sees_it():
    fault = Fault("left_knee", 25.0, "bottom")
    side, front = (planted("squat", fault, recording=Recording(view="2d", azimuth=a)).peak for a in (0, 80))
    assert side == pytest.approx(25, abs=3)
    assert abs(front - 25) > 3


def test_an_angle_that_the_view_cannot_show_is_refused():
    with pytest.raises(BadSetting, match="trunk_rotation"):
        planted("swing", Fault("trunk_rotation", 20.0, "finish"), recording=Recording(view="2d"))


def test_an_unknown_movement_is_refused_with_the_choices():
    with pytest.raises(BadSetting, match="'cartwheel'") as error:
        generate("cartwheel")
    assert "squat, swing, dive" in error.value.hint


def test_a_skeleton_with_a_joint_that_no_body_has_is_refused():
    with pytest.raises(BadSetting, match="tail"):
        generate("squat", skeleton=Skeleton("cat", ("pelvis", "tail"), ()))
