import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.datasets.poses import interpolated, origin, posed, resampled
from posediff.errors import BadData
from posediff.sequence import PoseSequence
from posediff.skeletons import COCO17, MPII16, Skeleton

#: A torso of one bone, with a hand.
STICK = Skeleton("stick", ("pelvis", "thorax", "left_wrist"), (("pelvis", "thorax"), ("thorax", "left_wrist")))


def moving(numbers, velocity=(2.0, -3.0), **more):
    """A stick with a torso of 10 px, upright in the image, that moves on by the velocity with every frame number."""
    numbers = np.asarray(numbers)
    body = np.array([[100.0, 200], [100, 190], [104, 195]])
    return PoseSequence(body + numbers[:, None, None] * np.array(velocity), STICK, frames=numbers, **more)


def test_constant_velocity_is_resampled_exactly():
    sequence = moving(np.arange(5, 36))
    points, confidence = resampled(sequence, 77)
    np.testing.assert_allclose(
        points, moving(np.zeros(1, int)).keypoints + np.linspace(5, 35, 77)[:, None, None] * [2, -3], atol=1e-4
    )
    assert (confidence == 1).all()


def test_as_many_moments_as_frames_are_the_frames_themselves():
    rng = np.random.default_rng(0)
    sequence = PoseSequence(rng.normal(size=(96, 3, 2)), STICK, scores=rng.uniform(0.1, 1, (96, 3)))
    points, confidence = resampled(sequence, 96)
    np.testing.assert_array_equal(points, sequence.keypoints)
    np.testing.assert_array_equal(confidence, sequence.scores)


def test_a_moment_between_two_frames_lacks_what_either_lacks():
    keypoints = moving(np.arange(4)).keypoints.copy()
    keypoints[2, 1] = np.nan
    points, confidence = resampled(PoseSequence(keypoints, STICK), 7)  # at 0, 0.5, 1, 1.5 ... 3
    assert confidence[:, 1].tolist() == [1, 1, 1, 0, 0, 0, 1]
    assert (points[3:6, 1] == 0).all()
    assert (confidence[:, [0, 2]] == 1).all()


def test_a_hole_in_the_numbering_is_a_time_without_keypoints():
    points, confidence = resampled(moving([0, 1, 2, 3, 8, 9, 10]), 21)
    seen = np.linspace(0, 10, 21)
    assert ((confidence > 0).all(axis=1) == ((seen <= 3) | (seen >= 8))).all()
    np.testing.assert_allclose(points[-1], moving([10]).keypoints[0])


def test_every_fourth_frame_is_no_row_of_holes():
    points, confidence = resampled(moving([0, 4, 8, 12]), 13)
    assert (confidence == 1).all()
    np.testing.assert_allclose(points, moving(np.arange(13)).keypoints, atol=1e-4)


def test_confidence_is_interpolated_and_0_counts_as_missing():
    sequence = moving([0, 1, 2], scores=np.array([[0.2, 1, 1], [0.6, 0, 1], [1.0, 1, 1]]))
    points, confidence = resampled(sequence, 5)
    np.testing.assert_allclose(confidence[:, 0], [0.2, 0.4, 0.6, 0.8, 1.0], rtol=1e-6)
    assert confidence[:, 1].tolist() == [1, 0, 0, 0, 1]
    assert (points[1:4, 1] == 0).all()


def test_a_single_frame_stands_still():
    points, confidence = resampled(moving([7]), 4)
    np.testing.assert_allclose(points, np.repeat(moving([7]).keypoints, 4, axis=0))
    assert (confidence == 1).all()


@given(
    present=st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=12),
    steps=st.lists(st.integers(1, 5), min_size=12, max_size=12),
    frames=st.integers(2, 40),
)
def test_resampling_agrees_with_a_loop_over_moments(present, steps, frames):
    numbers = np.cumsum(steps[: len(present)])
    keypoints = np.where(np.array(present)[..., None], moving(numbers, (1.5, 0.25)).keypoints, np.nan)
    sequence = PoseSequence(keypoints, STICK, frames=numbers)
    points, confidence = resampled(sequence, frames)
    row_of = {int(number): row for row, number in enumerate(numbers)}
    usual = np.median(np.diff(numbers)) if len(numbers) > 1 else 1
    for at, moment in enumerate(np.linspace(numbers[0], numbers[-1], frames)):
        whole = round(moment)
        if abs(moment - whole) < 1e-9 and whole in row_of:
            around = [row_of[whole]]
        else:
            before = max(row for row, number in enumerate(numbers) if number < moment)
            around = [before, before + 1] if numbers[before + 1] - numbers[before] <= 1.5 * usual else []
        for joint in range(3):
            seen = bool(around) and all(present[row][joint] for row in around)
            assert confidence[at, joint] == seen
            expected = np.array([[100.0, 200], [100, 190], [104, 195]])[joint] + moment * np.array([1.5, 0.25])
            np.testing.assert_allclose(points[at, joint], expected if seen else [0, 0], atol=1e-3)


def test_the_root_is_put_at_the_origin_and_y_points_upwards():
    points, confidence, unit = posed(moving(np.arange(20)), STICK, frames=10)
    np.testing.assert_allclose(points, np.tile([[0, 0], [0, 1], [0.4, 0.5]], (10, 1, 1)), atol=1e-5)
    assert (unit, confidence.min()) == (pytest.approx(10), 1)


def test_the_way_of_the_body_is_kept_from_its_start():
    points, _, _ = posed(moving(np.arange(20), (2, -3)), STICK, frames=20, centre="start")
    # The origin is the mean root of the frames 0 and 1; up is where the body goes, in torso lengths of 10 px.
    np.testing.assert_allclose(points[:, 0], (np.arange(20) - 0.5)[:, None] * [0.2, 0.3], atol=1e-5)


def test_coordinates_of_the_file_count_from_the_middle_of_the_image():
    sequence = moving(np.arange(3), (0, 0), image_size=(201, 301))
    points, _, unit = posed(sequence, STICK, frames=3, centre="none", scale="none")
    np.testing.assert_allclose(points[0], [[0, -50], [0, -40], [4, -45]])
    assert unit == 1
    points, _, _ = posed(sequence.replace(image_size=None), STICK, frames=3, centre="none", scale="none", unit=2)
    np.testing.assert_allclose(points[0], [[50, -100], [50, -95], [52, -97.5]])


def test_in_3d_y_is_up_already():
    keypoints = np.tile([[1.0, 1, 1], [1, 1.5, 1], [1.1, 1.2, 1.3]], (4, 1, 1))
    points, _, _ = posed(PoseSequence(keypoints, STICK, units="m"), STICK, frames=2)
    np.testing.assert_allclose(points, np.tile([[0, 0, 0], [0, 1, 0], [0.2, 0.4, 0.6]], (2, 1, 1)), atol=1e-6)


@pytest.mark.parametrize("centre", ["root", "start"])
def test_where_the_root_is_missing_it_is_interpolated(centre):
    full = moving(np.arange(21))
    keypoints = full.keypoints.copy()
    keypoints[[0, 9, 10], 0] = np.nan
    lacking = posed(PoseSequence(keypoints, STICK), STICK, frames=21, centre="root")
    complete = posed(full, STICK, frames=21, centre="root")
    assert lacking.confidence[[0, 9, 10], 0].tolist() == [0, 0, 0]
    np.testing.assert_allclose(lacking.points[1:, 1:], complete.points[1:, 1:], atol=1e-5)
    assert np.isfinite(posed(PoseSequence(keypoints, STICK), STICK, frames=5, centre=centre).points).all()


def test_joints_that_the_clip_lacks_are_missing():
    sequence = PoseSequence(np.random.default_rng(1).normal(size=(5, 17, 2)), COCO17)
    points, confidence, _ = posed(sequence, MPII16, frames=5)
    lacking = [MPII16.joints[joint] for joint in np.flatnonzero((confidence == 0).all(axis=0))]
    assert lacking == ["head_top"]
    assert (points[:, MPII16.index("head_top")] == 0).all()


@pytest.mark.parametrize(
    ("visible", "reason"),
    [([], "no frame shows a keypoint"), ([2], "how large the body is"), ([0], "how large the body is")],
)
def test_a_clip_that_does_not_show_enough_is_refused(visible, reason):
    keypoints = moving(np.arange(4)).keypoints.copy()
    keypoints[:, [joint for joint in range(3) if joint not in visible]] = np.nan
    with pytest.raises(BadData, match=reason):
        posed(PoseSequence(keypoints, STICK), STICK, frames=4)


def test_a_network_is_not_asked_about_one_frame():
    full = moving(np.arange(6))
    hidden = full.keypoints.copy()
    hidden[[0, 1, 3, 4, 5]] = np.nan
    unsure = np.zeros((6, 3))
    unsure[2] = 1
    elsewhere = np.full((6, 17, 2), np.nan)  # only eyes, which MPII lacks
    elsewhere[:, COCO17.index("left_eye")] = 1.0
    for sequence, skeleton, count in (
        (moving([7]), STICK, "only one"),
        (PoseSequence(hidden, STICK), STICK, "only one"),
        (full.replace(scores=unsure), STICK, "only one"),
        (PoseSequence(elsewhere, COCO17), MPII16, "no"),
    ):
        with pytest.raises(BadData, match=f"^{count} frame shows a keypoint"):
            posed(sequence, skeleton, frames=4, centre="none", scale="none")
    hidden[5] = full.keypoints[5]
    assert posed(PoseSequence(hidden, STICK), STICK, frames=6).confidence.any(axis=1).tolist() == [0, 0, 1, 0, 0, 1]


def test_the_origin_of_every_frame_is_the_root():
    sequence = moving(np.arange(6))
    np.testing.assert_allclose(origin(sequence, "root")[:, 0], sequence.keypoints[:, 0])


def test_rounding_errors_do_not_ask_for_a_neighbour():
    points, confidence = np.ones((1, 3, 1, 2), np.float32), np.float32([[[0], [1], [0]]])
    places, sure = interpolated(points, confidence, np.array([[1 - 1e-9, 1, 1 + 1e-9, 1.1]]))
    assert sure[0, :, 0].tolist() == [1, 1, 1, 0]
    assert places[0, :, 0, 0].tolist() == [1, 1, 1, 0]


def test_between_frames_of_a_batch_each_clip_has_its_own_moments():
    rng = np.random.default_rng(2)
    points = rng.normal(size=(3, 5, 4, 3)).astype(np.float32)
    confidence = (rng.random((3, 5, 4)) < 0.7).astype(np.float32)
    points *= confidence[..., None]
    moments = rng.uniform(0, 4, (3, 8))
    moments[:, 0] = 4
    places, sure = interpolated(points, confidence, moments)
    for clip, at in np.ndindex(3, 8):
        for joint in range(4):
            rows = sorted({int(np.floor(moments[clip, at])), int(np.ceil(moments[clip, at]))})
            if confidence[clip, rows, joint].all():
                expected = [np.interp(moments[clip, at], range(5), points[clip, :, joint, axis]) for axis in range(3)]
                np.testing.assert_allclose(places[clip, at, joint], expected, atol=1e-5)
                assert sure[clip, at, joint] == 1
            else:
                assert not places[clip, at, joint].any()
                assert sure[clip, at, joint] == 0
