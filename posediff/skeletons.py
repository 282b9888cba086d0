"""The catalogue of skeletons and the conversion between them by joint name.

Joints have one vocabulary across all skeletons, MMPose's where it has a word (``left_knee``, ``pelvis``,
``upper_neck``), so that a measure such as ``left_knee_angle`` means the same on each of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from posediff.errors import BadData, BadSetting

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

_INNER = ("head", "elbow", "knee", "nose", "eye", "ear", "mouth")
_TORSO = ("pelvis", "spine", "thorax", "neck", "upper_neck", "shoulder", "hip", "collar")


@dataclass(frozen=True)
class Skeleton:
    """Named joints and the bones between them.

    Attributes:
        name: lower-case name, e.g. ``mpii16``.
        joints: joint names, in the order of the keypoint arrays.
        bones: pairs of joint names, the one nearer to the trunk first.
    """

    name: str
    joints: tuple[str, ...]
    bones: tuple[tuple[str, str], ...]

    def __post_init__(self) -> None:
        faults = []
        if not self.joints:
            faults.append("it has no joints")
        twice = sorted({joint for joint in self.joints if self.joints.count(joint) > 1})
        if twice:
            faults.append(f"joints named twice: {', '.join(twice)}")
        unknown = sorted({end for bone in self.bones for end in bone} - set(self.joints))
        if unknown:
            faults.append(f"bones end in joints it lacks: {', '.join(unknown)}")
        if faults:
            raise BadData(f"skeleton {self.name!r}: {'; '.join(faults)}", "name every joint once and bones by joints")

    @cached_property
    def _index(self) -> dict[str, int]:
        return {joint: index for index, joint in enumerate(self.joints)}

    def index(self, joint: str) -> int:
        """Position of a joint in the keypoint arrays.

        Raises:
            BadSetting: if the skeleton has no such joint.
        """
        if joint not in self._index:
            raise BadSetting(
                f"skeleton {self.name} has no joint {joint!r}", f"its joints are: {', '.join(self.joints)}"
            )
        return self._index[joint]

    @cached_property
    def mirror_pairs(self) -> tuple[tuple[str, str], ...]:
        """(left, right) joints that change places in a mirror."""
        lefts = (joint for joint in self.joints if joint.startswith("left_"))
        pairs = ((left, "right_" + left.removeprefix("left_")) for left in lefts)
        return tuple(pair for pair in pairs if pair[1] in self._index)

    @cached_property
    def mirror_order(self) -> tuple[int, ...]:
        """For every joint, the index of the joint that it becomes in a mirror."""
        swap = {joint: other for pair in self.mirror_pairs for joint, other in (pair, pair[::-1])}
        return tuple(self._index[swap.get(joint, joint)] for joint in self.joints)

    @cached_property
    def levels(self) -> dict[str, int]:
        """Level of every joint: 0 torso, 1 inner limbs, 2 outer limbs (H0 to H2 of HP-MCoRe, Qi et al. 2025)."""
        return {joint: _level(joint) for joint in self.joints}

    def level(self, number: int) -> tuple[str, ...]:
        """The joints of one level, 0 (torso) to 2 (outer limbs), in order."""
        return tuple(joint for joint in self.joints if self.levels[joint] == number)

    @cached_property
    def root(self) -> tuple[str, ...]:
        """The joints whose mean is the body's root: the pelvis, else the hips, else the joint named first."""
        return self.parts("pelvis") or self.joints[:1]

    @cached_property
    def torso(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Joints whose means are the lower and the upper end of the torso; empty where the skeleton has none."""
        return self.parts("pelvis"), self.parts("thorax") or self.parts("upper_neck")

    def parts(self, joint: str) -> tuple[str, ...]:
        """The joints whose mean stands for ``joint``: itself, or the midpoint that anatomy allows, or none.

        A midpoint of midpoints lists its joints as often as they count, so the plain mean is right.
        """
        return self._parts(joint, ())

    def _parts(self, joint: str, pending: tuple[str, ...]) -> tuple[str, ...]:
        if joint in self._index:
            return (joint,)
        if joint in pending:
            return ()
        for group in MIDPOINTS.get(joint, ()):
            found = [self._parts(part, (*pending, joint)) for part in group]
            if all(found):
                return _balanced(found)
        return ()

    def as_dict(self) -> dict[str, object]:
        """Name, joints and bones as the native file holds them."""
        return {"name": self.name, "joints": list(self.joints), "bones": [list(bone) for bone in self.bones]}


def _level(joint: str) -> int:
    part = joint.removeprefix("left_").removeprefix("right_")
    if part.startswith(_INNER):
        return 1
    return 0 if part.startswith(_TORSO) else 2


def _balanced(groups: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Repeat each group's joints so that every group weighs the same in a plain mean."""
    size = 1
    for group in groups:
        size *= len(group)
    return tuple(joint for group in groups for joint in group for _ in range(size // len(group)))


def canonical(joint: str) -> str:
    """A joint's name in posediff's vocabulary: lower case, underscores, known aliases replaced."""
    plain = joint.strip().lower().replace(" ", "_").replace("-", "_")
    for side, short in (("left", "l"), ("right", "r")):
        if plain.startswith(f"{short}_"):
            plain = f"{side}_{plain[2:]}"
        elif plain.endswith(f"_{side}"):
            plain = f"{side}_{plain[: -len(side) - 1]}"
    return ALIASES.get(plain, plain)


def conversion(source: Skeleton, target: Skeleton, *, allow_missing: bool = False) -> list[tuple[int, ...]]:
    """For every joint of ``target``, the indices in ``source`` whose mean it is.

    Args:
        source, target: any two skeletons.
        allow_missing: give an empty tuple for a joint that cannot be made, instead of an error.

    Raises:
        BadData: if a joint cannot be made; names all of them.
    """
    recipes = [tuple(source.index(part) for part in source.parts(joint)) for joint in target.joints]
    lost = [joint for joint, recipe in zip(target.joints, recipes, strict=True) if not recipe]
    if len(lost) == len(target.joints) or (lost and not allow_missing):
        raise BadData(
            f"{source.name} has nothing to make these joints of {target.name} from: {', '.join(lost)}",
            "choose another skeleton, or allow missing joints" if len(lost) < len(target.joints) else "check the names",
        )
    return recipes


def _sided(names: Sequence[str], order: tuple[str, str] = ("left", "right")) -> list[str]:
    return [f"{side}_{name}" for name in names for side in order]


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


_FACE = ["nose", *_sided(["eye", "ear"])]
_LIMBS = _sided(["shoulder", "elbow", "wrist", "hip", "knee", "ankle"])
_FEET = ["left_big_toe", "left_small_toe", "left_heel", "right_big_toe", "right_small_toe", "right_heel"]
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
        *_limbs("ear shoulder"),
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
    "right_ankle left_hip left_knee left_ankle right_eye left_eye right_ear left_ear".split()
    + _FEET,
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
    [
        *_FACE,
        *_LIMBS,
        "head_top",
        "neck",
        "pelvis",
        *_sided(["big_toe", "small_toe", "heel"]),
    ],
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
        *_sided(["ear", "mouth", "shoulder", "elbow", "wrist", "pinky", "index", "thumb"]),
        *_sided(["hip", "knee", "ankle", "heel", "foot_index"]),
    ],
    [
        ("left_shoulder", "right_shoulder"),
        ("left_hip", "right_hip"),
        ("left_mouth", "right_mouth"),
        *_limbs("shoulder hip knee ankle heel foot_index", "shoulder elbow wrist index pinky", "wrist thumb"),
        *_limbs("=nose eye_inner eye eye_outer ear"),
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


def get(name: str) -> Skeleton:
    """A skeleton of the catalogue by its name.

    Raises:
        BadSetting: if there is none of that name.
    """
    if name not in CATALOGUE:
        raise BadSetting(f"unknown skeleton {name!r}", f"choose one of: {', '.join(CATALOGUE)}")
    return CATALOGUE[name]
