import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from posediff.errors import BadData, BadSetting
from posediff.sequence import UNITS, PoseSequence, Stage, Status, people_named
from posediff.skeletons import CATALOGUE, COCO17, MPII16, OPENPOSE18, Skeleton
from tests.fixtures.sequences import LEG, leg, point, standing, straight_line, with_missing

ARM = Skeleton("arm", ("left_elbow", "left_wrist"), (("left_elbow", "left_wrist"),))


def arm(count: int = 4, **attributes: Any) -> PoseSequence:
    """Two joints over some frames; coordinates count up from 1."""
    return PoseSequence(np.arange(1, 4 * count + 1).reshape(count, 2, 2), ARM, **attributes)


# Defaults


def test_defaults_describe_keypoints_that_were_all_measured():
    made = arm(count=3)
    assert (made.scores == 1).all()
    assert (made.status == Status.MEASURED).all()
    assert made.frames.tolist() == [0, 1, 2]
    assert (made.boxes, made.image_size, made.units, made.stages, made.person) == (None, None, "px", (), 0)


def test_arrays_have_the_documented_types():
    made = arm(boxes=np.zeros((4, 4)), scores=np.ones((4, 2), int), status=np.ones((4, 2), int), frames=[5, 6, 7, 8])
    kinds = {name: str(getattr(made, name).dtype) for name in ("keypoints", "scores", "boxes", "status", "frames")}
    assert kinds == {
        "keypoints": "float32",
        "scores": "float32",
        "boxes": "float32",
        "status": "uint8",
        "frames": "int64",
    }


def test_a_sequence_may_have_no_frames():
    made = PoseSequence(np.zeros((0, 2, 3)), ARM, boxes=np.zeros((0, 4)))
    assert (len(made), made.dimensions, made.frames.tolist()) == (0, 3, [])


def test_times_are_the_video_s():
    assert point(np.zeros((3, 2)), fps=50, frames=[10, 11, 20]).times.tolist() == [0.2, 0.22, 0.4]


# What is missing


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_keypoint_that_lacks_one_coordinate_is_missing_whole(axis):
    keypoints = np.ones((2, 2, 3))
    keypoints[1, 0, axis] = np.nan
    made = PoseSequence(keypoints, ARM)
    assert np.isnan(made.keypoints[1, 0]).all()
    assert made.present.tolist() == [[True, True], [False, True]]


def test_what_is_missing_has_no_confidence_and_no_other_status():
    keypoints = np.ones((2, 2, 2))
    keypoints[0, 0] = np.nan
    made = PoseSequence(keypoints, ARM, scores=np.full((2, 2), 0.5), status=np.full((2, 2), Status.VERIFIED))
    assert made.scores.tolist() == [[0, 0.5], [0.5, 0.5]]
    assert made.status.tolist() == [[Status.MISSING, Status.VERIFIED], [Status.VERIFIED, Status.VERIFIED]]


def test_the_confidence_of_what_is_missing_may_be_anything():
    made = PoseSequence(np.full((1, 2, 2), np.nan), ARM, scores=[[-7.0, np.inf]])
    assert made.scores.tolist() == [[0, 0]]


def test_a_keypoint_that_is_there_is_measured_whatever_its_status_says():
    assert (arm(status=np.zeros((4, 2))).status == Status.MEASURED).all()


def test_a_confidence_that_is_not_known_is_none():
    assert arm(count=1, scores=[[np.nan, 0.25]]).scores.tolist() == [[0, 0.25]]


@given(arrays(np.float64, (3, 2, 2), elements=st.floats(-1e6, 1e6) | st.just(np.nan)))
def test_presence_status_and_confidence_agree(keypoints):
    made = PoseSequence(keypoints, ARM)
    present = ~np.isnan(keypoints).any(axis=2)
    np.testing.assert_array_equal(made.present, present)
    np.testing.assert_array_equal(made.scores, present)
    np.testing.assert_array_equal(np.isfinite(made.keypoints), np.repeat(present[..., None], 2, axis=2))


# What is refused


@pytest.mark.parametrize("shape", [(4,), (4, 2), (4, 3, 2), (4, 2, 1), (4, 2, 4), (1, 4, 2, 2)])
def test_keypoints_of_another_shape_are_refused(shape):
    with pytest.raises(BadData, match=r"expected \(frames, 2, 2 or 3\) for arm") as error:
        PoseSequence(np.zeros(shape), ARM)
    assert str(shape) in str(error.value)


@pytest.mark.parametrize(
    "keypoints", [[[[1, 2], [3]]], "points", [[["a", "b"], ["c", "d"]]], None, {"x": 1}, [[[1, {}], [2, 3]]]]
)
def test_what_is_no_array_of_numbers_is_refused(keypoints):
    with pytest.raises(BadData):
        PoseSequence(keypoints, ARM)


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e39, -1e300])
def test_infinite_keypoints_and_those_too_large_to_hold_are_named(value):
    keypoints = np.ones((4, 2, 2))
    keypoints[2, 1, 0] = value
    with pytest.raises(BadData, match=r"infinite in frame 2 left_wrist$"):
        PoseSequence(keypoints, ARM)


def test_only_the_first_infinite_keypoints_are_named_and_the_others_counted():
    with pytest.raises(BadData, match=r"frame 0 left_elbow, frame 0 left_wrist, frame 1 left_elbow and 5 more$"):
        PoseSequence(np.full((4, 2, 2), np.inf), ARM)


def test_the_largest_numbers_that_can_be_held_are_kept():
    assert PoseSequence(np.full((1, 2, 2), 3e38), ARM).keypoints.max() == np.float32(3e38)


def test_all_wrong_shapes_are_told_at_once():
    wrong = {"scores": np.ones((4, 3)), "status": np.ones(4), "frames": np.arange(3), "boxes": np.ones((4, 2))}
    with pytest.raises(BadData) as error:
        arm(**wrong)
    for name, value in wrong.items():
        assert f"{name} have shape {value.shape}" in str(error.value)


def test_all_wrong_values_are_told_at_once():
    with pytest.raises(BadData) as error:
        arm(
            scores=np.full((4, 2), 1.5),
            status=np.full((4, 2), 9),
            frames=[0, 2, 1, 3],
            fps=-1,
            units="inches",
            image_size=(0, 5),
            stages=(Stage("flight", 3, 3),),
        )
    told = ("scores lie between 1.5 and 1.5", "status holds 9", "frames do not increase", "fps is -1", "'inches'")
    for fault in (*told, "image_size is (0, 5)", "stage 'flight' ends at 3, before it starts at 3"):
        assert fault in str(error.value)
    assert error.value.hint


@pytest.mark.parametrize("score", [-0.01, 1.01, np.inf, -np.inf])
def test_a_confidence_outside_zero_to_one_is_refused(score):
    with pytest.raises(BadData, match="expected 0 to 1"):
        arm(count=1, scores=[[0.5, score]])


@pytest.mark.parametrize(
    "wrong",
    [
        {"frames": [0, 1.5, 2, 3]},
        {"frames": [0, 1, 2, np.nan]},
        {"frames": np.array([0, 1, 2, 1e30])},
        {"frames": [0, 1, 2, 2**70]},
        {"status": np.full((4, 2), 257)},
        {"status": np.full((4, 2), -1)},
        {"status": np.full((4, 2), 1.5)},
    ],
)
def test_frame_numbers_and_status_are_never_rounded_or_wrapped(wrong):
    (name,) = wrong
    with pytest.raises(BadData, match=f"^{name} "):
        arm(**wrong)


@pytest.mark.parametrize("frames", [[0, 0], [1, 0], [2**63 - 1, -(2**63)]])
def test_frame_numbers_increase(frames):
    with pytest.raises(BadData, match="frames do not increase"):
        arm(count=2, frames=frames)


@pytest.mark.parametrize("frames", [[-5, 7], [3, 1000], [-(2**63), 2**63 - 1]])
def test_frame_numbers_may_start_anywhere_and_leave_some_out(frames):
    assert arm(count=2, frames=frames).frames.tolist() == frames


@pytest.mark.parametrize("fps", [0, -25, np.nan, np.inf, 1e6])
def test_an_impossible_frame_rate_is_refused(fps):
    with pytest.raises(BadData, match="fps is"):
        arm(fps=fps)


@pytest.mark.parametrize("size", [(640,), (640, 480, 3), (0, 480), (640, -1)])
def test_an_impossible_image_size_is_refused(size):
    with pytest.raises(BadData, match="expected \\(width, height\\)"):
        arm(image_size=size)


@pytest.mark.parametrize("units", UNITS)
def test_every_documented_unit_is_accepted(units):
    assert arm(units=units).units == units


@pytest.mark.parametrize(("start", "end"), [(2, 2), (3, 2), (0, -1)])
def test_a_stage_ends_after_it_starts(start, end):
    with pytest.raises(BadData, match=f"stage 'flight' ends at {end}, before it starts at {start}"):
        arm(stages=(Stage("flight", start, end),))


# A value that does not change


@pytest.mark.parametrize("name", ["keypoints", "scores", "status", "frames", "boxes"])
def test_arrays_are_read_only(name):
    with pytest.raises(ValueError, match="read-only"):
        getattr(arm(boxes=np.zeros((4, 4))), name)[0] = 1


def test_attributes_and_provenance_cannot_be_assigned():
    made = arm(source={"file": "a.json"})
    with pytest.raises(AttributeError):
        made.fps = 30
    with pytest.raises(TypeError):
        made.source["file"] = "b.json"


def test_later_changes_of_the_given_arrays_do_not_reach_the_sequence():
    keypoints, scores, source = np.ones((1, 2, 2), np.float32), np.ones((1, 2), np.float32), {"file": "a.json"}
    made = PoseSequence(keypoints, ARM, scores=scores, source=source)
    keypoints[:], scores[:], source["file"] = 7, 0, "b.json"
    assert made == PoseSequence(np.ones((1, 2, 2)), ARM, source={"file": "a.json"})


# Equality and copies


@pytest.mark.parametrize(
    "changes",
    [
        {"keypoints": np.zeros((4, 2, 2))},
        {"keypoints": np.zeros((4, 2, 3))},
        {"skeleton": Skeleton("other", ARM.joints, ())},
        {"fps": 30},
        {"scores": np.full((4, 2), 0.5)},
        {"status": np.full((4, 2), Status.VERIFIED)},
        {"boxes": np.zeros((4, 4))},
        {"frames": [0, 1, 2, 4]},
        {"image_size": (640, 480)},
        {"units": "m"},
        {"stages": (Stage("flight", 0, 2),)},
        {"person": 1},
        {"source": {"file": "a.json"}},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_sequences_differ_where_one_attribute_differs(changes):
    assert arm().replace(**changes) != arm()


def test_missing_keypoints_are_equal_to_one_another():
    assert with_missing(arm(), frames=[1]) == with_missing(arm(), frames=[1])


def test_a_sequence_equals_nothing_else():
    assert arm() != "arm"


def test_lists_and_tuples_make_equal_sequences():
    stages = [Stage("flight", 0, 2)]
    assert arm(image_size=[640, 480], stages=stages) == arm(image_size=(640, 480), stages=tuple(stages))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))], ids=["copy", "pickle"])
def test_a_sequence_survives_copying_and_pickling(copied):
    made = with_missing(arm(source={"steps": ["read"]}, stages=(Stage("flight", 0, 2),)), frames=[2])
    again = copied(made)
    assert again == made
    assert not again.keypoints.flags.writeable


# Tracks


def test_the_track_of_a_joint_has_its_positions():
    assert arm(count=2).joint("left_wrist").tolist() == [[3, 4], [7, 8]]


def test_the_track_of_a_midpoint_is_missing_where_a_part_is():
    person = with_missing(standing(frames=3, skeleton=COCO17), frames=[1], joints=["left_hip"])
    track = person.joint("pelvis")
    np.testing.assert_allclose(track[[0, 2]], 0, atol=1e-7)
    assert np.isnan(track[1]).all()


def test_the_track_of_a_joint_that_cannot_be_made_is_refused():
    with pytest.raises(BadSetting, match="arm has no joint 'pelvis'"):
        arm().joint("pelvis")


# Replacing


def test_a_step_is_appended_to_the_provenance_and_the_rest_of_it_kept():
    made = arm(source={"file": "a.json"}).replace(step="first").replace(step="second")
    assert dict(made.source) == {"file": "a.json", "steps": ["first", "second"]}


def test_replacing_without_a_step_leaves_the_provenance():
    assert dict(arm(source={"file": "a.json"}).replace(fps=30).source) == {"file": "a.json"}


def test_a_step_does_not_reach_the_sequence_it_started_from():
    before = arm().replace(step="first")
    before.replace(step="second")
    assert before.source["steps"] == ["first"]


def test_a_step_is_appended_to_a_source_that_is_replaced_too():
    assert dict(arm().replace(step="first", source={"file": "b.json"}).source) == {"file": "b.json", "steps": ["first"]}


def test_a_keypoint_that_vanishes_loses_confidence_and_status_and_one_that_appears_is_measured():
    status = np.full((1, 2), Status.VERIFIED)
    made = PoseSequence([[[1, 1], [np.nan, np.nan]]], ARM, status=status, scores=[[0.5, 0.5]])
    swapped = made.replace(keypoints=[[[np.nan, np.nan], [1, 1]]])
    assert swapped.status.tolist() == [[Status.MISSING, Status.MEASURED]]
    assert swapped.scores[0, 0] == 0


def test_replaced_values_are_checked():
    with pytest.raises(BadData, match="fps is 0"):
        arm().replace(fps=0)


# Selecting frames


@pytest.mark.parametrize(
    "keep", [slice(1, 4, 2), [1, 3], np.array([False, True, False, True])], ids=["slice", "index", "mask"]
)
def test_selected_frames_keep_their_numbers_and_all_that_belongs_to_them(keep):
    boxes, scores = np.arange(16).reshape(4, 4), np.arange(8).reshape(4, 2) / 10
    made = arm(boxes=boxes, scores=scores, stages=(Stage("flight", 0, 4),), frames=[5, 6, 7, 8])
    chosen = made.select(keep)
    assert chosen.frames.tolist() == [6, 8]
    np.testing.assert_array_equal(chosen.keypoints, made.keypoints[[1, 3]])
    np.testing.assert_array_equal(chosen.boxes, boxes[[1, 3]])
    np.testing.assert_allclose(chosen.scores, scores[[1, 3]])
    assert chosen.stages == (Stage("flight", 0, 4),)


def test_selected_frames_keep_time_s_order():
    with pytest.raises(BadData, match="frames do not increase"):
        arm().select([2, 1])


@pytest.mark.parametrize(
    ("start", "end", "left"),
    [(11, 13, [11, 12]), (None, 12, [10, 11]), (12, None, [12, 13]), (None, None, [10, 11, 12, 13]), (0, 11, [10])],
)
def test_between_speaks_of_frame_numbers_and_excludes_the_end(start, end, left):
    made = straight_line(frames=4).replace(frames=[10, 11, 12, 13])
    assert made.between(start, end).frames.tolist() == left


def test_between_cuts_stages_and_drops_those_outside():
    stages = (Stage("run-up", 0, 3), Stage("flight", 3, 8), Stage("entry", 8, 10))
    cut = straight_line(frames=10, stages=stages).between(4, 8)
    assert cut.stages == (Stage("flight", 4, 8),)


def test_between_is_a_step_of_the_provenance():
    assert straight_line(frames=5).between(None, 3).source["steps"] == ["between(0, 3)"]


@pytest.mark.parametrize(("start", "end"), [(5, 9), (-3, 0), (2, 2), (3, 1)])
def test_a_range_without_frames_is_refused_with_the_frames_there_are(start, end):
    with pytest.raises(BadData, match=f"no frame lies in {start}:{end}; there are 0 to 4"):
        straight_line(frames=5).between(start, end)


@pytest.mark.parametrize(("start", "end"), [(None, None), (0, 3), (None, 3)])
def test_no_range_of_an_empty_sequence_has_frames(start, end):
    with pytest.raises(BadData, match="there are none"):
        straight_line(frames=0).between(start, end)


@given(st.integers(-3, 12), st.integers(-3, 12), st.integers(-3, 12))
def test_the_ranges_on_both_sides_of_a_cut_make_up_the_whole(start, cut, end):
    line = straight_line(frames=10)

    def numbers(low: int, high: int) -> list[int]:
        try:
            return line.between(low, high).frames.tolist()
        except BadData:
            return []

    start, cut, end = sorted((start, cut, end))
    assert numbers(start, cut) + numbers(cut, end) == numbers(start, end)


# Converting


def test_joints_go_by_name_and_midpoints_lie_in_the_middle():
    made = standing(frames=2, skeleton=COCO17).convert(MPII16, allow_missing=True)
    truth = standing(frames=2, skeleton=MPII16)
    for joint in ("left_knee", "right_wrist", "left_hip", "pelvis", "thorax"):
        np.testing.assert_allclose(made.joint(joint), truth.joint(joint), atol=1e-6)


def test_a_midpoint_is_as_certain_as_its_least_certain_part():
    shoulders = Skeleton("shoulders", ("left_shoulder", "right_shoulder"), ())
    order = [Status.MISSING, Status.INTERPOLATED, Status.MEASURED, Status.VERIFIED]
    for left, right in np.ndindex(4, 4):
        keypoints = [[np.nan, np.nan] if grade == 0 else [1, 1] for grade in (left, right)]
        pair = PoseSequence(
            [keypoints], shoulders, status=[[order[left], order[right]]], scores=[[left / 4, right / 4]]
        )
        made = pair.convert(Skeleton("trunk", ("thorax",), ()))
        assert made.status[0, 0] == order[min(left, right)]
        assert made.scores[0, 0] == min(left, right) / 4


def test_a_joint_that_cannot_be_made_is_an_error_that_names_it():
    with pytest.raises(BadData, match="head_top"):
        standing(skeleton=COCO17).convert(MPII16)


def test_a_joint_that_cannot_be_made_is_missing_where_that_is_allowed():
    made = standing(frames=2, skeleton=COCO17).convert(MPII16, allow_missing=True)
    assert [joint for at, joint in enumerate(MPII16.joints) if not made.present[:, at].any()] == ["head_top"]
    assert np.isnan(made.joint("head_top")).all()


def test_a_conversion_is_a_step_of_the_provenance_and_keeps_everything_but_the_joints():
    attributes = {"fps": 50, "frames": [3, 5], "units": "m", "stages": (Stage("flight", 3, 4),), "person": 2}
    made = standing(frames=1).replace(keypoints=np.zeros((2, 16, 3)), scores=None, status=None, **attributes)
    converted = made.convert(LEG)
    assert converted.source["steps"] == ["convert(mpii16 -> leg)"]
    kept = {name: getattr(converted, name) for name in attributes}
    assert {**kept, "frames": kept["frames"].tolist()} == attributes


def test_converting_to_the_same_joints_changes_the_name_only():
    renamed = Skeleton("shank", LEG.joints, ())
    made = leg([90, 120])
    assert made.convert(renamed) == made.replace(skeleton=renamed)


@given(st.sampled_from(list(CATALOGUE.values())), st.randoms(use_true_random=False))
def test_reordering_the_joints_and_back_loses_nothing(skeleton, random):
    order = list(skeleton.joints)
    random.shuffle(order)
    rng = np.random.default_rng(random.randint(0, 1000))
    shape = (3, len(order))
    made = PoseSequence(
        np.where(rng.random((*shape, 1)) < 0.2, np.nan, rng.normal(size=(*shape, 2))),
        skeleton,
        scores=rng.random(shape),
        status=rng.integers(1, 4, shape),
    )
    back = made.convert(Skeleton("shuffled", tuple(order), ())).convert(skeleton)
    assert back.replace(source={}) == made


def test_a_face_is_lost_on_the_way_through_mpii_and_the_limbs_are_not():
    person = standing(frames=2, skeleton=OPENPOSE18)
    back = person.convert(MPII16, allow_missing=True).convert(OPENPOSE18, allow_missing=True)
    lost = {joint for at, joint in enumerate(OPENPOSE18.joints) if not back.present[:, at].any()}
    assert lost == {"nose", "left_eye", "right_eye", "left_ear", "right_ear"}
    kept = [joint for joint in OPENPOSE18.joints if joint not in lost]
    for joint in kept:
        np.testing.assert_array_equal(back.joint(joint), person.joint(joint))


def test_people_are_named_by_their_ids():
    assert people_named([point(np.zeros((1, 2)), person=number) for number in (4, 0)]) == "4, 0"


def test_a_skeleton_s_name_is_no_skeleton():
    with pytest.raises(BadData, match="'coco17'") as error:
        PoseSequence(np.zeros((3, 17, 2)), "coco17")
    assert "skeletons.get" in error.value.hint
