import numpy as np
import pytest

from posediff.annotate.estimators.feedback import GROWTH, next_box
from posediff.annotate.estimators.mediapipe import MediaPipe
from posediff.annotate.estimators.memory import NEW, following, forgetting
from posediff.annotate.estimators.orientation import Oriented
from posediff.skeletons import COCO17
from tests.annotate.estimators.actors import body, box_around
from tests.fixtures.data import data_root

TRACKED = np.array([60.0, 40, 150, 160])


def walking(frames, certain=0.9):
    memory = NEW
    for frame in range(frames):
        memory = following(memory, body(0, (100 + 5.0 * frame, 100)), np.ones(17), certain, COCO17)
    return memory


@pytest.mark.parametrize("age", [0, 1])
def test_the_next_box_is_the_grown_one_of_the_pose_moved_on(age):
    memory = walking(3)
    for _ in range(age):
        memory = forgetting(memory)
    truth = box_around(body(0, (115 + 5.0 * age, 100)))
    half, centre = (truth[2:] - truth[:2]) / 2 * GROWTH, (truth[2:] + truth[:2]) / 2
    np.testing.assert_allclose(next_box(memory, TRACKED), [*(centre - half), *(centre + half)], atol=1e-3)


def test_the_tracked_box_stays_where_there_is_no_pose_to_trust():
    old = walking(3)
    for _ in range(3):
        old = forgetting(old)
    for memory in (NEW, walking(3, certain=0.3), old):
        np.testing.assert_array_equal(next_box(memory, TRACKED), TRACKED)


def test_a_pose_far_from_the_track_is_somebody_elses():
    elsewhere = TRACKED + 400
    np.testing.assert_array_equal(next_box(walking(3), elsewhere), elsewhere)


def test_a_real_golfer_is_followed_by_his_poses_alone():
    av = pytest.importorskip("av")
    pytest.importorskip("mediapipe")
    video = data_root("video", "golf_swing.mp4")
    box, memory, missing, heads = np.array([120.0, 150, 230, 480]), NEW, 0, []
    with MediaPipe() as estimator, av.open(str(video)) as container:
        oriented = Oriented(estimator, "trunk")
        for number, frame in enumerate(container.decode(video=0)):
            if number % 3 == 0:
                seen = oriented.estimate(frame.to_ndarray(format="rgb24"), box[None], [memory])
                memory = seen.memories[0]
                box = next_box(memory, box)
                missing += bool(np.isnan(seen.keypoints).any())
                heads.append(seen.keypoints[0, 0])
    assert missing == 0
    assert np.ptp(heads, axis=0).max() < 120  # of a picture 492 high: his head stays about where it is
