import numpy as np
import pytest

from posediff.compare import Settings
from posediff.compare.prepare import SPARSEST, match, prepare, smoothing_weights
from posediff.errors import BadData
from posediff.motion.normalize import torso_length
from posediff.sequence import PoseSequence
from posediff.skeletons import COCO17, Skeleton
from tests.fixtures.performances import perform, without
from tests.fixtures.sequences import leg, point, standing


def test_a_body_is_root_centred_and_its_torso_is_one():
    body = prepare(perform("dive", zoom=3.0, shift=(5.0, 1.0, 2.0)), Settings())
    np.testing.assert_allclose(body.sequence.joint("pelvis"), 0, atol=1e-6)
    assert torso_length(body.sequence) == pytest.approx(1, rel=1e-5)


def test_the_path_in_the_room_starts_at_zero_and_is_in_torso_lengths():
    small, large = (prepare(perform("dive", zoom=zoom), Settings()).path for zoom in (1.0, 3.0))
    np.testing.assert_allclose(small[0], 0)
    np.testing.assert_allclose(small, large, atol=1e-4)


def test_in_images_there_is_no_path_because_cameras_pan():
    assert not prepare(perform("dive", view="2d"), Settings()).path.any()


@pytest.mark.parametrize("noise", [0.01, 0.03])
def test_the_noise_of_the_keypoints_is_measured(noise):
    found = prepare(perform(noise=noise, seed=1), Settings(smoothing=0.0)).noise
    assert np.median(found) == pytest.approx(noise, rel=0.2)


def test_smoothing_leaves_the_share_of_the_noise_that_it_says():
    white = np.random.default_rng(0).normal(size=(20_000, 2))
    still = standing(frames=len(white), dimensions=2, fps=25.0)
    keypoints = still.keypoints.copy()
    keypoints[:, still.skeleton.index("left_wrist")] += 0.01 * white
    wrist = prepare(still.replace(keypoints=keypoints), Settings()).sequence.joint("left_wrist")
    assert wrist.std(axis=0).mean() == pytest.approx(
        0.01 * np.linalg.norm(smoothing_weights(Settings(), 25.0)), rel=0.05
    )


def test_no_smoothing_leaves_all_noise():
    assert smoothing_weights(Settings(smoothing=0), 25.0) == pytest.approx([1.0])
    assert smoothing_weights(Settings(smoothing=0.1), 25.0) == pytest.approx([1.0])


def test_keypoints_without_confidence_are_missing():
    one = perform()
    scores = np.ones(one.scores.shape)
    scores[:, one.skeleton.index("left_wrist")] = 0
    assert (
        not prepare(one.replace(scores=scores), Settings()).sequence.present[:, one.skeleton.index("left_wrist")].any()
    )


def test_gaps_up_to_the_longest_allowed_are_filled_and_others_count_for_nothing():
    gappy = without(without(perform(), "left_wrist", frames=slice(10, 15)), "right_wrist", frames=slice(10, 40))
    weights = prepare(gappy, Settings()).weights
    assert (weights[10:15, gappy.skeleton.index("left_wrist")] > 0).all()
    assert not weights[10:40, gappy.skeleton.index("right_wrist")].any()


@pytest.mark.parametrize(
    ("sequence", "fault"),
    [
        (perform().select(slice(0, 0)), "no frames"),
        (without(perform()), "every joint is missing"),
        (perform().replace(scores=np.zeros(perform().scores.shape)), "confidence 0"),
        (standing(frames=3, skeleton=COCO17).replace(keypoints=np.zeros((3, 17, 3))), "how large the body is"),
        (point(np.zeros((4, 2))), "how large the body is"),
        (without(perform(), "pelvis", "thorax", "upper_neck"), "root of the body"),
        (perform().select(slice(0, 3)).replace(frames=[0, 1, 3 * SPARSEST]), "only 3 frames"),
    ],
)
def test_what_is_no_body_is_refused_with_the_name_of_the_file_and_a_hint(sequence, fault):
    with pytest.raises(BadData, match=rf"^dir/a\.json: .*{fault}") as error:
        prepare(sequence.replace(source={"path": "dir/a.json"}), Settings())
    assert error.value.hint


def test_frame_numbers_of_every_tenth_frame_are_no_fault():
    sparse = perform("squat", fps=100.0).select(slice(None, None, 10))
    assert len(prepare(sparse, Settings())) == 10 * (len(sparse) - 1) + 1


def test_a_leg_alone_is_measured_by_itself():
    body = prepare(leg(np.linspace(170, 90, 30)), Settings())
    assert "left_knee_angle" in body.measures[0]


def test_images_and_spaces_are_not_compared():
    pair = perform().replace(source={"path": "a.json"}), perform(view="2d")
    with pytest.raises(BadData, match=r"a\.json is 3D and the query 2D") as error:
        match(*pair, Settings())
    assert error.value.hint


def test_3d_asked_for_needs_3d():
    with pytest.raises(BadData, match="3D comparison"):
        match(perform(view="2d"), perform(view="2d"), Settings(view="3d"))


def test_2d_asked_for_drops_the_third_coordinate_and_says_what_it_assumes():
    reference, query, notes = match(perform(), perform(), Settings(view="2d"))
    assert (reference.dimensions, query.dimensions) == (2, 2)
    np.testing.assert_array_equal(reference.keypoints[..., 1], -perform().keypoints[..., 1])
    assert any("same direction" in note for note in notes)


def test_the_query_is_put_on_the_reference_s_skeleton_and_what_it_lacks_is_said():
    reference, query, notes = match(perform(), perform(skeleton="coco17"), Settings())
    assert query.skeleton == reference.skeleton
    assert notes == [
        "The query's skeleton coco17 was converted to mpii16.",
        "The query never shows head_top: nothing that depends on them is compared.",
    ]


def test_skeletons_without_a_joint_in_common_are_refused():
    dog = PoseSequence(np.zeros((5, 1, 2)), Skeleton("dog", ("tail",), ()))
    with pytest.raises(BadData, match="nothing to make these joints"):
        match(perform(view="2d"), dog, Settings())


def test_an_assumed_frame_rate_is_said():
    assumed = perform().replace(source={"fps_assumed": True})
    assert match(perform(), assumed, Settings())[2] == [
        "The query names no frame rate; 25 frames a second are assumed."
    ]
