import numpy as np
import pytest

from posediff.compare import Settings
from posediff.compare.heading import common_heading, rotation_to
from posediff.compare.prepare import prepare
from posediff.motion.normalize import rotate
from posediff.motion.synthetic import Fault
from tests.fixtures.performances import perform, without

EVEN = (np.linspace(0, 97, 98),) * 2


def about(axis, degrees):
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    if axis == "y":
        return np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    return np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])


def body(sequence):
    return prepare(sequence, Settings())


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("degrees", [-150.0, 10.0, 90.0])
def test_the_rotation_of_a_turned_copy_is_undone(axis, degrees):
    turn = about(axis, degrees)
    found = rotation_to(body(perform()), body(rotate(perform(), turn)), EVEN)
    np.testing.assert_allclose(found, turn.T, atol=1e-3)


def test_a_fault_does_not_tilt_the_body():
    leaning = perform(fault=Fault("trunk_lean", 30.0, "bottom"))
    found = rotation_to(body(perform()), body(leaning), EVEN)
    np.testing.assert_allclose(found[1], [0, 1, 0], atol=1e-9)


def test_images_are_not_turned():
    pair = body(perform(view="2d")), body(perform(view="2d", azimuth=20.0))
    np.testing.assert_array_equal(rotation_to(*pair, EVEN), np.eye(2))
    assert common_heading(*pair, np.eye(2)) == pair


@pytest.mark.parametrize("missing", [("head_top",), ("left_hip",), ("left_hip", "left_shoulder")])
def test_both_face_one_way_even_where_one_lacks_a_hip(missing):
    turned = rotate(without(perform(), *missing), about("y", 70.0))
    reference, query = body(perform()), body(turned)
    pair = common_heading(reference, query, rotation_to(reference, query, EVEN))
    column = reference.sequence.skeleton.index("right_wrist")
    np.testing.assert_allclose(*(side.positions[:, column] for side in pair), atol=1e-3)
    across = pair[0].sequence.joint("left_hip") - pair[0].sequence.joint("right_hip")
    assert across.mean(axis=0)[2] == pytest.approx(0, abs=1e-6)
    assert across.mean(axis=0)[0] > 0


def test_without_hips_and_shoulders_the_heading_stays():
    headless = without(perform(), "left_hip", "right_hip", "left_shoulder", "right_shoulder")
    one = body(headless)
    np.testing.assert_allclose(common_heading(one, one, np.eye(3))[0].positions, one.positions, atol=1e-6)
