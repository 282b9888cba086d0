"""Which skeleton a file's joints are."""

from __future__ import annotations

from collections.abc import Sequence

from posediff import skeletons
from posediff.errors import BadData
from posediff.io.checks import Fault
from posediff.skeletons import CATALOGUE, Skeleton, canonical


def named(
    joints: Sequence[str], skeleton: str | None = None, bones: Sequence[tuple[str, str]] = (), name: str = "custom"
) -> Skeleton:
    """The skeleton whose joints have these names in this order: one of the catalogue, or else a new one.

    Args:
        joints: names as the file spells them.
        skeleton: name of the skeleton that the joints are, whatever the file calls them.
        bones: bones of a new skeleton, in the file's spelling.
        name: name of a new skeleton.

    Raises:
        BadData: if ``skeleton`` has another number of joints.
    """
    plain = tuple(canonical(joint) for joint in joints)
    known = next((one for one in CATALOGUE.values() if one.joints == plain), None)
    if known is not None:
        return known
    if skeleton is not None:
        return counted(len(joints), skeleton)
    if len(set(plain)) < len(plain):
        plain = tuple(joints)
    spelling = dict(zip(joints, plain, strict=True))
    return Skeleton(
        name if name not in CATALOGUE else f"{name}-custom",
        plain,
        tuple((spelling[one], spelling[other]) for one, other in bones if one in spelling and other in spelling),
    )


def counted(count: int, skeleton: str | None, usual: Sequence[str] = ()) -> Skeleton:
    """The skeleton of a file that does not name its joints.

    Args:
        count: number of joints.
        skeleton: its name, if it is known.
        usual: names of the skeletons that such a file usually holds, told apart by their number of joints.

    Raises:
        Fault: if no name is given and none of the usual ones has this number of joints.
        BadData: if the one named has another number.
    """
    fitting = [name for name, one in CATALOGUE.items() if len(one.joints) == count]
    choices = f"of {count} joints are: {', '.join(fitting) or 'none'}"
    if skeleton is not None and skeleton in fitting:
        return skeletons.get(skeleton)
    found = [name for name in usual if name in fitting]
    if found:
        return skeletons.get(found[0])
    if skeleton is not None:
        have = len(skeletons.get(skeleton).joints)
        raise BadData(f"it holds {count} joints, and {skeleton} has {have}", f"skeletons {choices}")
    if usual:
        raise Fault(f"it holds {count} joints, expected those of {', '.join(usual)}; skeletons {choices}")
    hint = f"name the skeleton with --skeleton; those {choices}"
    raise BadData(f"it holds {count} joints and does not name them", hint)
