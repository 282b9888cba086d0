"""Skeletons, and the conversion between them by joint name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from posediff.errors import BadData, BadSetting
from posediff.skeletons import vocabulary


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
        return {joint: vocabulary.level(joint) for joint in self.joints}

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
        for group in vocabulary.MIDPOINTS.get(joint, ()):
            found = [self._parts(part, (*pending, joint)) for part in group]
            if all(found):
                return _balanced(found)
        return ()

    def as_dict(self) -> dict[str, object]:
        """Name, joints and bones as the native file holds them."""
        return {"name": self.name, "joints": list(self.joints), "bones": [list(bone) for bone in self.bones]}


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


def _balanced(groups: list[tuple[str, ...]]) -> tuple[str, ...]:
    """Repeat each group's joints so that every group weighs the same in a plain mean."""
    size = 1
    for group in groups:
        size *= len(group)
    return tuple(joint for group in groups for joint in group for _ in range(size // len(group)))
