import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from posediff.errors import BadData, BadSetting
from posediff.motion.angles import joint_angles
from posediff.motion.normalize import mirrored, normalize, root_track, rotate, rotation_between, torso_length
from posediff.sequence import PoseSequence
from posediff.skeletons import BODY25, COCO17, MPII16
from tests.fixtures.sequences import moved, point, standing, with_missing


def walking(frames=10, speed=0.3, **options):
    """A person who glides along x without moving a limb."""
    person = standing(frames=frames, **options)
    along = speed * np.arange(frames)[:, None, None] * np.eye(person.dimensions)[0]
    return person.replace(keypoints=person.keypoints + along)


@pytest.mark.parametrize("dimensions", [2, 3])
@given(shift=st.floats(-500, 500), scale=st.floats(0.5, 300))
@settings(max_examples=15, deadline=None)
def test_where_and_how_large_a_body_is_does_not_matter(dimensions, shift, scale):
    person = walking(dimensions=dimensions)
    elsewhere = person.replace(keypoints=person.keypoints * scale + shift)
    np.testing.assert_allclose(
        normalize(elsewhere).keypoints, normalize(person).keypoints, atol=2e-6 * (2 + abs(shift) / scale)
    )


def test_the_root_is_at_the_origin_and_the_torso_is_one_long():
    normal = normalize(walking(units="cm").replace(keypoints=walking().keypoints * 52.0))
    np.testing.assert_allclose(normal.joint("pelvis"), 0, atol=1e-6)
    assert torso_length(normal) == pytest.approx(1.0)
    assert normal.units == "normalized"


def test_centre_and_scale_can_be_left_out():
    person = walking(units="m")
    assert normalize(person, scale=False).units == "m"
    np.testing.assert_allclose(normalize(person, centre=False).keypoints, person.keypoints, rtol=1e-6)


def test_what_is_in_pixels_of_the_image_is_dropped():
    person = standing(dimensions=2, image_size=(640, 480), boxes=np.array([[0, 0, 9, 9]]))
    assert normalize(person).boxes is None
    assert normalize(person).image_size is None


def test_the_y_axis_keeps_its_direction():
    assert normalize(standing(dimensions=2)).joint("head_top")[0, 1] < 0
    assert normalize(standing(dimensions=3)).joint("head_top")[0, 1] > 0


def test_a_missing_root_is_interpolated_over_time_and_held_at_the_ends():
    person = with_missing(walking(), frames=[0, 4, 5, 9], joints=["pelvis"])
    track = root_track(person)[:, 0]
    np.testing.assert_allclose(track, [0.3, *np.arange(1, 9) * 0.3, 2.4], atol=1e-6)


def test_a_missing_root_is_interpolated_by_frame_number():
    person = with_missing(walking().select(np.array([0, 1, 2, 8, 9])), frames=[2], joints=["pelvis"])
    assert root_track(person)[2, 0] == pytest.approx(0.6, abs=1e-6)


def test_hips_stand_for_a_pelvis_that_the_skeleton_lacks():
    np.testing.assert_allclose(root_track(standing(skeleton=COCO17)), 0, atol=1e-6)


def test_the_shoulders_stand_for_a_root_that_is_never_seen():
    person = with_missing(walking(skeleton=COCO17), frames=range(10), joints=["left_hip"])
    np.testing.assert_allclose(root_track(person)[:, 1], 1.0, atol=1e-6)


def test_no_root_and_no_shoulders_is_an_error_that_names_the_joints():
    person = with_missing(walking(), frames=range(10), joints=["pelvis", "thorax"])
    with pytest.raises(BadData, match="pelvis"):
        normalize(person)


def test_the_torso_in_an_image_is_measured_where_it_is_not_foreshortened():
    person = standing(frames=10, dimensions=2)
    keypoints = person.keypoints.copy()
    keypoints[:6, :, 1] *= 0.4  # leaning towards the camera in 6 of 10 frames
    assert torso_length(person.replace(keypoints=keypoints)) == pytest.approx(1.0, rel=1e-6)


def test_the_torso_in_space_is_robust_against_single_wrong_frames():
    person = standing(frames=10)
    keypoints = person.keypoints.copy()
    keypoints[:4] *= 30.0
    assert torso_length(person.replace(keypoints=keypoints)) == pytest.approx(1.0)


def test_limbs_tell_the_size_where_the_torso_is_never_seen():
    trunk = ["left_shoulder", "right_shoulder"]
    person = with_missing(standing(frames=5, skeleton=COCO17), frames=range(5), joints=trunk)
    # the thigh, 0.85 long and 0.245 of the height, lies between shank and forearm; the torso is 0.288 of the height
    assert torso_length(person) == pytest.approx(0.85 * 0.288 / 0.245, rel=1e-5)


@pytest.mark.parametrize("sequence", [point(np.zeros((5, 2))), standing(frames=3).select(slice(0, 0))])
def test_a_body_without_size_is_an_error_with_a_hint(sequence):
    with pytest.raises(BadData, match="how large") as error:
        torso_length(sequence)
    assert "visible" in error.value.hint


def test_a_body_shrunk_to_a_point_is_an_error():
    person = standing(frames=3)
    with pytest.raises(BadData, match="how large"):
        normalize(person.replace(keypoints=person.keypoints * 0))


@pytest.mark.parametrize("degrees", [0, 25, -100, 180])
def test_upright_turns_the_mean_trunk_to_the_vertical(degrees):
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    person = standing(frames=4, dimensions=2)
    tilted = rotate(person, np.array([[cos, -sin], [sin, cos]]))
    np.testing.assert_allclose(normalize(tilted, rotate="upright").keypoints, person.keypoints, atol=1e-5)


def test_upright_in_space_is_refused():
    with pytest.raises(BadSetting, match="3D"):
        normalize(standing(), rotate="upright")


def test_an_unknown_rotation_is_refused_with_the_choices():
    with pytest.raises(BadSetting, match="'sideways'"):
        normalize(standing(dimensions=2), rotate="sideways")


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_mirror_exchanges_the_angles_of_left_and_right(dimensions):
    person = moved(standing(dimensions=dimensions), "left_ankle", (0.9, 0.1, 0.4)[:dimensions])
    names, here = joint_angles(person)
    _, there = joint_angles(mirrored(person))
    swap = {"left": "right", "right": "left"}
    for column, name in enumerate(names):
        side, _, rest = name.partition("_")
        twin = names.index(f"{swap[side]}_{rest}") if side in swap else column
        sign = -1 if name in ("trunk_rotation",) or (name == "trunk_lean" and dimensions == 2) else 1
        assert there[0, twin] == pytest.approx(sign * here[0, column], abs=1e-3)


@pytest.mark.parametrize("skeleton", [MPII16, COCO17, BODY25])
def test_mirroring_twice_changes_nothing(skeleton):
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(0, 400, (5, len(skeleton.joints), 2))
    scores = rng.random(keypoints.shape[:2])
    boxes = np.array([[10, 20, 110, 220]] * 5)
    person = PoseSequence(keypoints, skeleton, scores=scores, boxes=boxes, image_size=(640, 480))
    twice = mirrored(mirrored(person))
    np.testing.assert_allclose(twice.keypoints, person.keypoints, atol=1e-4)
    np.testing.assert_array_equal(twice.scores, person.scores)
    np.testing.assert_array_equal(twice.boxes, person.boxes)


def test_an_image_is_mirrored_pixel_onto_pixel():
    person = moved(standing(dimensions=2, image_size=(640, 480)), "left_wrist", (0.0, 7.0))
    assert mirrored(person).joint("right_wrist")[0].tolist() == [639.0, 7.0]


@pytest.mark.parametrize("dimensions", [2, 3])
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_a_planted_rotation_is_found_beside_missing_points(dimensions, seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(4, 6, dimensions))
    turn = Rotation.random(random_state=seed).as_matrix()
    if dimensions == 2:
        turn = Rotation.from_euler("z", rng.uniform(-180, 180), degrees=True).as_matrix()[:2, :2]
    turned = points @ turn.T
    turned[1, 2] = np.nan
    np.testing.assert_allclose(rotation_between(points, turned), turn, atol=1e-9)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_the_rotation_is_the_one_that_scipy_finds_for_weighted_noisy_points(seed):
    rng = np.random.default_rng(seed)
    a, b, weights = rng.normal(size=(3, 5, 3)), rng.normal(size=(3, 5, 3)), rng.uniform(0.1, 1, (3, 5))
    expected, _ = Rotation.align_vectors(b.reshape(-1, 3), a.reshape(-1, 3), weights=weights.ravel())
    np.testing.assert_allclose(rotation_between(a, b, weights), expected.as_matrix(), atol=1e-6)


def test_a_rotation_is_never_a_reflection():
    points = np.random.default_rng(0).normal(size=(1, 8, 3))
    assert np.linalg.det(rotation_between(points, points * [-1, 1, 1])) == pytest.approx(1.0)


def test_a_rotation_about_the_vertical_keeps_it():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(3, 8, 3))
    turn = Rotation.from_euler("y", 70, degrees=True).as_matrix()
    found = rotation_between(points, points @ turn.T + rng.normal(0, 0.01, points.shape), vertical=True)
    np.testing.assert_allclose(found, turn, atol=0.01)
    np.testing.assert_array_equal(found[1], [0, 1, 0])


def test_points_that_are_all_missing_give_no_rotation():
    nothing = np.full((2, 3, 3), np.nan)
    np.testing.assert_array_equal(rotation_between(nothing, nothing), np.eye(3))


@pytest.mark.parametrize(
    ("a", "b", "options"),
    [
        (np.zeros((2, 3, 3)), np.zeros((2, 4, 3)), {}),
        (np.zeros((2, 3, 3)), np.zeros((2, 3, 3)), {"weights": np.ones(2)}),
        (np.zeros((2, 3, 2)), np.zeros((2, 3, 2)), {"vertical": True}),
    ],
)
def test_points_that_do_not_belong_together_are_refused(a, b, options):
    with pytest.raises(BadSetting):
        rotation_between(a, b, **options)


@pytest.mark.parametrize("matrix", [np.eye(2), 2 * np.eye(3), np.diag([1.0, 1.0, -1.0]), np.full((3, 3), np.nan)])
def test_only_rotations_rotate(matrix):
    with pytest.raises(BadSetting):
        rotate(standing(), matrix)
