import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posediff.motion.synthetic.body import turn
from posediff.motion.synthetic.limbs import LEAST_BEND, raised_arm, reach

LENGTHS = (0.43, 0.40)
START, FORWARDS = np.zeros((1, 3)), np.array([[1.0, 0.0, 0.0]])


def ends(upper, bend, *, knee):
    """Middle joint and end of the limb."""
    middle = -LENGTHS[0] * upper[:, :, 1]
    return middle, middle - LENGTHS[1] * (upper @ turn("z", -bend if knee else bend))[:, :, 1]


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("plane", [0.0, 35.0, 90.0, -30.0])
def test_a_raised_arm_makes_the_angle_of_elevation_with_the_trunk(side, plane):
    elevation = np.array([0.0, 30.0, 90.0, 170.0])
    arm = -raised_arm(side, elevation, plane)[:, :, 1]
    np.testing.assert_allclose(np.degrees(np.arccos(-arm[:, 1])), elevation, atol=1e-5)


@pytest.mark.parametrize(("side", "outwards"), [("left", -1.0), ("right", 1.0)])
def test_an_arm_is_raised_outwards_on_its_own_side(side, outwards):
    np.testing.assert_allclose(-raised_arm(side, np.array([90.0]), 90.0)[:, :, 1], [[0, 0, outwards]], atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    distance=st.floats(0.2, 0.75),
    direction=st.tuples(st.floats(-0.6, 0.6), st.just(-1.0), st.floats(-0.6, 0.6)),
    knee=st.booleans(),
)
def test_a_limb_reaches_its_target(distance, direction, knee):
    target = distance * np.array([direction]) / np.linalg.norm(direction)
    upper, bend = reach(START, target, LENGTHS, FORWARDS, knee=knee)
    np.testing.assert_allclose(upper @ upper.transpose(0, 2, 1), np.eye(3)[None], atol=1e-12)
    np.testing.assert_allclose(ends(upper, bend, knee=knee)[1], target, atol=1e-4)


@pytest.mark.parametrize("knee", [True, False])
def test_the_middle_joint_points_to_the_pole(knee):
    middle, _ = ends(*reach(START, np.array([[0.0, -0.6, 0.0]]), LENGTHS, FORWARDS, knee=knee), knee=knee)
    assert middle[0, 0] > 0.1
    assert middle[0, 2] == pytest.approx(0, abs=1e-12)


def test_a_limb_that_cannot_reach_points_at_its_target_nearly_straight():
    target = np.array([[0.3, -2.0, 0.2]])
    upper, bend = reach(START, target, LENGTHS, FORWARDS, knee=True)
    _, end = ends(upper, bend, knee=True)
    np.testing.assert_allclose(np.cross(end, target), 0, atol=1e-9)
    assert bend[0] == pytest.approx(LEAST_BEND, abs=0.1)
