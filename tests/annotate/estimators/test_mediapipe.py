import numpy as np
import pytest

from posediff.annotate.estimators.mediapipe import MARGIN, MediaPipe, make
from posediff.annotate.settings import Settings
from posediff.errors import BadSetting, PosediffError
from tests.fixtures.data import data_root

pytest.importorskip("mediapipe")

GOLFER = np.array([[120.0, 150, 230, 480]])


@pytest.fixture(scope="module")
def golf():
    av = pytest.importorskip("av")
    with av.open(str(data_root("video", "golf_swing.mp4"))) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24")


@pytest.fixture(scope="module")
def estimator():
    with MediaPipe() as made:
        yield made


def test_poses_agree_with_mediapipes_own_solution(golf, estimator):
    import mediapipe

    with mediapipe.solutions.pose.Pose(static_image_mode=True) as solution:
        landmarks = solution.process(golf).pose_landmarks.landmark
    truth = np.array([(point.x, point.y) for point in landmarks]) * [golf.shape[1], golf.shape[0]]
    pose = estimator.estimate(golf, GOLFER, np.array([30.0])).keypoints[0]
    assert np.linalg.norm(pose - truth, axis=1).mean() < 0.03 * np.ptp(truth[:, 1])


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_picture_with_its_angle_gives_the_turned_pose(golf, estimator, quarters):
    upright = estimator.estimate(golf, GOLFER, np.zeros(1))
    turned, box, pose = golf, GOLFER[0], upright.keypoints[0]
    for _ in range(quarters):  # clockwise: what was at (x, y) comes to (height - 1 - y, x)
        height = turned.shape[0]
        box = np.array([height - 1 - box[3], box[0], height - 1 - box[1], box[2]])
        pose = np.stack([height - 1 - pose[:, 1], pose[:, 0]], axis=1)
        turned = np.rot90(turned, -1)
    seen = estimator.estimate(turned, box[None], np.array([90.0 * quarters]))
    np.testing.assert_allclose(seen.keypoints[0], pose, atol=3)
    np.testing.assert_allclose(seen.scores, upright.scores, atol=0.2)


def test_a_moved_picture_gives_the_moved_pose(golf, estimator):
    pose = estimator.estimate(golf, GOLFER, np.zeros(1)).keypoints[0]
    wide = np.pad(golf, ((0, 0), (200, 100), (0, 0)), mode="edge")
    moved = estimator.estimate(wide, GOLFER + np.array([200, 0, 200, 0]), np.zeros(1)).keypoints[0]
    np.testing.assert_allclose(moved, pose + np.array([200, 0]), atol=1.5)


def test_the_same_picture_gives_the_same_pose_whatever_came_before(golf, estimator):
    first = estimator.estimate(golf, GOLFER, np.zeros(1))
    estimator.estimate(golf[:, ::-1], GOLFER - 30, np.array([40.0]))
    again = estimator.estimate(golf, GOLFER, np.zeros(1))
    np.testing.assert_array_equal(first.keypoints, again.keypoints)
    np.testing.assert_array_equal(first.scores, again.scores)


def test_nobody_is_seen_where_there_is_nobody_and_in_boxes_without_area(golf, estimator):
    boxes = np.array([[0.0, 0, 60, 60], [5, 5, 5, 9], [np.nan] * 4, GOLFER[0]])
    poses, certain = estimator.appraise(golf, boxes, np.zeros(4), np.full(4, np.nan))
    assert np.isnan(poses.keypoints[:3]).all()
    assert (poses.scores[:3] == 0).all()
    assert np.isfinite(poses.keypoints[3]).all()
    assert certain[3] > 0.9
    assert (certain[:3] < 0.5).all()


def test_a_trunk_longer_than_the_box_suggests_widens_the_crop(golf, estimator):
    """A box around the chest alone is enough for the whole pose if the trunk's length is known."""
    whole = estimator.estimate(golf, GOLFER, np.zeros(1)).keypoints[0]
    chest = np.array([[110.0, 250, 220, 370]])
    trunk = np.array([np.linalg.norm(whole[[11, 12]].mean(axis=0) - whole[[23, 24]].mean(axis=0))])
    poses, _ = estimator.appraise(golf, chest, np.zeros(1), trunk)
    assert np.linalg.norm(poses.keypoints[0] - whole, axis=1).mean() < 15


def test_no_boxes_are_no_poses(golf, estimator):
    poses = estimator.estimate(golf, np.empty((0, 4)), np.empty(0))
    assert poses.keypoints.shape == (0, 33, 2)


def test_the_provenance_names_the_model(estimator):
    assert estimator.provenance["pose"] == "mediapipe"
    assert estimator.provenance["weights"] == "pose_landmark_full.tflite"
    assert len(estimator.provenance["sha256"]) == 64


def test_a_closed_estimator_says_so(golf):
    estimator = MediaPipe()
    estimator.close()
    estimator.close()
    with pytest.raises(PosediffError, match="closed"):
        estimator.estimate(golf, GOLFER, np.zeros(1))


def test_settings_decide_the_threads_and_cannot_name_weights():
    with make(Settings(threads=2)) as made:
        assert made.margin == MARGIN
    with pytest.raises(BadSetting, match="takes no weights"):
        make(Settings(weights="mine.tflite"))
    with pytest.raises(BadSetting, match="threads is -1"):
        MediaPipe(threads=-1)


@pytest.mark.parametrize("setting", [{"weights": "a.tflite"}, {"config": "a.py"}, {"device": "cuda"}])
def test_what_it_has_no_use_for_is_refused(setting):
    with pytest.raises(BadSetting, match="mediapipe"):
        make(Settings(**setting))
