"""The one vocabulary of joints: other spellings of its words, and what a joint can be made from.

It is MMPose's where that has a word (``left_knee``, ``pelvis``, ``upper_neck``), so that a measure such as
``left_knee_angle`` means the same on every skeleton.
"""

from __future__ import annotations

#: Other names that files and libraries use for a joint of the vocabulary.
ALIASES = {
    "hip": "pelvis",
    "mid_hip": "pelvis",
    "midhip": "pelvis",
    "root": "pelvis",
    "waist": "pelvis",
    "spine_base": "pelvis",
    "hip_center": "pelvis",
    "spine_mid": "spine",
    "spine_shoulder": "thorax",
    "shoulder_center": "thorax",
    "neck_base": "upper_neck",
    "head_bottom": "upper_neck",
    "top_head": "head_top",
    "head_tip": "head_top",
    "left_bigtoe": "left_big_toe",
    "right_bigtoe": "right_big_toe",
    "left_smalltoe": "left_small_toe",
    "right_smalltoe": "right_small_toe",
}

#: How a joint is made where a skeleton lacks it: the midpoint of each group, the first that can be made.
MIDPOINTS: dict[str, tuple[tuple[str, ...], ...]] = {
    "pelvis": (("left_hip", "right_hip"),),
    "thorax": (("neck",), ("left_shoulder", "right_shoulder")),
    "neck": (("thorax",), ("left_shoulder", "right_shoulder")),
    "spine": (("pelvis", "thorax"),),
    "head": (("left_ear", "right_ear"), ("left_eye", "right_eye"), ("upper_neck", "head_top")),
    "upper_neck": (("thorax", "head"),),
    "left_toes": (("left_big_toe", "left_small_toe"), ("left_foot_index",), ("left_foot",), ("left_big_toe",)),
    "right_toes": (("right_big_toe", "right_small_toe"), ("right_foot_index",), ("right_foot",), ("right_big_toe",)),
    "left_big_toe": (("left_foot_index",), ("left_toes",)),
    "right_big_toe": (("right_foot_index",), ("right_toes",)),
    "left_foot_index": (("left_big_toe",), ("left_toes",), ("left_foot",)),
    "right_foot_index": (("right_big_toe",), ("right_toes",), ("right_foot",)),
    "left_foot": (("left_toes",), ("left_foot_index",), ("left_big_toe",)),
    "right_foot": (("right_toes",), ("right_foot_index",), ("right_big_toe",)),
    "left_hand": (("left_index", "left_pinky"),),
    "right_hand": (("right_index", "right_pinky"),),
}

_INNER = ("head", "elbow", "knee", "nose", "eye", "ear", "mouth", "axis")
_TORSO = ("pelvis", "spine", "thorax", "neck", "upper_neck", "shoulder", "hip", "collar", "tip")


def canonical(joint: str) -> str:
    """A joint's name in posediff's vocabulary: lower case, underscores, known aliases replaced."""
    plain = joint.strip().lower().replace(" ", "_").replace("-", "_")
    for side, short in (("left", "l"), ("right", "r")):
        if plain.startswith(f"{short}_"):
            plain = f"{side}_{plain[2:]}"
        elif plain.endswith(f"_{side}"):
            plain = f"{side}_{plain[: -len(side) - 1]}"
    return ALIASES.get(plain, plain)


def level(joint: str) -> int:
    """A joint's distance from the trunk: 0 torso, 1 inner limbs, 2 outer limbs; of a tool 0 tip, 1 axes, 2 jaws."""
    part = joint.removeprefix("left_").removeprefix("right_")
    if part.startswith(_INNER):
        return 1
    return 0 if part.startswith(_TORSO) else 2
