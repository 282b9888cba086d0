import pytest
from hypothesis import given
from hypothesis import strategies as st

from posediff.skeletons import CATALOGUE, canonical
from posediff.skeletons.vocabulary import ALIASES, MIDPOINTS, level

JOINTS = sorted({joint for skeleton in CATALOGUE.values() for joint in skeleton.joints})


@pytest.mark.parametrize(
    ("spelling", "joint"),
    [
        ("Left Knee", "left_knee"),
        ("left-knee", "left_knee"),
        ("L_Knee", "left_knee"),
        ("R-Ankle", "right_ankle"),
        ("knee_left", "left_knee"),
        ("MOUTH_RIGHT", "right_mouth"),
        ("  nose\n", "nose"),
        ("Mid Hip", "pelvis"),
        ("MidHip", "pelvis"),
        ("root", "pelvis"),
        ("hip", "pelvis"),
        ("hip_left", "left_hip"),
        ("Waist", "pelvis"),
        ("neck_base", "upper_neck"),
        ("Head Tip", "head_top"),
        ("L_BigToe", "left_big_toe"),
        ("r bigtoe", "right_big_toe"),
    ],
)
def test_a_spelling_in_use_becomes_the_vocabulary_s_word(spelling, joint):
    assert canonical(spelling) == joint


@pytest.mark.parametrize("spelling", ["tail", "左肩", "lumbar", "rib_3", "", "left", "l", "leftover"])
def test_a_name_that_is_not_known_stays(spelling):
    assert canonical(spelling) == spelling


@given(
    st.sampled_from(JOINTS),
    st.sampled_from([str.lower, str.upper, str.title]),
    st.sampled_from(["_", " ", "-"]),
    st.sampled_from(["", " ", "\t"]),
)
def test_case_separators_and_surrounding_space_do_not_matter(joint, case, separator, space):
    assert canonical(space + case(joint.replace("_", separator)) + space) == joint


@given(st.sampled_from([joint for joint in JOINTS if joint.startswith(("left_", "right_"))]), st.booleans())
def test_a_side_may_be_a_letter_in_front_or_a_word_behind(joint, short):
    side, _, part = joint.partition("_")
    assert canonical(f"{side[0]}_{part}" if short else f"{part}_{side}") == joint


def test_an_alias_leads_to_a_word_and_never_to_another_alias():
    assert set(ALIASES.values()) <= set(JOINTS)
    assert set(ALIASES.values()) & set(ALIASES) == set()


def test_no_word_of_the_catalogue_is_another_one_s_alias():
    assert set(JOINTS) & set(ALIASES) == set()


def test_what_can_be_made_and_from_what_are_words_of_the_vocabulary():
    parts = {part for groups in MIDPOINTS.values() for group in groups for part in group}
    assert (set(MIDPOINTS) | parts) - set(JOINTS) == set()


def test_what_is_made_on_one_side_is_made_alike_on_the_other():
    def other(text: str) -> str:
        return text.replace("left", "?").replace("right", "left").replace("?", "right")

    mirrored = {other(joint): [tuple(map(other, group)) for group in groups] for joint, groups in MIDPOINTS.items()}
    assert {joint: [set(group) for group in groups] for joint, groups in mirrored.items()} == {
        joint: [set(group) for group in groups] for joint, groups in MIDPOINTS.items()
    }


@pytest.mark.parametrize(
    ("joint", "number"),
    [
        *(("pelvis", 0), ("left_collar", 0), ("nose", 1), ("right_ear", 1), ("left_heel", 2), ("right_thumb", 2)),
        *(("left_hand_tip", 2), ("left_tip", 0), ("right_axis_z", 1), ("right_jaw_b", 2)),
    ],
)
def test_a_joint_s_level_is_its_distance_from_the_trunk(joint, number):
    assert level(joint) == number
