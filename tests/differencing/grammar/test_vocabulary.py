import pytest

from posediff.differencing.grammar.expressions import written
from posediff.differencing.grammar.vocabulary import (
    JOINTS,
    Joint,
    Unmeasurable,
    joint,
    joint_words,
    meant,
    track,
    track_words,
)
from posediff.motion.angles import ANGLES
from posediff.skeletons import CATALOGUE


def test_every_joint_of_every_skeleton_is_a_word():
    missing = [name for skeleton in CATALOGUE.values() for name in skeleton.joints if joint(name) is None]
    assert missing == []


@pytest.mark.parametrize("name", sorted(JOINTS))
def test_a_joint_s_own_name_needs_nothing_else(name):
    assert joint(name).sided(None, {}) == name


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("left_knee", Joint("knee", "left")),
        ("knee", Joint("knee", "either")),
        ("hip", Joint("hip", "either")),
        ("front_big_toe", Joint("big_toe", "front")),
        ("big_toe", Joint("big_toe", "either")),
        ("front_foot_index", Joint("foot_index", "front")),
        ("non_racket_wrist", Joint("wrist", "non_racket")),
        ("pelvis", Joint("pelvis", "")),
        ("upper_neck", Joint("upper_neck", "")),
        ("front_pelvis", None),
        ("left_kne", None),
        ("", None),
    ],
)
def test_words_for_joints(text, found):
    assert joint(text) == found


def test_sides_come_from_what_stands_for_them():
    assert joint("knee").sided("right", {}) == "right_knee"
    assert joint("front_knee").sided("right", {"front": "left"}) == "left_knee"
    with pytest.raises(Unmeasurable, match="which side is the front one is not known"):
        joint("front_knee").sided("right", {})


@pytest.mark.parametrize("name", [name for name, angle in ANGLES.items() if angle.kind == "interior"])
def test_every_interior_angle_is_a_word_for_its_joints(name):
    assert written(track(name)) == f"angle({', '.join(ANGLES[name].joints)})"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("knee_angle", "angle(hip, knee, ankle)"),
        ("front_elbow_angle", "angle(front_shoulder, front_elbow, front_wrist)"),
        ("trunk_lean", "forward_lean(pelvis, thorax)"),
        ("wrist_height", "height(wrist)"),
        ("front_knee_height", "height(front_knee)"),
        ("head_top_height", "height(head_top)"),
    ],
)
def test_words_for_tracks(text, meaning):
    assert written(track(text)) == meaning


@pytest.mark.parametrize("text", ["wrist_angle", "front_neck_angle", "knee", "height", "_angle", "tail_height"])
def test_other_words_name_no_track(text):
    assert track(text) is None


def test_every_word_of_a_hint_is_a_word():
    roles = ("front",)
    assert all(joint(word) for word in joint_words(roles))
    assert all(track(word) for word in track_words(roles))


def test_a_hint_names_the_word_that_is_like_it_or_says_something_else():
    assert meant("left_kne", ["left_knee", "pelvis"], "no") == "did you mean left_knee?"
    assert meant("xyz", ["left_knee", "pelvis"], "no") == "no"
