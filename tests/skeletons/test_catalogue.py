"""The catalogue against what the skeletons' authors published; their spellings are kept here."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.errors import BadSetting
from posediff.skeletons import CATALOGUE, Skeleton, get
from posediff.skeletons.catalogue import INSTRUMENTS10

EVERY = pytest.mark.parametrize("skeleton", CATALOGUE.values(), ids=list(CATALOGUE))

#: Joint lists as the data sets and engines print them, in their order.
PUBLISHED = {
    "mpii16": "r_ankle r_knee r_hip l_hip l_knee l_ankle pelvis thorax upper_neck head_top "
    "r_wrist r_elbow r_shoulder l_shoulder l_elbow l_wrist",
    "coco17": "nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder left_elbow right_elbow "
    "left_wrist right_wrist left_hip right_hip left_knee right_knee left_ankle right_ankle",
    "openpose18": "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist RHip RKnee RAnkle LHip LKnee LAnkle "
    "REye LEye REar LEar",
    "body25": "Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist MidHip RHip RKnee RAnkle LHip LKnee LAnkle "
    "REye LEye REar LEar LBigToe LSmallToe LHeel RBigToe RSmallToe RHeel",
    "halpe26": "Nose LEye REye LEar REar LShoulder RShoulder LElbow RElbow LWrist RWrist LHip RHip LKnee RKnee "
    "LAnkle RAnkle Head Neck Hip LBigToe RBigToe LSmallToe RSmallToe LHeel RHeel",
    "blazepose33": "nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer left_ear "
    "right_ear mouth_left mouth_right left_shoulder right_shoulder left_elbow right_elbow left_wrist right_wrist "
    "left_pinky right_pinky left_index right_index left_thumb right_thumb left_hip right_hip left_knee right_knee "
    "left_ankle right_ankle left_heel right_heel left_foot_index right_foot_index",
    "h36m17": "Hip RHip RKnee RFoot LHip LKnee LFoot Spine Thorax Neck/Nose Head LShoulder LElbow LWrist RShoulder "
    "RElbow RWrist",
    "kinect22": "waist spine chest neck head head_tip left_collar left_upper_arm left_forearm left_hand right_collar "
    "right_upper_arm right_forearm right_hand left_upper_leg left_lower_leg left_foot left_toes right_upper_leg "
    "right_lower_leg right_foot right_toes",
    "kinect25": "SpineBase SpineMid Neck Head ShoulderLeft ElbowLeft WristLeft HandLeft ShoulderRight ElbowRight "
    "WristRight HandRight HipLeft KneeLeft AnkleLeft FootLeft HipRight KneeRight AnkleRight FootRight SpineShoulder "
    "HandTipLeft ThumbLeft HandTipRight ThumbRight",
}
COUNTS = {
    "mpii16": 16,
    "coco17": 17,
    "openpose18": 18,
    "body25": 25,
    "halpe26": 26,
    "blazepose33": 33,
    "h36m17": 17,
    "kinect22": 22,
    "kinect25": 25,
}
#: What posediff calls a published joint where plain respelling does not lead there. UI-PRMD names a joint after the
#: segment that starts in it.
CALLED = {
    "mid_hip": "pelvis",
    "h36m17 hip": "pelvis",
    "halpe26 hip": "pelvis",
    "h36m17 neck/nose": "upper_neck",
    "h36m17 head": "head_top",
    "h36m17 left_foot": "left_ankle",
    "h36m17 right_foot": "right_ankle",
    "halpe26 head": "head_top",
    "spine_base": "pelvis",
    "spine_mid": "spine",
    "spine_shoulder": "thorax",
    "waist": "pelvis",
    "chest": "thorax",
    "head_tip": "head_top",
    "upper_arm": "shoulder",
    "forearm": "elbow",
    "kinect22 left_hand": "left_wrist",
    "kinect22 right_hand": "right_wrist",
    "upper_leg": "hip",
    "lower_leg": "knee",
    "kinect22 left_foot": "left_ankle",
    "kinect22 right_foot": "right_ankle",
}


def respelled(skeleton: str, joint: str) -> str:
    """A published name in posediff's words, by this file's own rules."""
    plain = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in joint).lstrip("_")
    plain = plain.replace("/_", "/")
    words = plain.split("_")
    side = {"l": "left", "r": "right", "left": "left", "right": "right"}
    if words[0] in side:
        words = [side[words[0]], *words[1:]]
    elif words[-1] in side:
        words = [side[words[-1]], *words[:-1]]
    plain = "_".join(words)
    if f"{skeleton} {plain}" in CALLED or plain in CALLED:
        return CALLED.get(f"{skeleton} {plain}", CALLED.get(plain, plain))
    if words[0] in ("left", "right"):
        part = "_".join(words[1:])
        return f"{words[0]}_{CALLED.get(part, part)}"
    return plain


def test_the_catalogue_holds_the_skeletons_that_are_published():
    assert set(CATALOGUE) == set(PUBLISHED)


@pytest.mark.parametrize("name", COUNTS)
def test_a_skeleton_has_the_published_number_of_joints(name):
    assert len(CATALOGUE[name].joints) == COUNTS[name]


@pytest.mark.parametrize("name", PUBLISHED)
def test_joints_stand_in_the_published_order(name):
    assert CATALOGUE[name].joints == tuple(respelled(name, joint) for joint in PUBLISHED[name].split())


@EVERY
def test_bones_connect_all_joints(skeleton):
    reached, grew = {skeleton.joints[0]}, True
    while grew:
        grew = False
        for bone in skeleton.bones:
            if len(reached.intersection(bone)) == 1:
                reached.update(bone)
                grew = True
    assert reached == set(skeleton.joints)


@EVERY
def test_no_bone_appears_twice_or_ends_where_it_starts(skeleton):
    ends = [frozenset(bone) for bone in skeleton.bones]
    assert len(set(ends)) == len(ends)
    assert {len(bone) for bone in ends} == {2}


@EVERY
def test_bones_are_as_symmetric_as_the_body(skeleton):
    def mirrored(joint: str) -> str:
        left, right = joint.replace("left_", "right_"), joint.replace("right_", "left_")
        return left if left != joint else right

    bones = {frozenset(bone) for bone in skeleton.bones}
    assert {frozenset(map(mirrored, bone)) for bone in bones} == bones


@EVERY
def test_limb_bones_start_at_the_end_nearer_to_the_trunk(skeleton):
    wrong = {
        (inner, outer)
        for outer, inner in skeleton.bones
        for chain in ("hip knee ankle heel", "shoulder elbow wrist hand", "shoulder ear")
        for side in ("left", "right")
        if (inner, outer) in zip(*[[f"{side}_{part}" for part in chain.split()][at:] for at in (0, 1)], strict=False)
    }
    assert wrong == set()


@given(st.sampled_from(sorted(CATALOGUE)))
def test_a_skeleton_is_found_by_its_own_name(name):
    assert get(name).name == name


def test_an_unknown_name_is_refused_with_the_choices():
    with pytest.raises(BadSetting, match="'mpii17'") as error:
        get("mpii17")
    assert all(name in error.value.hint for name in CATALOGUE)


def test_skeletons_of_the_catalogue_are_values():
    mpii = CATALOGUE["mpii16"]
    assert Skeleton(mpii.name, mpii.joints, mpii.bones) == mpii
    assert hash(Skeleton(mpii.name, mpii.joints, mpii.bones)) == hash(mpii)


def test_the_instruments_are_no_body_and_alike_on_both_sides():
    tools = get("instruments10")
    assert tools is INSTRUMENTS10
    assert "instruments10" not in CATALOGUE
    assert tools.root == ("left_tip",)
    assert tools.torso == ((), ())
    parts = [joint.removeprefix("left_") for joint in tools.joints[:5]]
    assert tools.joints[5:] == tuple(f"right_{part}" for part in parts)
    assert tools.mirror_pairs == tuple((f"left_{part}", f"right_{part}") for part in parts)
    assert {frozenset(bone) for bone in tools.bones} == {
        frozenset(("left_tip", "right_tip")),
        *(frozenset((f"{side}_tip", f"{side}_{part}")) for side in ("left", "right") for part in parts[1:]),
    }
    assert [tools.level(number) for number in range(3)] == [
        ("left_tip", "right_tip"),
        ("left_axis_x", "left_axis_z", "right_axis_x", "right_axis_z"),
        ("left_jaw_a", "left_jaw_b", "right_jaw_a", "right_jaw_b"),
    ]
