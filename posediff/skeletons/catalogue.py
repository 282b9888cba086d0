"""The skeletons that posediff knows, each with its joints in the published order."""

from __future__ import annotations

from collections.abc import Sequence

from posediff.errors import BadSetting
from posediff.skeletons.skeleton import Skeleton


def _sided(names: str) -> list[str]:
    """The left and the right joint of every name."""
    return [f"{side}_{name}" for name in names.split() for side in ("left", "right")]


def _limbs(*chains: str) -> list[tuple[str, str]]:
    """Bones of both sides along chains written as ``hip knee ankle``; a leading ``=`` marks a midline joint."""
    bones = []
    for chain in chains:
        for side in ("left", "right"):
            names = [name[1:] if name.startswith("=") else f"{side}_{name}" for name in chain.split()]
            bones += [bone for bone in zip(names[:-1], names[1:], strict=True) if bone not in bones]
    return bones


def _skeleton(name: str, joints: Sequence[str], bones: Sequence[tuple[str, str]]) -> Skeleton:
    return Skeleton(name, tuple(joints), tuple(bones))


_FACE = ["nose", *_sided("eye ear")]
_LIMBS = _sided("shoulder elbow wrist hip knee ankle")
_FACE_BONES = _limbs("=nose eye ear")
_FOOT_BONES = _limbs("ankle big_toe small_toe", "ankle heel")

MPII16 = _skeleton(
    "mpii16",
    "right_ankle right_knee right_hip left_hip left_knee left_ankle pelvis thorax upper_neck head_top "
    "right_wrist right_elbow right_shoulder left_shoulder left_elbow left_wrist".split(),
    [
        ("pelvis", "thorax"),
        ("thorax", "upper_neck"),
        ("upper_neck", "head_top"),
        *_limbs("=pelvis hip knee ankle", "=thorax shoulder elbow wrist"),
    ],
)
COCO17 = _skeleton(
    "coco17",
    [*_FACE, *_LIMBS],
    [
        ("left_shoulder", "right_shoulder"),
        ("left_hip", "right_hip"),
        *_limbs("shoulder hip knee ankle", "shoulder elbow wrist"),
        *_FACE_BONES,
        *_limbs("shoulder ear"),
    ],
)
OPENPOSE18 = _skeleton(
    "openpose18",
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist right_hip right_knee "
    "right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear".split(),
    [("neck", "nose"), *_limbs("=neck hip knee ankle", "=neck shoulder elbow wrist"), *_FACE_BONES],
)
BODY25 = _skeleton(
    "body25",
    "nose neck right_shoulder right_elbow right_wrist left_shoulder left_elbow left_wrist pelvis right_hip right_knee "
    "right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear "
    "left_big_toe left_small_toe left_heel right_big_toe right_small_toe right_heel".split(),
    [
        ("pelvis", "neck"),
        ("neck", "nose"),
        *_limbs("=pelvis hip knee ankle", "=neck shoulder elbow wrist"),
        *_FACE_BONES,
        *_FOOT_BONES,
    ],
)
HALPE26 = _skeleton(
    "halpe26",
    [*_FACE, *_LIMBS, "head_top", "neck", "pelvis", *_sided("big_toe small_toe heel")],
    [
        ("pelvis", "neck"),
        ("neck", "head_top"),
        ("neck", "nose"),
        *_limbs("=pelvis hip knee ankle", "=neck shoulder elbow wrist"),
        *_FACE_BONES,
        *_FOOT_BONES,
    ],
)
BLAZEPOSE33 = _skeleton(
    "blazepose33",
    [
        *"nose left_eye_inner left_eye left_eye_outer right_eye_inner right_eye right_eye_outer".split(),
        *_sided("ear mouth shoulder elbow wrist pinky index thumb hip knee ankle heel foot_index"),
    ],
    [
        ("left_shoulder", "right_shoulder"),
        ("left_hip", "right_hip"),
        ("left_mouth", "right_mouth"),
        *_limbs("shoulder hip knee ankle heel foot_index", "shoulder elbow wrist index pinky", "wrist thumb"),
        *_limbs("=nose eye_inner eye eye_outer ear", "=nose mouth", "shoulder ear"),
    ],
)
H36M17 = _skeleton(
    "h36m17",
    "pelvis right_hip right_knee right_ankle left_hip left_knee left_ankle spine thorax upper_neck head_top "
    "left_shoulder left_elbow left_wrist right_shoulder right_elbow right_wrist".split(),
    [
        ("pelvis", "spine"),
        ("spine", "thorax"),
        ("thorax", "upper_neck"),
        ("upper_neck", "head_top"),
        *_limbs("=pelvis hip knee ankle", "=thorax shoulder elbow wrist"),
    ],
)
KINECT22 = _skeleton(
    "kinect22",
    "pelvis spine thorax neck head head_top left_collar left_shoulder left_elbow left_wrist "
    "right_collar right_shoulder right_elbow right_wrist left_hip left_knee left_ankle left_toes "
    "right_hip right_knee right_ankle right_toes".split(),
    [
        ("pelvis", "spine"),
        ("spine", "thorax"),
        ("thorax", "neck"),
        ("neck", "head"),
        ("head", "head_top"),
        *_limbs("=pelvis hip knee ankle toes", "=thorax collar shoulder elbow wrist"),
    ],
)
KINECT25 = _skeleton(
    "kinect25",
    "pelvis spine neck head left_shoulder left_elbow left_wrist left_hand right_shoulder right_elbow right_wrist "
    "right_hand left_hip left_knee left_ankle left_foot right_hip right_knee right_ankle right_foot thorax "
    "left_hand_tip left_thumb right_hand_tip right_thumb".split(),
    [
        ("pelvis", "spine"),
        ("spine", "thorax"),
        ("thorax", "neck"),
        ("neck", "head"),
        *_limbs("=pelvis hip knee ankle foot", "=thorax shoulder elbow wrist hand hand_tip", "wrist thumb"),
    ],
)
CATALOGUE = {
    skeleton.name: skeleton
    for skeleton in (MPII16, COCO17, OPENPOSE18, BODY25, HALPE26, BLAZEPOSE33, H36M17, KINECT22, KINECT25)
}

#: The two instruments of a surgical robot, as :mod:`posediff.datasets.jigsaws` has them.
INSTRUMENTS10 = _skeleton(
    "instruments10",
    [f"{side}_{part}" for side in ("left", "right") for part in "tip axis_x axis_z jaw_a jaw_b".split()],
    [("left_tip", "right_tip"), *_limbs("tip axis_x", "tip axis_z", "tip jaw_a", "tip jaw_b")],
)

#: What is no body: it has no trunk, and nothing of it can be made from a body.
TOOLS = {INSTRUMENTS10.name: INSTRUMENTS10}


def get(name: str) -> Skeleton:
    """A skeleton of the catalogue, or a tool, by its name.

    Raises:
        BadSetting: if there is none of that name.
    """
    known = {**CATALOGUE, **TOOLS}
    if name not in known:
        raise BadSetting(f"unknown skeleton {name!r}", f"choose one of: {', '.join(known)}")
    return known[name]
