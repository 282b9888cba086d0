import itertools

import numpy as np
import pytest

from posediff.errors import BadSetting
from posediff.motion.synthetic import Performer, Recording, generate

TORSO = 0.288 * 1.75


def lasts(sequence):
    return {stage.name: (stage.end - stage.start) / sequence.fps for stage in sequence.stages}


@pytest.mark.parametrize("pace", [0.6, 1.0, 1.6])
def test_pace_divides_the_duration(pace):
    assert len(generate("squat", recording=Recording(fps=100, pace=pace))) == pytest.approx(390 / pace, abs=1)


def test_frame_rate_changes_the_sampling_and_not_the_motion():
    slow, fast = (generate("swing", recording=Recording(fps=fps)) for fps in (25, 50))
    np.testing.assert_allclose(slow.keypoints, fast.keypoints[::2][: len(slow)], atol=1e-5)


def test_tempo_lengthens_one_stage_and_leaves_the_others():
    plain, slow = (generate("squat", recording=Recording(fps=100, tempo=tempo)) for tempo in ({}, {"descent": 1.5}))
    expected = lasts(plain) | {"descent": 1.5 * lasts(plain)["descent"]}
    assert lasts(slow) == pytest.approx(expected, abs=0.011)


def test_tempo_leaves_the_postures_as_they_are():
    plain, slow = (generate("squat", recording=Recording(fps=100, tempo=tempo)) for tempo in ({}, {"bottom": 2.0}))
    for one, two in zip(plain.stages, slow.stages, strict=True):
        np.testing.assert_allclose(plain.keypoints[one.start], slow.keypoints[two.start], atol=0.02)


@pytest.mark.parametrize("movement", ["squat", "swing", "dive"])
@pytest.mark.parametrize("fps", [12.0, 29.97])
def test_stages_follow_one_another_from_the_first_frame_to_the_last(movement, fps):
    sequence = generate(movement, recording=Recording(fps=fps, pace=1.37))
    limits = [stage.start for stage in sequence.stages] + [len(sequence)]
    assert limits[0] == 0
    assert [(stage.start, stage.end) for stage in sequence.stages] == list(itertools.pairwise(limits))


@pytest.mark.parametrize(("view", "scale"), [("3d", 1.0), ("2d", 480 / 2.4)])
def test_noise_has_the_standard_deviation_asked_for(view, scale):
    clean, noisy = (generate("squat", recording=Recording(fps=100, view=view, noise=n)) for n in (0, 0.02))
    error = noisy.keypoints - clean.keypoints
    assert error.std() == pytest.approx(0.02 * TORSO * scale, rel=0.03)
    assert error.mean() == pytest.approx(0, abs=0.02 * TORSO * scale / 20)


def test_as_many_keypoints_are_missing_as_asked_for():
    sequence = generate("squat", recording=Recording(fps=100, drop=0.05))
    assert 1 - sequence.present.mean() == pytest.approx(0.05, abs=0.01)


def test_a_picture_from_the_side_is_forward_and_height_in_pixels_with_y_down():
    solid, flat = (generate("squat", recording=Recording(view=view)) for view in ("3d", "2d"))
    forward, height = solid.keypoints[..., 0], solid.keypoints[..., 1]
    expected = np.stack([320 + 200 * (forward - 0.1), 240 - 200 * (height - 0.95)], axis=2)
    np.testing.assert_allclose(flat.keypoints, expected, atol=1e-3)
    assert (flat.units, flat.image_size, solid.units, solid.image_size) == ("px", (640, 480), "m", None)


def test_a_camera_in_front_sees_the_performers_left_on_the_right():
    sequence = generate("squat", recording=Recording(view="2d", azimuth=90))
    assert (sequence.joint("left_hip")[:, 0] > sequence.joint("right_hip")[:, 0] + 20).all()


def test_in_3d_the_azimuth_turns_the_body_about_the_vertical():
    straight, turned = (generate("dive", recording=Recording(azimuth=azimuth)).keypoints for azimuth in (0, 70))
    np.testing.assert_allclose(turned[..., 1], straight[..., 1], atol=1e-6)
    across = np.hypot(straight[..., 0], straight[..., 2])
    np.testing.assert_allclose(np.hypot(turned[..., 0], turned[..., 2]), across, atol=1e-5)
    assert np.abs(turned - straight).max() > 0.5


@pytest.mark.parametrize(("view", "shift"), [("2d", (30.0, -12.0)), ("3d", (1.0, 2.0, -3.0))])
def test_the_shift_moves_every_keypoint(view, shift):
    plain, moved = (generate("squat", recording=Recording(view=view, shift=s)).keypoints for s in ((), shift))
    np.testing.assert_allclose(moved - plain, np.broadcast_to(shift, plain.shape), atol=1e-4)


@pytest.mark.parametrize("view", ["2d", "3d"])
def test_zoom_scales_the_distances_between_joints(view):
    plain, near = (generate("squat", recording=Recording(view=view, zoom=zoom)) for zoom in (1.0, 1.5))
    spans = [np.linalg.norm(s.joint("thorax") - s.joint("pelvis"), axis=1) for s in (plain, near)]
    np.testing.assert_allclose(spans[1], 1.5 * spans[0], rtol=1e-4)


def test_a_taller_performer_looks_taller():
    spans = [np.ptp(generate("squat", performer=Performer(h)).keypoints[0, :, 1]) for h in (1.6, 1.92)]
    assert spans[1] == pytest.approx(1.2 * spans[0], rel=1e-4)


@pytest.mark.parametrize(
    "settings",
    [{"fps": 0}, {"pace": -1}, {"view": "side"}, {"noise": -0.1}, {"drop": 1.0}, {"shift": (1.0,)}, {"zoom": 0.0}],
)
def test_an_impossible_recording_is_refused(settings):
    with pytest.raises(BadSetting, match=next(iter(settings))):
        Recording(**settings)


def test_tempo_of_a_stage_that_is_not_there_is_refused():
    with pytest.raises(BadSetting, match="flight"):
        generate("squat", recording=Recording(tempo={"flight": 2.0}))
