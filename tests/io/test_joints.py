import pytest

from posediff.errors import BadData
from posediff.io.checks import Fault
from posediff.io.joints import counted, named
from posediff.skeletons import COCO17, H36M17, MPII16


def test_names_in_any_spelling_are_recognised() -> None:
    assert named([joint.replace("_", " ").title() for joint in MPII16.joints]) is MPII16


def test_other_names_make_a_skeleton_of_their_own_that_never_takes_a_known_name() -> None:
    body = named(["Snout", "Tail"], bones=[("Snout", "Tail"), ("Tail", "Paw")], name="coco17")
    assert (body.name, body.joints, body.bones) == ("coco17-custom", ("snout", "tail"), (("snout", "tail"),))


def test_names_that_mean_the_same_joint_stay_as_they_are() -> None:
    assert named(["hip", "pelvis"]).joints == ("hip", "pelvis")


def test_a_number_of_joints_is_the_skeleton_named_or_the_usual_one() -> None:
    assert counted(17, None, ("coco17",)) is COCO17
    assert counted(17, "h36m17", ("coco17",)) is H36M17
    assert counted(17, "mpii16", ("coco17",)) is COCO17  # a skeleton to convert to


def test_a_number_that_fits_nothing_is_refused_with_what_would() -> None:
    with pytest.raises(BadData, match="17 joints, and mpii16 has 16"):
        counted(17, "mpii16")
    with pytest.raises(BadData) as error:
        counted(17, None)
    assert "coco17, h36m17" in error.value.hint
    with pytest.raises(Fault, match="holds 5 joints, expected those of coco17"):
        counted(5, None, ("coco17",))
