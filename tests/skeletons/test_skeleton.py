from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.errors import BadData, BadSetting
from posediff.skeletons import (
    BLAZEPOSE33,
    BODY25,
    CATALOGUE,
    COCO17,
    H36M17,
    KINECT22,
    MPII16,
    OPENPOSE18,
    Skeleton,
    conversion,
)

EVERY = pytest.mark.parametrize("skeleton", CATALOGUE.values(), ids=list(CATALOGUE))
SKELETONS = st.sampled_from(list(CATALOGUE.values()))


def shares(skeleton: Skeleton, joint: str) -> dict[str, Fraction]:
    """How much every part counts in the mean that stands for a joint."""
    parts = skeleton.parts(joint)
    return {part: Fraction(parts.count(part), len(parts)) for part in parts}


# What a skeleton must be


def test_all_faults_of_a_skeleton_are_told_at_once():
    with pytest.raises(BadData, match="'odd'") as error:
        Skeleton("odd", ("nose", "nose"), (("nose", "tail"), ("wing", "nose")))
    assert "named twice: nose" in str(error.value)
    assert "lacks: tail, wing" in str(error.value)


def test_a_skeleton_without_joints_is_refused():
    with pytest.raises(BadData, match="no joints"):
        Skeleton("none", (), ())


@pytest.mark.parametrize("joint", ["", " ", "左肩", "left_", "a, b", "left_left_knee", "🦴"])
def test_any_name_that_is_used_once_may_name_a_joint(joint):
    skeleton = Skeleton("odd", ("nose", joint), (("nose", joint),))
    assert skeleton.index(joint) == 1
    assert skeleton.mirror_order == (0, 1)
    assert sorted(skeleton.levels) == sorted(skeleton.joints)


def test_an_unknown_joint_is_refused_with_the_joints_there_are():
    with pytest.raises(BadSetting, match="mpii16 has no joint 'nose'") as error:
        MPII16.index("nose")
    assert "upper_neck" in error.value.hint


# Mirror and levels


@EVERY
def test_every_sided_joint_has_its_partner_in_the_mirror(skeleton):
    sided = {joint for joint in skeleton.joints if joint.startswith(("left_", "right_"))}
    assert {joint for pair in skeleton.mirror_pairs for joint in pair} == sided


@EVERY
def test_mirroring_twice_changes_nothing(skeleton):
    order = skeleton.mirror_order
    assert [order[order[joint]] for joint in range(len(order))] == list(range(len(order)))


@EVERY
def test_the_mirror_leaves_the_midline_and_moves_every_side(skeleton):
    stay = {joint for at, joint in enumerate(skeleton.joints) if skeleton.mirror_order[at] == at}
    assert stay == {joint for joint in skeleton.joints if not joint.startswith(("left_", "right_"))}


def test_a_joint_of_one_side_only_stays_in_the_mirror():
    one_armed = Skeleton("one_armed", ("left_wrist", "nose", "right_knee"), ())
    assert one_armed.mirror_pairs == ()
    assert one_armed.mirror_order == (0, 1, 2)


@EVERY
def test_levels_share_out_the_joints(skeleton):
    levels = [skeleton.level(number) for number in (0, 1, 2)]
    assert sorted(joint for level in levels for joint in level) == sorted(skeleton.joints)


@EVERY
def test_the_torso_comes_before_the_elbows_and_knees_and_these_before_wrists_and_ankles(skeleton):
    for number, parts in enumerate(("hip shoulder", "elbow knee", "wrist ankle")):
        wanted = {f"{side}_{part}" for part in parts.split() for side in ("left", "right")}
        assert wanted <= set(skeleton.level(number))


def test_the_levels_of_mpii_are_those_of_the_paper():
    assert set(MPII16.level(0)) == {
        *("pelvis", "thorax", "upper_neck"),
        *("left_hip", "right_hip", "left_shoulder", "right_shoulder"),
    }
    assert set(MPII16.level(1)) == {"head_top", "left_elbow", "right_elbow", "left_knee", "right_knee"}
    assert set(MPII16.level(2)) == {"left_wrist", "right_wrist", "left_ankle", "right_ankle"}


# What stands for a joint


@given(SKELETONS)
def test_a_joint_that_is_there_stands_for_itself(skeleton):
    assert all(skeleton.parts(joint) == (joint,) for joint in skeleton.joints)


@pytest.mark.parametrize("joint", ["tail", "", "left_", "Left Knee"])
def test_nothing_stands_for_a_joint_that_anatomy_does_not_know(joint):
    assert all(skeleton.parts(joint) == () for skeleton in CATALOGUE.values())


@pytest.mark.parametrize(
    ("skeleton", "joint", "truth"),
    [
        (COCO17, "pelvis", {"left_hip": "1/2", "right_hip": "1/2"}),
        (COCO17, "thorax", {"left_shoulder": "1/2", "right_shoulder": "1/2"}),
        (COCO17, "neck", {"left_shoulder": "1/2", "right_shoulder": "1/2"}),
        (COCO17, "head", {"left_ear": "1/2", "right_ear": "1/2"}),
        (OPENPOSE18, "thorax", {"neck": "1"}),
        (MPII16, "head", {"upper_neck": "1/2", "head_top": "1/2"}),
        (BODY25, "left_toes", {"left_big_toe": "1/2", "left_small_toe": "1/2"}),
        (BLAZEPOSE33, "left_big_toe", {"left_foot_index": "1"}),
        (BLAZEPOSE33, "right_hand", {"right_index": "1/2", "right_pinky": "1/2"}),
        (COCO17, "spine", dict.fromkeys(["left_hip", "right_hip", "left_shoulder", "right_shoulder"], "1/4")),
        (BODY25, "spine", {"pelvis": "1/2", "neck": "1/2"}),
        # Halfway between the neck and the middle of the ears: the neck counts as much as both ears.
        (OPENPOSE18, "upper_neck", {"neck": "1/2", "left_ear": "1/4", "right_ear": "1/4"}),
        # Halfway between the pelvis and the middle of the shoulders.
        (
            Skeleton("custom", ("left_shoulder", "right_shoulder", "pelvis"), ()),
            "spine",
            {"pelvis": "1/2", "left_shoulder": "1/4", "right_shoulder": "1/4"},
        ),
    ],
)
def test_a_midpoint_weighs_its_ends_alike(skeleton, joint, truth):
    assert shares(skeleton, joint) == {part: Fraction(share) for part, share in truth.items()}


@given(st.sets(st.sampled_from(sorted({joint for one in CATALOGUE.values() for joint in one.joints})), min_size=1))
def test_what_stands_for_a_joint_is_always_there(joints):
    skeleton = Skeleton("some", tuple(sorted(joints)), ())
    for wanted in ("pelvis", "thorax", "neck", "spine", "head", "upper_neck", "left_toes", "right_foot", "left_hand"):
        assert set(skeleton.parts(wanted)) <= joints


@EVERY
def test_every_skeleton_of_the_catalogue_has_a_pelvis_and_a_torso(skeleton):
    lower, upper = skeleton.torso
    assert skeleton.root == lower == skeleton.parts("pelvis") != ()
    assert upper != ()


def test_without_hips_the_root_is_the_joint_named_first():
    assert Skeleton("hand", ("right_wrist", "right_thumb"), ()).root == ("right_wrist",)


def test_without_hips_and_shoulders_the_torso_is_empty():
    assert Skeleton("hand", ("right_wrist", "right_thumb"), ()).torso == ((), ())


# Conversion


def test_mpii_from_coco_takes_joints_by_name_and_midpoints_for_the_trunk():
    target = Skeleton("no_head", tuple(j for j in MPII16.joints if j not in ("upper_neck", "head_top")), ())
    recipes = dict(zip(target.joints, conversion(COCO17, target), strict=True))
    # COCO's published numbers: shoulders 5 and 6, elbows 7 and 8, hips 11 and 12, ankles 15 and 16.
    assert recipes["pelvis"] == (11, 12)
    assert recipes["thorax"] == (5, 6)
    assert recipes["right_ankle"] == (16,)
    assert recipes["left_elbow"] == (7,)


def test_the_head_top_cannot_be_made_from_a_face_and_is_named():
    with pytest.raises(BadData, match=r"coco17 has nothing to make these joints of mpii16 from: head_top$"):
        conversion(COCO17, MPII16)


def test_a_joint_that_cannot_be_made_is_left_empty_where_that_is_allowed():
    recipes = dict(zip(MPII16.joints, conversion(COCO17, MPII16, allow_missing=True), strict=True))
    assert [joint for joint, recipe in recipes.items() if not recipe] == ["head_top"]


def test_all_joints_that_cannot_be_made_are_named():
    with pytest.raises(BadData) as error:
        conversion(MPII16, COCO17)
    assert str(error.value).endswith("from: nose, left_eye, right_eye, left_ear, right_ear")


def test_skeletons_with_nothing_in_common_do_not_convert_even_where_joints_may_be_missing():
    hand = Skeleton("hand", ("wrist_of_a_robot",), ())
    with pytest.raises(BadData, match="wrist_of_a_robot"):
        conversion(COCO17, hand, allow_missing=True)


@given(SKELETONS)
def test_a_skeleton_converts_to_itself_joint_by_joint(skeleton):
    assert conversion(skeleton, skeleton) == [(joint,) for joint in range(len(skeleton.joints))]


@given(SKELETONS, SKELETONS)
def test_joints_that_both_have_survive_the_way_there_and_back(one, other):
    there = conversion(one, other, allow_missing=True)
    back = conversion(other, one, allow_missing=True)
    for joint in set(one.joints) & set(other.joints):
        (passed,) = back[one.index(joint)]
        assert there[passed] == (one.index(joint),)


@given(SKELETONS, st.randoms(use_true_random=False))
def test_reordering_joints_is_undone_by_converting_back(skeleton, random):
    joints = list(skeleton.joints)
    random.shuffle(joints)
    shuffled = Skeleton("shuffled", tuple(joints), ())
    order = [recipe[0] for recipe in conversion(skeleton, shuffled)]
    assert [skeleton.joints[index] for index in order] == joints


@pytest.mark.parametrize("target", [MPII16, H36M17])
def test_the_kinect_has_all_joints_of_these(target):
    assert all(len(recipe) <= 2 for recipe in conversion(KINECT22, target))


@given(SKELETONS)
def test_a_skeleton_as_a_document_holds_all_of_it(skeleton):
    document = skeleton.as_dict()
    bones = tuple((one, other) for one, other in document["bones"])
    assert Skeleton(document["name"], tuple(document["joints"]), bones) == skeleton
