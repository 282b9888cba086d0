import numpy as np
import pytest

from posediff.language.pairs import grouped
from posediff.report import poses
from posediff.report.style import COLOURS
from posediff.skeletons import COCO17, H36M17, OPENPOSE18
from tests.fixtures.comparisons import comparison, difference, squat


def test_a_row_of_poses_is_drawn_for_each_of_the_first_differences():
    figure = poses.poses(comparison(differences=(difference(),) * 7))
    assert len(figure.subfigs) == poses.MOST
    assert [len(row.axes) for row in figure.subfigs] == [3] * poses.MOST


def test_the_bodies_are_those_at_the_peak_and_marked_bones_are_thick():
    made = comparison(dimensions=2)
    reference, query, both = poses.pose_pair(made, grouped(made.differences)[0]).axes
    thigh = next(line for line in reference.lines if line.get_label() == "left_hip left_knee")
    expected = made.reference.keypoints[20, [H36M17.index("left_hip"), H36M17.index("left_knee")]]
    np.testing.assert_allclose(thigh.get_xydata(), expected * [1, -1])
    thick = {line.get_label() for line in query.lines if line.get_linewidth() > 3}
    assert thick == {"left_hip left_knee", "left_knee left_ankle"}
    assert {line.get_color() for line in both.lines} == set(COLOURS.values())


def test_bones_along_the_way_between_marked_joints_are_marked():
    assert poses.marked_bones(H36M17, ("thorax", "pelvis")) == {("pelvis", "spine"), ("spine", "thorax")}
    assert poses.marked_bones(H36M17, ("left_ankle",)) == {("left_knee", "left_ankle")}
    assert poses.marked_bones(H36M17, ("not_a_joint",)) == set()
    assert ("left_shoulder", "left_hip") in poses.marked_bones(COCO17, ("thorax", "pelvis"))


def moved(joint, shift):
    """A standing body and one in which a joint is moved, in half torso lengths to its left, up and forward."""
    still = squat(3, depth=0)
    keypoints = still.keypoints.copy()
    keypoints[:, H36M17.index(joint)] += 0.5 * np.array(shift)
    return comparison(reference=still, query=still.replace(keypoints=keypoints), segments=())


@pytest.mark.parametrize(
    ("shift", "name"),
    [
        ([1, 0, 0], "from the front"),
        ([0, 0, 1], "from the side"),
        ([1, 0, -1], "from the front left"),
        ([1, 0, 1], "from the front right"),
    ],
)
def test_a_body_is_seen_from_where_the_difference_shows(shift, name):
    moment = poses.Moment(1, 1, (("left_wrist",),), "")
    assert poses.best_view(moved("left_wrist", shift), moment).name == name


def test_a_limb_that_bends_is_seen_at_its_bend_even_where_it_is_moved_across():
    still, bent = squat(3, depth=0), squat(3, depth=0)
    keypoints = bent.keypoints.copy()
    leg = [H36M17.index(f"left_{joint}") for joint in ("hip", "knee", "ankle")]
    keypoints[:, leg, 0] += 0.5
    keypoints[:, leg[1], 2] += 0.2
    made = comparison(reference=still, query=still.replace(keypoints=keypoints), segments=())
    moment = poses.Moment(1, 1, (("left_knee", "left_hip", "left_ankle"),), "")
    assert poses.best_view(made, moment).name == "from the side"


def test_seen_from_the_front_the_left_hand_is_on_the_right():
    view = poses.best_view(moved("left_wrist", [1, 0, 0]), poses.Moment(1, 1, (("left_wrist",),), ""))
    right, up = (view.axes @ direction for direction in ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0]))
    np.testing.assert_allclose((right, up), ([1.0, 0.0], [0.0, 1.0]), atol=1e-6)


def test_seen_from_the_side_the_body_looks_to_the_right():
    view = poses.best_view(moved("left_wrist", [0, 0, 1]), poses.Moment(1, 1, (("left_wrist",),), ""))
    np.testing.assert_allclose(view.axes @ [0, 0, 1], [1, 0], atol=1e-6)


def test_without_differences_the_moment_where_the_bodies_are_least_alike_is_shown():
    made = comparison(differences=())
    (moment,) = poses.moments(made)
    assert moment.reference == int(made.residuals.joints.sum(axis=1).argmax())


def test_both_sides_are_marked_where_both_are_told():
    right = difference(measure="right_knee_angle", joints=("right_knee", "right_hip", "right_ankle"))
    made = comparison(differences=(difference(), right), dimensions=2)
    reference = poses.pose_pair(made, grouped(made.differences)[0]).axes[0]
    thick = {line.get_label() for line in reference.lines if line.get_linewidth() > 3}
    legs = {f"{side}_{bone}" for side in ("left", "right") for bone in ("hip {}_knee", "knee {}_ankle")}
    assert thick == {bone.format(bone.partition("_")[0]) for bone in legs}


def test_the_head_reaches_from_its_top_down():
    points = squat(1).keypoints[0, :, :2].astype(float)
    center, radius = poses.head(H36M17, points)
    top, bottom = (points[H36M17.index(joint)] for joint in ("head_top", "upper_neck"))
    np.testing.assert_allclose(center, (top + bottom) / 2)
    assert 2 * radius == pytest.approx(np.linalg.norm(top - bottom))


def test_the_head_lies_around_the_parts_of_a_face_that_are_seen():
    points = np.full((len(OPENPOSE18.joints), 2), np.nan)
    points[OPENPOSE18.index("left_ear")] = 1.0
    points[OPENPOSE18.index("nose")] = 2.0
    np.testing.assert_allclose(poses.head(OPENPOSE18, points)[0], [1.5, 1.5])


def test_a_head_is_never_cut_off_by_the_frame():
    lying = squat(3, dimensions=2)
    turned = lying.replace(keypoints=lying.keypoints[..., ::-1])
    axes = poses.poses(comparison(reference=turned, query=turned, differences=(), segments=())).subfigs[0].axes[0]
    (disc,) = axes.patches
    center, radius = np.array(disc.center), disc.radius
    for (low, high), place in zip((axes.get_xlim(), axes.get_ylim()), center, strict=True):
        assert low <= place - radius
        assert place + radius <= high


def test_frames_that_are_missing_show_the_next_one():
    still = squat(4, frames=np.array([0, 1, 5, 6]))
    made = comparison(reference=still, query=still, differences=(difference(peak=(3, 6)),), segments=())
    (moment,) = poses.moments(made)
    assert (moment.reference, moment.query) == (2, 3)
